// fusebox/detail/retry_result.hpp: RetryResult, what a retry gives: a value or an error, and stats.
//
// Public through retry.hpp.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// Why a retry ended.
enum class StopReason : unsigned char {
  succeeded,
  not_retryable,
  retries_exhausted,
  deadline,
  budget_exhausted,
  retry_after_too_long,
  cancelled,
};

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

struct RetryStats {
  int attempts = 0;                         ///< calls of op
  std::chrono::nanoseconds total_delay{0};  ///< the waits between them that were waited to their end
  std::vector<Failure> errors;              ///< one for each failed attempt, in order
  StopReason stop_reason = StopReason::succeeded;
};

/// A value, or the error that ended the retry; either way with stats. has_value() is true where op
/// succeeded. Where op's own type holds errors (an expected, an error code), the last failed value
/// stays reachable as value() though has_value() is false.
template <class T>
class RetryResult {
  static constexpr bool is_void = std::is_void_v<T>;
  struct Nothing {};
  using Stored =
      std::conditional_t<is_void, Nothing,
                         std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;
  using Value = std::conditional_t<is_void, Nothing, std::remove_reference_t<T>>;

 public:
  using value_type = T;

  RetryStats stats;

  [[nodiscard]] bool has_value() const noexcept { return succeeded_; }

  /// The error that ended the retry; a failure without a code where it succeeded.
  [[nodiscard]] const Failure& error() const noexcept {
    if (const auto* early = std::get_if<failure_index>(std::addressof(outcome_))) return *early;
    if (!succeeded_ && !stats.errors.empty()) return stats.errors.back();
    static const detail::NoDestroy<Failure> none{std::error_code{}};
    return *none;
  }

  /// The value; where there is none, throws the error: op's own exception, or the library's.
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

  [[nodiscard]] auto* operator->() requires(!is_void) { return std::addressof(get(*this)); }
  [[nodiscard]] auto* operator->() const requires(!is_void) { return std::addressof(get(*this)); }

  /// So that `Order order = retry_with_backoff(fetch_order);` reads as the plain call does.
  operator std::conditional_t<is_void, Nothing, T>() &&  // NOLINT(*-explicit-*)
      requires(!is_void) {
    return std::move(*this).value();
  }
  /// Not even by way of a value that converts to bool: `if (result)` would ask the wrong question.
  template <std::same_as<bool> Bool>
      operator Bool() && requires(!std::is_same_v<std::remove_cvref_t<T>, bool>) = delete;

 private:
  template <class Result, class Op, class... Options>
  friend void detail::run_attempts(RetryResult<Result>&, Op&, const RetryConfig&, Options&...);
  template <class Op, class... Options>
  friend auto retry_with_backoff(Op&&, RetryConfig, Options&&...);
  friend struct failure_traits<RetryResult>;

  template <class Self>
  [[nodiscard]] static decltype(auto) get(Self& self) {
    auto* value = std::get_if<value_index>(std::addressof(self.outcome_));
    if (value == nullptr) [[unlikely]]
      self.error().rethrow();
    if constexpr (is_void) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(**value);
    } else {
      return (*value);
    }
  }

  template <class... Args>
  void emplace(Args&&... args) {
    if constexpr (std::is_reference_v<T>) {
      outcome_.template emplace<value_index>(std::addressof(args)...);
    } else {
      outcome_.template emplace<value_index>(std::forward<Args>(args)...);
    }
  }
  [[nodiscard]] const Value& peek() const noexcept {
    const auto* value = std::get_if<value_index>(std::addressof(outcome_));
    if constexpr (std::is_reference_v<T>) {
      return **value;
    } else {
      return *value;
    }
  }
  void drop_value() noexcept { outcome_.template emplace<nothing_index>(); }
  void succeed() noexcept { succeeded_ = true; }
  void fail_without_attempt(Failure failure) { outcome_.template emplace<failure_index>(std::move(failure)); }
  void throw_exception() const {
    if (succeeded_) [[likely]]
      return;
    if (outcome_.index() != value_index) error().rethrow();
  }

  // A variant: unlike std::optional's, its empty state writes nothing but the index.
  static constexpr std::size_t nothing_index = 0;
  static constexpr std::size_t value_index = 1;
  static constexpr std::size_t failure_index = 2;  // where op was never called
  std::variant<std::monostate, Stored, Failure> outcome_;
  bool succeeded_ = false;
};

/// A breaker that rejects a call gives a RetryResult that made no attempt (B9).
template <class T>
struct failure_traits<RetryResult<T>> {
  [[nodiscard]] static RetryResult<T> from_rejection(const RejectedError& error) {
    RetryResult<T> result;
    result.stats.stop_reason = StopReason::not_retryable;
    result.fail_without_attempt(Failure{error});
    return result;
  }
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
