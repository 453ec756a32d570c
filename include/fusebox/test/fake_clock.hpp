// fusebox/test/fake_clock.hpp: FakeClock, a clock that moves when a test says so (T2).
//
// By default a sleep moves the timeline and returns at once. In manual mode, sleepers wait until advance()
// makes them due. The limits of timeouts end on the same timeline (T8).
//
//   test/fake_clock/alarm.hpp      Alarm, which rings when the timeline has come so far
//   test/scoped_system_clock.hpp   ScopedSystemClock, which makes every SystemClock read a FakeClock
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/test/fake_clock/alarm.hpp>  // IWYU pragma: export
#include <fusebox/test/fake_clock/detail/timeline.hpp>
#include <fusebox/test/scoped_system_clock.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
class FakeSleep;
}  // namespace detail

namespace test {

/// A clock that a test drives. Copies share one timeline. Every member is thread-safe.
class FakeClock {
 public:
  /// Starts one hour into the steady timeline, at 2025-01-07T12:00:00Z on the wall.
  FakeClock() : timeline_{std::make_shared<Timeline>()} {}
  FakeClock(const FakeClock&) = default;  // no moves: a moved-from clock still shows the time
  FakeClock& operator=(const FakeClock&) = default;
  ~FakeClock() = default;

  /// A clock in manual mode: its sleepers wait for advance().
  [[nodiscard]] static FakeClock manual() {
    FakeClock clock;
    clock.set_manual();
    return clock;
  }

  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    return at(timeline_->now.load(std::memory_order_acquire));  // pairs with the store in Timeline::move()
  }

  /// now() rounded down to the coarse tick; equal to now() unless set_coarse_tick() was called.
  [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const {
    const detail::Tick tick = timeline_->coarse_tick.load(std::memory_order_relaxed);
    const detail::Tick now = timeline_->now.load(std::memory_order_acquire);  // as in now()
    return at(now - now % tick);
  }

  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    const std::lock_guard lock{timeline_->mutex};
    const detail::Tick since = timeline_->now.load(std::memory_order_relaxed) - timeline_->wall_set_at;
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::nanoseconds{detail::saturating_add(timeline_->wall, since)})};
  }

  /// Records the wait and moves the timeline by `duration`; in manual mode waits until advance() has moved
  /// it that far. Returns false if `token` is stopped, also before, and also by a limit that the timeline
  /// reaches: it then stands at the end of that limit (T8).
  bool sleep_for(std::chrono::nanoseconds duration, StopToken token = {}) const {
    return timeline_->sleep(detail::ticks(duration), token);
  }

  /// Moves the timeline, and the wall clock with it. Wakes the sleepers and ends the limits that are due by
  /// then, in the order in which they are due, and returns the number of sleepers. Throws
  /// std::invalid_argument for a negative duration.
  std::size_t advance(std::chrono::nanoseconds duration) const {
    if (duration < std::chrono::nanoseconds::zero()) {
      detail::throw_invalid("FakeClock.advance duration must be at least 0, got " +
                            std::to_string(duration.count()) + "ns");
    }
    return timeline_->advance(detail::ticks(duration));
  }

  /// For the timeout that uses this clock: `node` is stopped once the timeline has reached `due`, by whoever
  /// moves it (T8). A clock that wraps this one forwards both.
  template <class Node>
  void arm(Node& node, std::chrono::steady_clock::time_point due) const {
    timeline_->arm(node, detail::ticks(due));
  }
  template <class Node>
  void disarm(Node& node) const noexcept {
    timeline_->disarm(node);
  }

  /// Rings once the timeline has moved by `duration`, by whoever moves it, in the order in which alarms are
  /// due and were set. It is a sleeper, and recorded as a wait. True if it is over at once, and does not
  /// ring: for a duration of 0 or less, and unless the clock is in manual mode, in which case it moves the
  /// timeline itself.
  [[nodiscard]] bool set_alarm(std::chrono::nanoseconds duration, Alarm& alarm) const {
    return timeline_->set_alarm(alarm, detail::ticks(duration));
  }
  /// Afterwards it does not ring. Waits for a ring() that runs on another thread. No matter if it was not
  /// set.
  void cancel_alarm(Alarm& alarm) const noexcept { timeline_->cancel(alarm); }

  [[nodiscard]] bool is_manual() const {
    const std::lock_guard lock{timeline_->mutex};
    return timeline_->manual;
  }

  /// Makes wall_now() jump; it then moves on with the timeline, which does not jump.
  void set_wall(std::chrono::system_clock::time_point time) const {
    const std::lock_guard lock{timeline_->mutex};
    timeline_->wall = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
    timeline_->wall_set_at = timeline_->now.load(std::memory_order_relaxed);
  }

  /// From now on, sleepers wait for advance() (true) or move the timeline themselves (false).
  void set_manual(bool manual = true) const {
    const std::lock_guard lock{timeline_->mutex};
    timeline_->manual = manual;
  }

  /// Makes coarse_now() move in steps of `tick`, as CLOCK_MONOTONIC_COARSE does. Throws
  /// std::invalid_argument unless `tick` is above 0.
  void set_coarse_tick(std::chrono::nanoseconds tick) const {
    if (tick <= std::chrono::nanoseconds::zero()) {
      detail::throw_invalid("FakeClock.set_coarse_tick tick must be above 0, got " +
                            std::to_string(tick.count()) + "ns");
    }
    timeline_->coarse_tick.store(detail::ticks(tick), std::memory_order_relaxed);
  }

  /// Every wait so far, in the order of their beginnings.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> sleeps() const {
    const std::lock_guard lock{timeline_->mutex};
    return timeline_->sleeps;
  }

  /// Blocks until at least `count` sleepers wait, which needs manual mode.
  void wait_for_sleepers(std::size_t count) const {
    std::unique_lock lock{timeline_->mutex};
    timeline_->changed.wait(lock,
                            [&] { return timeline_->sleepers.size() + timeline_->alarms.size() >= count; });
  }

 private:
  friend class detail::FakeSleep;

  /// It is due now: who moves the timeline next rings it.
  void hasten_alarm(Alarm& alarm) const { timeline_->hasten(alarm); }
  /// Is this alarm, which was set, about to ring, or ringing? A sleep that ends where a limit does has slept
  /// to its end (T8).
  [[nodiscard]] bool is_due(const Alarm& alarm) const { return timeline_->is_due(alarm); }

  [[nodiscard]] static std::chrono::steady_clock::time_point at(detail::Tick tick) {
    return std::chrono::steady_clock::time_point{std::chrono::nanoseconds{tick}};
  }

  using Timeline = detail::FakeTimeline;
  std::shared_ptr<Timeline> timeline_;
};

static_assert(Clock<FakeClock>);

}  // namespace test

FUSEBOX_END_NAMESPACE
