#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Delays;
using support::Flaky;

namespace {
constexpr RetryConfig exact{.max_retries = 9, .jitter = Jitter::none};
}  // namespace

TEST_CASE("R12 a Deadline stops a retry before the wait that would reach it", "[R12]") {
  const test::FakeClock clock;
  const auto result = try_retry_with_backoff(Flaky{}, exact, clock, Deadline::after(7s, clock));
  CHECK(result.stats.stop_reason == StopReason::deadline);
  CHECK(clock.sleeps() == Delays{1s, 2s});  // the third would take 4 s of 4
  const test::FakeClock longer;
  CHECK(try_retry_with_backoff(Flaky{}, exact, longer, Deadline::after(7s + 1ns, longer)).stats.attempts ==
        4);
}

TEST_CASE("R12 of a Deadline and total_timeout the earlier holds", "[R12]") {
  const auto attempts = [](std::chrono::nanoseconds deadline, std::chrono::nanoseconds timeout) {
    const test::FakeClock clock;
    const RetryConfig config{.max_retries = 9, .jitter = Jitter::none, .total_timeout = timeout};
    return try_retry_with_backoff(Flaky{}, config, clock, Deadline::after(deadline, clock)).stats.attempts;
  };
  CHECK(attempts(2s, 30s) == 2);
  CHECK(attempts(30s, 2s) == 2);
  CHECK(attempts(no_timeout, 2s) == 2);
  CHECK(attempts(2s, no_timeout) == 2);
  CHECK(attempts(no_timeout, no_timeout) == 10);
}

TEST_CASE("R12 a Deadline that is past makes no second attempt, and is no config error", "[R12]") {
  const test::FakeClock clock;
  const auto past = Deadline::after(1s, clock);
  clock.advance(2s);
  Flaky op;
  const auto result = try_retry_with_backoff(op, {.base_delay = 0s}, clock, past);
  CHECK(op.calls == 1);
  CHECK(result.stats.stop_reason == StopReason::deadline);
  CHECK(clock.sleeps().empty());
  CHECK(retry_with_backoff([] { return 7; }, clock, past).value() == 7);
  CHECK(try_retry_with_backoff(Flaky{}, clock, Deadline::at(std::chrono::steady_clock::time_point::min()))
            .stats.stop_reason == StopReason::deadline);
}

TEST_CASE("R12 R18 the attempt's deadline is the earlier of the two, by the clock of the call",
          "[R12][R18]") {
  const test::FakeClock clock;
  std::vector<std::chrono::nanoseconds> left;
  const auto op = [&](const Attempt& attempt) {
    left.push_back(attempt.deadline.remaining());
    return make_error_code(NetworkErrc::timed_out);
  };
  (void)try_retry_with_backoff(op, {.max_retries = 1, .jitter = Jitter::none}, clock,
                               Deadline::after(5s, clock));
  (void)try_retry_with_backoff(op, {.max_retries = 1, .jitter = Jitter::none, .total_timeout = 3s}, clock,
                               Deadline::after(5s, clock));
  CHECK(left == std::vector<std::chrono::nanoseconds>{5s, 4s, 3s, 2s});
}

TEST_CASE("R12 a Deadline of another clock is converted by what it has left", "[R12][T3]") {
  const test::FakeClock clock;
  const test::FakeClock other;
  other.advance(100h);
  const auto deadline = Deadline::after(4s, other);
  other.advance(1s);
  const auto result = try_retry_with_backoff(Flaky{}, exact, clock, deadline);
  CHECK(result.stats.stop_reason == StopReason::deadline);
  CHECK(clock.sleeps() == Delays{1s});  // 3 s were left; the second wait would take 2 s of 2
}

TEST_CASE("R12 a Deadline of SystemClock, in a retry on another clock", "[R12]") {
  test::FakeClock system;
  const test::ScopedSystemClock guard{system};
  system.advance(1000h);
  const test::FakeClock clock;
  const auto result = try_retry_with_backoff(Flaky{}, exact, clock, Deadline::after(4s));
  CHECK(clock.sleeps() == Delays{1s, 2s});
  CHECK(result.stats.stop_reason == StopReason::deadline);
  const auto own = try_retry_with_backoff(Flaky{}, exact, Deadline::after(4s));
  CHECK(own.stats.attempts == 3);
}

TEST_CASE("R12 a Deadline without a clock is a point on the timeline of the retry's", "[R12]") {
  const test::FakeClock clock;
  const auto deadline = Deadline::at(clock.now() + 4s);
  CHECK(try_retry_with_backoff(Flaky{}, exact, clock, deadline).stats.attempts == 3);
}

TEST_CASE("R12 a copy of a clock shares its timeline, so a Deadline of it holds unchanged", "[R12]") {
  const test::FakeClock clock;
  const test::FakeClock copy = clock;
  const auto deadline = Deadline::after(4s, copy);
  const auto seen =
      retry_with_backoff([](const Attempt& attempt) { return attempt.deadline.time(); }, clock, deadline);
  CHECK(seen.value() == deadline.time());
}

TEST_CASE("R12 R8 a Deadline of the retry's own clock costs no reading of it", "[R12][R8]") {
  const support::CountingClock clock;
  const auto deadline = Deadline::at(std::chrono::steady_clock::time_point{5s}, clock);
  CHECK(retry_with_backoff([] { return 1; }, clock, deadline).value() == 1);
  CHECK(clock.counts().now == 0);
}

TEST_CASE("R12 a retry inside a retry ends by the deadline of the attempt around it", "[R12]") {
  const test::FakeClock clock;
  const auto outer = [&](const Attempt& attempt) {
    return try_retry_with_backoff(Flaky{}, exact, clock, attempt.deadline).stats.attempts;
  };
  CHECK(retry_with_backoff(outer, {.total_timeout = 4s}, clock).value() == 3);
}
