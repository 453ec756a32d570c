// storm/columns.cpp: see columns.hpp.
#include "columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace storm {
namespace {

using Unit = Column::Unit;
using Better = Column::Better;

template <auto Member>
double summary(const Scenario&, const PipelineResult& pipeline) {
  return static_cast<double>(pipeline.summary.*Member);
}

constexpr std::array all_columns{
    Column{"success_ratio", "Success", Unit::share, Better::more, true,
           "Calls that ended well for the user, and in time.", &summary<&Summary::success_ratio>},
    Column{
        "peak_load_ratio", "Peak load", Unit::times, Better::less, true,
        "The busiest second of the dependency after the last disturbance (without one: of the run), compared "
        "with its calm load. Above 1.2 a dependency that recovers is pushed down again.",
        &summary<&Summary::peak_load_ratio>},
    Column{"amplification", "Attempts per call", Unit::times, Better::less, true,
           "Attempts that reach the dependency, for each call of a user. 1 means: each call once.",
           &summary<&Summary::amplification>},
    Column{"wasted_ratio", "Wasted work", Unit::share, Better::less, true,
           "Attempts that brought no user a success, of all attempts.", &summary<&Summary::wasted_ratio>},
    Column{"recovery_s", "Recovery", Unit::seconds, Better::less, true,
           "From the end of the last disturbance until ten seconds in a row are as good as before it.",
           &summary<&Summary::recovery_s>},
    Column{"p50_ms", "Median latency", Unit::milliseconds, Better::less, true,
           "Half of the successful calls are faster, waits included.", &summary<&Summary::p50_ms>},
    Column{"p99_ms", "p99 latency", Unit::milliseconds, Better::less, true,
           "One successful call in a hundred is slower, waits included.", &summary<&Summary::p99_ms>},
    Column{"peak_load_ratio_overall", "Peak, whole run", Unit::times, Better::less, false,
           "The busiest second of the dependency in the whole run, the disturbance included.",
           &summary<&Summary::peak_load_ratio_overall>},
    Column{"rejected_ratio", "Rejected", Unit::share, Better::neither, true,
           "Calls that a policy refused at once, to spare the dependency.",
           &summary<&Summary::rejected_ratio>},
    Column{"calls", "Calls", Unit::count, Better::neither, false, "Calls of users after the warm-up.",
           &summary<&Summary::calls>},
    Column{"attempts", "Attempts", Unit::count, Better::neither, false,
           "Attempts that reached the dependency after the warm-up.", &attempts_of},
    Column{"events", "Events", Unit::count, Better::neither, false,
           "Steps of the simulation, which say nothing about the pipeline.", &summary<&Summary::events>},
};

double best_success(const Result& result) {
  double best = 0;
  for (const PipelineResult& pipeline : result.pipelines)
    best = std::max(best, pipeline.summary.success_ratio);
  return best;
}

bool competes(const Column& column, const PipelineResult& pipeline, double success) {
  return column.unit != Unit::milliseconds || pipeline.summary.success_ratio >= success - 0.05;
}

}  // namespace

std::span<const Column> columns() { return all_columns; }

std::string exact(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // Whole numbers without an exponent: 1000000, not 1e+06.
  if (std::abs(value) < 1e15 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

std::string text_of(const Column& column, double value) {
  if (std::isinf(value)) return "never";
  switch (column.unit) {
    case Unit::share: {
      const double percents = value * 100;
      return fmt::format("{:.{}f} %", percents, percents > 99 && percents < 100 ? 2 : 1);
    }
    case Unit::times: return fmt::format("{:.2f} ×", value);
    case Unit::seconds: return fmt::format("{:.0f} s", value);
    case Unit::milliseconds:
      if (value >= 1000) return fmt::format("{:.{}f} s", value / 1000, value >= 10'000 ? 1 : 2);
      return fmt::format("{:.{}f} ms", value, value >= 100 ? 0 : 1);
    case Unit::count: break;
  }
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

double attempts_of(const Scenario& scenario, const PipelineResult& pipeline) {
  const auto warm_up = std::chrono::ceil<std::chrono::seconds>(scenario.warm_up).count();
  std::uint64_t sum = 0;
  for (std::size_t i = static_cast<std::size_t>(warm_up); i < pipeline.seconds.size(); ++i)
    sum += pipeline.seconds[i].attempts;
  return static_cast<double>(sum);
}

std::string best_text(const Column& column, const Result& result) {
  if (column.better == Better::neither) return {};
  const double success = best_success(result);
  const PipelineResult* best = nullptr;
  bool differ = false;
  std::string first;
  for (const PipelineResult& pipeline : result.pipelines) {
    const double value = column.value(result.scenario, pipeline);
    const std::string text = text_of(column, value);
    if (first.empty()) first = text;
    differ = differ || text != first;
    if (!competes(column, pipeline, success) || std::isinf(value)) continue;
    const double record = best ? column.value(result.scenario, *best) : 0;
    if (!best || (column.better == Better::more ? value > record : value < record)) best = &pipeline;
  }
  return best && differ ? text_of(column, column.value(result.scenario, *best)) : std::string{};
}

bool is_best(const Column& column, const Result& result, const PipelineResult& pipeline,
             std::string_view best) {
  return !best.empty() && text_of(column, column.value(result.scenario, pipeline)) == best &&
         competes(column, pipeline, best_success(result));
}

}  // namespace storm
