// fusebox/bulkhead.hpp: Bulkhead, which lets so many calls at once through to a dependency.
//
//   Bulkhead                  execute(op), try_acquire(), acquire(), set_limit()
//   bulkhead/config.hpp       BulkheadConfig
//   bulkhead/stats.hpp        BulkheadStats, BulkheadEvent, BulkheadEventKind
//   permit.hpp, subscription.hpp   Permit, one admitted call; Subscription to events
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/bulkhead/config.hpp>  // IWYU pragma: export
#include <fusebox/bulkhead/detail/core.hpp>
#include <fusebox/bulkhead/detail/layer.hpp>
#include <fusebox/bulkhead/stats.hpp>  // IWYU pragma: export
#include <fusebox/call.hpp>            // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/slots/permits.hpp>
#include <fusebox/permit.hpp>        // IWYU pragma: export
#include <fusebox/subscription.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// Lets at most `max_concurrent` calls at once through to one dependency, so that a slow one does not take
/// all threads and connections. Further calls are rejected with BulkheadFullError, or up to `max_waiting` of
/// them wait for a slot, the most important call first, and the longest waiter first among equal ones (rules
/// K1 to K11 and P18 in docs/rules.md).
///
///     Bulkhead<> reports{"reports", {.max_concurrent = 8, .max_waiting = 16, .max_wait = 2s}};
///     auto report = reports.execute([&] { return render(month); });
///
/// Every member is thread-safe. It can be neither copied nor moved: share it by reference or std::shared_ptr.
template <class C>
class FUSEBOX_API Bulkhead {
  static_assert(TimeSource<C>, "fusebox: Bulkhead<C> needs a C that models fusebox::TimeSource");

 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes, or `validate` refuses the config.
  explicit Bulkhead(std::string name, BulkheadConfig config = {}, C clock = {})
      : core_{checked(std::move(name), config), config, std::move(clock)} {}
  Bulkhead(const Bulkhead&) = delete;
  Bulkhead& operator=(const Bulkhead&) = delete;
  ~Bulkhead() = default;

  /// Calls op while it holds a slot, and returns what op returns. op takes a `const Call&`, a
  /// std::stop_token, a Deadline, or nothing. It may be followed, in any order and each at most once, by
  ///
  /// - a std::stop_token, which ends the wait for a slot, and reaches op;
  /// - a Deadline, which does the same: no wait lasts longer;
  /// - a Priority: who waits first, and who is rejected first (P18);
  /// - failure_if(predicate).
  ///
  /// A rejection, and a CancelledError, is returned in op's own result if its type can carry one, else thrown
  /// (P12). op's exception passes through unchanged. The bulkhead must live until execute returns.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<Bulkhead&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  /// Takes a slot for a call that the caller makes itself, or refuses; never waits. The slot comes back when
  /// the Permit is reported or destroyed, whatever the outcome (K9).
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

  /// How many calls pass at once from now on. More slots go to waiting calls at once; fewer take effect as
  /// calls end (K6). Throws ConfigError, and changes nothing, unless the limit is in [1, 65535].
  void set_limit(int limit) {
    detail::throw_if("Bulkhead", detail::check_limit("limit", limit));
    core_.set_limit(static_cast<std::uint32_t>(limit));
  }

  [[nodiscard]] BulkheadStats stats() const {
    const detail::SlotStats now = core_.stats();
    return {now.in_use, now.waiting, now.limit, now.admitted, now.rejected, now.longest_wait, now.shed};
  }
  [[nodiscard]] const std::string& name() const noexcept { return core_.name(); }
  /// As it was given: set_limit() does not change it.
  [[nodiscard]] const BulkheadConfig& config() const noexcept { return core_.config(); }
  [[nodiscard]] const C& clock() const noexcept { return core_.clock(); }

  /// Calls `callback(const BulkheadEvent&)` for every event from now on, in order and outside every lock: on
  /// the thread that caused the event, or on one that is already delivering. The callback may call the
  /// bulkhead. What it throws is dropped (K10).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const BulkheadEvent&>,
                  "fusebox: on_event takes a callback(const BulkheadEvent&)");
    auto subscriber = detail::make_subscriber<BulkheadEvent>(std::forward<F>(callback));
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
  friend struct detail::BulkheadAccess;
  template <class P>
  friend struct detail::Layer;
  using Permits = detail::SlotPermits<detail::BulkheadCore<C>>;

  [[nodiscard]] static std::string checked(std::string name, const BulkheadConfig& config) {
    detail::check_name("Bulkhead", name);
    detail::throw_if("BulkheadConfig", detail::check(config));
    return name;
  }

  detail::BulkheadCore<C> core_;
  detail::CallObservers observers_;
};

Bulkhead(std::string) -> Bulkhead<SystemClock>;
Bulkhead(std::string, BulkheadConfig) -> Bulkhead<SystemClock>;
template <class C>
Bulkhead(std::string, BulkheadConfig, C) -> Bulkhead<C>;

/// Like `bulkhead->try_acquire(priority)`; the Permit keeps the bulkhead alive. A null pointer returns a
/// refusal.
template <class C>
[[nodiscard]] Permit try_acquire(std::shared_ptr<Bulkhead<C>> bulkhead,
                                 Priority priority = Priority::normal) noexcept {
  if (!bulkhead) return {};
  return detail::try_acquire_shared(detail::BulkheadAccess::core(*bulkhead), priority, bulkhead);
}

FUSEBOX_END_NAMESPACE
