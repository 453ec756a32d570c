#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Delays;
using support::Flaky;
using support::Largest;
using support::unavailable;

TEST_CASE("R17 op alone is enough, and so are op and a config", "[R17]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  CHECK(retry_with_backoff([] { return 1; }).value() == 1);
  CHECK(try_retry_with_backoff([] { return 1; }).value() == 1);
  CHECK(try_retry_with_backoff(Flaky{}).stats.attempts == 4);
  CHECK(try_retry_with_backoff(Flaky{}, {}).stats.attempts == 4);
  CHECK(try_retry_with_backoff(Flaky{}, retry_presets::quick).stats.attempts == 3);
  CHECK(try_retry_with_backoff(Flaky{}, {.max_retries = 0}).stats.attempts == 1);
}

TEST_CASE("C4 options come with and without a config before them, in both functions", "[C4]") {
  test::FakeClock clock;
  const RetryConfig config{.max_retries = 1, .base_delay = 2s};
  const auto random = [] { return with_random(Largest{}); };
  (void)try_retry_with_backoff(Flaky{}, clock, random());
  (void)try_retry_with_backoff(Flaky{}, random(), clock);
  (void)try_retry_with_backoff(Flaky{}, config, clock, random());
  (void)try_retry_with_backoff(Flaky{}, {.max_retries = 1}, random(), clock);
  retry_with_backoff(Flaky{}, clock, random());
  retry_with_backoff(Flaky{}, config, random(), clock);
  retry_with_backoff(Flaky{}, RetryConfig{.max_retries = 1}, clock, random());
  retry_with_backoff(Flaky{}, {.max_retries = 1, .base_delay = 3s}, clock, random());
  CHECK(clock.sleeps() == Delays{1s, 2s, 4s, 1s, 2s, 4s, 2s, 1s, 1s, 2s, 4s, 2s, 1s, 3s});
}

TEST_CASE("R16 a retry has a copy of its config: op may change, or end, the one that was given", "[R16]") {
  const test::FakeClock clock;
  auto config = std::make_unique<RetryConfig>(RetryConfig{.max_retries = 2, .jitter = Jitter::none});
  int calls = 0;
  const auto result = try_retry_with_backoff(
      [&] {
        ++calls;
        config.reset();
        return make_error_code(ErrorCode::service_unavailable);
      },
      *config, clock);
  CHECK(calls == 3);
  CHECK(result.stats.total_delay == 3s);
}

TEST_CASE("R19 a result may be dropped without a warning", "[R19]") {
  int calls = 0;
  retry_with_backoff([&] { ++calls; });
  retry_with_backoff([&] { return ++calls; });
  retry_with_backoff([&] { ++calls; }, {.max_retries = 1}, test::FakeClock{});
  CHECK(calls == 3);
}

TEST_CASE("R19 try_retry_with_backoff throws nothing of op's, whatever it is", "[R19]") {
  test::FakeClock clock;
  const auto error_of = [&](auto thrown) {
    const auto op = [&]() -> int { throw thrown; };
    const auto result = try_retry_with_backoff(op, {.max_retries = 1}, clock);
    CHECK_FALSE(result.has_value());
    CHECK(result.error().exception() != nullptr);
    CHECK_THROWS_AS(result.value(), decltype(thrown));
    return result.error();
  };
  CHECK(error_of(unavailable("gone")).message() == "gone");
  CHECK(error_of(std::runtime_error{"unknown"}).message() == "unknown");
  CHECK_FALSE(error_of(42).code());
  CHECK(error_of(CircuitOpenError{"payments"}).is_rejection());
  CHECK(error_of(CancelledError{}).is_cancellation());
  CHECK(error_of(std::error_code{NetworkErrc::timed_out}).code() == NetworkErrc::timed_out);
}
