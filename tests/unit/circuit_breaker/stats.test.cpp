#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::fail;
using support::succeed;
using support::trip;
using support::trip_and_wait;

namespace {

bool at_least(const CircuitBreakerStats& later, const CircuitBreakerStats& earlier) {
  return later.failure_count >= earlier.failure_count && later.success_count >= earlier.success_count &&
         later.ignored_count >= earlier.ignored_count && later.rejected_count >= earlier.rejected_count &&
         later.slow_count >= earlier.slow_count && later.opened_count >= earlier.opened_count;
}

}  // namespace

TEST_CASE("B13 the stats of a new breaker are zero or absent, as default-made ones are", "[B13]") {
  const CircuitBreakerStats stats = GENERATE(Breaker{"b"}.stats(), CircuitBreakerStats{});
  CHECK(stats.state == State::closed);
  CHECK(stats.failure_count == 0);
  CHECK(stats.success_count == 0);
  CHECK(stats.ignored_count == 0);
  CHECK(stats.rejected_count == 0);
  CHECK(stats.slow_count == 0);
  CHECK(stats.opened_count == 0);
  CHECK(stats.consecutive_failures == 0);
  CHECK(stats.failure_rate == 0.0);
  CHECK_FALSE(stats.last_failure_time);
  CHECK_FALSE(stats.last_success_time);
  CHECK(stats.retry_after == 0ns);
}

TEST_CASE("B13 each kind of call has its count", "[B13]") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  for (int i = 0; i < 5; ++i) succeed(breaker);
  for (int i = 0; i < 4; ++i) fail(breaker);
  for (int i = 0; i < 3; ++i) breaker.try_acquire().ignore();
  breaker.force_open();
  for (int i = 0; i < 2; ++i) (void)breaker.try_acquire();
  const auto stats = breaker.stats();
  CHECK(stats.success_count == 5);
  CHECK(stats.failure_count == 4);
  CHECK(stats.ignored_count == 3);
  CHECK(stats.rejected_count == 2);
}

TEST_CASE("B13 probes are counted like any call", "[B13]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3, .half_open_max_calls = 2}};
  trip_and_wait(breaker);
  succeed(breaker);
  breaker.try_acquire().ignore();
  fail(breaker);
  const auto stats = breaker.stats();
  CHECK(stats.success_count == 1);
  CHECK(stats.ignored_count == 1);
  CHECK(stats.failure_count == 2);
}

TEST_CASE("B13 each count only grows, through openings and closings, until reset()", "[B13]") {
  test::FakeClock clock;
  Breaker breaker{"b",
                  {.failure_threshold = 2,
                   .success_threshold = 1,
                   .reset_timeout = 10s,
                   .slow_calls = SlowCalls{.slower_than = 1s, .minimum_calls = 1, .window = last_calls(1)}},
                  clock};
  auto before = breaker.stats();
  const auto check = [&] {
    const auto now = breaker.stats();
    CHECK(at_least(now, before));
    before = now;
  };
  for (int round = 0; round < 5; ++round) {
    succeed(breaker);
    check();
    trip(breaker);
    check();
    (void)breaker.try_acquire();
    check();
    clock.advance(10s);
    breaker.try_acquire().ignore();
    check();
    fail(breaker);
    check();
    clock.advance(10s);
    succeed(breaker);
    check();
    breaker.execute([&] { clock.advance(2s); });
    check();
    clock.advance(10s);
    succeed(breaker);
    check();
    breaker.disable();
    check();
    fail(breaker);
    check();
    breaker.force_open();
    check();
    breaker.reset();
    before = {};
  }
}

TEST_CASE("B13 opened_count counts openings by the rules: first ones and re-openings, not forced ones",
          "[B13]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip(breaker);
  CHECK(breaker.stats().opened_count == 1);
  breaker.clock().advance(breaker.retry_after());
  fail(breaker);
  CHECK(breaker.stats().opened_count == 2);
  breaker.clock().advance(breaker.retry_after());
  succeed(breaker);
  trip(breaker);
  CHECK(breaker.stats().opened_count == 3);
  breaker.force_open();
  CHECK(breaker.stats().opened_count == 3);
  breaker.disable();
  breaker.force_open();
  CHECK(breaker.stats().opened_count == 3);
  breaker.reset();
  CHECK(breaker.stats().opened_count == 0);
  trip(breaker);
  CHECK(breaker.stats().opened_count == 1);
}

TEST_CASE("B13 retry_after is the time until a probe may pass while open, otherwise 0", "[B13]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 30s}, clock};
  trip(breaker);
  CHECK(breaker.stats().retry_after == 30s);
  clock.advance(29s);
  CHECK(breaker.stats().retry_after == 1s);
  CHECK(breaker.retry_after() == 1s);
  clock.advance(1s);
  CHECK(breaker.stats().retry_after == 0s);
  clock.advance(1h);
  CHECK(breaker.stats().retry_after == 0s);
  const Permit probe = breaker.try_acquire();
  CHECK(breaker.stats().retry_after == 0s);
  CHECK(breaker.retry_after() == 0s);
  breaker.force_open();
  CHECK(breaker.stats().retry_after == 0s);
  CHECK(breaker.retry_after() == 0s);
}

TEST_CASE("B13 consecutive_failures is the run", "[B13]") {
  Breaker breaker{"b", {.failure_threshold = 3, .success_threshold = 2}};
  fail(breaker);
  CHECK(breaker.stats().consecutive_failures == 1);
  succeed(breaker);
  CHECK(breaker.stats().consecutive_failures == 0);
  fail(breaker);
  fail(breaker);
  CHECK(breaker.stats().consecutive_failures == 2);
  fail(breaker);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 3);
  (void)breaker.try_acquire();
  CHECK(breaker.stats().consecutive_failures == 3);

  breaker.clock().advance(breaker.retry_after());
  CHECK(breaker.stats().consecutive_failures == 3);
  succeed(breaker);
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.stats().consecutive_failures == 0);
  fail(breaker);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 1);

  breaker.clock().advance(breaker.retry_after());
  succeed(breaker);
  succeed(breaker);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().consecutive_failures == 0);
}

TEST_CASE("B13 after an opening by a rate, consecutive_failures is the run at that moment", "[B13]") {
  Breaker breaker{
      "b",
      {.failure_threshold = 0,
       .failure_rate = FailureRate{.threshold = 0.5, .minimum_calls = 6, .window = last_calls(6)}}};
  for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::failure, Outcome::success,
                                Outcome::failure, Outcome::failure}) {
    breaker.try_acquire().report(outcome);
  }
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 2);
}

TEST_CASE("B13 consecutive_failures is 1 after a slow probe, as after a failed one", "[B13]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 3, .slow_calls = SlowCalls{.slower_than = 1s}}, clock};
  trip_and_wait(breaker);
  breaker.execute([&] { clock.advance(2s); });
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 1);
}

TEST_CASE("B13 without a rule failure_rate is failures over failures and successes, or 0", "[B13]") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  breaker.try_acquire().ignore();
  CHECK(breaker.stats().failure_rate == 0.0);
  fail(breaker);
  CHECK(breaker.stats().failure_rate == 1.0);
  for (int i = 0; i < 3; ++i) succeed(breaker);
  CHECK(breaker.stats().failure_rate == 0.25);
  for (int i = 0; i < 10; ++i) breaker.try_acquire().ignore();
  CHECK(breaker.stats().failure_rate == 0.25);
  breaker.force_open();
  for (int i = 0; i < 10; ++i) (void)breaker.try_acquire();
  CHECK(breaker.stats().failure_rate == 0.25);
  breaker.reset();
  CHECK(breaker.stats().failure_rate == 0.0);
}

TEST_CASE("B13 with slow_calls alone failure_rate is computed from the totals", "[B13]") {
  Breaker breaker{
      "b", {.failure_threshold = 0, .slow_calls = SlowCalls{.minimum_calls = 1, .window = last_calls(1)}}};
  fail(breaker);
  succeed(breaker);
  CHECK(breaker.stats().failure_rate == 0.5);
}

TEST_CASE("B13 with a failure_rate rule failure_rate is that of its window", "[B13]") {
  Breaker breaker{
      "b",
      {.failure_threshold = 0,
       .success_threshold = 1,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = last_calls(4)}}};
  succeed(breaker);
  CHECK(breaker.stats().failure_rate == 0.0);
  fail(breaker);
  CHECK(breaker.stats().failure_rate == 0.5);
  for (int i = 0; i < 2; ++i) fail(breaker);
  CHECK(breaker.stats().failure_rate == 0.75);
  fail(breaker);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().failure_rate == 1.0);
  breaker.clock().advance(breaker.retry_after());
  succeed(breaker);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_rate == 0.0);
}

TEST_CASE("B3 B13 calls of a disabled breaker enter no window", "[B3][B13]") {
  const auto window = GENERATE(last_calls(4), within(10s));
  Breaker breaker{
      "b", {.failure_threshold = 0, .failure_rate = FailureRate{.minimum_calls = 2, .window = window}}};
  succeed(breaker);
  breaker.disable();
  succeed(breaker);
  fail(breaker);
  CHECK(breaker.stats().failure_count == 1);
  CHECK(breaker.stats().failure_rate == 0.0);
  breaker.reset();
  succeed(breaker);
  fail(breaker);
  breaker.disable();
  CHECK(breaker.stats().failure_rate == 0.5);
  succeed(breaker);
  CHECK(breaker.stats().failure_rate == 0.5);
}

TEST_CASE("B13 slow_count counts recorded calls that took longer than slower_than", "[B13]") {
  test::FakeClock clock;
  Breaker breaker{
      "b", {.failure_threshold = 0, .slow_calls = SlowCalls{.slower_than = 2s, .minimum_calls = 100}}, clock};
  const auto call = [&](std::chrono::nanoseconds duration, Outcome outcome) {
    Permit permit = breaker.try_acquire();
    clock.advance(duration);
    permit.report(outcome);
    return breaker.stats().slow_count;
  };
  CHECK(call(2s, Outcome::success) == 0);
  CHECK(call(2s + 1ns, Outcome::success) == 1);
  CHECK(call(2s, Outcome::failure) == 1);
  CHECK(call(2s + 1ns, Outcome::failure) == 2);
  CHECK(call(1h, Outcome::ignored) == 2);
  breaker.execute([&] { clock.advance(3s); });
  CHECK(breaker.stats().slow_count == 3);
  CHECK(breaker.stats().success_count == 3);
  CHECK(breaker.stats().failure_count == 2);
}

TEST_CASE("B13 without slow_calls no call is slow", "[B13]") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  breaker.execute([&] { clock.advance(24h); });
  CHECK(breaker.stats().slow_count == 0);
}

TEST_CASE("B13 the last times are those of the reports, exactly", "[B13]") {
  test::FakeClock clock;
  const auto start = clock.wall_now();
  Breaker breaker{"b", {.failure_threshold = 3}, clock};
  fail(breaker);
  clock.advance(1500ms);
  CHECK(breaker.stats().last_failure_time == start);
  CHECK_FALSE(breaker.stats().last_success_time);

  breaker.execute([&] { clock.advance(500ms); });
  clock.advance(1h);
  CHECK(breaker.stats().last_failure_time == start);
  CHECK(breaker.stats().last_success_time == start + 2s);

  fail(breaker);
  clock.advance(1ns);
  CHECK(breaker.stats().last_failure_time == start + 2s + 1h);
  breaker.try_acquire().ignore();
  breaker.force_open();
  (void)breaker.try_acquire();
  CHECK(breaker.stats().last_failure_time == start + 2s + 1h);
  CHECK(breaker.stats().last_success_time == start + 2s);
  breaker.reset();
  CHECK_FALSE(breaker.stats().last_failure_time);
  CHECK_FALSE(breaker.stats().last_success_time);
}

TEST_CASE("B6 B13 late reports have their times too", "[B6][B13]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  Permit late_success = breaker.try_acquire();
  Permit late_failure = breaker.try_acquire();
  trip(breaker);
  clock.advance(1s);
  const auto reported = clock.wall_now();
  late_success.success();
  late_failure.failure();
  clock.advance(1s);
  CHECK(breaker.stats().last_success_time == reported);
  CHECK(breaker.stats().last_failure_time == reported);
}

TEST_CASE("B13 a last time is as long ago on the wall as on the steady clock when it is first shown",
          "[B13]") {
  for (const auto jump : {1h, -5h, 24h * 365}) {
    test::FakeClock clock;
    const auto start = clock.wall_now();
    Breaker breaker{"b", {}, clock};
    fail(breaker);
    succeed(breaker);
    clock.advance(10s);
    clock.set_wall(start + 10s + jump);
    CHECK(breaker.stats().last_failure_time == start + jump);
    CHECK(breaker.stats().last_success_time == start + jump);
  }
}

TEST_CASE("B13 H7 a last time that was shown stays as it is, whatever the clocks do", "[B13][H7]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(1'234'567ns);
  Breaker breaker{"b", {}, clock};
  fail(breaker);
  clock.advance(7ms);
  succeed(breaker);
  clock.advance(2ms);
  const auto first = breaker.stats();
  REQUIRE(first.last_failure_time < first.last_success_time);
  for (const auto jump : {0h, 1h, -5h, 24h * 365}) {
    clock.set_wall(clock.wall_now() + jump);
    for (int i = 0; i < 20; ++i) {
      clock.advance(i * 1'700us);
      CHECK(breaker.stats().last_failure_time == first.last_failure_time);
      CHECK(breaker.stats().last_success_time == first.last_success_time);
    }
  }
}

TEST_CASE("B13 H7 calls of another kind and transitions move no last time", "[B13][H7]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(3ms);
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  fail(breaker);
  const auto failed = breaker.stats().last_failure_time;
  clock.advance(9ms);
  (void)breaker.try_acquire();
  CHECK(breaker.stats().last_failure_time == failed);
  clock.advance(61s);
  succeed(breaker);
  breaker.try_acquire().ignore();
  CHECK(breaker.stats().last_failure_time == failed);
  const auto succeeded = breaker.stats().last_success_time;
  clock.advance(5ms);
  breaker.disable();
  fail(breaker);
  CHECK(breaker.stats().last_success_time == succeeded);
  CHECK(breaker.stats().last_failure_time > failed);
}

TEST_CASE("B13 H7 after the wall clock was set, only a new report has the new time", "[B13][H7]") {
  test::FakeClock clock;
  const auto start = clock.wall_now();
  Breaker breaker{"b", {}, clock};
  fail(breaker);
  succeed(breaker);
  (void)breaker.stats();
  clock.set_wall(start + 24h);  // and no steady time has passed
  fail(breaker);
  CHECK(breaker.stats().last_failure_time == start + 24h);
  CHECK(breaker.stats().last_success_time == start);
  clock.set_wall(start + 48h);
  breaker.reset();
  CHECK_FALSE(breaker.stats().last_failure_time);
  fail(breaker);
  CHECK(breaker.stats().last_failure_time == start + 48h);
}

TEST_CASE("T1 stamps are coarse readings", "[T1]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  const auto start = clock.wall_now();
  Breaker breaker{"b", {}, clock};
  clock.advance(3ms);
  fail(breaker);
  succeed(breaker);
  CHECK(breaker.stats().last_failure_time == start + 3ms);
  CHECK(breaker.stats().last_success_time == start + 3ms);
  fail(breaker);
  succeed(breaker);
  clock.advance(1ms);
  CHECK(breaker.stats().last_failure_time == start);
  CHECK(breaker.stats().last_success_time == start);
}

TEST_CASE("B20 the counts in the windows say what the rates are made of, also below minimum_calls", "[B20]") {
  test::FakeClock clock;
  const auto both = [](Window failures, Window slow) {
    return CircuitBreakerConfig{
        .failure_threshold = 0,
        .failure_rate = FailureRate{.minimum_calls = 4, .window = failures},
        .slow_calls = SlowCalls{.slower_than = 1s, .minimum_calls = 4, .window = slow}};
  };
  Breaker breaker{"b", both(last_calls(4), last_calls(5)), clock};
  const auto call = [&](std::chrono::nanoseconds duration, Outcome outcome) {
    Permit permit = breaker.try_acquire();
    clock.advance(duration);
    permit.report(outcome);
  };
  CHECK(breaker.stats().window_calls == 0);
  call(0s, Outcome::failure);
  call(2s, Outcome::success);
  call(2s, Outcome::ignored);  // recorded nowhere
  CHECK(breaker.stats().window_calls == 2);
  CHECK(breaker.stats().window_failures == 1);
  CHECK(breaker.stats().window_slow_calls == 1);
  CHECK(breaker.stats().failure_rate == 0);
  for (int i = 0; i < 3; ++i) call(0s, Outcome::success);
  CHECK(breaker.stats().window_calls == 4);       // of failure_rate
  CHECK(breaker.stats().window_failures == 0);    // the fifth last
  CHECK(breaker.stats().window_slow_calls == 1);  // in a window of five
}

TEST_CASE("B20 with slow_calls alone the calls are those of its window, and without a rule there are none",
          "[B20]") {
  test::FakeClock clock;
  Breaker slow{"b", {.slow_calls = SlowCalls{.slower_than = 1s}}, clock};
  Breaker plain{"b", {}, clock};
  for (Breaker* breaker : {&slow, &plain}) {
    breaker->execute([&] { clock.advance(2s); });
    breaker->try_acquire().failure();
  }
  CHECK(slow.stats().window_calls == 2);
  CHECK(slow.stats().window_slow_calls == 1);
  CHECK(slow.stats().window_failures == 0);
  CHECK(plain.stats().window_calls == 0);
  CHECK(plain.stats().window_slow_calls == 0);
}
