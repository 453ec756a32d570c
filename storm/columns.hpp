// storm/columns.hpp: Column, one column of the comparison of pipelines. The CSV, the table on a terminal and
// the report take their columns from here, with the words that explain them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "result.hpp"

namespace storm {

struct Column {
  enum class Unit : std::uint8_t {
    share,         ///< 0 to 1, shown as percents
    times,         ///< 1.25 ×
    seconds,       ///< may be infinite: never
    milliseconds,  ///< as seconds from 1000 on
    count,
  };
  enum class Better : std::uint8_t { more, less, neither };

  std::string_view name;     ///< of the CSV
  std::string_view heading;  ///< for people
  Unit unit;
  Better better;
  bool prominent;  ///< in the table of a terminal too
  std::string_view explanation;
  double (*value)(const Scenario&, const PipelineResult&);
};

/// In the order of the CSV, after `pipeline`.
[[nodiscard]] std::span<const Column> columns();

/// For people: "98.7 %", "1.25 ×", "12.3 s", "never".
[[nodiscard]] std::string text_of(const Column& column, double value);

/// For machines: the shortest text that reads back as the same number; inf, nan.
[[nodiscard]] std::string exact(double value);

/// Attempts that reached the last dependency after the warm-up.
[[nodiscard]] double attempts_of(const Scenario& scenario, const PipelineResult& pipeline);

/// The best value of a column, by what people read: "1.00 ×" beside "1.00 ×" is as good. Empty if a column
/// has no best, or if all look alike. Latencies count only of pipelines whose success is within five
/// percentage points of the best: who answers few calls answers them fast.
[[nodiscard]] std::string best_text(const Column& column, const Result& result);
/// Is this value of this pipeline the best one?
[[nodiscard]] bool is_best(const Column& column, const Result& result, const PipelineResult& pipeline,
                           std::string_view best);

}  // namespace storm
