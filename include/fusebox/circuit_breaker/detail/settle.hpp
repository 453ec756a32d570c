// fusebox/circuit_breaker/detail/settle.hpp: what a report does, by how its call was admitted.
//
// "Same" and "earlier" compare the generation of the admission with the present one.
//
//   admitted             generation  outcome    what is done                      function
//   ---------------------------------------------------------------------------------------------------
//   closed, no streak    same        success    count                             settle_plain_success
//   … with failure_rate  same        success    count, record                     settle_windowed_success
//   … with slow_calls    same        success    count, measure, record;           settle_timed_success
//                                               if slow: the rules
//   closed, no rates     same        failure    count, lengthen the streak        settle_plain_failure
//   closed, disabled     same        any        count; unless ignored: the rules  settle_by_state
//   closed, disabled     earlier     any        count, unless a reset came (B6)   settle_late
//   part of a probe      any         any        nothing                           settle_by_state
//   probe                same        success    count, free the slot; the last    settle_probe (lock)
//                                               one closes (B5, B9)
//   probe                same        failure,   count, free the slot; unless      settle_probe (lock)
//                                    slow       it is forgiven (B16), open
//                                    success
//   probe                same        ignored    count, free the slot              settle_probe (lock)
//   probe                earlier     any        count, unless a reset came (B6)   settle_late
//
// "The rules" are apply_rules(): while closed record in the windows; move the failure streak; while closed
// open if one of them says so. A call ends under the config that it began with: settings_of(admitted) (B19).
// If somebody listens, settle_observed() runs the callbacks after it has settled the call.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/detail/unwinding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_slow_path(Admission admission, Outcome outcome,
                                                                    const Failure* failure) {
  const StateWord admitted{admission};
  // A function for each, so that none pays for another's stack frame.
  if (outcome == Outcome::success && admitted.success_only_enters_windows() && load() == admitted)
      [[likely]] {
    return admitted.is_timed() ? settle_timed_success(admission) : settle_windowed_success(admission);
  }
  if (outcome == Outcome::failure && admitted.is_closed_without_rates())
    return settle_plain_failure(admission, failure);
  if (admitted.is_observed() && !admitted.is_nested()) return settle_observed(admission, outcome, failure);
  settle_by_state(admission, outcome, failure);
}

/// Calls use(const Failure*), which may be null.
template <class Use>
FUSEBOX_DETAIL_INLINE void with_failure(const Failure* failure, Use use) {
  use(failure);
}
/// Of a failure that is no more than a code, a Failure is made only where it is needed.
template <class Use>
FUSEBOX_DETAIL_COLD void with_failure(std::error_code code, Use use) {
  const Failure failure{code};
  use(&failure);
}

template <class C, class Sync>
template <class FailureSource>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_plain_failure(Admission admission,
                                                                        FailureSource source) {
  const StateWord admitted{admission};
  if (!load().is_but_for_streak(admitted)) [[unlikely]] {
    return with_failure(
        source, [&](const Failure* failure) { settle_by_state(admission, Outcome::failure, failure); });
  }
  totals_.add_failure([this] { return detail::coarse_tick(clock_); });
  move_streak(settings_of(admitted), admitted.generation(), true, std::nullopt, source);
}

/// Settles the call, then tells those who listen. Touches nothing of the breaker afterwards, since a callback
/// may have released it.
template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::settle_observed(Admission admission, Outcome outcome,
                                                               const Failure* failure) {
  const StateWord admitted{admission};
  // Probes are timed by the fine clock.
  const Tick end = admitted.is_half_open() ? detail::fine_tick(clock_) : call_tick(settings_of(admitted));
  observed_calls_.fetch_sub(1, std::memory_order_relaxed);
  CallEvent event{{}, outcome, std::chrono::nanoseconds{elapsed(admission.time, end)}, failure};
  std::shared_ptr<const typename CallListeners<Sync>::List> listeners;
  {
    const Lock lock{mutex_};
    listeners = listeners_.active();
    if (!listeners) mark(0, StateWord::observed);
  }
  FUSEBOX_DETAIL_TRY {
    if (listeners) event.name = name();
  }
  FUSEBOX_DETAIL_CATCH_ALL {}  // out of memory: the event has no name
  bool is_settled = false;
  const auto step = [&] {
    if (!std::exchange(is_settled, true)) {
      settle_by_state(admission, outcome, failure);
    } else if (const auto list = std::exchange(listeners, nullptr)) {
      CallListeners<Sync>::deliver(*list, event);
    } else {
      return false;
    }
    return true;
  };
  run_to_end(step);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_windowed_success(Admission admission) noexcept {
  const StateWord admitted{admission};
  const Tick stamp = totals_.add_success([this] { return detail::coarse_tick(clock_); });
  settings_of(admitted).failures->record_miss(admitted.generation(), clock_, stamp);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_timed_success(Admission admission) {
  const StateWord admitted{admission};
  const Settings<Sync>& settings = settings_of(admitted);
  const Tick stamp = totals_.add_success([this] { return detail::coarse_tick(clock_); });
  if (is_slow(settings, admission.time, settings.times_coarsely() ? stamp : detail::fine_tick(clock_)))
      [[unlikely]] {
    totals_.add(Counter::slow);
    return apply_rules(admitted, Outcome::success, true, stamp, nullptr);
  }
  settings.slow->record_miss(admitted.generation(), clock_, stamp);
  if (settings.failures) settings.failures->record_miss(admitted.generation(), clock_, stamp);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_by_state(Admission admission, Outcome outcome,
                                                                   const Failure* failure) {
  const StateWord admitted{admission};
  if (admitted.is_nested()) return;
  if (admitted.is_half_open()) return settle_probe(admission, outcome, failure);
  const Settings<Sync>& settings = settings_of(admitted);
  const Tick stamp = detail::coarse_tick(clock_);
  const bool slow =
      admitted.is_timed() && is_recorded(outcome) &&
      is_slow(settings, admission.time, settings.times_coarsely() ? stamp : detail::fine_tick(clock_));
  const StateWord word = load();
  if (word.generation() != admitted.generation()) return settle_late(admission, outcome, slow, stamp);
  if (is_recorded(outcome) && word.is_closed() && word.config_bits() != admitted.config_bits())
    leave_out_of_newer_windows(settings);
  count_outcome(outcome, slow, stamp);
  if (is_recorded(outcome)) apply_rules(admitted, outcome, slow, stamp, failure);
}

/// A call that began under an earlier config enters its windows, and no others. Before the count, as in
/// settle_late().
template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::leave_out_of_newer_windows(
    const Settings<Sync>& settings) noexcept {
  const Lock lock{mutex_};
  this->settings().for_each_window([&](auto& window) {
    if (!settings.has_window(window)) window->leave_out_one();
  });
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::settle_late(Admission admission, Outcome outcome, bool slow,
                                                           Tick stamp) noexcept {
  const Lock lock{mutex_};
  // As a signed difference, since generations wrap around.
  const std::uint32_t age = StateWord{admission}.generation() - reset_generation_;
  if (static_cast<std::int32_t>(age) < 0) return;
  // Before the count: no window ever has a call too many.
  if (is_recorded(outcome) && load().is_closed())
    settings().for_each_window([](auto& window) { window->leave_out_one(); });
  count_outcome(outcome, slow, stamp);
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::settle_probe(Admission admission, Outcome outcome,
                                                            const Failure* failure) {
  const StateWord admitted{admission};
  const Settings<Sync>& settings = settings_of(admitted);
  const TransitionTime now = transition_time();
  const bool slow =
      admitted.is_timed() && is_recorded(outcome) && is_slow(settings, admission.time, now.fine);
  const bool failed = outcome == Outcome::failure;
  Cause cause = failed ? make_cause(failure) : nullptr;  // before the lock
  Lock lock{mutex_};
  const StateWord word = load();
  if (word.generation() != admitted.generation()) {
    lock.unlock();
    return settle_late(admission, outcome, slow, now.coarse);
  }
  count_outcome(outcome, slow, now.coarse);
  if (slots_.free(admitted.probe_slot(), admission.time))
    probe_due_.store(slots_.next_due(),
                     std::memory_order_release);  // pairs with the load in admit_by_state()
  if (failed || slow) {
    if (probe_failures_++ < settings.config.half_open_max_failures) return;
    if (escalation_ != ~std::uint32_t{0}) ++escalation_;
    enter_open(settings, word, 1, failed ? StateChangeReason::probe_failed : StateChangeReason::slow_calls,
               now, std::move(cause));
  } else if (outcome == Outcome::success && ++probe_successes_ >= settings.config.success_threshold) {
    escalation_ = 0;
    enter(word, State::closed, 0, StateChangeReason::probes_succeeded, now);
  } else {
    return;
  }
  unlock_and_deliver(lock);
}

template <class C, class Sync>
void BreakerCore<C, Sync>::count_outcome(Outcome outcome, bool slow, Tick stamp) noexcept {
  switch (outcome) {
    case Outcome::success: totals_.add_success([stamp] { return stamp; }); break;
    case Outcome::failure: totals_.add_failure([stamp] { return stamp; }); break;
    default: totals_.add(Counter::ignored); return;
  }
  if (slow) totals_.add(Counter::slow);
}

// The rules that open.

/// A counted report of the closed or disabled generation that admitted the call. Takes no lock unless the
/// breaker is to open.
template <class C, class Sync>
void BreakerCore<C, Sync>::apply_rules(StateWord admitted, Outcome outcome, bool slow, Tick stamp,
                                       const Failure* failure) {
  const Settings<Sync>& settings = settings_of(admitted);
  const bool failed = outcome == Outcome::failure;
  const std::uint32_t generation = admitted.generation();
  const bool closed = admitted.is_closed();
  if (closed) {
    if (settings.failures) settings.failures->record(generation, clock_, stamp, failed, recorded());
    if (settings.slow) settings.slow->record(generation, clock_, stamp, slow, recorded());
  }
  const auto by_rate = closed && (failed || slow) ? rate_reached(settings, generation) : std::nullopt;
  move_streak(settings, generation, failed, by_rate, failure);
}

/// Moves the failure streak with one compare-exchange. If the breaker is to open, open_by_rule() decides
/// again under the lock.
template <class C, class Sync>
template <class FailureSource>
FUSEBOX_DETAIL_INLINE void BreakerCore<C, Sync>::move_streak(const Settings<Sync>& settings,
                                                             std::uint32_t generation, bool failed,
                                                             Reason by_rate, FailureSource source) {
  for (StateWord word = load(); word.generation() == generation;) {
    const StateWord next = word.with_failure_streak(failed ? word.failure_streak() + 1 : 0);
    if (reason_to_open(settings, next, failed, by_rate)) {
      return with_failure(source, [&](const Failure* failure) {
        open_by_rule(settings, generation, failed, by_rate, failure);
      });
    }
    if (next == word || exchange(word, next)) return;
  }
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::open_by_rule(const Settings<Sync>& settings,
                                                            std::uint32_t generation, bool failed,
                                                            Reason by_rate, const Failure* failure) {
  const TransitionTime now = transition_time();
  Cause cause = failed ? make_cause(failure) : nullptr;  // before the lock
  Lock lock{mutex_};
  for (StateWord word = load(); word.generation() == generation;) {
    const StateWord next = word.with_failure_streak(failed ? word.failure_streak() + 1 : 0);
    if (const auto reason = reason_to_open(settings, next, failed, by_rate)) {
      enter_open(settings, word, next.failure_streak(), *reason, now, std::move(cause));
      return unlock_and_deliver(lock);
    }
    if (next == word || exchange(word, next)) return;
  }
}

/// Why a recorded call that leaves `word` behind opens the breaker, if it does.
template <class C, class Sync>
FUSEBOX_DETAIL_INLINE auto BreakerCore<C, Sync>::reason_to_open(const Settings<Sync>& settings,
                                                                StateWord word, bool failed,
                                                                Reason by_rate) noexcept -> Reason {
  if (!word.is_closed()) return std::nullopt;
  const auto threshold = static_cast<std::uint32_t>(settings.config.failure_threshold);
  if (failed && threshold > 0 && word.failure_streak() >= threshold)
    return StateChangeReason::failure_threshold;
  return by_rate;
}

template <class C, class Sync>
template <class Rule>
bool BreakerCore<C, Sync>::reaches(const typename Settings<Sync>::Rated& window,
                                   const std::optional<Rule>& rule, std::uint32_t generation) const noexcept {
  return window && window->rate(generation, clock_, recorded()).reaches(rule->threshold, rule->minimum_calls);
}

/// The rate rule that is reached, if any.
template <class C, class Sync>
auto BreakerCore<C, Sync>::rate_reached(const Settings<Sync>& settings,
                                        std::uint32_t generation) const noexcept -> Reason {
  if (reaches(settings.failures, settings.config.failure_rate, generation))
    return StateChangeReason::failure_rate;
  if (reaches(settings.slow, settings.config.slow_calls, generation)) return StateChangeReason::slow_calls;
  return std::nullopt;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
