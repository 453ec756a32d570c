// storm/result_json.hpp: to_json, what a simulation has measured as JSON, every number exactly. Infinity is
// null.
#pragma once

#include <cstddef>

#include <nlohmann/json.hpp>

#include "result.hpp"
#include "simulation.hpp"

namespace storm {

using OrderedJson = nlohmann::ordered_json;

[[nodiscard]] inline OrderedJson to_json(const Second& second) {
  return {{"calls", second.calls},
          {"succeeded", second.succeeded},
          {"failed", second.failed},
          {"rejected", second.rejected},
          {"attempts", second.attempts},
          {"served", second.served},
          {"wasted", second.wasted},
          {"retries", second.retries},
          {"hedges", second.hedges},
          {"busy", second.busy},
          {"queued", second.queued},
          {"in_flight", second.in_flight},
          {"open_breakers", second.open_breakers},
          {"limit", second.limit},
          {"p50_ms", second.p50_ms},
          {"p99_ms", second.p99_ms}};
}

[[nodiscard]] inline OrderedJson to_json(const Summary& summary) {
  return {{"calls", summary.calls},
          {"success_ratio", summary.success_ratio},
          {"peak_load_ratio", summary.peak_load_ratio},
          {"peak_load_ratio_overall", summary.peak_load_ratio_overall},
          {"amplification", summary.amplification},
          {"wasted_ratio", summary.wasted_ratio},
          {"recovery_s", summary.recovery_s},
          {"p50_ms", summary.p50_ms},
          {"p99_ms", summary.p99_ms},
          {"rejected_ratio", summary.rejected_ratio},
          {"events", summary.events}};
}

/// `from`: the first second of those that are told.
[[nodiscard]] inline OrderedJson to_json(const PipelineResult& result, std::size_t from = 0) {
  OrderedJson seconds = OrderedJson::array();
  for (std::size_t i = from; i < result.seconds.size(); ++i) seconds.push_back(to_json(result.seconds[i]));
  return {{"name", result.name},
          {"title", result.title},
          {"explanation", result.explanation},
          {"summary", to_json(result.summary)},
          {"from", from},
          {"seconds", std::move(seconds)}};
}

[[nodiscard]] inline OrderedJson to_json(const Live& live) {
  return {{"now_s", live.now_s},         {"breakers", live.breakers}, {"limits", live.limits},
          {"busy", live.busy},           {"queued", live.queued},     {"capacity", live.capacity},
          {"in_flight", live.in_flight}, {"waiting", live.waiting},   {"disturbed", live.disturbed}};
}

}  // namespace storm
