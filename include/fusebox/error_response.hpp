// fusebox/error_response.hpp: errors as HTTP responses that every client can read.
//
//   to_json, to_problem_json    the document of an ApiError: the guide's, and RFC 9457's
//   send_api_error and kin      fill a response of any HTTP library
//   send_exception              the same for whatever was thrown, without telling what is nobody's business
//
// A response type is known by its shape (cpp-httplib's, Beast's); another one needs one function, found
// by argument-dependent lookup: `void write_response(MyResponse&, const fusebox::HttpResponse&)`.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/error_response/detail/json_check.hpp>
#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// Which request is answered; an error's own request_id and path come first.
struct RequestInfo {
  std::string request_id = {};
  std::string path = {};
};

/// A response, apart from any HTTP library.
struct HttpResponse {
  int status = 500;
  std::string content_type = "application/json";
  std::string body = {};
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  ///< of the Retry-After field
};

namespace detail {

inline void append_details(std::string& out, const ErrorDetails& details) {
  switch (details.kind()) {
    case ErrorDetails::Kind::absent: out.append("null"); break;
    case ErrorDetails::Kind::text: append_json_string(out, details.text()); break;
    case ErrorDetails::Kind::fields: {
      JsonObject object{out};
      for (const auto& [name, text] : details.fields()) object.text(name, text);
      break;
    }
    case ErrorDetails::Kind::json:
      if (JsonChecker::is_value(details.text())) {
        out.append(details.text());
      } else {
        append_json_string(out, details.text());
      }
      break;
  }
}

/// The status that an error is answered with: its code, where that is an HTTP error.
[[nodiscard]] inline int response_status(const ApiError& error) noexcept {
  const int status = static_cast<int>(error.code());
  return status >= 400 && status <= 599 ? status : 500;
}

[[nodiscard]] inline const std::string& first_given(const std::string& own,
                                                    const std::string& other) noexcept {
  return own.empty() ? other : own;
}

[[nodiscard]] inline std::string to_json(const ApiError& error, const RequestInfo& request) {
  std::string out;
  {
    JsonObject document{out};
    document.member("success").append("false");
    JsonObject body{document.member("error")};
    body.number("code", response_status(error));
    body.text("message", error.message());
    body.text("category", to_string(error.category()));
    if (!error.details().is_absent()) append_details(body.member("details"), error.details());
    body.text("timestamp", iso_time(error.timestamp()));
    if (const auto& id = first_given(error.request_id(), request.request_id); !id.empty())
      body.text("requestId", id);
    if (const auto& path = first_given(error.path(), request.path); !path.empty()) body.text("path", path);
  }
  return out;
}

}  // namespace detail

/// The guide's document, compact: success, error.{code, message, category, details, timestamp, requestId,
/// path}; details, requestId and path where there are any. Always valid JSON and UTF-8.
[[nodiscard]] inline std::string to_json(const ApiError& error) { return detail::to_json(error, {}); }

/// The document of RFC 9457 (application/problem+json): type, title, status, detail, instance, and the
/// extension members category, timestamp, requestId and details.
[[nodiscard]] inline std::string to_problem_json(const ApiError& error) {
  std::string out;
  {
    const int status = detail::response_status(error);
    detail::JsonObject document{out};
    document.text("type", "about:blank");
    document.text("title", reason_phrase(status));
    document.number("status", status);
    document.text("detail", error.message());
    if (!error.path().empty()) document.text("instance", error.path());
    document.text("category", to_string(error.category()));
    document.text("timestamp", detail::iso_time(error.timestamp()));
    if (!error.request_id().empty()) document.text("requestId", error.request_id());
    if (!error.details().is_absent()) detail::append_details(document.member("details"), error.details());
  }
  return out;
}

/// The response of an error: its document, and Retry-After where the error has one; always for a 429
/// and for an open breaker's 503, at least 1 second (H5).
[[nodiscard]] inline HttpResponse to_response(const ApiError& error, const RequestInfo& request = {}) {
  HttpResponse response{.status = detail::response_status(error), .body = detail::to_json(error, request)};
  if (error.retry_after() || response.status == 429 || error.reason() == PolicyErrc::circuit_open) {
    const auto wait = error.retry_after().value_or(std::chrono::seconds{1});
    response.retry_after = wait < std::chrono::seconds{1} ? std::chrono::seconds{1} : wait;
  }
  return response;
}

namespace detail {

namespace adl {
void write_response() = delete;  // only argument-dependent lookup may find one

template <class Res>
concept HasWriteResponse =
    requires(Res& res, const HttpResponse& response) { write_response(res, response); };

template <class Res>
void call_write_response(Res& res, const HttpResponse& response) {
  write_response(res, response);
}
}  // namespace adl

/// cpp-httplib and its kin.
template <class Res>
concept HttplibLike = requires(Res& res, const std::string& text) {
  res.status = 500;
  res.set_content(text, "application/json");
  res.set_header("Retry-After", text);
};

/// Boost.Beast and its kin.
template <class Res>
concept BeastLike = requires(Res& res, std::string text) {
  res.result(500U);
  res.set("Retry-After", text);
  res.body() = text;
};

template <class Res>
void write(Res& res, const HttpResponse& response) {
  static_assert(adl::HasWriteResponse<Res> || HttplibLike<Res> || BeastLike<Res>,
                "fusebox: this response type is unknown: write `void write_response(Response&, const "
                "fusebox::HttpResponse&)` beside it");
  if constexpr (adl::HasWriteResponse<Res>) {
    adl::call_write_response(res, response);
  } else if constexpr (HttplibLike<Res>) {
    res.status = response.status;
    res.set_content(response.body, response.content_type.c_str());
    if constexpr (requires { res.headers.erase("Retry-After"); }) res.headers.erase("Retry-After");
    if (response.retry_after) res.set_header("Retry-After", std::to_string(response.retry_after->count()));
  } else if constexpr (BeastLike<Res>) {
    res.result(static_cast<unsigned>(response.status));
    res.set("Content-Type", response.content_type);
    if constexpr (requires { res.erase("Retry-After"); }) res.erase("Retry-After");
    if (response.retry_after) res.set("Retry-After", std::to_string(response.retry_after->count()));
    res.body() = response.body;
    if constexpr (requires { res.prepare_payload(); }) res.prepare_payload();
  }
}

/// What is said of an error that is not the client's business (H4).
[[nodiscard]] inline ApiError generic_error(ErrorCode code, const ApiError* from) {
  const std::string message = code == ErrorCode::internal_server_error ? "Internal server error"
                              : code == ErrorCode::bad_gateway         ? "An upstream service failed"
                              : code == ErrorCode::gateway_timeout
                                  ? "An upstream service did not answer in time"
                                  : "Service temporarily unavailable";
  ApiError error{code, message};
  if (from == nullptr) return error;
  error = error.with_timestamp(from->timestamp()).with_request_id(from->request_id()).with_path(from->path());
  if (code != ErrorCode::service_unavailable) return error;
  const bool is_open = from->reason() == PolicyErrc::circuit_open;
  const auto wait = is_open ? from->retry_after().value_or(std::chrono::seconds{1}) : from->retry_after();
  return wait ? error.with_retry_after(*wait) : error;
}

/// What the client is told of a failure that lies behind us: 502, 503 or 504.
[[nodiscard]] inline ErrorCode gateway_code(const Failure& failure) noexcept {
  if (failure.is_rejection() || failure.is_cancellation()) return ErrorCode::service_unavailable;
  const int status = failure.status().value_or(502);
  if (failure.is_timeout() || status == 504 || status == 408) return ErrorCode::gateway_timeout;
  return status == 503 || status == 429 ? ErrorCode::service_unavailable : ErrorCode::bad_gateway;
}

/// Was the error made for the client to read?
[[nodiscard]] inline bool is_for_client(const ApiError& error) noexcept {
  if (error.is_upstream() || error.reason().category() == policy_error_category()) return false;
  if (is_network_error(error.reason())) return false;
  return error.category() != ErrorCategory::network || error.code() == ErrorCode::request_timeout;
}

[[nodiscard]] inline ApiError client_error(const std::exception_ptr& exception) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const ApiError& error) {
    if (is_for_client(error)) return error;
    return generic_error(gateway_code(Failure{error}), &error);
  } catch (...) {
    const Failure failure = Failure::from_current_exception();
    const bool behind_us = failure.category() == ErrorCategory::network || failure.is_timeout() ||
                           failure.is_cancellation() || failure.code().category() == policy_error_category();
    return generic_error(behind_us ? gateway_code(failure) : ErrorCode::internal_server_error, nullptr);
  }
#else
  static_cast<void>(exception);
#endif
  return generic_error(ErrorCode::internal_server_error, nullptr);
}

}  // namespace detail

/// Answers with the error.
template <class Res>
void send_api_error(Res& res, const ApiError& error, const RequestInfo& request = {}) {
  detail::write(res, to_response(error, request));
}

/// Answers 400.
template <class Res>
void send_bad_request_error(Res& res, std::string_view message = "Bad request",
                            const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::bad_request, message}, request);
}

/// Answers 401. The WWW-Authenticate field that RFC 9110 §15.5.2 asks for is the application's to set.
template <class Res>
void send_unauthorized_error(Res& res, std::string_view message = "Authentication required",
                             const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::unauthorized, message}, request);
}

/// Answers 403.
template <class Res>
void send_forbidden_error(Res& res, std::string_view message = "Access forbidden",
                          const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::forbidden, message}, request);
}

/// Answers 404.
template <class Res>
void send_not_found_error(Res& res, std::string_view message = "Resource not found",
                          const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::not_found, message}, request);
}

/// Answers 405. The Allow field that RFC 9110 §15.5.6 asks for is the application's to set.
template <class Res>
void send_method_not_allowed_error(Res& res, std::string_view message = "Method not allowed",
                                   const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::method_not_allowed, message}, request);
}

/// Answers 503.
template <class Res>
void send_service_unavailable_error(Res& res, std::string_view message = "Service temporarily unavailable",
                                    const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::service_unavailable, message}, request);
}

/// Answers 400 with what is wrong, field by field: `{{"email", "Invalid email format"}}`.
template <class Res>
void send_validation_error(Res& res, ErrorDetails fields, const RequestInfo& request = {}) {
  send_api_error(
      res,
      ApiError{ErrorCode::validation_error, "Invalid request parameters"}.with_details(std::move(fields)),
      request);
}

/// Answers 429; the client is told to wait that long, rounded up to whole seconds, at least 1.
template <class Res, class Rep, class Period>
void send_rate_limit_error(Res& res, std::chrono::duration<Rep, Period> retry_after,
                           const RequestInfo& request = {}) {
  using std::chrono::seconds;
  // In doubles, where what no integer holds, a NaN too, still compares.
  constexpr seconds longest = std::chrono::duration_cast<seconds>(std::chrono::nanoseconds::max());
  const double asked = std::chrono::duration<double>(retry_after).count();
  seconds wait{1};
  if (asked >= static_cast<double>(longest.count())) {
    wait = longest;
  } else if (asked > 1) {
    wait = std::chrono::ceil<seconds>(retry_after);
  }
  send_api_error(
      res,
      ApiError{ErrorCode::rate_limit_exceeded, "Too many requests"}.with_retry_after(wait).with_details(
          fmt::format("Please wait {} second{} before making another request", wait.count(),
                      wait.count() == 1 ? "" : "s")),
      request);
}

/// Answers for whatever was thrown, and leaks nothing (H4): an ApiError made for the client goes as it
/// is; one from upstream, a rejection or a network error becomes a generic 502, 503 or 504; anything
/// else, a null pointer too, a generic 500.
template <class Res>
void send_exception(Res& res, const std::exception_ptr& exception, const RequestInfo& request = {}) {
  static_assert(detail::exceptions_are_on<Res>,
                "fusebox: send_exception needs exceptions, which this build has not: use send_api_error");
  send_api_error(res, detail::client_error(exception), request);
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
