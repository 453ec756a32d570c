// fusebox/throttle.hpp: Throttle, which sends a dependency no more calls than it can accept.
//
//   Throttle              execute(op), try_acquire(), rejection_ratio()
//   throttle/config.hpp   ThrottleConfig, validate
//   throttle/state.hpp    ThrottleEvent, ThrottleEventKind
//   throttle/stats.hpp    ThrottleStats
//   permit.hpp            Permit, one admitted call
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/permit.hpp>           // IWYU pragma: export
#include <fusebox/subscription.hpp>     // IWYU pragma: export
#include <fusebox/throttle/config.hpp>  // IWYU pragma: export
#include <fusebox/throttle/detail/core.hpp>
#include <fusebox/throttle/detail/layer.hpp>
#include <fusebox/throttle/state.hpp>  // IWYU pragma: export
#include <fusebox/throttle/stats.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// Rejects, at random, such a share of the calls that a dependency receives at most about `k` calls for each
/// that it accepts: the client-side adaptive throttling of Google's SRE book. Other than a breaker it neither
/// opens nor closes: its share follows what the dependency accepts. Calls of the lowest Priority are rejected
/// first (rules V1 to V9 in docs/rules.md).
///
///     fusebox::Throttle search{"search", {.k = 2, .window = 2min}};
///     auto hits = search.execute([&] { return query(text); });
///
/// Every member is thread-safe. It can be neither copied nor moved: share it by reference or std::shared_ptr.
template <class C>
class FUSEBOX_API Throttle {
  static_assert(TimeSource<C>, "fusebox: Throttle<C> needs a C that models fusebox::TimeSource");

 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes, or `validate` refuses the config.
  explicit Throttle(std::string name, ThrottleConfig config = {}, C clock = {})
      : core_{checked(std::move(name), config), config, std::move(clock)} {}
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;
  ~Throttle() = default;

  /// Calls op unless the throttle rejects the call, and counts whether the dependency accepted it: it did if
  /// op ended with a success, or with a failure that says that it answered, such as a 404 (F2). Options: a
  /// Priority, a std::stop_token, a Deadline, failure_if. op's exception passes through unchanged; a
  /// rejection is carried in the result if its type can carry one, else thrown as a ThrottledError, without a
  /// retry_after(). The throttle must live until execute returns.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<Throttle&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  /// Admits or rejects one call that the caller makes and reports itself. A report of `ignored`, and a Permit
  /// that is destroyed without a report, count for nothing. Runs callbacks of on_event().
  [[nodiscard]] Permit try_acquire(Priority priority = Priority::normal) {
    const detail::Tick number = core_.number();
    if (!core_.admit(number, priority)) return detail::PermitAccess::refused(core_, refusal);
    return detail::PermitAccess::admitted(core_, core_.admission(number, priority), false);
  }

  /// The share of the calls of this priority that is rejected now, in [0, max_rejection] (V4).
  [[nodiscard]] double rejection_ratio(Priority priority = Priority::normal) const {
    return core_.rejection_ratio_of(priority);
  }

  [[nodiscard]] ThrottleStats stats() const { return core_.stats(); }
  [[nodiscard]] const std::string& name() const noexcept { return core_.name(); }
  [[nodiscard]] const ThrottleConfig& config() const noexcept { return core_.config(); }
  [[nodiscard]] const C& clock() const noexcept { return core_.clock(); }

  /// Calls `callback(const ThrottleEvent&)` when a call finds that the throttle rejects a share of the calls,
  /// and when one finds that it does no more: on the thread of that call and outside every lock. What the
  /// callback throws is dropped (V9).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const ThrottleEvent&>,
                  "fusebox: on_event takes a callback(const ThrottleEvent&)");
    return core_.events().subscribe(name(), std::forward<F>(callback));
  }

  /// Calls `callback(const CallEvent&)` after each admitted call of execute(), on the thread of the call; so
  /// several threads may run it at once (M5). Permits and rejections are none.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    return observers_.subscribe(std::forward<F>(callback));
  }

 private:
  template <class>
  friend struct detail::Layer;
  template <class>
  friend struct detail::PolicyKind;
  template <class D>
  friend Permit try_acquire(std::shared_ptr<Throttle<D>> throttle, Priority priority);

  static constexpr detail::Admission refusal{0, detail::unknown_wait};

  [[nodiscard]] static std::string checked(std::string name, const ThrottleConfig& config) {
    detail::check_name("Throttle", name);
    detail::throw_if("ThrottleConfig", detail::check(config));
    return name;
  }

  detail::ThrottleCore<C> core_;
  detail::CallObservers observers_;
};

Throttle(std::string) -> Throttle<SystemClock>;
Throttle(std::string, ThrottleConfig) -> Throttle<SystemClock>;
template <class C>
Throttle(std::string, ThrottleConfig, C) -> Throttle<C>;

/// Like `throttle->try_acquire(priority)`; the Permit keeps the throttle alive. A null pointer returns a
/// refusal.
template <class C>
[[nodiscard]] Permit try_acquire(std::shared_ptr<Throttle<C>> throttle,
                                 Priority priority = Priority::normal) {
  if (!throttle) return {};
  Permit permit = throttle->try_acquire(priority);
  if (permit) {
    detail::PermitAccess::keep_alive(permit, std::move(throttle));
  } else {
    detail::PermitAccess::detach(permit, throttle->core_.source(), 0,
                                 detail::coarse_wall_time(throttle->clock()));
  }
  return permit;
}

FUSEBOX_END_NAMESPACE
