// fusebox/test/async_fake_clock.hpp: AsyncFakeClock, a FakeClock for coroutines: its sleep is awaited (A6).
#pragma once

#include <fusebox/version.hpp>  // first: <coroutine> is an error before C++20, and this says so

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <fusebox/coro/clock.hpp>
#include <fusebox/test/fake_clock.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a coroutine awaits.
class [[nodiscard]] FakeSleep final : test::Alarm {
 public:
  FakeSleep(test::FakeClock timeline, std::chrono::nanoseconds duration, StopToken token, bool in_queue)
      : timeline_{std::move(timeline)}, duration_{duration}, token_{std::move(token)}, in_queue_{in_queue} {}
  /// Only before it is awaited.
  FakeSleep(FakeSleep&& other) noexcept
      : FakeSleep{other.timeline_, other.duration_, other.token_, other.in_queue_} {}
  FakeSleep& operator=(FakeSleep&&) = delete;
  ~FakeSleep() { leave(); }

  [[nodiscard]] static bool await_ready() noexcept { return false; }
  /// False: it goes on at once.
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> sleeper) {
    if (!timeline_.is_manual()) {
      to_its_end_ = timeline_.sleep_for(duration_, token_);
      return false;
    }
    sleeper_ = sleeper;
#if FUSEBOX_DETAIL_STOP_TOKEN
    on_stop_.emplace(token_, OnStop{this});
#endif
    if (timeline_.set_alarm(duration_, *this)) end(true);
    int before = beginning;
    // The last that it does: afterwards somebody else may resume it. Release, acquire: with end().
    return stage_.compare_exchange_strong(before, asleep, std::memory_order_acq_rel);
  }
  bool await_resume() noexcept {
    leave();
    return to_its_end_;
  }

 private:
  static constexpr int beginning = 0;
  static constexpr int asleep = 1;
  static constexpr int over = 2;

  void ring() override {
    end(!is_stopped_.load(std::memory_order_relaxed));
  }  // relaxed: set before it was hastened

  /// Whoever comes first ends it.
  void end(bool to_its_end) {
    int before = stage_.load(std::memory_order_acquire);
    do {
      if (before == over) return;
      if (before == beginning) to_its_end_ = to_its_end;
    } while (!stage_.compare_exchange_weak(before, over, std::memory_order_acq_rel));
    if (before != asleep) return;
    to_its_end_ = to_its_end;  // nobody else writes it once it is over
    sleeper_.resume();
  }

  void leave() noexcept {
#if FUSEBOX_DETAIL_STOP_TOKEN
    on_stop_.reset();
#endif
    timeline_.cancel_alarm(*this);
  }

#if FUSEBOX_DETAIL_STOP_TOKEN
  struct OnStop {
    FakeSleep* sleep;
    void operator()() const { sleep->stop(); }
  };
  void stop() {
    if (stage_.load(std::memory_order_acquire) == asleep && timeline_.is_due(*this))
      return;                                            // ring() ends it
    is_stopped_.store(true, std::memory_order_relaxed);  // the timeline's mutex publishes it
    if (in_queue_ && stage_.load(std::memory_order_acquire) == asleep) {
      timeline_.hasten_alarm(*this);
    } else {
      end(false);
    }
  }
  std::optional<std::stop_callback<OnStop>> on_stop_;
#endif

  test::FakeClock timeline_;
  std::chrono::nanoseconds duration_;
  StopToken token_;
  std::coroutine_handle<> sleeper_;
  std::atomic<int> stage_{beginning};
  std::atomic<bool> is_stopped_{false};
  bool in_queue_;
  bool to_its_end_ = true;
};

}  // namespace detail

namespace test {

/// An AsyncClock on the timeline of a FakeClock. advance(), on either, goes from one due time to the next,
/// and resumes there, on the calling thread, the coroutines whose sleep is over, in the order in which they
/// began. If the FakeClock is not in manual mode, a sleep moves the timeline itself and suspends nobody. A
/// coroutine that is destroyed in a sleep leaves the timeline. Copies share the timeline; every member is
/// thread-safe.
class AsyncFakeClock {
 public:
  explicit AsyncFakeClock(FakeClock timeline = FakeClock::manual()) : timeline_{std::move(timeline)} {}

  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return timeline_.now(); }
  [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const { return timeline_.coarse_now(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const { return timeline_.wall_now(); }

  /// Await it: true at the end of the wait, false if the token is stopped, also before. request_stop()
  /// resumes the coroutine.
  [[nodiscard]] auto sleep_for(std::chrono::nanoseconds duration, StopToken token = {}) const {
    return detail::FakeSleep{timeline_, duration, std::move(token), false};
  }
  /// The same. In a queue, whose waits another call ends by the token, the coroutine is resumed by who moves
  /// the timeline, after that call: advance(0s) is enough (A14).
  [[nodiscard]] auto wait_in_queue(std::chrono::nanoseconds duration, StopToken token, bool in_queue) const {
    return detail::FakeSleep{timeline_, duration, std::move(token), in_queue};
  }

  /// As those of FakeClock: coroutines that sleep are sleepers.
  std::size_t advance(std::chrono::nanoseconds duration) const { return timeline_.advance(duration); }
  [[nodiscard]] std::vector<std::chrono::nanoseconds> sleeps() const { return timeline_.sleeps(); }

  /// For timeouts (T8).
  template <class Node>
  void arm(Node& node, std::chrono::steady_clock::time_point due) const {
    timeline_.arm(node, due);
  }
  template <class Node>
  void disarm(Node& node) const noexcept {
    timeline_.disarm(node);
  }

  [[nodiscard]] const FakeClock& timeline() const noexcept { return timeline_; }

 private:
  FakeClock timeline_;
};

static_assert(AsyncClock<AsyncFakeClock>);

}  // namespace test

FUSEBOX_END_NAMESPACE
