// fusebox/retry/result.hpp: RetryResult, a value or an error with RetryStats; StopReason (R2, R19).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Why a retry ended.
enum class StopReason : unsigned char {
  succeeded,             ///< op succeeded
  not_retryable,         ///< retry_if does not accept the failure, or it may have been processed (R7)
  retries_exhausted,     ///< max_retries retries were made
  deadline,              ///< the next wait would have reached total_timeout (R3)
  budget_exhausted,      ///< the budget refused a retry (R6)
  retry_after_too_long,  ///< the failure asked for a wait longer than max_delay (R5)
  cancelled,             ///< a stop was requested, or the failure is a cancellation (R4)
};

/// The enumerator's name; "unknown" for any other value.
[[nodiscard]] constexpr std::string_view to_string(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::succeeded: return "succeeded";
    case StopReason::not_retryable: return "not_retryable";
    case StopReason::retries_exhausted: return "retries_exhausted";
    case StopReason::deadline: return "deadline";
    case StopReason::budget_exhausted: return "budget_exhausted";
    case StopReason::retry_after_too_long: return "retry_after_too_long";
    case StopReason::cancelled: return "cancelled";
  }
  return "unknown";
}

/// How a retry went.
struct RetryStats {
  int attempts = 0;                         ///< calls of op
  std::chrono::nanoseconds total_delay{0};  ///< the sum of the waits that were not cut short
  std::vector<Failure> errors;              ///< one for each failed attempt, in order
  StopReason stop_reason = StopReason::succeeded;
};

namespace detail {

struct RetryLoop;

/// What op returned: a value made in place by calling op, a pointer for a reference, nothing for void.
template <class T>
struct ResultStorage {
  T value;
  template <class Call>
  ResultStorage(std::in_place_t, Call& call) : value(call()) {}
  [[nodiscard]] T& get() noexcept { return value; }
  [[nodiscard]] const T& get() const noexcept { return value; }
};
template <class T>
  requires std::is_reference_v<T>
struct ResultStorage<T> {
  std::remove_reference_t<T>* value;
  template <class Call>
  ResultStorage(std::in_place_t, Call& call) : value(address_of(call())) {}
  [[nodiscard]] std::remove_reference_t<T>& get() const noexcept { return *value; }
  [[nodiscard]] static std::remove_reference_t<T>* address_of(std::remove_reference_t<T>& object) noexcept {
    return std::addressof(object);
  }
  [[nodiscard]] static std::remove_reference_t<T>* address_of(std::remove_reference_t<T>&& object) noexcept {
    return std::addressof(object);
  }
};
template <class T>
  requires std::is_void_v<T>
struct ResultStorage<T> {
  template <class Call>
  ResultStorage(std::in_place_t, Call& call) {
    call();
  }
};

}  // namespace detail

/// op's value, or the error that ended the retry; either way with stats. has_value() says whether op
/// succeeded. If the last attempt returned a failed value, such as an expected that holds an error, value()
/// gives it though has_value() is false. As safe to share between threads as its value.
template <class T>
class RetryResult {
  static constexpr bool is_void = std::is_void_v<T>;
  static constexpr bool not_void = !is_void;
  struct Nothing {};
  using Converted = std::conditional_t<is_void, Nothing, T>;

 public:
  using value_type = T;

  RetryStats stats;

  [[nodiscard]] bool has_value() const noexcept { return succeeded_; }

  /// The error that ended the retry; a failure without a code if it succeeded.
  [[nodiscard]] const Failure& error() const noexcept {
    if (const auto* early = std::get_if<failure_index>(std::addressof(outcome_))) return *early;
    if (!succeeded_ && !stats.errors.empty()) return stats.errors.back();
    static const detail::NoDestroy<Failure> none{std::error_code{}};
    return *none;
  }

  /// The value. Without a value it throws the error: op's own exception, or the library's. If exceptions are
  /// disabled it aborts.
  decltype(auto) value() & { return get(*this); }
  decltype(auto) value() const& { return get(*this); }
  T value() && {
    if constexpr (is_void || std::is_reference_v<T>) {
      return get(*this);
    } else {
      return std::move(get(*this));
    }
  }

  decltype(auto) operator*() & { return value(); }
  decltype(auto) operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }

  [[nodiscard]] auto* operator->()
    requires not_void
  {
    return std::addressof(get(*this));
  }
  [[nodiscard]] auto* operator->() const
    requires not_void
  {
    return std::addressof(get(*this));
  }

  /// For `Order order = retry_with_backoff(fetch_order);`, which then reads as the plain call.
  // NOLINTNEXTLINE(*-explicit-*)
  operator Converted() &&
    requires not_void
  {
    return std::move(*this).value();
  }

  /// No conversion to bool, not even through a value that has one: `if (result)` would be ambiguous.
  template <std::same_as<bool> Bool>
    requires(!std::is_same_v<std::remove_cvref_t<T>, bool>)
  operator Bool() && = delete;

 private:
  friend struct detail::RetryLoop;
  friend struct failure_traits<RetryResult>;

  RetryResult() = default;
  /// The first attempt: `call()` gives the value, in place.
  template <class Call>
  RetryResult(std::in_place_t, Call& call)
      : outcome_{std::in_place_index<value_index>, std::in_place, call}, succeeded_{true} {
    stats.attempts = 1;
  }

  template <class Self>
  [[nodiscard]] static decltype(auto) get(Self& self) {
    auto* value = std::get_if<value_index>(std::addressof(self.outcome_));
    if (value == nullptr) [[unlikely]]
      detail::rethrow_or_abort(self.error());
    if constexpr (is_void) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(value->get());
    } else {
      return (value->get());
    }
  }

  template <class Call>
  void make(Call& call) {
    outcome_.template emplace<value_index>(std::in_place, call);
  }
  [[nodiscard]] const auto& peek() const noexcept {
    return std::get_if<value_index>(std::addressof(outcome_))->get();
  }
  void drop_value() noexcept { outcome_.template emplace<nothing_index>(); }
  void fail_without_attempt(Failure failure) { outcome_.template emplace<failure_index>(std::move(failure)); }
  /// Of a failed retry: throws its error, unless the last attempt returned a failed value.
  void throw_exception() const {
    if (outcome_.index() != value_index) detail::rethrow_or_abort(error());
  }

  // A variant: unlike that of std::optional, its empty state writes nothing but the index.
  static constexpr std::size_t nothing_index = 0;
  static constexpr std::size_t value_index = 1;
  static constexpr std::size_t failure_index = 2;  // op was never called, or its first call threw just now
  std::variant<std::monostate, detail::ResultStorage<T>, Failure> outcome_;
  bool succeeded_ = false;
};

/// A retry inside a rejected call made no attempt (B9).
template <class T>
struct failure_traits<RetryResult<T>> {
  [[nodiscard]] static RetryResult<T> from_rejection(const RejectedError& error) {
    RetryResult<T> result;
    result.stats.stop_reason = StopReason::not_retryable;
    result.fail_without_attempt(Failure{error});
    return result;
  }
};

namespace detail {

/// A call with a fallback returns the value of a retry (B11).
template <class T>
struct Unwrapped<RetryResult<T>> {
  using type = T;

  template <class Result>
  FUSEBOX_DETAIL_INLINE static decltype(auto) value_of(Result&& result) {
    static_assert(exceptions_are_on<Result>,
                  "fusebox: without exceptions a RetryResult, which may hold no value, cannot become one: "
                  "give no fallback, and test has_value()");
    return std::forward<Result>(result).value();
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
