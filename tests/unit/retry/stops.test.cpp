#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::Delays;
using support::Flaky;
using support::unavailable;

namespace {
const auto retry_all = retry_if([](const Failure&) { return true; });
}  // namespace

TEST_CASE("R2 of several reasons to stop that hold at once, the first in order is given", "[R2]") {
  constexpr StopReason order[] = {StopReason::cancelled,         StopReason::not_retryable,
                                  StopReason::retries_exhausted, StopReason::retry_after_too_long,
                                  StopReason::deadline,          StopReason::budget_exhausted};
  for (unsigned held = 0; held < 64; ++held) {
    const auto holds = [&](StopReason reason) {
      unsigned at = 0;
      while (order[at] != reason) ++at;
      return (held >> at & 1U) != 0;
    };
    auto expected = StopReason::succeeded;
    for (unsigned at = 6; at-- > 0;) {
      if (holds(order[at])) expected = order[at];
    }
    CAPTURE(held, to_string(expected));

    test::FakeClock clock;
    std::stop_source stop;
    Budget budget{.tokens = holds(StopReason::budget_exhausted) ? 0 : 1};
    const auto op = [&](const Attempt& attempt) {
      if (attempt.number > 1) return;
      if (holds(StopReason::cancelled)) stop.request_stop();
      throw unavailable().with_retry_after(holds(StopReason::retry_after_too_long) ? 31s : 1s);
    };
    const auto result =
        try_retry_with_backoff(op,
                               {.max_retries = holds(StopReason::retries_exhausted) ? 0 : 1,
                                .total_timeout = holds(StopReason::deadline) ? 1ns : no_timeout},
                               clock, stop.get_token(), budget,
                               retry_if([&](const Failure&) { return !holds(StopReason::not_retryable); }));
    CHECK(result.stats.stop_reason == expected);
    CHECK(result.stats.attempts == (held == 0 ? 2 : 1));
    CHECK(clock.sleeps().size() == (held == 0 ? 1U : 0U));
    CHECK(budget.asked ==
          (expected == StopReason::budget_exhausted || expected == StopReason::succeeded ? 1 : 0));
    CHECK(result.has_value() == (held == 0));
  }
}

TEST_CASE("R2 calls are 1 + max_retries, and no wait follows the last", "[R2]") {
  for (const int max_retries : {0, 1, 2, 10}) {
    CAPTURE(max_retries);
    test::FakeClock clock;
    Flaky op;
    const auto result = try_retry_with_backoff(op, {.max_retries = max_retries}, clock);
    CHECK(op.calls == 1 + max_retries);
    CHECK(clock.sleeps().size() == static_cast<std::size_t>(max_retries));
    CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  }
}

TEST_CASE("R2 the largest number of retries is carried out in full", "[R2]") {
  Flaky op;
  support::CountingClock clock;
  const auto result = try_retry_with_backoff(op, {.max_retries = 65'535}, clock);
  CHECK(op.calls == 65'536);
  CHECK(clock.counts().sleeps == 65'535);
  CHECK(result.stats.errors.size() == 65'536);
}

TEST_CASE("R2 F3 without retry_if what is not transient is not retried", "[R2][F3]") {
  const std::vector<std::function<void()>> lasting{
      [] { throw std::runtime_error{"unknown"}; },
      [] { throw 42; },
      [] { throw ApiError{ErrorCode::not_found}; },
      [] { throw CircuitOpenError{"payments", 5s}; },
      [] { throw RateLimitedError{"ours", 1s}; },
      [] { throw ApiError{CircuitOpenError{"sliced", 5s}}; },
      [] { throw std::system_error{make_error_code(PolicyErrc::circuit_open)}; },
  };
  for (std::size_t i = 0; i < lasting.size(); ++i) {
    CAPTURE(i);
    test::FakeClock clock;
    const auto result = try_retry_with_backoff(lasting[i], clock);
    CHECK(result.stats.attempts == 1);
    CHECK(result.stats.stop_reason == StopReason::not_retryable);
    CHECK(clock.sleeps().empty());
  }
}

TEST_CASE("R2 F3 without retry_if what is transient is retried", "[R2][F3]") {
  const std::vector<std::function<void()>> passing{
      [] { throw TimeoutError{}; },
      [] { throw ApiError{ErrorCode::service_unavailable}; },
      [] { throw std::system_error{std::make_error_code(std::errc::connection_reset)}; },
      [] { throw ApiError{ErrorCode::not_found}.with_category(ErrorCategory::network); },
      [] { throw make_error_code(NetworkErrc::timed_out); },
  };
  for (std::size_t i = 0; i < passing.size(); ++i) {
    CAPTURE(i);
    CHECK(try_retry_with_backoff(passing[i], test::FakeClock{}).stats.attempts == 4);
  }
}

TEST_CASE("R2 retry_if replaces the default, both ways", "[R2]") {
  test::FakeClock clock;
  const auto unknown = []() -> int { throw std::runtime_error{"unknown"}; };
  CHECK(try_retry_with_backoff(unknown, clock, retry_all).stats.attempts == 4);
  const auto refused = try_retry_with_backoff(Flaky{}, clock, retry_if([](const Failure&) { return false; }));
  CHECK(refused.stats.attempts == 1);
  CHECK(refused.stats.stop_reason == StopReason::not_retryable);
}

TEST_CASE("R2 retry_if sees each failure, that of the last attempt included", "[R2]") {
  std::vector<std::string> seen;
  (void)try_retry_with_backoff(
      [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); },
      {.max_retries = 2}, test::FakeClock{}, retry_if([&](const Failure& failure) {
        seen.push_back(failure.message());
        return true;
      }));
  CHECK(seen == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("R2 retry_if may accept a rejection", "[R2]") {
  test::FakeClock clock;
  const auto result = try_retry_with_backoff([]() -> int { throw CircuitOpenError{"payments", 9s}; },
                                             {.jitter = Jitter::none}, clock, retry_all);
  CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  CHECK(clock.sleeps() == Delays{9s, 9s, 9s});
}

TEST_CASE("R2 retry_if may not accept a cancellation", "[R2]") {
  const std::vector<std::function<void()>> cancellations{
      [] { throw CancelledError{}; },
      [] { throw ApiError{CancelledError{}}; },
      [] { throw std::system_error{make_error_code(PolicyErrc::cancelled)}; },
      [] { throw std::system_error{std::make_error_code(std::errc::operation_canceled)}; },
  };
  for (std::size_t i = 0; i < cancellations.size(); ++i) {
    CAPTURE(i);
    test::FakeClock clock;
    const auto result = try_retry_with_backoff(cancellations[i], clock, retry_all);
    CHECK(result.stats.attempts == 1);
    CHECK(result.stats.stop_reason == StopReason::cancelled);
    CHECK(clock.sleeps().empty());
    CHECK(result.error().is_cancellation());
  }
}

TEST_CASE("R6 a budget is asked once before each wait, and receives a deposit for the success", "[R6]") {
  test::FakeClock clock;
  Budget budget{.tokens = 5};
  CHECK(try_retry_with_backoff(Flaky{.failures = 2}, clock, budget).has_value());
  CHECK(budget.asked == 2);
  CHECK(budget.tokens == 3);
  CHECK(budget.deposits == 1);
}

TEST_CASE("R6 one budget limits several calls together", "[R6]") {
  test::FakeClock clock;
  Budget budget{.tokens = 4};
  CHECK(try_retry_with_backoff(Flaky{}, clock, budget).stats.attempts == 4);
  const auto second = try_retry_with_backoff(Flaky{}, clock, budget);
  CHECK(second.stats.attempts == 2);
  CHECK(second.stats.stop_reason == StopReason::budget_exhausted);
  CHECK(try_retry_with_backoff(Flaky{}, clock, budget).stats.attempts == 1);
}

TEST_CASE("R19 total_delay is the sum of the waits, and saturates", "[R19]") {
  test::FakeClock clock;
  const auto result = try_retry_with_backoff(Flaky{}, {.max_retries = 6}, clock);
  const Delays made = clock.sleeps();
  CHECK(result.stats.total_delay == std::accumulate(made.begin(), made.end(), 0ns));

  const auto longest = std::chrono::nanoseconds::max();
  const RetryConfig config{
      .max_retries = 3, .base_delay = longest, .max_delay = longest, .jitter = Jitter::none};
  const auto endless = try_retry_with_backoff(Flaky{}, config, clock);
  CHECK(endless.stats.total_delay == longest);
  CHECK(endless.stats.attempts == 4);
}
