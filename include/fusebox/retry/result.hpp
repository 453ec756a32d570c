// fusebox/retry/result.hpp: RetryResult, a value or an error with RetryStats; StopReason (R2, R19).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
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

struct RetryDrive;
template <class R>
class RetrySlot;
enum class Takes : unsigned char;
template <class Task, Takes what, bool throws, class Op, class... Options>
class RetryPlan;

/// How a retry ended, whatever the type of its value. Its destructor is one test if nothing failed.
struct RetryOutcome {
  union {
    RetryStats stats;
  };
  const Failure* own = nullptr;  // the library's, on the heap: op was never called, or a wait was cancelled
  bool failed = false;
  bool wait_was_cancelled = false;

  RetryOutcome() noexcept : stats{} {}
  RetryOutcome(const RetryOutcome& other)
      : stats{other.stats}, failed{other.failed}, wait_was_cancelled{other.wait_was_cancelled} {
    if (other.own != nullptr) set_own(*other.own);
  }
  RetryOutcome(RetryOutcome&& other) noexcept
      : stats{std::move(other.stats)},
        own{std::exchange(other.own, nullptr)},
        failed{other.failed},
        wait_was_cancelled{other.wait_was_cancelled} {}
  RetryOutcome& operator=(RetryOutcome other) noexcept {
    std::swap(stats, other.stats);
    std::swap(own, other.own);
    failed = other.failed;
    wait_was_cancelled = other.wait_was_cancelled;
    return *this;
  }
  FUSEBOX_DETAIL_INLINE ~RetryOutcome() {
    // An empty vector of three pointers owns nothing. Others may, such as those of debug modes.
    constexpr bool is_plain = sizeof(std::vector<Failure>) == 3 * sizeof(void*);
    const auto memory = is_plain ? reinterpret_cast<std::uintptr_t>(stats.errors.data()) : 1;
    if ((memory | reinterpret_cast<std::uintptr_t>(own)) != 0) [[unlikely]]
      destroy();
  }

  FUSEBOX_DETAIL_COLD void set_own(Failure failure) { own = new Failure{std::move(failure)}; }

  /// The error that ended the retry; a failure without a code if it succeeded.
  [[nodiscard]] FUSEBOX_DETAIL_COLD const Failure& error() const noexcept {
    if (own != nullptr && !wait_was_cancelled) return *own;
    if (failed && !stats.errors.empty()) return stats.errors.back();
    static const NoDestroy<Failure> none{std::error_code{}};
    return *none;
  }

  /// Of a retry that failed: throws the error, or CancelledError if a stop cut a wait short (R4).
  [[noreturn]] FUSEBOX_DETAIL_COLD void throw_error() const {
    rethrow_or_abort(own != nullptr ? *own : error());
  }

 private:
  FUSEBOX_DETAIL_COLD void destroy() noexcept {
    delete own;
    stats.~RetryStats();
  }
};

}  // namespace detail

/// op's value, or the error that ended the retry; either way with stats. has_value() says whether op
/// succeeded. If the last attempt returned a failed value, such as an expected that holds an error, value()
/// gives it though has_value() is false. As safe to share between threads as its value.
template <class T>
class RetryResult : private detail::RetryOutcome, public detail::ValueAccess<RetryResult<T>, T> {
  static constexpr bool is_void = std::is_void_v<T>;
  static constexpr bool not_void = !is_void;
  struct Nothing {};
  using Converted = std::conditional_t<is_void, Nothing, T>;

 public:
  using value_type = T;

  /// No attempt, and so no value: for frameworks that need an object before the result is there.
  RetryResult() noexcept { failed = true; }

  using RetryOutcome::stats;  ///< How the retry went.

  [[nodiscard]] bool has_value() const noexcept { return !failed; }

  /// The error that ended the retry; a failure without a code if it succeeded.
  [[nodiscard]] const Failure& error() const noexcept { return RetryOutcome::error(); }

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
  friend struct detail::RetryDrive;
  friend class detail::ValueAccess<RetryResult, T>;
  friend class detail::RetrySlot<RetryResult>;
  friend struct failure_traits<RetryResult>;
  template <class Task, detail::Takes what, bool throws, class Op, class... Options>
  friend class detail::RetryPlan;

  struct Begun {};
  /// Of a call that begins.
  explicit RetryResult(Begun) noexcept {}

  template <class Self>
  [[nodiscard]] static decltype(auto) get(Self& self) {
    auto* value = std::get_if<value_index>(std::addressof(self.value_));
    if (value == nullptr) [[unlikely]]
      self.throw_error();
    if constexpr (is_void) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(value->get());
    } else {
      return (value->get());
    }
  }

  template <class Call>
  FUSEBOX_DETAIL_INLINE void make(Call& call) {
    value_.template emplace<value_index>(std::in_place, call);
  }
  void drop_value() noexcept { value_.template emplace<0>(); }
  [[nodiscard]] bool holds_value() const noexcept { return !is_void && value_.index() == value_index; }
  [[nodiscard]] const auto& peek() const noexcept {
    return std::get_if<value_index>(std::addressof(value_))->get();
  }

  // A variant: unlike that of std::optional, its empty state writes nothing but the index.
  static constexpr std::size_t value_index = 1;
  std::variant<std::monostate, detail::ResultStorage<T>> value_;
};

/// A retry inside a rejected call made no attempt (B9).
template <class T>
struct failure_traits<RetryResult<T>> {
  [[nodiscard]] static RetryResult<T> from_rejection(const RejectedError& error) {
    RetryResult<T> result;
    result.stats.stop_reason = StopReason::not_retryable;
    result.failed = true;
    result.set_own(Failure{error});
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
