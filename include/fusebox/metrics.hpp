// fusebox/metrics.hpp: the stats of a registry's policies, for Prometheus.
//
// to_prometheus() writes the text exposition format 0.0.4. Serve it under /metrics, with the content type
// "text/plain; version=0.0.4; charset=utf-8".
#pragma once

#include <string>

#include <fusebox/detail/printable_names.hpp>
#include <fusebox/metrics/detail/families.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Every breaker of the registry, family by family. Thread-safe. A counter returns to 0 with its breaker's
/// reset(), which Prometheus takes into account. The time of a last failure does not change until the next
/// one (H7).
template <class C>
[[nodiscard]] std::string to_prometheus(const CircuitBreakerRegistry<C>& registry) {
  return detail::to_prometheus(detail::with_printable_names(registry.stats()));
}

/// Every policy of the registry, kind by kind: the breakers, then each kind of which there is a policy (M2).
/// Thread-safe.
template <class C>
[[nodiscard]] std::string to_prometheus(const PolicyRegistry<C>& registry) {
  std::string out = to_prometheus(registry.circuit_breakers());
  const auto append = [&](const auto& by_name, const auto&... names) {
    if (!by_name.empty()) out += detail::to_prometheus(detail::with_printable_names(by_name), names...);
  };
  append(registry.template stats<Bulkhead<C>>());
  append(detail::adaptive_limit_stats(registry));
  append(registry.template stats<RateLimiter<C>>());
  append(registry.template stats<Throttle<C>>());
  append(registry.template stats<RetryCounts>());
  append(registry.template stats<RetryBudget<C>>(), "retry_budget", "Retries that could be paid for now.");
  append(registry.template stats<RetryThrottle>(), "retry_throttle", "Tokens; retries need more than half.");
  append(registry.template stats<TimeoutCounts>());
  append(registry.template stats<HedgeCounts>());
  append(registry.template stats<CallDurations>());
  append(registry.template stats<Chaos<C>>());
  return out;
}

/// The same of default_policy_registry(), with the breakers of default_registry().
[[nodiscard]] inline std::string to_prometheus() { return to_prometheus(default_policy_registry()); }

FUSEBOX_END_NAMESPACE
