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

#include <fusebox/clock.hpp>
#include <fusebox/detail/breaker_core.hpp>
#include <fusebox/detail/fallback.hpp>
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
  decltype(auto) execute(Op&& op, Args&&... args) {
    return execute_with(op, args...);
  }

  template <class Op, class... Options>
  requires(detail::count<detail::IsCallOptions, Options...> == 0) decltype(auto)
      execute(Op&& op, CallOptions call, Options&&... options) {
    return execute_with(op, call, options...);
  }

  template <class Op, class First, class... Options>
  decltype(auto) execute(Op&& op, First&& fallback_or_option, CallOptions call, Options&&... options) {
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
  decltype(auto) execute_with(Op& op) {
    detail::NoFallback none;
    return run(op, none);
  }
  template <class Op, class First, class... Rest>
  decltype(auto) execute_with(Op& op, First& first, Rest&... rest) {
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

  /// One admitted call: its place is given back unless it is settled.
  class Call {
   public:
    Call(detail::BreakerCore<C>& core, detail::Ticket ticket, std::chrono::nanoseconds timeout)
        : core_{core},
          ticket_{ticket},
          timeout_{timeout},
          start_{timeout == no_timeout ? 0 : detail::fine_tick(core.clock())} {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
      if (!settled_) [[unlikely]]
        core_.settle(ticket_, Outcome::ignored);
    }

    [[nodiscard]] Deadline deadline() const {
      if (timeout_ == no_timeout) return Deadline::never();
      const auto end = detail::saturating_add(start_, timeout_.count());
      return Deadline{std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}};
    }

    void succeed() { settle(is_late() ? Outcome::failure : Outcome::success); }

    /// The order of judgement is B12's.
    FUSEBOX_DETAIL_COLD void fail(const Failure& failure) {
      if (failure.is_rejection() || failure.is_cancellation()) return settle(Outcome::ignored);
      settle(is_late() ? Outcome::failure : core_.config().classify(failure));
    }

   private:
    [[nodiscard]] bool is_late() const {
      return timeout_ != no_timeout &&
             detail::elapsed(start_, detail::fine_tick(core_.clock())) > timeout_.count();
    }
    void settle(Outcome outcome) {
      settled_ = true;
      core_.settle(ticket_, outcome);
    }

    detail::BreakerCore<C>& core_;
    detail::Ticket ticket_;
    std::chrono::nanoseconds timeout_;
    detail::Tick start_;
    bool settled_ = false;
  };

  template <class Op, class Fallback, class... Options>
  auto run(Op& op, Fallback& fallback, Options&... options)
      -> detail::GuardedResult<decltype(detail::invoke_op(op, Deadline{})), Fallback> {
    detail::check_execute_options<Options...>();
    using V = decltype(detail::invoke_op(op, Deadline{}));
    using R = detail::GuardedResult<V, Fallback>;
    static_assert(!detail::unfinished<V>,
                  "fusebox: op returns a future or a coroutine: its failure would come after the breaker has "
                  "looked; wait for it inside op, or use try_acquire()");
    const CallOptions no_options;
    const detail::NoRule no_rule;
    const CallOptions& call = detail::pick<detail::IsCallOptions>(no_options, options...);
    const auto& rule = detail::pick<detail::IsJudgement>(no_rule, options...);
    detail::throw_if("CallOptions", detail::check(call));

    const detail::Ticket ticket = core_.admit(true);
    if (ticket.is_rejected()) [[unlikely]] {
      const std::chrono::nanoseconds retry_after{ticket.start};
      if constexpr (!std::is_same_v<Fallback, detail::NoFallback>) {
        return rejected_with_fallback<R>(fallback, retry_after);
      } else if constexpr (detail::carries_rejection<V>) {
        return detail::carry_rejection<V>([&] { return open_error(retry_after); });
      } else {
#if FUSEBOX_DETAIL_EXCEPTIONS
        throw open_error(retry_after);
#else
        detail::throw_error(open_error(retry_after));
#endif
      }
    }
    if (ticket.is_probe() && !ticket.is_nested()) [[unlikely]] {
      const auto keep_alive = this->weak_from_this().lock();  // a callback may let go of the breaker
      core_.deliver_events();
      const detail::ProbeFrame frame{&core_, ticket};
      return attempt<R, V>(ticket, call.timeout, op, fallback, rule);
    }
    return attempt<R, V>(ticket, call.timeout, op, fallback, rule);
  }

  template <class R, class V, class Op, class Fallback, class Rule>
  R attempt(detail::Ticket ticket, std::chrono::nanoseconds timeout, Op& op, Fallback& fallback,
            const Rule& rule) {
    constexpr bool has_fallback = !std::is_same_v<Fallback, detail::NoFallback>;
    Call call{core_, ticket, timeout};
    bool op_returned = false;
    FUSEBOX_DETAIL_TRY {
      if constexpr (std::is_void_v<V>) {
        static_assert(std::is_same_v<Rule, detail::NoRule>,
                      "fusebox: failure_if judges the value of op, and this op returns none");
        detail::invoke_op(op, call.deadline());
        op_returned = true;
        call.succeed();
        return;
      } else {
        std::conditional_t<std::is_reference_v<V>, V, std::remove_cv_t<V>> value =
            detail::invoke_op(op, call.deadline());
        op_returned = true;
        if constexpr (detail::can_fail<std::remove_cvref_t<V>, Rule>) {
          using Judged = std::remove_cvref_t<V>;
          if (detail::is_suspect<Judged>(value, rule)) [[unlikely]] {
            if (const auto failure = detail::judge<Judged>(value, rule)) {
              call.fail(*failure);
              if constexpr (has_fallback) {
                if (!failure->is_cancellation()) return detail::call_fallback<R>(fallback, *failure);
              }
              return detail::hand_over<R>(std::forward<V>(value));
            }
          }
        }
        call.succeed();
        if constexpr (std::is_same_v<R, std::remove_reference_t<decltype(value)>>) {
          return value;
        } else {
          return detail::hand_over<R>(std::forward<V>(value));
        }
      }
    }
    FUSEBOX_DETAIL_CATCH_ALL {
      if (op_returned) FUSEBOX_DETAIL_RETHROW;  // from failure_if, classify or the fallback
      const Failure failure = Failure::from_current_exception();
      if (!failure.exception()) FUSEBOX_DETAIL_RETHROW;  // forced unwinding (F4)
      call.fail(failure);
      if constexpr (has_fallback) {
        if (!failure.is_cancellation()) return detail::call_fallback<R>(fallback, failure);
      }
      FUSEBOX_DETAIL_RETHROW;
    }
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD CircuitOpenError open_error(std::chrono::nanoseconds retry_after) const {
    return {core_.origin(), detail::ceil_seconds(retry_after), core_.clock().wall_now()};
  }

  template <class R, class Fallback>
  R rejected_with_fallback(Fallback& fallback, std::chrono::nanoseconds retry_after) {
    if constexpr (std::is_invocable_v<Fallback&, const Failure&>) {
      return detail::call_fallback<R>(
          fallback, Failure::from_rejection(core_.origin(), detail::ceil_seconds(retry_after),
                                            core_.clock().wall_now()));
    } else if constexpr (std::is_same_v<decltype(fallback()), R>) {
      return fallback();
    } else {
      return detail::hand_over<R>(fallback());
    }
  }

  template <class D>
  friend Permit try_acquire(std::shared_ptr<CircuitBreaker<D>> breaker) noexcept;

  detail::BreakerCore<C> core_;
};

CircuitBreaker(std::string)->CircuitBreaker<SystemClock>;
CircuitBreaker(std::string, CircuitBreakerConfig)->CircuitBreaker<SystemClock>;
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
