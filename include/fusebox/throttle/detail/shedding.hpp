// fusebox/throttle/detail/shedding.hpp: which share of the calls a throttle rejects (V1, V4).
//
// The arithmetic alone: whole numbers, and + − × ÷ of doubles, so that it gives the same bits everywhere.
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

#include <fusebox/call.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/throttle/config.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The calls of a window, by priority.
struct CallCounts {
  std::array<std::uint64_t, priority_count> requests{};
  std::uint64_t accepts = 0;

  [[nodiscard]] constexpr std::uint64_t all_requests() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : requests) sum += count;
    return sum;
  }
};

/// The calls of a window, and those of the newer half of it (V5).
struct WindowCounts {
  CallCounts whole;
  CallCounts newer;
};

/// How many more requests there are than k for each accept. A call that is accepted never raises it.
[[nodiscard]] constexpr double excess_of(const CallCounts& calls, double k) noexcept {
  const double tolerated = k * static_cast<double>(calls.accepts);
  return static_cast<double>(calls.all_requests()) - tolerated;
}

/// The share of all calls that is to be rejected.
[[nodiscard]] constexpr double rejection_ratio(const CallCounts& calls,
                                               const ThrottleConfig& config) noexcept {
  const std::uint64_t requests = calls.all_requests();
  const double excess = excess_of(calls, config.k);
  if (requests < static_cast<std::uint64_t>(config.minimum_calls) || !(excess > 0)) return 0;
  const double ratio = excess / static_cast<double>(requests + 1);
  return ratio < config.max_rejection ? ratio : config.max_rejection;
}

/// Which calls a throttle goes by, and the share that follows from them.
struct Shedding {
  CallCounts calls;
  double ratio = 0;      // of all calls
  bool is_calm = false;  // the share is 0, and stays so while every call is accepted

  /// Goes by the newer half if it knows enough calls and says that fewer are to be rejected.
  [[nodiscard]] static constexpr Shedding of(const WindowCounts& window,
                                             const ThrottleConfig& config) noexcept {
    Shedding by_all{window.whole, rejection_ratio(window.whole, config),
                    excess_of(window.whole, config.k) <= 0};
    const std::uint64_t newer = window.newer.all_requests();
    if (newer == 0 || newer < static_cast<std::uint64_t>(config.minimum_calls)) return by_all;
    const double ratio = rejection_ratio(window.newer, config);
    if (!(ratio < by_all.ratio)) return by_all;
    return {window.newer, ratio, excess_of(window.newer, config.k) <= 0};
  }

  /// The share of the calls of one priority. Lower priorities take as much of the share of all calls as
  /// max_rejection allows, and this one takes what is left.
  [[nodiscard]] constexpr double of(Priority priority, double max_rejection) const noexcept {
    if (!(ratio > 0)) return 0;
    const std::size_t own = index_of(priority);
    std::uint64_t lower = 0;
    for (std::size_t index = own + 1; index < priority_count; ++index) lower += calls.requests[index];
    const auto all = static_cast<double>(calls.all_requests());
    const double shed = max_rejection * (static_cast<double>(lower) / all);
    const double left = ratio - shed;
    if (!(left > 0)) return 0;
    // The first call of its priority: no share of it would be enough.
    if (calls.requests[own] == 0) return max_rejection;
    const double share = left / (static_cast<double>(calls.requests[own]) / all);
    return share < max_rejection ? share : max_rejection;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
