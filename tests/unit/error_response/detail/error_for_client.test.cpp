#include <fusebox/error_response/detail/error_for_client.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/api_errors.hpp"

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

TEST_CASE("H4 a generic error keeps timestamp, request id and path, and a 503 its Retry-After", "[H4]") {
  const auto of_503 = for_client(upstream(ErrorCode::service_unavailable)
                                     .with_timestamp(noon)
                                     .with_request_id("r")
                                     .with_path("/p")
                                     .with_retry_after(9s));
  CHECK(of_503.timestamp() == noon);
  CHECK(of_503.request_id() == "r");
  CHECK(of_503.path() == "/p");
  CHECK(of_503.retry_after() == 9s);
  CHECK_FALSE(for_client(upstream(ErrorCode::bad_gateway).with_retry_after(9s)).retry_after());
  CHECK_FALSE(for_client(upstream(ErrorCode::service_unavailable)).retry_after());
  CHECK(for_client(CircuitOpenError{"b", 30s}).retry_after() == 30s);
  CHECK(for_client(CircuitOpenError{"b"}).retry_after() == 1s);
}
