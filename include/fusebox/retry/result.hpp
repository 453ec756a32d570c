// fusebox/retry/result.hpp: RetryResult, what a retry gives: a value or an error, and stats.
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

namespace detail {

/// What op gave, made in place by calling it.
template <class T>
struct Made {
  T value;
  template <class Call>
  Made(std::in_place_t, Call& call) : value(call()) {}
  [[nodiscard]] T& get() noexcept { return value; }
  [[nodiscard]] const T& get() const noexcept { return value; }
};
template <class T>
  requires std::is_reference_v<T>
struct Made<T> {
  std::remove_reference_t<T>* value;
  template <class Call>
  Made(std::in_place_t, Call& call) : value(address_of(call())) {}
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
struct Made<T> {
  template <class Call>
  Made(std::in_place_t, Call& call) {
    call();
  }
};

}  // namespace detail

/// A value, or the error that ended the retry; either way with stats. has_value() is true where op
/// succeeded. Where op's own type holds errors (an expected, an error code), the last failed value
/// stays reachable as value() though has_value() is false.
template <class T>
class RetryResult {
  static constexpr bool is_void = std::is_void_v<T>;
  struct Nothing {};

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

  /// The value; where there is none, throws the error: op's own exception, or the library's (with exceptions
  /// off it aborts: ask has_value()).
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
    requires(!is_void)
  {
    return std::addressof(get(*this));
  }
  [[nodiscard]] auto* operator->() const
    requires(!is_void)
  {
    return std::addressof(get(*this));
  }

  /// So that `Order order = retry_with_backoff(fetch_order);` reads as the plain call does.
  operator std::conditional_t<is_void, Nothing, T>() &&  // NOLINT(*-explicit-*)
      requires(!is_void) { return std::move(*this).value(); }
      /// Not even by way of a value that converts to bool: `if (result)` would ask the wrong question.
      template <std::same_as<bool> Bool>
      operator Bool() && requires(!std::is_same_v<std::remove_cvref_t<T>, bool>) = delete;

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
      detail::leave_with(self.error());
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
  void throw_exception() const {
    if (succeeded_) [[likely]]
      return;
    if (outcome_.index() != value_index) detail::leave_with(error());
  }

  // A variant: unlike std::optional's, its empty state writes nothing but the index.
  static constexpr std::size_t nothing_index = 0;
  static constexpr std::size_t value_index = 1;
  static constexpr std::size_t failure_index = 2;  // where op was never called
  std::variant<std::monostate, detail::Made<T>, Failure> outcome_;
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
