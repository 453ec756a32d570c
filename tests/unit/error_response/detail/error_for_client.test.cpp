#include <fusebox/error_response/detail/error_for_client.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/api_errors.hpp"
#include "support/error_categories.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr auto noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

template <class E>
ApiError for_client(const E& error) {
  return detail::error_for_client(std::make_exception_ptr(error));
}

const char* generic_message(int status) {
  switch (status) {
    case 502: return "An upstream service failed";
    case 503: return "Service temporarily unavailable";
    case 504: return "An upstream service did not answer in time";
    default: return "Internal server error";
  }
}

void check_generic(const ApiError& error, int status) {
  CHECK(error.message() == generic_message(status));
  CHECK(static_cast<int>(error.code()) == status);
  CHECK(error.category() == (status == 500 ? ErrorCategory::internal : ErrorCategory::external_service));
  CHECK(error.reason() == error.code());
  CHECK(error.details().is_absent());
}

ApiError upstream(ErrorCode code) {
  return ApiError{code, "secret"}.with_details("secret").from_upstream("secret-service");
}

/// What a client sees of a failure that is thrown again.
ApiError rethrown(const Failure& failure) {
  try {
    failure.rethrow();
  } catch (...) {
    return detail::error_for_client(std::current_exception());
  }
}

std::system_error thrown_code(std::error_code code) { return {code, "secret"}; }

}  // namespace

TEST_CASE("H4 an ApiError made for the client goes as it is", "[H4]") {
  const auto conflict = ApiError{ErrorCode::conflict, "That name is taken"}.with_details("try another");
  CHECK(support::same(for_client(conflict), conflict));
  const ApiError timeout{ErrorCode::request_timeout, "Send it again"};
  CHECK(support::same(for_client(timeout), timeout));
}

TEST_CASE("H4 an error from upstream becomes a generic one", "[H4]") {
  check_generic(for_client(upstream(ErrorCode::not_found)), 502);
  check_generic(for_client(upstream(ErrorCode::unauthorized)), 502);
  check_generic(for_client(upstream(ErrorCode::internal_server_error)), 502);
  check_generic(for_client(upstream(ErrorCode::bad_gateway)), 502);
  check_generic(for_client(upstream(ErrorCode::service_unavailable)), 503);
  check_generic(for_client(upstream(ErrorCode::rate_limit_exceeded)), 503);
  check_generic(for_client(upstream(ErrorCode::gateway_timeout)), 504);
  check_generic(for_client(upstream(ErrorCode::request_timeout)), 504);
}

TEST_CASE("H4 one of the library's own errors, or its code, becomes a generic one", "[H4]") {
  check_generic(for_client(CircuitOpenError{"secret", 30s}), 503);
  check_generic(for_client(BulkheadFullError{"secret"}), 503);
  check_generic(for_client(RateLimitedError{"secret"}), 503);
  check_generic(for_client(ThrottledError{"secret"}), 503);
  check_generic(for_client(TimeoutError{"secret"}), 504);
  check_generic(for_client(CancelledError{"secret"}), 503);
  check_generic(for_client(ApiError{CircuitOpenError{"secret"}}), 503);
  check_generic(for_client(thrown_code(PolicyErrc::circuit_open)), 503);
  check_generic(for_client(thrown_code(PolicyErrc::cancelled)), 503);
  check_generic(for_client(thrown_code(std::make_error_code(std::errc::operation_canceled))), 503);
}

TEST_CASE("H4 a network error becomes a generic one", "[H4]") {
  check_generic(for_client(ApiError{ErrorCode::bad_gateway, "secret"}.with_category(ErrorCategory::network)),
                502);
  check_generic(for_client(ApiError{ErrorCode::bad_gateway, "secret", NetworkErrc::timed_out, noon}), 504);
  check_generic(for_client(thrown_code(NetworkErrc::host_not_found)), 502);
  check_generic(for_client(thrown_code(std::make_error_code(std::errc::connection_refused))), 502);
  check_generic(for_client(thrown_code(std::make_error_code(std::errc::timed_out))), 504);
}

TEST_CASE("H4 anything else becomes a generic 500", "[H4]") {
  struct Mystery {};
  for (const ApiError& error :
       {for_client(std::runtime_error{"secret"}), for_client(42), for_client(Mystery{}),
        for_client(thrown_code(std::make_error_code(std::errc::no_such_file_or_directory))),
        detail::error_for_client(nullptr)}) {
    check_generic(error, 500);
  }
}

TEST_CASE("H4 an error made from a value becomes a generic one", "[H4]") {
  check_generic(rethrown(Failure{std::error_code{7, support::NamedCategory{"secret"}}}), 502);
  check_generic(rethrown(Failure{ApiError{ErrorCode::validation_error, "secret"}}), 502);
  check_generic(rethrown(Failure{ApiError{ErrorCode::request_timeout, "secret"}}), 504);
  check_generic(rethrown(Failure{make_error_code(ErrorCode::not_found)}), 502);
  check_generic(rethrown(Failure::from_status(404)), 502);
  check_generic(rethrown(Failure::from_status(503)), 503);
  check_generic(rethrown(Failure{make_error_code(NetworkErrc::timed_out)}), 504);
  check_generic(rethrown(Failure{std::error_code{}}), 502);
  check_generic(rethrown(Failure{make_error_code(PolicyErrc::circuit_open)}), 503);
}

TEST_CASE("H4 an error made from a value stays generic when it is copied, changed or thrown again", "[H4]") {
  const Failure failure{make_error_code(ErrorCode::conflict)};
  try {
    failure.rethrow();
  } catch (const ApiError& error) {
    check_generic(for_client(ApiError{error}), 502);
    check_generic(
        for_client(error.with_details("secret").with_path("/p").with_category(ErrorCategory::validation)),
        502);
    check_generic(rethrown(Failure{error}), 502);
    check_generic(rethrown(Failure::from_current_exception()), 502);
  }
}

TEST_CASE("H4 an ApiError that the program threw passes through a Failure as it is", "[H4]") {
  const ApiError conflict{ErrorCode::conflict, "That name is taken"};
  const auto thrown = Failure::from_exception(std::make_exception_ptr(conflict));
  CHECK(support::same(rethrown(thrown), conflict));
}

TEST_CASE("H4 a generic error has no request id and no path of another service", "[H4]") {
  for (const ApiError& error :
       {for_client(upstream(ErrorCode::not_found).with_request_id("secret").with_path("/secret")),
        rethrown(Failure{ApiError{ErrorCode::conflict}.with_request_id("secret").with_path("/secret")})}) {
    CHECK(error.request_id().empty());
    CHECK(error.path().empty());
  }
}

TEST_CASE("E7 H4 what an upstream asks beyond 24 hours is not passed on", "[E7][H4]") {
  const auto wait = [](auto asked) {
    return for_client(upstream(ErrorCode::service_unavailable).with_retry_after(asked)).retry_after();
  };
  CHECK(wait(24h) == 24h);
  CHECK_FALSE(wait(24h + 1ms));
  CHECK_FALSE(wait(std::chrono::seconds::max()));
  CHECK_FALSE(rethrown(Failure::from_status(503, std::chrono::seconds::max())).retry_after());
  CHECK(rethrown(Failure::from_status(503, 1500ms)).retry_after() == 1500ms);
  CHECK(for_client(CircuitOpenError{"b", 25h}).retry_after() == 25h);  // our own: capped when it is sent
}

TEST_CASE("H4 a generic error keeps the timestamp, our own request id and path, and a 503 its Retry-After",
          "[H4]") {
  const auto of_503 =
      for_client(CircuitOpenError{"b", 9s}.with_timestamp(noon).with_request_id("r").with_path("/p"));
  CHECK(of_503.timestamp() == noon);
  CHECK(of_503.request_id() == "r");
  CHECK(of_503.path() == "/p");
  CHECK(for_client(upstream(ErrorCode::service_unavailable).with_timestamp(noon)).timestamp() == noon);
  CHECK(for_client(upstream(ErrorCode::service_unavailable).with_retry_after(9s)).retry_after() == 9s);
  CHECK_FALSE(for_client(upstream(ErrorCode::bad_gateway).with_retry_after(9s)).retry_after());
  CHECK_FALSE(for_client(upstream(ErrorCode::service_unavailable)).retry_after());
  CHECK(for_client(CircuitOpenError{"b", 30s}).retry_after() == 30s);
  CHECK(for_client(CircuitOpenError{"b"}).retry_after() == 1s);
}
