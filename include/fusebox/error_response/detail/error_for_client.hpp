// fusebox/error_response/detail/error_for_client.hpp: the error that a client may see (H4).
#pragma once
// IWYU pragma: private, include <fusebox/error_response.hpp>

#include <chrono>
#include <exception>
#include <string>

#include <fusebox/api_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response/document.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Was the error made from the answer of another service, or from a value? Its request id and its path, if
/// any, are then not those of our request.
[[nodiscard]] inline bool is_secondhand(const ApiError& error) noexcept {
  return error.is_upstream() || MadeFromValue::is_marked(error);
}

/// An error that says no more than its code. It keeps the time of `from`, if any, its request id and path if
/// they are ours, and its Retry-After in a 503, unless a service behind us asks for more than 24 hours (E7).
[[nodiscard]] inline ApiError generic_error(ErrorCode code, const ApiError* from) {
  const std::string message = code == ErrorCode::internal_server_error ? "Internal server error"
                              : code == ErrorCode::bad_gateway         ? "An upstream service failed"
                              : code == ErrorCode::gateway_timeout
                                  ? "An upstream service did not answer in time"
                                  : "Service temporarily unavailable";
  ApiError error{code, message};
  if (from == nullptr) return error;
  error = error.with_timestamp(from->timestamp());
  if (!is_secondhand(*from)) error = error.with_request_id(from->request_id()).with_path(from->path());
  if (code != ErrorCode::service_unavailable) return error;
  const bool is_open = from->reason() == PolicyErrc::circuit_open;
  const auto wait = is_open ? from->retry_after().value_or(std::chrono::seconds{1}) : from->retry_after();
  const bool too_long = is_secondhand(*from) && wait && *wait > longest_retry_after;
  return wait && !too_long ? error.with_retry_after(*wait) : error;
}

/// The code for a failure of a service behind us: 502, 503 or 504.
[[nodiscard]] inline ErrorCode gateway_code(const Failure& failure) noexcept {
  if (failure.is_rejection() || failure.is_cancellation()) return ErrorCode::service_unavailable;
  const int status = failure.status().value_or(502);
  if (failure.is_timeout() || status == 504 || status == 408) return ErrorCode::gateway_timeout;
  return status == 503 || status == 429 ? ErrorCode::service_unavailable : ErrorCode::bad_gateway;
}

/// The generic error in place of `error`, which is of a service behind us.
[[nodiscard]] inline ApiError generic_error(const ApiError& error) {
  return generic_error(gateway_code(Failure{error}), &error);
}

/// Is the error meant for the client?
[[nodiscard]] inline bool is_for_client(const ApiError& error) noexcept {
  if (is_secondhand(error) || error.reason().category() == policy_error_category()) return false;
  if (is_network_error(error.reason())) return false;
  return error.category() != ErrorCategory::network || error.code() == ErrorCode::request_timeout;
}

/// The exception itself if it is meant for the client, else a generic error.
[[nodiscard]] inline ApiError error_for_client(const std::exception_ptr& exception) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const ApiError& error) {
    if (is_for_client(error)) return error;
    return generic_error(error);
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

FUSEBOX_END_NAMESPACE
