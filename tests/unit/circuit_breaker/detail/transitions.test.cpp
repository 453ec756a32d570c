#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::StateWord;

namespace {

/// Lets others in: after every store, and once before a compare-exchange. Knows whether its mutex is held.
struct SteppingSync {
  static inline std::function<void()> after_store;
  static inline std::function<void()> before_exchange;
  static inline int mutexes_held = 0;

  template <class T>
  class Atomic : public std::atomic<T> {
   public:
    using std::atomic<T>::atomic;
    void store(T value, std::memory_order order) {
      std::atomic<T>::store(value, order);
      if (const auto step = std::exchange(after_store, nullptr)) {
        step();
        after_store = step;
      }
    }
    bool compare_exchange_strong(T& seen, T value, std::memory_order stored, std::memory_order failed) {
      if (const auto step = std::exchange(before_exchange, nullptr)) step();
      return std::atomic<T>::compare_exchange_strong(seen, value, stored, failed);
    }
  };
  class Mutex {
   public:
    void lock() {
      mutex_.lock();
      ++mutexes_held;
    }
    void unlock() {
      --mutexes_held;
      mutex_.unlock();
    }

   private:
    std::mutex mutex_;
  };
};

/// Lets others in, once, when it is asked for the wall time: a transition is decided then, but not made.
struct WatchingClock {
  test::FakeClock fake;
  static inline std::function<void()> meanwhile;
  static inline int readings = 0;
  static inline int readings_under_lock = 0;

  static void watch() {
    ++readings;
    if (SteppingSync::mutexes_held > 0) ++readings_under_lock;
  }
  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return watch(), fake.now(); }
  [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const {
    return watch(), fake.coarse_now();
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto others = std::exchange(meanwhile, nullptr)) others();
    return watch(), fake.wall_now();
  }
  bool sleep_for(std::chrono::nanoseconds duration, StopToken token) const {
    return fake.sleep_for(duration, token);
  }
};

using Core = detail::BreakerCore<WatchingClock, SteppingSync>;

void call(Core& core, Outcome outcome) { core.settle(core.admit(false), outcome); }

/// Runs f, with `step` between any two of its stores.
template <class F, class Step>
void run_stepwise(F f, Step step) {
  SteppingSync::after_store = step;
  f();
  SteppingSync::after_store = nullptr;
}

}  // namespace

// What others do in the middle of a transition. interleavings.test.cpp has what whole breakers can see.

TEST_CASE("B2 a failure whose run was ended and begun anew meanwhile belongs to the new run", "[B2]") {
  Core core{"b", {.failure_threshold = 2}, {}};
  call(core, Outcome::failure);
  WatchingClock::meanwhile = [&] {
    call(core, Outcome::success);
    SteppingSync::before_exchange = [&] { call(core, Outcome::failure); };
  };
  call(core, Outcome::failure);
  REQUIRE_FALSE(SteppingSync::before_exchange);
  const CircuitBreakerStats stats = core.stats();
  CHECK(stats.failure_count == 3);
  CHECK(stats.consecutive_failures == 2);
  CHECK(stats.state == State::open);
}

TEST_CASE("B13 a failure in the middle of reset() falls on one side in all that is counted", "[B13]") {
  Core core{"b", {.failure_threshold = 1000}, {}};
  call(core, Outcome::failure);
  int steps = 0;
  run_stepwise([&] { core.reset(); },
               [&] {
                 ++steps;
                 call(core, Outcome::failure);
               });
  REQUIRE(steps > 1);
  const CircuitBreakerStats stats = core.stats();
  CHECK(stats.failure_count >= 1);
  CHECK(stats.consecutive_failures >= 1);
  CHECK(stats.consecutive_failures <= static_cast<int>(stats.failure_count));
  CHECK(stats.last_failure_time.has_value());
}

TEST_CASE("N4 no reader sees an open state with an old due time", "[N4]") {
  const WatchingClock clock;
  Core core{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_backoff = 2.0}, clock};
  std::chrono::nanoseconds wait = 60s;
  int seen_open = 0;
  int wrong = 0;
  const auto look = [&] {
    if (core.state() != State::open) return;
    ++seen_open;
    if (core.retry_after() != wait) ++wrong;
    if (!StateWord{core.admit(false)}.is_rejected()) ++wrong;
  };
  run_stepwise([&] { call(core, Outcome::failure); }, look);
  REQUIRE(seen_open > 0);
  for (const auto next : {120s, 240s}) {
    clock.fake.advance(wait);
    const detail::Admission probe = core.admit(false);
    REQUIRE(StateWord{probe}.is_half_open());
    wait = next;
    const int before = seen_open;
    run_stepwise([&] { core.settle(probe, Outcome::failure); }, look);
    REQUIRE(seen_open > before);
  }
  CHECK(wrong == 0);
}

TEST_CASE("N3 the clock is never read while the breaker's lock is held", "[N3]") {
  const WatchingClock clock;
  Core core{"b", {.failure_threshold = 1, .reset_timeout = 30s, .slow_calls = SlowCalls{}}, clock};
  WatchingClock::readings = WatchingClock::readings_under_lock = 0;
  const auto late = core.admit(false);
  call(core, Outcome::failure);
  core.settle(late, Outcome::failure);
  clock.fake.advance(30s);
  call(core, Outcome::success);
  call(core, Outcome::failure);
  static_cast<void>(core.stats());
  static_cast<void>(core.retry_after());
  clock.fake.advance(30s);
  WatchingClock::meanwhile = [&] { core.disable(); };
  const auto admission = core.admit(false);  // due, but finds the breaker disabled
  CHECK(StateWord{admission}.state() == State::disabled);
  core.settle(admission, Outcome::failure);
  core.reset();
  core.force_open();
  core.reconfigure({.failure_threshold = 1, .reset_timeout = 30ms, .recovery_time = 10s});
  CHECK(WatchingClock::readings > 10);
  CHECK(WatchingClock::readings_under_lock == 0);
}

TEST_CASE("B18 a subscription to calls survives a failure in its middle", "[B18]") {
  Core core{"b", {}, {}};
  int heard = 0;
  SteppingSync::before_exchange = [&] { call(core, Outcome::failure); };
  core.subscribe_to_calls(
      detail::make_subscriber<CallEvent, SteppingSync>([&](const CallEvent&) { ++heard; }));
  REQUIRE_FALSE(SteppingSync::before_exchange);
  call(core, Outcome::failure);
  CHECK(heard == 1);
  CHECK(core.stats().consecutive_failures == 2);
}

TEST_CASE("B19 a config survives a failure in the middle of its reconfiguration", "[B19]") {
  Core core{"b", {.failure_threshold = 9}, {}};
  SteppingSync::before_exchange = [&] { call(core, Outcome::failure); };
  core.reconfigure({.failure_threshold = 3});
  REQUIRE_FALSE(SteppingSync::before_exchange);
  CHECK(core.stats().consecutive_failures == 1);
  call(core, Outcome::failure);
  CHECK(core.state() == State::closed);
  call(core, Outcome::failure);
  CHECK(core.state() == State::open);
}
