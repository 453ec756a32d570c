#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Delays;
using support::Flaky;
using support::unavailable;

namespace {

/// A FakeClock whose sleep requests a stop and then returns `slept`.
struct StoppingClock : test::FakeClock {
  StoppingClock(std::stop_source& source, bool slept) : stop{&source}, result{slept} {}
  bool sleep_for(std::chrono::nanoseconds duration, std::stop_token) const {
    FakeClock::sleep_for(duration);
    stop->request_stop();
    return result;
  }
  std::stop_source* stop;
  bool result;
};

}  // namespace

TEST_CASE("R4 a stop before the first attempt: op is not called, CancelledError is thrown", "[R4]") {
  test::FakeClock clock;
  clock.set_wall(std::chrono::sys_days{std::chrono::year{2030} / 5 / 6});
  std::stop_source stop;
  stop.request_stop();
  int calls = 0;
  try {
    retry_with_backoff([&] { return ++calls; }, clock, stop.get_token());
    FAIL("no exception");
  } catch (const CancelledError& error) {
    CHECK(error.reason() == PolicyErrc::cancelled);
    CHECK(error.code() == ErrorCode::service_unavailable);
    CHECK(error.timestamp() == clock.wall_now());
  }
  CHECK_THROWS_AS(retry_with_backoff([&] { ++calls; }, clock, stop.get_token()), CancelledError);
  CHECK(calls == 0);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("R4 a stop before the first attempt, as a result", "[R4]") {
  std::stop_source stop;
  stop.request_stop();
  auto result = try_retry_with_backoff([] { return 1; }, test::FakeClock{}, stop.get_token());
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 0);
  CHECK(result.stats.errors.empty());
  CHECK(result.stats.total_delay == 0ns);
  CHECK(result.stats.stop_reason == StopReason::cancelled);
  CHECK(result.error().is_cancellation());
  CHECK(result.error().code() == PolicyErrc::cancelled);
  CHECK_THROWS_AS(result.value(), CancelledError);
  CHECK_THROWS_AS(std::move(result).value(), CancelledError);
}

TEST_CASE("R4 a stop before the first attempt of an op that returns its errors: CancelledError", "[R4]") {
  using Result = support::Expected<int, std::error_code>;
  std::stop_source stop;
  stop.request_stop();
  const auto op = [] { return Result{1}; };
  CHECK_THROWS_AS(retry_with_backoff(op, stop.get_token()), CancelledError);
  const auto result = try_retry_with_backoff(op, stop.get_token());
  CHECK_FALSE(result.has_value());
  CHECK_THROWS_AS(result.value(), CancelledError);
}

TEST_CASE("R4 a stop before the first attempt: on_give_up is called once and on_retry never", "[R4]") {
  std::stop_source stop;
  stop.request_stop();
  int given_up = 0;
  int retried = 0;
  const auto result = try_retry_with_backoff(
      [] {}, stop.get_token(), on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++retried; }),
      on_give_up([&](const RetryStats& stats) {
        ++given_up;
        CHECK(stats.attempts == 0);
        CHECK(stats.stop_reason == StopReason::cancelled);
      }));
  CHECK_FALSE(result.has_value());
  CHECK(given_up == 1);
  CHECK(retried == 0);
}

TEST_CASE("R4 a stop during an attempt that fails: its error, unchanged, and no wait", "[R4]") {
  test::FakeClock clock;
  std::stop_source stop;
  const auto op = [&](const Attempt& attempt) {
    if (attempt.number == 2) stop.request_stop();
    throw unavailable(std::to_string(attempt.number));
  };
  std::optional<StopReason> reason;
  const auto hook = on_give_up([&](const RetryStats& stats) { reason = stats.stop_reason; });
  CHECK_THROWS_WITH(retry_with_backoff(op, clock, stop.get_token(), hook), "2");
  CHECK(clock.sleeps().size() == 1);
  CHECK(reason == StopReason::cancelled);
}

TEST_CASE("R4 a stop during an attempt that succeeds: its value", "[R4]") {
  std::stop_source stop;
  const auto result = retry_with_backoff(
      [&] {
        stop.request_stop();
        return 7;
      },
      test::FakeClock{}, stop.get_token());
  CHECK(result.value() == 7);
  CHECK(result.stats.stop_reason == StopReason::succeeded);
}

TEST_CASE("R4 op can end early by the attempt's stop token", "[R4]") {
  std::stop_source stop;
  const auto op = [&](const Attempt& attempt) {
    CHECK_FALSE(attempt.stop_token.stop_requested());
    stop.request_stop();
    if (attempt.stop_token.stop_requested()) throw CancelledError{"by its token"};
  };
  CHECK_THROWS_WITH(retry_with_backoff(op, test::FakeClock{}, stop.get_token()), "by its token");
}

TEST_CASE("R4 a stop in on_retry: the wait does not begin, and no attempt follows", "[R4]") {
  test::FakeClock clock;
  const auto begin = clock.now();
  std::stop_source stop;
  Flaky op;
  const auto result = try_retry_with_backoff(
      op, clock, stop.get_token(),
      on_retry([&](int, const Failure&, std::chrono::nanoseconds) { stop.request_stop(); }));
  CHECK(op.calls == 1);
  CHECK(result.stats.stop_reason == StopReason::cancelled);
  CHECK(result.stats.total_delay == 0ns);
  CHECK(clock.now() == begin);
}

TEST_CASE("R4 a stop ends a wait at once, and the caller gets the last error", "[R4]") {
  const auto clock = test::FakeClock::manual();
  const auto begin = clock.now();
  std::stop_source stop;
  Flaky op;
  int given_up = 0;
  std::optional<RetryResult<std::error_code>> result;
  std::jthread caller{[&] {
    result = try_retry_with_backoff(op, {.base_delay = 30s}, clock, stop.get_token(),
                                    on_give_up([&](const RetryStats&) { ++given_up; }));
  }};
  clock.wait_for_sleepers(1);
  stop.request_stop();
  caller.join();
  CHECK(op.calls == 1);
  CHECK(clock.now() == begin);
  CHECK(clock.sleeps().size() == 1);
  CHECK(given_up == 1);
  REQUIRE(result);
  CHECK_FALSE(result->has_value());
  CHECK(result->stats.stop_reason == StopReason::cancelled);
  CHECK(result->stats.attempts == 1);
  CHECK(result->stats.errors.size() == 1);
  CHECK(result->stats.total_delay == 0ns);
  CHECK(result->error().code() == NetworkErrc::connection_reset);
  CHECK(result->value() == NetworkErrc::connection_reset);
}

TEST_CASE("R4 a stop in the second wait: CancelledError with the last exception as its cause", "[R4]") {
  const auto clock = test::FakeClock::manual();
  std::stop_source stop;
  std::string cause;
  std::optional<std::chrono::system_clock::time_point> timestamp;
  std::jthread caller{[&] {
    try {
      retry_with_backoff([](const Attempt& attempt) { throw unavailable(std::to_string(attempt.number)); },
                         {.jitter = Jitter::none}, clock, stop.get_token());
    } catch (const CancelledError& error) {
      if (error.cause()) cause = error.cause()->message();
      timestamp = error.timestamp();
    }
  }};
  clock.wait_for_sleepers(1);
  const auto woken = clock.advance(1s);
  clock.wait_for_sleepers(1);
  stop.request_stop();
  caller.join();
  CHECK(woken == 1);
  CHECK(cause == "2");
  CHECK(timestamp == clock.wall_now());
  CHECK(clock.sleeps() == Delays{1s, 2s});
}

TEST_CASE("R4 a wait that nobody cancels ends when it is due, not before", "[R4]") {
  const auto clock = test::FakeClock::manual();
  std::stop_source stop;
  Flaky op{.failures = 1};
  std::optional<RetryResult<std::error_code>> result;
  std::jthread caller{
      [&] { result = try_retry_with_backoff(op, {.jitter = Jitter::none}, clock, stop.get_token()); }};
  clock.wait_for_sleepers(1);
  const auto early = clock.advance(1s - 1ns);
  const auto due = clock.advance(1ns);
  caller.join();
  CHECK(early == 0);
  CHECK(due == 1);
  REQUIRE(result);
  CHECK(result->has_value());
  CHECK(result->stats.attempts == 2);
  CHECK(result->stats.total_delay == 1s);
}

TEST_CASE("R4 a stop while a wait ends: no attempt follows, whatever the clock returns", "[R4]") {
  for (const bool slept : {false, true}) {
    CAPTURE(slept);
    std::stop_source stop;
    Flaky op;
    const auto result = try_retry_with_backoff(op, StoppingClock{stop, slept}, stop.get_token());
    CHECK(op.calls == 1);
    CHECK(result.stats.stop_reason == StopReason::cancelled);
    CHECK(result.error().code() == NetworkErrc::connection_reset);
  }
}

TEST_CASE("R4 F7 a cancelled wait: the throwing form is a cancellation, with op's failure as cause",
          "[R4][F7]") {
  std::stop_source stop;
  const auto op = []() -> int { throw unavailable("busy"); };
  try {
    retry_with_backoff(op, StoppingClock{stop, false}, stop.get_token());
    FAIL("no exception");
  } catch (const CancelledError& error) {
    CHECK(error.reason() == PolicyErrc::cancelled);
    REQUIRE(error.cause());
    CHECK(error.cause()->status() == 503);
    CHECK(error.cause()->message() == "busy");
    CHECK_THROWS_WITH(error.cause()->rethrow(), "busy");
    CHECK(Failure{error}.is_cancellation());
  }
}

TEST_CASE("R4 a cancelled wait of an op that returns its errors: CancelledError too", "[R4]") {
  using Result = support::Expected<int, std::error_code>;
  std::stop_source stop;
  const auto op = [] { return Result{support::Unexpected{std::error_code{NetworkErrc::timed_out}}}; };
  try {
    retry_with_backoff(op, StoppingClock{stop, false}, stop.get_token());
    FAIL("no exception");
  } catch (const CancelledError& error) {
    REQUIRE(error.cause());
    CHECK(error.cause()->code() == NetworkErrc::timed_out);
  }
}

TEST_CASE("R4 a cancelled wait as a result: the last failure is its error, its value throws CancelledError",
          "[R4]") {
  std::stop_source stop;
  const auto op = []() -> int { throw unavailable("busy"); };
  auto result = try_retry_with_backoff(op, StoppingClock{stop, false}, stop.get_token());
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.stop_reason == StopReason::cancelled);
  CHECK(result.error().message() == "busy");
  CHECK(result.stats.errors.size() == 1);
  const auto copy = result;
  for (const auto* each : {&std::as_const(result), &copy}) {
    try {
      (void)each->value();
      FAIL("no exception");
    } catch (const CancelledError& error) {
      REQUIRE(error.cause());
      CHECK(error.cause()->message() == "busy");
    }
  }
  const auto moved = std::move(result);
  CHECK_THROWS_AS(moved.value(), CancelledError);
  CHECK(moved.error().message() == "busy");
  auto assigned = retry_with_backoff([] { return 1; });
  assigned = copy;
  CHECK_THROWS_AS(assigned.value(), CancelledError);
  assigned = retry_with_backoff([] { return 2; });
  CHECK(assigned.value() == 2);
}

TEST_CASE("R4 a cancellation before the first attempt has no cause", "[R4]") {
  std::stop_source stop;
  stop.request_stop();
  try {
    retry_with_backoff([] { return 1; }, stop.get_token());
    FAIL("no exception");
  } catch (const CancelledError& error) {
    CHECK_FALSE(error.cause());
  }
}

TEST_CASE("R4 a cancelled wait comes after the budget was asked and before the deadline matters", "[R4]") {
  support::Budget budget{.tokens = 3};
  std::stop_source stop;
  const auto result = try_retry_with_backoff(Flaky{}, {.total_timeout = 1h}, StoppingClock{stop, false},
                                             stop.get_token(), budget);
  CHECK(result.stats.stop_reason == StopReason::cancelled);
  CHECK(budget.asked == 1);
}

TEST_CASE("R4 a token that cannot be stopped changes nothing", "[R4]") {
  test::FakeClock clock;
  const auto result = try_retry_with_backoff(Flaky{}, clock, std::stop_token{});
  CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  CHECK(clock.sleeps().size() == 3);
}

TEST_CASE("R4 one stop ends the waits of many calls", "[R4]") {
  constexpr int callers = 4;
  for (int round = 0; round < 20; ++round) {
    const auto clock = test::FakeClock::manual();
    std::stop_source stop;
    std::vector<StopReason> reasons(callers, StopReason::succeeded);
    support::run_together(callers + 1, [&](int i) {
      if (i == callers) {
        clock.wait_for_sleepers(callers);
        stop.request_stop();
      } else {
        const auto result = try_retry_with_backoff(Flaky{}, clock, stop.get_token());
        reasons[static_cast<std::size_t>(i)] = result.stats.stop_reason;
      }
    });
    CHECK(reasons == std::vector<StopReason>(callers, StopReason::cancelled));
  }
}

TEST_CASE("R4 a stop that races the call never leaves it waiting", "[R4]") {
  for (int round = 0; round < 200; ++round) {
    const auto clock = test::FakeClock::manual();
    std::stop_source stop;
    StopReason reason = StopReason::succeeded;
    int attempts = -1;
    support::run_together(2, [&](int i) {
      if (i == 0) {
        stop.request_stop();
      } else {
        const auto result = try_retry_with_backoff(Flaky{}, clock, stop.get_token());
        reason = result.stats.stop_reason;
        attempts = result.stats.attempts;
      }
    });
    CHECK(reason == StopReason::cancelled);
    CHECK((attempts == 0 || attempts == 1));
  }
}
