// fusebox/retry_budget/config.hpp: RetryBudgetConfig and RetryThrottleConfig, and their checks.
#pragma once
// IWYU pragma: private, include <fusebox/retry_budget.hpp>

#include <string>

#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How many retries calls may make together: a share of the first attempts, and a few more with time.
/// validate() says what is accepted (C3).
struct RetryBudgetConfig {
  double ratio = 0.2;       ///< retries that each first attempt pays for; in [0, 1]
  int min_per_second = 10;  ///< retries that come with time; 0: none, and no clock is read
  int capacity = 100;       ///< retries that can be saved up; at least 1
  int reserve = 100;        ///< retries at the start; at most `capacity` of them
  friend bool operator==(const RetryBudgetConfig&, const RetryBudgetConfig&) = default;
};

/// When retries stop because too many calls fail, as gRPC does it (proposal A6).
struct RetryThrottleConfig {
  int max_tokens = 100;      ///< tokens at the start, and at most; a retry needs more than half of them
  double token_ratio = 0.1;  ///< tokens that a success returns; in (0, 1]
  friend bool operator==(const RetryThrottleConfig&, const RetryThrottleConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const RetryBudgetConfig& config) noexcept {
  if (!is_share(config.ratio)) return problem("ratio", "in [0, 1]", config.ratio);
  if (!is_count(config.min_per_second))
    return problem("min_per_second", count_rule, static_cast<long long>(config.min_per_second));
  if (!is_positive_count(config.capacity))
    return problem("capacity", positive_count_rule, static_cast<long long>(config.capacity));
  if (!is_count(config.reserve))
    return problem("reserve", count_rule, static_cast<long long>(config.reserve));
  return {};
}

[[nodiscard]] constexpr Problem check(const RetryThrottleConfig& config) noexcept {
  if (!is_positive_count(config.max_tokens))
    return problem("max_tokens", positive_count_rule, static_cast<long long>(config.max_tokens));
  if (!is_rate(config.token_ratio)) return problem("token_ratio", rate_rule, config.token_ratio);
  return {};
}

}  // namespace detail

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const RetryBudgetConfig& config) {
  return detail::to_text("RetryBudgetConfig", detail::check(config));
}
[[nodiscard]] inline std::string validate(const RetryThrottleConfig& config) {
  return detail::to_text("RetryThrottleConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
