// fusebox/detail/ticks.hpp: time arithmetic that saturates instead of overflowing.
//
// A tick is a steady time as signed nanoseconds; atomics hold it where a time_point would not fit.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include <fusebox/fwd.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

using Tick = std::int64_t;
using SteadyTime = std::chrono::steady_clock::time_point;

inline constexpr Tick tick_min = std::numeric_limits<Tick>::min();
inline constexpr Tick tick_max = std::numeric_limits<Tick>::max();

[[nodiscard]] constexpr Tick ticks(std::chrono::nanoseconds duration) noexcept { return duration.count(); }

[[nodiscard]] constexpr Tick ticks(SteadyTime time) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

[[nodiscard]] constexpr Tick saturating_add(Tick a, Tick b) noexcept {
  if (b > 0 && a > tick_max - b) return tick_max;
  if (b < 0 && a < tick_min - b) return tick_min;
  return a + b;
}

/// Time from `from` to `to`; 0 where a clock seems to have gone back.
[[nodiscard]] constexpr Tick elapsed(Tick from, Tick to) noexcept {
  if (to <= from) return 0;
  return from < 0 && to > tick_max + from ? tick_max : to - from;
}

/// Whole seconds, rounded up: what a Retry-After says.
[[nodiscard]] constexpr std::chrono::seconds ceil_seconds(std::chrono::nanoseconds duration) noexcept {
  return std::chrono::ceil<std::chrono::seconds>(duration);
}

/// Seconds as nanoseconds, saturating.
[[nodiscard]] constexpr std::chrono::nanoseconds to_nanoseconds(std::chrono::seconds duration) noexcept {
  constexpr auto limit = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::nanoseconds::max());
  if (duration > limit) return std::chrono::nanoseconds::max();
  if (duration < -limit) return std::chrono::nanoseconds::min();
  return duration;
}

template <class C>
concept HasCoarseNow = requires(const C& clock) {
  { clock.coarse_now() } -> std::same_as<SteadyTime>;
};

template <class C>
[[nodiscard]] FUSEBOX_DETAIL_INLINE Tick fine_tick(const C& clock) {
  return ticks(clock.now());
}

/// The clock's cheaper reading where it has one. Never compare it with a fine one.
template <class C>
[[nodiscard]] FUSEBOX_DETAIL_INLINE Tick coarse_tick(const C& clock) {
  if constexpr (HasCoarseNow<C>) {
    return ticks(clock.coarse_now());
  } else {
    return ticks(clock.now());
  }
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
