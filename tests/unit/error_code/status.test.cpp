#include <fusebox/error_code/status.hpp>

#include <limits>

#include "catch.hpp"

using namespace fusebox;

namespace {

constexpr ErrorCategory expected_category(int status) {
  switch (status) {
    case 401: return ErrorCategory::authentication;
    case 403: return ErrorCategory::authorization;
    case 404: return ErrorCategory::not_found;
    case 408: return ErrorCategory::network;
    case 410: return ErrorCategory::not_found;
    case 429: return ErrorCategory::rate_limit;
    case 502: return ErrorCategory::external_service;
    case 503: return ErrorCategory::external_service;
    case 504: return ErrorCategory::external_service;
    default: break;
  }
  return status / 100 == 4 && status > 0 ? ErrorCategory::validation : ErrorCategory::internal;
}

constexpr bool expected_retryable(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

constexpr bool is_as_expected(int status) {
  return category_of(status) == expected_category(status) &&
         category_of(static_cast<ErrorCode>(status)) == expected_category(status) &&
         is_retryable_status(status) == expected_retryable(status) &&
         is_retryable(static_cast<ErrorCode>(status)) == expected_retryable(status);
}

constexpr bool all_are_as_expected(int first, int last) {
  for (int status = first; status <= last; ++status) {
    if (!is_as_expected(status)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("E10 category_of and is_retryable are total", "[E10]") {
  STATIC_REQUIRE(all_are_as_expected(-1000, 1100));
  STATIC_REQUIRE(is_as_expected(std::numeric_limits<int>::min()));
  STATIC_REQUIRE(is_as_expected(std::numeric_limits<int>::max()));
  STATIC_REQUIRE(noexcept(category_of(0)) && noexcept(category_of(ErrorCode{})));
  STATIC_REQUIRE(noexcept(is_retryable_status(0)) && noexcept(is_retryable(ErrorCode{})));
}

TEST_CASE("E10 http_status of each category", "[E10]") {
  STATIC_REQUIRE(http_status(ErrorCategory::validation) == 400);
  STATIC_REQUIRE(http_status(ErrorCategory::authentication) == 401);
  STATIC_REQUIRE(http_status(ErrorCategory::authorization) == 403);
  STATIC_REQUIRE(http_status(ErrorCategory::not_found) == 404);
  STATIC_REQUIRE(http_status(ErrorCategory::rate_limit) == 429);
  STATIC_REQUIRE(http_status(ErrorCategory::external_service) == 502);
  STATIC_REQUIRE(http_status(ErrorCategory::internal) == 500);
  STATIC_REQUIRE(http_status(ErrorCategory::network) == 500);
  STATIC_REQUIRE(http_status(ErrorCategory{}) == 500);
  STATIC_REQUIRE(noexcept(http_status(ErrorCategory{})));
}

TEST_CASE("E9 error_code_of gives the status of each PolicyErrc", "[E9]") {
  STATIC_REQUIRE(error_code_of(PolicyErrc::circuit_open) == ErrorCode::service_unavailable);
  STATIC_REQUIRE(error_code_of(PolicyErrc::bulkhead_full) == ErrorCode::service_unavailable);
  STATIC_REQUIRE(error_code_of(PolicyErrc::rate_limited) == ErrorCode::rate_limit_exceeded);
  STATIC_REQUIRE(error_code_of(PolicyErrc::timed_out) == ErrorCode::gateway_timeout);
  STATIC_REQUIRE(error_code_of(PolicyErrc::throttled) == ErrorCode::service_unavailable);
  STATIC_REQUIRE(error_code_of(PolicyErrc::cancelled) == ErrorCode::service_unavailable);
}

TEST_CASE("E10 an error status has the phrase of RFC 9110 or RFC 6585, any other that of its class",
          "[E10]") {
  STATIC_REQUIRE(reason_phrase(400) == "Bad Request");
  STATIC_REQUIRE(reason_phrase(401) == "Unauthorized");
  STATIC_REQUIRE(reason_phrase(402) == "Payment Required");
  STATIC_REQUIRE(reason_phrase(403) == "Forbidden");
  STATIC_REQUIRE(reason_phrase(404) == "Not Found");
  STATIC_REQUIRE(reason_phrase(405) == "Method Not Allowed");
  STATIC_REQUIRE(reason_phrase(406) == "Not Acceptable");
  STATIC_REQUIRE(reason_phrase(408) == "Request Timeout");
  STATIC_REQUIRE(reason_phrase(409) == "Conflict");
  STATIC_REQUIRE(reason_phrase(410) == "Gone");
  STATIC_REQUIRE(reason_phrase(411) == "Length Required");
  STATIC_REQUIRE(reason_phrase(412) == "Precondition Failed");
  STATIC_REQUIRE(reason_phrase(413) == "Content Too Large");
  STATIC_REQUIRE(reason_phrase(414) == "URI Too Long");
  STATIC_REQUIRE(reason_phrase(415) == "Unsupported Media Type");
  STATIC_REQUIRE(reason_phrase(416) == "Range Not Satisfiable");
  STATIC_REQUIRE(reason_phrase(422) == "Unprocessable Content");
  STATIC_REQUIRE(reason_phrase(428) == "Precondition Required");
  STATIC_REQUIRE(reason_phrase(429) == "Too Many Requests");
  STATIC_REQUIRE(reason_phrase(431) == "Request Header Fields Too Large");
  STATIC_REQUIRE(reason_phrase(499) == "Client Error");
  STATIC_REQUIRE(reason_phrase(500) == "Internal Server Error");
  STATIC_REQUIRE(reason_phrase(501) == "Not Implemented");
  STATIC_REQUIRE(reason_phrase(502) == "Bad Gateway");
  STATIC_REQUIRE(reason_phrase(503) == "Service Unavailable");
  STATIC_REQUIRE(reason_phrase(504) == "Gateway Timeout");
  STATIC_REQUIRE(reason_phrase(505) == "HTTP Version Not Supported");
  STATIC_REQUIRE(reason_phrase(506) == "Variant Also Negotiates");
}

TEST_CASE("E10 further statuses have the phrases of IANA's registry", "[E10][H10]") {
  STATIC_REQUIRE(reason_phrase(407) == "Proxy Authentication Required");
  STATIC_REQUIRE(reason_phrase(417) == "Expectation Failed");
  STATIC_REQUIRE(reason_phrase(421) == "Misdirected Request");
  STATIC_REQUIRE(reason_phrase(423) == "Locked");
  STATIC_REQUIRE(reason_phrase(424) == "Failed Dependency");
  STATIC_REQUIRE(reason_phrase(425) == "Too Early");
  STATIC_REQUIRE(reason_phrase(426) == "Upgrade Required");
  STATIC_REQUIRE(reason_phrase(451) == "Unavailable For Legal Reasons");
  STATIC_REQUIRE(reason_phrase(507) == "Insufficient Storage");
  STATIC_REQUIRE(reason_phrase(508) == "Loop Detected");
  STATIC_REQUIRE(reason_phrase(510) == "Not Extended");
  STATIC_REQUIRE(reason_phrase(511) == "Network Authentication Required");
}
