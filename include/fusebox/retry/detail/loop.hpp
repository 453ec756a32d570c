// fusebox/retry/detail/loop.hpp: the control flow of a retry.
//
// It calls op, judges the result, asks a RetryState what follows a failure, and waits.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/invoke.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/attempt.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/detail/table.hpp>
#include <fusebox/retry/options.hpp>
#include <fusebox/retry/result.hpp>
#include <fusebox/retry/state.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// An op that can be called both ways gets the attempt (R17).
template <class Op>
inline constexpr bool takes_attempt = std::is_invocable_v<Op&, const Attempt&>;

template <class Op>
decltype(auto) invoke_attempt(Op& op, [[maybe_unused]] const Attempt& attempt) {
  if constexpr (takes_attempt<Op>) {
    return detail::invoke(op, attempt);
  } else {
    return op();
  }
}

inline constexpr RetryConfig default_retry_config;

/// The first attempt is inlined into the caller. What follows a failure is repeat(), one function for all
/// calls, to which a call is a few pointers: see Kind and Parts.
struct RetryLoop {
  template <class R, bool throws, class Op, class... Options>
  FUSEBOX_DETAIL_INLINE static R run(Op& op, const RetryConfig& given, Options&... options) {
    using T = typename R::value_type;
    if (may_be_bad(given)) [[unlikely]]
      refuse_if_bad(given);
    const RetryConfig config{given};  // op may change the one that was given (R16)
    [[maybe_unused]] KeyOf<Op> key{std::nullopt};
    const NoRule no_rule;
    const auto& rule = option_or<IsFailureIf>(no_rule, options...);
    using Rule = std::remove_cvref_t<decltype(rule)>;
    const Tick end = end_of(given, options...);
    R result;

    auto begun = Begun::not_at_all;
    if (!is_stopped(options...)) [[likely]] {
      FUSEBOX_DETAIL_TRY {
        if constexpr (takes_attempt<Op>) {
          const StopToken no_token;
          const SystemClock system_clock;
          const auto deadline = DeadlineOf::at(end, ClockRef{option_or<IsClock>(system_clock, options...)});
          const Attempt first{1, deadline, option_or<IsStopToken>(no_token, options...), key};
          const auto call = [&]() -> decltype(auto) { return detail::invoke(op, first); };
          result.make(call);
        } else {
          result.make(op);
        }
        begun = Begun::returned;
      }
      FUSEBOX_DETAIL_CATCH_ALL {
        caught(result);
        begun = Begun::threw;
      }
    }
    bool succeeded = begun == Begun::returned;
    if constexpr (can_fail<std::remove_cvref_t<T>, Rule>) {
      if (succeeded) succeeded = !detail::may_be_failure(result.peek(), rule);
    }
    if (succeeded) [[likely]] {
      result.stats.attempts = 1;
      deposit(options...);
    } else {
      // A copy once more, so that a call that succeeds need not have it in memory.
      go_on<R, throws, Rule>(begun, result, op, RetryConfig{config}, end, key, options...);
    }
    return result;
  }

 private:
  /// How the latest attempt went.
  enum class Begun : unsigned char { not_at_all, threw, returned };

  /// The idempotency key of a call, which outlives its attempts. Only for an op that takes an Attempt.
  using Key = std::optional<std::string>;
  template <class Op>
  using KeyOf = std::conditional_t<takes_attempt<Op>, Key, std::nullopt_t>;

  /// What is special to one call beside op. A call without any of it has only an op.
  struct Parts {
    void* op;
    Key* key;
    const void* rule;
    void* pack;
    const StopToken* token;
  };
  struct Call;

  /// What is special to calls of one type.
  struct Kind {
    /// Calls op if `calls`, and judges what it returned. False if that is a failure, which is then recorded.
    bool (*try_op)(Call& call, RetryState& state, bool calls);
    const RetryTable* table;
    bool throws;
    bool has_parts;
  };

  /// A call as repeat() sees it.
  struct Call {
    const Kind& kind;
    RetryOutcome& outcome;
    void* op_or_parts;
    Begun latest;

    [[nodiscard]] const Parts& parts() const { return *static_cast<const Parts*>(op_or_parts); }
  };

  /// False if the value is a failure, which is then recorded. `is_new` if nobody has looked at it yet.
  template <class V, class Rule>
  static bool judge(V& value, const Rule& rule, RetryState& state, bool is_new) {
    if (is_new && !detail::may_be_failure(value, rule)) return true;
    auto failure = detail::failure_of_value(value, rule);
    if (failure) state.record(*std::move(failure));
    return !failure;
  }

  template <class R, class Op, class Rule, bool has_parts>
  static bool try_op(Call& call, RetryState& state, [[maybe_unused]] bool calls) {
    constexpr bool value_can_fail = can_fail<std::remove_cvref_t<typename R::value_type>, Rule>;
    auto& result = static_cast<R&>(call.outcome);
    if (!value_can_fail || calls) {
      void* pointer = call.op_or_parts;
      if constexpr (has_parts) pointer = call.parts().op;
      Op& op = *static_cast<Op*>(pointer);
      result.drop_value();
      if constexpr (takes_attempt<Op>) {
        const Attempt next{state.stats_.attempts + 1, state.deadline_, state.token_, *call.parts().key};
        const auto invoke_op = [&]() -> decltype(auto) { return detail::invoke(op, next); };
        result.make(invoke_op);
      } else {
        result.make(op);
      }
      call.latest = Begun::returned;
    }
    if constexpr (value_can_fail && std::is_same_v<Rule, NoRule>) {
      return judge(result.peek(), NoRule{}, state, calls);
    } else if constexpr (value_can_fail) {
      return judge(result.peek(), *static_cast<const Rule*>(call.parts().rule), state, calls);
    } else {
      return true;
    }
  }

  template <class R, bool throws, class Op, class Rule, class Pack, bool has_parts>
  static constexpr Kind kind{&try_op<R, Op, Rule, has_parts>, &retry_table<Pack>, throws, has_parts};

  /// After a first attempt that did not plainly succeed.
  template <class R, bool throws, class Rule, class Op, class KeyOrNone, class... Options>
  FUSEBOX_DETAIL_INLINE static void go_on(Begun begun, R& result, Op& op, const RetryConfig& config, Tick end,
                                          [[maybe_unused]] KeyOrNone& key, Options&... options) {
    using Pack = RetryPack<typename Referred<Options>::type...>;
    constexpr bool has_parts = takes_attempt<Op> || sizeof...(Options) != 0;
    constexpr const Kind& kind_of_call = kind<R, throws, Op, Rule, Pack, has_parts>;
    void* const op_pointer = const_cast<void*>(static_cast<const void*>(std::addressof(op)));
    if constexpr (!has_parts) {
      repeat(kind_of_call, result, op_pointer, config, end, begun);
    } else {
      Pack pack{std::tuple<typename Referred<Options>::type...>{options...}};
      Parts parts{op_pointer, nullptr, nullptr, &pack, nullptr};
      int none = 0;
      if constexpr (takes_attempt<Op>) parts.key = &key;
      if constexpr (count_of<IsFailureIf, Options...> != 0)
        parts.rule = std::addressof(option_or<IsFailureIf>(none, options...));
      if constexpr (count_of<IsStopToken, Options...> != 0)
        parts.token = std::addressof(option_or<IsStopToken>(none, options...));
      repeat(kind_of_call, result, &parts, config, end, begun);
    }
  }

  /// When the call must end, on the timeline of its clock.
  template <class... Options>
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Tick end_of(const RetryConfig& config, Options&... options) {
    const SystemClock system_clock;
    const ClockRef clock{option_or<IsClock>(system_clock, options...)};
    if constexpr (count_of<IsDeadline, Options...> != 0) {
      int none = 0;
      return ticks(
          retry_deadline(config.total_timeout, option_or<IsDeadline>(none, options...), clock).time());
    } else {
      return config.total_timeout == no_timeout ? tick_max : end_after(config.total_timeout, clock);
    }
  }
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE static Tick end_after(std::chrono::nanoseconds timeout,
                                                              ClockRef clock) {
    return ticks(DeadlineOf::after(timeout, clock).time());
  }

  template <class... Options>
  FUSEBOX_DETAIL_INLINE static void deposit(Options&... options) {
    if constexpr (count_of<IsBudget, Options...> != 0) {
      int none = 0;
      auto& budget = option_or<IsBudget>(none, options...);
      if constexpr (requires { budget.deposit(); }) budget.deposit();
    }
  }

  /// Checks once more, so that the caller's check makes no Problem.
  FUSEBOX_DETAIL_COLD static void refuse_if_bad(const RetryConfig& config) {
    throw_if("RetryConfig", check(config));
  }

  template <class... Options>
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static bool is_stopped(Options&... options) {
    if constexpr (count_of<IsStopToken, Options...> == 0) {
      return false;
    } else {
      int none = 0;
      return option_or<IsStopToken>(none, options...).stop_requested();
    }
  }

#if FUSEBOX_DETAIL_EXCEPTIONS
  /// In a handler: the first attempt threw.
  FUSEBOX_DETAIL_COLD static void caught(RetryOutcome& outcome) {
    auto exception = detail::caught_exception();
    if (!exception) throw;  // the thread or fiber ends (F4)
    outcome.stats.errors.push_back(Failure::from_exception(std::move(exception)));
  }
#else
  static void caught(RetryOutcome&) noexcept {}
#endif

  /// Attempts and waits until the retry ends, and says how in the outcome.
  FUSEBOX_DETAIL_COLD static void repeat(const Kind& kind, RetryOutcome& outcome, void* op_or_parts,
                                         const RetryConfig& config, Tick end, Begun begun) {
    Call call{kind, outcome, op_or_parts, begun};
    RetryState state{RetryState::Borrowed{kind.table, kind.has_parts ? call.parts().pack : nullptr}, config};
    state.deadline_ = DeadlineOf::at(end, state.clock());
    if (kind.has_parts && call.parts().token != nullptr) state.token_ = *call.parts().token;
    state.stats_ = std::move(outcome.stats);

    if (begun == Begun::not_at_all) {
      outcome.failed = true;
      cancel(outcome, state);
    } else {
      outcome.failed = !attempt_until_end(call, state);
    }
    outcome.stats = std::move(state.stats_);
    if (!kind.throws || !outcome.failed) return;
    if (call.latest != Begun::returned || outcome.wait_was_cancelled) outcome.throw_error();
  }

  /// A stop came before the first attempt, or during a wait.
  static void cancel(RetryOutcome& outcome, RetryState& state) {
    const auto now =
        state.table_->wall_now != nullptr ? state.table_->wall_now(state.pack_) : SystemClock{}.wall_now();
    const auto& errors = state.stats_.errors;
    outcome.wait_was_cancelled = !errors.empty();
    outcome.set_own(Failure{
        errors.empty()
            ? CancelledError{"cancelled before the first attempt", now}
            : CancelledError{"cancelled during the wait before the next attempt", now, errors.back()}});
    state.cancel();
  }

  /// True if op succeeded.
  static bool attempt_until_end(Call& call, RetryState& state) {
    bool failed = call.latest == Begun::threw || !call.kind.try_op(call, state, false);
    while (failed) {
      const auto wait = state.decide();
      if (!wait) return false;
      if (!sleep(state, *wait)) {
        cancel(call.outcome, state);
        return false;
      }
      state.begin_attempt();
      call.latest = Begun::threw;
      std::exception_ptr exception;
      FUSEBOX_DETAIL_TRY { failed = !call.kind.try_op(call, state, true); }
      FUSEBOX_DETAIL_CATCH_ALL {
        exception = detail::caught_exception();
        // Not op's: the thread or fiber ends (F4), or from failure_if (R10).
        if (!exception || call.latest == Begun::returned) FUSEBOX_DETAIL_RETHROW;
      }
#if FUSEBOX_DETAIL_EXCEPTIONS
      if (exception) {
        state.record(Failure::from_exception(std::move(exception)));
        failed = true;
      }
#endif
    }
    state.succeed();
    return true;
  }

  /// False if a stop cut the wait short.
  static bool sleep(RetryState& state, std::chrono::nanoseconds wait) {
    const bool to_its_end = state.table_->sleep != nullptr
                                ? state.table_->sleep(state.pack_, wait, state.token_)
                                : SystemClock{}.sleep_for(wait, state.token_);
    return to_its_end && !state.token_.stop_requested();
  }
};

/// What retry_with_backoff (throws) and try_retry_with_backoff do once their options are checked. op is an
/// object: a lambda, or a pointer to a function.
template <bool throws, class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto retry_object(Op& op, const RetryConfig& config, Options&... options) {
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

/// The same for any op.
template <bool throws, class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto retry(Op& op, const RetryConfig& config, Options&... options) {
  if constexpr (std::is_function_v<Op>) {
    Op* const pointer = op;
    return detail::retry<throws>(pointer, config, options...);
  } else {
    return detail::retry_object<throws>(op, config, options...);
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
