// storm/replay_text.cpp: the result of a replay for people and for programs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "columns.hpp"
#include "replay.hpp"
#include "words.hpp"

namespace storm {
namespace {

double seconds(Duration time) { return std::chrono::duration<double>{time}.count(); }

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::uint64_t count(const Trace& trace, fusebox::Outcome outcome) {
  return static_cast<std::uint64_t>(
      std::count_if(trace.calls.begin(), trace.calls.end(),
                    [outcome](const TracedCall& call) { return call.outcome == outcome; }));
}

/// A column of both the table and the CSV.
struct ReplayColumn {
  std::string_view name;
  std::string_view heading;
  std::string (*exact_text)(const ReplayResult&);
  std::string (*short_text)(const ReplayResult&);
};

template <std::uint64_t ReplayResult::* member>
std::string number(const ReplayResult& result) {
  return fmt::format("{}", result.*member);
}
template <double ReplayResult::* member>
std::string milliseconds(const ReplayResult& result) {
  return fmt::format("{:.1f} ms", result.*member);
}
template <double ReplayResult::* member>
std::string exact_milliseconds(const ReplayResult& result) {
  return exact(result.*member);
}
std::string success(const ReplayResult& result) {
  return fmt::format("{:.2f} %", 100 * share(result.succeeded, result.calls));
}
std::string exact_success(const ReplayResult& result) { return exact(share(result.succeeded, result.calls)); }
std::string opened(const ReplayResult& result) { return fmt::format("{}", result.opened()); }
std::string first_opened(const ReplayResult& result) {
  return result.opened() == 0 ? "never" : fmt::format("{:.3f} s", result.first_opened_s());
}
/// Empty if it never did.
std::string exact_first_opened(const ReplayResult& result) {
  return result.opened() == 0 ? "" : exact(result.first_opened_s());
}

using R = ReplayResult;
constexpr std::array<ReplayColumn, 14> all_columns{{
    {"success_ratio", "success", exact_success, success},
    {"opened", "opened", opened, opened},
    {"first_opened_s", "first at", exact_first_opened, first_opened},
    {"rejected", "rejected", number<&R::rejected>, number<&R::rejected>},
    {"doomed_saved", "doomed saved", number<&R::doomed_saved>, number<&R::doomed_saved>},
    {"good_rejected", "good rejected", number<&R::good_rejected>, number<&R::good_rejected>},
    {"rescued", "rescued", number<&R::rescued>, number<&R::rescued>},
    {"cut_short", "cut short", number<&R::cut_short>, number<&R::cut_short>},
    {"attempts", "attempts", number<&R::attempts>, number<&R::attempts>},
    {"retries", "retries", number<&R::retries>, number<&R::retries>},
    {"hedges", "hedges", number<&R::hedges>, number<&R::hedges>},
    {"calls", "calls", number<&R::calls>, number<&R::calls>},
    {"p50_ms", "p50", exact_milliseconds<&R::p50_ms>, milliseconds<&R::p50_ms>},
    {"p99_ms", "p99", exact_milliseconds<&R::p99_ms>, milliseconds<&R::p99_ms>},
}};

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string quoted = "\"";
  for (const char letter : text) quoted.append(letter == '"' ? 2 : 1, letter);
  return quoted + '"';
}

/// Characters, not bytes.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char letter) { return (letter & 0xC0) != 0x80; }));
}

/// The first column to the left, the others to the right.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - width(row[i]), ' ');
      text += i == 0 ? row[i] + gap : "  " + gap + row[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace

std::string replay_table(const Trace& trace, const std::vector<ReplayResult>& results) {
  const std::uint64_t good = count(trace, fusebox::Outcome::success);
  std::string text =
      fmt::format("The trace: {} calls in {:.3f} s, {} succeeded ({:.2f} %), {} failed, {} ignored.\n\n",
                  trace.calls.size(), seconds(trace.duration()), good, 100 * share(good, trace.calls.size()),
                  count(trace, fusebox::Outcome::failure), count(trace, fusebox::Outcome::ignored));
  std::vector<std::vector<std::string>> rows(1 + results.size());
  rows[0].emplace_back("pipeline");
  for (std::size_t i = 0; i < results.size(); ++i) rows[i + 1].push_back(printable(results[i].name));
  for (const ReplayColumn& column : all_columns) {
    if (column.name == "calls") continue;  // the trace's
    rows[0].emplace_back(column.heading);
    for (std::size_t i = 0; i < results.size(); ++i) rows[i + 1].push_back(column.short_text(results[i]));
  }
  text += aligned(rows);
  for (const ReplayResult& result : results) {
    if (result.changes.empty()) continue;
    text += fmt::format("\nThe breaker of {}:\n", printable(result.name));
    for (const ReplayedChange& change : result.changes) {
      text += fmt::format("{:>12.3f} s  {} -> {}\n", seconds(change.time), to_string(change.from),
                          to_string(change.to));
    }
  }
  return text;
}

std::string replay_csv(const Trace& trace, const std::vector<ReplayResult>& results) {
  std::string text = "pipeline,recorded_success_ratio";
  for (const ReplayColumn& column : all_columns) text.append(",").append(column.name);
  text += "\r\n";
  const std::string recorded = exact(share(count(trace, fusebox::Outcome::success), trace.calls.size()));
  for (const ReplayResult& result : results) {
    text += csv_field(result.name) + "," + recorded;
    for (const ReplayColumn& column : all_columns) text.append(",").append(column.exact_text(result));
    text += "\r\n";
  }
  return text;
}

std::string replay_changes_csv(const std::vector<ReplayResult>& results) {
  std::string text = "pipeline,time_s,from,to\r\n";
  for (const ReplayResult& result : results) {
    for (const ReplayedChange& change : result.changes) {
      text += fmt::format("{},{},{},{}\r\n", csv_field(result.name), exact(seconds(change.time)),
                          to_string(change.from), to_string(change.to));
    }
  }
  return text;
}

}  // namespace storm
