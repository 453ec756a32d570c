// fusebox/health/detail/members.hpp: the stats of each kind of policy in a health document (H6, M2).
#pragma once
// IWYU pragma: private, include <fusebox/health.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <fusebox/detail/iso_time.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/policy_registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline void append_stats(JsonObject& breaker, const CircuitBreakerStats& stats) {
  breaker.text("state", to_string(stats.state));
  breaker.number("failureCount", stats.failure_count);
  breaker.number("successCount", stats.success_count);
  if (stats.last_failure_time) breaker.text("lastFailureTime", IsoTime{*stats.last_failure_time}.text());
  if (stats.last_success_time) breaker.text("lastSuccessTime", IsoTime{*stats.last_success_time}.text());
  breaker.number("failureRate", stats.failure_rate);
  breaker.number("ignoredCount", stats.ignored_count);
  breaker.number("rejectedCount", stats.rejected_count);
  breaker.number("slowCount", stats.slow_count);
  breaker.number("openedCount", stats.opened_count);
  breaker.number("consecutiveFailures", stats.consecutive_failures);
  breaker.number("retryAfterMs", std::chrono::ceil<std::chrono::milliseconds>(stats.retry_after).count());
}

inline void append_stats(JsonObject& bulkhead, const BulkheadStats& stats) {
  bulkhead.number("inUse", stats.in_use);
  bulkhead.number("waiting", stats.waiting);
  bulkhead.number("limit", stats.limit);
  bulkhead.number("admitted", stats.admitted);
  bulkhead.number("rejected", stats.rejected);
  bulkhead.number("shed", stats.shed);
  bulkhead.number("longestWaitMs", std::chrono::ceil<std::chrono::milliseconds>(stats.longest_wait).count());
}

inline void append_stats(JsonObject& limit, const AdaptiveLimitStats& stats) {
  limit.number("inUse", stats.in_use);
  limit.number("waiting", stats.waiting);
  limit.number("limit", stats.limit);
  limit.number("admitted", stats.admitted);
  limit.number("rejected", stats.rejected);
  limit.number("shed", stats.shed);
  limit.number("longestWaitMs", std::chrono::ceil<std::chrono::milliseconds>(stats.longest_wait).count());
  limit.number("dropped", stats.dropped);
  limit.number("latencyMs", std::chrono::ceil<std::chrono::milliseconds>(stats.latency).count());
  limit.number("baseLatencyMs", std::chrono::ceil<std::chrono::milliseconds>(stats.base_latency).count());
}

inline void append_stats(JsonObject& limiter, const RateLimiterStats& stats) {
  limiter.number("admitted", stats.admitted);
  limiter.number("rejected", stats.rejected);
  limiter.number("waited", stats.waited);
}

inline void append_stats(JsonObject& throttle, const ThrottleStats& stats) {
  throttle.number("requests", stats.requests);
  throttle.number("accepts", stats.accepts);
  throttle.number("rejectionRatio", stats.rejection_ratio);
  throttle.number("rejected", stats.rejected);
  throttle.number("totalRequests", stats.total_requests);
  throttle.number("totalAccepts", stats.total_accepts);
}

inline void append_stats(JsonObject& retry, const RetryCountsStats& stats) {
  retry.number("calls", stats.calls);
  retry.number("succeeded", stats.succeeded);
  retry.number("failed", stats.failed);
  retry.number("ignored", stats.ignored);
}

inline void append_stats(JsonObject& budget, const RetryBudgetStats& stats) {
  budget.number("balance", stats.balance);
  budget.number("withdrawn", stats.withdrawn);
  budget.number("refused", stats.refused);
}

inline void append_stats(JsonObject& timeout, const TimeoutStats& stats) {
  timeout.number("calls", stats.calls);
  timeout.number("timedOut", stats.timed_out);
  timeout.number("late", stats.late);
}

inline void append_stats(JsonObject& hedge, const HedgeStats& stats) {
  hedge.number("calls", stats.calls);
  hedge.number("started", stats.started);
  hedge.number("wonByPrimary", stats.won_by_primary);
  hedge.number("wonByHedge", stats.won_by_hedge);
  hedge.number("refused", stats.refused);
}

/// Without the buckets: those are for metrics.
inline void append_stats(JsonObject& durations, const CallDurationsStats& stats) {
  durations.number("count", stats.count);
  durations.number("sumMs", std::chrono::ceil<std::chrono::milliseconds>(stats.sum).count());
}

inline void append_stats(JsonObject& chaos, const ChaosStats& stats) {
  chaos.member("enabled").append(stats.enabled ? "true" : "false");
  chaos.number("calls", stats.calls);
  chaos.number("faults", stats.faults);
  chaos.number("delays", stats.delays);
}

/// An object with one member for each policy.
template <class Stats>
void append_policies(std::string& out, const std::map<std::string, Stats>& by_name) {
  JsonObject policies{out};
  for (const auto& [name, stats] : by_name) {
    JsonObject policy{policies.member(name)};
    append_stats(policy, stats);
  }
}

/// The same as a member of the document, if there are any.
template <class Stats>
void append_member(JsonObject& document, std::string_view member,
                   const std::map<std::string, Stats>& by_name) {
  if (!by_name.empty()) append_policies(document.member(member), by_name);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
