#include <fusebox/circuit_breaker.hpp>
#include <fusebox/config_error.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Breaker = CircuitBreaker<test::FakeClock>;

/// A typo: longer than max_delay.
const RetryConfig bad_retry{.base_delay = 60s};

int call_with_bad_retry() {
  return retry_with_backoff([] { return 1; }, bad_retry);
}

/// One refused config of each kind.
std::vector<std::function<void()>> refused() {
  return {
      [] { Breaker{""}; },
      [] { Breaker{"b", {.success_threshold = 0}}; },
      [] { Breaker{"b", {.failure_rate = FailureRate{.threshold = 2}}}; },
      [] { Breaker{"b"}.execute([] {}, {.timeout = 0s}); },
      [] { CircuitBreakerRegistry<>{RegistryConfig{.max_breakers = 0}}; },
      [] { CircuitBreakerRegistry<>{}.get(""); },
      [] { (void)call_with_bad_retry(); },
      [] { (void)try_retry_with_backoff([] { return 1; }, {.max_retries = -1}); },
  };
}

}  // namespace

TEST_CASE("E6 a ConfigError is a std::invalid_argument with the text of the rule", "[E6]") {
  static_assert(std::is_base_of_v<std::invalid_argument, ConfigError>);
  CHECK(std::string{ConfigError{"Config.field must be above 0, got 0"}.what()} ==
        "Config.field must be above 0, got 0");
}

TEST_CASE("E6 C2 every refused config throws a ConfigError", "[E6][C2]") {
  for (const auto& refuse : refused()) CHECK_THROWS_AS(refuse(), ConfigError);
}

TEST_CASE("E6 a refused config inside a breaker is ignored, and reaches the caller past any fallback",
          "[E6]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  int fallbacks = 0;
  for (const auto& refuse : refused()) {
    CHECK_THROWS_AS(breaker.execute(refuse), ConfigError);
    CHECK_THROWS_AS(breaker.execute(refuse, [&] { ++fallbacks; }), ConfigError);
    CHECK_THROWS_AS(breaker.execute(refuse, [&](const Failure&) { ++fallbacks; }), ConfigError);
  }
  CHECK(fallbacks == 0);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_count == 0);
  CHECK(breaker.stats().ignored_count == 3 * refused().size());
}

TEST_CASE("E6 classify is not asked about a refused config", "[E6]") {
  Breaker breaker{"b", {.failure_threshold = 1, .classify = [](const Failure&) { return Outcome::failure; }}};
  CHECK_THROWS_AS(breaker.execute(call_with_bad_retry), ConfigError);
  CHECK_THROWS_AS(breaker.execute(call_with_bad_retry, {.timeout = 1s}), ConfigError);
  CHECK(breaker.stats().failure_count == 0);
}

TEST_CASE("E6 a refused config is not retried, whatever retry_if says", "[E6]") {
  const test::FakeClock clock;
  int calls = 0;
  const auto op = [&] {
    ++calls;
    return call_with_bad_retry();
  };
  const auto always = retry_if([](const Failure&) { return true; });
  CHECK_THROWS_AS(retry_with_backoff(op, clock, always), ConfigError);
  CHECK(calls == 1);
  const auto result = try_retry_with_backoff(op, clock, always);
  CHECK(calls == 2);
  CHECK(result.stats.stop_reason == StopReason::not_retryable);
  CHECK_THROWS_AS(result.error().rethrow(), ConfigError);
}

TEST_CASE("E6 a refused config is seen inside a nested exception and inside a result", "[E6]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  const auto nested = [] {
    try {
      call_with_bad_retry();
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"cannot fetch"});
    }
  };
  CHECK_THROWS_AS(breaker.execute(nested, [] {}), std::runtime_error);
  using Result = support::Expected<int, std::exception_ptr>;
  const auto as_value = []() -> Result {
    try {
      return call_with_bad_retry();
    } catch (...) {
      return support::Unexpected<std::exception_ptr>{std::current_exception()};
    }
  };
  CHECK_FALSE(breaker.execute(as_value, [] { return Result{7}; }).has_value());
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("E6 another std::invalid_argument is a failure like any", "[E6]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  CHECK(breaker.execute([]() -> int { throw std::invalid_argument{"bad"}; }, [] { return 7; }) == 7);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("E6 F3 a refused config is neither transient nor a cancellation", "[E6][F3]") {
  const auto failure = Failure::from_exception(std::make_exception_ptr(ConfigError{"text"}));
  CHECK(failure.is_config_error());
  CHECK_FALSE(failure.is_transient());
  CHECK_FALSE(failure.is_cancellation());
  CHECK_FALSE(failure.code());
  CHECK(failure.message() == "text");
  CHECK(default_outcome(failure) == Outcome::ignored);
  CHECK_FALSE(
      Failure::from_exception(std::make_exception_ptr(std::invalid_argument{"text"})).is_config_error());
}
