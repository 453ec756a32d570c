#include <fusebox/circuit_breaker.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/threads.hpp"

namespace elsewhere {  // knows nothing of namespace fusebox
constexpr auto earlier_of(fusebox::Deadline a, fusebox::Deadline b) { return earliest(a, b); }
}  // namespace elsewhere

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using SteadyPoint = std::chrono::steady_clock::time_point;
using WallPoint = std::chrono::system_clock::time_point;

namespace {

/// A clock whose three readings are set by hand, each by itself.
class HandClock {
 public:
  struct Readings {
    nanoseconds fine = 1h;
    nanoseconds coarse = 1000h;
    WallPoint wall{100'000h};
  };

  [[nodiscard]] SteadyPoint now() const { return SteadyPoint{readings_->fine}; }
  [[nodiscard]] SteadyPoint coarse_now() const { return SteadyPoint{readings_->coarse}; }
  [[nodiscard]] WallPoint wall_now() const { return readings_->wall; }
  bool sleep_for(nanoseconds duration, std::stop_token token = {}) const {
    advance(duration);
    return !token.stop_requested();
  }

  void advance(nanoseconds duration) const {
    readings_->fine += duration;
    readings_->coarse += duration;
    readings_->wall += std::chrono::duration_cast<WallPoint::duration>(duration);
  }
  [[nodiscard]] Readings& readings() const { return *readings_; }

 private:
  std::shared_ptr<Readings> readings_ = std::make_shared<Readings>();
};

HandClock hand_clock(nanoseconds fine, nanoseconds coarse) {
  HandClock clock;
  clock.readings().fine = fine;
  clock.readings().coarse = coarse;
  return clock;
}

template <class Breaker>
void fail(Breaker& breaker) {
  breaker.try_acquire().failure();
}

template <class Breaker>
bool admits(Breaker& breaker) {
  return static_cast<bool>(breaker.try_acquire());
}

}  // namespace

// The concept.

namespace {
struct LeastClock {
  static SteadyPoint now() { return {}; }
  static WallPoint wall_now() { return {}; }
  static bool sleep_for(nanoseconds, std::stop_token) { return true; }
};
struct NoNow {
  static WallPoint wall_now() { return {}; }
  static bool sleep_for(nanoseconds, std::stop_token) { return true; }
};
struct NoWall {
  static SteadyPoint now() { return {}; }
  static bool sleep_for(nanoseconds, std::stop_token) { return true; }
};
struct NoSleep {
  static SteadyPoint now() { return {}; }
  static WallPoint wall_now() { return {}; }
};
struct SwappedClocks : LeastClock {
  static WallPoint now() { return {}; }
  static SteadyPoint wall_now() { return {}; }
};
struct VoidSleep : LeastClock {
  static void sleep_for(nanoseconds, std::stop_token) {}
};
struct DeafSleep : LeastClock {
  static bool sleep_for(nanoseconds) { return true; }
};
struct NotConst : LeastClock {
  SteadyPoint now() { return {}; }
};
struct NotCopyable : LeastClock {
  NotCopyable() = default;
  NotCopyable(const NotCopyable&) = delete;
  NotCopyable& operator=(const NotCopyable&) = delete;
  ~NotCopyable() = default;
};
}  // namespace

TEST_CASE("a Clock has now, wall_now and a sleep that can be stopped, all const, and is copyable") {
  static_assert(Clock<SystemClock>);
  static_assert(Clock<test::FakeClock>);
  static_assert(Clock<HandClock>);
  static_assert(Clock<LeastClock>);
  static_assert(!Clock<NoNow>);
  static_assert(!Clock<NoWall>);
  static_assert(!Clock<NoSleep>);
  static_assert(!Clock<SwappedClocks>);
  static_assert(!Clock<VoidSleep>);
  static_assert(!Clock<DeafSleep>);
  static_assert(!Clock<NotConst>);
  static_assert(!Clock<NotCopyable>);
  static_assert(!Clock<std::chrono::steady_clock>);
  static_assert(!Clock<int>);
  SUCCEED();
}

TEST_CASE("T1 a clock without coarse_now drives a breaker") {
  CircuitBreaker breaker{"plain", {.failure_threshold = 1}, LeastClock{}};
  fail(breaker);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.retry_after() == 60s);
}

// SystemClock.

TEST_CASE("T1 SystemClock is stateless and the default") {
  static_assert(std::is_empty_v<SystemClock>);
  static_assert(std::is_trivially_copyable_v<SystemClock>);
  static_assert(std::is_nothrow_default_constructible_v<SystemClock>);
  static_assert(std::is_same_v<CircuitBreaker<>, CircuitBreaker<SystemClock>>);
  SUCCEED();
}

TEST_CASE("T1 SystemClock reads the system's steady and wall clocks") {
  const SystemClock clock;
  const auto steady_before = std::chrono::steady_clock::now();
  const auto steady = clock.now();
  const auto steady_after = std::chrono::steady_clock::now();
  CHECK(steady_before <= steady);
  CHECK(steady <= steady_after);

  const auto wall_before = std::chrono::system_clock::now();
  const auto wall = clock.wall_now();
  const auto wall_after = std::chrono::system_clock::now();
  CHECK(wall_before <= wall);
  CHECK(wall <= wall_after);
}

TEST_CASE("T1 SystemClock's coarse readings go on") {
  const SystemClock clock;
  const auto first = clock.coarse_now();
  clock.sleep_for(50ms);
  CHECK(clock.coarse_now() > first);
}

TEST_CASE("T1 SystemClock's coarse readings never go back and never run ahead of the fine ones") {
  const SystemClock clock;
  SteadyPoint last = clock.coarse_now();
  int went_back = 0;
  int ran_ahead = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto coarse = clock.coarse_now();
    if (coarse < last) ++went_back;
    if (coarse > clock.now()) ++ran_ahead;
    last = coarse;
  }
  CHECK(went_back == 0);
  CHECK(ran_ahead == 0);
}

TEST_CASE("T1 SystemClock sleeps at least as long as it is told, and says that it did") {
  const SystemClock clock;
  std::stop_source nobody_stops;
  const auto before = std::chrono::steady_clock::now();
  CHECK(clock.sleep_for(2ms));
  CHECK(clock.sleep_for(2ms, nobody_stops.get_token()));
  CHECK(std::chrono::steady_clock::now() - before >= 4ms);
}

TEST_CASE("T1 SystemClock does not wait for zero, for what is negative, and for the least duration") {
  const SystemClock clock;
  CHECK(clock.sleep_for(0ns));
  CHECK(clock.sleep_for(-1h));
  CHECK(clock.sleep_for(nanoseconds::min()));
}

TEST_CASE("T1 SystemClock's sleep ends at once where a stop was requested before") {
  std::stop_source source;
  source.request_stop();
  const SystemClock clock;
  CHECK_FALSE(clock.sleep_for(1h, source.get_token()));
  CHECK_FALSE(clock.sleep_for(nanoseconds::max(), source.get_token()));
  CHECK_FALSE(clock.sleep_for(0ns, source.get_token()));
}

TEST_CASE("T1 SystemClock's sleep wakes at once on request_stop, whenever that comes") {
  for (const nanoseconds duration : {nanoseconds{1h}, nanoseconds{240h}, nanoseconds::max()}) {
    int ended_early = 0;
    for (int round = 0; round < 50; ++round) {
      std::stop_source source;
      std::atomic<bool> slept_on{true};
      support::run_together(2, [&](int i) {
        if (i == 0) {
          slept_on = SystemClock{}.sleep_for(duration, source.get_token());
        } else {
          source.request_stop();
        }
      });
      if (!slept_on) ++ended_early;
    }
    CHECK(ended_early == 50);
  }
}

TEST_CASE("T1 one request_stop wakes every sleeper of SystemClock, also when it comes during the sleep") {
  constexpr int sleepers = 4;
  std::stop_source source;
  std::atomic<int> ended_early{0};
  support::run_together(sleepers + 1, [&](int i) {
    if (i == sleepers) {
      SystemClock{}.sleep_for(20ms);  // by now the others sleep
      source.request_stop();
    } else if (!SystemClock{}.sleep_for(1h, source.get_token())) {
      ++ended_early;
    }
  });
  CHECK(ended_early == sleepers);
}

TEST_CASE("T1 a sleep without a stop is not ended by that of another token") {
  std::stop_source mine;
  std::stop_source other;
  other.request_stop();
  CHECK(SystemClock{}.sleep_for(1ms, mine.get_token()));
}

// What a breaker makes of coarse_now().

TEST_CASE("T1 a breaker's waits of 1 s and more go by the coarse clock, shorter ones by the fine one") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(3ms);  // the coarse reading is 3 ms behind

  SECTION("1 s") {
    CircuitBreaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s}, clock};
    fail(breaker);
    clock.advance(997ms - 1ns);
    CHECK_FALSE(admits(breaker));
    CHECK(breaker.retry_after() == 4ms);
    clock.advance(1ns);
    CHECK(admits(breaker));
  }
  SECTION("just below 1 s") {
    CircuitBreaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s - 1ns}, clock};
    fail(breaker);
    clock.advance(1s - 2ns);
    CHECK_FALSE(admits(breaker));
    CHECK(breaker.retry_after() == 1ns);
    clock.advance(1ns);
    CHECK(admits(breaker));
  }
}

TEST_CASE("T1 a breaker's windows of 1 s and more go by the coarse clock, shorter ones by the fine one") {
  test::FakeClock clock;
  clock.set_coarse_tick(40ms);
  const auto start = clock.now();
  const auto breaker_with = [&](nanoseconds window) {
    return CircuitBreaker<test::FakeClock>{
        "b",
        {.failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = within(window)}},
        clock};
  };
  const auto rate_at = [&](const auto& breaker, nanoseconds time) {
    clock.advance(start + time - clock.now());
    return breaker.stats().failure_rate;
  };

  SECTION("1 s: recorded at 80 ms of the coarse clock, in the bucket that begins at 0 ms") {
    auto breaker = breaker_with(1s);
    clock.advance(110ms);
    fail(breaker);
    breaker.try_acquire().success();
    CHECK(rate_at(breaker, 1000ms - 1ns) == 0.5);
    CHECK(rate_at(breaker, 1000ms) == 0.0);
  }
  SECTION("900 ms: recorded at 95 ms, in the bucket that begins at 90 ms") {
    auto breaker = breaker_with(900ms);
    clock.advance(95ms);
    fail(breaker);
    breaker.try_acquire().success();
    CHECK(rate_at(breaker, 990ms - 1ns) == 0.5);
    CHECK(rate_at(breaker, 990ms) == 0.0);
  }
}

TEST_CASE("T1 a breaker's stamps are coarse readings") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  const auto start = clock.wall_now();
  CircuitBreaker breaker{"b", {}, clock};
  clock.advance(3ms);
  fail(breaker);
  breaker.try_acquire().success();
  CHECK(breaker.stats().last_failure_time == start + 3ms);
  CHECK(breaker.stats().last_success_time == start + 3ms);
  clock.advance(1ms);
  CHECK(breaker.stats().last_failure_time == start);
  CHECK(breaker.stats().last_success_time == start);
}

TEST_CASE("T1 coarse and fine readings never meet in one subtraction") {
  // The two timelines are far apart, so that a mixture would show in any wait, window or stamp.
  const nanoseconds coarse = GENERATE(values<nanoseconds>({1ns, 50'000h}));
  const HandClock clock = hand_clock(25'000h, coarse);
  CAPTURE(coarse.count());

  SECTION("waits for a probe and for a silent one") {
    const nanoseconds reset_timeout = GENERATE(values<nanoseconds>({10ms, 999ms, 1s, 60s}));
    const nanoseconds probe_timeout = GENERATE(values<nanoseconds>({0s, 5ms, 2s}));
    CAPTURE(reset_timeout.count(), probe_timeout.count());
    CircuitBreaker breaker{
        "b", {.failure_threshold = 1, .reset_timeout = reset_timeout, .probe_timeout = probe_timeout}, clock};
    fail(breaker);
    CHECK(breaker.retry_after() == reset_timeout);
    clock.advance(reset_timeout - 1ns);
    CHECK_FALSE(admits(breaker));
    CHECK(breaker.retry_after() == 1ns);
    CHECK(breaker.stats().retry_after == 1ns);
    clock.advance(1ns);
    const Permit silent = breaker.try_acquire();
    REQUIRE(silent);
    clock.advance((probe_timeout > 0s ? probe_timeout : reset_timeout) - 1ns);
    CHECK_FALSE(admits(breaker));
    clock.advance(1ns);
    CHECK(admits(breaker));
  }

  SECTION("windows") {
    const nanoseconds window = GENERATE(values<nanoseconds>({100ms, 10s}));
    CAPTURE(window.count());
    CircuitBreaker breaker{
        "b",
        {.failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = within(window)}},
        clock};
    fail(breaker);
    breaker.try_acquire().success();
    CHECK(breaker.stats().failure_rate == 0.5);
    clock.advance(window * 9 / 10 - 1ns);
    CHECK(breaker.stats().failure_rate == 0.5);
    clock.advance(window / 5);
    CHECK(breaker.stats().failure_rate == 0.0);
  }

  SECTION("stamps") {
    CircuitBreaker breaker{"b", {}, clock};
    const auto at = clock.wall_now();
    fail(breaker);
    breaker.try_acquire().success();
    clock.advance(90min);
    CHECK(breaker.stats().last_failure_time == at);
    CHECK(breaker.stats().last_success_time == at);
  }

  SECTION("slow and late calls") {
    CircuitBreaker breaker{"b", {.slow_calls = SlowCalls{.slower_than = 2s}}, clock};
    breaker.execute([&] { clock.advance(2s); }, CallOptions{.timeout = 2s});
    CHECK(breaker.stats().slow_count == 0);
    CHECK(breaker.stats().success_count == 1);
    breaker.execute([&] { clock.advance(2s + 1ns); }, CallOptions{.timeout = 2s});
    CHECK(breaker.stats().slow_count == 1);
    CHECK(breaker.stats().failure_count == 1);
  }
}

TEST_CASE("T1 elapsed time saturates at 0 where a clock goes back") {
  const HandClock clock = hand_clock(1h, 1000h);

  SECTION("a call is neither slow nor late") {
    CircuitBreaker breaker{"b", {.slow_calls = SlowCalls{.slower_than = 1ms}}, clock};
    breaker.execute([&] { clock.readings().fine -= 10min; }, CallOptions{.timeout = 1ms});
    CHECK(breaker.stats().slow_count == 0);
    CHECK(breaker.stats().failure_count == 0);
    CHECK(breaker.stats().success_count == 1);
  }
  SECTION("a stamp of the future is shown as now") {
    CircuitBreaker breaker{"b", {}, clock};
    fail(breaker);
    breaker.try_acquire().success();
    clock.readings().coarse -= 10min;
    CHECK(breaker.stats().last_failure_time == clock.wall_now());
    CHECK(breaker.stats().last_success_time == clock.wall_now());
  }
}

// Deadline.

TEST_CASE("T5 a Deadline is never by default") {
  static_assert(Deadline{}.is_never());
  static_assert(Deadline::never().is_never());
  static_assert(Deadline{} == Deadline::never());
  static_assert(std::is_nothrow_default_constructible_v<Deadline>);
  const test::FakeClock clock;
  CHECK(Deadline::never().remaining(clock) == no_timeout);
  CHECK_FALSE(Deadline::never().expired(clock));
  CHECK(Deadline::never().time() == SteadyPoint::max());
}

TEST_CASE("T5 Deadline::at is a point on the steady timeline") {
  constexpr SteadyPoint point{90s};
  static_assert(Deadline::at(point).time() == point);
  static_assert(Deadline::at(point) == Deadline{point});
  static_assert(Deadline::at(point) != Deadline::at(point + 1ns));
  static_assert(!Deadline::at(point).is_never());
  static_assert(Deadline::at(SteadyPoint::max()).is_never());
  static_assert(!Deadline::at(SteadyPoint::max() - 1ns).is_never());
  static_assert(!std::is_convertible_v<SteadyPoint, Deadline>);
  SUCCEED();
}

TEST_CASE("T5 Deadline::after counts from the clock's now") {
  const test::FakeClock clock;
  clock.advance(17s);
  const auto deadline = Deadline::after(5s, clock);
  CHECK(deadline.time() == clock.now() + 5s);
  CHECK_FALSE(deadline.is_never());
  CHECK(Deadline::after(0s, clock).time() == clock.now());
}

TEST_CASE("T5 remaining and expired: just before, at and after the deadline") {
  const test::FakeClock clock;
  const auto deadline = Deadline::after(5s, clock);
  CHECK(deadline.remaining(clock) == 5s);
  CHECK_FALSE(deadline.expired(clock));
  clock.advance(5s - 1ns);
  CHECK(deadline.remaining(clock) == 1ns);
  CHECK_FALSE(deadline.expired(clock));
  clock.advance(1ns);
  CHECK(deadline.remaining(clock) == 0ns);
  CHECK(deadline.expired(clock));
  clock.advance(1000h);
  CHECK(deadline.remaining(clock) == 0ns);
  CHECK(deadline.expired(clock));
}

TEST_CASE("T5 a timeout of zero or less has expired at once") {
  const test::FakeClock clock;
  for (const nanoseconds timeout :
       {nanoseconds{0ns}, nanoseconds{-1ns}, nanoseconds{-24h}, nanoseconds::min()}) {
    CAPTURE(timeout.count());
    const auto deadline = Deadline::after(timeout, clock);
    CHECK(deadline.expired(clock));
    CHECK(deadline.remaining(clock) == 0ns);
  }
}

TEST_CASE("T5 Deadline::after no_timeout, or beyond the timeline's end, is never") {
  const test::FakeClock clock;
  CHECK(Deadline::after(no_timeout, clock).is_never());
  CHECK(Deadline::after(nanoseconds::max() - 1ns, clock).is_never());
  const nanoseconds left = SteadyPoint::max() - clock.now();
  CHECK(Deadline::after(left, clock).is_never());
  CHECK_FALSE(Deadline::after(left - 1ns, clock).is_never());
  CHECK(Deadline::after(left - 1ns, clock).remaining(clock) == left - 1ns);

  const HandClock before_zero = hand_clock(-1h, 0s);
  CHECK(Deadline::after(no_timeout, before_zero).is_never());
  CHECK_FALSE(Deadline::after(no_timeout - 1ns, before_zero).is_never());
}

TEST_CASE("T5 Deadline's arithmetic saturates on both sides") {
  const HandClock before_zero = hand_clock(-1h, 0s);
  CHECK(Deadline::after(nanoseconds::min(), before_zero).time() == SteadyPoint::min());
  CHECK(Deadline::at(SteadyPoint::max() - 1ns).remaining(before_zero) == nanoseconds::max());
  CHECK(Deadline::at(SteadyPoint::min()).remaining(before_zero) == 0ns);
  const HandClock at_the_end = hand_clock(nanoseconds::max(), 0s);
  CHECK(Deadline::at(SteadyPoint::min()).remaining(at_the_end) == 0ns);
  CHECK(Deadline::never().remaining(at_the_end) == no_timeout);
  CHECK_FALSE(Deadline::never().expired(at_the_end));
}

TEST_CASE("T5 Deadline looks at the steady timeline only") {
  const HandClock clock = hand_clock(1h, 1000h);
  const auto deadline = Deadline::after(5s, clock);
  clock.readings().wall += 100h;
  clock.readings().coarse += 100h;
  CHECK(deadline.remaining(clock) == 5s);
  clock.readings().fine += 5s;
  CHECK(deadline.expired(clock));
}

TEST_CASE("T5 without a clock Deadline asks SystemClock") {
  test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  const auto deadline = Deadline::after(5s);
  CHECK(deadline.time() == clock.now() + 5s);
  clock.advance(2s);
  CHECK(deadline.remaining() == 3s);
  CHECK_FALSE(deadline.expired());
  clock.advance(3s);
  CHECK(deadline.remaining() == 0s);
  CHECK(deadline.expired());
}

TEST_CASE("T5 earliest gives the earlier of two deadlines, found by ADL and by its full name") {
  constexpr auto soon = Deadline::at(SteadyPoint{1s});
  constexpr auto later = Deadline::at(SteadyPoint{1s + 1ns});
  static_assert(elsewhere::earlier_of(soon, later) == soon);
  static_assert(elsewhere::earlier_of(later, soon) == soon);
  static_assert(fusebox::earliest(soon, later) == soon);
  static_assert(fusebox::earliest(later, soon) == soon);
  static_assert(fusebox::earliest(soon, soon) == soon);
  static_assert(noexcept(earliest(soon, later)));
  SUCCEED();
}

TEST_CASE("T5 never is later than every other deadline") {
  constexpr auto some = Deadline::at(SteadyPoint::max() - 1ns);
  static_assert(earliest(Deadline::never(), some) == some);
  static_assert(earliest(some, Deadline::never()) == some);
  static_assert(earliest(Deadline::never(), Deadline::never()).is_never());
  SUCCEED();
}
