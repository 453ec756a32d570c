// The health document of breakers of any names and stats: valid JSON that says what was put in.
#include <fusebox/health.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "calendar.hpp"
#include "input.hpp"
#include "json.hpp"
#include "named_stats.hpp"

namespace {

using fuzz::Json;

Json document(const fusebox::HealthReport& report) {
  Json breakers = Json::object();
  for (const auto& [name, stats] : report.circuit_breakers) {
    Json& breaker = breakers[name];
    breaker["state"] = to_string(stats.state);
    breaker["failureCount"] = stats.failure_count;
    breaker["successCount"] = stats.success_count;
    if (const auto& time = stats.last_failure_time) breaker["lastFailureTime"] = reference::iso_time(*time);
    if (const auto& time = stats.last_success_time) breaker["lastSuccessTime"] = reference::iso_time(*time);
    breaker["failureRate"] = stats.failure_rate;
    breaker["ignoredCount"] = stats.ignored_count;
    breaker["rejectedCount"] = stats.rejected_count;
    breaker["slowCount"] = stats.slow_count;
    breaker["openedCount"] = stats.opened_count;
    breaker["consecutiveFailures"] = stats.consecutive_failures;
    const auto wait = stats.retry_after.count();
    breaker["retryAfterMs"] = wait / 1'000'000 + (wait % 1'000'000 != 0 ? 1 : 0);
  }
  const auto& summary = report.summary;
  return {{"timestamp", reference::iso_time(report.timestamp)},
          {"circuitBreakers", breakers},
          {"summary",
           {{"total", summary.total},
            {"open", summary.open},
            {"halfOpen", summary.half_open},
            {"closed", summary.closed},
            {"status", summary.open + summary.half_open > 0 ? "degraded" : "ok"}}}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  const auto time = input.wall_time();
  const fusebox::HealthSummary summary{input.integer<std::uint16_t>(), input.byte(), input.byte(),
                                       input.byte()};
  const fuzz::NamedStats given = fuzz::any_named_stats(input);
  const fusebox::HealthReport report{time, fuzz::as_shown(given), summary};
  fuzz::check_document(to_json(report), document(report));

  // And with names as they are.
  const fuzz::NamedBreakers breakers{given};
  const auto of_registry = health_report(breakers.registry());
  fuzz::check(of_registry.circuit_breakers.size() == breakers.registry().size(), "breakers got lost", {});
  fuzz::check_document(to_json(of_registry), document(of_registry));
  return 0;
}
