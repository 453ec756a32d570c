// fusebox/api_error/api_error.hpp: ApiError, the error of an API (E2).
#pragma once
// IWYU pragma: private, include <fusebox/api_error.hpp>

#include <chrono>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fusebox/api_error/detail/error_data.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// An error, with everything that an API tells a client about it.
///
///     throw ApiError{ErrorCode::validation_error, "Invalid request parameters"}
///         .with_details({{"email", "Invalid email format"}})
///         .with_path("/api/auth/register");
///
/// Each with_… function returns a changed copy. Copying never throws; making an error and changing one
/// allocate, so these may throw std::bad_alloc. Several threads may read one object; writing to it while
/// another thread uses it needs a lock.
class FUSEBOX_API ApiError : public detail::ErrorSetters<ApiError, detail::ErrorData> {
 public:
  /// The category follows from the code; the timestamp is SystemClock's. A NUL in the message becomes
  /// U+FFFD; in what() so does any control character or invalid UTF-8.
  ApiError(ErrorCode code, std::string_view message)
      : ApiError{code, message, make_error_code(code), SystemClock{}.wall_now()} {}
  ApiError(ErrorCode code, ErrorCategory category, std::string_view message)
      : ApiError{ApiError{code, message}.with_category(category)} {}
  /// The message is the phrase of the status, such as "Not Found".
  explicit ApiError(ErrorCode code) : ApiError{code, reason_phrase(static_cast<int>(code))} {}

  /// An error whose reason() is `reason`, made at `timestamp`. For adapters and policies.
  ApiError(ErrorCode code, std::string_view message, std::error_code reason,
           std::chrono::system_clock::time_point timestamp)
      : ApiError{detail::error_text(message), code, reason, timestamp} {
    keep_message(message);
  }

 protected:
  ApiError(const std::runtime_error& text, ErrorCode code, std::error_code reason,
           std::chrono::system_clock::time_point timestamp) noexcept
      : ErrorSetters{text, code, reason, timestamp} {}
};

FUSEBOX_END_NAMESPACE
