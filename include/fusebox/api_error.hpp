// fusebox/api_error.hpp: ApiError, what an API answers when it cannot do what was asked, and the
// library's own errors, which derive from it.
//
//   ApiError                  code, category, message, details, timestamp, request id, path, Retry-After
//   ├─ RejectedError          the call was never made
//   │  ├─ CircuitOpenError    503
//   │  ├─ BulkheadFullError   503
//   │  └─ RateLimitedError    429
//   ├─ TimeoutError           504
//   └─ CancelledError         503
//
//   detail/error_details.hpp  ErrorDetails: a text, fields, or the caller's JSON
//   detail/fluent.hpp         what every error tells (code(), message(), …), and its with_… functions
//
// Copying any of them never throws. reason() says which of them it was, also when only the ApiError
// part was kept.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fusebox/api_error/detail/error_data.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/error_code.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// An error with everything that a client of an API is told about it.
///
///     throw ApiError{ErrorCode::validation_error, "Invalid request parameters"}
///         .with_details({{"email", "Invalid email format"}})
///         .with_path("/api/auth/register");
///
/// Each with_… function returns a changed copy. Objects are values: distinct ones may be used from
/// distinct threads, as may const ones.
class FUSEBOX_API ApiError : public detail::Fluent<ApiError, detail::ErrorState> {
 public:
  ApiError(ErrorCode code, std::string_view message)
      : ApiError{code, message, make_error_code(code), SystemClock{}.wall_now()} {}
  ApiError(ErrorCode code, ErrorCategory category, std::string_view message)
      : ApiError{ApiError{code, message}.with_category(category)} {}
  /// The message is the status's phrase, such as "Not Found".
  explicit ApiError(ErrorCode code) : ApiError{code, reason_phrase(static_cast<int>(code))} {}

  /// An error whose identity is `reason` (E2), seen at `timestamp`. For adapters and policies.
  ApiError(ErrorCode code, std::string_view message, std::error_code reason,
           std::chrono::system_clock::time_point timestamp)
      : ApiError{detail::error_text(message), code, reason, timestamp} {}

 protected:
  ApiError(const std::runtime_error& text, ErrorCode code, std::error_code reason,
           std::chrono::system_clock::time_point timestamp) noexcept
      : Fluent{text, code, reason, timestamp} {}
};

/// A policy refused to make the call: nothing was sent, and the dependency is not to blame.
class FUSEBOX_API RejectedError : public detail::Fluent<RejectedError, ApiError> {
 public:
  /// The name of the policy that refused, such as the circuit breaker's; empty where it has none.
  [[nodiscard]] const std::string& name() const noexcept {
    static const detail::NoDestroy<std::string> none;
    return origin() ? origin()->name : *none;
  }

  /// The RejectedError that was sliced to `error`.
  explicit RejectedError(const ApiError& error) noexcept : Fluent{error} {}

 protected:
  RejectedError(PolicyErrc reason, std::shared_ptr<const detail::Origin> origin,
                std::optional<std::chrono::seconds> retry_after,
                std::chrono::system_clock::time_point timestamp)
      : Fluent{origin->text, error_code_of(reason), make_error_code(reason), timestamp} {
    origin_ = std::move(origin);
    retry_after_ = retry_after;
  }

  [[nodiscard]] static std::shared_ptr<const detail::Origin> make_origin(std::string_view name,
                                                                         std::string_view before,
                                                                         std::string_view after) {
    std::string text{before};
    if (!name.empty()) text.append(" '").append(name).append("'");
    text.append(after);
    return std::make_shared<const detail::Origin>(
        detail::Origin{std::string{name}, detail::error_text(text)});
  }
};

/// The circuit breaker is open. `retry_after()` is the time until it lets a probe pass, rounded up.
class FUSEBOX_API CircuitOpenError : public detail::Fluent<CircuitOpenError, RejectedError> {
 public:
  explicit CircuitOpenError(std::string_view name = {}, std::optional<std::chrono::seconds> retry_after = {})
      : CircuitOpenError{origin_for(name), retry_after, SystemClock{}.wall_now()} {}

  /// Shares what all rejections of one breaker have in common. For policies.
  CircuitOpenError(std::shared_ptr<const detail::Origin> origin,
                   std::optional<std::chrono::seconds> retry_after,
                   std::chrono::system_clock::time_point timestamp)
      : Fluent{PolicyErrc::circuit_open, std::move(origin), retry_after, timestamp} {}

  explicit CircuitOpenError(const ApiError& sliced) noexcept : Fluent{sliced} {}

  [[nodiscard]] static std::shared_ptr<const detail::Origin> origin_for(std::string_view name) {
    return make_origin(name, "circuit breaker", " is open");
  }
};

/// The bulkhead has no room for another call.
class FUSEBOX_API BulkheadFullError : public detail::Fluent<BulkheadFullError, RejectedError> {
 public:
  explicit BulkheadFullError(std::string_view name = {}, std::optional<std::chrono::seconds> retry_after = {})
      : Fluent{PolicyErrc::bulkhead_full, make_origin(name, "bulkhead", " is full"), retry_after,
               SystemClock{}.wall_now()} {}
  explicit BulkheadFullError(const ApiError& sliced) noexcept : Fluent{sliced} {}
};

/// Our own rate limit is reached.
class FUSEBOX_API RateLimitedError : public detail::Fluent<RateLimitedError, RejectedError> {
 public:
  explicit RateLimitedError(std::string_view name = {}, std::optional<std::chrono::seconds> retry_after = {})
      : Fluent{PolicyErrc::rate_limited, make_origin(name, "rate limit", " reached"), retry_after,
               SystemClock{}.wall_now()} {}
  explicit RateLimitedError(const ApiError& sliced) noexcept : Fluent{sliced} {}
};

/// The call did not end in time.
class FUSEBOX_API TimeoutError : public detail::Fluent<TimeoutError, ApiError> {
 public:
  explicit TimeoutError(std::string_view message = "timed out")
      : TimeoutError{message, SystemClock{}.wall_now()} {}
  TimeoutError(std::string_view message, std::chrono::system_clock::time_point timestamp)
      : Fluent{detail::error_text(message), error_code_of(PolicyErrc::timed_out),
               make_error_code(PolicyErrc::timed_out), timestamp} {}
  explicit TimeoutError(const ApiError& sliced) noexcept : Fluent{sliced} {}
};

/// Somebody who no longer wants the answer ended the call.
class FUSEBOX_API CancelledError : public detail::Fluent<CancelledError, ApiError> {
 public:
  explicit CancelledError(std::string_view message = "cancelled")
      : CancelledError{message, SystemClock{}.wall_now()} {}
  CancelledError(std::string_view message, std::chrono::system_clock::time_point timestamp)
      : Fluent{detail::error_text(message), error_code_of(PolicyErrc::cancelled),
               make_error_code(PolicyErrc::cancelled), timestamp} {}
  explicit CancelledError(const ApiError& sliced) noexcept : Fluent{sliced} {}
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
