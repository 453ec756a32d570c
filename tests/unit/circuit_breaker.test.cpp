#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::admits;
using support::all_states;
using support::Breaker;
using support::bring_to;
using support::trip;
using support::trip_and_wait;

TEST_CASE("7.1 the states' names are closed, open, half-open, forced-open and disabled") {
  CHECK(to_string(State::closed) == "closed");
  CHECK(to_string(State::open) == "open");
  CHECK(to_string(State::half_open) == "half-open");
  CHECK(to_string(State::forced_open) == "forced-open");
  CHECK(to_string(State::disabled) == "disabled");
}

TEST_CASE("7.1 a breaker is neither copied nor moved, and knows its name and its config") {
  static_assert(!std::is_copy_constructible_v<Breaker> && !std::is_move_constructible_v<Breaker>);
  static_assert(!std::is_copy_assignable_v<Breaker> && !std::is_move_assignable_v<Breaker>);
  static_assert(noexcept(std::declval<Breaker&>().try_acquire()));
  static_assert(noexcept(std::declval<const Breaker&>().state()));
  static_assert(noexcept(std::declval<const Breaker&>().retry_after()));
  static_assert(noexcept(std::declval<const Breaker&>().name()));
  static_assert(noexcept(std::declval<const Breaker&>().config()));

  const Breaker breaker{"payments", {.failure_threshold = 3, .reset_timeout = 30s}};
  CHECK(breaker.name() == "payments");
  CHECK(breaker.config() == CircuitBreakerConfig{.failure_threshold = 3, .reset_timeout = 30s});
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.retry_after() == 0ns);
}

TEST_CASE("7.1 without a config or a clock a breaker has the defaults and the system's time") {
  CircuitBreaker breaker{"inventory"};
  static_assert(std::is_same_v<decltype(breaker), CircuitBreaker<SystemClock>>);
  CHECK(breaker.config() == CircuitBreakerConfig{});
  CHECK(breaker.execute([] { return 7; }) == 7);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("7.1 closed: failure_threshold failures in a row open, and not one fewer") {
  for (const int threshold : {1, 2, 5, 1000, 65'535}) {
    CAPTURE(threshold);
    Breaker breaker{"b", {.failure_threshold = threshold}};
    for (int i = 1; i < threshold; ++i) breaker.try_acquire().failure();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("7.1 closed: a failure_threshold of 0 turns the run's rule off") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  for (int i = 0; i < 70'000; ++i) breaker.try_acquire().failure();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_count == 70'000);
  CHECK(breaker.stats().opened_count == 0);
}

TEST_CASE("7.1 closed: a failure rate of the threshold opens, on a recorded failure, from minimum_calls on") {
  const CircuitBreakerConfig config{
      .failure_threshold = 0,
      .failure_rate = FailureRate{.threshold = 0.5, .minimum_calls = 4, .window = last_calls(10)}};
  Breaker breaker{"b", config};

  SECTION("below minimum_calls nothing opens") {
    for (int i = 0; i < 3; ++i) breaker.try_acquire().failure();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
  }
  SECTION("exactly the threshold is enough") {
    for (int i = 0; i < 2; ++i) breaker.try_acquire().success();
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
  }
  SECTION("just below the threshold is not") {
    for (int i = 0; i < 4; ++i) breaker.try_acquire().success();
    for (int i = 0; i < 3; ++i) breaker.try_acquire().failure();
    CHECK(breaker.state() == State::closed);
  }
  SECTION("a success opens nothing, though it completes minimum_calls") {
    for (int i = 0; i < 3; ++i) breaker.try_acquire().failure();
    breaker.try_acquire().success();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().ignore();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("7.1 closed: a rate of slow calls opens, on a slow success too") {
  test::FakeClock clock;
  const CircuitBreakerConfig config{
      .failure_threshold = 0,
      .slow_calls =
          SlowCalls{.slower_than = 2s, .threshold = 0.5, .minimum_calls = 2, .window = last_calls(10)}};
  Breaker breaker{"b", config, clock};
  const auto call = [&](std::chrono::nanoseconds duration, Outcome outcome) {
    Permit permit = breaker.try_acquire();
    clock.advance(duration);
    permit.report(outcome);
  };
  call(1s, Outcome::success);
  SECTION("a slow success") { call(2s + 1ns, Outcome::success); }
  SECTION("a slow failure") { call(2s + 1ns, Outcome::failure); }
  CHECK(breaker.state() == State::open);
}

TEST_CASE(
    "7.1 open: a call that arrives when the wait is over is the first probe, one nanosecond before it is "
    "not") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 30s}, clock};
  clock.advance(12'345ns);
  trip(breaker);
  CHECK(breaker.retry_after() == 30s);
  clock.advance(30s - 1ns);
  CHECK(breaker.retry_after() == 1ns);

  SECTION("by try_acquire") {
    CHECK_FALSE(breaker.try_acquire());
    CHECK(breaker.state() == State::open);
    clock.advance(1ns);
    const Permit probe = breaker.try_acquire();
    CHECK(probe);
    CHECK(breaker.state() == State::half_open);
  }
  SECTION("by execute") {
    CHECK(breaker.execute([] { return "op"; }, [] { return "fallback"; }) == std::string{"fallback"});
    CHECK(breaker.state() == State::open);
    clock.advance(1ns);
    State seen{};
    CHECK(breaker.execute([&] { return seen = breaker.state(), "op"; }, [] { return "fallback"; }) ==
          std::string{"op"});
    CHECK(seen == State::half_open);
  }
}

TEST_CASE("7.1 open: long after the wait the next call is the first probe") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  trip(breaker);
  clock.advance(24h * 365 * 200);
  CHECK(breaker.execute([&] { return breaker.state(); }) == State::half_open);
}

TEST_CASE("7.1 state() observes only: no call, no probe") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 30s}, clock};
  trip(breaker);
  clock.advance(1h);
  for (int i = 0; i < 3; ++i) {
    CHECK(breaker.state() == State::open);
    CHECK(breaker.retry_after() == 0ns);
    CHECK(breaker.stats().state == State::open);
    CHECK(breaker.stats().retry_after == 0ns);
  }
  CHECK(breaker.stats().rejected_count == 0);
}

TEST_CASE("7.1 half-open: success_threshold successful probes close, and not one fewer") {
  for (const int threshold : {1, 2, 5}) {
    CAPTURE(threshold);
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = threshold}};
    trip_and_wait(breaker);
    for (int i = 1; i < threshold; ++i) breaker.try_acquire().success();
    CHECK(breaker.state() == (threshold == 1 ? State::open : State::half_open));
    breaker.try_acquire().success();
    CHECK(breaker.state() == State::closed);
  }
}

TEST_CASE("7.1 half-open: only the successes of this period count towards closing") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3}};
  trip_and_wait(breaker);
  breaker.try_acquire().success();
  breaker.try_acquire().success();
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
  breaker.clock().advance(breaker.retry_after());
  breaker.try_acquire().success();
  breaker.try_acquire().success();
  CHECK(breaker.state() == State::half_open);
  breaker.try_acquire().success();
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("7.1 half-open: ignored probes do not come between successful ones") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2}};
  trip_and_wait(breaker);
  breaker.try_acquire().success();
  for (int i = 0; i < 10; ++i) breaker.try_acquire().ignore();
  CHECK(breaker.state() == State::half_open);
  breaker.try_acquire().success();
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("7.1 half-open: closing starts runs, windows and escalation anew") {
  test::FakeClock clock;
  Breaker breaker{"b",
                  {.failure_threshold = 3,
                   .success_threshold = 1,
                   .reset_timeout = 10s,
                   .reset_backoff = 2.0,
                   .failure_rate = FailureRate{.threshold = 0.6, .minimum_calls = 5}},
                  clock};
  trip_and_wait(breaker);
  breaker.try_acquire().failure();
  CHECK(breaker.retry_after() == 20s);
  clock.advance(20s);
  breaker.try_acquire().success();
  REQUIRE(breaker.state() == State::closed);
  CHECK(breaker.stats().consecutive_failures == 0);
  CHECK(breaker.stats().failure_rate == 0.0);

  SECTION("the run") {
    breaker.try_acquire().failure();
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
    CHECK(breaker.retry_after() == 10s);
  }
  SECTION("the window: three failures before the opening are not in it") {
    breaker.try_acquire().failure();
    breaker.try_acquire().success();
    breaker.try_acquire().failure();
    breaker.try_acquire().success();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().failure_rate == 0.6);
  }
}

TEST_CASE("7.1 half-open: a failed probe opens, and the wait starts anew at its failure") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 5, .reset_timeout = 30s, .reset_backoff = 3.0}, clock};
  trip_and_wait(breaker);
  Permit probe = breaker.try_acquire();
  clock.advance(7s);
  probe.failure();
  CHECK(breaker.state() == State::open);
  CHECK(breaker.retry_after() == 90s);
  clock.advance(90s - 1ns);
  CHECK_FALSE(breaker.try_acquire());
  clock.advance(1ns);
  CHECK(breaker.try_acquire());
}

TEST_CASE("7.1 any: force_open() rejects until reset(), however much time passes") {
  for (const State from : all_states) {
    CAPTURE(to_string(from));
    test::FakeClock clock;
    Breaker breaker{"b", {.failure_threshold = 2, .reset_timeout = 1s}, clock};
    bring_to(breaker, from);
    Permit earlier = from == State::half_open ? breaker.try_acquire() : Permit{};
    breaker.force_open();
    CHECK(breaker.state() == State::forced_open);
    earlier.success();
    breaker.force_open();
    for (int i = 0; i < 3; ++i) {
      CHECK_FALSE(breaker.try_acquire());
      CHECK_THROWS_AS(breaker.execute([] {}), CircuitOpenError);
      clock.advance(24h * 365);
    }
    CHECK(breaker.state() == State::forced_open);
    breaker.reset();
    CHECK(breaker.state() == State::closed);
    CHECK(admits(breaker));
  }
}

TEST_CASE("7.1 any: disable() admits all, counts, and never trips until reset()") {
  for (const State from : all_states) {
    CAPTURE(to_string(from));
    test::FakeClock clock;
    Breaker breaker{
        "b",
        {.failure_threshold = 2,
         .failure_rate = FailureRate{.threshold = 0.1, .minimum_calls = 1, .window = last_calls(5)}},
        clock};
    bring_to(breaker, from);
    breaker.disable();
    breaker.disable();
    CHECK(breaker.state() == State::disabled);
    const auto before = breaker.stats();
    for (int i = 0; i < 10; ++i) breaker.try_acquire().failure();
    for (int i = 0; i < 3; ++i) breaker.execute([] {});
    breaker.try_acquire().ignore();
    clock.advance(24h);
    CHECK(admits(breaker));
    const auto after = breaker.stats();
    CHECK(after.state == State::disabled);
    CHECK(after.failure_count - before.failure_count == 10);
    CHECK(after.success_count - before.success_count == 3);
    CHECK(after.ignored_count - before.ignored_count == 2);
    CHECK(after.rejected_count == before.rejected_count);
    CHECK(after.opened_count == before.opened_count);
    CHECK(after.retry_after == 0ns);
    breaker.reset();
    CHECK(breaker.state() == State::closed);
    trip(breaker);
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("7.1 any: a slow call does not trip a disabled breaker, though it is counted") {
  test::FakeClock clock;
  Breaker breaker{
      "b", {.slow_calls = SlowCalls{.slower_than = 1s, .threshold = 0.1, .minimum_calls = 1}}, clock};
  breaker.disable();
  breaker.execute([&] { clock.advance(5s); });
  CHECK(breaker.state() == State::disabled);
  CHECK(breaker.stats().slow_count == 1);
}

TEST_CASE("7.1 any: reset() closes, with all counts zero") {
  for (const State from : all_states) {
    CAPTURE(to_string(from));
    Breaker breaker{"b", {.failure_threshold = 2}};
    breaker.try_acquire().success();
    breaker.try_acquire().failure();
    breaker.try_acquire().ignore();
    breaker.try_acquire().success();
    bring_to(breaker, from);
    (void)admits(breaker);
    breaker.reset();
    const auto stats = breaker.stats();
    CHECK(stats.state == State::closed);
    CHECK(stats.failure_count == 0);
    CHECK(stats.success_count == 0);
    CHECK(stats.ignored_count == 0);
    CHECK(stats.rejected_count == 0);
    CHECK(stats.opened_count == 0);
    CHECK(stats.consecutive_failures == 0);
    CHECK(stats.failure_rate == 0.0);
    CHECK_FALSE(stats.last_failure_time);
    CHECK_FALSE(stats.last_success_time);
    CHECK(stats.retry_after == 0ns);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("7.1 any: reset() of a closed breaker ends its run and empties its windows") {
  Breaker breaker{
      "b",
      {.failure_threshold = 3,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 3, .window = last_calls(3)}}};
  breaker.try_acquire().failure();
  breaker.try_acquire().failure();
  breaker.reset();
  breaker.try_acquire().failure();
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::closed);
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B2 a success in closed ends the run of failures") {
  Breaker breaker{"b", {.failure_threshold = 3}};
  for (int round = 0; round < 20; ++round) {
    breaker.try_acquire().failure();
    breaker.try_acquire().failure();
    CHECK(breaker.stats().consecutive_failures == 2);
    breaker.try_acquire().success();
    CHECK(breaker.stats().consecutive_failures == 0);
  }
  CHECK(breaker.state() == State::closed);
  trip(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B2 an ignored call changes nothing but its count") {
  Breaker breaker{
      "b",
      {.failure_threshold = 3,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = last_calls(9)}}};
  breaker.try_acquire().success();
  breaker.try_acquire().failure();
  breaker.try_acquire().failure();
  const auto before = breaker.stats();
  breaker.clock().advance(1s);
  for (int i = 0; i < 50; ++i) breaker.try_acquire().ignore();
  const auto after = breaker.stats();
  CHECK(after.ignored_count == 50);
  CHECK(after.consecutive_failures == 2);
  CHECK(after.failure_count == before.failure_count);
  CHECK(after.success_count == before.success_count);
  CHECK(after.failure_rate == before.failure_rate);
  CHECK(after.last_failure_time == before.last_failure_time);
  CHECK(after.last_success_time == before.last_success_time);
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B2 an ignored probe gives its slot back and moves nothing") {
  Breaker breaker{"b", {.failure_threshold = 1, .half_open_max_calls = 2}};
  trip_and_wait(breaker);
  Permit first = breaker.try_acquire();
  Permit second = breaker.try_acquire();
  CHECK(second);
  CHECK_FALSE(breaker.try_acquire());
  second.ignore();
  CHECK(breaker.state() == State::half_open);
  const Permit third = breaker.try_acquire();
  CHECK(third);
  CHECK_FALSE(breaker.try_acquire());
  first.ignore();
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.stats().ignored_count == 2);
}

TEST_CASE("B6 a late report counts in the totals and moves nothing") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 2, .success_threshold = 2, .reset_timeout = 10s}, clock};

  SECTION("a late failure while open does not extend the wait") {
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
  SECTION("a late success while open does not close") {
    Permit late = breaker.try_acquire();
    trip(breaker);
    late.success();
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().success_count == 1);
    CHECK(breaker.stats().consecutive_failures == 2);
  }
  SECTION("a late ignored call is counted as such") {
    Permit late = breaker.try_acquire();
    trip(breaker);
    late.ignore();
    CHECK(breaker.stats().ignored_count == 1);
  }
  SECTION("late reports in half-open are no probes") {
    std::vector<Permit> late;
    for (int i = 0; i < 6; ++i) late.push_back(breaker.try_acquire());
    trip_and_wait(breaker);
    const Permit probe = breaker.try_acquire();
    late[0].success();
    late[1].success();
    CHECK(breaker.state() == State::half_open);
    late[2].failure();
    late[3].failure();
    CHECK(breaker.state() == State::half_open);
    late[4].ignore();
    CHECK_FALSE(breaker.try_acquire());
    CHECK(breaker.stats().success_count == 2);
    CHECK(breaker.stats().failure_count == 4);
  }
  SECTION("late reports in a later closed period neither lengthen nor end its run") {
    Permit late_failure = breaker.try_acquire();
    Permit late_success = breaker.try_acquire();
    trip_and_wait(breaker);
    breaker.try_acquire().success();
    breaker.try_acquire().success();
    REQUIRE(breaker.state() == State::closed);
    breaker.try_acquire().failure();
    late_failure.failure();
    CHECK(breaker.state() == State::closed);
    CHECK(breaker.stats().consecutive_failures == 1);
    late_success.success();
    CHECK(breaker.stats().consecutive_failures == 1);
    breaker.try_acquire().failure();
    CHECK(breaker.state() == State::open);
  }
  SECTION("a probe of an earlier half-open period neither moves the later one nor frees its slot") {
    for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) {
      Breaker two{"b", {.failure_threshold = 1, .success_threshold = 1, .half_open_max_calls = 2}, clock};
      trip_and_wait(two);
      Permit late = two.try_acquire();
      two.try_acquire().failure();
      clock.advance(two.retry_after());
      const Permit probes[] = {two.try_acquire(), two.try_acquire()};
      REQUIRE(probes[1]);
      late.report(outcome);
      CHECK(two.state() == State::half_open);
      CHECK_FALSE(two.try_acquire());
    }
  }
  SECTION("late reports move neither a forced nor a disabled breaker, but count") {
    for (const State state : {State::forced_open, State::disabled}) {
      Permit late[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire()};
      bring_to(breaker, state);
      late[0].success();
      late[1].failure();
      late[2].failure();
      CHECK(breaker.state() == state);
      CHECK(breaker.stats().success_count == 1);
      CHECK(breaker.stats().failure_count == 2);
      CHECK(breaker.stats().consecutive_failures == 0);
      breaker.reset();
    }
  }
}

TEST_CASE("B6 a late slow call is counted as slow") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .slow_calls = SlowCalls{.slower_than = 1s}}, clock};
  Permit late = breaker.try_acquire();
  trip(breaker);
  clock.advance(1s + 1ns);
  late.success();
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().slow_count == 1);
}

TEST_CASE("B6 a report from before reset() does not count at all") {
  for (const State state : {State::closed, State::half_open, State::disabled}) {
    for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) {
      CAPTURE(to_string(state), to_string(outcome));
      Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
      bring_to(breaker, state);
      Permit late = breaker.try_acquire();
      REQUIRE(late);
      breaker.reset();
      late.report(outcome);
      const auto stats = breaker.stats();
      CHECK(stats.state == State::closed);
      CHECK(stats.success_count == 0);
      CHECK(stats.failure_count == 0);
      CHECK(stats.ignored_count == 0);
      CHECK(stats.consecutive_failures == 0);
      CHECK_FALSE(stats.last_success_time);
      CHECK_FALSE(stats.last_failure_time);
    }
  }
}

TEST_CASE("B6 a report from before reset() does not count in later periods either") {
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
