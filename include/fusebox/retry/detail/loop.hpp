// fusebox/retry/detail/loop.hpp: the control flow of a retry.
//
// It calls op, judges the result, asks the session what follows a failure, and waits.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/attempt.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/detail/session.hpp>
#include <fusebox/retry/options.hpp>
#include <fusebox/retry/result.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// An op that can be called both ways gets the attempt (R17).
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

/// The first attempt is inlined into the caller. What follows a failure is one cold function, which asks a
/// RetrySession after each failure.
struct RetryLoop {
  /// The idempotency key of a call, which outlives its attempts. Only for an op that takes an Attempt.
  using Key = std::optional<std::string>;

  template <class R, bool throws, class Op, class... Options>
  FUSEBOX_DETAIL_INLINE static R run(Op& op, const RetryConfig& config, Options&... options) {
    using T = typename R::value_type;
    throw_if("RetryConfig", check(config));
    if constexpr (count_of<IsStopToken, Options...> != 0) {
      const StopToken no_token;
      if (option_or<IsStopToken>(no_token, options...).stop_requested()) [[unlikely]]
        return cancelled_before<R, throws>(options...);
    }
    const Deadline deadline = deadline_of(config, options...);
    [[maybe_unused]] std::conditional_t<takes_attempt<Op>, Key, std::nullopt_t> key{std::nullopt};

    R result = first_attempt<R>(op, deadline, key, options...);
    if (!result.succeeded_) [[unlikely]] {
      retry_after_failure<throws>(result, op, config, deadline, key, options...);
      return result;
    }
    const NoRule no_rule;
    const auto& rule = option_or<IsFailureIf>(no_rule, options...);
    if constexpr (can_fail<std::remove_cvref_t<T>, std::remove_cvref_t<decltype(rule)>>) {
      if (detail::may_be_failure(result.peek(), rule)) [[unlikely]] {
        retry_after_failure<throws>(result, op, config, deadline, key, options...);
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
    return Deadline::after(config.total_timeout, option_or<IsClock>(system_clock, options...));
  }

  template <class... Options>
  [[nodiscard]] static Attempt make_attempt(int number, Deadline deadline, Key& key, Options&... options) {
    const StopToken no_token;
    return {number, deadline, option_or<IsStopToken>(no_token, options...), key};
  }

  template <class R, class Op, class KeyOrNone, class... Options>
  FUSEBOX_DETAIL_INLINE static R first_attempt(Op& op, [[maybe_unused]] Deadline deadline,
                                               [[maybe_unused]] KeyOrNone& key, Options&... options) {
    FUSEBOX_DETAIL_TRY {
      if constexpr (takes_attempt<Op>) {
        const Attempt first = make_attempt(1, deadline, key, options...);
        const auto call = [&]() -> decltype(auto) { return op(first); };
        return R{std::in_place, call};
      } else {
        return R{std::in_place, op};
      }
    }
    FUSEBOX_DETAIL_CATCH_ALL { return caught<R>(); }
  }

  /// In a handler: the first attempt threw. The result carries the exception to retry_after_failure().
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
    result.fail_without_attempt(Failure{CancelledError{
        "cancelled before the first attempt", option_or<IsClock>(system_clock, options...).wall_now()}});
    option_or<IsOnGiveUp>(no_hook, options...).call(std::as_const(result.stats));
    if constexpr (throws) result.throw_exception();
    return result;
  }

  template <class... Options>
  FUSEBOX_DETAIL_INLINE static void deposit(Options&... options) {
    NoBudget no_budget;
    auto& budget = option_or<IsBudget>(no_budget, options...);
    if constexpr (requires { budget.deposit(); }) budget.deposit();
  }

  /// After a first attempt that threw, or returned a value that may be a failure.
  template <bool throws, class R, class Op, class KeyOrNone, class... Options>
  FUSEBOX_DETAIL_COLD static void retry_after_failure(R& result, Op& op, const RetryConfig& config,
                                                      Deadline deadline, [[maybe_unused]] KeyOrNone& key,
                                                      Options&... options) {
    using T = typename R::value_type;
    SystemClock system_clock;
    StopToken no_token;
    NoHook no_hook;
    RetryTransient transient;
    NoRule no_rule;
    NoBudget no_budget;
    WithRandom<EntropySource> entropy{};
    auto& clock = option_or<IsClock>(system_clock, options...);
    auto& token = option_or<IsStopToken>(no_token, options...);
    auto& rule = option_or<IsFailureIf>(no_rule, options...);
    auto& budget = option_or<IsBudget>(no_budget, options...);
    auto random = option_or<IsWithRandom>(entropy, options...);  // a generator by value is this call's own
    RetrySession session{config, result.stats, deadline};

    // The failure of the latest attempt, if it failed. A value is judged once.
    std::optional<Failure> failure;
    constexpr bool value_can_fail = can_fail<std::remove_cvref_t<T>, std::remove_cvref_t<decltype(rule)>>;
    if (auto* thrown = std::get_if<R::failure_index>(std::addressof(result.outcome_))) {
      failure = std::move(*thrown);
      result.drop_value();
    } else if constexpr (value_can_fail) {
      failure = detail::failure_of_value(result.peek(), rule);
    }

    while (failure) {
      result.succeeded_ = false;
      const auto wait = session.next_wait(*failure, clock, token, option_or<IsRetryIf>(transient, options...),
                                          random.generator, budget);
      if (wait) {
        option_or<IsOnRetry>(no_hook, options...).call(result.stats.attempts, std::as_const(*failure), *wait);
      }
      session.record_error(*std::exchange(failure, std::nullopt));
      if (!wait || !session.finish_wait(*wait, clock.sleep_for(*wait, token) && !token.stop_requested())) {
        option_or<IsOnGiveUp>(no_hook, options...).call(std::as_const(result.stats));
        if constexpr (throws) result.throw_exception();
        return;
      }

      const int number = ++result.stats.attempts;
      std::exception_ptr exception;
      FUSEBOX_DETAIL_TRY {
        if constexpr (takes_attempt<Op>) {
          const Attempt next = make_attempt(number, deadline, key, options...);
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
        if (detail::may_be_failure(result.peek(), rule))
          failure = detail::failure_of_value(result.peek(), rule);
      }
    }
    result.succeeded_ = true;
    deposit(options...);
  }
};

/// What retry_with_backoff (throws) and try_retry_with_backoff do once their options are checked.
template <bool throws, class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto retry(Op& op, const RetryConfig& config, Options&... options) {
  static_assert(takes_attempt<Op> || std::is_invocable_v<Op&>,
                "fusebox: op must be callable without arguments or with a const Attempt&");
  using T = decltype(detail::invoke_attempt(op, std::declval<const Attempt&>()));
  static_assert(!unfinished<T>,
                "fusebox: op returns a future or a coroutine, whose failure a retry would miss: wait for it "
                "inside op");
  static_assert(!std::is_void_v<T> || count_of<IsFailureIf, Options...> == 0,
                "fusebox: failure_if judges the value of op, and this op returns void");
  static_assert(
      exceptions_are_on<T> || count_of<IsFailureIf, Options...> != 0 ||
          can_fail<std::remove_cvref_t<T>, NoRule>,
      "fusebox: without exceptions op's result must be able to express a failure: an expected-like "
      "type, a std::error_code, a type with failure_traits or failure_of, or any type with failure_if");
  static_assert(
      exceptions_are_on<T> || !throws || count_of<IsStopToken, Options...> == 0,
      "fusebox: without exceptions retry_with_backoff cannot throw CancelledError: with a stop token "
      "use try_retry_with_backoff");
  using R = RetryResult<std::conditional_t<std::is_reference_v<T>, T, std::remove_cv_t<T>>>;
  return RetryLoop::run<R, throws>(op, config, options...);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
