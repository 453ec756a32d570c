// fusebox/hedge/config.hpp: HedgeConfig, when a hedge starts and how many there are.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <chrono>
#include <string>

#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// When a further copy of a slow call starts, and how many. validate() says what is accepted (C3).
struct HedgeConfig {
  /// From the start of one copy to that of the next; 0: all at once; no_timeout: only after a failure.
  std::chrono::nanoseconds delay = std::chrono::seconds{2};
  int max_hedges = 1;  ///< copies beside the first, in [0, 31]
  /// In (0, 1): the delay is this percentile of the last 128 successful calls; 0: it is `delay`.
  double percentile = 0;
  int minimum_calls = 100;  ///< successful calls before the percentile holds, in [1, 65535]
  friend bool operator==(const HedgeConfig&, const HedgeConfig&) = default;
};

namespace detail {

inline constexpr int max_hedges = 31;

[[nodiscard]] constexpr Problem check(const HedgeConfig& config) noexcept {
  if (!is_duration(config.delay)) return problem("delay", "at least 0", config.delay);
  if (config.max_hedges < 0 || config.max_hedges > max_hedges)
    return problem("max_hedges", "in [0, 31]", static_cast<long long>(config.max_hedges));
  if (!(config.percentile >= 0 && config.percentile < 1))
    return problem("percentile", "in (0, 1), or 0", config.percentile);
  if (!is_positive_count(config.minimum_calls))
    return problem("minimum_calls", positive_count_rule, static_cast<long long>(config.minimum_calls));
  return {};
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const HedgeConfig& config) {
  return detail::to_text("HedgeConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
