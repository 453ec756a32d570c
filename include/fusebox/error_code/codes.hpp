// fusebox/error_code/codes.hpp: ErrorCode, ErrorCategory, NetworkErrc, PolicyErrc and their names.
//
// Comparing them with a std::error_code needs <fusebox/error_code.hpp>.
#pragma once
// IWYU pragma: private, include <fusebox/error_code.hpp>

#include <string_view>
#include <system_error>
#include <type_traits>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The HTTP error statuses of an API (RFC 9110 §15.5 and §15.6, RFC 6585 §4).
enum class ErrorCode : int {
  validation_error = 400,
  bad_request = validation_error,
  unauthorized = 401,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  request_timeout = 408,
  conflict = 409,
  gone = 410,
  payload_too_large = 413,
  unprocessable_content = 422,
  rate_limit_exceeded = 429,
  internal_server_error = 500,
  not_implemented = 501,
  bad_gateway = 502,
  service_unavailable = 503,
  gateway_timeout = 504,
};

/// The kind of an error: what a caller decides by.
enum class ErrorCategory : int {
  validation = 1,
  authentication,
  authorization,
  not_found,
  rate_limit,
  external_service,
  internal,
  network,
};

/// Transport errors, as POSIX and resolvers name them.
enum class NetworkErrc : int {
  connection_reset = 1,  ///< ECONNRESET
  timed_out,             ///< ETIMEDOUT
  host_not_found,        ///< ENOTFOUND, EAI_NONAME
  connection_refused,    ///< ECONNREFUSED
};

/// The library's own verdicts; they keep their identity wherever an error is only a code.
enum class PolicyErrc : int {
  circuit_open = 1,  ///< an open circuit breaker rejected the call
  bulkhead_full,     ///< a bulkhead without a free slot rejected the call
  rate_limited,      ///< our own rate limit rejected the call
  timed_out,         ///< the call did not end in time
  cancelled,         ///< the caller ended the call
  throttled,         ///< a throttle rejected the call, to spare a dependency that accepts too few
};

/// The enumerator's name; "unknown" for any other value.
[[nodiscard]] constexpr std::string_view to_string(ErrorCategory category) noexcept {
  switch (category) {
    case ErrorCategory::validation: return "validation";
    case ErrorCategory::authentication: return "authentication";
    case ErrorCategory::authorization: return "authorization";
    case ErrorCategory::not_found: return "not_found";
    case ErrorCategory::rate_limit: return "rate_limit";
    case ErrorCategory::external_service: return "external_service";
    case ErrorCategory::internal: return "internal";
    case ErrorCategory::network: return "network";
  }
  return "unknown";
}

/// The enumerator's name, "validation_error" for 400; "unknown" for any other status.
[[nodiscard]] constexpr std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::validation_error: return "validation_error";
    case ErrorCode::unauthorized: return "unauthorized";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::method_not_allowed: return "method_not_allowed";
    case ErrorCode::request_timeout: return "request_timeout";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::gone: return "gone";
    case ErrorCode::payload_too_large: return "payload_too_large";
    case ErrorCode::unprocessable_content: return "unprocessable_content";
    case ErrorCode::rate_limit_exceeded: return "rate_limit_exceeded";
    case ErrorCode::internal_server_error: return "internal_server_error";
    case ErrorCode::not_implemented: return "not_implemented";
    case ErrorCode::bad_gateway: return "bad_gateway";
    case ErrorCode::service_unavailable: return "service_unavailable";
    case ErrorCode::gateway_timeout: return "gateway_timeout";
  }
  return "unknown";
}

/// The message of the error code.
[[nodiscard]] constexpr std::string_view to_string(NetworkErrc errc) noexcept {
  switch (errc) {
    case NetworkErrc::connection_reset: return "connection reset";
    case NetworkErrc::timed_out: return "connection timed out";
    case NetworkErrc::host_not_found: return "host not found";
    case NetworkErrc::connection_refused: return "connection refused";
  }
  return "unknown network error";
}

/// The message of the error code.
[[nodiscard]] constexpr std::string_view to_string(PolicyErrc errc) noexcept {
  switch (errc) {
    case PolicyErrc::circuit_open: return "circuit breaker is open";
    case PolicyErrc::bulkhead_full: return "bulkhead is full";
    case PolicyErrc::rate_limited: return "rate limit reached";
    case PolicyErrc::timed_out: return "timed out";
    case PolicyErrc::cancelled: return "cancelled";
    case PolicyErrc::throttled: return "throttled";
  }
  return "unknown policy error";
}

FUSEBOX_END_NAMESPACE

template <>
struct std::is_error_code_enum<fusebox::ErrorCode> : std::true_type {};
template <>
struct std::is_error_code_enum<fusebox::NetworkErrc> : std::true_type {};
template <>
struct std::is_error_code_enum<fusebox::PolicyErrc> : std::true_type {};
template <>
struct std::is_error_condition_enum<fusebox::ErrorCategory> : std::true_type {};
