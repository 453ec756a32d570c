#include <fusebox/error_code/detail/category_types.hpp>

#include <system_error>

#include <fusebox/error_code/categories.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("E1 the message of a code names its HTTP status, or is its sentence", "[E1]") {
  CHECK(make_error_code(ErrorCode::not_found).message() == "HTTP status 404 (not_found)");
  CHECK(make_error_code(ErrorCode::bad_request).message() == "HTTP status 400 (validation_error)");
  CHECK(std::error_code(418, http_category()).message() == "HTTP status 418");
  CHECK(make_error_code(NetworkErrc::host_not_found).message() == "host not found");
  CHECK(std::error_code(99, network_error_category()).message() == "unknown network error");
  CHECK(make_error_code(PolicyErrc::bulkhead_full).message() == "bulkhead is full");
  CHECK(std::error_code(99, policy_error_category()).message() == "unknown policy error");
}

TEST_CASE("E1 a NetworkErrc equals its POSIX condition, and no other", "[E1]") {
  for (const NetworkErrc errc : {NetworkErrc::connection_reset, NetworkErrc::timed_out,
                                 NetworkErrc::host_not_found, NetworkErrc::connection_refused}) {
    const std::error_code code = errc;
    CAPTURE(code.message());
    CHECK((code == std::errc::connection_reset) == (errc == NetworkErrc::connection_reset));
    CHECK((code == std::errc::timed_out) == (errc == NetworkErrc::timed_out));
    CHECK((code == std::errc::connection_refused) == (errc == NetworkErrc::connection_refused));
    CHECK(code != std::errc::operation_canceled);
  }
}

TEST_CASE("E1 cancelled equals operation_canceled, timed_out equals timed_out; a rejection equals neither",
          "[E1]") {
  for (const PolicyErrc errc : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited,
                                PolicyErrc::timed_out, PolicyErrc::cancelled}) {
    const std::error_code code = errc;
    CAPTURE(code.message());
    CHECK((code == std::errc::operation_canceled) == (errc == PolicyErrc::cancelled));
    CHECK((code == std::errc::timed_out) == (errc == PolicyErrc::timed_out));
    CHECK(code != std::errc::connection_refused);
  }
}

TEST_CASE("E1 a POSIX code does not equal its PolicyErrc or NetworkErrc", "[E1]") {
  CHECK(std::make_error_code(std::errc::operation_canceled) != PolicyErrc::cancelled);
  CHECK(std::make_error_code(std::errc::timed_out) != PolicyErrc::timed_out);
  CHECK(std::make_error_code(std::errc::timed_out) != NetworkErrc::timed_out);
  CHECK(make_error_code(PolicyErrc::timed_out) != NetworkErrc::timed_out);
}
