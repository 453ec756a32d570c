// fusebox/adapters/beast.hpp: the answers and the errors of Boost.Beast's HTTP as failures.
//
// With this header an operation may return a boost::beast::http::response as it is, the error code of a read
// or a write, or both in an expected-like type such as boost::system::result. adapters/boost_system.hpp,
// which is included, teaches the library the codes and the exceptions.
//
//   upstream_error    the error to throw for a failed request, marked as an upstream's
//   set_deadline      limits the asynchronous operations of a beast::tcp_stream to a Deadline
//
// A server's responses need no adapter: send_…_error of error_response.hpp knows those whose body is a
// string, a container of bytes or a dynamic buffer by their shape.
//
// Needs Boost 1.74 or newer, and includes little of it: messages, fields and error codes.
#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>

#include <fusebox/adapters/boost_system.hpp>  // IWYU pragma: export
#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/upstream_error.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/http.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

static_assert(static_cast<int>(boost::beast::http::error::end_of_stream) == beast_end_of_stream);
static_assert(static_cast<int>(boost::beast::http::error::partial_message) == beast_partial_message);
static_assert(static_cast<int>(boost::beast::http::error::need_buffer) == beast_need_buffer);
static_assert(static_cast<int>(boost::beast::http::error::end_of_chunk) == beast_end_of_chunk);
static_assert(static_cast<int>(boost::beast::error::timeout) == beast_timeout);

}  // namespace detail

/// The failure of an answer (H30); std::nullopt for a status from 200 to 399. A status below 200 is not the
/// final answer: the failure has no status then, and the code bad_status of Beast. Retry-After dates are
/// compared with SystemClock.
template <class Body, class Fields>
struct failure_traits<boost::beast::http::message<false, Body, Fields>> {
  [[nodiscard]] static std::optional<Failure> failure(
      const boost::beast::http::message<false, Body, Fields>& response) {
    const auto status = static_cast<int>(response.result_int());
    if (status >= 200 && status < 400) return std::nullopt;
    if (status < 200) {
      return Failure{std::error_code{make_error_code(boost::beast::http::error::bad_status)}};
    }
    std::optional<std::chrono::seconds> retry_after;
    if (const auto field = response.find(boost::beast::http::field::retry_after); field != response.end()) {
      const auto text = field->value();
      retry_after = http::parse_retry_after({text.data(), text.size()}, SystemClock{}.wall_now());
    }
    return Failure::from_status(status, retry_after);
  }
};

namespace detail {

template <class T>
inline constexpr bool is_beast_response = false;
template <class Body, class Fields>
inline constexpr bool is_beast_response<boost::beast::http::message<false, Body, Fields>> = true;

/// A response or an error: boost::system::result, std::expected and kin.
template <class T>
concept BeastResult =
    ExpectedLike<T> && is_beast_response<typename T::value_type> && requires(const T& value) {
      typename T::error_type;
      { *value } -> std::convertible_to<const typename T::value_type&>;
    };

}  // namespace detail

/// Of a response or an error, both are judged.
template <detail::BeastResult Result>
struct failure_traits<Result> {
  [[nodiscard]] static std::optional<Failure> failure(const Result& result) {
    if (!result.has_value()) return detail::failure_of_error(result.error());
    return failure_traits<typename Result::value_type>::failure(*result);
  }
};

/// The error to throw for a failed request to `service`, marked with from_upstream (E5); std::nullopt if the
/// request succeeded.
template <class Body, class Fields>
[[nodiscard]] std::optional<ApiError> upstream_error(
    const boost::beast::http::message<false, Body, Fields>& response, std::string service) {
  return detail::upstream_error(
      failure_traits<boost::beast::http::message<false, Body, Fields>>::failure(response), service);
}
/// The same for the code that a read, a write, a connection or a name's resolution gave.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const boost::system::error_code& code,
                                                            std::string service) {
  return detail::upstream_error(failure_traits<boost::system::error_code>::failure(code), service);
}

/// Limits the asynchronous operations of a boost::beast::tcp_stream, or another basic_stream, that begin from
/// now on to what is left until `deadline`. They then end with beast::error::timeout. Beast limits no
/// synchronous operation. Of a TLS stream, pass beast::get_lowest_layer(stream).
template <class Stream>
  requires requires(Stream& stream) {
    stream.expires_after(std::chrono::nanoseconds{1});
    stream.expires_never();
  }
void set_deadline(Stream& stream, const Deadline& deadline) {
  if (deadline.is_never()) {
    stream.expires_never();
  } else {
    stream.expires_after(deadline.remaining());
  }
}

FUSEBOX_END_NAMESPACE
