#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::all_states;
using support::Breaker;
using support::bring_to;
using support::trip;
using support::trip_and_wait;

namespace {

bool at_least(const CircuitBreakerStats& later, const CircuitBreakerStats& earlier) {
  return later.failure_count >= earlier.failure_count && later.success_count >= earlier.success_count &&
         later.ignored_count >= earlier.ignored_count && later.rejected_count >= earlier.rejected_count &&
         later.slow_count >= earlier.slow_count && later.opened_count >= earlier.opened_count;
}

}  // namespace

TEST_CASE("B13 a new breaker's stats are zero and absent, as those of no breaker are") {
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

TEST_CASE("B13 the state is the breaker's") {
  for (const State state : all_states) {
    Breaker breaker{"b"};
    bring_to(breaker, state);
    CHECK(breaker.stats().state == state);
    CHECK(breaker.state() == state);
  }
}

TEST_CASE("B13 each kind of call has its count") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  for (int i = 0; i < 5; ++i) breaker.try_acquire().success();
  for (int i = 0; i < 4; ++i) breaker.try_acquire().failure();
  for (int i = 0; i < 3; ++i) breaker.try_acquire().ignore();
  breaker.force_open();
  for (int i = 0; i < 2; ++i) (void)breaker.try_acquire();
  const auto stats = breaker.stats();
  CHECK(stats.success_count == 5);
  CHECK(stats.failure_count == 4);
  CHECK(stats.ignored_count == 3);
  CHECK(stats.rejected_count == 2);
}

TEST_CASE("B13 probes are counted as any call") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3, .half_open_max_calls = 2}};
  trip_and_wait(breaker);
  breaker.try_acquire().success();
  breaker.try_acquire().ignore();
  breaker.try_acquire().failure();
  const auto stats = breaker.stats();
  CHECK(stats.success_count == 1);
  CHECK(stats.ignored_count == 1);
  CHECK(stats.failure_count == 2);
}

TEST_CASE("B13 counts go on through openings and closings: each only grows") {
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
    breaker.try_acquire().success();
    check();
    trip(breaker);
    check();
    (void)breaker.try_acquire();
    check();
    clock.advance(10s);
    breaker.try_acquire().ignore();
    check();
    breaker.try_acquire().failure();
    check();
    clock.advance(10s);
    breaker.try_acquire().success();
    check();
    breaker.execute([&] { clock.advance(2s); });
    check();
    clock.advance(10s);
    breaker.try_acquire().success();
    check();
    breaker.disable();
    check();
    breaker.try_acquire().failure();
    check();
    breaker.force_open();
    check();
    breaker.reset();
    before = {};
  }
}

TEST_CASE("B13 opened_count counts openings by the rules: first ones and re-openings, not forced ones") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip(breaker);
  CHECK(breaker.stats().opened_count == 1);
  breaker.clock().advance(breaker.retry_after());
  breaker.try_acquire().failure();
  CHECK(breaker.stats().opened_count == 2);
  breaker.clock().advance(breaker.retry_after());
  breaker.try_acquire().success();
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

TEST_CASE("B13 a forced-open breaker's retry_after is 0") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  trip(breaker);
  breaker.force_open();
  CHECK(breaker.stats().retry_after == 0ns);
  CHECK(breaker.retry_after() == 0ns);
}

TEST_CASE("B13 retry_after is the time until a probe may pass while open, else 0") {
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
}

TEST_CASE("B13 consecutive_failures is the run") {
  Breaker breaker{"b", {.failure_threshold = 3, .success_threshold = 2}};
  breaker.try_acquire().failure();
  CHECK(breaker.stats().consecutive_failures == 1);
  breaker.try_acquire().success();
  CHECK(breaker.stats().consecutive_failures == 0);
  breaker.try_acquire().failure();
  breaker.try_acquire().failure();
  CHECK(breaker.stats().consecutive_failures == 2);
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 3);
  (void)breaker.try_acquire();
  CHECK(breaker.stats().consecutive_failures == 3);

  breaker.clock().advance(breaker.retry_after());
  CHECK(breaker.stats().consecutive_failures == 3);
  breaker.try_acquire().success();
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.stats().consecutive_failures == 0);
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 1);

  breaker.clock().advance(breaker.retry_after());
  breaker.try_acquire().success();
  breaker.try_acquire().success();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().consecutive_failures == 0);
}

TEST_CASE("B13 while open by a rate, consecutive_failures is the run at that moment") {
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

TEST_CASE("B13 after a slow probe consecutive_failures is 1, as after a failed one") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 3, .slow_calls = SlowCalls{.slower_than = 1s}}, clock};
  trip_and_wait(breaker);
  breaker.execute([&] { clock.advance(2s); });
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().consecutive_failures == 1);
}

TEST_CASE("B13 without a rule failure_rate is failures over failures and successes, 0 when there are none") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  breaker.try_acquire().ignore();
  CHECK(breaker.stats().failure_rate == 0.0);
  breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_rate == 1.0);
  for (int i = 0; i < 3; ++i) breaker.try_acquire().success();
  CHECK(breaker.stats().failure_rate == 0.25);
  for (int i = 0; i < 10; ++i) breaker.try_acquire().ignore();
  CHECK(breaker.stats().failure_rate == 0.25);
  breaker.force_open();
  for (int i = 0; i < 10; ++i) (void)breaker.try_acquire();
  CHECK(breaker.stats().failure_rate == 0.25);
  breaker.reset();
  CHECK(breaker.stats().failure_rate == 0.0);
}

TEST_CASE("B13 a rule about slow calls alone leaves failure_rate to the totals") {
  Breaker breaker{
      "b", {.failure_threshold = 0, .slow_calls = SlowCalls{.minimum_calls = 1, .window = last_calls(1)}}};
  breaker.try_acquire().failure();
  breaker.try_acquire().success();
  CHECK(breaker.stats().failure_rate == 0.5);
}

TEST_CASE("B13 where a failure_rate rule is set, failure_rate is that of its window") {
  Breaker breaker{
      "b",
      {.failure_threshold = 0,
       .success_threshold = 1,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = last_calls(4)}}};
  breaker.try_acquire().success();
  CHECK(breaker.stats().failure_rate == 0.0);
  breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_rate == 0.5);
  for (int i = 0; i < 2; ++i) breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_rate == 0.75);
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().failure_rate == 1.0);
  breaker.clock().advance(breaker.retry_after());
  breaker.try_acquire().success();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_rate == 0.0);
}

TEST_CASE("B13 what a disabled breaker counts leaves the window of its rule as it was") {
  const auto window = GENERATE(last_calls(4), within(10s));
  Breaker breaker{
      "b", {.failure_threshold = 0, .failure_rate = FailureRate{.minimum_calls = 2, .window = window}}};
  breaker.try_acquire().success();
  breaker.disable();
  breaker.try_acquire().success();
  breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_count == 1);
  CHECK(breaker.stats().failure_rate == 0.0);
  breaker.reset();
  breaker.try_acquire().success();
  breaker.try_acquire().failure();
  breaker.disable();
  CHECK(breaker.stats().failure_rate == 0.5);
  breaker.try_acquire().success();
  CHECK(breaker.stats().failure_rate == 0.5);
}

TEST_CASE("B13 below minimum_calls a rule's failure_rate is 0") {
  Breaker breaker{"b", {.failure_threshold = 0, .failure_rate = FailureRate{.minimum_calls = 20}}};
  for (int i = 0; i < 19; ++i) breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_rate == 0.0);
  breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_rate == 1.0);
}

TEST_CASE("B13 a time window's failure_rate falls with time, without a call") {
  test::FakeClock clock;
  Breaker breaker{"b",
                  {.failure_threshold = 0,
                   .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = within(10s)}},
                  clock};
  breaker.try_acquire().success();
  breaker.try_acquire().failure();
  CHECK(breaker.stats().failure_rate == 0.5);
  clock.advance(1h);
  CHECK(breaker.stats().failure_rate == 0.0);
}

TEST_CASE("B13 slow_count counts recorded calls that took longer than slower_than") {
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

TEST_CASE("B13 without slow_calls no call is slow") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  breaker.execute([&] { clock.advance(24h); });
  CHECK(breaker.stats().slow_count == 0);
}

TEST_CASE("B13 the last times are those of the reports, exactly") {
  test::FakeClock clock;
  const auto start = clock.wall_now();
  Breaker breaker{"b", {.failure_threshold = 3}, clock};
  breaker.try_acquire().failure();
  clock.advance(1500ms);
  CHECK(breaker.stats().last_failure_time == start);
  CHECK_FALSE(breaker.stats().last_success_time);

  breaker.execute([&] { clock.advance(500ms); });
  clock.advance(1h);
  CHECK(breaker.stats().last_failure_time == start);
  CHECK(breaker.stats().last_success_time == start + 2s);

  breaker.try_acquire().failure();
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

TEST_CASE("B13 late reports have their times too") {
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

TEST_CASE("B13 the last times are told by the wall clock of the one who asks") {
  test::FakeClock clock;
  const auto start = clock.wall_now();
  Breaker breaker{"b", {}, clock};
  breaker.try_acquire().failure();
  breaker.try_acquire().success();
  clock.advance(10s);
  for (const auto jump : {1h, -5h, 24h * 365}) {
    clock.set_wall(start + 10s + jump);
    CHECK(breaker.stats().last_failure_time == start + jump);
    CHECK(breaker.stats().last_success_time == start + jump);
  }
  clock.set_wall(start + 10s);
  CHECK(breaker.stats().last_failure_time == start);
}

TEST_CASE("B13 of reports from several threads the last time is the latest") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 0}, clock};
  std::chrono::system_clock::time_point last;
  for (int i = 0; i < 9; ++i) {
    clock.advance(1s);
    last = clock.wall_now();
    support::run_together(1, [&](int) {
      breaker.try_acquire().failure();
      breaker.try_acquire().success();
    });
    CHECK(breaker.stats().last_failure_time == last);
    CHECK(breaker.stats().last_success_time == last);
  }
  CHECK(breaker.stats().failure_count == 9);
}

TEST_CASE("B13 no report is lost or counted twice under contention") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  constexpr int threads = 6;
  constexpr int rounds = 2'000;
  support::run_together(threads, [&](int i) {
    for (int round = 0; round < rounds; ++round) {
      breaker.try_acquire().report(static_cast<Outcome>((round + i) % 3));
    }
  });
  const auto stats = breaker.stats();
  CHECK(stats.success_count + stats.failure_count + stats.ignored_count == threads * rounds);
  CHECK(stats.failure_count == stats.success_count);
}

TEST_CASE("B13 one who reads while others report sees each count only grow") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 3, .success_threshold = 1, .reset_timeout = 1ns}, clock};
  std::atomic<int> running{2};
  std::atomic<bool> grows{true};
  support::run_together(3, [&](int i) {
    if (i == 0) {
      auto before = breaker.stats();
      while (running.load() > 0) {
        const auto now = breaker.stats();
        if (!at_least(now, before)) grows = false;
        before = now;
      }
      return;
    }
    for (int round = 0; round < 2'000; ++round) {
      breaker.try_acquire().report(round % 7 < 4 ? Outcome::failure : Outcome::success);
      clock.advance(1ns);
    }
    --running;
  });
  CHECK(grows);
}

TEST_CASE("B13 a report that races reset() falls on either side, once") {
  for (int round = 0; round < 500; ++round) {
    Breaker breaker{"b", {.failure_threshold = 10}};
    breaker.try_acquire().failure();
    Permit permits[] = {breaker.try_acquire(), breaker.try_acquire()};
    support::run_together(2, [&](int i) {
      if (i == 0) {
        breaker.reset();
      } else {
        permits[0].failure();
        permits[1].success();
      }
    });
    const auto stats = breaker.stats();
    const bool fits = stats.failure_count <= 1 && stats.success_count <= 1 && stats.state == State::closed &&
                      stats.consecutive_failures == 0;
    if (!fits) {
      CHECK(stats.failure_count <= 1);
      CHECK(stats.success_count <= 1);
      CHECK(stats.consecutive_failures == 0);
    }
  }
  SUCCEED();
}

TEST_CASE("B13 a wall clock at either end of its range gives times within it") {
  for (const auto end :
       {std::chrono::system_clock::time_point::min(), std::chrono::system_clock::time_point::max()}) {
    test::FakeClock clock;
    Breaker breaker{"b", {}, clock};
    breaker.try_acquire().failure();
    clock.advance(1h);
    clock.set_wall(end);
    CHECK(breaker.stats().last_failure_time <= end);
  }
}
