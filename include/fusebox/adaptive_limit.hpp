// fusebox/adaptive_limit.hpp: AdaptiveLimit, a bulkhead that finds its limit by the latency of the calls.
//
//   AdaptiveLimit               execute(op), try_acquire(), acquire()
//   adaptive_limit/measured.hpp   Measured, the default rule: a latency that is measured without load
//   adaptive_limit/aimd.hpp, adaptive_limit/gradient2.hpp, adaptive_limit/vegas.hpp
//                               Aimd, Gradient2, Vegas: rules as Netflix publishes them
//   adaptive_limit/rule.hpp     AdaptiveRule, AdaptiveWindow, AdaptiveStep: for a rule of your own
//   adaptive_limit/queue.hpp    AdaptiveLimitQueue: calls that wait, slots for more important ones
//   adaptive_limit/stats.hpp    AdaptiveLimitStats, AdaptiveLimitEvent, AdaptiveLimitEventKind
//   permit.hpp, subscription.hpp   Permit, one admitted call; Subscription to events
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/adaptive_limit/aimd.hpp>  // IWYU pragma: export
#include <fusebox/adaptive_limit/detail/core.hpp>
#include <fusebox/adaptive_limit/detail/layer.hpp>
#include <fusebox/adaptive_limit/gradient2.hpp>  // IWYU pragma: export
#include <fusebox/adaptive_limit/measured.hpp>   // IWYU pragma: export
#include <fusebox/adaptive_limit/queue.hpp>      // IWYU pragma: export
#include <fusebox/adaptive_limit/rule.hpp>       // IWYU pragma: export
#include <fusebox/adaptive_limit/stats.hpp>      // IWYU pragma: export
#include <fusebox/adaptive_limit/vegas.hpp>      // IWYU pragma: export
#include <fusebox/call.hpp>                      // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/slots/permits.hpp>
#include <fusebox/permit.hpp>        // IWYU pragma: export
#include <fusebox/subscription.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The problem of a rule: the library's have checks of their own.
template <class Rule>
[[nodiscard]] constexpr Problem check_rule(const Rule& rule) noexcept {
  if constexpr (requires { detail::check(rule); }) {
    return detail::check(rule);
  } else {
    return detail::check_common(rule);
  }
}

}  // namespace detail

/// Lets so many calls at once through to one dependency as it can serve without a queue, and finds that
/// number by itself: at the end of each window of calls, Rule moves the limit by their latency. Further calls
/// are rejected with BulkheadFullError, or wait (rules W1 to W10 in docs/rules.md).
///
///     AdaptiveLimit<> search{"search"};
///     auto hits = search.execute([&] { return client.search(query); });
///
/// Every member is thread-safe. It can be neither copied nor moved: share it by reference or std::shared_ptr.
template <class Rule, class C>
class FUSEBOX_API AdaptiveLimit {
  static_assert(TimeSource<C>, "fusebox: AdaptiveLimit<Rule, C> needs a C that models fusebox::TimeSource");
  static_assert(AdaptiveRule<Rule>,
                "fusebox: AdaptiveLimit<Rule, C> needs a Rule that models fusebox::AdaptiveRule: Measured, "
                "Aimd, Gradient2, Vegas, or one of your own");

 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes, or `validate` refuses the rule.
  explicit AdaptiveLimit(std::string name, Rule rule = {}, C clock = {})
      : AdaptiveLimit{std::move(name), rule, AdaptiveLimitQueue{}, std::move(clock)} {}
  /// The same, if `validate` refuses the queue.
  AdaptiveLimit(std::string name, Rule rule, AdaptiveLimitQueue queue, C clock = {})
      : core_{checked(std::move(name), rule, queue), rule, queue, std::move(clock)} {}
  AdaptiveLimit(const AdaptiveLimit&) = delete;
  AdaptiveLimit& operator=(const AdaptiveLimit&) = delete;
  ~AdaptiveLimit() = default;

  /// Calls op while it holds a slot, and returns what op returns. op takes a `const Call&`, a
  /// std::stop_token, a Deadline, or nothing. It may be followed, in any order and each at most once, by
  ///
  /// - a std::stop_token, which ends the wait for a slot, and reaches op;
  /// - a Deadline, which does the same: no wait lasts longer;
  /// - a Priority: who waits first, and who is rejected first (P18);
  /// - failure_if(predicate).
  ///
  /// A rejection, and a CancelledError, is returned in op's own result if its type can carry one, else thrown
  /// (P12). op's exception passes through unchanged. The limit must live until execute returns.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<AdaptiveLimit&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  /// Takes a slot for a call that the caller makes itself, or refuses; never waits. The slot comes back when
  /// the Permit is reported or destroyed. What is reported counts as W4 says: the latency of a success, a
  /// failure as dropped, anything else not at all.
  [[nodiscard]] Permit try_acquire(Priority priority = Priority::normal) noexcept {
    return Permits::try_acquire(core_, priority);
  }

  /// The same, but waits for a slot as execute() does. Takes, each at most once and in any order, a
  /// std::stop_token and a Deadline, which end the wait, and a Priority. An empty Permit was refused, or the
  /// token was stopped. May throw std::bad_alloc, and what the clock's sleep throws.
  template <class... Options>
  [[nodiscard]] Permit acquire(const Options&... options) {
    return Permits::acquire(core_, options...);
  }

  [[nodiscard]] AdaptiveLimitStats stats() const { return core_.adaptive_stats(); }
  [[nodiscard]] const std::string& name() const noexcept { return core_.name(); }
  /// What the limit was made with.
  [[nodiscard]] const Rule& rule() const noexcept { return core_.rule(); }
  [[nodiscard]] const AdaptiveLimitQueue& queue() const noexcept { return core_.queue_config(); }
  [[nodiscard]] const C& clock() const noexcept { return core_.clock(); }

  /// Calls `callback(const AdaptiveLimitEvent&)` for every event from now on, in order and outside every
  /// lock: on the thread that caused the event, or on one that is already delivering. The callback may call
  /// the limit. What it throws is dropped (W10).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const AdaptiveLimitEvent&>,
                  "fusebox: on_event takes a callback(const AdaptiveLimitEvent&)");
    auto subscriber = detail::make_subscriber<AdaptiveLimitEvent>(std::forward<F>(callback));
    core_.subscribe(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

  /// Calls `callback(const CallEvent&)` after each admitted call of execute(), on the thread of the call; so
  /// several threads may run it at once (M5). Permits and rejections are none.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    return observers_.subscribe(std::forward<F>(callback));
  }

 private:
  friend struct detail::AdaptiveLimitAccess;
  template <class P>
  friend struct detail::Layer;
  using Permits = detail::SlotPermits<detail::AdaptiveCore<Rule, C>>;

  [[nodiscard]] static std::string checked(std::string name, const Rule& rule,
                                           const AdaptiveLimitQueue& queue) {
    detail::check_name("AdaptiveLimit", name);
    detail::throw_if(detail::rule_type<Rule>, detail::check_rule(rule));
    detail::throw_if("AdaptiveLimitQueue", detail::check(queue));
    return name;
  }

  detail::AdaptiveCore<Rule, C> core_;
  detail::CallObservers observers_;
};

AdaptiveLimit(std::string) -> AdaptiveLimit<Measured, SystemClock>;
template <AdaptiveRule Rule>
AdaptiveLimit(std::string, Rule) -> AdaptiveLimit<Rule, SystemClock>;
template <AdaptiveRule Rule, TimeSource C>
AdaptiveLimit(std::string, Rule, C) -> AdaptiveLimit<Rule, C>;
template <AdaptiveRule Rule>
AdaptiveLimit(std::string, Rule, AdaptiveLimitQueue) -> AdaptiveLimit<Rule, SystemClock>;
template <AdaptiveRule Rule, TimeSource C>
AdaptiveLimit(std::string, Rule, AdaptiveLimitQueue, C) -> AdaptiveLimit<Rule, C>;

/// Like `limit->try_acquire(priority)`; the Permit keeps the limit alive. A null pointer returns a refusal.
template <class Rule, class C>
[[nodiscard]] Permit try_acquire(std::shared_ptr<AdaptiveLimit<Rule, C>> limit,
                                 Priority priority = Priority::normal) noexcept {
  if (!limit) return {};
  return detail::try_acquire_shared(detail::AdaptiveLimitAccess::core(*limit), priority, limit);
}

FUSEBOX_END_NAMESPACE
