// storm/trace.cpp: see trace.hpp.
#include "trace.hpp"

#include <fmt/format.h>

#include <fusebox/detail/utf8.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

namespace storm {
namespace {

constexpr std::int64_t longest_s = 4'000'000'000;  // since 1970: until the year 2096
constexpr Duration longest_latency = std::chrono::hours{24} * 366;
constexpr Duration longest_trace = longest_latency * 100;  // what comes after it fits into 64 bits too
constexpr std::size_t most_fields = 4096;                  // of a line: an empty one takes 32 bytes of memory

/// Takes one record after another from CSV, by RFC 4180; lines may end with a line feed alone.
class Records {
 public:
  explicit Records(std::string_view csv) : rest_{csv} {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  /// Empty at the end. Skips empty lines.
  [[nodiscard]] std::vector<std::string> next() {
    while (!rest_.empty()) {
      line_ = next_line_;
      std::vector<std::string> fields = read();
      if (fields.size() > 1 || !fields[0].empty()) return fields;
    }
    return {};
  }
  /// In which the last record begins, from 1 on.
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

 private:
  [[nodiscard]] std::vector<std::string> read() {
    std::vector<std::string> fields(1);
    bool is_quoted = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char letter = rest_[i];
      if (letter == '\n') ++next_line_;
      if (is_quoted) {
        if (letter != '"') {
          fields.back() += letter;
        } else if (rest_.substr(i + 1).starts_with('"')) {
          fields.back() += rest_[++i];
        } else {
          is_quoted = false;
        }
      } else if (letter == '"') {
        is_quoted = true;
      } else if (letter == ',') {
        if (fields.size() == most_fields)
          throw TraceError{fmt::format("line {}: more than {} fields", line_, most_fields)};
        fields.emplace_back();
      } else if (letter == '\n') {
        rest_.remove_prefix(i + 1);
        return fields;
      } else if (letter != '\r') {
        fields.back() += letter;
      } else if (i + 1 < rest_.size() && rest_[i + 1] != '\n') {
        throw TraceError{fmt::format("line {}: a carriage return without a line feed", line_)};
      }
    }
    if (is_quoted) throw TraceError{fmt::format("line {}: a quoted field has no end", line_)};
    rest_ = {};
    return fields;
  }

  std::string_view rest_;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
};

/// A decimal number in units of `unit` ns; empty if it is none, or too large.
[[nodiscard]] std::optional<Duration> parse_time(std::string_view text, std::int64_t unit) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  const auto is_digits = [](std::string_view digits) {
    return std::all_of(digits.begin(), digits.end(),
                       [](char letter) { return letter >= '0' && letter <= '9'; });
  };
  if (point == 0 || !is_digits(text.substr(0, point)) || !is_digits(fraction)) return std::nullopt;
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + point, whole);
  if (error != std::errc{} || whole > longest_s * (1'000'000'000 / unit)) return std::nullopt;
  std::int64_t time = whole * unit;
  std::int64_t place = unit;
  for (const char digit : fraction) {
    place /= 10;
    time += place * (digit - '0');
  }
  return Duration{is_negative ? -time : time};
}

enum Name : std::uint8_t { time_s, latency_ms, outcome, code };
constexpr std::array<std::string_view, 4> names{"time_s", "latency_ms", "outcome", "code"};

/// Where the columns are.
class Header {
 public:
  explicit Header(const std::vector<std::string>& fields) : size_{fields.size()} {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto* const found = std::find(names.begin(), names.end(), fields[i]);
      if (found == names.end()) continue;
      std::optional<std::size_t>& place = places_[static_cast<std::size_t>(found - names.begin())];
      if (place) throw TraceError{fmt::format("line 1: two columns {}", *found)};
      place = i;
    }
    for (const Name name : {time_s, latency_ms, outcome}) {
      if (!places_[name]) throw TraceError{fmt::format("line 1: there is no column {}", names[name])};
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool has_code() const noexcept { return places_[code].has_value(); }
  [[nodiscard]] const std::string& field(const std::vector<std::string>& fields, Name name) const {
    return fields[*places_[name]];
  }

 private:
  std::size_t size_;
  std::array<std::optional<std::size_t>, names.size()> places_;
};

/// One record.
class Row {
 public:
  Row(const Header& header, std::size_t line, const std::vector<std::string>& fields)
      : header_{header}, line_{line}, fields_{fields} {
    if (fields.size() != header.size())
      throw TraceError{fmt::format("line {}: {} fields instead of {}", line, fields.size(), header.size())};
  }

  [[nodiscard]] TracedCall call() const {
    TracedCall found;
    found.time = time(time_s, 1'000'000'000, "a decimal number of seconds");
    if (!field(latency_ms).empty())
      found.latency = time(latency_ms, 1'000'000, "a decimal number of milliseconds, at least 0, or empty");
    if (found.latency < Duration::zero()) refuse(latency_ms, "at least 0");
    if (found.latency > longest_latency) refuse(latency_ms, "at most a year");
    const std::string& word = field(outcome);
    if (word == "failure") {
      found.outcome = fusebox::Outcome::failure;
      found.answer = answer();
    } else if (word == "ignored") {
      found.outcome = fusebox::Outcome::ignored;
    } else if (word != "success") {
      refuse(outcome, "success, failure or ignored");
    }
    return found;
  }

 private:
  [[nodiscard]] const std::string& field(Name name) const { return header_.field(fields_, name); }

  [[noreturn]] void refuse(Name name, std::string_view rule) const {
    throw TraceError{fmt::format("line {}, column {}: must be {}, got '{}'", line_, names[name], rule,
                                 fusebox::detail::short_text(field(name)))};
  }
  [[nodiscard]] Duration time(Name name, std::int64_t unit, std::string_view rule) const {
    const auto found = parse_time(field(name), unit);
    if (!found) refuse(name, rule);
    return *found;
  }
  [[nodiscard]] Answer answer() const {
    // A log without codes says nothing of why a call failed: the usual reason is taken.
    if (!header_.has_code()) return {Answer::Kind::status, 503};
    const std::string& text = field(code);
    if (text.empty()) return {Answer::Kind::unknown, 0};
    if (text == "network") return {Answer::Kind::network, 0};
    int status = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    if (error != std::errc{} || end != text.data() + text.size() || status < 100 || status > 999)
      refuse(code, "a status in [100, 999], 'network' or empty");
    return {Answer::Kind::status, status};
  }

  const Header& header_;
  std::size_t line_;
  const std::vector<std::string>& fields_;
};

}  // namespace

Trace parse_trace(std::string_view csv) {
  Records records{csv};
  const std::vector<std::string> first = records.next();
  if (first.empty()) throw TraceError{"line 1: there is no header"};
  const Header header{first};
  Trace trace;
  for (std::vector<std::string> fields = records.next(); !fields.empty(); fields = records.next())
    trace.calls.push_back(Row{header, records.line(), fields}.call());
  if (trace.calls.empty()) throw TraceError{"line 2: there is no call"};
  std::stable_sort(trace.calls.begin(), trace.calls.end(),
                   [](const TracedCall& a, const TracedCall& b) { return a.time < b.time; });
  const Duration start = trace.calls.front().time;
  if (trace.calls.back().time - start > longest_trace)
    throw TraceError{"column time_s: the first and the last call are more than a century apart"};
  for (TracedCall& call : trace.calls) call.time -= start;
  return trace;
}

}  // namespace storm
