#include "storm/table.hpp"

#include <cstddef>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "made_result.hpp"
#include "storm/columns.hpp"

namespace {

/// The rows of a CSV by RFC 4180, read with no knowledge of who wrote it.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      if (letter != '"') {
        rows.back().back() += letter;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        rows.back().back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == ',') {
      rows.back().emplace_back();
    } else if (letter == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      ++i;
      rows.push_back({""});
    } else {
      rows.back().back() += letter;
    }
  }
  rows.pop_back();  // after the last line break
  return rows;
}

std::size_t column_of(const std::vector<std::vector<std::string>>& rows, const std::string& name) {
  for (std::size_t i = 0; i < rows[0].size(); ++i)
    if (rows[0][i] == name) return i;
  FAIL("no column " << name);
  return 0;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("S20 the CSV begins with the pinned columns, and has a row for each pipeline", "[S20]") {
  const std::string text = storm::csv(made::result());
  CHECK(
      text.starts_with("pipeline,success_ratio,peak_load_ratio,amplification,wasted_ratio,recovery_s,p50_ms,"
                       "p99_ms,peak_load_ratio_overall,rejected_ratio,calls,attempts"));
  const auto rows = read_csv(text);
  REQUIRE(rows.size() == 4);
  for (const auto& row : rows) CHECK(row.size() == rows[0].size());
  CHECK(rows[1][0] == "no_policy");
  CHECK(rows[2][0] == "plain_retry");
  CHECK(rows[3][0] == "standard_pipeline");
}

TEST_CASE("S20 numbers of the CSV read back as the same numbers, and what never comes is inf", "[S20]") {
  storm::Result result = made::result();
  result.pipelines[0].summary.success_ratio = 1.0 / 3;
  result.pipelines[0].summary.p99_ms = 0.1 + 0.2;
  result.pipelines[0].summary.wasted_ratio = 5e-324;
  const auto rows = read_csv(storm::csv(result));
  CHECK(std::stod(rows[1][column_of(rows, "success_ratio")]) == 1.0 / 3);
  CHECK(std::stod(rows[1][column_of(rows, "p99_ms")]) == 0.1 + 0.2);
  CHECK(rows[1][column_of(rows, "wasted_ratio")] == "5e-324");
  CHECK(rows[2][column_of(rows, "recovery_s")] == "inf");
  CHECK(rows[1][column_of(rows, "calls")] == "27000");
  CHECK(storm::exact(1e6) == "1000000");
  CHECK(storm::exact(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("S20 attempts of the CSV are those after the warm-up", "[S20]") {
  storm::Result result = made::result();
  for (auto& second : result.pipelines[0].seconds) second.attempts = 2;
  for (int i = 0; i < 30; ++i) result.pipelines[0].seconds[static_cast<std::size_t>(i)].attempts = 1000;
  const auto rows = read_csv(storm::csv(result));
  CHECK(rows[1][column_of(rows, "attempts")] == "540");  // 270 seconds, two each
}

TEST_CASE("S20 a name with commas, quotes and line breaks is one field of the CSV", "[S20]") {
  storm::Result result = made::result();
  result.pipelines[1].name = "a,\"b\"\r\nc";
  const auto rows = read_csv(storm::csv(result));
  REQUIRE(rows.size() == 4);
  CHECK(rows[2][0] == "a,\"b\"\r\nc");
  CHECK(rows[2].size() == rows[0].size());
}

TEST_CASE("S21 the table is aligned, also with letters of several bytes", "[S21]") {
  storm::Result result = made::result();
  result.pipelines[0].name = "größe";
  const auto lines = lines_of(storm::table(result, false));
  REQUIRE(lines.size() == 4);
  const auto characters = [](const std::string& line) {
    std::size_t count = 0;
    for (const char letter : line) count += (letter & 0xC0) != 0x80;
    return count;
  };
  for (const std::string& line : lines) CHECK(characters(line) == characters(lines[0]));
  CHECK(lines[2].find("85.0 %") != std::string::npos);
  CHECK(lines[2].find("never") != std::string::npos);
  CHECK(lines[2].find("4.20 s") != std::string::npos);
}

TEST_CASE("S21 without colour the table has no escape sequence; with it, best values and amplifiers have one",
          "[S21]") {
  const storm::Result result = made::result();
  CHECK(storm::table(result, false).find('\x1b') == std::string::npos);
  const auto lines = lines_of(storm::table(result, true));
  CHECK(lines[1].find("\x1b[1;32m1.04 ×\x1b[0m") != std::string::npos);
  CHECK(lines[2].find("\x1b[33m3.25 ×\x1b[0m") != std::string::npos);
  CHECK(lines[3].find("\x1b[1;32m89.5 %\x1b[0m") != std::string::npos);
  CHECK(lines[3].find("\x1b[33m") == std::string::npos);
}

TEST_CASE("S21 a name cannot write to the terminal", "[S21]") {
  storm::Result result = made::result();
  result.pipelines[0].name =
      "\x1b]0;owned\x07\xC2\x9B"
      "31m\n";
  const std::string text = storm::table(result, false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find("\xC2\x9B") == std::string::npos);
  CHECK(lines_of(text).size() == 4);
}

TEST_CASE("S21 the best value is marked by what people read: all that look like it, none if all do",
          "[S21]") {
  storm::Result result = made::result();
  result.pipelines[0].summary.success_ratio = 0.89512;
  const storm::Column& success = storm::columns().front();
  const std::string best = storm::best_text(success, result);
  CHECK(best == "89.5 %");
  CHECK(storm::is_best(success, result, result.pipelines[0], best));
  CHECK_FALSE(storm::is_best(success, result, result.pipelines[1], best));
  CHECK(storm::is_best(success, result, result.pipelines[2], best));
  for (auto& pipeline : result.pipelines) pipeline.summary.success_ratio = 0.5;
  CHECK(storm::best_text(success, result).empty());
}

TEST_CASE("S21 a pipeline that answers few calls has no best latency", "[S21]") {
  const storm::Result result = made::result();  // no_policy: 77 % success, and the lowest latency
  for (const storm::Column& column : storm::columns()) {
    if (column.name == "p99_ms") CHECK(storm::best_text(column, result) == "900 ms");
    if (column.name == "recovery_s") CHECK(storm::best_text(column, result) == "1 s");
  }
}
