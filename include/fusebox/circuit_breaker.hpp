// fusebox/circuit_breaker.hpp: CircuitBreaker, which stops calling a dependency that keeps failing.
//
//   CircuitBreaker                          execute(op), execute(op, fallback), try_acquire()
//   circuit_breaker/config.hpp              CircuitBreakerConfig, FailureRate, SlowCalls, CallOptions
//   circuit_breaker/state.hpp               State, StateChange, StateChangeReason, CallEvent
//   circuit_breaker/stats.hpp               CircuitBreakerStats
//   permit.hpp, subscription.hpp            Permit, one admitted call; Subscription to state changes
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/circuit_breaker/config.hpp>  // IWYU pragma: export
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/circuit_breaker/detail/drive.hpp>
#include <fusebox/circuit_breaker/detail/layer.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/circuit_breaker/state.hpp>  // IWYU pragma: export
#include <fusebox/circuit_breaker/stats.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/permit.hpp>        // IWYU pragma: export
#include <fusebox/subscription.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// Guards calls to one dependency. While it is closed, calls pass. It opens after `failure_threshold`
/// failures in a row, or when a rate rule is reached; then it rejects calls at once. After `reset_timeout` a
/// few calls pass as probes, and their outcome closes it or opens it again (rules B1 to B24 in
/// docs/rules.md).
///
///     CircuitBreaker<> payments{"payments", {.failure_threshold = 3, .reset_timeout = 30s}};
///     auto receipt = payments.execute([&] { return charge(order); },
///                                     [] { return Receipt::pending(); });
///
/// Every member is thread-safe. It can be neither copied nor moved: share it by reference or std::shared_ptr.
template <class C>
class FUSEBOX_API CircuitBreaker : public std::enable_shared_from_this<CircuitBreaker<C>> {
  static_assert(TimeSource<C>, "fusebox: CircuitBreaker<C> needs a C that models fusebox::TimeSource");

 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes, or `validate` refuses the config.
  explicit CircuitBreaker(std::string name, CircuitBreakerConfig config = {}, C clock = {})
      : core_{checked(std::move(name), config), config, std::move(clock)} {}
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;
  ~CircuitBreaker() = default;

  /// Calls op unless the breaker rejects the call, and records how it ended. op takes nothing or a Deadline.
  /// It may be followed, each at most once, by
  ///
  /// - a fallback, called with nothing or a const Failure& if the call is rejected or fails;
  /// - CallOptions, such as `{.timeout = 10s}`;
  /// - failure_if(predicate), which judges op's value.
  ///
  /// Without a fallback, op's exception passes through unchanged, and a rejection is returned in op's own
  /// result if its type can carry one, else thrown as CircuitOpenError (B9). Throws ConfigError for
  /// CallOptions that `validate` refuses. The breaker must live until execute returns.
  template <class Op, class... Args>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Args&&... args) {
    return detail::BreakerDrive::call(*this, std::forward<Op>(op), std::forward<Args>(args)...);
  }

  template <class Op, class... Options>
    requires(detail::count_of<detail::IsCallOptions, Options...> == 0)
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, CallOptions call, Options&&... options) {
    return detail::BreakerDrive::call(*this, std::forward<Op>(op), call, std::forward<Options>(options)...);
  }

  template <class Op, class First, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, First&& fallback_or_option, CallOptions call,
                                               Options&&... options) {
    return detail::BreakerDrive::call(*this, std::forward<Op>(op), std::forward<First>(fallback_or_option),
                                      call, std::forward<Options>(options)...);
  }

  /// Admits or rejects one call that the caller makes and reports itself.
  [[nodiscard]] Permit try_acquire() noexcept {
    const detail::Admission admission = core_.admit(false);
    const detail::StateWord admitted{admission};
    if (admitted.is_rejected()) return detail::PermitAccess::refused(core_, admission);
    if (counts_permits) core_.lend_permit();
    if (admitted.is_half_open()) core_.deliver_events_of_permit();
    return detail::PermitAccess::admitted(core_, admission, counts_permits);
  }

  /// Only observes: an open breaker whose wait is over stays open until a call arrives.
  [[nodiscard]] State state() const noexcept { return core_.state(); }
  [[nodiscard]] CircuitBreakerStats stats() const { return core_.stats(); }
  /// While open, the time until a probe may pass; else 0.
  [[nodiscard]] std::chrono::nanoseconds retry_after() const noexcept { return core_.retry_after(); }

  /// Closes the breaker and sets all counts to zero; also ends force_open() and disable().
  void reset() { core_.reset(); }
  /// Rejects every call until reset().
  void force_open() { core_.force_open(); }
  /// Admits and counts every call, and never opens, until reset().
  void disable() { core_.disable(); }

  /// Puts another config in force (B19). The state, its wait, the counts and the failure streak stay, and so
  /// does a window of the same kind and size. Calls under way end under the config that they began with, and
  /// another `half_open_max_calls` holds from the next half-open state on. Throws ConfigError, and changes
  /// nothing, if `validate` refuses the config. The breaker keeps each config that it had, some 300 bytes.
  void reconfigure(const CircuitBreakerConfig& config) {
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    core_.reconfigure(config);
  }

  [[nodiscard]] const std::string& name() const noexcept { return core_.name(); }
  /// The config in force. The reference stays valid, also after reconfigure(), which changes what a later
  /// config() returns.
  [[nodiscard]] const CircuitBreakerConfig& config() const noexcept { return core_.config(); }
  [[nodiscard]] const C& clock() const noexcept { return core_.clock(); }

  /// Calls `callback(const StateChange&)` for every change from now on, in order and outside every lock: on
  /// the thread that caused the change, or on one that is already delivering. The callback may call, reset
  /// or release the breaker. What it throws is dropped (B14).
  template <class F>
  [[nodiscard]] Subscription on_state_change(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const StateChange&>,
                  "fusebox: on_state_change takes a callback(const StateChange&)");
    auto subscriber = detail::make_subscriber<StateChange>(std::forward<F>(callback));
    core_.subscribe(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

  /// Calls `callback(const CallEvent&)` after each admitted call has been settled that began while somebody
  /// listened, on the thread that settled it and outside every lock; so several threads may run it at once.
  /// Calls that are part of a probe, and rejections, are none. It may do what a callback of on_state_change()
  /// may (B18). Costs nothing before the first subscription and after the last has ended.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const CallEvent&>,
                  "fusebox: on_call takes a callback(const CallEvent&)");
    auto subscriber = detail::make_subscriber<CallEvent>(std::forward<F>(callback));
    core_.subscribe_to_calls(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

 private:
#ifdef NDEBUG
  static constexpr bool counts_permits = false;
#else
  static constexpr bool counts_permits = true;
#endif

  template <class>
  friend struct detail::PolicyKind;
  template <class>
  friend struct detail::BreakerSteps;

  [[nodiscard]] static std::string checked(std::string name, const CircuitBreakerConfig& config) {
    detail::check_name("CircuitBreaker", name);
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    return name;
  }

  template <class D>
  friend Permit try_acquire(std::shared_ptr<CircuitBreaker<D>> breaker) noexcept;

  detail::BreakerCore<C> core_;
};

CircuitBreaker(std::string) -> CircuitBreaker<SystemClock>;
CircuitBreaker(std::string, CircuitBreakerConfig) -> CircuitBreaker<SystemClock>;
template <class C>
CircuitBreaker(std::string, CircuitBreakerConfig, C) -> CircuitBreaker<C>;

/// Like `breaker->try_acquire()`; the Permit keeps the breaker alive. A null pointer returns a refusal.
template <class C>
[[nodiscard]] Permit try_acquire(std::shared_ptr<CircuitBreaker<C>> breaker) noexcept {
  if (!breaker) return {};
  Permit permit = breaker->try_acquire();
  if (permit) {
    detail::PermitAccess::keep_alive(permit, std::move(breaker));
  } else {
    const detail::StateWord refused{detail::PermitAccess::admission(permit)};
    detail::PermitAccess::detach(permit, breaker->core_.rejection_source(refused), refused.generation(),
                                 detail::coarse_wall_time(breaker->clock()));
  }
  return permit;
}

FUSEBOX_END_NAMESPACE
