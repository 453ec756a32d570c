// fusebox/adapters/nlohmann_json/detail/config_members.hpp: the tables of the configs.
//
// A member has the name of its C++ field. Functions, such as CircuitBreakerConfig::classify, are in no table.
// The test counts the fields of each config, so that none is forgotten.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <fusebox/adapters/nlohmann_json/detail/members.hpp>
#include <fusebox/adaptive_limit.hpp>
#include <fusebox/bulkhead/config.hpp>
#include <fusebox/call_durations/config.hpp>
#include <fusebox/call_recorder/config.hpp>
#include <fusebox/chaos/config.hpp>
#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/hedge/config.hpp>
#include <fusebox/pipeline/standard.hpp>
#include <fusebox/policy_registry/config.hpp>
#include <fusebox/rate_limiter/config.hpp>
#include <fusebox/registry/config.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry_budget/config.hpp>
#include <fusebox/throttle/config.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The names of the enumerators: to_string() gives the messages.
[[nodiscard]] inline EnumNames network_errc_names() {
  return {1, {"connection_reset", "timed_out", "host_not_found", "connection_refused"}};
}

inline void members_of(MemberVisitor& visitor, RetryConfig& config) {
  visitor.member("max_retries", config.max_retries);
  visitor.member("base_delay", config.base_delay);
  visitor.member("max_delay", config.max_delay);
  visitor.member("multiplier", config.multiplier);
  visitor.member("jitter", config.jitter);
  visitor.member("jitter_factor", config.jitter_factor);
  visitor.member("total_timeout", config.total_timeout);
  visitor.member("honor_retry_after", config.honor_retry_after);
  visitor.member("idempotent", config.idempotent);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, FailureRate& config) {
  visitor.member("threshold", config.threshold);
  visitor.member("minimum_calls", config.minimum_calls);
  visitor.member("window", config.window);
}

inline void members_of(MemberVisitor& visitor, SlowCalls& config) {
  visitor.member("slower_than", config.slower_than);
  visitor.member("threshold", config.threshold);
  visitor.member("minimum_calls", config.minimum_calls);
  visitor.member("window", config.window);
}

inline void members_of(MemberVisitor& visitor, CircuitBreakerConfig& config) {
  visitor.member("failure_threshold", config.failure_threshold);
  visitor.member("success_threshold", config.success_threshold);
  visitor.member("reset_timeout", config.reset_timeout);
  visitor.member("half_open_max_calls", config.half_open_max_calls);
  visitor.member("half_open_max_failures", config.half_open_max_failures);
  visitor.member("probe_timeout", config.probe_timeout);
  visitor.member("reset_backoff", config.reset_backoff);
  visitor.member("max_reset_timeout", config.max_reset_timeout);
  visitor.member("reset_jitter", config.reset_jitter);
  visitor.member("honor_retry_after", config.honor_retry_after);
  visitor.member("recovery_time", config.recovery_time);
  visitor.member("failure_rate", config.failure_rate);
  visitor.member("slow_calls", config.slow_calls);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, CallOptions& options) {
  visitor.member("timeout", options.timeout);
  visitor.checked(check(options));
}

inline void members_of(MemberVisitor& visitor, BulkheadConfig& config) {
  visitor.member("max_concurrent", config.max_concurrent);
  visitor.member("max_waiting", config.max_waiting);
  visitor.member("max_wait", config.max_wait);
  visitor.member("headroom", config.headroom);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, RateLimiterConfig& config) {
  visitor.member("permits", config.permits);
  visitor.member("per", config.per);
  visitor.member("burst", config.burst);
  visitor.member("max_wait", config.max_wait);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, ThrottleConfig& config) {
  visitor.member("k", config.k);
  visitor.member("window", config.window);
  visitor.member("max_rejection", config.max_rejection);
  visitor.member("minimum_calls", config.minimum_calls);
  visitor.member("seed", config.seed);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, RetryBudgetConfig& config) {
  visitor.member("ratio", config.ratio);
  visitor.member("min_per_second", config.min_per_second);
  visitor.member("capacity", config.capacity);
  visitor.member("reserve", config.reserve);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, RetryThrottleConfig& config) {
  visitor.member("max_tokens", config.max_tokens);
  visitor.member("token_ratio", config.token_ratio);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, HedgeConfig& config) {
  visitor.member("delay", config.delay);
  visitor.member("max_hedges", config.max_hedges);
  visitor.member("percentile", config.percentile);
  visitor.member("minimum_calls", config.minimum_calls);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, ChaosConfig& config) {
  auto fault = static_cast<int>(config.fault);
  visitor.member("fault_rate", config.fault_rate);
  visitor.member("fault", fault);
  visitor.member("network_fault", config.network_fault, network_errc_names());
  visitor.member("retry_after", config.retry_after);
  visitor.member("latency_rate", config.latency_rate);
  visitor.member("latency", config.latency);
  visitor.member("latency_jitter", config.latency_jitter);
  visitor.member("seed", config.seed);
  config.fault = static_cast<ErrorCode>(fault);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, AdaptiveLimitQueue& queue) {
  visitor.member("max_waiting", queue.max_waiting);
  visitor.member("max_wait", queue.max_wait);
  visitor.member("headroom", queue.headroom);
  visitor.checked(check(queue));
}

/// What all rules begin with.
template <class Rule>
void first_members_of(MemberVisitor& visitor, Rule& rule) {
  visitor.member("initial", rule.initial);
  visitor.member("min", rule.min);
  visitor.member("max", rule.max);
}
/// What all rules end with.
template <class Rule>
void last_members_of(MemberVisitor& visitor, Rule& rule) {
  visitor.member("window", rule.window);
  visitor.member("min_samples", rule.min_samples);
  visitor.checked(check(rule));
}

inline void members_of(MemberVisitor& visitor, Measured& rule) {
  first_members_of(visitor, rule);
  visitor.member("tolerance", rule.tolerance);
  visitor.member("measure_every", rule.measure_every);
  visitor.member("measure_limit", rule.measure_limit);
  visitor.member("tolerated_drops", rule.tolerated_drops);
  last_members_of(visitor, rule);
}

inline void members_of(MemberVisitor& visitor, Aimd& rule) {
  first_members_of(visitor, rule);
  visitor.member("backoff", rule.backoff);
  visitor.member("timeout", rule.timeout);
  last_members_of(visitor, rule);
}

inline void members_of(MemberVisitor& visitor, Gradient2& rule) {
  first_members_of(visitor, rule);
  visitor.member("smoothing", rule.smoothing);
  visitor.member("tolerance", rule.tolerance);
  visitor.member("queue", rule.queue);
  visitor.member("long_window", rule.long_window);
  last_members_of(visitor, rule);
}

inline void members_of(MemberVisitor& visitor, Vegas& rule) {
  first_members_of(visitor, rule);
  visitor.member("smoothing", rule.smoothing);
  visitor.member("probe_multiplier", rule.probe_multiplier);
  visitor.member("seed", rule.seed);
  last_members_of(visitor, rule);
}

inline void members_of(MemberVisitor& visitor, CallDurationsConfig& config) {
  visitor.member("bounds", config.bounds);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, CallRecorderConfig& config) {
  visitor.member("capacity", config.capacity);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, RegistryConfig& config) {
  visitor.member("max_breakers", config.max_breakers);
  visitor.member("default_config", config.default_config);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, PolicyRegistryConfig& config) {
  visitor.member("max_per_kind", config.max_per_kind);
  visitor.checked(check(config));
}

inline void members_of(MemberVisitor& visitor, StandardPipelineConfig& config) {
  visitor.member("bulkhead", config.bulkhead);
  visitor.member("total_timeout", config.total_timeout);
  visitor.member("retry", config.retry);
  visitor.member("breaker", config.breaker);
  visitor.member("attempt_timeout", config.attempt_timeout);
  visitor.checked(check(config));
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
