// fusebox/metrics/detail/families.hpp: the metric families of each kind of policy (H7, M2).
#pragma once
// IWYU pragma: private, include <fusebox/metrics.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <fmt/format.h>

#include <fusebox/detail/number_text.hpp>
#include <fusebox/metrics/detail/metric_family.hpp>
#include <fusebox/policy_registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline void append_families(std::string& out, const std::map<std::string, CircuitBreakerStats>& breakers) {
  MetricFamily calls{out, "circuit_breaker_calls_total", "counter",
                     "Calls that were made, by how they ended."};
  for (const auto& [name, stats] : breakers) {
    calls.sample(name, ",outcome=\"success\"", stats.success_count);
    calls.sample(name, ",outcome=\"failure\"", stats.failure_count);
    calls.sample(name, ",outcome=\"ignored\"", stats.ignored_count);
  }
  MetricFamily rejected{out, "circuit_breaker_rejected_total", "counter", "Calls that were not made."};
  for (const auto& [name, stats] : breakers) rejected.sample(name, "", stats.rejected_count);
  MetricFamily opened{out, "circuit_breaker_opened_total", "counter", "How often the breaker opened."};
  for (const auto& [name, stats] : breakers) opened.sample(name, "", stats.opened_count);
  MetricFamily state{out, "circuit_breaker_state", "gauge",
                     "1 for the state that the breaker is in, 0 for the others."};
  for (const auto& [name, stats] : breakers) {
    for (const State one :
         {State::closed, State::open, State::half_open, State::forced_open, State::disabled}) {
      state.sample(name, fmt::format(",state=\"{}\"", to_string(one)), stats.state == one ? 1 : 0);
    }
  }
  MetricFamily ratio{out, "circuit_breaker_failure_ratio", "gauge",
                     "Failures per recorded call, from 0 to 1."};
  for (const auto& [name, stats] : breakers) ratio.sample(name, "", stats.failure_rate);
  MetricFamily last{out, "circuit_breaker_last_failure_timestamp_seconds", "gauge",
                    "When a call last failed, in Unix time."};
  for (const auto& [name, stats] : breakers) {
    if (!stats.last_failure_time) continue;
    const auto unix_time =
        std::chrono::floor<std::chrono::milliseconds>(*stats.last_failure_time).time_since_epoch();
    last.sample(name, "", fmt::format("{:.3f}", static_cast<double>(unix_time.count()) / 1000.0));
  }
}

inline void append_families(std::string& out, const std::map<std::string, BulkheadStats>& bulkheads) {
  using Stats = BulkheadStats;
  append_family(out, bulkheads, "bulkhead_in_use", "gauge", "Calls under way.",
                [](const Stats& stats) { return stats.in_use; });
  append_family(out, bulkheads, "bulkhead_waiting", "gauge", "Calls that wait for a slot.",
                [](const Stats& stats) { return stats.waiting; });
  append_family(out, bulkheads, "bulkhead_limit", "gauge", "Calls that may be under way at once.",
                [](const Stats& stats) { return stats.limit; });
  append_family(out, bulkheads, "bulkhead_admitted_total", "counter", "Calls that got a slot.",
                [](const Stats& stats) { return stats.admitted; });
  append_family(out, bulkheads, "bulkhead_rejected_total", "counter", "Calls that got none.",
                [](const Stats& stats) { return stats.rejected; });
  append_family(out, bulkheads, "bulkhead_shed_total", "counter",
                "Of these: calls that lost their place in the queue to more important ones.",
                [](const Stats& stats) { return stats.shed; });
}

inline void append_families(std::string& out, const std::map<std::string, AdaptiveLimitStats>& limits) {
  using Stats = AdaptiveLimitStats;
  append_family(out, limits, "adaptive_limit_in_use", "gauge", "Calls under way.",
                [](const Stats& stats) { return stats.in_use; });
  append_family(out, limits, "adaptive_limit_waiting", "gauge", "Calls that wait for a slot.",
                [](const Stats& stats) { return stats.waiting; });
  append_family(out, limits, "adaptive_limit_limit", "gauge", "Calls that may be under way at once, now.",
                [](const Stats& stats) { return stats.limit; });
  append_family(out, limits, "adaptive_limit_admitted_total", "counter", "Calls that got a slot.",
                [](const Stats& stats) { return stats.admitted; });
  append_family(out, limits, "adaptive_limit_rejected_total", "counter", "Calls that got none.",
                [](const Stats& stats) { return stats.rejected; });
  append_family(out, limits, "adaptive_limit_shed_total", "counter",
                "Of these: calls that lost their place in the queue to more important ones.",
                [](const Stats& stats) { return stats.shed; });
  append_family(out, limits, "adaptive_limit_dropped_total", "counter",
                "Calls that were late or failed as if the dependency had no room.",
                [](const Stats& stats) { return stats.dropped; });
  append_family(out, limits, "adaptive_limit_latency_seconds", "gauge", "Mean latency of the last window.",
                [](const Stats& stats) { return std::chrono::duration<double>{stats.latency}.count(); });
  append_family(out, limits, "adaptive_limit_base_latency_seconds", "gauge", "Latency without load.",
                [](const Stats& stats) { return std::chrono::duration<double>{stats.base_latency}.count(); });
}

inline void append_families(std::string& out, const std::map<std::string, RateLimiterStats>& limiters) {
  using Stats = RateLimiterStats;
  append_family(out, limiters, "rate_limiter_admitted_total", "counter",
                "Calls that were admitted, at once or after a wait.",
                [](const Stats& stats) { return stats.admitted; });
  append_family(out, limiters, "rate_limiter_rejected_total", "counter", "Calls that were refused.",
                [](const Stats& stats) { return stats.rejected; });
  append_family(out, limiters, "rate_limiter_waited_total", "counter", "Waits for a permit that began.",
                [](const Stats& stats) { return stats.waited; });
}

inline void append_families(std::string& out, const std::map<std::string, ThrottleStats>& throttles) {
  using Stats = ThrottleStats;
  append_family(out, throttles, "throttle_requests_total", "counter",
                "Calls that ended, and calls that the throttle rejected.",
                [](const Stats& stats) { return stats.total_requests; });
  append_family(out, throttles, "throttle_accepts_total", "counter", "Calls that the dependency accepted.",
                [](const Stats& stats) { return stats.total_accepts; });
  append_family(out, throttles, "throttle_rejected_total", "counter", "Calls that the throttle rejected.",
                [](const Stats& stats) { return stats.rejected; });
  append_family(out, throttles, "throttle_rejection_ratio", "gauge",
                "The share of the calls that is rejected now, from 0 to 1.",
                [](const Stats& stats) { return stats.rejection_ratio; });
}

inline void append_families(std::string& out, const std::map<std::string, RetryCountsStats>& retries) {
  MetricFamily attempts{out, "retry_attempts_total", "counter", "Attempts of retries, by how they ended."};
  for (const auto& [name, stats] : retries) {
    attempts.sample(name, ",outcome=\"success\"", stats.succeeded);
    attempts.sample(name, ",outcome=\"failure\"", stats.failed);
    attempts.sample(name, ",outcome=\"ignored\"", stats.ignored);
  }
}

/// Budgets and throttles have the same stats; `kind` tells them apart.
inline void append_families(std::string& out, const std::map<std::string, RetryBudgetStats>& budgets,
                            const std::string& kind, const char* help_of_balance) {
  using Stats = RetryBudgetStats;
  append_family(out, budgets, kind + "_balance", "gauge", help_of_balance,
                [](const Stats& stats) { return stats.balance; });
  append_family(out, budgets, kind + "_withdrawn_total", "counter", "Retries that were permitted.",
                [](const Stats& stats) { return stats.withdrawn; });
  append_family(out, budgets, kind + "_refused_total", "counter", "Retries that were refused.",
                [](const Stats& stats) { return stats.refused; });
}

inline void append_families(std::string& out, const std::map<std::string, TimeoutStats>& timeouts) {
  using Stats = TimeoutStats;
  append_family(out, timeouts, "timeout_timed_out_total", "counter", "Calls that their limit ended.",
                [](const Stats& stats) { return stats.timed_out; });
  append_family(out, timeouts, "timeout_late_total", "counter",
                "Calls that gave a value after their limit, as far as that is known.",
                [](const Stats& stats) { return stats.late; });
}

inline void append_families(std::string& out, const std::map<std::string, HedgeStats>& hedges) {
  using Stats = HedgeStats;
  append_family(out, hedges, "hedge_calls_total", "counter", "Calls that began.",
                [](const Stats& stats) { return stats.calls; });
  append_family(out, hedges, "hedge_started_total", "counter", "Copies of calls beside the first.",
                [](const Stats& stats) { return stats.started; });
  append_family(out, hedges, "hedge_won_by_primary_total", "counter",
                "Calls whose first copy succeeded first.",
                [](const Stats& stats) { return stats.won_by_primary; });
  append_family(out, hedges, "hedge_won_by_hedge_total", "counter", "Calls in which another copy did.",
                [](const Stats& stats) { return stats.won_by_hedge; });
  append_family(out, hedges, "hedge_refused_total", "counter",
                "Copies that the budget did not pay, or that no thread could run.",
                [](const Stats& stats) { return stats.refused; });
}

inline void append_families(std::string& out, const std::map<std::string, CallDurationsStats>& durations) {
  const auto seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>{time}.count();
  };
  MetricFamily family{out, "pipeline_call_duration_seconds", "histogram", "How long calls took."};
  for (const auto& [name, stats] : durations) {
    std::uint64_t calls = 0;  // at most so long
    for (std::size_t bucket = 0; bucket < stats.bounds.size(); ++bucket) {
      calls += stats.counts[bucket];
      std::string bound;
      append_number(bound, seconds(stats.bounds[bucket]));
      family.sample(name, fmt::format(",le=\"{}\"", bound), calls, "_bucket");
    }
    family.sample(name, ",le=\"+Inf\"", stats.count, "_bucket");
    family.sample(name, "", seconds(stats.sum), "_sum");
    family.sample(name, "", stats.count, "_count");
  }
}

inline void append_families(std::string& out, const std::map<std::string, ChaosStats>& chaos) {
  using Stats = ChaosStats;
  append_family(out, chaos, "chaos_enabled", "gauge", "1 while faults and delays are injected, else 0.",
                [](const Stats& stats) { return stats.enabled ? 1 : 0; });
  append_family(out, chaos, "chaos_calls_total", "counter", "Calls while it was enabled.",
                [](const Stats& stats) { return stats.calls; });
  append_family(out, chaos, "chaos_faults_total", "counter", "Calls that it failed.",
                [](const Stats& stats) { return stats.faults; });
  append_family(out, chaos, "chaos_delays_total", "counter", "Calls that it delayed.",
                [](const Stats& stats) { return stats.delays; });
}

/// The families of one kind.
template <class Stats, class... Names>
[[nodiscard]] std::string to_prometheus(const std::map<std::string, Stats>& by_name, const Names&... names) {
  std::string out;
  append_families(out, by_name, names...);
  return out;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
