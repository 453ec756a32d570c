// fusebox/circuit_breaker/detail/transitions.hpp: how a BreakerCore changes its state and its config, and its
// stats.
//
// enter() and enter_open() are called under the lock. A due time is written before the word that makes it
// matter, and settings before the word that names them.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <fusebox/circuit_breaker/detail/core.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

// Transitions. The caller holds the lock.

template <class C, class Sync>
void BreakerCore<C, Sync>::enter(StateWord from, State to, std::uint32_t streak, StateChangeReason reason,
                                 const TransitionTime& now, Cause cause) noexcept {
  if (from.is_closed()) recorded_until_open_ = totals_.recorded();
  StateWord next = from.next(to, streak);
  if (to == State::closed) {
    closed_generation_ = next.generation();
    begin_windows(closed_generation_);
    if (reason == StateChangeReason::probes_succeeded && settings().config.recovery_time.count() > 0) {
      // Before the word. Relaxed: who sees the word with acquire sees these.
      closed_at_.store(now.fine, std::memory_order_relaxed);
      recovery_shares_.store(0xffff'ffff,
                             std::memory_order_relaxed);  // the first call reaches a whole number
      next = next.marked(StateWord::recovering);
    }
  }
  word_.store(next.bits(), std::memory_order_release);  // pairs with load()
  if (hub_ && from.state() != to) hub_->push({from.state(), to, reason, now.at, std::move(cause)});
}

template <class C, class Sync>
void BreakerCore<C, Sync>::enter_open(const Settings<Sync>& settings, StateWord from, std::uint32_t streak,
                                      StateChangeReason reason, const TransitionTime& now,
                                      Cause cause) noexcept {
  ++opened_;
  const Failure* const failure = cause ? &**cause : nullptr;
  const Tick due = saturating_add(now.wait_now(from), next_wait(settings, now.random, failure));
  // Before the word. Pairs with the loads in rejects(), admit_by_state() and retry_after().
  open_due_.store(due, std::memory_order_release);
  cause_ = cause;
  rejections_->put_cause(from.generation() + 1, cause);
  enter(from, State::open, streak, reason, now, std::move(cause));
}

/// B8 and B15; `random` is in [0, 1).
template <class C, class Sync>
Tick BreakerCore<C, Sync>::next_wait(const Settings<Sync>& settings, double random,
                                     const Failure* cause) const noexcept {
  const CircuitBreakerConfig& config = settings.config;
  const bool capped = config.max_reset_timeout > config.reset_timeout;
  const auto longest = capped ? config.max_reset_timeout : config.reset_timeout;
  Tick wait = ticks(exponential_delay(config.reset_timeout, longest, config.reset_backoff, escalation_));
  if (config.reset_jitter > 0)
    wait -= static_cast<Tick>(static_cast<double>(wait) * config.reset_jitter * random);
  if (config.honor_retry_after && cause != nullptr && cause->retry_after()) {
    const Tick asked = ticks(to_nanoseconds(*cause->retry_after()));
    const Tick most = ticks(config.max_reset_timeout);
    const Tick honored = asked < most ? asked : most;
    if (honored > wait) wait = honored;
  }
  return wait;
}

/// Ends the locked section and delivers the events that it caused. Touches nothing of the breaker
/// afterwards, since a callback may have released it.
template <class C, class Sync>
void BreakerCore<C, Sync>::unlock_and_deliver(Lock& lock) {
  const std::shared_ptr<Hub> hub = hub_;
  lock.unlock();
  if (hub) Hub::deliver(hub);
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::force_state(State to, StateChangeReason reason) {
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
    cause_ = nullptr;
  }
  enter(word, to, 0, reason, now);
  unlock_and_deliver(lock);
}

/// The settings are published before the word that names them. The state, its due time, the counts, and
/// windows of the same kind and size stay.
template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::reconfigure(const CircuitBreakerConfig& config) {
  auto fresh = std::make_unique<Settings<Sync>>(config);
  auto slots = std::make_unique<ProbeSlots>(config.half_open_max_calls, ticks(fresh->probe_timeout()));
  const Tick fine = detail::fine_tick(clock_);
  const Tick coarse = detail::coarse_tick(clock_);
  const Lock lock{mutex_};
  const StateWord word = load();
  Settings<Sync>& before = *owned_settings_;
  if (before.config == config) return;
  fresh->inherit(std::move(owned_settings_));
  owned_settings_ = std::move(fresh);
  owned_settings_->for_each_window([&](auto& window) {
    if (!before.has_window(window)) window->begin(closed_generation_, totals_.recorded());
  });
  if (word.state() == State::half_open) {
    slots_from_next_ = std::move(slots);  // probes hold slots
  } else {
    slots_ = std::move(*slots);
    slots_from_next_ = nullptr;
  }
  if (word.is_waiting_finely() == owned_settings_->waits_coarsely()) {  // the timeline changes (T1)
    const Tick by = word.is_waiting_finely() ? coarse - fine : fine - coarse;
    // Relaxed loads: written under this lock. The stores pair with the loads in admit_by_state().
    open_due_.store(saturating_add(open_due_.load(std::memory_order_relaxed), by), std::memory_order_release);
    slots_.shift(by);
    probe_due_.store(slots_.next_due(), std::memory_order_release);
  }
  settings_.store(owned_settings_.get(), std::memory_order_release);  // pairs with the load in settings()
  StateWord present = load();
  while (!exchange(present, present.with_config(owned_settings_->word_bits))) {
  }
}

// Observing.

template <class C, class Sync>
FUSEBOX_DETAIL_COLD CircuitBreakerStats BreakerCore<C, Sync>::stats(const ClockReading& now) const {
  CircuitBreakerStats stats;
  Lock lock{mutex_};
  const StateWord word = load();
  const Settings<Sync>& settings = this->settings();
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
  // A report that races a reset may leave its stamp without its count, or its count without its stamp.
  const auto show = [&](ShownTime& shown, Counter counter, std::optional<Tick> stamp) {
    return shown.show(totals[static_cast<std::size_t>(counter)], stamp, now);
  };
  if (stats.failure_count > 0)
    stats.last_failure_time = show(shown_failure_, Counter::failure, totals_.last_failure());
  if (stats.success_count > 0)
    stats.last_success_time = show(shown_success_, Counter::success, totals_.last_success());
  const Tick due = open_due_.load(std::memory_order_relaxed);  // relaxed: written under this lock
  const Cause cause = cause_;
  if (word.is_observed() && listeners_.has_active()) {
    const std::int64_t calls = observed_calls_.load(std::memory_order_relaxed);
    stats.in_flight = calls > 0 ? static_cast<std::uint64_t>(calls) : 0;
  } else if (word.state() == State::half_open) {
    stats.in_flight = slots_.taken();
  }
  lock.unlock();
  if (cause) stats.last_failure = *cause;
  if (word.state() == State::open)
    stats.retry_after = std::chrono::nanoseconds{elapsed(wait_tick(word), due)};
  const auto rate_of = [&](const auto& window) {
    return window->rate(closed_generation, clock_, [=] { return window_recorded; });
  };
  if (settings.slow) {
    const Rate rate = rate_of(settings.slow);
    stats.window_calls = rate.calls;
    stats.window_slow_calls = rate.hits;
  }
  if (settings.failures) {
    const Rate rate = rate_of(settings.failures);
    stats.window_calls = rate.calls;
    stats.window_failures = rate.hits;
    if (rate.reaches(0.0, settings.config.failure_rate->minimum_calls)) stats.failure_rate = rate.value();
  } else if (const auto recorded = stats.failure_count + stats.success_count; recorded > 0) {
    stats.failure_rate = static_cast<double>(stats.failure_count) / static_cast<double>(recorded);
  }
  return stats;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
