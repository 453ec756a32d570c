// fusebox/retry/options.hpp: the options that follow op and its config (R17).
//
//   on_retry(f), on_give_up(f)   hooks
//   retry_if(f)                  a predicate: which failures are retried
//   backoff(f), linear(step)     the delays, instead of exponential ones
//   with_random(generator)       the source of jitter
//   RetryBudgetLike              limits retries across calls
//
// A Clock, a std::stop_token, a Deadline and failure_if are options of a retry too. What an option's callable
// throws goes through to the caller (R10).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/budget.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
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
  F call;
};
template <class F>
struct Backoff {
  F call;
};
template <class G>
struct WithRandom {
  G generator;  // a reference if the caller's generator is to advance
};

/// The delays of a list; the last one repeats.
template <std::size_t n>
struct ListedDelays {
  std::chrono::nanoseconds delays[n];
  [[nodiscard]] constexpr std::chrono::nanoseconds operator()(int attempt, const Failure&) const noexcept {
    const auto retry = static_cast<std::size_t>(attempt);
    return delays[(retry < n ? retry : n) - 1];
  }
};

/// step, 2 × step, 3 × step, … Saturates.
struct LinearDelay {
  std::chrono::nanoseconds step;
  [[nodiscard]] constexpr std::chrono::nanoseconds operator()(int attempt, const Failure&) const noexcept {
    return step.count() > tick_max / attempt ? std::chrono::nanoseconds::max() : step * attempt;
  }
};

constexpr void check_delay(const char* option, std::chrono::nanoseconds delay) {
  if (!is_duration(delay)) {
    throw_invalid("fusebox::" + std::string{option} + " must be at least 0, got " + duration_text(delay));
  }
}

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

/// `f(int attempt, const Failure& failure)` gives each delay, instead of the formula of R1 (R11): `attempt`
/// is the number of the failed attempt, from 1. Jitter, max_delay and Retry-After are applied to it as ever.
/// A negative delay is 0. Jitter::decorrelated takes no delay, so it takes none from f.
template <class F>
[[nodiscard]] constexpr auto backoff(F f) {
  if constexpr (detail::is_specialization<F, detail::Backoff>) {
    return f;  // backoff(linear(step)) is linear(step)
  } else {
    static_assert(std::is_invocable_r_v<std::chrono::nanoseconds, F&, int, const Failure&>,
                  "fusebox: backoff takes a list of durations, or a function of (int attempt, const Failure& "
                  "failure) that returns a duration in whole units, such as std::chrono::milliseconds");
    return detail::Backoff<F>{std::move(f)};
  }
}

/// The delays in turn; the last one repeats: `backoff({100ms, 500ms, 2s})`. Throws std::invalid_argument for
/// a negative one.
template <std::size_t n>
[[nodiscard]] constexpr auto backoff(const std::chrono::nanoseconds (&delays)[n]) {
  detail::ListedDelays<n> listed{};
  for (std::size_t i = 0; i < n; ++i) {
    detail::check_delay("backoff: a delay", delays[i]);
    listed.delays[i] = delays[i];
  }
  return detail::Backoff<detail::ListedDelays<n>>{listed};
}

/// The delays step, 2 × step, 3 × step, … (R11). Throws std::invalid_argument for a negative step.
[[nodiscard]] constexpr auto linear(std::chrono::nanoseconds step) {
  detail::check_delay("linear: the step", step);
  return detail::Backoff<detail::LinearDelay>{{step}};
}

/// Draws jitter from `generator`, a UniformRandomBitGenerator: an lvalue by reference, an rvalue by value
/// (R9). Without it each draw asks the operating system.
template <class G>
[[nodiscard]] constexpr auto with_random(G&& generator) {
  static_assert(detail::RandomSource<std::remove_reference_t<G>>,
                "fusebox: with_random takes a UniformRandomBitGenerator");
  return detail::WithRandom<G>{std::forward<G>(generator)};
}

/// A retry budget limits retries across calls (R6, R13). Pass it as an lvalue; make it thread-safe if several
/// threads share it.
///
/// - `bool try_withdraw(const Failure&)`, or without the argument, is asked before each wait and permits one
///   retry.
/// - `on_call()`, if the type has it, is called before the first attempt of each call (U5).
/// - `on_failure(const Failure&)`, if the type has it, is called after each attempt that failed with an error
///   that may be retried, also the last one, and before `try_withdraw` (U5).
/// - `deposit()`, if the type has it, is called after each call that succeeds.
/// - `give_back()`, if the type has it, returns what was withdrawn for a retry that never happened: its wait
///   was cancelled, or a hook threw. It must not throw.
template <class B>
concept RetryBudgetLike = detail::BudgetLike<B>;

namespace detail {

template <class T>
struct IsOnRetry : std::bool_constant<is_specialization<T, OnRetry>> {};
template <class T>
struct IsOnGiveUp : std::bool_constant<is_specialization<T, OnGiveUp>> {};
template <class T>
struct IsRetryIf : std::bool_constant<is_specialization<T, RetryIf>> {};
template <class T>
struct IsBackoff : std::bool_constant<is_specialization<T, Backoff>> {};
template <class T>
struct IsWithRandom : std::bool_constant<is_specialization<T, WithRandom>> {};

/// Is the first argument behind op a config?
template <class First, class... Rest>
inline constexpr bool starts_with_config = std::is_same_v<std::remove_cvref_t<First>, RetryConfig>;

template <class... Options>
consteval void check_retry_options() {
  static_assert(
      (... && is_one_of<Options, IsClock, IsStopToken, IsDeadline, IsOnRetry, IsOnGiveUp, IsRetryIf,
                        IsFailureIf, IsBackoff, IsWithRandom, IsBudget>),
      "fusebox: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig, a Clock, "
      "a std::stop_token, on_retry, on_give_up, retry_if, failure_if, backoff, a Deadline, with_random and a "
      "retry budget");
  static_assert(
      count_of<IsClock, Options...> <= 1 && count_of<IsStopToken, Options...> <= 1 &&
          count_of<IsDeadline, Options...> <= 1 && count_of<IsOnRetry, Options...> <= 1 &&
          count_of<IsOnGiveUp, Options...> <= 1 && count_of<IsRetryIf, Options...> <= 1 &&
          count_of<IsFailureIf, Options...> <= 1 && count_of<IsBackoff, Options...> <= 1 &&
          count_of<IsWithRandom, Options...> <= 1 && count_of<IsBudget, Options...> <= 1,
      "fusebox: two options of one kind: retry_with_backoff accepts at most one each of a Clock, a "
      "std::stop_token, on_retry, on_give_up, retry_if, failure_if, backoff, a Deadline, with_random and a "
      "retry budget");
  static_assert((... && (!is_one_of<Options, IsBudget> || std::is_lvalue_reference_v<Options>)),
                "fusebox: a retry budget is shared by calls: pass it as an lvalue");
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
