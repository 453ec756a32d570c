// fusebox/api_error/policy_errors.hpp: the errors of policies: rejections, timeouts, cancellations (E4).
//
// Each has an explicit constructor from ApiError, which restores the type and the name of a sliced error.
#pragma once
// IWYU pragma: private, include <fusebox/api_error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/api_error/api_error.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct PolicyRejection;   // of failure.hpp: how policies make their rejections
struct CircuitRejection;  // the same for a breaker
struct OwnError;          // of failure.hpp: the error behind a Failure
}  // namespace detail

/// A policy refused to make the call: nothing was sent, and the dependency is not to blame.
class FUSEBOX_API RejectedError : public detail::ErrorSetters<RejectedError, ApiError> {
 public:
  /// The name of the policy that refused, such as that of the circuit breaker; empty if it has no name.
  [[nodiscard]] const std::string& name() const noexcept {
    static const detail::NoDestroy<std::string> none;
    return source() ? source()->name : *none;
  }

  explicit RejectedError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}

 protected:
  RejectedError(std::shared_ptr<const detail::RejectionSource> source,
                std::optional<std::chrono::milliseconds> retry_after,
                std::chrono::system_clock::time_point timestamp, std::uint32_t generation = 0)
      : ErrorSetters{source->text, error_code_of(source->reason), make_error_code(source->reason),
                     timestamp} {
    source_ = std::move(source);
    retry_after_ = retry_after;
    generation_ = generation;
  }

  [[nodiscard]] static std::shared_ptr<const detail::RejectionSource> make_source(
      PolicyErrc reason, std::string_view name, std::string_view before, std::string_view after,
      std::shared_ptr<const detail::Causes> causes = nullptr) {
    std::string text{before};
    if (!name.empty()) text.append(" '").append(name).append("'");
    text.append(after);
    return std::make_shared<const detail::RejectionSource>(detail::RejectionSource{
        reason, std::string{name}, detail::error_text(text), nullptr, std::move(causes)});
  }

 private:
  friend class Failure;
  friend struct detail::PolicyRejection;
};

/// The circuit breaker is open. `retry_after()` is the time until it admits a probe, rounded up to seconds.
/// what() says whether the breaker was open, half-open, forced open or recovering.
class FUSEBOX_API CircuitOpenError : public detail::ErrorSetters<CircuitOpenError, RejectedError> {
 public:
  explicit CircuitOpenError(std::string_view name = {},
                            std::optional<std::chrono::milliseconds> retry_after = {})
      : CircuitOpenError{source_for(name, " is open", nullptr), retry_after, SystemClock{}.wall_now(), 0} {}
  explicit CircuitOpenError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}

  /// The failure that opened the breaker, if it is known (B18). A breaker remembers those of its last eight
  /// openings.
  [[nodiscard]] std::optional<Failure> cause() const noexcept;

 private:
  friend struct detail::CircuitRejection;

  CircuitOpenError(std::shared_ptr<const detail::RejectionSource> source,
                   std::optional<std::chrono::milliseconds> retry_after,
                   std::chrono::system_clock::time_point timestamp, std::uint32_t generation)
      : ErrorSetters{std::move(source), retry_after, timestamp, generation} {}

  [[nodiscard]] static std::shared_ptr<const detail::RejectionSource> source_for(
      std::string_view name, std::string_view state, std::shared_ptr<const detail::Causes> causes) {
    return make_source(PolicyErrc::circuit_open, name, "circuit breaker", state, std::move(causes));
  }
};

/// The bulkhead has no free slot.
class FUSEBOX_API BulkheadFullError : public detail::ErrorSetters<BulkheadFullError, RejectedError> {
 public:
  explicit BulkheadFullError(std::string_view name = {},
                             std::optional<std::chrono::milliseconds> retry_after = {})
      : ErrorSetters{source_for(name), retry_after, SystemClock{}.wall_now()} {}
  explicit BulkheadFullError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}

 private:
  friend struct detail::PolicyRejection;

  [[nodiscard]] static std::shared_ptr<const detail::RejectionSource> source_for(std::string_view name) {
    return make_source(PolicyErrc::bulkhead_full, name, "bulkhead", " is full");
  }
};

/// Our own rate limit is reached.
class FUSEBOX_API RateLimitedError : public detail::ErrorSetters<RateLimitedError, RejectedError> {
 public:
  explicit RateLimitedError(std::string_view name = {},
                            std::optional<std::chrono::milliseconds> retry_after = {})
      : ErrorSetters{source_for(name), retry_after, SystemClock{}.wall_now()} {}
  explicit RateLimitedError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}

 private:
  friend struct detail::PolicyRejection;

  [[nodiscard]] static std::shared_ptr<const detail::RejectionSource> source_for(std::string_view name) {
    return make_source(PolicyErrc::rate_limited, name, "rate limit", " reached");
  }
};

/// A throttle rejected the call: the dependency accepts too few of those that it receives. Nobody knows when
/// a call will be admitted, so there is no `retry_after()`.
class FUSEBOX_API ThrottledError : public detail::ErrorSetters<ThrottledError, RejectedError> {
 public:
  explicit ThrottledError(std::string_view name = {},
                          std::optional<std::chrono::milliseconds> retry_after = {})
      : ErrorSetters{source_for(name), retry_after, SystemClock{}.wall_now()} {}
  explicit ThrottledError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}

 private:
  friend struct detail::PolicyRejection;

  [[nodiscard]] static std::shared_ptr<const detail::RejectionSource> source_for(std::string_view name) {
    return make_source(PolicyErrc::throttled, name, "throttle", " rejected the call");
  }
};

/// The call did not end in time.
class FUSEBOX_API TimeoutError : public detail::ErrorSetters<TimeoutError, ApiError> {
 public:
  explicit TimeoutError(std::string_view message = "timed out")
      : TimeoutError{message, SystemClock{}.wall_now()} {}
  TimeoutError(std::string_view message, std::chrono::system_clock::time_point timestamp)
      : ErrorSetters{detail::error_text(message), error_code_of(PolicyErrc::timed_out),
                     make_error_code(PolicyErrc::timed_out), timestamp} {}
  explicit TimeoutError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}
};

/// The caller ended the call: the answer is no longer wanted. A retry that is cancelled during a wait has
/// made attempts: cause() is the failure of the last one (R4).
class FUSEBOX_API CancelledError : public detail::ErrorSetters<CancelledError, ApiError> {
 public:
  explicit CancelledError(std::string_view message = "cancelled")
      : CancelledError{message, SystemClock{}.wall_now()} {}
  CancelledError(std::string_view message, std::chrono::system_clock::time_point timestamp)
      : ErrorSetters{detail::error_text(message), error_code_of(PolicyErrc::cancelled),
                     make_error_code(PolicyErrc::cancelled), timestamp} {}
  CancelledError(std::string_view message, std::chrono::system_clock::time_point timestamp, Failure cause);
  explicit CancelledError(const ApiError& sliced) noexcept : ErrorSetters{sliced} {}

  /// The last failure of the operation that was cancelled, if any; it lives as long as this error or a copy.
  /// Include `<fusebox/failure.hpp>` to use it.
  [[nodiscard]] const std::optional<Failure>& cause() const noexcept;
};

FUSEBOX_END_NAMESPACE
