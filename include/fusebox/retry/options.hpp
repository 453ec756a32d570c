// fusebox/retry/options.hpp: the options that follow op and its config (R17).
//
//   on_retry(f), on_give_up(f)   hooks
//   retry_if(f)                  a predicate: which failures are retried
//   with_random(generator)       the source of jitter
//   RetryBudgetLike              limits retries across calls
//
// A Clock, a std::stop_token and failure_if are options of a retry too. What an option's callable throws goes
// through to the caller (R10).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <concepts>
#include <type_traits>
#include <utility>

#include <fusebox/detail/options.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/retry/result.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class F>
struct OnRetry {
  F call;
};
template <class F>
struct OnGiveUp {
  F call;
};
template <class F>
struct RetryIf {
  F predicate;
  [[nodiscard]] bool accepts(const Failure& failure) {
    return static_cast<bool>(invoke_predicate(predicate, failure));
  }
  [[nodiscard]] bool accepts(const Failure& failure) const {
    return static_cast<bool>(invoke_predicate(predicate, failure));
  }
};
template <class G>
struct WithRandom {
  G generator;  // a reference if the caller's generator is to advance
};

}  // namespace detail

/// Calls `f(int attempt, const Failure& failure, std::chrono::nanoseconds wait)` before each wait: the number
/// of the failed attempt, from 1, its failure, and the whole wait, Retry-After included.
template <class F>
[[nodiscard]] constexpr auto on_retry(F f) {
  static_assert(
      std::is_invocable_v<F&, int, const Failure&, std::chrono::nanoseconds>,
      "fusebox: on_retry takes f(int attempt, const Failure& failure, std::chrono::nanoseconds wait)");
  return detail::OnRetry<F>{std::move(f)};
}

/// Calls `f(const RetryStats&)` once if the retry ends without a success, before the error reaches the
/// caller.
template <class F>
[[nodiscard]] constexpr auto on_give_up(F f) {
  static_assert(std::is_invocable_v<F&, const RetryStats&>,
                "fusebox: on_give_up takes f(const RetryStats& stats)");
  return detail::OnGiveUp<F>{std::move(f)};
}

/// Retries what `bool f(const Failure&)` accepts, instead of what is_transient() accepts (R2). Never retries
/// a cancellation, nor, if the config says `.idempotent = false`, what may have been processed (R7).
template <class F>
[[nodiscard]] constexpr auto retry_if(F f) {
  static_assert(std::is_invocable_r_v<bool, F&, const Failure&>,
                "fusebox: retry_if takes bool f(const Failure&)");
  return detail::RetryIf<F>{std::move(f)};
}

/// Draws jitter from `generator`, a UniformRandomBitGenerator: an lvalue by reference, an rvalue by value
/// (R9). Without it each draw asks the operating system.
template <class G>
[[nodiscard]] constexpr auto with_random(G&& generator) {
  static_assert(detail::RandomSource<std::remove_reference_t<G>>,
                "fusebox: with_random takes a UniformRandomBitGenerator");
  return detail::WithRandom<G>{std::forward<G>(generator)};
}

/// A retry budget limits retries across calls (R6). `try_withdraw()` is asked before each wait and permits
/// one retry. `deposit()`, if the type has it, is called after each call that succeeds. Pass it as an lvalue;
/// make it thread-safe if several threads share it.
template <class B>
concept RetryBudgetLike = requires(B& budget) {
  { budget.try_withdraw() } -> std::same_as<bool>;
};

namespace detail {

template <class T>
struct IsOnRetry : std::bool_constant<is_specialization<T, OnRetry>> {};
template <class T>
struct IsOnGiveUp : std::bool_constant<is_specialization<T, OnGiveUp>> {};
template <class T>
struct IsRetryIf : std::bool_constant<is_specialization<T, RetryIf>> {};
template <class T>
struct IsWithRandom : std::bool_constant<is_specialization<T, WithRandom>> {};
template <class T>
struct IsBudget : std::bool_constant<RetryBudgetLike<T>> {};

// What stands for options that were not given.

struct NoHook {
  static constexpr void call(const auto&...) noexcept {}
};
struct RetryTransient {
  [[nodiscard]] static bool accepts(const Failure& failure) noexcept { return failure.is_transient(); }
};
struct NoBudget {
  [[nodiscard]] static constexpr bool try_withdraw() noexcept { return true; }
};

/// Is the first argument behind op a config?
template <class First, class... Rest>
inline constexpr bool starts_with_config = std::is_same_v<std::remove_cvref_t<First>, RetryConfig>;

template <class... Options>
consteval void check_retry_options() {
  static_assert(
      (... && is_one_of<Options, IsClock, IsStopToken, IsOnRetry, IsOnGiveUp, IsRetryIf, IsFailureIf,
                        IsWithRandom, IsBudget>),
      "fusebox: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig, a Clock, "
      "a std::stop_token, on_retry, on_give_up, retry_if, failure_if, with_random and a retry budget");
  static_assert(
      count_of<IsClock, Options...> <= 1 && count_of<IsStopToken, Options...> <= 1 &&
          count_of<IsOnRetry, Options...> <= 1 && count_of<IsOnGiveUp, Options...> <= 1 &&
          count_of<IsRetryIf, Options...> <= 1 && count_of<IsFailureIf, Options...> <= 1 &&
          count_of<IsWithRandom, Options...> <= 1 && count_of<IsBudget, Options...> <= 1,
      "fusebox: two options of one kind: retry_with_backoff accepts at most one each of a Clock, a "
      "std::stop_token, on_retry, on_give_up, retry_if, failure_if, with_random and a retry budget");
  static_assert((... && (!is_one_of<Options, IsBudget> || std::is_lvalue_reference_v<Options>)),
                "fusebox: a retry budget is shared by calls: pass it as an lvalue");
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
