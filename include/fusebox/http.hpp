// fusebox/http.hpp: when HTTP allows a client to try again.
//
//   http::parse_retry_after   the Retry-After field of an answer, as a duration (RFC 9110 §10.2.3)
//   http::is_idempotent       may a request with this method be sent twice? (RFC 9110 §9.2.2)
//
// Pure functions: thread-safe; they never throw and never allocate.
#pragma once

#include <chrono>
#include <limits>
#include <optional>
#include <string_view>

#include <fusebox/http/detail/date.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace http {

/// How long a Retry-After field asks the client to wait (RFC 9110 §10.2.3): a number of seconds, or the
/// time from `now` until an HTTP date in any of its three formats (§5.6.7), rounded up to seconds. White
/// space around the value is ignored. A date in the past gives 0; a number that is too large gives the
/// maximum; any other value gives std::nullopt.
[[nodiscard]] constexpr std::optional<std::chrono::seconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now) noexcept {
  constexpr std::string_view white_space = " \t";
  const auto first = value.find_first_not_of(white_space);
  if (first == std::string_view::npos) return std::nullopt;
  value = value.substr(first, value.find_last_not_of(white_space) - first + 1);

  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    constexpr auto most = std::numeric_limits<std::chrono::seconds::rep>::max();
    std::chrono::seconds::rep seconds = 0;
    for (const char digit : value) {
      const int units = digit - '0';
      if (seconds > (most - units) / 10) return std::chrono::seconds{most};
      seconds = 10 * seconds + units;
    }
    return std::chrono::seconds{seconds};
  }

  const auto now_second = std::chrono::floor<std::chrono::seconds>(now);
  const auto date = detail::parse_http_date(value, now_second);
  if (!date) return std::nullopt;
  // now was rounded down, so that this rounds up: a client must not return a fraction of a second early.
  const auto wait = *date - now_second;
  return wait > std::chrono::seconds::zero() ? wait : std::chrono::seconds::zero();
}

/// True for GET, HEAD, OPTIONS, TRACE, PUT and DELETE. Methods are case-sensitive (RFC 9110 §9.1).
[[nodiscard]] constexpr bool is_idempotent(std::string_view method) noexcept {
  for (const std::string_view known : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    if (method == known) return true;
  }
  return false;
}

}  // namespace http

FUSEBOX_END_NAMESPACE
