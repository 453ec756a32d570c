#include <fusebox/api_error/policy_errors.hpp>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <type_traits>

#include "catch.hpp"
#include "support/api_errors.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("E4 each of the library's own errors: status, category, reason and text", "[E4]") {
  struct Row {
    ApiError error;
    ErrorCode code;
    ErrorCategory category;
    PolicyErrc reason;
    const char* text;
  };
  const Row rows[] = {
      {CircuitOpenError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::circuit_open, "circuit breaker is open"},
      {CircuitOpenError{"payments"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::circuit_open, "circuit breaker 'payments' is open"},
      {BulkheadFullError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::bulkhead_full, "bulkhead is full"},
      {BulkheadFullError{"db"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::bulkhead_full, "bulkhead 'db' is full"},
      {RateLimitedError{}, ErrorCode::rate_limit_exceeded, ErrorCategory::rate_limit,
       PolicyErrc::rate_limited, "rate limit reached"},
      {RateLimitedError{"api"}, ErrorCode::rate_limit_exceeded, ErrorCategory::rate_limit,
       PolicyErrc::rate_limited, "rate limit 'api' reached"},
      {ThrottledError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::throttled, "throttle rejected the call"},
      {ThrottledError{"search"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::throttled, "throttle 'search' rejected the call"},
      {TimeoutError{}, ErrorCode::gateway_timeout, ErrorCategory::external_service, PolicyErrc::timed_out,
       "timed out"},
      {TimeoutError{"orders: 10s"}, ErrorCode::gateway_timeout, ErrorCategory::external_service,
       PolicyErrc::timed_out, "orders: 10s"},
      {CancelledError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::cancelled, "cancelled"},
      {CancelledError{"shutdown"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::cancelled, "shutdown"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(row.error.code() == row.code);
    CHECK(row.error.category() == row.category);
    CHECK(row.error.reason() == row.reason);
    CHECK(row.error.message() == row.text);
    CHECK_FALSE(row.error.retry_after());
    CHECK(row.error.details().is_absent());
    CHECK_FALSE(row.error.is_upstream());
  }
}

TEST_CASE("E4 a rejection carries how long to wait, if that is known", "[E4]") {
  CHECK(CircuitOpenError{"payments", 30s}.retry_after() == 30s);
  CHECK(BulkheadFullError{"payments", 1min}.retry_after() == 60s);
  CHECK(RateLimitedError{"payments", 0s}.retry_after() == 0s);
  CHECK(ThrottledError{"payments", 2s}.retry_after() == 2s);
  CHECK(CircuitOpenError{"payments", std::nullopt}.retry_after() == std::nullopt);
}

TEST_CASE("E4 a rejection has the name of the policy that refused", "[E4]") {
  CHECK(CircuitOpenError{"payments"}.name() == "payments");
  CHECK(BulkheadFullError{"payments"}.name() == "payments");
  CHECK(RateLimitedError{std::string_view{"payments-eu"}.substr(0, 8)}.name() == "payments");
  CHECK(CircuitOpenError{}.name().empty());
  CHECK(BulkheadFullError{}.name().empty());
  CHECK(RateLimitedError{}.name().empty());
  CHECK(ThrottledError{"payments"}.name() == "payments");
  CHECK(CircuitOpenError{"payments"}.with_path("/pay").from_upstream("bank").name() == "payments");
}

TEST_CASE("E4 a breaker's rejection has its name, and a Retry-After in whole seconds, rounded up", "[E4]") {
  CircuitBreaker breaker{"payments", {.failure_threshold = 1, .reset_timeout = 2500ms}, test::FakeClock{}};
  support::fail(breaker);
  try {
    breaker.execute([] {});
    FAIL("an open breaker admitted a call");
  } catch (const RejectedError& error) {
    CHECK(error.name() == "payments");
    CHECK(error.retry_after() == 3s);
    CHECK(error.message() == "circuit breaker 'payments' is open");
  }
}

TEST_CASE("E4 an error that was sliced can be made anew, with its name and all it said", "[E4]") {
  const auto check = [](const auto& error) {
    using E = std::remove_cvref_t<decltype(error)>;
    const ApiError sliced = error.with_details({{"a", "b"}}).with_path("/path");
    const E again{sliced};
    CHECK(support::same(again, sliced));
    return again;
  };
  CHECK(check(CircuitOpenError{"payments", 5s}).name() == "payments");
  CHECK(check(BulkheadFullError{"payments"}).name() == "payments");
  CHECK(check(RateLimitedError{"payments"}).name() == "payments");
  CHECK(check(ThrottledError{"payments"}).name() == "payments");
  check(TimeoutError{"late"});
  check(CancelledError{"gone"});
  CHECK(RejectedError{ApiError{CircuitOpenError{"payments"}}}.name() == "payments");
  CHECK(RejectedError{ApiError{ErrorCode::service_unavailable}}.name().empty());
}

TEST_CASE("E4 R4 a cancellation carries the failure that it cut short, also sliced and thrown again",
          "[E4][R4]") {
  const auto at = SystemClock{}.wall_now();
  const CancelledError error{"stopped after 2 attempts", at, Failure::from_status(503, 1500ms)};
  CHECK(error.message() == "stopped after 2 attempts");
  CHECK(error.timestamp() == at);
  CHECK(error.reason() == PolicyErrc::cancelled);
  REQUIRE(error.cause());
  CHECK(error.cause()->status() == 503);
  CHECK(error.cause()->retry_after() == 1500ms);

  const ApiError sliced = error.with_path("/path");
  CHECK(CancelledError{sliced}.cause()->status() == 503);
  const Failure failure{sliced};
  CHECK(failure.is_cancellation());
  CHECK(failure.message() == "stopped after 2 attempts");
  try {
    failure.rethrow();
    FAIL("nothing was thrown");
  } catch (const CancelledError& again) {
    REQUIRE(again.cause());
    CHECK(again.cause()->status() == 503);
  }
  CHECK_FALSE(CancelledError{}.cause());
  CHECK_FALSE(CancelledError{ApiError{ErrorCode::gone}}.cause());
}
