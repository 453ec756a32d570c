// fusebox/test/fake_clock/detail/timeline.hpp: FakeTimeline, what the copies of a FakeClock share: its time,
// its sleepers, the limits of timeouts, and alarms.
#pragma once
// IWYU pragma: private, include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/timer/heap.hpp>
#include <fusebox/detail/timer/node.hpp>
#include <fusebox/test/fake_clock/alarm.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct FakeSleeper {
  Tick due = 0;
  bool woken = false;
  bool stopped = false;
};

/// A ring() that runs.
struct RingingAlarm {
  const test::Alarm* alarm;
  std::thread::id thread;
};

/// The mutex guards every write, so loads under it are relaxed. `now` is also read without it: its store
/// releases, the loads outside acquire. `coarse_tick` is a setting: relaxed.
struct FakeTimeline {
  static constexpr Tick start = ticks(std::chrono::hours{1});
  static constexpr Tick start_wall = ticks(std::chrono::seconds{1'736'251'200});

  std::atomic<Tick> now{start};
  std::atomic<Tick> coarse_tick{1};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::chrono::nanoseconds> sleeps;
  std::vector<FakeSleeper*> sleepers;
  TimerHeap limits;
  std::vector<test::Alarm*> alarms;  // the earliest first; of equal ones the one that was set first
  std::vector<const RingingAlarm*> ringing;
  bool manual = false;
  Tick wall = start_wall;  // when the timeline stood at wall_set_at
  Tick wall_set_at = start;

  /// Moves the timeline and wakes the sleepers that are due by then. The caller holds the lock.
  std::size_t move(Tick duration) {
    now.store(saturating_add(now.load(std::memory_order_relaxed), duration), std::memory_order_release);
    const auto due = [&](FakeSleeper* sleeper) {
      sleeper->woken = sleeper->due <= now.load(std::memory_order_relaxed);
      return sleeper->woken;
    };
    const std::size_t woken = std::erase_if(sleepers, due);
    if (woken > 0) changed.notify_all();
    return woken;
  }

  /// Moves the timeline by `left`, from one end of a limit, or alarm, to the next, and stops or rings what
  /// is due there without the lock. Then, if time is left, goes on only if `goes_on()`, which is asked
  /// under the lock.
  template <class GoesOn>
  std::size_t pass(std::unique_lock<std::mutex>& lock, Tick& left, GoesOn goes_on) {
    std::size_t woken = 0;
    for (;;) {
      // No limit is due before now: arm() refuses it, and nobody moves the timeline beyond one.
      const Tick at = now.load(std::memory_order_relaxed);
      const Tick due = std::min(limits.next_due(), alarms.empty() ? tick_max : alarms.front()->due_);
      const Tick step = std::min(left, std::max<Tick>(due - at, 0));
      woken += move(step);
      left -= step;
      DueStops stops;
      stops.take_from(limits, now.load(std::memory_order_relaxed));
      if (!stops.empty()) {
        lock.unlock();
        stops.fire();
        lock.lock();
      } else if (!alarms.empty() && alarms.front()->due_ <= now.load(std::memory_order_relaxed)) {
        ++woken;
        ring_first(lock);
      } else {
        return woken;
      }
      if (left > 0 && !goes_on()) return woken;
    }
  }

  std::size_t advance(Tick duration) {
    std::unique_lock lock{mutex};
    return pass(lock, duration, [] { return true; });
  }

  void ring_first(std::unique_lock<std::mutex>& lock) {
    test::Alarm& alarm = *alarms.front();
    const RingingAlarm self{&alarm, std::this_thread::get_id()};
    ringing.push_back(&self);
    alarms.erase(alarms.begin());
    lock.unlock();
    alarm.ring();  // may be its end
    lock.lock();
    std::erase(ringing, &self);
    changed.notify_all();
  }

  void insert(test::Alarm& alarm, Tick due) {
    const auto is_later = [](Tick tick, const test::Alarm* other) { return tick < other->due_; };
    alarms.insert(std::upper_bound(alarms.begin(), alarms.end(), due, is_later), &alarm);
    alarm.due_ = due;
  }

  [[nodiscard]] bool set_alarm(test::Alarm& alarm, Tick duration) {
    std::unique_lock lock{mutex};
    sleeps.emplace_back(duration);
    if (duration <= 0) return true;
    if (!manual) {
      pass(lock, duration, [] { return true; });
      return true;
    }
    insert(alarm, saturating_add(now.load(std::memory_order_relaxed), duration));
    changed.notify_all();
    return false;
  }

  void hasten(test::Alarm& alarm) {
    const std::lock_guard lock{mutex};
    if (std::erase(alarms, &alarm) != 0) insert(alarm, now.load(std::memory_order_relaxed));
  }

  [[nodiscard]] bool is_due(const test::Alarm& alarm) {
    const std::lock_guard lock{mutex};
    return std::find(alarms.begin(), alarms.end(), &alarm) == alarms.end() ||
           alarm.due_ <= now.load(std::memory_order_relaxed);
  }

  void cancel(const test::Alarm& alarm) noexcept {
    std::unique_lock lock{mutex};
    std::erase(alarms, &alarm);
    changed.wait(lock, [&] {
      return std::none_of(ringing.begin(), ringing.end(), [&](const RingingAlarm* ring) {
        return ring->alarm == &alarm && ring->thread != std::this_thread::get_id();
      });
    });
  }

  void arm(TimerNode& node, Tick due) {
    {
      const std::lock_guard lock{mutex};
      if (due > now.load(std::memory_order_relaxed)) return limits.insert(node, due);
    }
    node.source.request_stop();  // the timeline has moved since the call began
  }

  void disarm(TimerNode& node) noexcept {
    const std::lock_guard lock{mutex};
    if (limits.contains(node)) limits.remove(node);
  }

  bool sleep(Tick duration, [[maybe_unused]] const StopToken& token) {
    FakeSleeper self;
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
    self.due = saturating_add(now.load(std::memory_order_relaxed), duration);
    sleepers.push_back(&self);
    changed.notify_all();
    changed.wait(lock, [&] { return self.woken || self.stopped; });
    return self.woken;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
