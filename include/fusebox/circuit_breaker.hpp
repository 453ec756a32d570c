// fusebox/circuit_breaker.hpp: CircuitBreaker, which stops calling what keeps failing.
//
//   CircuitBreaker            execute(op), execute(op, fallback), try_acquire()
//   CircuitBreakerConfig      when to open, how long, how to close again      detail/breaker_config.hpp
//   CircuitBreakerStats       what it counted                                 detail/breaker_core.hpp
//   Permit                    one admitted call, for callbacks                detail/permit.hpp
//   State, StateChange, Subscription                                          detail/events.hpp
//
// The rules live in detail/breaker_core.hpp; this header is the control flow that runs a callable under
// them.
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

namespace detail {

template <class T>
struct IsCallOptions : std::is_same<T, CallOptions> {};
template <class T>
struct IsJudgement : std::bool_constant<is_specialization<T, FailureIf>> {};

template <class T>
inline constexpr bool is_execute_option = is_one_of<T, IsCallOptions, IsJudgement>;

template <class... Options>
consteval void check_execute_options() {
  static_assert(
      (... && is_execute_option<Options>),
      "fusebox: unknown option: execute accepts, after op and an optional fallback, CallOptions and "
      "failure_if");
  static_assert(
      count<IsCallOptions, Options...> <= 1 && count<IsJudgement, Options...> <= 1,
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

}  // namespace detail

/// Guards calls to one dependency. Closed, calls pass; after `failure_threshold` failures in a row, or
/// when a rate rule says so, it opens and calls are rejected at once; when `reset_timeout` has passed, a
/// few calls pass as probes, and their outcome closes it or opens it again.
///
///     CircuitBreaker<> payments{"payments", {.failure_threshold = 3, .reset_timeout = 30s}};
///     auto receipt = payments.execute([&] { return charge(order); },
///                                     [] { return Receipt::pending(); });
///
/// Every member is thread-safe. Neither copied nor moved: share it by reference or std::shared_ptr.
template <class C>
class FUSEBOX_API CircuitBreaker : public std::enable_shared_from_this<CircuitBreaker<C>> {
  static_assert(Clock<C>, "fusebox: CircuitBreaker<C> needs a C that models fusebox::Clock");

 public:
  /// Throws std::invalid_argument for an empty name and for a config that `validate` refuses.
  explicit CircuitBreaker(std::string name, CircuitBreakerConfig config = {}, C clock = {})
      : core_{checked(std::move(name), config), config, std::move(clock)} {}
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;
  ~CircuitBreaker() = default;

  /// Calls op, if the breaker lets it pass, and records how it ended. op takes nothing or a Deadline.
  /// What may follow, each at most once: a fallback, called with nothing or a const Failure& when the
  /// call is rejected or fails; CallOptions; failure_if. Without a fallback a rejection is thrown as
  /// CircuitOpenError, or carried in op's own result where its type can (B9); op's exception goes on
  /// unchanged. The breaker must live until execute returns.
  template <class Op, class... Args>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Args&&... args) {
    return execute_with(op, args...);
  }

  template <class Op, class... Options>
    requires(detail::count<detail::IsCallOptions, Options...> == 0)
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, CallOptions call, Options&&... options) {
    return execute_with(op, call, options...);
  }

  template <class Op, class First, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, First&& fallback_or_option, CallOptions call,
                                               Options&&... options) {
    return execute_with(op, fallback_or_option, call, options...);
  }

  /// Leave to make one call, reported by hand: for callbacks and other control flow.
  [[nodiscard]] Permit try_acquire() noexcept {
    const detail::Ticket ticket = core_.admit(false);
    if (ticket.is_rejected()) return {};
    core_.lend_permit();
    if (ticket.is_probe()) core_.deliver_events();
    return {core_, ticket};
  }

  /// Observes only: an open breaker whose wait is over is open until a call arrives.
  [[nodiscard]] State state() const noexcept { return core_.state(); }
  [[nodiscard]] CircuitBreakerStats stats() const { return core_.stats(); }
  /// Open: the time until a probe may pass; else 0.
  [[nodiscard]] std::chrono::nanoseconds retry_after() const noexcept { return core_.retry_after(); }

  /// Closed, with all counts zero; ends force_open() and disable() too.
  void reset() { core_.reset(); }
  /// Rejects everything until reset().
  void force_open() { core_.force_open(); }
  /// Admits everything, counts, and never opens, until reset().
  void disable() { core_.disable(); }

  [[nodiscard]] const std::string& name() const noexcept { return core_.origin()->name; }
  [[nodiscard]] const CircuitBreakerConfig& config() const noexcept { return core_.config(); }
  [[nodiscard]] const C& clock() const noexcept { return core_.clock(); }

  /// Calls `callback(const StateChange&)` for every change from now on, in order, outside every lock, on
  /// the thread that caused it or on one that is delivering already. It may call, reset or let go of the
  /// breaker; what it throws is dropped.
  template <class F>
  [[nodiscard]] Subscription on_state_change(F&& callback) {
    auto subscriber = detail::make_subscriber(std::forward<F>(callback));
    Subscription subscription{subscriber};
    core_.subscribe(std::move(subscriber));
    return subscription;
  }

 private:
  template <class>
  friend class CircuitBreakerRegistry;

  [[nodiscard]] static std::string checked(std::string name, const CircuitBreakerConfig& config) {
    if (name.empty()) detail::throw_invalid("CircuitBreaker.name must not be empty, got \"\"");
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    return name;
  }

  // Sorts the arguments: an optional fallback, then options.

  template <class Op>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute_with(Op& op) {
    detail::NoFallback none;
    return run(op, none);
  }
  template <class Op, class First, class... Rest>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute_with(Op& op, First& first, Rest&... rest) {
    if constexpr (detail::is_execute_option<First>) {
      detail::NoFallback none;
      return run(op, none, first, rest...);
    } else {
      static_assert(
          detail::is_fallback<First>,
          "fusebox: unknown option: what follows op must be a fallback (callable with nothing or with a "
          "const Failure&), CallOptions or failure_if");
      return run(op, first, rest...);
    }
  }

  /// How far a call has come: who is to settle it depends on that when an exception passes.
  enum class Stage : unsigned char { calling, returned, settled };

  template <class Op, class Fallback, class... Options>
  FUSEBOX_DETAIL_INLINE auto run(Op& op, Fallback& fallback, Options&... options)
      -> detail::GuardedResult<decltype(detail::invoke_op(op, Deadline{})), Fallback> {
    detail::check_execute_options<Options...>();
    using V = decltype(detail::invoke_op(op, Deadline{}));
    using R = detail::GuardedResult<V, Fallback>;
    constexpr bool has_fallback = !std::is_same_v<Fallback, detail::NoFallback>;
    static_assert(!detail::unfinished<V>,
                  "fusebox: op returns a future or a coroutine: its failure would come after the breaker has "
                  "looked; wait for it inside op, or use try_acquire()");
    static_assert(!std::is_void_v<V> || detail::count<detail::IsJudgement, Options...> == 0,
                  "fusebox: failure_if judges the value of op, and this op returns none");
    static_assert(
        detail::exceptions_are_on<V> || has_fallback || detail::carries_rejection<V>,
        "fusebox: without exceptions a rejection cannot be thrown: give execute a fallback, or let op "
        "return a type that can carry it (expected-like, std::error_code, with failure_traits)");
    const detail::NoRule no_rule;
    const auto& rule = detail::pick<detail::IsJudgement>(no_rule, options...);
    using Rule = std::remove_cvref_t<decltype(rule)>;
    const auto timer = start_timer(options...);

    Scope scope;
    detail::Word word = core_.load();
    if (!word.is_closed_untimed()) [[unlikely]] {
      // A rejection that is thrown costs so much that its way there may be a call.
      constexpr bool throws_rejection = !has_fallback && !detail::carries_rejection<V>;
      detail::Tick wait = 0;
      bool rejected = !throws_rejection && core_.rejects(word, wait);
      if (!rejected) {
        word = begin(word, scope);
        rejected = word.is_rejected();
        if (rejected) wait = scope.start;
      }
      if (rejected) {
        const std::chrono::nanoseconds retry_after{wait};
        if constexpr (has_fallback) {
          return rejected_with_fallback<R>(fallback, retry_after);
        } else if constexpr (detail::carries_rejection<V>) {
          return detail::carry_rejection<V>([&] { return open_error(retry_after); });
        } else {
#if FUSEBOX_DETAIL_EXCEPTIONS
          throw open_error(retry_after);
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
        succeed(word, scope, late);
        return;
      } else {
        std::conditional_t<std::is_reference_v<V>, V, std::remove_cv_t<V>> value =
            detail::invoke_op(op, timer.deadline());
        stage = Stage::returned;
        if constexpr (detail::can_fail<std::remove_cvref_t<V>, Rule>) {
          using Judged = std::remove_cvref_t<V>;
          if (detail::is_suspect<Judged>(value, rule)) [[unlikely]] {
            if (const auto failure = detail::judge<Judged>(value, rule)) {
              stage = Stage::settled;
              fail(word, scope, *failure, timer);
              if constexpr (has_fallback) {
                if (!failure->is_cancellation()) return detail::call_fallback<R>(fallback, *failure);
              }
              return detail::hand_over<R>(std::forward<V>(value));
            }
          }
        }
        const bool late = timer.is_late();
        stage = Stage::settled;
        succeed(word, scope, late);
        if constexpr (std::is_same_v<R, std::remove_reference_t<decltype(value)>>) {
          return value;
        } else {
          return detail::hand_over<R>(std::forward<V>(value));
        }
      }
    }
    FUSEBOX_DETAIL_CATCH_ALL {
      if constexpr (has_fallback && std::is_invocable_v<Fallback&, const Failure&>) {
        const auto failure = caught(word, scope, stage, timer);
        if (failure && !failure->is_cancellation()) return detail::call_fallback<R>(fallback, *failure);
      } else {
        const bool falls_back = record_exception(word, scope, stage, timer);
        if constexpr (has_fallback) {
          if (falls_back) return detail::hand_over_call<R>(fallback);
        }
      }
      FUSEBOX_DETAIL_RETHROW;
    }
  }

  // The timer of a call: none, unless CallOptions came with it.

  struct NoTimer {
    [[nodiscard]] static constexpr Deadline deadline() noexcept { return Deadline::never(); }
    [[nodiscard]] static constexpr bool is_late() noexcept { return false; }
  };
  struct Timer {
    const C& clock;
    std::chrono::nanoseconds timeout;
    detail::Tick start;
    [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Deadline deadline() const noexcept {
      if (timeout == no_timeout) return Deadline::never();
      const auto end = detail::saturating_add(start, timeout.count());
      return Deadline{std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}};
    }
    [[nodiscard]] FUSEBOX_DETAIL_NOINLINE bool is_late() const {
      return timeout != no_timeout && detail::elapsed(start, detail::fine_tick(clock)) > timeout.count();
    }
  };

  template <class... Options>
  FUSEBOX_DETAIL_INLINE auto start_timer(Options&... options) const {
    if constexpr (detail::count<detail::IsCallOptions, Options...> == 0) {
      return NoTimer{};
    } else {
      const CallOptions none;
      return timer_of(detail::pick<detail::IsCallOptions>(none, options...));
    }
  }
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Timer timer_of(CallOptions call) const {
    detail::throw_if("CallOptions", detail::check(call));
    const C& clock = core_.clock();
    return Timer{clock, call.timeout, call.timeout == no_timeout ? 0 : detail::fine_tick(clock)};
  }

  // How a call begins and ends, but for what every call needs.

  /// What a call has beside the word that it was admitted with. Most calls never touch it.
  struct Scope {
    detail::Tick start;
    detail::ProbeScope probe;
  };

  /// Admits or rejects a call for which a look at the word is not enough.
  FUSEBOX_DETAIL_NOINLINE detail::Word begin(detail::Word word, Scope& scope) noexcept {
    const detail::Ticket ticket = core_.admit_otherwise(word, true);
    scope.start = ticket.start;
    if (ticket.word.is_running_probe()) begin_probe(ticket, scope);
    return ticket.word;
  }

  FUSEBOX_DETAIL_COLD void begin_probe(detail::Ticket ticket, Scope& scope) noexcept {
    auto keep_alive = this->weak_from_this().lock();  // a callback may let go of the breaker
    core_.deliver_events();
    scope.probe.enter(&core_, ticket, std::move(keep_alive));
  }

  FUSEBOX_DETAIL_INLINE void succeed(detail::Word word, Scope& scope, bool late) noexcept {
    if (late) [[unlikely]] {
      settle(word, scope, Outcome::failure);
    } else if (!core_.settle_plain_success(word)) [[unlikely]] {
      settle(word, scope, Outcome::success);
    }
  }

  FUSEBOX_DETAIL_NOINLINE void settle(detail::Word word, Scope& scope, Outcome outcome) noexcept {
    const detail::Ticket ticket{word, word.is_closed_untimed() ? 0 : scope.start};
    if (!word.is_running_probe()) [[likely]]
      return core_.settle_otherwise(ticket, outcome);
    core_.settle_otherwise(ticket, outcome);
    scope.probe.leave();  // maybe the breaker's end
  }

  /// The order of judgement is B12's. The call is settled also when classify or the clock throws; nothing of
  /// the breaker is touched afterwards.
  template <class AnyTimer>
  FUSEBOX_DETAIL_NOINLINE void fail(detail::Word word, Scope& scope, const Failure& failure,
                                    const AnyTimer& timer) {
    struct Settling {
      CircuitBreaker& breaker;
      detail::Word word;
      Scope& scope;
      Outcome outcome = Outcome::ignored;
      ~Settling() { breaker.settle(word, scope, outcome); }
    } settling{*this, word, scope};
    const auto classify = core_.config().classify;
    if (classify == &default_outcome &&
        std::is_same_v<AnyTimer, NoTimer>) {  // looks for cancellations itself
      settling.outcome = default_outcome(failure);
    } else if (!failure.is_rejection() && !failure.is_cancellation()) {
      settling.outcome = timer.is_late() ? Outcome::failure : classify(failure);
    }
  }

  /// In a handler: what op threw; nothing where the exception came after op, or is forced unwinding (F4).
  template <class AnyTimer>
  FUSEBOX_DETAIL_COLD std::optional<Failure> caught(detail::Word word, Scope& scope, Stage stage,
                                                    const AnyTimer& timer) {
    if (stage == Stage::settled) return std::nullopt;  // from the fallback or the result's conversion
    std::optional<Failure> failure;
    if (stage == Stage::calling) failure = Failure::from_current_exception();
    if (!failure || !failure->exception()) {  // from failure_if or the clock
      settle(word, scope, Outcome::ignored);
      return std::nullopt;
    }
    fail(word, scope, *failure, timer);
    return failure;
  }

  /// As caught(): is a fallback's value wanted?
  template <class AnyTimer>
  FUSEBOX_DETAIL_COLD bool record_exception(detail::Word word, Scope& scope, Stage stage,
                                            const AnyTimer& timer) {
    const auto failure = caught(word, scope, stage, timer);
    return failure && !failure->is_cancellation();
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD CircuitOpenError
  open_error(std::chrono::nanoseconds retry_after) const noexcept {
    return {core_.origin(), detail::ceil_seconds(retry_after), core_.clock().wall_now()};
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD Failure rejection(std::chrono::nanoseconds retry_after) const noexcept {
    return Failure::from_rejection(core_.origin(), detail::ceil_seconds(retry_after),
                                   core_.clock().wall_now());
  }

  template <class R, class Fallback>
  R rejected_with_fallback(Fallback& fallback, std::chrono::nanoseconds retry_after) {
    if constexpr (std::is_invocable_v<Fallback&, const Failure&>) {
      return detail::call_fallback<R>(fallback, rejection(retry_after));
    } else {
      return detail::hand_over_call<R>(fallback);
    }
  }

  template <class D>
  friend Permit try_acquire(std::shared_ptr<CircuitBreaker<D>> breaker) noexcept;

  detail::BreakerCore<C> core_;
};

CircuitBreaker(std::string) -> CircuitBreaker<SystemClock>;
CircuitBreaker(std::string, CircuitBreakerConfig) -> CircuitBreaker<SystemClock>;
template <class C>
CircuitBreaker(std::string, CircuitBreakerConfig, C) -> CircuitBreaker<C>;

/// As `breaker->try_acquire()`, with a Permit that keeps the breaker alive. A null pointer gives a
/// refusal.
template <class C>
[[nodiscard]] Permit try_acquire(std::shared_ptr<CircuitBreaker<C>> breaker) noexcept {
  if (!breaker) return {};
  Permit permit = breaker->try_acquire();
  if (permit) permit.keep_alive_ = std::move(breaker);
  return permit;
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
