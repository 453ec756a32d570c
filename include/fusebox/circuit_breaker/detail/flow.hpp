// fusebox/circuit_breaker/detail/flow.hpp: how CircuitBreaker::execute runs one call.
//
// BreakerFlow sorts the arguments of execute(), asks the core to admit the call, runs op, judges its result,
// settles the call exactly once, and returns op's result, the fallback's, or the rejection (B9 to B12).
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/circuit_breaker/detail/rejection.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/options.hpp>
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

/// What a call holds while it is a probe. A std::optional without the flag, which would cost every call a
/// write: the admission already says whether the call is a probe.
template <class ProbeCall>
class ProbeStorage {
 public:
  ProbeStorage() noexcept {}  // NOLINT(*-use-equals-default)
  ProbeStorage(const ProbeStorage&) = delete;
  ProbeStorage& operator=(const ProbeStorage&) = delete;
  ~ProbeStorage() {}  // NOLINT(*-use-equals-default)

  void begin(ProbeCall call, std::shared_ptr<void> keep_alive) noexcept {
    std::construct_at(&held_, call, std::move(keep_alive));
  }
  [[nodiscard]] ProbeCall call() const noexcept { return held_.first; }
  /// Call it once after begin().
  void end() noexcept { std::destroy_at(&held_); }

 private:
  union {
    std::pair<ProbeCall, std::shared_ptr<void>> held_;  // NOLINT(readability-identifier-naming)
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
    if (!word.is_closed_untimed()) [[unlikely]] {
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
          return rejected_with_fallback<R>(breaker, fallback, retry_after);
        } else if constexpr (carries_rejection<V>) {
          return detail::carry_rejection<V>([&] { return open_error(breaker, retry_after); });
        } else {
#if FUSEBOX_DETAIL_EXCEPTIONS
          throw open_error(breaker, retry_after);
#endif
        }
      }
    }

    Stage stage = Stage::calling;
    FUSEBOX_DETAIL_TRY {
      if constexpr (std::is_void_v<V>) {
        detail::invoke_op(op, timer.deadline());
        stage = Stage::returned;
        const bool late = timer.is_late();
        stage = Stage::settled;
        succeed(breaker, word, scope, late);
        return;
      } else {
        std::conditional_t<std::is_reference_v<V>, V, std::remove_cv_t<V>> value =
            detail::invoke_op(op, timer.deadline());
        stage = Stage::returned;
        if constexpr (can_fail<std::remove_cvref_t<V>, Rule>) {
          using Judged = std::remove_cvref_t<V>;
          if (detail::may_be_failure<Judged>(value, rule)) [[unlikely]] {
            if (const auto failure = detail::failure_of_value<Judged>(value, rule)) {
              stage = Stage::settled;
              fail(breaker, word, scope, *failure, timer);
              if constexpr (has_fallback) {
                if (!failure->is_cancellation()) return detail::call_fallback<R>(fallback, *failure);
              }
              return detail::convert_result<R>(std::forward<V>(value));
            }
          }
        }
        const bool late = timer.is_late();
        stage = Stage::settled;
        succeed(breaker, word, scope, late);
        if constexpr (std::is_same_v<R, std::remove_reference_t<decltype(value)>>) {
          return value;
        } else {
          return detail::convert_result<R>(std::forward<V>(value));
        }
      }
    }
    FUSEBOX_DETAIL_CATCH_ALL {
      if constexpr (has_fallback && std::is_invocable_v<Fallback&, const Failure&>) {
        const auto failure = caught(breaker, word, scope, stage, timer);
        if (failure && !failure->is_cancellation()) return detail::call_fallback<R>(fallback, *failure);
      } else {
        const bool falls_back = record_exception(breaker, word, scope, stage, timer);
        if constexpr (has_fallback) {
          if (falls_back) return detail::call_as<R>(fallback);
        }
      }
      FUSEBOX_DETAIL_RETHROW;
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
      return Deadline{std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}};
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
    ProbeStorage<typename Core::ProbeCall> probe;
  };

  /// Admits or rejects a call that the word alone does not admit.
  FUSEBOX_DETAIL_NOINLINE static StateWord begin(Breaker& breaker, StateWord word, Scope& scope) noexcept {
    const Admission admission = breaker.core_.admit_slow_path(word, true);
    scope.start = admission.time;
    const StateWord admitted{admission};
    if (admitted.is_probe()) begin_probe(breaker, admission, scope);
    return admitted;
  }

  FUSEBOX_DETAIL_COLD static void begin_probe(Breaker& breaker, Admission admission, Scope& scope) noexcept {
    auto keep_alive = breaker.weak_from_this().lock();  // a callback may release the breaker
    breaker.core_.deliver_events();
    // Just below the frame that will call op, and so above all that op calls. Not the address of a local
    // variable, which need not lie on the stack (AddressSanitizer).
    const void* const frame = __builtin_frame_address(0);
    const auto call = breaker.core_.begin_probe_call(StateWord{admission}, frame);
    scope.probe.begin(call, std::move(keep_alive));
  }

  FUSEBOX_DETAIL_INLINE static void succeed(Breaker& breaker, StateWord word, Scope& scope,
                                            bool late) noexcept {
    if (late) [[unlikely]] {
      settle(breaker, word, scope, Outcome::failure);
    } else if (!breaker.core_.settle_plain_success(word)) [[unlikely]] {
      settle(breaker, word, scope, Outcome::success);
    }
  }

  FUSEBOX_DETAIL_NOINLINE static void settle(Breaker& breaker, StateWord word, Scope& scope,
                                             Outcome outcome) noexcept {
    const Admission admission{word.bits(), word.is_closed_untimed() ? 0 : scope.start};
    if (!word.is_probe()) [[likely]]
      return breaker.core_.settle_slow_path(admission, outcome);  // a tail call: no stack frame
    breaker.core_.end_probe_call(word, scope.probe.call());
    breaker.core_.settle_slow_path(admission, outcome);
    scope.probe.end();  // may destroy the breaker
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
      Outcome outcome = Outcome::ignored;
      ~Settling() { BreakerFlow::settle(breaker, word, scope, outcome); }
    } settling{breaker, word, scope};
    const auto classify = breaker.core_.config().classify;
    if (classify == &default_outcome &&
        std::is_same_v<AnyTimer, NoTimer>) {  // it recognises cancellations itself
      settling.outcome = default_outcome(failure);
    } else if (!failure.is_rejection() && !failure.is_cancellation()) {
      settling.outcome = timer.is_late() ? Outcome::failure : classify(failure);
    }
  }

  /// In a handler: what op threw; nothing if the exception came after op, or is forced unwinding (F4).
  template <class AnyTimer>
  FUSEBOX_DETAIL_COLD static std::optional<Failure> caught(Breaker& breaker, StateWord word, Scope& scope,
                                                           Stage stage, const AnyTimer& timer) {
    if (stage == Stage::settled) return std::nullopt;  // from the fallback or the result's conversion
    std::optional<Failure> failure;
    if (stage == Stage::calling) failure = Failure::from_current_exception();
    if (!failure || !failure->exception()) {  // from failure_if or the clock
      settle(breaker, word, scope, Outcome::ignored);
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
    return failure && !failure->is_cancellation();
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD static CircuitOpenError open_error(
      const Breaker& breaker, std::chrono::nanoseconds retry_after) noexcept {
    return CircuitRejection::error(breaker.core_.source(), ceil_seconds(retry_after),
                                   breaker.core_.clock().wall_now());
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD static Failure rejection(const Breaker& breaker,
                                                             std::chrono::nanoseconds retry_after) noexcept {
    return CircuitRejection::failure(breaker.core_.source(), ceil_seconds(retry_after),
                                     breaker.core_.clock().wall_now());
  }

  template <class R, class Fallback>
  static R rejected_with_fallback([[maybe_unused]] const Breaker& breaker, Fallback& fallback,
                                  std::chrono::nanoseconds retry_after) {
    if constexpr (std::is_invocable_v<Fallback&, const Failure&>) {
      return detail::call_fallback<R>(fallback, rejection(breaker, retry_after));
    } else {
      return detail::call_as<R>(fallback);
    }
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
