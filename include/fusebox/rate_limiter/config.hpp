// fusebox/rate_limiter/config.hpp: RateLimiterConfig and its check.
#pragma once
// IWYU pragma: private, include <fusebox/rate_limiter.hpp>

#include <chrono>
#include <string>

#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How many calls a limiter admits, and how long a call may wait. validate() says what is accepted (C3).
struct RateLimiterConfig {
  int permits = 50;                                        ///< within each `per`; at least 1
  std::chrono::nanoseconds per = std::chrono::seconds{1};  ///< at least 100 ns for each permit
  int burst = 0;                         ///< permits that an idle limiter saves up; 0: as `permits`
  std::chrono::nanoseconds max_wait{0};  ///< the longest wait for a permit; 0: none, refused at once
  friend bool operator==(const RateLimiterConfig&, const RateLimiterConfig&) = default;
};

namespace detail {

/// The time that one permit takes, in ns, rounded up: never more permits than asked for (Q1). With at least
/// 100 ns the rounding costs at most 1 % of the rate.
[[nodiscard]] constexpr Tick permit_interval(const RateLimiterConfig& config) noexcept {
  const Tick whole = ticks(config.per) / config.permits;
  return ticks(config.per) % config.permits == 0 ? whole : whole + 1;
}

[[nodiscard]] constexpr int burst_of(const RateLimiterConfig& config) noexcept {
  return config.burst != 0 ? config.burst : config.permits;
}

[[nodiscard]] constexpr Problem check(const RateLimiterConfig& config) noexcept {
  constexpr Tick shortest = 100;
  if (config.permits < 1) return problem("permits", "at least 1", static_cast<long long>(config.permits));
  if (ticks(config.per) / config.permits < shortest)
    return problem("per", "at least 100ns for each permit", config.per);
  if (config.burst < 0) return problem("burst", "at least 0", static_cast<long long>(config.burst));
  if (permit_interval(config) > tick_max / burst_of(config)) {
    if (config.burst <= config.permits)
      return problem("per", "small enough for its permits to be saved up within 292 years", config.per);
    return problem("burst", "small enough to be saved up within 292 years",
                   static_cast<long long>(config.burst));
  }
  if (!is_duration(config.max_wait)) return problem("max_wait", "at least 0", config.max_wait);
  return {};
}

}  // namespace detail

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const RateLimiterConfig& config) {
  return detail::to_text("RateLimiterConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
