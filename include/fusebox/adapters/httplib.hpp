// fusebox/adapters/httplib.hpp: teaches the library which results of cpp-httplib are failures.
//
// With this header an operation may return httplib::Result as it is. Breakers and retries then count
// transport errors and error statuses as failures, and honour Retry-After. Needs cpp-httplib 0.11 or newer.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <system_error>

#include <httplib.h>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/upstream_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/http.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

// Enumerators that later versions have.
template <class E>
concept KnowsConnectionTimeout = requires { E::ConnectionTimeout; };
template <class E>
concept KnowsTimeout = requires { E::Timeout; };
template <class E>
concept KnowsConnectionClosed = requires { E::ConnectionClosed; };
template <class E>
concept KnowsPeerClosed = requires { E::SSLPeerCouldBeClosed_; };

/// The category of errors without a NetworkErrc of their own: cpp-httplib's numbers and texts.
class FUSEBOX_API HttplibErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "httplib"; }
  [[nodiscard]] std::string message(int value) const override {
    return "httplib error: " + httplib::to_string(static_cast<httplib::Error>(value));
  }
};

[[nodiscard]] FUSEBOX_API inline const std::error_category& httplib_error_category() noexcept {
  static const NoDestroy<HttplibErrorCategory> category;
  return *category;
}

/// The NetworkErrc of a transport error, if any. cpp-httplib does not say why a connection failed: its
/// Connection stands for an unknown host as well as for a refused connection. With set_follow_location() it
/// may be that of a redirect's target, and the request itself was answered.
template <class E = httplib::Error>
[[nodiscard]] std::error_code httplib_code(E error) noexcept {
  if constexpr (KnowsConnectionTimeout<E>) {
    if (error == E::ConnectionTimeout) return make_error_code(NetworkErrc::timed_out);
  }
  if constexpr (KnowsTimeout<E>) {
    if (error == E::Timeout) return make_error_code(NetworkErrc::timed_out);
  }
  if constexpr (KnowsConnectionClosed<E>) {
    if (error == E::ConnectionClosed) return make_error_code(NetworkErrc::connection_reset);
  }
  if constexpr (KnowsPeerClosed<E>) {
    if (error == E::SSLPeerCouldBeClosed_) return make_error_code(NetworkErrc::connection_reset);
  }
  switch (error) {
    case E::Success: return {};
    case E::Connection: return make_error_code(NetworkErrc::connection_refused);
    case E::Read: return make_error_code(NetworkErrc::timed_out);
    case E::Write: return make_error_code(NetworkErrc::connection_reset);
    case E::Canceled: return make_error_code(PolicyErrc::cancelled);
    default: return {static_cast<int>(error), httplib_error_category()};
  }
}

/// The code for a result that is no answer, though cpp-httplib reports no error.
[[nodiscard]] inline std::error_code no_answer_code() noexcept {
  return {static_cast<int>(httplib::Error::Unknown), httplib_error_category()};
}

}  // namespace detail

/// The failure of a request; std::nullopt for an answer with a status from 200 to 399. A transport error
/// comes before any answer, such as that of a proxy which refuses to connect. A status below 200 is not the
/// final answer: the failure has no status then.
///
/// cpp-httplib does not distinguish a read that ends early from one that takes too long. Both are
/// timed_out, since the request may have been processed. Retry-After dates are compared with SystemClock.
/// A client with set_follow_location() and a retry with `.idempotent = false` do not go together: a
/// redirect's target that refuses looks like a request that was not sent.
template <>
struct failure_traits<httplib::Result> {
  [[nodiscard]] static std::optional<Failure> failure(const httplib::Result& result) {
    if (result.error() != httplib::Error::Success) return Failure{detail::httplib_code(result.error())};
    if (!result || result->status < 200) return Failure{detail::no_answer_code()};
    if (result->status < 400) return std::nullopt;
    std::optional<std::chrono::seconds> retry_after;
    if (result->has_header("Retry-After")) {
      retry_after =
          http::parse_retry_after(result->get_header_value("Retry-After"), SystemClock{}.wall_now());
    }
    return Failure::from_status(result->status, retry_after);
  }
};

/// The error to throw for a failed request to `service`, marked with from_upstream (E5); std::nullopt if the
/// request succeeded.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const httplib::Result& result,
                                                            std::string service) {
  return detail::upstream_error(failure_traits<httplib::Result>::failure(result), service);
}

FUSEBOX_END_NAMESPACE
