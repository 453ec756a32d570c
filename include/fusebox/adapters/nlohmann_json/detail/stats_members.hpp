// fusebox/adapters/nlohmann_json/detail/stats_members.hpp: the tables of the stats.
//
// What a health document has (health/detail/members.hpp) stands here under the same names, in the same order,
// with the same values; then comes what it leaves out.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <fusebox/adapters/nlohmann_json/detail/members.hpp>
#include <fusebox/adaptive_limit/stats.hpp>
#include <fusebox/bulkhead/stats.hpp>
#include <fusebox/call_durations/stats.hpp>
#include <fusebox/call_recorder.hpp>
#include <fusebox/chaos/stats.hpp>
#include <fusebox/circuit_breaker/stats.hpp>
#include <fusebox/health.hpp>
#include <fusebox/hedge/stats.hpp>
#include <fusebox/rate_limiter/stats.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget/stats.hpp>
#include <fusebox/throttle/stats.hpp>
#include <fusebox/timeout/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline void members_of(MemberVisitor& visitor, CircuitBreakerStats& stats) {
  visitor.member("state", stats.state);
  visitor.member("failureCount", stats.failure_count);
  visitor.member("successCount", stats.success_count);
  visitor.member("lastFailureTime", stats.last_failure_time);
  visitor.member("lastSuccessTime", stats.last_success_time);
  visitor.member("failureRate", stats.failure_rate);
  visitor.member("ignoredCount", stats.ignored_count);
  visitor.member("rejectedCount", stats.rejected_count);
  visitor.member("slowCount", stats.slow_count);
  visitor.member("openedCount", stats.opened_count);
  visitor.member("consecutiveFailures", stats.consecutive_failures);
  visitor.milliseconds("retryAfterMs", stats.retry_after);
  visitor.member("windowCalls", stats.window_calls);
  visitor.member("windowFailures", stats.window_failures);
  visitor.member("windowSlowCalls", stats.window_slow_calls);
  visitor.member("inFlight", stats.in_flight);
  visitor.member("lastFailure", stats.last_failure);
}

inline void members_of(MemberVisitor& visitor, BulkheadStats& stats) {
  visitor.member("inUse", stats.in_use);
  visitor.member("waiting", stats.waiting);
  visitor.member("limit", stats.limit);
  visitor.member("admitted", stats.admitted);
  visitor.member("rejected", stats.rejected);
  visitor.member("shed", stats.shed);
  visitor.milliseconds("longestWaitMs", stats.longest_wait);
}

inline void members_of(MemberVisitor& visitor, AdaptiveLimitStats& stats) {
  visitor.member("inUse", stats.in_use);
  visitor.member("waiting", stats.waiting);
  visitor.member("limit", stats.limit);
  visitor.member("admitted", stats.admitted);
  visitor.member("rejected", stats.rejected);
  visitor.member("shed", stats.shed);
  visitor.milliseconds("longestWaitMs", stats.longest_wait);
  visitor.member("dropped", stats.dropped);
  visitor.milliseconds("latencyMs", stats.latency);
  visitor.milliseconds("baseLatencyMs", stats.base_latency);
  visitor.member("windows", stats.windows);
  visitor.member("measuring", stats.measuring);
}

inline void members_of(MemberVisitor& visitor, RateLimiterStats& stats) {
  visitor.member("admitted", stats.admitted);
  visitor.member("rejected", stats.rejected);
  visitor.member("waited", stats.waited);
}

inline void members_of(MemberVisitor& visitor, ThrottleStats& stats) {
  visitor.member("requests", stats.requests);
  visitor.member("accepts", stats.accepts);
  visitor.member("rejectionRatio", stats.rejection_ratio);
  visitor.member("rejected", stats.rejected);
  visitor.member("totalRequests", stats.total_requests);
  visitor.member("totalAccepts", stats.total_accepts);
}

inline void members_of(MemberVisitor& visitor, RetryCountsStats& stats) {
  visitor.member("calls", stats.calls);
  visitor.member("succeeded", stats.succeeded);
  visitor.member("failed", stats.failed);
  visitor.member("ignored", stats.ignored);
}

inline void members_of(MemberVisitor& visitor, RetryBudgetStats& stats) {
  visitor.member("balance", stats.balance);
  visitor.member("withdrawn", stats.withdrawn);
  visitor.member("refused", stats.refused);
}

inline void members_of(MemberVisitor& visitor, TimeoutStats& stats) {
  visitor.member("calls", stats.calls);
  visitor.member("timedOut", stats.timed_out);
  visitor.member("late", stats.late);
}

inline void members_of(MemberVisitor& visitor, HedgeStats& stats) {
  visitor.member("calls", stats.calls);
  visitor.member("started", stats.started);
  visitor.member("wonByPrimary", stats.won_by_primary);
  visitor.member("wonByHedge", stats.won_by_hedge);
  visitor.member("refused", stats.refused);
}

inline void members_of(MemberVisitor& visitor, CallDurationsStats& stats) {
  visitor.member("count", stats.count);
  visitor.milliseconds("sumMs", stats.sum);
  visitor.member("bounds", stats.bounds);
  visitor.member("counts", stats.counts);
}

inline void members_of(MemberVisitor& visitor, ChaosStats& stats) {
  visitor.member("enabled", stats.enabled);
  visitor.member("calls", stats.calls);
  visitor.member("faults", stats.faults);
  visitor.member("delays", stats.delays);
}

inline void members_of(MemberVisitor& visitor, RetryStats& stats) {
  visitor.member("attempts", stats.attempts);
  visitor.milliseconds("totalDelayMs", stats.total_delay);
  visitor.member("errors", stats.errors);
  visitor.member("stopReason", stats.stop_reason);
}

inline void members_of(MemberVisitor& visitor, CallRecorderStats& stats) {
  visitor.member("recorded", stats.recorded);
  visitor.member("dropped", stats.dropped);
}

/// Only read: to_json(HealthReport) writes the document, in which the stats have fewer members.
inline void members_of(MemberVisitor& visitor, HealthSummary& summary) {
  visitor.member("total", summary.total);
  visitor.member("open", summary.open);
  visitor.member("halfOpen", summary.half_open);
  visitor.member("closed", summary.closed);
}

/// The same.
inline void members_of(MemberVisitor& visitor, HealthReport& report) {
  std::optional<std::chrono::system_clock::time_point> timestamp{report.timestamp};
  visitor.member("timestamp", timestamp);
  visitor.member("circuitBreakers", report.circuit_breakers);
  visitor.member("bulkheads", report.bulkheads);
  visitor.member("adaptiveLimits", report.adaptive_limits);
  visitor.member("rateLimiters", report.rate_limiters);
  visitor.member("throttles", report.throttles);
  visitor.member("retries", report.retries);
  visitor.member("retryBudgets", report.retry_budgets);
  visitor.member("retryThrottles", report.retry_throttles);
  visitor.member("timeouts", report.timeouts);
  visitor.member("hedges", report.hedges);
  visitor.member("callDurations", report.call_durations);
  visitor.member("chaos", report.chaos);
  visitor.member("summary", report.summary);
  report.timestamp = *timestamp;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
