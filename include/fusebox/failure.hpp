// fusebox/failure.hpp: what one failed attempt left, and how a result is judged.
//
// Failure                 an exception, an error code or a status, seen through one interface
// Outcome                 success, failure or ignored: what a breaker makes of it
// failure_traits<T>       specialise it to say when a T that was returned is a failure
// failure_of(const T&)    the same, found by argument-dependent lookup
// failure_if(predicate)   the same, given with one call
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/throw.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// What a finished call says about the dependency.
enum class Outcome : unsigned char {
  success,  ///< it answered as it should
  failure,  ///< it did not
  ignored,  ///< nothing can be said: cancelled, or never sent
};

[[nodiscard]] constexpr std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::success: return "success";
    case Outcome::failure: return "failure";
    case Outcome::ignored: return "ignored";
  }
  return "unknown";
}

/// What one failed attempt left. Cheap to make and to copy; text is made when asked for.
/// A const Failure may be read from several threads.
class Failure {
 public:
#if FUSEBOX_DETAIL_EXCEPTIONS
  /// The exception that is being handled; call it in a catch block. Where no exception is handled the
  /// result is a failure without a code.
  [[nodiscard]] static Failure from_current_exception() noexcept {
    return from_exception(std::current_exception());
  }

  [[nodiscard]] static Failure from_exception(std::exception_ptr exception) noexcept {
    Failure failure;
    failure.exception_ = std::move(exception);
    if (failure.exception_) failure.inspect();
    return failure;
  }
#else
  template <class T = void>
  static Failure from_current_exception() noexcept {
    static_assert(detail::exceptions_are_on<T>,
                  "fusebox: Failure::from_current_exception needs exceptions, which this build has not");
    return {};
  }
  template <class T>
  static Failure from_exception(const T&) noexcept {
    static_assert(detail::exceptions_are_on<T>,
                  "fusebox: Failure::from_exception needs exceptions, which this build has not");
    return {};
  }
#endif

  /// An answer with this HTTP status, and its Retry-After where it had one. It is somebody else's answer:
  /// the ApiError that rethrow() makes of it is marked as from_upstream (E5).
  [[nodiscard]] static Failure from_status(int status,
                                           std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    Failure failure{std::error_code{status, api_error_category()}};
    failure.retry_after_ = retry_after;
    failure.is_upstream_ = true;
    return failure;
  }

  /// A breaker's rejection; `origin` is shared, so that none of it is allocated.
  [[nodiscard]] static Failure from_rejection(std::shared_ptr<const detail::Origin> origin,
                                              std::chrono::seconds retry_after,
                                              std::chrono::system_clock::time_point timestamp) {
    Failure failure{make_error_code(PolicyErrc::circuit_open)};
    failure.origin_ = std::move(origin);
    failure.retry_after_ = retry_after;
    failure.timestamp_ = timestamp;
    return failure;
  }

  explicit Failure(ApiError error) : error_{std::move(error)} { inspect(*error_); }

  explicit Failure(std::error_code code) noexcept : code_{code} {}

  /// The exception; null where the failure was a value.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return exception_; }

  /// An ApiError's `reason()`, a std::system_error's code, or the code that was returned; empty where
  /// there is none.
  [[nodiscard]] std::error_code code() const noexcept { return code_; }

  /// `internal` where unknown.
  [[nodiscard]] ErrorCategory category() const noexcept {
    return api_error_ ? api_error_->category : detail::category_of_code(code_);
  }

  /// The HTTP status where there is one: a network error has none, whatever its ApiError is answered with.
  [[nodiscard]] std::optional<int> status() const noexcept {
    if (api_error_) return detail::is_network_error(code_) ? std::nullopt : std::optional{api_error_->status};
    if (code_.category() == api_error_category()) return code_.value();
    if (code_.category() != policy_error_category()) return std::nullopt;
    return static_cast<int>(error_code_of(static_cast<PolicyErrc>(code_.value())));
  }

  /// How long the dependency, or an open breaker, asked to be left alone.
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }

  [[nodiscard]] std::string message() const;

  /// True where a policy refused to make the call.
  [[nodiscard]] bool is_rejection() const noexcept {
    if (code_.category() != policy_error_category()) return false;
    const auto errc = static_cast<PolicyErrc>(code_.value());
    return errc == PolicyErrc::circuit_open || errc == PolicyErrc::bulkhead_full ||
           errc == PolicyErrc::rate_limited;
  }

  /// True where somebody ended the call: CancelledError, PolicyErrc::cancelled, and
  /// operation_canceled of any category.
  [[nodiscard]] bool is_cancellation() const noexcept {
    return code_ && detail::matches(code_, std::errc::operation_canceled);
  }

  /// True for a timeout: TimeoutError, PolicyErrc::timed_out, NetworkErrc::timed_out, ETIMEDOUT.
  [[nodiscard]] bool is_timeout() const noexcept {
    return code_ && detail::matches(code_, std::errc::timed_out);
  }

  /// What retry_with_backoff retries by default (F3): a timeout, a retryable status, a network error;
  /// never a rejection or a cancellation.
  [[nodiscard]] bool is_transient() const noexcept {
    if (is_rejection() || is_cancellation()) return false;
    const std::optional<int> http = status();
    return is_timeout() || (http && is_retryable_status(*http)) || category() == ErrorCategory::network ||
           detail::is_network_error(code_);
  }

#if FUSEBOX_DETAIL_EXCEPTIONS
  /// Throws the exception itself, or an ApiError made from the value: of the library's own type where
  /// the code is one of its verdicts.
  [[noreturn]] void rethrow() const;
#else
  template <class T = void>
  void rethrow() const {
    static_assert(detail::exceptions_are_on<T>,
                  "fusebox: Failure::rethrow needs exceptions, which this build has not: look at code() and "
                  "message()");
  }
#endif

 private:
  Failure() noexcept = default;

  /// What an ApiError says beside its code.
  struct Told {
    ErrorCategory category;
    int status;
  };

  void inspect(const ApiError& error) noexcept {
    code_ = error.reason();
    api_error_ = Told{error.category(), static_cast<int>(error.code())};
    retry_after_ = error.retry_after();
  }

  void inspect() noexcept;
  [[nodiscard]] ApiError to_api_error() const;

  std::exception_ptr exception_;
  std::error_code code_;
  std::shared_ptr<const detail::Origin> origin_;
  std::optional<ApiError> error_;
  std::optional<std::chrono::seconds> retry_after_;
  std::chrono::system_clock::time_point timestamp_;
  std::optional<Told> api_error_;
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
  } catch (...) {  // an unknown exception has no code
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
  if (origin_) return origin_->text.what();
  return code_ ? code_.message() : "failed without an error code";
}

#if FUSEBOX_DETAIL_EXCEPTIONS
inline ApiError Failure::to_api_error() const {
  if (error_) return *error_;
  if (origin_) return CircuitOpenError{origin_, retry_after_, timestamp_};
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

/// Leaves with the failure, which is thrown where exceptions are on.
[[noreturn]] FUSEBOX_DETAIL_INLINE void leave_with(const Failure& failure) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  failure.rethrow();
#else
  die(failure.message().c_str());
#endif
}

}  // namespace detail

/// What a breaker makes of a failure unless its config says otherwise (F2): a rejection or a
/// cancellation is ignored; a timeout and the statuses 408, 429 and 500 up are failures; another 4xx
/// is a success, since the dependency answered; everything else is a failure.
[[nodiscard]] FUSEBOX_API inline Outcome default_outcome(const Failure& failure) {
  const std::error_category& category = failure.code().category();
  if (category != api_error_category()) {
    if (category == std::generic_category()) {  // as detail::matches says, asked once
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

/// Says when a returned T is a failure. A specialisation has either or both of
///
///     static std::optional<Failure> failure(const T& value);    // std::nullopt where it is none
///     static T from_rejection(const RejectedError& error);      // what a rejected call returns
///
/// The primary template has neither: a T is then judged by failure_of or by the defaults (F1).
template <class T>
struct failure_traits {};

namespace detail {

/// predicate(value), also where the predicate is a pointer to a member (std::invoke needs <functional>).
template <class Predicate, class T>
decltype(auto) ask(Predicate& predicate, const T& value) {
  if constexpr (std::is_member_function_pointer_v<std::remove_const_t<Predicate>>) {
    return (value.*predicate)();
  } else if constexpr (std::is_member_object_pointer_v<std::remove_const_t<Predicate>>) {
    return value.*predicate;
  } else {
    return predicate(value);
  }
}

}  // namespace detail

/// Judges the value of one call, instead of what its type says:
///
///     failure_if([](const Response& r) -> std::optional<Failure> {
///       if (r.status < 500) return std::nullopt;
///       return Failure::from_status(r.status);
///     })
///
/// The predicate may also give a bool. The Failure is then what the value's type says by itself, or one
/// without a code, which is not transient: a retry stops at it unless retry_if accepts it.
template <class Predicate>
class FailureIf {
 public:
  constexpr explicit FailureIf(Predicate predicate) : predicate_{std::move(predicate)} {}

  template <class T>
    requires std::predicate<const Predicate&, const T&> ||
             std::is_invocable_r_v<std::optional<Failure>, const Predicate&, const T&>
  [[nodiscard]] decltype(auto) operator()(const T& value) const {
    return detail::ask(predicate_, value);
  }

 private:
  [[no_unique_address]] Predicate predicate_;
};

template <class Predicate>
[[nodiscard]] constexpr auto failure_if(Predicate predicate) {
  return FailureIf<Predicate>{std::move(predicate)};
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
