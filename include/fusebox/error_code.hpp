// fusebox/error_code.hpp: error codes and categories, and the rules about HTTP statuses.
//
// ErrorCode (HTTP), NetworkErrc and PolicyErrc make std::error_codes; ErrorCategory is a
// std::error_condition enum, so that `ec == ErrorCategory::network` asks what kind of error any
// std::error_code is, whichever library it came from. Everything here is constant and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/fwd.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// The HTTP statuses that an API answers with (RFC 9110 §15.5 and §15.6, RFC 6585 §4).
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

/// What kind of error it is, for the caller who decides what to do about it.
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

/// Transport errors, by the names that POSIX and resolvers give them.
enum class NetworkErrc : int {
  connection_reset = 1,  ///< ECONNRESET
  timed_out,             ///< ETIMEDOUT
  host_not_found,        ///< ENOTFOUND, EAI_NONAME
  connection_refused,    ///< ECONNREFUSED
};

/// The library's own verdicts; they keep their identity wherever an error is only a code.
enum class PolicyErrc : int {
  circuit_open = 1,
  bulkhead_full,
  rate_limited,
  timed_out,
  cancelled,
};

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

[[nodiscard]] constexpr std::string_view to_string(NetworkErrc errc) noexcept {
  switch (errc) {
    case NetworkErrc::connection_reset: return "connection reset";
    case NetworkErrc::timed_out: return "connection timed out";
    case NetworkErrc::host_not_found: return "host not found";
    case NetworkErrc::connection_refused: return "connection refused";
  }
  return "unknown network error";
}

[[nodiscard]] constexpr std::string_view to_string(PolicyErrc errc) noexcept {
  switch (errc) {
    case PolicyErrc::circuit_open: return "circuit breaker is open";
    case PolicyErrc::bulkhead_full: return "bulkhead is full";
    case PolicyErrc::rate_limited: return "rate limit reached";
    case PolicyErrc::timed_out: return "timed out";
    case PolicyErrc::cancelled: return "cancelled";
  }
  return "unknown policy error";
}

/// The phrase of an HTTP error status (RFC 9110 §15, RFC 6585); of its class where it has none here.
[[nodiscard]] constexpr std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return status < 500 ? "Client Error" : "Server Error";
  }
}

/// The HTTP status that an error of this category is answered with when nothing better is known.
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

/// The category of an HTTP status; total: what is no 4xx or 5xx status is `internal`.
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

/// True for 408, 429, 500, 502, 503 and 504: the statuses that may pass by themselves.
[[nodiscard]] constexpr bool is_retryable_status(int status) noexcept {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

[[nodiscard]] constexpr bool is_retryable(ErrorCode code) noexcept {
  return is_retryable_status(static_cast<int>(code));
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI

template <>
struct std::is_error_code_enum<fusebox::ErrorCode> : std::true_type {};
template <>
struct std::is_error_code_enum<fusebox::NetworkErrc> : std::true_type {};
template <>
struct std::is_error_code_enum<fusebox::PolicyErrc> : std::true_type {};
template <>
struct std::is_error_condition_enum<fusebox::ErrorCategory> : std::true_type {};

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

namespace detail {

class FUSEBOX_API ApiErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.http"; }
  [[nodiscard]] std::string message(int status) const override {
    std::string message = "HTTP status " + std::to_string(status);
    const auto text = to_string(static_cast<ErrorCode>(status));
    if (text != "unknown") message.append(" (").append(text).append(")");
    return message;
  }
};

class FUSEBOX_API NetworkErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.network"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<NetworkErrc>(value))};
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<NetworkErrc>(value)) {
      case NetworkErrc::connection_reset: return std::errc::connection_reset;
      case NetworkErrc::timed_out: return std::errc::timed_out;
      case NetworkErrc::connection_refused: return std::errc::connection_refused;
      case NetworkErrc::host_not_found: break;
    }
    return {value, *this};
  }
};

class FUSEBOX_API PolicyErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.policy"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<PolicyErrc>(value))};
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<PolicyErrc>(value)) {
      case PolicyErrc::timed_out: return std::errc::timed_out;
      case PolicyErrc::cancelled: return std::errc::operation_canceled;
      default: return {value, *this};
    }
  }
};

}  // namespace detail

/// The category of ErrorCode: its values are HTTP statuses, also those that the enum does not name.
[[nodiscard]] FUSEBOX_API inline const std::error_category& api_error_category() noexcept {
  static const detail::NoDestroy<detail::ApiErrorCategory> category;
  return *category;
}

[[nodiscard]] FUSEBOX_API inline const std::error_category& network_error_category() noexcept {
  static const detail::NoDestroy<detail::NetworkErrorCategory> category;
  return *category;
}

[[nodiscard]] FUSEBOX_API inline const std::error_category& policy_error_category() noexcept {
  static const detail::NoDestroy<detail::PolicyErrorCategory> category;
  return *category;
}

[[nodiscard]] inline std::error_code make_error_code(ErrorCode code) noexcept {
  return {static_cast<int>(code), api_error_category()};
}
[[nodiscard]] inline std::error_code make_error_code(NetworkErrc errc) noexcept {
  return {static_cast<int>(errc), network_error_category()};
}
[[nodiscard]] inline std::error_code make_error_code(PolicyErrc errc) noexcept {
  return {static_cast<int>(errc), policy_error_category()};
}

/// The HTTP status that the library answers with for its own verdicts.
[[nodiscard]] constexpr ErrorCode error_code_of(PolicyErrc errc) noexcept {
  switch (errc) {
    case PolicyErrc::rate_limited: return ErrorCode::rate_limit_exceeded;
    case PolicyErrc::timed_out: return ErrorCode::gateway_timeout;
    case PolicyErrc::circuit_open:
    case PolicyErrc::bulkhead_full:
    case PolicyErrc::cancelled: break;
  }
  return ErrorCode::service_unavailable;
}

namespace detail {

/// host-not-found of Asio and Boost.Asio (their netdb category: HOST_NOT_FOUND 1, TRY_AGAIN 2) and of
/// their addrinfo kin, recognised by name, so that neither library is needed.
[[nodiscard]] inline bool is_foreign_host_not_found(const std::error_code& code) noexcept {
  const std::string_view category = code.category().name();
  return (category == "asio.netdb" || category == "boost.asio.netdb") &&
         (code.value() == 1 || code.value() == 2);
}

/// code == condition, quickly for the categories whose answer is known.
[[nodiscard]] inline bool matches(const std::error_code& code, std::errc condition) noexcept {
  if (code.category() == api_error_category()) return false;
  if (code.category() == std::generic_category()) return code.value() == static_cast<int>(condition);
  return code == condition;
}

/// A network error as NetworkErrc names it; false for everything else.
[[nodiscard]] inline bool is_network_error(const std::error_code& code) noexcept {
  if (code.category() == network_error_category()) return true;
  if (code.category() == api_error_category() || code.category() == policy_error_category()) return false;
  return matches(code, std::errc::connection_reset) || matches(code, std::errc::timed_out) ||
         matches(code, std::errc::connection_refused) || is_foreign_host_not_found(code);
}

/// The category of any error code; `internal` where nothing tells.
[[nodiscard]] inline ErrorCategory category_of_code(const std::error_code& code) noexcept {
  if (code.category() == api_error_category()) return category_of(code.value());
  if (code.category() == policy_error_category()) {
    return category_of(error_code_of(static_cast<PolicyErrc>(code.value())));
  }
  return is_network_error(code) ? ErrorCategory::network : ErrorCategory::internal;
}

class FUSEBOX_API ErrorCategoryConditions final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.category"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<ErrorCategory>(value))};
  }
  [[nodiscard]] bool equivalent(const std::error_code& code, int condition) const noexcept override {
    if (static_cast<ErrorCategory>(condition) == ErrorCategory::internal) {
      // An unknown code is not said to be ours: internal answers for HTTP statuses only.
      return code && code.category() == api_error_category() &&
             category_of(code.value()) == ErrorCategory::internal;
    }
    return code && category_of_code(code) == static_cast<ErrorCategory>(condition);
  }
};

}  // namespace detail

/// The category that makes `ec == ErrorCategory::network` work.
[[nodiscard]] FUSEBOX_API inline const std::error_category& error_condition_category() noexcept {
  static const detail::NoDestroy<detail::ErrorCategoryConditions> category;
  return *category;
}

[[nodiscard]] inline std::error_condition make_error_condition(ErrorCategory category) noexcept {
  return {static_cast<int>(category), error_condition_category()};
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
