// fusebox/retry.hpp: retry_with_backoff, which calls again what failed for a passing reason.
//
//   RetryConfig, retry_presets     how often, how long; exponential_delay
//   retry_with_backoff             gives op's value, or throws its last error unchanged
//   try_retry_with_backoff         never throws for op: has_value(), error()
//   Attempt                        what op may take: its number, deadline, idempotency key
//   on_retry, on_give_up, retry_if, with_random, failure_if, a Clock, a std::stop_token, a budget
//                                  trailing options, in any order
//   detail/retry_session.hpp       RetryConfig, Attempt, and the rules, apart from the loop here
//   detail/retry_result.hpp        RetryResult and RetryStats
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/backoff.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/detail/session.hpp>
#include <fusebox/retry/result.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// The guide's strategies. Copy and change: `auto mine = retry_presets::quick; mine.max_retries = 5;`
namespace retry_presets {
/// Fast, non-critical operations.
inline constexpr RetryConfig quick{
    .max_retries = 2, .base_delay = std::chrono::milliseconds{500}, .max_delay = std::chrono::seconds{5}};
/// General purpose.
inline constexpr RetryConfig standard{
    .max_retries = 3, .base_delay = std::chrono::seconds{1}, .max_delay = std::chrono::seconds{30}};
/// Failures that last.
inline constexpr RetryConfig slow{
    .max_retries = 5, .base_delay = std::chrono::seconds{2}, .max_delay = std::chrono::seconds{60}};
/// High throughput.
inline constexpr RetryConfig aggressive{
    .max_retries = 3, .base_delay = std::chrono::milliseconds{100}, .max_delay = std::chrono::seconds{5}};
}  // namespace retry_presets

namespace detail {

/// The trailing options that carry a callable.
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
  [[nodiscard]] bool accepts(const Failure& failure) { return static_cast<bool>(ask(predicate, failure)); }
  [[nodiscard]] bool accepts(const Failure& failure) const {
    return static_cast<bool>(ask(predicate, failure));
  }
};
template <class G>
struct WithRandom {
  G generator;  // a reference where the caller's generator is to advance
};

}  // namespace detail

/// Calls `f(int attempt, const Failure&, std::chrono::nanoseconds delay)` before each wait; attempt
/// counts from 1. What it throws goes through.
template <class F>
[[nodiscard]] constexpr auto on_retry(F f) {
  static_assert(
      std::is_invocable_v<F&, int, const Failure&, std::chrono::nanoseconds>,
      "fusebox: on_retry takes f(int attempt, const Failure& failure, std::chrono::nanoseconds delay)");
  return detail::OnRetry<F>{std::move(f)};
}

/// Calls `f(const RetryStats&)` when the last error is about to reach the caller.
template <class F>
[[nodiscard]] constexpr auto on_give_up(F f) {
  static_assert(std::is_invocable_v<F&, const RetryStats&>,
                "fusebox: on_give_up takes f(const RetryStats& stats)");
  return detail::OnGiveUp<F>{std::move(f)};
}

/// Retries what `f(const Failure&)` accepts, instead of what is_transient() does. Cancellations are
/// never retried, nor, where the call is not idempotent, what may have been processed.
template <class F>
[[nodiscard]] constexpr auto retry_if(F f) {
  static_assert(std::is_invocable_r_v<bool, F&, const Failure&>,
                "fusebox: retry_if takes bool f(const Failure&)");
  return detail::RetryIf<F>{std::move(f)};
}

/// Draws jitter from `generator` (a UniformRandomBitGenerator): an lvalue by reference, an rvalue by
/// value. By default the operating system is asked for each draw.
template <class G>
[[nodiscard]] constexpr auto with_random(G&& generator) {
  static_assert(detail::RandomSource<std::remove_reference_t<G>>,
                "fusebox: with_random takes a UniformRandomBitGenerator");
  return detail::WithRandom<G>{std::forward<G>(generator)};
}

/// Limits retries across calls (a retry budget): `try_withdraw()` is asked before each wait and says
/// whether a retry may be made; `deposit()`, where there is one, is told of each success.
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
struct IsFailureIf : std::bool_constant<is_specialization<T, FailureIf>> {};
template <class T>
struct IsWithRandom : std::bool_constant<is_specialization<T, WithRandom>> {};
template <class T>
struct IsBudget : std::bool_constant<RetryBudgetLike<T>> {};

struct NoHook {
  static constexpr void call(const auto&...) noexcept {}
};
struct RetryTransient {
  [[nodiscard]] static bool accepts(const Failure& failure) noexcept { return failure.is_transient(); }
};
struct NoBudget {
  [[nodiscard]] static constexpr bool try_withdraw() noexcept { return true; }
};

template <class... Options>
consteval void check_retry_options() {
  static_assert(
      (... && is_one_of<Options, IsClock, IsStopToken, IsOnRetry, IsOnGiveUp, IsRetryIf, IsFailureIf,
                        IsWithRandom, IsBudget>),
      "fusebox: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig, a Clock, "
      "a std::stop_token, on_retry, on_give_up, retry_if, failure_if, with_random and a retry budget");
  static_assert(
      count<IsClock, Options...> <= 1 && count<IsStopToken, Options...> <= 1 &&
          count<IsOnRetry, Options...> <= 1 && count<IsOnGiveUp, Options...> <= 1 &&
          count<IsRetryIf, Options...> <= 1 && count<IsFailureIf, Options...> <= 1 &&
          count<IsWithRandom, Options...> <= 1 && count<IsBudget, Options...> <= 1,
      "fusebox: two options of one kind: retry_with_backoff accepts at most one each of a Clock, a "
      "std::stop_token, on_retry, on_give_up, retry_if, failure_if, with_random and a retry budget");
  static_assert((... && (!is_one_of<Options, IsBudget> || std::is_lvalue_reference_v<Options>)),
                "fusebox: a retry budget is shared by calls: pass it as an lvalue");
}

template <class Op>
inline constexpr bool takes_attempt = std::is_invocable_v<Op&, const Attempt&>;

template <class Op>
decltype(auto) invoke_attempt(Op& op, [[maybe_unused]] const Attempt& attempt) {
  if constexpr (takes_attempt<Op>) {
    return op(attempt);
  } else {
    return op();
  }
}

/// The control flow: call, judge, ask the session, wait. The first attempt is inlined where it is called;
/// what follows a failure is one cold function.
struct RetryLoop {
  /// What outlives the attempts of one call of an op that takes an Attempt.
  using Key = std::optional<std::string>;

  template <class R, bool throws, class Op, class... Options>
  FUSEBOX_DETAIL_INLINE static R run(Op& op, const RetryConfig& config, Options&... options) {
    using T = typename R::value_type;
    throw_if("RetryConfig", check(config));
    if constexpr (count < IsStopToken, Options... >> 0) {
      const StopToken no_token;
      if (pick<IsStopToken>(no_token, options...).stop_requested()) [[unlikely]]
        return cancelled_before<R, throws>(options...);
    }
    const Deadline deadline = deadline_of(config, options...);
    [[maybe_unused]] std::conditional_t<takes_attempt<Op>, Key, std::nullopt_t> key{std::nullopt};

    R result = first_attempt<R>(op, deadline, key, options...);
    if (!result.succeeded_) [[unlikely]] {
      go_on<throws>(result, op, config, deadline, key, options...);
      return result;
    }
    const NoRule no_rule;
    const auto& rule = pick<IsFailureIf>(no_rule, options...);
    if constexpr (can_fail<std::remove_cvref_t<T>, std::remove_cvref_t<decltype(rule)>>) {
      if (detail::is_suspect(result.peek(), rule)) [[unlikely]] {
        go_on<throws>(result, op, config, deadline, key, options...);
        return result;
      }
    }
    deposit(options...);
    return result;
  }

 private:
  template <class... Options>
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Deadline deadline_of(const RetryConfig& config,
                                                                  Options&... options) {
    if (config.total_timeout == no_timeout) [[likely]]
      return Deadline::never();
    const SystemClock system_clock;
    return Deadline::after(config.total_timeout, pick<IsClock>(system_clock, options...));
  }

  template <class... Options>
  [[nodiscard]] static Attempt attempt(int number, Deadline deadline, Key& key, Options&... options) {
    const StopToken no_token;
    return {number, deadline, pick<IsStopToken>(no_token, options...), key};
  }

  template <class R, class Op, class KeyOrNone, class... Options>
  FUSEBOX_DETAIL_INLINE static R first_attempt(Op& op, [[maybe_unused]] Deadline deadline,
                                               [[maybe_unused]] KeyOrNone& key, Options&... options) {
    FUSEBOX_DETAIL_TRY {
      if constexpr (takes_attempt<Op>) {
        const Attempt first = attempt(1, deadline, key, options...);
        const auto call = [&]() -> decltype(auto) { return op(first); };
        return R{std::in_place, call};
      } else {
        return R{std::in_place, op};
      }
    }
    FUSEBOX_DETAIL_CATCH_ALL { return caught<R>(); }
  }

  /// In a handler: the first attempt threw. What it threw is on its way to go_on() inside the result.
  template <class R>
  [[nodiscard]] FUSEBOX_DETAIL_COLD static R caught() {
    auto exception = std::current_exception();
    if (!exception) FUSEBOX_DETAIL_RETHROW;  // forced unwinding (F4)
    R result;
    result.stats.attempts = 1;
    result.fail_without_attempt(Failure::from_exception(std::move(exception)));
    return result;
  }

  template <class R, bool throws, class... Options>
  [[nodiscard]] FUSEBOX_DETAIL_COLD static R cancelled_before(Options&... options) {
    const SystemClock system_clock;
    NoHook no_hook;
    R result;
    result.stats.stop_reason = StopReason::cancelled;
    result.fail_without_attempt(Failure{CancelledError{"cancelled before the first attempt",
                                                       pick<IsClock>(system_clock, options...).wall_now()}});
    pick<IsOnGiveUp>(no_hook, options...).call(std::as_const(result.stats));
    if constexpr (throws) result.throw_exception();
    return result;
  }

  template <class... Options>
  FUSEBOX_DETAIL_INLINE static void deposit(Options&... options) {
    NoBudget no_budget;
    auto& budget = pick<IsBudget>(no_budget, options...);
    if constexpr (requires { budget.deposit(); }) budget.deposit();
  }

  /// After a first attempt that threw, or gave a value that may be a failure.
  template <bool throws, class R, class Op, class KeyOrNone, class... Options>
  FUSEBOX_DETAIL_COLD static void go_on(R& result, Op& op, const RetryConfig& config, Deadline deadline,
                                        [[maybe_unused]] KeyOrNone& key, Options&... options) {
    using T = typename R::value_type;
    SystemClock system_clock;
    StopToken no_token;
    NoHook no_hook;
    RetryTransient transient;
    NoRule no_rule;
    NoBudget no_budget;
    WithRandom<EntropySource> entropy{};
    auto& clock = pick<IsClock>(system_clock, options...);
    auto& token = pick<IsStopToken>(no_token, options...);
    auto& rule = pick<IsFailureIf>(no_rule, options...);
    auto& budget = pick<IsBudget>(no_budget, options...);
    auto random = pick<IsWithRandom>(entropy, options...);  // a generator given by value is this call's own
    RetrySession session{config, result.stats, deadline};

    // The failure of the latest attempt; nothing where it was none. A value is asked once whether it is one.
    std::optional<Failure> failure;
    constexpr bool value_can_fail = can_fail<std::remove_cvref_t<T>, std::remove_cvref_t<decltype(rule)>>;
    if (auto* thrown = std::get_if<R::failure_index>(std::addressof(result.outcome_))) {
      failure = std::move(*thrown);
      result.drop_value();
    } else if constexpr (value_can_fail) {
      failure = detail::judge(result.peek(), rule);
    }

    while (failure) {
      result.succeeded_ = false;
      const auto wait = session.next_wait(*failure, clock, token, pick<IsRetryIf>(transient, options...),
                                          random.generator, budget);
      if (wait) {
        pick<IsOnRetry>(no_hook, options...).call(result.stats.attempts, std::as_const(*failure), *wait);
      }
      session.keep(*std::exchange(failure, std::nullopt));
      if (!wait || !session.waited(*wait, clock.sleep_for(*wait, token) && !token.stop_requested())) {
        pick<IsOnGiveUp>(no_hook, options...).call(std::as_const(result.stats));
        if constexpr (throws) result.throw_exception();
        return;
      }

      const int number = ++result.stats.attempts;
      std::exception_ptr exception;
      FUSEBOX_DETAIL_TRY {
        if constexpr (takes_attempt<Op>) {
          const Attempt next = attempt(number, deadline, key, options...);
          const auto call = [&]() -> decltype(auto) { return op(next); };
          result.make(call);
        } else {
          result.make(op);
        }
      }
      FUSEBOX_DETAIL_CATCH_ALL {
        exception = std::current_exception();
        if (!exception) FUSEBOX_DETAIL_RETHROW;  // forced unwinding (F4)
      }
#if FUSEBOX_DETAIL_EXCEPTIONS
      if (exception) {
        result.drop_value();
        failure = Failure::from_exception(std::move(exception));
        continue;
      }
#endif
      if constexpr (value_can_fail) {
        if (detail::is_suspect(result.peek(), rule)) failure = detail::judge(result.peek(), rule);
      }
    }
    result.succeeded_ = true;
    deposit(options...);
  }
};

template <bool throws, class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto retry(Op& op, const RetryConfig& config, Options&... options) {
  static_assert(takes_attempt<Op> || std::is_invocable_v<Op&>,
                "fusebox: op must be callable without arguments or with a const Attempt&");
  using T = decltype(detail::invoke_attempt(op, std::declval<const Attempt&>()));
  static_assert(!unfinished<T>,
                "fusebox: op returns a future or a coroutine: its failure would come after the retry has "
                "looked; wait for it inside op");
  static_assert(!std::is_void_v<T> || count<IsFailureIf, Options...> == 0,
                "fusebox: failure_if judges the value of op, and this op returns none");
  static_assert(
      exceptions_are_on<T> || count<IsFailureIf, Options...> != 0 || can_fail<std::remove_cvref_t<T>, NoRule>,
      "fusebox: without exceptions op's result must be able to tell of a failure: an expected-like "
      "type, a std::error_code, a type with failure_traits or failure_of, or any with failure_if");
  static_assert(
      exceptions_are_on<T> || !throws || count<IsStopToken, Options...> == 0,
      "fusebox: without exceptions retry_with_backoff cannot throw CancelledError: with a stop token "
      "use try_retry_with_backoff");
  using R = RetryResult<std::conditional_t<std::is_reference_v<T>, T, std::remove_cv_t<T>>>;
  return RetryLoop::run<R, throws>(op, config, options...);
}

template <class First, class... Rest>
inline constexpr bool starts_with_config = std::is_same_v<std::remove_cvref_t<First>, RetryConfig>;

}  // namespace detail

/// Calls op until it succeeds, fails for good, or the config says stop (rules R1 to R10). Gives op's
/// value and stats; throws op's last exception unchanged, or CancelledError where op was never called.
/// A failed value (an expected, an error code, a value that failure_if rejects) is not thrown: the last
/// one is in the result, whose has_value() is then false.
///
///     auto order = retry_with_backoff(fetch_order, {.max_retries = 2, .base_delay = 100ms},
///                                     on_retry([](int n, const Failure& f, auto delay) { … }));
///
/// Thread-safe: concurrent calls share nothing but what the caller passes to both. Throws
/// std::invalid_argument for a bad config.
template <class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto retry_with_backoff(Op&& op, RetryConfig config, Options&&... options) {
  detail::check_retry_options<Options...>();
  return detail::retry<true>(op, config, options...);
}

template <class Op, class... Options>
  requires(!detail::starts_with_config<Options..., void>)
FUSEBOX_DETAIL_INLINE auto retry_with_backoff(Op&& op, Options&&... options) {
  constexpr RetryConfig config;
  return retry_with_backoff(std::forward<Op>(op), config, std::forward<Options>(options)...);
}

/// As retry_with_backoff, but never throws for op: look at has_value() and error().
template <class Op, class... Options>
[[nodiscard]] FUSEBOX_DETAIL_INLINE auto try_retry_with_backoff(Op&& op, RetryConfig config,
                                                                Options&&... options) {
  detail::check_retry_options<Options...>();
  return detail::retry<false>(op, config, options...);
}

template <class Op, class... Options>
  requires(!detail::starts_with_config<Options..., void>)
[[nodiscard]] FUSEBOX_DETAIL_INLINE auto try_retry_with_backoff(Op&& op, Options&&... options) {
  constexpr RetryConfig config;
  return try_retry_with_backoff(std::forward<Op>(op), config, std::forward<Options>(options)...);
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
