// fusebox/retry/config.hpp: RetryConfig, its presets and its check, and exponential_delay (R1, R16).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <cstdint>
#include <string>

#include <fusebox/backoff.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How often to retry, and how long to wait before each retry. validate() says what is accepted (C3).
struct RetryConfig {
  int max_retries = 3;                                            ///< calls = 1 + max_retries; at most 65535
  std::chrono::nanoseconds base_delay = std::chrono::seconds{1};  ///< the first delay, before jitter
  std::chrono::nanoseconds max_delay = std::chrono::seconds{30};  ///< no delay is longer
  double multiplier = 2.0;  ///< each delay divided by the one before; at least 1
  Jitter jitter = Jitter::equal;
  double jitter_factor = 0.25;  ///< of Jitter::proportional: how much of a delay; in [0, 1]
  std::chrono::nanoseconds total_timeout = no_timeout;  ///< from the first attempt; no wait may reach it (R3)
  bool honor_retry_after = true;                        ///< wait as long as the failure asks (R5)
  bool idempotent = true;  ///< false: retry only what was surely not processed (R7)
  friend bool operator==(const RetryConfig&, const RetryConfig&) = default;
};

/// min(max_delay, base_delay × multiplierⁿ), n from 0: the delay before jitter (R1). Saturates.
[[nodiscard]] constexpr std::chrono::nanoseconds exponential_delay(const RetryConfig& config,
                                                                   std::uint32_t n) noexcept {
  return detail::exponential_delay(config.base_delay, config.max_delay, config.multiplier, n);
}

namespace detail {

/// The first wrong field, in reading order. `jitter_factor_is_good` leaves it out.
[[nodiscard]] constexpr Problem check(const RetryConfig& config,
                                      bool jitter_factor_is_good = false) noexcept {
  if (!is_count(config.max_retries))
    return problem("max_retries", count_rule, static_cast<long long>(config.max_retries));
  if (!is_duration(config.base_delay)) return problem("base_delay", "at least 0", config.base_delay);
  if (config.max_delay < config.base_delay) {
    const bool is_negative = !is_duration(config.max_delay);
    return problem("max_delay", is_negative ? "at least 0" : "at least base_delay", config.max_delay);
  }
  if (!is_multiplier(config.multiplier))
    return problem("multiplier", "finite and at least 1", config.multiplier);
  if (config.jitter > Jitter::proportional) {
    return problem("jitter", "one of none, full, equal, decorrelated, proportional",
                   static_cast<long long>(config.jitter));
  }
  if (!jitter_factor_is_good && !is_share(config.jitter_factor))
    return problem("jitter_factor", "in [0, 1]", config.jitter_factor);
  if (!is_positive_duration(config.total_timeout)) {
    return problem("total_timeout", positive_duration_rule, config.total_timeout);
  }
  return {};
}

/// False only for a good config: cheaper than check(), for every call.
[[nodiscard]] FUSEBOX_DETAIL_INLINE bool may_be_bad(const RetryConfig& config) noexcept {
  // is_between() takes -0.0 for wrong, with one comparison instead of two.
  return check(config, true) || !is_between(0, 1, config.jitter_factor);
}

}  // namespace detail

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const RetryConfig& config) {
  return detail::to_text("RetryConfig", detail::check(config));
}

/// Copy one and change it: `auto patient = retry_presets::quick; patient.max_retries = 5;`
namespace retry_presets {
/// For fast, non-critical operations.
inline constexpr RetryConfig quick{
    .max_retries = 2, .base_delay = std::chrono::milliseconds{500}, .max_delay = std::chrono::seconds{5}};
/// For general purpose: the defaults.
inline constexpr RetryConfig standard{
    .max_retries = 3, .base_delay = std::chrono::seconds{1}, .max_delay = std::chrono::seconds{30}};
/// For failures that last.
inline constexpr RetryConfig slow{
    .max_retries = 5, .base_delay = std::chrono::seconds{2}, .max_delay = std::chrono::seconds{60}};
/// For high throughput.
inline constexpr RetryConfig aggressive{
    .max_retries = 3, .base_delay = std::chrono::milliseconds{100}, .max_delay = std::chrono::seconds{5}};
}  // namespace retry_presets

FUSEBOX_END_NAMESPACE
