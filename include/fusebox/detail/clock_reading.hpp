// fusebox/detail/clock_reading.hpp: ClockReading, one moment on a clock's coarse and wall timelines.
#pragma once
// IWYU pragma: private

#include <chrono>

#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Turns stamps, which are coarse ticks, into wall time. One reading serves all policies of a clock.
struct ClockReading {
  Tick coarse;
  std::chrono::system_clock::time_point wall;

  template <class C>
  explicit ClockReading(const C& clock) : coarse{detail::coarse_tick(clock)}, wall{clock.wall_now()} {}

  /// The wall time of a stamp: as long ago on the wall as it is on the coarse timeline.
  [[nodiscard]] std::chrono::system_clock::time_point wall_at(Tick stamp) const noexcept {
    const Tick wall_tick = ticks(std::chrono::nanoseconds{wall.time_since_epoch()});
    const std::chrono::nanoseconds then{saturating_add(wall_tick, -elapsed(stamp, coarse))};
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(then)};
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
