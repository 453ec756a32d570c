// storm/table.cpp: see table.hpp.
#include "table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "columns.hpp"
#include "words.hpp"

namespace storm {
namespace {

constexpr std::string_view bold = "\x1b[1;32m", alarm = "\x1b[33m", plain = "\x1b[0m";

std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

/// Characters, not bytes: continuation bytes take no column.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char letter) { return (letter & 0xC0) != 0x80; }));
}

struct Cell {
  std::string text;
  std::string_view mark;  ///< an escape sequence, if any
};

}  // namespace

std::string csv(const Result& result) {
  std::string lines = "pipeline";
  for (const Column& column : columns()) lines += fmt::format(",{}", column.name);
  lines += "\r\n";
  for (const PipelineResult& pipeline : result.pipelines) {
    lines += field(pipeline.name);
    for (const Column& column : columns())
      lines += fmt::format(",{}", exact(column.value(result.scenario, pipeline)));
    lines += "\r\n";
  }
  return lines;
}

std::string table(const Result& result, bool colour) {
  std::vector<std::vector<Cell>> rows(1 + result.pipelines.size());
  rows[0].push_back({"pipeline", {}});
  for (std::size_t i = 0; i < result.pipelines.size(); ++i)
    rows[i + 1].push_back({printable(result.pipelines[i].name), {}});
  for (const Column& column : columns()) {
    if (!column.prominent) continue;
    rows[0].push_back({std::string{column.heading}, {}});
    const std::string best = best_text(column, result);
    for (std::size_t i = 0; i < result.pipelines.size(); ++i) {
      const PipelineResult& pipeline = result.pipelines[i];
      const double value = column.value(result.scenario, pipeline);
      const bool amplifies = column.name == "peak_load_ratio" && value >= amplifies_from;
      rows[i + 1].push_back({text_of(column, value), is_best(column, result, pipeline, best) ? bold
                                                     : amplifies                             ? alarm
                                                                 : std::string_view{}});
    }
  }

  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i].text));
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - width(row[i].text), ' ');
      const bool marked = colour && !row[i].mark.empty();
      std::string cell = marked ? fmt::format("{}{}{}", row[i].mark, row[i].text, plain) : row[i].text;
      line += i == 0 ? cell + gap : "  " + gap + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace storm
