// fusebox/detail/upstream_error.hpp: the error to throw for a failure of another service (E5), for adapters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// An ApiError of `failure`, if any, with the message "service: text", marked with from_upstream (E5). Its
/// code is the failure's status, or 502.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const std::optional<Failure>& failure,
                                                            const std::string& service,
                                                            std::string_view text) {
  if (!failure) return std::nullopt;
  const int status = failure->status().value_or(502);
  ApiError error{static_cast<ErrorCode>(status), std::string{service}.append(": ").append(text),
                 failure->code(), SystemClock{}.wall_now()};
  if (failure->retry_after()) error = error.with_retry_after(*failure->retry_after());
  return error.with_category(failure->category()).from_upstream(service);
}

/// The same with the text of the failure.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const std::optional<Failure>& failure,
                                                            const std::string& service) {
  return upstream_error(failure, service, failure ? failure->message() : std::string{});
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
