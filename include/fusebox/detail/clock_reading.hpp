// fusebox/detail/clock_reading.hpp: from stamps, which are coarse ticks, to wall time.
//
//   ClockReading   one moment on a clock's coarse and wall timelines
//   ShownTime      the wall time of the last event of a kind, computed once
//
// Two readings place one stamp differently: the coarse timeline moves in steps of a few milliseconds, and the
// wall clock may be set. So a time that is shown more than once goes through a ShownTime.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstdint>
#include <optional>

#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Turns stamps into wall time. One reading serves all policies of a clock.
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

/// The wall time of the last event of a kind: computed when the event is first shown, and kept until the next
/// event (B13). Not thread-safe.
class ShownTime {
 public:
  /// `count` is the number of events so far, at least 1; `stamp` that of the last one. Without a stamp the
  /// event happens at `now`.
  [[nodiscard]] std::chrono::system_clock::time_point show(std::uint64_t count, std::optional<Tick> stamp,
                                                           const ClockReading& now) noexcept {
    // The stamp too: an event counts before it stamps. The count too: events may share a stamp.
    if (const Tick key = stamp.value_or(tick_min); count != count_ || key != stamp_) {
      count_ = count;
      stamp_ = key;
      wall_ = now.wall_at(stamp.value_or(now.coarse));
    }
    return wall_;
  }

 private:
  std::uint64_t count_ = 0;
  Tick stamp_ = tick_min;  // or there is none
  std::chrono::system_clock::time_point wall_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
