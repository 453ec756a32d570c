// fusebox/error_code/status.hpp: what an HTTP error status means: its category, its phrase, whether to retry.
//
// Every function is total: it has an answer for every int.
#pragma once
// IWYU pragma: private, include <fusebox/error_code.hpp>

#include <string_view>

#include <fusebox/error_code/codes.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The phrase of an HTTP error status in the registry of IANA, such as "Not Found". Any other number is a
/// "Client Error" below 500 and a "Server Error" from there on.
[[nodiscard]] constexpr std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 506: return "Variant Also Negotiates";
    case 507: return "Insufficient Storage";
    case 508: return "Loop Detected";
    case 510: return "Not Extended";
    case 511: return "Network Authentication Required";
    default: return status < 500 ? "Client Error" : "Server Error";
  }
}

/// The HTTP status for an error of which only the category is known.
[[nodiscard]] constexpr int http_status(ErrorCategory category) noexcept {
  switch (category) {
    case ErrorCategory::validation: return 400;
    case ErrorCategory::authentication: return 401;
    case ErrorCategory::authorization: return 403;
    case ErrorCategory::not_found: return 404;
    case ErrorCategory::rate_limit: return 429;
    case ErrorCategory::external_service: return 502;
    case ErrorCategory::internal:
    case ErrorCategory::network: break;
  }
  return 500;
}

/// The category of an HTTP status; `internal` for a number that is no error status.
[[nodiscard]] constexpr ErrorCategory category_of(int status) noexcept {
  switch (status) {
    case 401: return ErrorCategory::authentication;
    case 403: return ErrorCategory::authorization;
    case 404:
    case 410: return ErrorCategory::not_found;
    case 408: return ErrorCategory::network;
    case 429: return ErrorCategory::rate_limit;
    case 502:
    case 503:
    case 504: return ErrorCategory::external_service;
    default: return status >= 400 && status < 500 ? ErrorCategory::validation : ErrorCategory::internal;
  }
}

[[nodiscard]] constexpr ErrorCategory category_of(ErrorCode code) noexcept {
  return category_of(static_cast<int>(code));
}

/// True for 408, 429, 500, 502, 503 and 504: the statuses of transient errors.
[[nodiscard]] constexpr bool is_retryable_status(int status) noexcept {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

[[nodiscard]] constexpr bool is_retryable(ErrorCode code) noexcept {
  return is_retryable_status(static_cast<int>(code));
}

/// The HTTP status that stands for a verdict of the library.
[[nodiscard]] constexpr ErrorCode error_code_of(PolicyErrc errc) noexcept {
  switch (errc) {
    case PolicyErrc::rate_limited: return ErrorCode::rate_limit_exceeded;
    case PolicyErrc::timed_out: return ErrorCode::gateway_timeout;
    case PolicyErrc::circuit_open:
    case PolicyErrc::bulkhead_full:
    case PolicyErrc::throttled:
    case PolicyErrc::cancelled: break;
  }
  return ErrorCode::service_unavailable;
}

FUSEBOX_END_NAMESPACE
