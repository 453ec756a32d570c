#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::StateWord;
using support::Breaker;
using support::bring_to;
using support::fail;
using support::succeed;
using support::trip;
using support::trip_and_wait;

namespace {

constexpr Outcome all_outcomes[] = {Outcome::success, Outcome::failure, Outcome::ignored};

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

/// Opens at the second failure and closes at the second success.
struct LateReports {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 2, .reset_timeout = 10s}, clock};
};

}  // namespace

// Late reports.

TEST_CASE_METHOD(LateReports, "B6 a late failure while open does not extend the wait", "[B6]") {
  Permit late = breaker.try_acquire();
  trip(breaker);
  clock.advance(9s);
  late.failure();
  CHECK(breaker.retry_after() == 1s);
  CHECK(breaker.stats().failure_count == 3);
  CHECK(breaker.stats().opened_count == 1);
  CHECK(breaker.stats().consecutive_failures == 2);
  clock.advance(1s);
  CHECK(breaker.try_acquire());
}

TEST_CASE_METHOD(LateReports, "B6 a late success while open does not close", "[B6]") {
  Permit late = breaker.try_acquire();
  trip(breaker);
  late.success();
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().consecutive_failures == 2);
}

TEST_CASE_METHOD(LateReports, "B6 late reports in half-open are no reports of probes", "[B6]") {
  Permit late[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire(),
                   breaker.try_acquire()};
  trip_and_wait(breaker);
  const Permit probe = breaker.try_acquire();
  late[0].success();
  late[1].success();
  late[2].failure();
  late[3].failure();
  late[4].ignore();
  CHECK(breaker.state() == State::half_open);
  CHECK_FALSE(breaker.try_acquire());
  CHECK(support::counts_of(breaker) == support::Counts{2, 4, 1});
}

TEST_CASE_METHOD(LateReports, "B6 late reports in a later closed generation neither lengthen nor end its run",
                 "[B6]") {
  Permit late_failure = breaker.try_acquire();
  Permit late_success = breaker.try_acquire();
  trip_and_wait(breaker);
  succeed(breaker);
  succeed(breaker);
  REQUIRE(breaker.state() == State::closed);
  fail(breaker);
  late_failure.failure();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().consecutive_failures == 1);
  late_success.success();
  CHECK(breaker.stats().consecutive_failures == 1);
  fail(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B6 a late probe neither moves the next half-open generation nor frees a slot of it", "[B6]") {
  for (const Outcome outcome : all_outcomes) {
    CAPTURE(to_string(outcome));
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .half_open_max_calls = 2}};
    trip_and_wait(breaker);
    Permit late = breaker.try_acquire();
    fail(breaker);
    breaker.clock().advance(breaker.retry_after());
    const Permit probes[] = {breaker.try_acquire(), breaker.try_acquire()};
    REQUIRE(probes[1]);
    late.report(outcome);
    CHECK(breaker.state() == State::half_open);
    CHECK_FALSE(breaker.try_acquire());
  }
}

TEST_CASE("B6 late reports move neither a forced-open nor a disabled breaker, but count", "[B6]") {
  for (const State state : {State::forced_open, State::disabled}) {
    CAPTURE(to_string(state));
    Breaker breaker{"b", {.failure_threshold = 2}};
    Permit late[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire()};
    bring_to(breaker, state);
    late[0].success();
    late[1].failure();
    late[2].failure();
    CHECK(breaker.state() == state);
    CHECK(support::counts_of(breaker) == support::Counts{1, 2, 0});
    CHECK(breaker.stats().consecutive_failures == 0);
  }
}

TEST_CASE("B6 a late slow call is counted as slow", "[B6]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .slow_calls = SlowCalls{.slower_than = 1s}}, clock};
  Permit late = breaker.try_acquire();
  trip(breaker);
  clock.advance(1s + 1ns);
  late.success();
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().slow_count == 1);
}

TEST_CASE("B6 a report from before reset() does not count at all", "[B6]") {
  for (const State state : {State::closed, State::half_open, State::disabled}) {
    for (const Outcome outcome : all_outcomes) {
      CAPTURE(to_string(state), to_string(outcome));
      Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
      bring_to(breaker, state);
      Permit late = breaker.try_acquire();
      REQUIRE(late);
      breaker.reset();
      late.report(outcome);
      CHECK(breaker.state() == State::closed);
      CHECK(support::counts_of(breaker) == support::Counts{});
      CHECK(breaker.stats().consecutive_failures == 0);
      CHECK_FALSE(breaker.stats().last_success_time);
      CHECK_FALSE(breaker.stats().last_failure_time);
    }
  }
}

TEST_CASE("B6 a report from before reset() does not count in later generations either", "[B6]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  Permit before[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire()};
  breaker.reset();
  Permit after = breaker.try_acquire();
  trip(breaker);
  before[0].failure();
  after.failure();
  CHECK(breaker.stats().failure_count == 2);
  breaker.clock().advance(breaker.retry_after());
  Permit probe = breaker.try_acquire();
  before[1].success();
  CHECK(breaker.state() == State::half_open);
  probe.success();
  before[2].success();
  CHECK(breaker.stats().success_count == 1);
}

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
  CHECK(WatchingClock::readings > 10);
  CHECK(WatchingClock::readings_under_lock == 0);
}
