// fusebox/failure.hpp: Failure, what one failed attempt left, and how results are judged.
//
//   Failure               an exception, an error code or a status, seen through one interface
//   default_outcome       what a circuit breaker makes of a Failure
//   failure/outcome.hpp   Outcome: success, failure or ignored
//   failure/traits.hpp    failure_traits<T> and failure_if(predicate): which returned values are failures
//
// A function `std::optional<Failure> failure_of(const T&)`, found by argument-dependent lookup, does the
// same as failure_traits<T>::failure.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure/outcome.hpp>  // IWYU pragma: export
#include <fusebox/failure/traits.hpp>   // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// What one failed attempt left: an exception, or a value. Cheap to make and to copy; only message() makes a
/// text. Several threads may read one Failure.
class Failure {
 public:
#if FUSEBOX_DETAIL_EXCEPTIONS
  /// The exception being handled: call it in a catch block. Elsewhere it gives a failure without a code.
  [[nodiscard]] static Failure from_current_exception() noexcept {
    return from_exception(std::current_exception());
  }

  /// A null pointer gives a failure without a code.
  [[nodiscard]] static Failure from_exception(std::exception_ptr exception) noexcept {
    Failure failure;
    failure.exception_ = std::move(exception);
    if (failure.exception_) failure.inspect();
    return failure;
  }
#else
  template <class T = void>
  static Failure from_current_exception() noexcept {
    static_assert(
        detail::exceptions_are_on<T>,
        "fusebox: Failure::from_current_exception needs exceptions, which are disabled in this build");
    return {};
  }
  template <class T>
  static Failure from_exception(const T&) noexcept {
    static_assert(detail::exceptions_are_on<T>,
                  "fusebox: Failure::from_exception needs exceptions, which are disabled in this build");
    return {};
  }
#endif

  /// The answer of another service: its HTTP status, and its Retry-After if any. rethrow() throws an ApiError
  /// that is marked with from_upstream (E5).
  [[nodiscard]] static Failure from_status(int status,
                                           std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    Failure failure{std::error_code{status, http_category()}};
    failure.retry_after_ = retry_after;
    failure.is_upstream_ = true;
    return failure;
  }

  explicit Failure(ApiError error) : error_{std::move(error)} { inspect(*error_); }

  explicit Failure(std::error_code code) noexcept : code_{code} {}

  /// The exception; null if the failure was a value.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return exception_; }

  /// The reason() of an ApiError, the code of a std::system_error, or the code that was thrown or returned;
  /// empty if unknown.
  [[nodiscard]] std::error_code code() const noexcept { return code_; }

  /// `internal` if unknown.
  [[nodiscard]] ErrorCategory category() const noexcept {
    return api_error_ ? api_error_->category : detail::category_of_code(code_);
  }

  /// The HTTP status, if any. A network error has none, since nobody answered, whatever the code of its
  /// ApiError.
  [[nodiscard]] std::optional<int> status() const noexcept {
    if (api_error_) return detail::is_network_error(code_) ? std::nullopt : std::optional{api_error_->status};
    if (code_.category() == http_category()) return code_.value();
    if (code_.category() != policy_error_category()) return std::nullopt;
    return static_cast<int>(error_code_of(static_cast<PolicyErrc>(code_.value())));
  }

  /// How long the dependency, or an open breaker, asks to be left alone.
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }

  /// A text for people, made anew at each call. May throw std::bad_alloc.
  [[nodiscard]] std::string message() const;

  /// True if a policy refused to make the call.
  [[nodiscard]] bool is_rejection() const noexcept {
    if (code_.category() != policy_error_category()) return false;
    const auto errc = static_cast<PolicyErrc>(code_.value());
    return errc == PolicyErrc::circuit_open || errc == PolicyErrc::bulkhead_full ||
           errc == PolicyErrc::rate_limited;
  }

  /// True if the caller ended the call: CancelledError, PolicyErrc::cancelled, and operation_canceled of any
  /// category.
  [[nodiscard]] bool is_cancellation() const noexcept {
    return code_ && detail::matches(code_, std::errc::operation_canceled);
  }

  /// True for a timeout: TimeoutError, PolicyErrc::timed_out, NetworkErrc::timed_out, and timed_out of any
  /// category.
  [[nodiscard]] bool is_timeout() const noexcept {
    return code_ && detail::matches(code_, std::errc::timed_out);
  }

  /// What retry_with_backoff retries by default (F3): a timeout, a retryable status, a network error. Never a
  /// rejection or a cancellation.
  [[nodiscard]] bool is_transient() const noexcept {
    if (is_rejection() || is_cancellation()) return false;
    const std::optional<int> http = status();
    return is_timeout() || (http && is_retryable_status(*http)) || category() == ErrorCategory::network ||
           detail::is_network_error(code_);
  }

#if FUSEBOX_DETAIL_EXCEPTIONS
  /// Throws the exception itself, or an ApiError made from the value. A code of PolicyErrc gives the
  /// library's own error type, such as CircuitOpenError.
  [[noreturn]] void rethrow() const;
#else
  template <class T = void>
  void rethrow() const {
    static_assert(detail::exceptions_are_on<T>,
                  "fusebox: Failure::rethrow needs exceptions, which are disabled in this build: read code() "
                  "and message()");
  }
#endif

 private:
  friend struct detail::CircuitRejection;

  Failure() noexcept = default;

  /// What an ApiError says beside its reason.
  struct ApiErrorFields {
    ErrorCategory category;
    int status;
  };

  void inspect(const ApiError& error) noexcept {
    code_ = error.reason();
    api_error_ = ApiErrorFields{error.category(), static_cast<int>(error.code())};
    retry_after_ = error.retry_after();
  }

  void inspect() noexcept;
  [[nodiscard]] ApiError to_api_error() const;

  std::exception_ptr exception_;
  std::error_code code_;
  std::shared_ptr<const detail::RejectionSource> source_;
  std::optional<ApiError> error_;
  std::optional<std::chrono::seconds> retry_after_;
  std::chrono::system_clock::time_point timestamp_;
  std::optional<ApiErrorFields> api_error_;
  bool is_upstream_ = false;
};

#if FUSEBOX_DETAIL_EXCEPTIONS
FUSEBOX_DETAIL_COLD inline void Failure::inspect() noexcept {
  try {
    std::rethrow_exception(exception_);
  } catch (const ApiError& error) {
    inspect(error);
  } catch (const std::system_error& error) {
    code_ = error.code();
  } catch (const std::error_code& code) {
    code_ = code;
  } catch (...) {  // the code stays empty
  }
}
#endif

FUSEBOX_DETAIL_COLD inline std::string Failure::message() const {
#if FUSEBOX_DETAIL_EXCEPTIONS
  if (exception_) {
    try {
      std::rethrow_exception(exception_);
    } catch (const std::exception& error) {
      return error.what();
    } catch (const std::error_code& code) {
      return code.message();
    } catch (...) {
      return "unknown exception";
    }
  }
#endif
  if (error_) return error_->message();
  if (source_) return source_->text.what();
  return code_ ? code_.message() : "failed without an error code";
}

namespace detail {

/// A circuit breaker's rejections. All of one breaker share its source, so that none of them allocates.
struct CircuitRejection {
  [[nodiscard]] static std::shared_ptr<const RejectionSource> source(std::string_view name) {
    return CircuitOpenError::source_for(name);
  }

  [[nodiscard]] static CircuitOpenError error(const std::shared_ptr<const RejectionSource>& source,
                                              std::optional<std::chrono::seconds> retry_after,
                                              std::chrono::system_clock::time_point timestamp) {
    return {source, retry_after, timestamp};
  }

  [[nodiscard]] static Failure failure(std::shared_ptr<const RejectionSource> source,
                                       std::chrono::seconds retry_after,
                                       std::chrono::system_clock::time_point timestamp) {
    Failure failure{make_error_code(PolicyErrc::circuit_open)};
    failure.source_ = std::move(source);
    failure.retry_after_ = retry_after;
    failure.timestamp_ = timestamp;
    return failure;
  }
};

}  // namespace detail

#if FUSEBOX_DETAIL_EXCEPTIONS
inline ApiError Failure::to_api_error() const {
  if (error_) return *error_;
  if (source_) return detail::CircuitRejection::error(source_, retry_after_, timestamp_);
  const int status = this->status().value_or(http_status(category()));
  ApiError error{static_cast<ErrorCode>(status), message(), code_, SystemClock{}.wall_now()};
  if (retry_after_) error = error.with_retry_after(*retry_after_);
  if (is_upstream_) error = error.from_upstream({});
  return error.with_category(category());
}

FUSEBOX_DETAIL_COLD inline void Failure::rethrow() const {
  if (exception_) std::rethrow_exception(exception_);
  const ApiError error = to_api_error();
  if (error.reason().category() == policy_error_category()) {
    switch (static_cast<PolicyErrc>(error.reason().value())) {
      case PolicyErrc::circuit_open: detail::throw_error(CircuitOpenError{error});
      case PolicyErrc::bulkhead_full: detail::throw_error(BulkheadFullError{error});
      case PolicyErrc::rate_limited: detail::throw_error(RateLimitedError{error});
      case PolicyErrc::timed_out: detail::throw_error(TimeoutError{error});
      case PolicyErrc::cancelled: detail::throw_error(CancelledError{error});
    }
  }
  detail::throw_error(error);
}
#endif

namespace detail {

/// Throws the failure; without exceptions, prints it and aborts.
[[noreturn]] FUSEBOX_DETAIL_INLINE void rethrow_or_abort(const Failure& failure) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  failure.rethrow();
#else
  die(failure.message().c_str());
#endif
}

}  // namespace detail

/// What a circuit breaker makes of a failure unless its config says otherwise (F2). A rejection or a
/// cancellation is ignored. A timeout is a failure, and so is a status of 408, 429, or 500 and above. Any
/// other 4xx is a success, since the dependency answered. Everything else is a failure.
[[nodiscard]] FUSEBOX_API inline Outcome default_outcome(const Failure& failure) {
  const std::error_category& category = failure.code().category();
  if (category != http_category()) {
    if (category == std::generic_category()) {  // as detail::matches does, with one comparison
      const auto errc = static_cast<std::errc>(failure.code().value());
      if (errc == std::errc::operation_canceled) return Outcome::ignored;
      if (errc == std::errc::timed_out) return Outcome::failure;
    } else {
      if (failure.is_rejection() || failure.is_cancellation()) return Outcome::ignored;
      if (failure.is_timeout()) return Outcome::failure;
    }
  }
  const int status = failure.status().value_or(500);
  const bool answered = status >= 400 && status < 500 && status != 408 && status != 429;
  return answered ? Outcome::success : Outcome::failure;
}

FUSEBOX_END_NAMESPACE
