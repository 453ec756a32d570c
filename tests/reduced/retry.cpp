// Retry without exceptions: ops that return their errors, exact waits, and every reason to stop.
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include "reduced/check.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Delays;
using support::Flaky;
using support::Unexpected;

namespace {

using Answer = support::Expected<int, ApiError>;
constexpr RetryConfig steady{.max_retries = 3, .base_delay = 100ms, .max_delay = 1s, .jitter = Jitter::none};

Answer busy(std::chrono::seconds retry_after) {
  return Unexpected{ApiError{ErrorCode::service_unavailable, "busy"}.with_retry_after(retry_after)};
}

void delays() {
  CHECK(exponential_delay(steady, 0) == 100ms);
  CHECK(exponential_delay(steady, 3) == 800ms);
  CHECK(exponential_delay(steady, 4) == 1s);
  CHECK(exponential_delay(steady, std::numeric_limits<std::uint32_t>::max()) == 1s);
  CHECK(exponential_delay({.base_delay = 2s, .max_delay = 1h, .multiplier = 1.5}, 2) == 4500ms);

  test::FakeClock clock;
  auto full = steady;
  full.jitter = Jitter::full;
  support::Largest largest;
  CHECK(try_retry_with_backoff(Flaky{2}, full, clock, with_random(largest)).has_value());
  CHECK(clock.sleeps() == Delays{100ms, 200ms});
}

void error_codes() {
  test::FakeClock clock;
  Flaky flaky{.failures = 2};
  const auto result = retry_with_backoff(flaky, steady, clock);
  CHECK(result.has_value());
  CHECK(!result.value());
  CHECK(flaky.calls == 3);
  CHECK(clock.sleeps() == Delays{100ms, 200ms});
  CHECK(result.stats.attempts == 3);
  CHECK(result.stats.total_delay == 300ms);
  CHECK(result.stats.errors.size() == 2);
  CHECK(result.stats.stop_reason == StopReason::succeeded);
}

void the_last_error_stays() {
  test::FakeClock clock;
  Flaky down;
  const auto result = retry_with_backoff(down, steady, clock);
  CHECK(!result.has_value());
  CHECK(down.calls == 4);
  CHECK(clock.sleeps() == Delays{100ms, 200ms, 400ms});
  CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  CHECK(result.error().code() == NetworkErrc::connection_reset);
  CHECK(result.value() == NetworkErrc::connection_reset);
}

void expected_like() {
  test::FakeClock clock;
  int calls = 0;
  const auto second_time = [&](const Attempt& attempt) {
    ++calls;
    return attempt.number == 1 ? busy(1s) : Answer{7};
  };
  Answer answer = try_retry_with_backoff(second_time, steady, clock);
  CHECK(*answer == 7);
  CHECK(calls == 2);
  CHECK(clock.sleeps() == Delays{1s});  // Retry-After

  const auto too_long = try_retry_with_backoff([] { return busy(60s); }, steady, clock);
  CHECK(too_long.stats.stop_reason == StopReason::retry_after_too_long);
  CHECK(too_long.error().retry_after() == 60s);
  CHECK((*too_long).error().code() == ErrorCode::service_unavailable);

  const auto invalid = try_retry_with_backoff(
      [] { return Answer{Unexpected{ApiError{ErrorCode::bad_request, "no"}}}; }, steady, clock);
  CHECK(invalid.stats.attempts == 1);
  CHECK(invalid.stats.stop_reason == StopReason::not_retryable);
}

void values_that_failure_if_rejects() {
  test::FakeClock clock;
  int calls = 0;
  const auto result = retry_with_backoff([&] { return ++calls; }, steady, clock,
                                         failure_if([](int call) { return call < 3; }),
                                         retry_if([](const Failure&) { return true; }));
  CHECK(result.value() == 3);
  CHECK(clock.sleeps() == Delays{100ms, 200ms});
}

void limits() {
  test::FakeClock clock;
  auto hasty = steady;
  hasty.total_timeout = 250ms;
  const auto late = try_retry_with_backoff(Flaky{}, hasty, clock);
  CHECK(late.stats.stop_reason == StopReason::deadline);
  CHECK(clock.sleeps() == Delays{100ms});

  support::Budget budget{.tokens = 1};
  const auto broke = try_retry_with_backoff(Flaky{}, steady, clock, budget);
  CHECK(broke.stats.stop_reason == StopReason::budget_exhausted);
  CHECK(broke.stats.attempts == 2);

  auto once = steady;
  once.idempotent = false;
  CHECK(try_retry_with_backoff(Flaky{}, once, clock).stats.attempts == 1);
}

void hooks() {
  test::FakeClock clock;
  Delays told;
  StopReason ended = StopReason::succeeded;
  const auto result = try_retry_with_backoff(
      Flaky{}, steady, clock, on_retry([&](int, const Failure& failure, std::chrono::nanoseconds delay) {
        if (failure.is_transient()) told.push_back(delay);
      }),
      on_give_up([&](const RetryStats& stats) { ended = stats.stop_reason; }));
  CHECK(!result.has_value());
  CHECK(told == clock.sleeps());
  CHECK(ended == StopReason::retries_exhausted);
}

#if FUSEBOX_DETAIL_STOP_TOKEN
void cancellation() {
  const test::FakeClock clock;
  std::stop_source stop;
  Flaky flaky;
  const auto stopped = try_retry_with_backoff(
      flaky, steady, clock, stop.get_token(),
      on_retry([&](int, const Failure&, std::chrono::nanoseconds) { stop.request_stop(); }));
  CHECK(stopped.stats.stop_reason == StopReason::cancelled);
  CHECK(flaky.calls == 1);
  CHECK(stopped.error().code() == NetworkErrc::connection_reset);

  const auto never = try_retry_with_backoff(flaky, steady, clock, stop.get_token());
  CHECK(flaky.calls == 1);
  CHECK(never.error().is_cancellation());
}
#else
void cancellation() {}
#endif

}  // namespace

int main() {
  delays();
  error_codes();
  the_last_error_stays();
  expected_like();
  values_that_failure_if_rejects();
  limits();
  hooks();
  cancellation();
  return reduced::report();
}
