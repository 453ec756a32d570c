// fusebox/test/fake_clock.hpp: a clock that moves when a test says so.
//
// FakeClock models Clock; its copies share one timeline. By default a sleep moves the timeline by
// itself and returns at once; in manual mode sleepers wait until `advance` makes them due.
// ScopedSystemClock makes SystemClock, and so every default and the process-wide registry, read it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/throw.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::test {

/// A hand-driven clock. Copies share one timeline; every member is thread-safe.
class FakeClock {
 public:
  /// Starts at a steady time that is not zero, and on 2025-01-07T12:00:00Z.
  FakeClock() : timeline_{std::make_shared<Timeline>()} {}
  FakeClock(const FakeClock&) = default;  // no moves: a moved-from clock still shows the time
  FakeClock& operator=(const FakeClock&) = default;
  ~FakeClock() = default;

  /// A clock whose sleepers wait for `advance`.
  [[nodiscard]] static FakeClock manual() {
    FakeClock clock;
    clock.set_manual();
    return clock;
  }

  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    return at(timeline_->now.load(std::memory_order_acquire));
  }

  /// `now()` rounded down to the coarse tick; the same as `now()` unless one was set.
  [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const {
    const detail::Tick tick = timeline_->coarse_tick.load(std::memory_order_relaxed);
    const detail::Tick now = timeline_->now.load(std::memory_order_acquire);
    return at(now - now % tick);
  }

  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    const std::lock_guard lock{timeline_->mutex};
    const detail::Tick since = timeline_->now.load(std::memory_order_relaxed) - timeline_->wall_set_at;
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::nanoseconds{detail::saturating_add(timeline_->wall, since)})};
  }

  /// Records the wait. By default the timeline moves by `duration`; in manual mode the caller waits
  /// until it has been moved that far. Returns false when `token` is stopped, before or meanwhile.
  bool sleep_for(std::chrono::nanoseconds duration, detail::StopToken token = {}) const {
    return timeline_->sleep(detail::ticks(duration), token);
  }

  /// Moves the timeline, and the wall clock with it; wakes the sleepers that are due by then and
  /// returns how many they are. Throws std::invalid_argument for a negative duration.
  std::size_t advance(std::chrono::nanoseconds duration) const {
    if (duration < std::chrono::nanoseconds::zero()) {
      detail::throw_invalid("FakeClock.advance duration must be at least 0, got " +
                            std::to_string(duration.count()) + "ns");
    }
    return timeline_->advance(detail::ticks(duration));
  }

  /// Makes `wall_now()` jump; it goes on from there with the timeline, which does not move.
  void set_wall(std::chrono::system_clock::time_point time) const {
    const std::lock_guard lock{timeline_->mutex};
    timeline_->wall = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
    timeline_->wall_set_at = timeline_->now.load(std::memory_order_relaxed);
  }

  /// From now on sleepers wait for `advance` (true) or move the timeline by themselves (false).
  void set_manual(bool manual = true) const {
    const std::lock_guard lock{timeline_->mutex};
    timeline_->manual = manual;
  }

  /// Makes `coarse_now()` move in steps of `tick`, as CLOCK_MONOTONIC_COARSE does.
  void set_coarse_tick(std::chrono::nanoseconds tick) const {
    if (tick <= std::chrono::nanoseconds::zero()) {
      detail::throw_invalid("FakeClock.set_coarse_tick tick must be above 0, got " +
                            std::to_string(tick.count()) + "ns");
    }
    timeline_->coarse_tick.store(detail::ticks(tick), std::memory_order_relaxed);
  }

  /// Every wait so far, in the order in which they began.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> sleeps() const {
    const std::lock_guard lock{timeline_->mutex};
    return timeline_->sleeps;
  }

  /// Blocks until at least `count` threads sleep (manual mode) and are not yet due.
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

  struct Timeline {
    static constexpr detail::Tick start = detail::ticks(std::chrono::hours{1});
    static constexpr detail::Tick start_wall = detail::ticks(std::chrono::seconds{1'736'251'200});

    std::atomic<detail::Tick> now{start};
    std::atomic<detail::Tick> coarse_tick{1};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::chrono::nanoseconds> sleeps;
    std::vector<Sleeper*> sleepers;
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

    std::size_t advance(detail::Tick duration) {
      const std::lock_guard lock{mutex};
      return move(duration);
    }

    bool sleep(detail::Tick duration, [[maybe_unused]] const detail::StopToken& token) {
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
        move(duration);
        return true;
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

/// While it lives, every SystemClock of the process reads `clock`. Guards nest; end them in reverse
/// order, and after the threads that use them.
class [[nodiscard]] ScopedSystemClock {
 public:
  explicit ScopedSystemClock(FakeClock clock) : source_{std::move(clock)} {
    previous_ = detail::time_source.exchange(&source_, std::memory_order_acq_rel);
  }
  ScopedSystemClock(const ScopedSystemClock&) = delete;
  ScopedSystemClock& operator=(const ScopedSystemClock&) = delete;
  ~ScopedSystemClock() { detail::time_source.store(previous_, std::memory_order_release); }

 private:
  struct Source final : detail::TimeSource {
    explicit Source(FakeClock fake) : clock{std::move(fake)} {}
    [[nodiscard]] detail::SteadyTime now() const override { return clock.now(); }
    [[nodiscard]] detail::SteadyTime coarse_now() const override { return clock.coarse_now(); }
    [[nodiscard]] std::chrono::system_clock::time_point wall_now() const override { return clock.wall_now(); }
    bool sleep_for(std::chrono::nanoseconds duration, detail::StopToken token) const override {
      return clock.sleep_for(duration, token);
    }
    FakeClock clock;
  };

  Source source_;
  const detail::TimeSource* previous_ = nullptr;
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::test
