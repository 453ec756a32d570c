// fusebox/failure/failure.hpp: Failure, what one failed attempt left (F9).
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/config_error.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure/detail/caught_as.hpp>
#include <fusebox/failure/detail/causes.hpp>
#include <fusebox/failure/detail/exception_text.hpp>
#include <fusebox/failure/translate.hpp>

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

  /// The answer of another service: its HTTP status, and its Retry-After if any: any duration, rounded up to
  /// milliseconds. rethrow() throws an ApiError that is marked with from_upstream (E5).
  template <class Rep, class Period>
  [[nodiscard]] static Failure from_status(int status, std::chrono::duration<Rep, Period> retry_after) {
    return from_status(status, std::optional{detail::to_milliseconds(retry_after)});
  }
  template <class Rep, class Period>
  [[nodiscard]] static Failure from_status(int status,
                                           std::optional<std::chrono::duration<Rep, Period>> retry_after) {
    return retry_after ? from_status(status, *retry_after) : from_status(status);
  }
  [[nodiscard]] static Failure from_status(
      int status, std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
    Failure failure;
    failure.code_ = std::error_code{status, http_category()};
    failure.retry_after_ = retry_after;
    failure.is_upstream_ = true;
    return failure;
  }

  explicit Failure(ApiError error) : error_{std::move(error)} { inspect(*error_); }

  explicit Failure(std::error_code code) noexcept : code_{detail::unwrapped(code)} {}

  /// The exception; null if the failure was a value.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return exception_; }

  /// The reason() of an ApiError, the code of a std::system_error, or the code that was thrown or returned;
  /// for an exception that the library does not know, what a translator says (F6); empty if unknown.
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
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept { return retry_after_; }

  /// A text for people, made anew at each call, without control characters (E8). May throw std::bad_alloc.
  [[nodiscard]] std::string message() const;

  /// True if a policy refused to make the call.
  [[nodiscard]] bool is_rejection() const noexcept { return detail::is_rejection_code(code_); }

  /// True if the caller ended the call: CancelledError, PolicyErrc::cancelled, and operation_canceled of any
  /// category.
  [[nodiscard]] bool is_cancellation() const noexcept { return detail::is_cancellation_code(code_); }

  /// True for a timeout: TimeoutError, PolicyErrc::timed_out, NetworkErrc::timed_out, and timed_out of any
  /// category.
  [[nodiscard]] bool is_timeout() const noexcept {
    return code_ && detail::matches(code_, std::errc::timed_out);
  }

  /// True if a config was refused (E6): nobody's failure. It is not counted or retried, and has no fallback.
  [[nodiscard]] bool is_config_error() const noexcept { return is_config_error_; }

  /// What retry_with_backoff retries by default (F3): a timeout, a retryable status, a network error. Never a
  /// rejection or a cancellation.
  [[nodiscard]] bool is_transient() const noexcept {
    if (is_rejection() || is_cancellation()) return false;
    const std::optional<int> http = status();
    return is_timeout() || (http && is_retryable_status(*http)) || category() == ErrorCategory::network ||
           detail::is_network_error(code_);
  }

#if FUSEBOX_DETAIL_EXCEPTIONS
  /// Throws the exception itself, or an ApiError made from the value, which send_exception does not show to
  /// clients (H4). A code of PolicyErrc gives the library's own error type, such as CircuitOpenError.
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
  friend struct detail::PolicyRejection;
  friend struct detail::OwnError;

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
  [[nodiscard]] bool translate() noexcept;

  /// The same failure as `other`, which says what the exception stands for.
  void adopt(const Failure& other) noexcept {
    code_ = other.code_;
    api_error_ = other.api_error_;
    if (other.error_) inspect(*other.error_);
    retry_after_ = other.retry_after_;
    is_config_error_ = other.is_config_error_;
  }

  [[nodiscard]] ApiError to_api_error() const;
#if FUSEBOX_DETAIL_EXCEPTIONS
  [[nodiscard]] std::exception_ptr make_exception() const;
#endif

  std::exception_ptr exception_;
  std::error_code code_;
  std::shared_ptr<const detail::RejectionSource> source_;
  std::optional<ApiError> error_;
  std::optional<std::chrono::milliseconds> retry_after_;
  std::chrono::system_clock::time_point timestamp_;
  std::optional<ApiErrorFields> api_error_;
  std::uint32_t generation_ = 0;  // of the breaker that rejected the call
  bool is_upstream_ = false;
  bool is_config_error_ = false;
};

#if FUSEBOX_DETAIL_EXCEPTIONS
FUSEBOX_DETAIL_COLD inline void Failure::inspect() noexcept {
#if FUSEBOX_DETAIL_WALK_BASES  // a second throw would cost as much as the first
  if (const auto* error = detail::caught_as<ApiError>(exception_)) {
    inspect(*error);
  } else if (const auto* system_error = detail::caught_as<std::system_error>(exception_)) {
    code_ = detail::unwrapped(system_error->code());
  } else if (const auto* code = detail::caught_as<std::error_code>(exception_)) {
    code_ = detail::unwrapped(*code);
  } else if (detail::caught_as<ConfigError>(exception_) != nullptr) {
    is_config_error_ = true;
  } else if (!translate()) {  // if nobody knows it, the code stays empty
    const auto* outer = detail::caught_as<std::nested_exception>(exception_);
    if (outer != nullptr && outer->nested_ptr()) adopt(from_exception(outer->nested_ptr()));
  }
#else
  try {
    std::rethrow_exception(exception_);
  } catch (const ApiError& error) {
    inspect(error);
  } catch (const std::system_error& error) {
    code_ = detail::unwrapped(error.code());
  } catch (const std::error_code& code) {
    code_ = detail::unwrapped(code);
  } catch (const ConfigError&) {
    is_config_error_ = true;
  } catch (const std::nested_exception& outer) {
    if (!translate() && outer.nested_ptr()) adopt(from_exception(outer.nested_ptr()));
  } catch (...) {
    static_cast<void>(translate());
  }
#endif
}

/// Asks the translators, the latest first (F6). False if none knows the exception.
FUSEBOX_DETAIL_COLD inline bool Failure::translate() noexcept {
  const auto* node = detail::translators().load(std::memory_order_acquire);
  for (; node != nullptr; node = node->next) {
    try {
      if (const std::optional<Failure> known = node->translator(exception_)) {
        adopt(*known);
        return true;
      }
    } catch (...) {  // the next one may know
    }
  }
  return false;
}
#endif

FUSEBOX_DETAIL_COLD inline std::string Failure::message() const {
#if FUSEBOX_DETAIL_EXCEPTIONS
  if (exception_) return detail::shown_text(detail::text_of(exception_));
#endif
  if (error_) return detail::shown_text(error_->message());
  if (source_) return source_->text.what();
  return code_ ? detail::shown_text(code_.message()) : "failed without an error code";
}

inline ApiError Failure::to_api_error() const {
  if (error_) return *error_;
  if (source_) return RejectedError{source_, retry_after_, timestamp_, generation_};
  const int status = this->status().value_or(http_status(category()));
  ApiError error{static_cast<ErrorCode>(status), message(), code_, SystemClock{}.wall_now()};
  if (retry_after_) error = error.with_retry_after(*retry_after_);
  if (is_upstream_) error = error.from_upstream({});
  return error.with_category(category());
}

#if FUSEBOX_DETAIL_EXCEPTIONS
FUSEBOX_DETAIL_COLD inline std::exception_ptr Failure::make_exception() const {
  ApiError error = to_api_error();
  if (!source_) detail::MadeFromValue::mark(error);
  if (error.reason().category() == policy_error_category()) {
    switch (static_cast<PolicyErrc>(error.reason().value())) {
      case PolicyErrc::circuit_open: return std::make_exception_ptr(CircuitOpenError{error});
      case PolicyErrc::bulkhead_full: return std::make_exception_ptr(BulkheadFullError{error});
      case PolicyErrc::rate_limited: return std::make_exception_ptr(RateLimitedError{error});
      case PolicyErrc::throttled: return std::make_exception_ptr(ThrottledError{error});
      case PolicyErrc::timed_out: return std::make_exception_ptr(TimeoutError{error});
      case PolicyErrc::cancelled: return std::make_exception_ptr(CancelledError{error});
    }
  }
  return std::make_exception_ptr(std::move(error));
}

FUSEBOX_DETAIL_COLD inline void Failure::rethrow() const {
  std::rethrow_exception(exception_ ? exception_ : make_exception());
}
#endif

namespace detail {

/// The error behind a Failure that the library made.
struct OwnError {
  [[nodiscard]] static ApiError of(const Failure& failure) { return failure.to_api_error(); }
#if FUSEBOX_DETAIL_EXCEPTIONS
  /// What failure.rethrow() throws.
  [[nodiscard]] FUSEBOX_DETAIL_COLD static std::exception_ptr exception_of(const Failure& failure) {
    return failure.exception_ ? failure.exception_ : failure.make_exception();
  }
#endif
};

/// Is it no failure of op's: was the call cancelled, or a config refused (E6)? It goes to the caller: no
/// fallback, no retry.
[[nodiscard]] inline bool is_nobodys(const Failure& failure) noexcept {
  return failure.is_cancellation() || failure.is_config_error();
}

/// The failure behind a policy's error, if any.
[[nodiscard]] inline const std::optional<Failure>& cause_of(
    const std::shared_ptr<const RejectionSource>& source) noexcept {
  static const NoDestroy<std::optional<Failure>> none;
  return source && source->cause ? *source->cause : *none;
}

}  // namespace detail

inline CancelledError::CancelledError(std::string_view message,
                                      std::chrono::system_clock::time_point timestamp, Failure cause)
    : CancelledError{message, timestamp} {
  source_ = std::make_shared<const detail::RejectionSource>(
      detail::RejectionSource{PolicyErrc::cancelled,
                              {},
                              detail::error_text(message),
                              std::make_shared<const std::optional<Failure>>(std::move(cause))});
}

inline const std::optional<Failure>& CancelledError::cause() const noexcept {
  return detail::cause_of(source());
}

inline std::optional<Failure> CircuitOpenError::cause() const noexcept {
  if (!source() || !source()->causes) return std::nullopt;
  const detail::Cause cause = source()->causes->at(generation());
  return cause ? *cause : std::nullopt;
}

FUSEBOX_END_NAMESPACE
