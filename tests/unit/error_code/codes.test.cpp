#include <fusebox/error_code/codes.hpp>

#include <string_view>

#include "catch.hpp"

using namespace fusebox;

namespace {

template <class E>
constexpr bool is(E value, int number, std::string_view text) {
  return static_cast<int>(value) == number && to_string(value) == text;
}

constexpr bool is_unknown(int status) { return to_string(static_cast<ErrorCode>(status)) == "unknown"; }

}  // namespace

TEST_CASE("E9 H11 each ErrorCode is an HTTP status", "[E9][H11]") {
  STATIC_REQUIRE(is(ErrorCode::validation_error, 400, "validation_error"));
  STATIC_REQUIRE(is(ErrorCode::bad_request, 400, "validation_error"));
  STATIC_REQUIRE(is(ErrorCode::unauthorized, 401, "unauthorized"));
  STATIC_REQUIRE(is(ErrorCode::forbidden, 403, "forbidden"));
  STATIC_REQUIRE(is(ErrorCode::not_found, 404, "not_found"));
  STATIC_REQUIRE(is(ErrorCode::method_not_allowed, 405, "method_not_allowed"));
  STATIC_REQUIRE(is(ErrorCode::request_timeout, 408, "request_timeout"));
  STATIC_REQUIRE(is(ErrorCode::conflict, 409, "conflict"));
  STATIC_REQUIRE(is(ErrorCode::gone, 410, "gone"));
  STATIC_REQUIRE(is(ErrorCode::payload_too_large, 413, "payload_too_large"));
  STATIC_REQUIRE(is(ErrorCode::unprocessable_content, 422, "unprocessable_content"));
  STATIC_REQUIRE(is(ErrorCode::rate_limit_exceeded, 429, "rate_limit_exceeded"));
  STATIC_REQUIRE(is(ErrorCode::internal_server_error, 500, "internal_server_error"));
  STATIC_REQUIRE(is(ErrorCode::not_implemented, 501, "not_implemented"));
  STATIC_REQUIRE(is(ErrorCode::bad_gateway, 502, "bad_gateway"));
  STATIC_REQUIRE(is(ErrorCode::service_unavailable, 503, "service_unavailable"));
  STATIC_REQUIRE(is(ErrorCode::gateway_timeout, 504, "gateway_timeout"));
  STATIC_REQUIRE(is_unknown(-1) && is_unknown(0) && is_unknown(200) && is_unknown(399) && is_unknown(402));
  STATIC_REQUIRE(is_unknown(418) && is_unknown(499) && is_unknown(505) && is_unknown(599) &&
                 is_unknown(1000));
  STATIC_REQUIRE(noexcept(to_string(ErrorCode{})));
}

TEST_CASE("E9 H11 ErrorCategory counts from 1", "[E9][H11]") {
  STATIC_REQUIRE(is(ErrorCategory::validation, 1, "validation"));
  STATIC_REQUIRE(is(ErrorCategory::authentication, 2, "authentication"));
  STATIC_REQUIRE(is(ErrorCategory::authorization, 3, "authorization"));
  STATIC_REQUIRE(is(ErrorCategory::not_found, 4, "not_found"));
  STATIC_REQUIRE(is(ErrorCategory::rate_limit, 5, "rate_limit"));
  STATIC_REQUIRE(is(ErrorCategory::external_service, 6, "external_service"));
  STATIC_REQUIRE(is(ErrorCategory::internal, 7, "internal"));
  STATIC_REQUIRE(is(ErrorCategory::network, 8, "network"));
  STATIC_REQUIRE(is(ErrorCategory{}, 0, "unknown"));
  STATIC_REQUIRE(is(ErrorCategory{9}, 9, "unknown"));
  STATIC_REQUIRE(noexcept(to_string(ErrorCategory{})));
}

TEST_CASE("E9 H11 NetworkErrc and PolicyErrc count from 1 and read as sentences", "[E9][H11]") {
  STATIC_REQUIRE(is(NetworkErrc::connection_reset, 1, "connection reset"));
  STATIC_REQUIRE(is(NetworkErrc::timed_out, 2, "connection timed out"));
  STATIC_REQUIRE(is(NetworkErrc::host_not_found, 3, "host not found"));
  STATIC_REQUIRE(is(NetworkErrc::connection_refused, 4, "connection refused"));
  STATIC_REQUIRE(is(NetworkErrc{}, 0, "unknown network error"));
  STATIC_REQUIRE(noexcept(to_string(NetworkErrc{})));

  STATIC_REQUIRE(is(PolicyErrc::circuit_open, 1, "circuit breaker is open"));
  STATIC_REQUIRE(is(PolicyErrc::bulkhead_full, 2, "bulkhead is full"));
  STATIC_REQUIRE(is(PolicyErrc::rate_limited, 3, "rate limit reached"));
  STATIC_REQUIRE(is(PolicyErrc::timed_out, 4, "timed out"));
  STATIC_REQUIRE(is(PolicyErrc::cancelled, 5, "cancelled"));
  STATIC_REQUIRE(is(PolicyErrc::throttled, 6, "throttled"));
  STATIC_REQUIRE(is(PolicyErrc{}, 0, "unknown policy error"));
  STATIC_REQUIRE(noexcept(to_string(PolicyErrc{})));
}
