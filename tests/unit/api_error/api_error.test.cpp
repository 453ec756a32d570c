#include <fusebox/api_error/api_error.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("E2 an ApiError has a code and a message, and its category comes from the code", "[E2]") {
  const ApiError error{ErrorCode::rate_limit_exceeded, "slow down"};
  CHECK(error.code() == ErrorCode::rate_limit_exceeded);
  CHECK(error.category() == ErrorCategory::rate_limit);
  CHECK(error.message() == "slow down");
  CHECK(std::string_view{error.what()} == "slow down");
  CHECK(error.reason() == ErrorCode::rate_limit_exceeded);
}

TEST_CASE("E2 what was not given is absent", "[E2]") {
  const ApiError error{ErrorCode::not_found, "no such order"};
  CHECK(error.details().is_absent());
  CHECK(error.request_id().empty());
  CHECK(error.path().empty());
  CHECK_FALSE(error.retry_after());
  CHECK_FALSE(error.is_upstream());
  CHECK(error.upstream().empty());
}

TEST_CASE("E2 without a message the error says the phrase of its status", "[E2]") {
  CHECK(ApiError{ErrorCode::not_found}.message() == "Not Found");
  CHECK(ApiError{ErrorCode::not_found, ""}.message().empty());
}

TEST_CASE("E2 a status without an ErrorCode is kept", "[E2]") {
  const ApiError error{static_cast<ErrorCode>(418), "teapot"};
  CHECK(static_cast<int>(error.code()) == 418);
  CHECK(error.category() == ErrorCategory::validation);
  CHECK(error.reason() == std::error_code{418, http_category()});
}

TEST_CASE("E2 the message may be any string, and is copied", "[E2]") {
  std::string text = "orders: no such order";
  const ApiError from_string{ErrorCode::not_found, text};
  const ApiError from_view{ErrorCode::not_found, std::string_view{text}.substr(8, 7)};
  text.assign(text.size(), '?');
  CHECK(from_string.message() == "orders: no such order");
  CHECK(from_view.message() == "no such");
}

TEST_CASE("E2 the category may be given", "[E2]") {
  const ApiError error{ErrorCode::validation_error, ErrorCategory::internal, "odd"};
  CHECK(error.code() == ErrorCode::validation_error);
  CHECK(error.category() == ErrorCategory::internal);
  CHECK(error.message() == "odd");
}

TEST_CASE("E2 an adapter gives the reason and the time too", "[E2]") {
  constexpr auto noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;
  const ApiError error{ErrorCode::bad_gateway, "reset", NetworkErrc::connection_reset, noon};
  CHECK(error.code() == ErrorCode::bad_gateway);
  CHECK(error.category() == ErrorCategory::external_service);
  CHECK(error.reason() == NetworkErrc::connection_reset);
  CHECK(error.timestamp() == noon);
}
