#include <fusebox/api_error/detail/error_data.hpp>

#include <fusebox/api_error.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"
#include "support/api_errors.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using namespace std::string_literals;
using support::same;

TEST_CASE("E2 each with_ function changes its own part and no other", "[E2]") {
  constexpr auto noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;
  const ApiError error{ErrorCode::not_found, "no such order", ErrorCode::not_found, noon};
  CHECK(error.with_category(ErrorCategory::internal).category() == ErrorCategory::internal);
  CHECK(error.with_details("42").details() == ErrorDetails{"42"});
  CHECK(error.with_request_id("req_1").request_id() == "req_1");
  CHECK(error.with_path("/orders/42").path() == "/orders/42");
  CHECK(error.with_retry_after(60s).retry_after() == 60s);
  CHECK(error.with_timestamp(noon + 1h).timestamp() == noon + 1h);

  CHECK(same(error.with_category(ErrorCategory::internal).with_category(ErrorCategory::not_found), error));
  CHECK(same(error.with_details("42").with_details({}), error));
  CHECK(same(error.with_request_id("req_1").with_request_id(""), error));
  CHECK(same(error.with_path("/orders/42").with_path(""), error));
  CHECK(same(error.with_timestamp(noon + 1h).with_timestamp(noon), error));
}

TEST_CASE("E2 the later of two with_ calls counts", "[E2]") {
  const auto error = ApiError{ErrorCode::conflict}
                         .with_details("first")
                         .with_path("/first")
                         .with_retry_after(1s)
                         .with_details({{"second", "field"}})
                         .with_path("/second")
                         .with_retry_after(2min);
  CHECK(error.details() == ErrorDetails{{"second", "field"}});
  CHECK(error.path() == "/second");
  CHECK(error.retry_after() == 120s);
}

TEST_CASE("E2 two errors made from one do not see each other's changes", "[E2]") {
  const auto common = ApiError{ErrorCode::conflict}.with_request_id("req_1");
  const auto left = common.with_path("/left");
  const auto right = common.with_path("/right");
  CHECK(common.path().empty());
  CHECK(left.path() == "/left");
  CHECK(right.path() == "/right");
  CHECK(left.request_id() == "req_1");
  CHECK(right.request_id() == "req_1");
}

TEST_CASE("E8 what() shows no control characters and no invalid UTF-8, message() gives what was given",
          "[E8]") {
  const std::string odd = "a\nb\x1b[31m\x7f\xc2\x85\xff\xc3\xa9";
  const std::string shown =
      "a\xEF\xBF\xBD"
      "b\xEF\xBF\xBD[31m\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa9";
  const ApiError error{ErrorCode::gone, odd};
  CHECK(error.what() == shown);
  CHECK(error.message() == odd);
  CHECK(ApiError{error.with_path("/p")}.message() == odd);
  CHECK(CircuitOpenError{odd}.what() == "circuit breaker '" + shown + "' is open");
  CHECK(CircuitOpenError{odd}.name() == odd);
  CHECK(TimeoutError{odd}.what() == shown);
  CHECK(CancelledError{odd}.what() == shown);
}

TEST_CASE("E2 a NUL in a message becomes U+FFFD", "[E2]") {
  CHECK(detail::error_text("a\0b\0"s).what() == "a\xEF\xBF\xBD"s + "b\xEF\xBF\xBD");
  CHECK(ApiError{ErrorCode::gone, "a\0b"s}.message() == "a\xEF\xBF\xBD"s + "b");
  CHECK(CircuitOpenError{"a\0b"s}.message() == "circuit breaker 'a\xEF\xBF\xBD"s + "b' is open");
  CHECK(CircuitOpenError{"a\0b"s}.name() == "a\0b"s);
}

TEST_CASE("E5 from_upstream marks an error that repeats the answer of another service", "[E5]") {
  const auto error = ApiError{ErrorCode::bad_gateway, "orders: HTTP status 502"}.from_upstream("orders");
  CHECK(error.is_upstream());
  CHECK(error.upstream() == "orders");
  CHECK(error.message() == "orders: HTTP status 502");
  CHECK(error.code() == ErrorCode::bad_gateway);
  CHECK(error.reason() == ErrorCode::bad_gateway);
  CHECK(ApiError{ErrorCode::bad_gateway}.from_upstream("").is_upstream());
}
