// fusebox/circuit_breaker/detail/transitions.hpp: how calls move the state of a BreakerCore.
//
// Admitting: what a call gets, by the state on its arrival.
//
//   state        if                                      the call is              function
//   ---------------------------------------------------------------------------------------------------
//   closed       no slow_calls                           admitted                 admit
//   closed       slow_calls                              admitted, timed          admit_slow_path
//   open         now < due                               rejected                 rejects, admit_by_state
//   open         now ≥ due                               the first probe          admit_probe (lock)
//   half_open    made by the op of a probe (B7)          part of that probe       admit_by_state
//   half_open    a slot is free or its time over (B5)    a probe                  admit_probe (lock)
//   half_open    otherwise                               rejected                 admit_by_state
//   forced_open                                          rejected                 admit_by_state
//   disabled                                             admitted                 admit_by_state
//
// Settling: what a report does, by how the call was admitted. "Same" and "earlier" compare the generation of
// the admission with the present one.
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
//   probe                same        failure,   count, free the slot, open        settle_probe (lock)
//                                    slow success
//   probe                same        ignored    count, free the slot              settle_probe (lock)
//   probe                earlier     any        count, unless a reset came (B6)   settle_late
//
// "The rules" are apply_rules(): while closed record in the windows; move the failure streak; while closed
// open if one of them says so.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

#include <fusebox/circuit_breaker/detail/core.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

// Admitting.

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE Admission BreakerCore<C, Sync>::admit_by_state(StateWord word,
                                                                       bool may_nest) noexcept {
  for (;;) {
    switch (word.state()) {
      case State::closed:
      case State::disabled: return {word.bits(), start_tick()};
      case State::forced_open: return reject(word, 0);
      case State::half_open:
        if (may_nest && is_part_of_probe(word.generation()))
          return {word.marked(StateWord::nested).bits(), 0};
        break;
      case State::open: break;
    }
    const Tick now = wait_tick();
    const bool is_open = word.state() == State::open;
    // Acquire: pairs with the stores in enter_open(), admit_probe() and settle_probe().
    const Tick due = (is_open ? open_due_ : probe_due_).load(std::memory_order_acquire);
    if (now >= due) return admit_probe();
    const StateWord again = load();
    if (again == word) return reject(word, is_open ? elapsed(now, due) : 0);
    word = again;
  }
}

template <class C, class Sync>
bool BreakerCore<C, Sync>::is_part_of_probe(std::uint32_t generation) noexcept {
  if (!running_probes_.may_contain_caller()) return false;
  const Lock lock{mutex_};
  return running_probes_.contains_caller(generation);
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD Admission BreakerCore<C, Sync>::admit_probe() noexcept {
  const TransitionTime now = transition_time();
  const Tick start = detail::fine_tick(clock_);
  Lock lock{mutex_};
  const StateWord word = load();
  switch (word.state()) {
    case State::closed:
    case State::disabled: lock.unlock(); return {word.bits(), start_tick()};
    case State::forced_open: break;
    case State::open: {
      const Tick due = open_due_.load(std::memory_order_relaxed);  // relaxed: written under this lock
      if (now.wait_now < due) {
        lock.unlock();
        return reject(word, elapsed(now.wait_now, due));
      }
      slots_.free_all();
      probe_successes_ = 0;
      const auto slot = slots_.take(now.wait_now, start);
      probe_due_.store(slots_.next_due(),
                       std::memory_order_release);  // pairs with the load in admit_by_state()
      enter(word, State::half_open, 0, StateChangeReason::probe_admitted, now);
      return {load().with_probe_slot(*slot).bits(), start};
    }
    case State::half_open: {
      const auto slot = slots_.take(now.wait_now, start);
      if (!slot) break;
      probe_due_.store(slots_.next_due(),
                       std::memory_order_release);  // pairs with the load in admit_by_state()
      return {word.with_probe_slot(*slot).bits(), start};
    }
  }
  lock.unlock();
  return reject(word, 0);
}

// Settling.

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_slow_path(Admission admission,
                                                                    Outcome outcome) noexcept {
  const StateWord admitted{admission};
  // A function for each, so that none pays for another's stack frame.
  if (outcome == Outcome::success && admitted.success_only_enters_windows() && load() == admitted)
      [[likely]] {
    return admitted.is_timed() ? settle_timed_success(admission) : settle_windowed_success(admission);
  }
  if (outcome == Outcome::failure && admitted.is_closed_without_rates())
    return settle_plain_failure(admission);
  settle_by_state(admission, outcome);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_plain_failure(Admission admission) noexcept {
  const std::uint32_t generation = StateWord{admission}.generation();
  if (load().generation() != generation) [[unlikely]]
    return settle_late(admission, Outcome::failure, false, detail::coarse_tick(clock_));
  totals_.add_failure([this] { return detail::coarse_tick(clock_); });
  move_streak(generation, true, std::nullopt);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_windowed_success(Admission admission) noexcept {
  const Tick stamp = totals_.add_success([this] { return detail::coarse_tick(clock_); });
  windows_->failures->record_miss(StateWord{admission}.generation(), clock_, stamp);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_timed_success(Admission admission) noexcept {
  const StateWord admitted{admission};
  const Tick stamp = totals_.add_success([this] { return detail::coarse_tick(clock_); });
  if (is_slow(admission.time, times_coarsely() ? stamp : detail::fine_tick(clock_))) [[unlikely]] {
    totals_.add(Counter::slow);
    return apply_rules(admitted, Outcome::success, true, stamp);
  }
  windows_->slow->record_miss(admitted.generation(), clock_, stamp);
  if (windows_->failures) windows_->failures->record_miss(admitted.generation(), clock_, stamp);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_by_state(Admission admission,
                                                                   Outcome outcome) noexcept {
  const StateWord admitted{admission};
  if (admitted.is_nested()) return;
  if (admitted.is_half_open()) return settle_probe(admission, outcome);
  const Tick stamp = detail::coarse_tick(clock_);
  const bool slow =
      is_timed(outcome) && is_slow(admission.time, times_coarsely() ? stamp : detail::fine_tick(clock_));
  if (load().generation() != admitted.generation()) return settle_late(admission, outcome, slow, stamp);
  count_outcome(outcome, slow, stamp);
  if (is_recorded(outcome)) apply_rules(admitted, outcome, slow, stamp);
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
    for_each_window([](auto& window) { window.leave_out_one(); });
  count_outcome(outcome, slow, stamp);
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::settle_probe(Admission admission, Outcome outcome) noexcept {
  const StateWord admitted{admission};
  const TransitionTime now = transition_time();
  const Tick stamp = detail::coarse_tick(clock_);
  const bool slow = is_timed(outcome) && is_slow(admission.time, detail::fine_tick(clock_));
  Lock lock{mutex_};
  const StateWord word = load();
  if (word.generation() != admitted.generation()) {
    lock.unlock();
    return settle_late(admission, outcome, slow, stamp);
  }
  count_outcome(outcome, slow, stamp);
  if (slots_.free(admitted.probe_slot(), admission.time))
    probe_due_.store(slots_.next_due(),
                     std::memory_order_release);  // pairs with the load in admit_by_state()
  if (outcome == Outcome::failure || (outcome == Outcome::success && slow)) {
    if (escalation_ != ~std::uint32_t{0}) ++escalation_;
    const bool failed = outcome == Outcome::failure;
    enter_open(word, 1, failed ? StateChangeReason::probe_failed : StateChangeReason::slow_calls, now);
  } else if (outcome == Outcome::success && ++probe_successes_ >= config_.success_threshold) {
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
void BreakerCore<C, Sync>::apply_rules(StateWord admitted, Outcome outcome, bool slow, Tick stamp) noexcept {
  const bool failed = outcome == Outcome::failure;
  const std::uint32_t generation = admitted.generation();
  const bool closed = admitted.is_closed();
  if (closed) {
    if (windows_ && windows_->failures)
      windows_->failures->record(generation, clock_, stamp, failed, recorded());
    if (windows_ && windows_->slow) windows_->slow->record(generation, clock_, stamp, slow, recorded());
  }
  const auto by_rate = closed && (failed || slow) ? rate_reached(generation) : std::nullopt;
  move_streak(generation, failed, by_rate);
}

/// Moves the failure streak with one compare-exchange. If the breaker is to open, open_by_rule() decides
/// again under the lock.
template <class C, class Sync>
FUSEBOX_DETAIL_INLINE void BreakerCore<C, Sync>::move_streak(std::uint32_t generation, bool failed,
                                                             Reason by_rate) noexcept {
  for (StateWord word = load(); word.generation() == generation;) {
    const StateWord next = word.with_failure_streak(failed ? word.failure_streak() + 1 : 0);
    if (reason_to_open(next, failed, by_rate)) return open_by_rule(generation, failed, by_rate);
    if (next == word || exchange(word, next)) return;
  }
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::open_by_rule(std::uint32_t generation, bool failed,
                                                            Reason by_rate) noexcept {
  const TransitionTime now = transition_time();
  Lock lock{mutex_};
  for (StateWord word = load(); word.generation() == generation;) {
    const StateWord next = word.with_failure_streak(failed ? word.failure_streak() + 1 : 0);
    if (const auto reason = reason_to_open(next, failed, by_rate)) {
      enter_open(word, next.failure_streak(), *reason, now);
      return unlock_and_deliver(lock);
    }
    if (next == word || exchange(word, next)) return;
  }
}

/// Why a recorded call that leaves `word` behind opens the breaker, if it does.
template <class C, class Sync>
FUSEBOX_DETAIL_INLINE auto BreakerCore<C, Sync>::reason_to_open(StateWord word, bool failed,
                                                                Reason by_rate) const noexcept -> Reason {
  if (!word.is_closed()) return std::nullopt;
  const auto threshold = static_cast<std::uint32_t>(config_.failure_threshold);
  if (failed && threshold > 0 && word.failure_streak() >= threshold)
    return StateChangeReason::failure_threshold;
  return by_rate;
}

/// The rate rule that is reached, if any.
template <class C, class Sync>
auto BreakerCore<C, Sync>::rate_reached(std::uint32_t generation) const noexcept -> Reason {
  if (!windows_) return std::nullopt;
  const auto reaches = [&](const auto& window, const auto& rule) {
    return window &&
           window->rate(generation, clock_, recorded()).reaches(rule->threshold, rule->minimum_calls);
  };
  if (reaches(windows_->failures, config_.failure_rate)) return StateChangeReason::failure_rate;
  if (reaches(windows_->slow, config_.slow_calls)) return StateChangeReason::slow_calls;
  return std::nullopt;
}

// Transitions. The caller holds the lock.

template <class C, class Sync>
void BreakerCore<C, Sync>::enter(StateWord from, State to, std::uint32_t streak, StateChangeReason reason,
                                 const TransitionTime& now) noexcept {
  if (from.is_closed()) recorded_until_open_ = totals_.recorded();
  if (to == State::closed) {
    closed_generation_ = from.generation() + 1;
    begin_windows(closed_generation_);
  }
  word_.store(from.next(to, streak).bits(), std::memory_order_release);  // pairs with load()
  if (hub_ && from.state() != to) hub_->push({from.state(), to, reason, now.at});
}

template <class C, class Sync>
void BreakerCore<C, Sync>::enter_open(StateWord from, std::uint32_t streak, StateChangeReason reason,
                                      const TransitionTime& now) noexcept {
  ++opened_;
  // Before the word. Pairs with the loads in rejects(), admit_by_state() and retry_after().
  open_due_.store(saturating_add(now.wait_now, next_wait(now.random)), std::memory_order_release);
  enter(from, State::open, streak, reason, now);
}

/// B8; `random` is in [0, 1).
template <class C, class Sync>
Tick BreakerCore<C, Sync>::next_wait(double random) const noexcept {
  const bool capped = config_.max_reset_timeout > config_.reset_timeout;
  const auto longest = capped ? config_.max_reset_timeout : config_.reset_timeout;
  const Tick wait =
      ticks(exponential_delay(config_.reset_timeout, longest, config_.reset_backoff, escalation_));
  if (config_.reset_jitter <= 0) return wait;
  return wait - static_cast<Tick>(static_cast<double>(wait) * config_.reset_jitter * random);
}

/// Ends the locked section and delivers the events that it caused. Touches nothing of the breaker
/// afterwards, since a callback may have released it.
template <class C, class Sync>
void BreakerCore<C, Sync>::unlock_and_deliver(Lock& lock) noexcept {
  const std::shared_ptr<Hub> hub = hub_;
  lock.unlock();
  if (hub) Hub::deliver(hub);
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::force_state(State to, StateChangeReason reason) noexcept {
  const TransitionTime now = transition_time();
  Lock lock{mutex_};
  const StateWord word = load();
  if (word.state() == to && to != State::closed) return;
  escalation_ = 0;
  if (to == State::closed) {
    // Before the word: a call that sees the new generation counts in it.
    reset_generation_ = word.generation() + 1;
    opened_ = 0;
    totals_.forget_stamps();
    before_reset_ = totals_.values();
  }
  enter(word, to, 0, reason, now);
  unlock_and_deliver(lock);
}

// Observing.

template <class C, class Sync>
FUSEBOX_DETAIL_COLD CircuitBreakerStats BreakerCore<C, Sync>::stats(const ClockReading& now) const {
  CircuitBreakerStats stats;
  Lock lock{mutex_};
  const StateWord word = load();
  const std::uint32_t closed_generation = closed_generation_;
  // Probes and the calls of a disabled breaker enter no window.
  const std::uint64_t window_recorded = word.is_closed() ? totals_.recorded() : recorded_until_open_;
  const auto totals = totals_.values();
  const auto since_reset = [&](Counter counter) {
    const auto i = static_cast<std::size_t>(counter);
    return totals[i] - before_reset_[i];
  };
  stats.state = word.state();
  stats.failure_count = since_reset(Counter::failure);
  stats.success_count = since_reset(Counter::success);
  stats.ignored_count = since_reset(Counter::ignored);
  stats.rejected_count = since_reset(Counter::rejected);
  stats.slow_count = since_reset(Counter::slow);
  stats.opened_count = opened_;
  stats.consecutive_failures = static_cast<int>(word.failure_streak());
  // A report that races a reset may leave its stamp without its count. One that has counted but not yet
  // stamped is happening now.
  if (stats.failure_count > 0)
    stats.last_failure_time = now.wall_at(totals_.last_failure().value_or(now.coarse));
  if (stats.success_count > 0)
    stats.last_success_time = now.wall_at(totals_.last_success().value_or(now.coarse));
  const Tick due = open_due_.load(std::memory_order_relaxed);  // relaxed: written under this lock
  lock.unlock();
  if (word.state() == State::open) stats.retry_after = std::chrono::nanoseconds{elapsed(wait_tick(), due)};
  if (windows_ && windows_->failures) {
    const Rate rate = windows_->failures->rate(closed_generation, clock_, [=] { return window_recorded; });
    if (rate.reaches(0.0, config_.failure_rate->minimum_calls)) stats.failure_rate = rate.value();
  } else if (const auto recorded = stats.failure_count + stats.success_count; recorded > 0) {
    stats.failure_rate = static_cast<double>(stats.failure_count) / static_cast<double>(recorded);
  }
  return stats;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
