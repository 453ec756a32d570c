// fusebox/error_response.hpp: errors as HTTP responses that every client can read.
//
//   send_api_error, send_…_error   fill a response object of any HTTP library
//   send_exception                 the same for any exception, without leaking internals
//   error_response/document.hpp    to_json, to_problem_json and to_response; HttpResponse, RequestInfo
//
// A response type is recognised by its shape, that of cpp-httplib or of Boost.Beast. Any other type needs one
// function, found by argument-dependent lookup:
//
//     void write_response(MyResponse&, const fusebox::HttpResponse&);
//
// The send functions write to the given response only; they throw what the response throws, or
// std::bad_alloc.
#pragma once

#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response/detail/error_for_client.hpp>
#include <fusebox/error_response/detail/write.hpp>
#include <fusebox/error_response/document.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// Answers with the error: its status, its document, and Retry-After if any. An error from upstream becomes a
/// generic 502, 503 or 504 (H4).
template <class Res>
void send_api_error(Res& res, const ApiError& error, const RequestInfo& request = {}) {
  detail::write(res, to_response(error.is_upstream() ? detail::generic_error(error) : error, request));
}

/// Answers 400.
template <class Res>
void send_bad_request_error(Res& res, std::string_view message = "Bad request",
                            const RequestInfo& request = {}) {
  send_api_error(res, ApiError{ErrorCode::bad_request, message}, request);
}

/// Answers 401. The application sets the WWW-Authenticate field (RFC 9110 §15.5.2).
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

/// Answers 405. The application sets the Allow field (RFC 9110 §15.5.6).
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

/// Answers 400 with a message for each invalid field: `{{"email", "Invalid email format"}}`.
template <class Res>
void send_validation_error(Res& res, ErrorDetails fields, const RequestInfo& request = {}) {
  send_api_error(
      res,
      ApiError{ErrorCode::validation_error, "Invalid request parameters"}.with_details(std::move(fields)),
      request);
}

/// Answers 429, with a Retry-After of `retry_after`, rounded up to whole seconds, from 1 second to 24 hours.
template <class Res, class Rep, class Period>
void send_rate_limit_error(Res& res, std::chrono::duration<Rep, Period> retry_after,
                           const RequestInfo& request = {}) {
  const std::chrono::seconds wait = detail::retry_after_field(detail::to_milliseconds(retry_after));
  send_api_error(
      res,
      ApiError{ErrorCode::rate_limit_exceeded, "Too many requests"}.with_retry_after(wait).with_details(
          fmt::format("Please wait {} second{} before making another request", wait.count(),
                      wait.count() == 1 ? "" : "s")),
      request);
}

/// Answers for any exception, and leaks nothing (H4). An ApiError that the program threw is sent as it is. An
/// error from upstream or made from a value, a rejection or a network error becomes a generic 502, 503 or
/// 504. Anything else, a null pointer too, becomes a generic 500.
template <class Res>
void send_exception(Res& res, const std::exception_ptr& exception, const RequestInfo& request = {}) {
  static_assert(
      detail::exceptions_are_on<Res>,
      "fusebox: send_exception needs exceptions, which are disabled in this build: use send_api_error");
  send_api_error(res, detail::error_for_client(exception), request);
}

FUSEBOX_END_NAMESPACE
