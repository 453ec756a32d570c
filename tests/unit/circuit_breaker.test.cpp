#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>
#include <type_traits>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::admits;
using support::all_states;
using support::Breaker;
using support::bring_to;
using support::fail;
using support::succeed;
using support::trip;
using support::trip_and_wait;

TEST_CASE("B24 a breaker gives back its name and its config", "[B24]") {
  const Breaker breaker{"payments", {.failure_threshold = 3, .reset_timeout = 30s}};
  CHECK(breaker.name() == "payments");
  CHECK(breaker.config() == CircuitBreakerConfig{.failure_threshold = 3, .reset_timeout = 30s});
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.retry_after() == 0ns);
}

TEST_CASE("B24 without a config or a clock a breaker has the defaults and SystemClock", "[B24]") {
  CircuitBreaker breaker{"inventory"};
  static_assert(std::is_same_v<decltype(breaker), CircuitBreaker<SystemClock>>);
  CHECK(breaker.config() == CircuitBreakerConfig{});
  CHECK(breaker.execute([] { return 7; }) == 7);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("B21 failure_threshold failures in a row open, and not one fewer", "[B21]") {
  for (const int threshold : {1, 2, 5, 1000, 65'535}) {
    CAPTURE(threshold);
    Breaker breaker{"b", {.failure_threshold = threshold}};
    for (int i = 1; i < threshold; ++i) fail(breaker);
    CHECK(breaker.state() == State::closed);
    fail(breaker);
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("B13 B22 a failure_threshold of 0 turns its rule off, and the run is counted up to 65535",
          "[B13][B22]") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  for (int i = 0; i < 70'000; ++i) fail(breaker);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_count == 70'000);
  CHECK(breaker.stats().consecutive_failures == 65'535);
  CHECK(breaker.stats().opened_count == 0);
}

TEST_CASE(
    "B21 a call that arrives when the wait is over is the first probe, one nanosecond earlier it is rejected",
    "[B21]") {
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

TEST_CASE("B21 long after the wait the next call is the first probe", "[B21]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  trip(breaker);
  clock.advance(24h * 365 * 200);
  CHECK(breaker.execute([&] { return breaker.state(); }) == State::half_open);
}

TEST_CASE("B24 state(), stats() and retry_after() only observe: they move nothing and take no slot",
          "[B24]") {
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

TEST_CASE("B21 success_threshold successful probes close, and not one fewer", "[B21]") {
  for (const int threshold : {1, 2, 5}) {
    CAPTURE(threshold);
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = threshold}};
    trip_and_wait(breaker);
    for (int i = 1; i < threshold; ++i) succeed(breaker);
    CHECK(breaker.state() == (threshold == 1 ? State::open : State::half_open));
    succeed(breaker);
    CHECK(breaker.state() == State::closed);
  }
}

TEST_CASE("B21 only the successes of this half-open generation count towards closing", "[B21]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3}};
  trip_and_wait(breaker);
  succeed(breaker);
  succeed(breaker);
  fail(breaker);
  CHECK(breaker.state() == State::open);
  breaker.clock().advance(breaker.retry_after());
  succeed(breaker);
  succeed(breaker);
  CHECK(breaker.state() == State::half_open);
  succeed(breaker);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B21 ignored probes do not come between successful ones", "[B21]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2}};
  trip_and_wait(breaker);
  succeed(breaker);
  for (int i = 0; i < 10; ++i) breaker.try_acquire().ignore();
  CHECK(breaker.state() == State::half_open);
  succeed(breaker);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B21 closing starts the run of failures anew", "[B21]") {
  Breaker breaker{"b", {.failure_threshold = 3, .success_threshold = 1}};
  trip_and_wait(breaker);
  succeed(breaker);
  REQUIRE(breaker.state() == State::closed);
  fail(breaker);
  fail(breaker);
  CHECK(breaker.state() == State::closed);
  fail(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B21 a failed probe opens, and the wait starts anew at its failure", "[B21]") {
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

TEST_CASE("B21 force_open() rejects until reset(), from every state, however much time passes", "[B21]") {
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

TEST_CASE("B21 disable() admits all, counts, and never trips until reset(), from every state", "[B21]") {
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
    for (int i = 0; i < 10; ++i) fail(breaker);
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

TEST_CASE("B21 a slow call does not trip a disabled breaker, though it is counted", "[B21]") {
  test::FakeClock clock;
  Breaker breaker{
      "b", {.slow_calls = SlowCalls{.slower_than = 1s, .threshold = 0.1, .minimum_calls = 1}}, clock};
  breaker.disable();
  breaker.execute([&] { clock.advance(5s); });
  CHECK(breaker.state() == State::disabled);
  CHECK(breaker.stats().slow_count == 1);
}

TEST_CASE("B13 B21 reset() closes with all counts zero, from every state", "[B13][B21]") {
  for (const State from : all_states) {
    CAPTURE(to_string(from));
    Breaker breaker{"b", {.failure_threshold = 2}};
    succeed(breaker);
    fail(breaker);
    breaker.try_acquire().ignore();
    succeed(breaker);
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
    fail(breaker);
    CHECK(breaker.state() == State::closed);
    fail(breaker);
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("B3 B21 reset() of a closed breaker ends its run and empties its windows", "[B3][B21]") {
  Breaker breaker{
      "b",
      {.failure_threshold = 3,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 3, .window = last_calls(3)}}};
  fail(breaker);
  fail(breaker);
  breaker.reset();
  fail(breaker);
  fail(breaker);
  CHECK(breaker.state() == State::closed);
  fail(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B2 a success in closed ends the run of failures", "[B2]") {
  Breaker breaker{"b", {.failure_threshold = 3}};
  for (int round = 0; round < 20; ++round) {
    fail(breaker);
    fail(breaker);
    CHECK(breaker.stats().consecutive_failures == 2);
    succeed(breaker);
    CHECK(breaker.stats().consecutive_failures == 0);
  }
  CHECK(breaker.state() == State::closed);
  trip(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B2 an ignored call changes nothing but its count", "[B2]") {
  Breaker breaker{
      "b",
      {.failure_threshold = 3,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = last_calls(9)}}};
  succeed(breaker);
  fail(breaker);
  fail(breaker);
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
  fail(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B2 an ignored probe frees its slot and moves nothing", "[B2]") {
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
