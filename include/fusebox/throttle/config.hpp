// fusebox/throttle/config.hpp: ThrottleConfig and its check.
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <chrono>
#include <cstdint>
#include <string>

#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// When a throttle rejects calls. `validate` names the values that the constructor refuses (C3).
struct ThrottleConfig {
  double k = 2;  ///< it rejects calls once there are more than k for each that is accepted; at least 1
  std::chrono::nanoseconds window = std::chrono::minutes{2};  ///< calls that it looks back at; above 0
  double max_rejection = 0.95;  ///< the largest share of calls that it rejects, in [0, 1]; 0: only counts
  int minimum_calls = 20;       ///< in the window; with fewer it rejects nothing, in [0, 65535]
  std::uint64_t seed = 0;  ///< of its random numbers; 0: one of the operating system, else always the same
  friend bool operator==(const ThrottleConfig&, const ThrottleConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const ThrottleConfig& config) noexcept {
  if (!is_multiplier(config.k)) return problem("k", "finite and at least 1", config.k);
  if (!is_positive_duration(config.window)) return problem("window", positive_duration_rule, config.window);
  if (!is_share(config.max_rejection)) return problem("max_rejection", "in [0, 1]", config.max_rejection);
  if (!is_count(config.minimum_calls)) {
    return problem("minimum_calls", count_rule, static_cast<long long>(config.minimum_calls));
  }
  return {};
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const ThrottleConfig& config) {
  return detail::to_text("ThrottleConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
