// fusebox/detail/ticks.hpp: time arithmetic that saturates instead of overflowing.
//
// A tick is a steady time, or a duration, as signed nanoseconds: a number that fits an atomic.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

using Tick = std::int64_t;
using SteadyTime = std::chrono::steady_clock::time_point;

inline constexpr Tick tick_min = std::numeric_limits<Tick>::min();
inline constexpr Tick tick_max = std::numeric_limits<Tick>::max();

[[nodiscard]] constexpr Tick ticks(std::chrono::nanoseconds duration) noexcept { return duration.count(); }

[[nodiscard]] constexpr Tick ticks(SteadyTime time) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

/// a + b, or the end of the range that it passes.
[[nodiscard]] constexpr Tick saturating_add(Tick a, Tick b) noexcept {
  if (b > 0 && a > tick_max - b) return tick_max;
  if (b < 0 && a < tick_min - b) return tick_min;
  return a + b;
}

/// Time from `from` to `to`; 0 if a clock went back (T1). Saturates.
[[nodiscard]] constexpr Tick elapsed(Tick from, Tick to) noexcept {
  if (to <= from) return 0;
  return from < 0 && to > tick_max + from ? tick_max : to - from;
}

/// Whole seconds, rounded up: the unit of the Retry-After field.
[[nodiscard]] constexpr std::chrono::seconds ceil_seconds(std::chrono::nanoseconds duration) noexcept {
  return std::chrono::ceil<std::chrono::seconds>(duration);
}

/// Whole milliseconds, rounded up: the unit of the library's retry_after() (E7). Saturates; 0 for a NaN.
template <class Rep, class Period>
[[nodiscard]] constexpr std::chrono::milliseconds to_milliseconds(
    std::chrono::duration<Rep, Period> duration) noexcept {
  using std::chrono::milliseconds;
  constexpr auto limit = static_cast<double>(milliseconds::max().count());
  const double asked = std::chrono::duration<double, std::milli>(duration).count();
  if (asked >= limit) return milliseconds::max();
  if (asked <= -limit) return milliseconds::min();
  return asked == asked ? std::chrono::ceil<milliseconds>(duration) : milliseconds{0};
}

/// Saturates.
[[nodiscard]] constexpr std::chrono::nanoseconds to_nanoseconds(std::chrono::milliseconds duration) noexcept {
  constexpr auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds::max());
  if (duration > limit) return std::chrono::nanoseconds::max();
  if (duration < -limit) return std::chrono::nanoseconds::min();
  return duration;
}

/// Has this clock a cheaper reading, with a timeline of its own (T1)?
template <class C>
concept HasCoarseNow = requires(const C& clock) {
  { clock.coarse_now() } -> std::same_as<SteadyTime>;
};

template <class C>
[[nodiscard]] FUSEBOX_DETAIL_INLINE Tick fine_tick(const C& clock) {
  return ticks(clock.now());
}

/// The clock's cheaper reading if it has one. Never compare it with a fine one (T1).
template <class C>
[[nodiscard]] FUSEBOX_DETAIL_INLINE Tick coarse_tick(const C& clock) {
  if constexpr (HasCoarseNow<C>) {
    return ticks(clock.coarse_now());
  } else {
    return ticks(clock.now());
  }
}

/// The clock's cheaper reading of the wall time if it has one (T1).
template <class C>
[[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::system_clock::time_point coarse_wall_time(const C& clock) {
  if constexpr (requires {
                  { clock.coarse_wall_now() } -> std::same_as<std::chrono::system_clock::time_point>;
                }) {
    return clock.coarse_wall_now();
  } else {
    return clock.wall_now();
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
