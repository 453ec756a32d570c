// fusebox/test/fake_clock.hpp: FakeClock, a clock that moves when a test says so (T2).
//
// By default a sleep moves the timeline and returns at once. In manual mode, sleepers wait until advance()
// makes them due. The limits of timeouts end on the same timeline (T8).
//
//   test/scoped_system_clock.hpp   ScopedSystemClock, which makes every SystemClock read a FakeClock
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/timer/heap.hpp>
#include <fusebox/detail/timer/node.hpp>
#include <fusebox/test/scoped_system_clock.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

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
    timeline_->changed.wait(lock, [&] { return timeline_->sleepers.size() >= count; });
  }

 private:
  [[nodiscard]] static std::chrono::steady_clock::time_point at(detail::Tick tick) {
    return std::chrono::steady_clock::time_point{std::chrono::nanoseconds{tick}};
  }

  struct Sleeper {
    detail::Tick due = 0;
    bool woken = false;
    bool stopped = false;
  };

  /// The mutex guards every write, so loads under it are relaxed. `now` is also read without it: its store
  /// releases, the loads outside acquire. `coarse_tick` is a setting: relaxed.
  struct Timeline {
    static constexpr detail::Tick start = detail::ticks(std::chrono::hours{1});
    static constexpr detail::Tick start_wall = detail::ticks(std::chrono::seconds{1'736'251'200});

    std::atomic<detail::Tick> now{start};
    std::atomic<detail::Tick> coarse_tick{1};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::chrono::nanoseconds> sleeps;
    std::vector<Sleeper*> sleepers;
    detail::TimerHeap limits;
    bool manual = false;
    detail::Tick wall = start_wall;  // when the timeline stood at wall_set_at
    detail::Tick wall_set_at = start;

    /// Moves the timeline and wakes the sleepers that are due by then. The caller holds the lock.
    std::size_t move(detail::Tick duration) {
      now.store(detail::saturating_add(now.load(std::memory_order_relaxed), duration),
                std::memory_order_release);
      const auto due = [&](Sleeper* sleeper) {
        sleeper->woken = sleeper->due <= now.load(std::memory_order_relaxed);
        return sleeper->woken;
      };
      const std::size_t woken = std::erase_if(sleepers, due);
      if (woken > 0) changed.notify_all();
      return woken;
    }

    /// Moves the timeline by `left`, from one end of a limit to the next, and stops what is due there without
    /// the lock. Then, if time is left, goes on only if `goes_on()`, which is asked under the lock.
    template <class GoesOn>
    std::size_t pass(std::unique_lock<std::mutex>& lock, detail::Tick& left, GoesOn goes_on) {
      std::size_t woken = 0;
      for (;;) {
        // No limit is due before now: arm() refuses it, and nobody moves the timeline beyond one.
        const detail::Tick at = now.load(std::memory_order_relaxed);
        const detail::Tick step = limits.empty() ? left : std::min(left, limits.first().due - at);
        woken += move(step);
        left -= step;
        detail::DueStops stops;
        stops.take_from(limits, now.load(std::memory_order_relaxed));
        if (stops.empty()) return woken;
        lock.unlock();
        stops.fire();
        lock.lock();
        if (left > 0 && !goes_on()) return woken;
      }
    }

    std::size_t advance(detail::Tick duration) {
      std::unique_lock lock{mutex};
      return pass(lock, duration, [] { return true; });
    }

    void arm(detail::TimerNode& node, detail::Tick due) {
      {
        const std::lock_guard lock{mutex};
        if (due > now.load(std::memory_order_relaxed)) return limits.insert(node, due);
      }
      node.source.request_stop();  // the timeline has moved since the call began
    }

    void disarm(detail::TimerNode& node) noexcept {
      const std::lock_guard lock{mutex};
      if (limits.contains(node)) limits.remove(node);
    }

    bool sleep(detail::Tick duration, [[maybe_unused]] const StopToken& token) {
      Sleeper self;
#if FUSEBOX_DETAIL_STOP_TOKEN
      // Before anybody can count this sleeper: once request_stop has returned, advance finds it no more.
      const std::stop_callback on_stop{token, [&] {
                                         const std::lock_guard guard{mutex};
                                         std::erase(sleepers, &self);
                                         self.stopped = !self.woken;
                                         changed.notify_all();
                                       }};
#endif
      std::unique_lock lock{mutex};
      sleeps.emplace_back(duration);
      if (self.stopped) return false;
      if (duration <= 0) return true;
      if (!manual) {
        pass(lock, duration, [&] { return !self.stopped; });
        return duration == 0 || !self.stopped;
      }
      self.due = detail::saturating_add(now.load(std::memory_order_relaxed), duration);
      sleepers.push_back(&self);
      changed.notify_all();
      changed.wait(lock, [&] { return self.woken || self.stopped; });
      return self.woken;
    }
  };

  std::shared_ptr<Timeline> timeline_;
};

static_assert(Clock<FakeClock>);

}  // namespace test

FUSEBOX_END_NAMESPACE
