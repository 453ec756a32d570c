// fusebox/health.hpp: the states of a registry's policies, for a health endpoint.
//
// health_report() takes a snapshot; to_json() writes it as a document.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <fusebox/detail/iso_time.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/printable_names.hpp>
#include <fusebox/health/detail/members.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The number of breakers by state. forced_open counts as open, disabled as closed.
struct HealthSummary {
  int total = 0;
  int open = 0;
  int half_open = 0;
  int closed = 0;

  /// "ok" if every breaker is closed, else "degraded": calls of at least one dependency are rejected. No
  /// verdict on the process: wire neither a liveness nor a readiness probe to it (H7).
  [[nodiscard]] constexpr std::string_view status() const noexcept {
    return open == 0 && half_open == 0 ? "ok" : "degraded";
  }
};

/// What health_report() returns.
struct HealthReport {
  std::chrono::system_clock::time_point timestamp;              ///< of the registry's clock
  std::map<std::string, CircuitBreakerStats> circuit_breakers;  ///< by name; invalid bytes became U+FFFD
  HealthSummary summary;
  // Of the other kinds, by name too. Empty if the report is of a CircuitBreakerRegistry.
  std::map<std::string, BulkheadStats> bulkheads = {};
  std::map<std::string, RateLimiterStats> rate_limiters = {};
  std::map<std::string, ThrottleStats> throttles = {};
  std::map<std::string, RetryCountsStats> retries = {};
  std::map<std::string, RetryBudgetStats> retry_budgets = {};
  std::map<std::string, RetryBudgetStats> retry_throttles = {};
  std::map<std::string, TimeoutStats> timeouts = {};
  std::map<std::string, HedgeStats> hedges = {};
  std::map<std::string, CallDurationsStats> call_durations = {};
  std::map<std::string, ChaosStats> chaos = {};
  std::map<std::string, AdaptiveLimitStats> adaptive_limits = {};
};

/// A snapshot of every breaker in the registry. Thread-safe. The numbers of one breaker are of one moment;
/// the moments of two breakers may differ.
template <class C>
[[nodiscard]] HealthReport health_report(const CircuitBreakerRegistry<C>& registry) {
  HealthReport report{.timestamp = registry.clock().wall_now(),
                      .circuit_breakers = detail::with_printable_names(registry.stats()),
                      .summary = {}};
  for (const auto& [name, stats] : report.circuit_breakers) {
    ++report.summary.total;
    switch (stats.state) {
      case State::open:
      case State::forced_open: ++report.summary.open; break;
      case State::half_open: ++report.summary.half_open; break;
      case State::closed:
      case State::disabled: ++report.summary.closed; break;
    }
  }
  return report;
}

/// The same, with every policy of the other kinds (M2). The summary is of the breakers.
template <class C>
[[nodiscard]] HealthReport health_report(const PolicyRegistry<C>& registry) {
  HealthReport report = health_report(registry.circuit_breakers());
  report.bulkheads = detail::with_printable_names(registry.template stats<Bulkhead<C>>());
  report.rate_limiters = detail::with_printable_names(registry.template stats<RateLimiter<C>>());
  report.throttles = detail::with_printable_names(registry.template stats<Throttle<C>>());
  report.retries = detail::with_printable_names(registry.template stats<RetryCounts>());
  report.retry_budgets = detail::with_printable_names(registry.template stats<RetryBudget<C>>());
  report.retry_throttles = detail::with_printable_names(registry.template stats<RetryThrottle>());
  report.timeouts = detail::with_printable_names(registry.template stats<TimeoutCounts>());
  report.hedges = detail::with_printable_names(registry.template stats<HedgeCounts>());
  report.call_durations = detail::with_printable_names(registry.template stats<CallDurations>());
  report.chaos = detail::with_printable_names(registry.template stats<Chaos<C>>());
  report.adaptive_limits = detail::adaptive_limit_stats(registry);
  return report;
}

/// The same of default_policy_registry(), with the breakers of default_registry().
[[nodiscard]] inline HealthReport health_report() { return health_report(default_policy_registry()); }

/// The document, compact: timestamp, circuitBreakers by name, a member for each other kind that has a policy,
/// summary. Always valid JSON. Times are ISO 8601; the time of a last failure or success is left out if there
/// was none, and does not change until the next one (H7). Durations are in milliseconds, rounded up;
/// retryAfterMs is the time until a probe may pass.
[[nodiscard]] inline std::string to_json(const HealthReport& report) {
  std::string out;
  {
    detail::JsonObject document{out};
    document.text("timestamp", detail::IsoTime{report.timestamp}.text());
    detail::append_policies(document.member("circuitBreakers"), report.circuit_breakers);
    detail::append_member(document, "bulkheads", report.bulkheads);
    detail::append_member(document, "adaptiveLimits", report.adaptive_limits);
    detail::append_member(document, "rateLimiters", report.rate_limiters);
    detail::append_member(document, "throttles", report.throttles);
    detail::append_member(document, "retries", report.retries);
    detail::append_member(document, "retryBudgets", report.retry_budgets);
    detail::append_member(document, "retryThrottles", report.retry_throttles);
    detail::append_member(document, "timeouts", report.timeouts);
    detail::append_member(document, "hedges", report.hedges);
    detail::append_member(document, "callDurations", report.call_durations);
    detail::append_member(document, "chaos", report.chaos);
    detail::JsonObject summary{document.member("summary")};
    summary.number("total", report.summary.total);
    summary.number("open", report.summary.open);
    summary.number("halfOpen", report.summary.half_open);
    summary.number("closed", report.summary.closed);
    summary.text("status", report.summary.status());
  }
  return out;
}

FUSEBOX_END_NAMESPACE
