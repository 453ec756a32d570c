// fusebox/call_durations/config.hpp: CallDurationsConfig, the buckets of a histogram.
#pragma once
// IWYU pragma: private, include <fusebox/call_durations.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Into which buckets durations are counted. `validate` names the values that the constructor refuses.
struct CallDurationsConfig {
  /// The upper bound of each bucket, each above the one before; at most 64. A last bucket has all that is
  /// longer.
  std::vector<std::chrono::nanoseconds> bounds = {
      std::chrono::milliseconds{5},   std::chrono::milliseconds{10},  std::chrono::milliseconds{25},
      std::chrono::milliseconds{50},  std::chrono::milliseconds{100}, std::chrono::milliseconds{250},
      std::chrono::milliseconds{500}, std::chrono::seconds{1},        std::chrono::milliseconds{2500},
      std::chrono::seconds{5},        std::chrono::seconds{10},
  };
  friend bool operator==(const CallDurationsConfig&, const CallDurationsConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const CallDurationsConfig& config) noexcept {
  constexpr std::size_t most = 64;
  if (config.bounds.empty() || config.bounds.size() > most) {
    return problem("bounds", "a list of 1 to 64", static_cast<long long>(config.bounds.size()));
  }
  std::chrono::nanoseconds before{0};
  for (const std::chrono::nanoseconds bound : config.bounds) {
    if (bound <= before) return problem("bounds", "above 0 and ascending", bound);
    before = bound;
  }
  return {};
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const CallDurationsConfig& config) {
  return detail::to_text("CallDurationsConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
