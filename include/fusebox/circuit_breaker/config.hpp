// fusebox/circuit_breaker/config.hpp: CircuitBreakerConfig, its rate rules, and CallOptions.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/window.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// Opens when failures ÷ recorded outcomes in the window reach the threshold (B3).
struct FailureRate {
  double threshold = 0.5;           ///< in (0, 1]
  int minimum_calls = 20;           ///< below it there is no rate
  Window window = last_calls(100);  ///< or within(10s)
  friend bool operator==(const FailureRate&, const FailureRate&) = default;
};

/// Opens when slow calls ÷ recorded outcomes in the window reach the threshold (B3). A slow probe opens the
/// breaker again.
struct SlowCalls {
  std::chrono::nanoseconds slower_than =
      std::chrono::seconds{60};     ///< strictly; from 100 ms up on the coarse clock
  double threshold = 1.0;           ///< in (0, 1]
  int minimum_calls = 20;           ///< below it there is no rate
  Window window = last_calls(100);  ///< or within(10s)
  friend bool operator==(const SlowCalls&, const SlowCalls&) = default;
};

/// When a breaker opens, how long it stays open, and when it closes. Durations are in any std::chrono unit.
/// `validate` names the values that the constructor refuses.
struct CircuitBreakerConfig {
  int failure_threshold = 5;  ///< consecutive failures that open; 0 turns this rule off
  int success_threshold = 2;  ///< successful probes that close
  std::chrono::nanoseconds reset_timeout =
      std::chrono::seconds{60};    ///< how long it stays open before a probe may pass
  int half_open_max_calls = 1;     ///< probes in flight at once
  int half_open_max_failures = 0;  ///< failed probes that a half-open state forgives before it opens again
  std::chrono::nanoseconds probe_timeout{
      0};                      ///< a probe silent this long loses its slot; 0: as reset_timeout
  double reset_backoff = 1.0;  ///< each re-opening multiplies the wait …
  std::chrono::nanoseconds max_reset_timeout = std::chrono::minutes{10};  ///< … up to here
  double reset_jitter = 0.0;      ///< fraction in [0, 1) of the wait, drawn at random, taken off
  bool honor_retry_after = true;  ///< wait as long as the failure that opens asks, up to max_reset_timeout
  std::chrono::nanoseconds recovery_time{
      0};  ///< after probes closed it, the share of admitted calls grows from 1/10 to all within this time
  std::optional<FailureRate> failure_rate = std::nullopt;
  std::optional<SlowCalls> slow_calls = std::nullopt;
  Outcome (*classify)(const Failure&) = default_outcome;  ///< not asked about cancellations and rejections
  friend bool operator==(const CircuitBreakerConfig&, const CircuitBreakerConfig&) = default;
};

/// Options of one call.
struct CallOptions {
  std::chrono::nanoseconds timeout = no_timeout;  ///< a call that takes longer counts as a failure
};

namespace detail {

/// The full names of the fields, which lie in a member of the config.
struct RateFields {
  const char* threshold;
  const char* minimum_calls;
  const char* window;
};

[[nodiscard]] constexpr Problem check_rate(const RateFields& names, double threshold, int minimum_calls,
                                           const Window& window) noexcept {
  if (!is_rate(threshold)) return problem(names.threshold, rate_rule, threshold);
  if (!is_positive_count(minimum_calls)) {
    return problem(names.minimum_calls, positive_count_rule, static_cast<long long>(minimum_calls));
  }
  if (window.is_time()) {
    if (!is_positive_duration(window.length()))
      return problem(names.window, "within a time above 0", window.length());
    return {};
  }
  if (!is_positive_count(window.calls())) {
    return problem(names.window, "of 1 to 65535 calls", static_cast<long long>(window.calls()));
  }
  if (minimum_calls > window.calls()) {
    return problem(names.minimum_calls, "at most the window's calls", static_cast<long long>(minimum_calls));
  }
  return {};
}

[[nodiscard]] constexpr Problem check(const CircuitBreakerConfig& config) noexcept {
  if (!is_count(config.failure_threshold)) {
    return problem("failure_threshold", count_rule, static_cast<long long>(config.failure_threshold));
  }
  if (!is_positive_count(config.success_threshold)) {
    return problem("success_threshold", positive_count_rule,
                   static_cast<long long>(config.success_threshold));
  }
  if (!is_positive_duration(config.reset_timeout)) {
    return problem("reset_timeout", positive_duration_rule, config.reset_timeout);
  }
  if (!is_positive_count(config.half_open_max_calls)) {
    return problem("half_open_max_calls", positive_count_rule,
                   static_cast<long long>(config.half_open_max_calls));
  }
  if (!is_count(config.half_open_max_failures)) {
    return problem("half_open_max_failures", count_rule,
                   static_cast<long long>(config.half_open_max_failures));
  }
  if (!is_duration(config.probe_timeout)) return problem("probe_timeout", "at least 0", config.probe_timeout);
  if (!is_multiplier(config.reset_backoff)) {
    return problem("reset_backoff", "finite and at least 1", config.reset_backoff);
  }
  if (!is_duration(config.max_reset_timeout)) {
    return problem("max_reset_timeout", "at least 0", config.max_reset_timeout);
  }
  if (!(config.reset_jitter >= 0 && config.reset_jitter < 1)) {
    return problem("reset_jitter", "in [0, 1)", config.reset_jitter);
  }
  if (!is_duration(config.recovery_time)) return problem("recovery_time", "at least 0", config.recovery_time);
  if (config.failure_rate) {
    constexpr RateFields names{"failure_rate.threshold", "failure_rate.minimum_calls", "failure_rate.window"};
    const auto& rule = *config.failure_rate;
    if (const auto wrong = check_rate(names, rule.threshold, rule.minimum_calls, rule.window)) return wrong;
  }
  if (config.slow_calls) {
    constexpr RateFields names{"slow_calls.threshold", "slow_calls.minimum_calls", "slow_calls.window"};
    const auto& rule = *config.slow_calls;
    if (!is_positive_duration(rule.slower_than)) {
      return problem("slow_calls.slower_than", positive_duration_rule, rule.slower_than);
    }
    if (const auto wrong = check_rate(names, rule.threshold, rule.minimum_calls, rule.window)) return wrong;
  }
  if (config.classify == nullptr) return problem("classify", "a function", "null");
  return {};
}

[[nodiscard]] constexpr Problem check(const CallOptions& options) noexcept {
  if (!is_positive_duration(options.timeout))
    return problem("timeout", positive_duration_rule, options.timeout);
  return {};
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const CircuitBreakerConfig& config) {
  return detail::to_text("CircuitBreakerConfig", detail::check(config));
}

/// The same for the options of a call.
[[nodiscard]] inline std::string validate(const CallOptions& options) {
  return detail::to_text("CallOptions", detail::check(options));
}

FUSEBOX_END_NAMESPACE
