// fusebox/circuit_breaker/detail/admit.hpp: what a call gets, by the state on its arrival.
//
//   state        if                                      the call is              function
//   ---------------------------------------------------------------------------------------------------
//   closed       no slow_calls                           admitted                 admit
//   closed       slow_calls                              admitted, timed          admit_slow_path
//   closed       somebody listens by on_call()           admitted, timed          admit_closed
//   closed       recovering (B17)                        admitted or rejected     admit_closed
//   open         now < due                               rejected                 rejects, admit_by_state
//   open         now ≥ due                               the first probe          admit_probe (lock)
//   half_open    made by the op of a probe (B7)          part of that probe       admit_by_state
//   half_open    a slot is free or its time over (B5)    a probe                  admit_probe (lock)
//   half_open    otherwise                               rejected                 admit_by_state
//   forced_open                                          rejected                 admit_by_state
//   disabled                                             admitted                 admit_by_state
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdint>

#include <fusebox/circuit_breaker/detail/core.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE Admission BreakerCore<C, Sync>::admit_by_state(StateWord word,
                                                                       bool may_nest) noexcept {
  for (;;) {
    switch (word.state()) {
      case State::closed:
      case State::disabled: return admit_closed(word);
      case State::forced_open: return reject(word, 0);
      case State::half_open:
        if (may_nest && is_part_of_probe(word.generation()))
          return {word.marked(StateWord::nested).bits(), 0};
        break;
      case State::open: break;
    }
    const Tick now = wait_tick(word);
    const bool is_open = word.state() == State::open;
    // Acquire: pairs with the stores in enter_open(), admit_probe() and settle_probe().
    const Tick due = (is_open ? open_due_ : probe_due_).load(std::memory_order_acquire);
    if (now >= due) return admit_probe();
    const StateWord again = load();
    if (again == word) return reject(word, is_open ? elapsed(now, due) : 0);
    word = again;
  }
}

/// While closed or disabled.
template <class C, class Sync>
FUSEBOX_DETAIL_COLD Admission BreakerCore<C, Sync>::admit_closed(StateWord word) noexcept {
  if (word.is_recovering() && !admits_while_recovering(word)) return reject(word, 0);
  if (word.is_observed()) observed_calls_.fetch_add(1, std::memory_order_relaxed);  // relaxed: only a count
  return {word.bits(), start_tick(word)};
}

/// B17: of n calls at one moment, share × n are admitted, the first of them included. Each adds the share to
/// a sum, and passes if that reaches the next whole number. Relaxed: the sum publishes nothing.
template <class C, class Sync>
bool BreakerCore<C, Sync>::admits_while_recovering(StateWord word) noexcept {
  constexpr double whole = 4294967296.0;  // 2³²
  const Settings<Sync>& settings = settings_of(word);
  const Tick since = elapsed(closed_at_.load(std::memory_order_relaxed), detail::fine_tick(clock_));
  const Tick time = ticks(settings.config.recovery_time);
  if (since >= time) {
    const Lock lock{mutex_};
    const StateWord present = load();
    if (present.generation() == word.generation()) mark(0, StateWord::recovering);
    return true;
  }
  const double share = 0.1 + 0.9 * (static_cast<double>(since) / static_cast<double>(time));
  const auto step = static_cast<std::uint64_t>(share * whole);
  const std::uint64_t sum = recovery_shares_.fetch_add(step, std::memory_order_relaxed);
  return (sum >> 32U) != ((sum + step) >> 32U);
}

template <class C, class Sync>
bool BreakerCore<C, Sync>::is_part_of_probe(std::uint32_t generation) noexcept {
  if (!running_probes_.may_contain_caller()) return false;
  const Lock lock{mutex_};
  return running_probes_.contains_caller(generation);
}

/// Under the lock.
template <class C, class Sync>
Admission BreakerCore<C, Sync>::admit_with_slot(std::uint32_t slot, StateWord word,
                                                const TransitionTime& now) noexcept {
  probe_due_.store(slots_.next_due(), std::memory_order_release);  // pairs with the load in admit_by_state()
  if (word.state() == State::open) enter(word, State::half_open, 0, StateChangeReason::probe_admitted, now);
  const StateWord admitted = load();
  if (admitted.is_observed()) observed_calls_.fetch_add(1, std::memory_order_relaxed);
  return {admitted.with_probe_slot(slot).bits(), now.fine};
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD Admission BreakerCore<C, Sync>::admit_probe() noexcept {
  const TransitionTime now = transition_time();
  Lock lock{mutex_};
  const StateWord word = load();
  switch (word.state()) {
    case State::closed:
    case State::disabled: lock.unlock(); return admit_closed(word);
    case State::forced_open: break;
    case State::open: {
      const Tick due = open_due_.load(std::memory_order_relaxed);  // relaxed: written under this lock
      if (now.wait_now(word) < due) {
        lock.unlock();
        return reject(word, elapsed(now.wait_now(word), due));
      }
      if (slots_from_next_) slots_ = std::move(*std::exchange(slots_from_next_, nullptr));
      slots_.free_all();
      probe_successes_ = 0;
      probe_failures_ = 0;
      return admit_with_slot(*slots_.take(now.wait_now(word), now.fine), word, now);
    }
    case State::half_open:
      if (const auto slot = slots_.take(now.wait_now(word), now.fine))
        return admit_with_slot(*slot, word, now);
      break;
  }
  lock.unlock();
  return reject(word, 0);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
