// fusebox/circuit_breaker/detail/flow.hpp: how CircuitBreaker::execute runs one call.
//
// BreakerFlow sorts the arguments of execute(), asks the core to admit the call, runs op, judges its result,
// settles the call exactly once, and returns op's result, the fallback's, or the rejection (B9 to B12).
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/circuit_breaker/detail/rejection.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T>
struct IsCallOptions : std::is_same<T, CallOptions> {};

template <class T>
inline constexpr bool is_execute_option = is_one_of<T, IsCallOptions, IsFailureIf>;

template <class... Options>
consteval void check_execute_options() {
  static_assert(
      (... && is_execute_option<Options>),
      "fusebox: unknown option: execute accepts, after op and an optional fallback, CallOptions and "
      "failure_if");
  static_assert(
      count_of<IsCallOptions, Options...> <= 1 && count_of<IsFailureIf, Options...> <= 1,
      "fusebox: two options of one kind: execute accepts at most one each of CallOptions and failure_if");
}

template <class Fallback>
inline constexpr bool takes_failure = std::is_invocable_v<Fallback&, const Failure&>;

template <class Op>
inline constexpr bool takes_deadline = std::is_invocable_v<Op&, Deadline>;

template <class Op>
decltype(auto) invoke_op(Op& op, [[maybe_unused]] Deadline deadline) {
  static_assert(takes_deadline<Op> || std::is_invocable_v<Op&>,
                "fusebox: op must be callable without arguments or with a Deadline");
  if constexpr (takes_deadline<Op>) {
    return op(deadline);
  } else {
    return op();
  }
}

/// Asks the timer for a Deadline only if op takes one.
template <class Op, class AnyTimer>
FUSEBOX_DETAIL_INLINE decltype(auto) invoke_timed(Op& op, [[maybe_unused]] const AnyTimer& timer) {
  if constexpr (takes_deadline<Op>) {
    return op(timer.deadline());
  } else {
    return op();
  }
}

/// Room for a T that few calls need. A std::optional without the flag, which would cost every call a write:
/// the flow knows where it is full.
template <class T>
class Room {
 public:
  Room() noexcept {}  // NOLINT(*-use-equals-default)
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {}  // NOLINT(*-use-equals-default)

  template <class... Args>
  void fill(Args&&... args) noexcept {
    std::construct_at(&held_, std::forward<Args>(args)...);
  }
  [[nodiscard]] T& operator*() noexcept { return held_; }
  [[nodiscard]] T* operator->() noexcept { return &held_; }
  /// Call it once after fill().
  void empty() noexcept { std::destroy_at(&held_); }

 private:
  union {
    T held_;  // NOLINT(readability-identifier-naming)
  };
};

template <class C>
struct BreakerFlow {
  using Breaker = CircuitBreaker<C>;
  using Core = BreakerCore<C>;

  // Sorting the arguments: an optional fallback, then options.

  template <class Op>
  FUSEBOX_DETAIL_INLINE static decltype(auto) execute_with(Breaker& breaker, Op& op) {
    NoFallback none;
    return run(breaker, op, none);
  }
  template <class Op, class First, class... Rest>
  FUSEBOX_DETAIL_INLINE static decltype(auto) execute_with(Breaker& breaker, Op& op, First& first,
                                                           Rest&... rest) {
    if constexpr (is_execute_option<First>) {
      NoFallback none;
      return run(breaker, op, none, first, rest...);
    } else {
      static_assert(
          is_fallback<First>,
          "fusebox: unknown option: what follows op must be a fallback (callable with nothing or with a "
          "const Failure&), CallOptions or failure_if");
      return run(breaker, op, first, rest...);
    }
  }

  /// How far a call has come when an exception passes: until it is settled, the handler must settle it.
  enum class Stage : unsigned char { calling, returned, settled };

  template <class Op, class Fallback, class... Options>
  FUSEBOX_DETAIL_INLINE static auto run(Breaker& breaker, Op& op, Fallback& fallback, Options&... options)
      -> GuardedResult<decltype(detail::invoke_op(op, Deadline{})), Fallback> {
    check_execute_options<Options...>();
    using V = decltype(detail::invoke_op(op, Deadline{}));
    using R = GuardedResult<V, Fallback>;
    constexpr bool has_fallback = !std::is_same_v<Fallback, NoFallback>;
    static_assert(!unfinished<V>,
                  "fusebox: op returns a future or a coroutine: its failure would come after the breaker has "
                  "recorded a success; wait for it inside op, or use try_acquire()");
    static_assert(!std::is_void_v<V> || count_of<IsFailureIf, Options...> == 0,
                  "fusebox: failure_if judges the value of op, and this op returns none");
    static_assert(
        exceptions_are_on<V> || has_fallback || carries_rejection<V>,
        "fusebox: without exceptions a rejection cannot be thrown: give execute a fallback, or let op "
        "return a type that can carry it (expected-like, std::error_code, with failure_traits)");
    const NoRule no_rule;
    const auto& rule = detail::option_or<IsFailureIf>(no_rule, options...);
    using Rule = std::remove_cvref_t<decltype(rule)>;
    const auto timer = start_timer(breaker, options...);

    Scope scope;
    StateWord word = breaker.core_.load();
    if (!word.admits_at_once()) [[unlikely]] {
      // Throwing costs so much that one more call before it does not matter.
      constexpr bool throws_rejection = !has_fallback && !carries_rejection<V>;
      Tick wait = 0;
      bool rejected = !throws_rejection && breaker.core_.rejects(word, wait);
      if (!rejected) {
        word = begin(breaker, word, scope);
        rejected = word.is_rejected();
        if (rejected) wait = scope.start;
      }
      if (rejected) {
        const std::chrono::nanoseconds retry_after{wait};
        if constexpr (has_fallback) {
          return rejected_with_fallback<R>(breaker, word, fallback, retry_after);
        } else if constexpr (carries_rejection<V>) {
          return detail::carry_rejection<V>([&] { return breaker.core_.rejection_error(word, retry_after); });
        } else {
#if FUSEBOX_DETAIL_EXCEPTIONS
          throw breaker.core_.rejection_error(word, retry_after);
#endif
        }
      }
    }

    constexpr bool passes_failure = takes_failure<Fallback>;
    [[maybe_unused]] Room<std::conditional_t<passes_failure, Failure, bool>>
        thrown;  // full after the handler
    Stage stage = Stage::calling;
    FUSEBOX_DETAIL_TRY {
      if constexpr (std::is_void_v<V>) {
        detail::invoke_timed(op, timer);
        stage = Stage::returned;
        const bool late = timer.is_late();
        stage = Stage::settled;
        succeed(breaker, word, scope, late);
        return;
      } else {
        using Held = std::remove_cv_t<V>;
        Held value = detail::invoke_timed(op, timer);
        stage = Stage::returned;
        if constexpr (can_fail<std::remove_cvref_t<V>, Rule>) {
          using Judged = std::remove_cvref_t<V>;
          if (detail::may_be_failure<Judged>(value, rule)) [[unlikely]] {
            if constexpr (is_judged_by_code<Judged, Rule> &&
                          std::is_same_v<std::remove_const_t<decltype(timer)>, NoTimer>) {
              if (breaker.core_.config_at(word).classify == &default_outcome) [[likely]] {
                const std::error_code code = detail::code_of_value<Judged, Rule>(value);
                stage = Stage::settled;
                settle_by_code(breaker, word, scope, code);
                if constexpr (takes_failure<Fallback>) {
                  if (!detail::is_cancellation_code(code))
                    return detail::call_fallback<R>(fallback, Failure{code});
                } else if constexpr (has_fallback) {
                  if (!detail::is_cancellation_code(code)) return detail::call_as<R>(fallback);
                }
                return detail::convert_result<R>(std::forward<Held>(value));
              }
            }
            if (const auto failure = detail::failure_of_value<Judged>(value, rule)) {
              stage = Stage::settled;
              fail(breaker, word, scope, *failure, timer);
              if constexpr (has_fallback) {
                if (!detail::is_nobodys(*failure)) return detail::call_fallback<R>(fallback, *failure);
              }
              return detail::convert_result<R>(std::forward<Held>(value));
            }
          }
        }
        const bool late = timer.is_late();
        stage = Stage::settled;
        succeed(breaker, word, scope, late);
        if constexpr (std::is_same_v<R, Held> && !std::is_reference_v<Held>) {
          return value;
        } else {
          return detail::convert_result<R>(std::forward<Held>(value));
        }
      }
    }
    FUSEBOX_DETAIL_CATCH_ALL {
      if constexpr (passes_failure) {
        auto failure = caught(breaker, word, scope, stage, timer);
        if (!failure || detail::is_nobodys(*failure)) FUSEBOX_DETAIL_RETHROW;
        thrown.fill(std::move(*failure));
      } else {
        const bool falls_back = record_exception(breaker, word, scope, stage, timer);
        if constexpr (has_fallback) {
          if (!falls_back) FUSEBOX_DETAIL_RETHROW;
        } else {
          FUSEBOX_DETAIL_RETHROW;
        }
      }
    }
    // Outside the handler, as in every other state: `throw;` in a fallback finds no exception (B10).
    if constexpr (passes_failure) {
      struct Emptying {
        Room<Failure>& room;
        ~Emptying() { room.empty(); }
      } emptying{thrown};
      return detail::call_fallback<R>(fallback, *thrown);
    } else if constexpr (has_fallback) {
      return detail::call_as<R>(fallback);
    }
  }

  // The timer of a call: none without CallOptions.

  struct NoTimer {
    [[nodiscard]] static constexpr Deadline deadline() noexcept { return Deadline::never(); }
    [[nodiscard]] static constexpr bool is_late() noexcept { return false; }
  };
  struct Timer {
    const C& clock;
    std::chrono::nanoseconds timeout;
    Tick start;
    [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Deadline deadline() const noexcept {
      if (timeout == no_timeout) return Deadline::never();
      const auto end = saturating_add(start, timeout.count());
      return Deadline::at(std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}, clock);
    }
    [[nodiscard]] FUSEBOX_DETAIL_NOINLINE bool is_late() const {
      return timeout != no_timeout && elapsed(start, detail::fine_tick(clock)) > timeout.count();
    }
  };

  template <class... Options>
  FUSEBOX_DETAIL_INLINE static auto start_timer([[maybe_unused]] const Breaker& breaker,
                                                Options&... options) {
    if constexpr (count_of<IsCallOptions, Options...> == 0) {
      return NoTimer{};
    } else {
      const CallOptions none;
      return timer_of(breaker, detail::option_or<IsCallOptions>(none, options...));
    }
  }
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE static Timer timer_of(const Breaker& breaker, CallOptions call) {
    throw_if("CallOptions", check(call));
    const C& clock = breaker.core_.clock();
    return Timer{clock, call.timeout, call.timeout == no_timeout ? 0 : detail::fine_tick(clock)};
  }

  // How a call begins and ends, apart from the fast path.

  /// What a call holds beside the word of its admission. Most calls never touch it.
  struct Scope {
    Tick start;
    Room<std::pair<typename Core::ProbeCall, std::shared_ptr<void>>> probe;
  };

  /// Admits or rejects a call that the word alone does not admit.
  FUSEBOX_DETAIL_NOINLINE static StateWord begin(Breaker& breaker, StateWord word, Scope& scope) {
    const Admission admission = breaker.core_.admit_slow_path(word, true);
    scope.start = admission.time;
    const StateWord admitted{admission};
    if (admitted.is_probe()) begin_probe(breaker, admission, scope);
    return admitted;
  }

  FUSEBOX_DETAIL_COLD static void begin_probe(Breaker& breaker, Admission admission, Scope& scope) {
    auto keep_alive = breaker.weak_from_this().lock();  // a callback may release the breaker
    bool has_begun = false;
    const auto step = [&] {
      if (!std::exchange(has_begun, true)) {
        breaker.core_.deliver_events();
      } else {  // a callback has ended the thread: the call is not made
        breaker.core_.settle(admission, Outcome::ignored);
      }
      return false;
    };
    run_to_end(step);
    // Just below the frame that will call op, and so above all that op calls. Not the address of a local
    // variable, which need not lie on the stack (AddressSanitizer).
    const void* const frame = __builtin_frame_address(0);
    const auto call = breaker.core_.begin_probe_call(StateWord{admission}, frame);
    scope.probe.fill(call, std::move(keep_alive));
  }

  FUSEBOX_DETAIL_INLINE static void succeed(Breaker& breaker, StateWord word, Scope& scope, bool late) {
    if (late) [[unlikely]] {
      settle_late_success(breaker, word, scope);
    } else if (!breaker.core_.settle_plain_success(word)) [[unlikely]] {
      settle(breaker, word, scope, Outcome::success, nullptr);
    }
  }
  FUSEBOX_DETAIL_COLD static void settle_late_success(Breaker& breaker, StateWord word, Scope& scope) {
    const Failure late{make_error_code(PolicyErrc::timed_out)};
    settle(breaker, word, scope, Outcome::failure, &late);
  }

  FUSEBOX_DETAIL_NOINLINE static void settle(Breaker& breaker, StateWord word, Scope& scope, Outcome outcome,
                                             const Failure* failure) {
    const Admission admission{word.bits(), word.admits_at_once() ? 0 : scope.start};
    if (!word.is_probe()) [[likely]]
      return breaker.core_.settle_slow_path(admission, outcome, failure);  // a tail call: no stack frame
    settle_probe_call(breaker, admission, scope, outcome, failure);
  }
  FUSEBOX_DETAIL_COLD static void settle_probe_call(Breaker& breaker, Admission admission, Scope& scope,
                                                    Outcome outcome, const Failure* failure) {
    breaker.core_.end_probe_call(StateWord{admission}, scope.probe->first);
    struct Emptying {
      Scope& scope;
      ~Emptying() { scope.probe.empty(); }  // may destroy the breaker
    } emptying{scope};
    breaker.core_.settle_slow_path(admission, outcome, failure);
  }

  /// As fail() without a timer, for a classify that is default_outcome: no Failure is made.
  FUSEBOX_DETAIL_INLINE static void settle_by_code(Breaker& breaker, StateWord word, Scope& scope,
                                                   const std::error_code& code) {
    const Outcome outcome = detail::outcome_of_code(code);
    if (outcome == Outcome::failure && breaker.core_.settle_closed_failure(word, code)) [[likely]]
      return;
    const Failure failure{code};
    settle(breaker, word, scope, outcome, &failure);
  }

  /// Judges in the order of B12. Settles the call also if classify or the clock throws. Touches nothing of
  /// the breaker afterwards.
  template <class AnyTimer>
  FUSEBOX_DETAIL_NOINLINE static void fail(Breaker& breaker, StateWord word, Scope& scope,
                                           const Failure& failure, const AnyTimer& timer) {
    struct Settling {
      Breaker& breaker;
      StateWord word;
      Scope& scope;
      const Failure& failure;
      bool is_judged = false;
      ~Settling() {
        if (!is_judged) BreakerFlow::settle(breaker, word, scope, Outcome::ignored, &failure);
      }
    } settling{breaker, word, scope, failure};
    Outcome outcome = Outcome::ignored;
    const auto classify = breaker.core_.config_at(word).classify;
    if (classify == &default_outcome &&
        std::is_same_v<AnyTimer, NoTimer>) {  // it recognises cancellations itself
      outcome = default_outcome(failure);
    } else if (!failure.is_rejection() && !detail::is_nobodys(failure)) {
      outcome = timer.is_late() ? Outcome::failure : classify(failure);
    }
    settling.is_judged = true;
    settle(breaker, word, scope, outcome, &failure);
  }

  /// In a handler: what op threw; nothing if the exception came after op, or ends the thread or fiber (F4).
  template <class AnyTimer>
  FUSEBOX_DETAIL_COLD static std::optional<Failure> caught(Breaker& breaker, StateWord word, Scope& scope,
                                                           Stage stage, const AnyTimer& timer) {
    if (stage == Stage::settled) return std::nullopt;  // from the fallback or the result's conversion
    std::optional<Failure> failure;
    if (stage == Stage::calling) {
      if (auto exception = detail::caught_exception())
        failure = Failure::from_exception(std::move(exception));
    }
    if (!failure) {  // from failure_if or the clock
      settle(breaker, word, scope, Outcome::ignored, nullptr);
      return std::nullopt;
    }
    fail(breaker, word, scope, *failure, timer);
    return failure;
  }

  /// The same, and whether a fallback's value is wanted.
  template <class AnyTimer>
  FUSEBOX_DETAIL_COLD static bool record_exception(Breaker& breaker, StateWord word, Scope& scope,
                                                   Stage stage, const AnyTimer& timer) {
    const auto failure = caught(breaker, word, scope, stage, timer);
    return failure && !detail::is_nobodys(*failure);
  }

  template <class R, class Fallback>
  static R rejected_with_fallback([[maybe_unused]] const Breaker& breaker, StateWord word, Fallback& fallback,
                                  std::chrono::nanoseconds retry_after) {
    if constexpr (takes_failure<Fallback>) {
      return detail::call_fallback<R>(fallback, breaker.core_.rejection(word, retry_after));
    } else {
      return detail::call_as<R>(fallback);
    }
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
