// fusebox/circuit_breaker/detail/core.hpp: the rules of the breaker (B1 to B9, B13), apart from the control
// flow.
//
// admit() gives a ticket, settle() takes it back with an outcome. Closed and rejected calls take no
// lock: they read one word and the time at which a probe is due. Transitions and probes take one small
// lock, under which the word is read again and which calls nobody; the due time is written before the
// word that makes it matter.
#pragma once

#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <fusebox/backoff.hpp>
#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/probes.hpp>
#include <fusebox/circuit_breaker/detail/totals.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/rate_window.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/permit.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// A breaker at one moment. Counts are since construction or the last reset and only grow.
struct CircuitBreakerStats {
  State state = State::closed;
  std::uint64_t failure_count = 0;
  std::uint64_t success_count = 0;
  std::uint64_t ignored_count = 0;   ///< calls that say nothing about the dependency
  std::uint64_t rejected_count = 0;  ///< calls that were not made
  std::uint64_t slow_count = 0;      ///< calls slower than slow_calls allows
  std::uint64_t opened_count = 0;    ///< openings, by the rules only
  int consecutive_failures = 0;      ///< the run, up to 65535; while open, the one that opened
  double failure_rate = 0;           ///< in [0, 1]; of the rule's window where one is set
  std::optional<std::chrono::system_clock::time_point> last_failure_time;
  std::optional<std::chrono::system_clock::time_point> last_success_time;
  std::chrono::nanoseconds retry_after{0};  ///< open: time until a probe may pass
};

namespace detail {

/// One moment on both clocks: stamps are told in wall time. Serves many breakers of one clock.
struct StatsTime {
  Tick coarse;
  std::chrono::system_clock::time_point wall;
  template <class C>
  explicit StatsTime(const C& clock) : coarse{detail::coarse_tick(clock)}, wall{clock.wall_now()} {}
};

template <class C, class Sync = StdSync>
class FUSEBOX_API BreakerCore final : public PermitTarget {
 public:
  BreakerCore(std::string name, const CircuitBreakerConfig& config, C clock)
      : word_{first_word(config).bits()},
        clock_{std::move(clock)},
        config_{config},
        origin_{CircuitOpenError::origin_for(name)},
        slots_{config.half_open_max_calls, ticks(probe_timeout(config))} {
    if (!config.failure_rate && !config.slow_calls) return;
    windows_ = std::make_unique<Windows>();
    if (config.failure_rate) windows_->failures.emplace(config.failure_rate->window);
    if (config.slow_calls) windows_->slow.emplace(config.slow_calls->window);
  }
  BreakerCore(const BreakerCore&) = delete;
  BreakerCore& operator=(const BreakerCore&) = delete;
  ~BreakerCore() { assert(permits_.load(std::memory_order_relaxed) == 0 && "a Permit outlives its breaker"); }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] const CircuitBreakerConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::shared_ptr<const Origin>& origin() const noexcept { return origin_; }
  [[nodiscard]] State state() const noexcept { return load().state(); }

  [[nodiscard]] FUSEBOX_DETAIL_INLINE Word load() const noexcept {
    return Word{word_.load(std::memory_order_acquire)};
  }

  /// `may_nest`: a call from inside the op of a probe is part of that probe (B7).
  [[nodiscard]] Ticket admit(bool may_nest) noexcept {
    const Word word = load();
    return word.is_closed_untimed() ? Ticket{word, 0} : admit_otherwise(word, may_nest);
  }

  /// Most calls are admitted by a look at the word, that it is_closed_untimed(); this admits the others.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Ticket admit_otherwise(Word word, bool may_nest) noexcept {
    if (word.is_closed()) return {word, start_tick()};
    if (Tick wait = 0; rejects(word, wait)) return {word.marked(Word::rejected), wait};
    return admit_by_state(word, may_nest);
  }

  /// Most rejections, counted; `wait` is then the time until a probe may pass. False where
  /// admit_otherwise() must look closer.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool rejects(Word word, Tick& wait) noexcept {
    if (!word.is_open_coarse()) return false;
    const Tick now = detail::coarse_tick(clock_);
    const Tick due = open_due_.load(std::memory_order_acquire);
    if (now >= due || load() != word) [[unlikely]]
      return false;
    totals_.add_rejected(now);
    wait = elapsed(now, due);
    return true;
  }

  void settle(Ticket ticket, Outcome outcome) noexcept {
    if (outcome != Outcome::success || !settle_plain_success(ticket.word)) settle_otherwise(ticket, outcome);
  }

  /// Most calls end here; false where settle_otherwise() must do it.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool settle_plain_success(Word admitted) noexcept {
    if (!admitted.is_plain() || load() != admitted) [[unlikely]]
      return false;
    totals_.add_success([this] { return detail::coarse_tick(clock_); });
    return true;
  }
  void settle_otherwise(Ticket ticket, Outcome outcome) noexcept;

  /// A permit is counted while it is out, so that one that outlives its breaker is found.
  void lend_permit() noexcept { permits_.fetch_add(1, std::memory_order_relaxed); }
  void report_permit(Ticket ticket, Outcome outcome) noexcept override {
    permits_.fetch_sub(1, std::memory_order_relaxed);
    settle(ticket, outcome);
  }

  /// Delivers what admit() queued when it admitted the first probe: it leaves that to its caller, who may
  /// have to keep the breaker alive, since a callback may let go of it.
  void deliver_events() noexcept {
    Lock lock{mutex_};
    unlock_and_deliver(lock);
  }

  [[nodiscard]] std::chrono::nanoseconds retry_after() const noexcept {
    for (Word word = load();;) {
      if (word.state() != State::open) return {};
      const Tick due = open_due_.load(std::memory_order_acquire);
      const Word again = load();
      if (again == word) return std::chrono::nanoseconds{elapsed(wait_tick(), due)};
      word = again;
    }
  }

  [[nodiscard]] CircuitBreakerStats stats() const { return stats(StatsTime{clock_}); }
  [[nodiscard]] CircuitBreakerStats stats(const StatsTime& now) const;

  void reset() noexcept { move_by_hand(State::closed, StateChangeReason::reset); }
  void force_open() noexcept { move_by_hand(State::forced_open, StateChangeReason::forced); }
  void disable() noexcept { move_by_hand(State::disabled, StateChangeReason::disabled); }

  void subscribe(std::shared_ptr<BasicSubscriber<Sync>> subscriber) {
    auto fresh = std::make_shared<Hub>(origin_->name);
    const std::lock_guard lock{mutex_};
    if (!hub_) hub_ = std::move(fresh);
    hub_->subscribe(std::move(subscriber));
  }

  void unsubscribe(const BasicSubscriber<Sync>& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    if (hub_) hub_->unsubscribe(subscriber);
  }

 private:
  using Lock = std::unique_lock<typename Sync::Mutex>;
  using Hub = BasicEventHub<Sync>;

  struct Windows {
    std::optional<RateWindow<Sync>> failures;
    std::optional<RateWindow<Sync>> slow;
  };

  /// What a transition needs to know and may not ask for under the lock.
  struct Moment {
    Tick wait_now;
    std::chrono::system_clock::time_point at;
    double random;
  };
  [[nodiscard]] Moment moment() const {
    EntropySource entropy;
    return {wait_tick(), clock_.wall_now(), config_.reset_jitter > 0 ? detail::uniform_unit(entropy) : 0.0};
  }

  [[nodiscard]] Tick wait_tick() const {
    return waits_coarsely(config_) ? detail::coarse_tick(clock_) : detail::fine_tick(clock_);
  }

  [[nodiscard]] bool exchange(Word& seen, Word next) noexcept {
    std::uint64_t bits = seen.bits();
    if (word_.compare_exchange_strong(bits, next.bits(), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      return true;
    }
    seen = Word{bits};
    return false;
  }

  [[nodiscard]] Ticket reject(Word word, Tick retry_after) noexcept {
    totals_.add(Count::rejected);
    return {word.marked(Word::rejected), retry_after};
  }

  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick start_tick() const {
    if (!config_.slow_calls) return 0;
    return times_coarsely() ? detail::coarse_tick(clock_) : detail::fine_tick(clock_);
  }

  /// Of slow calls: is the limit so long that the coarse clock will do (T1)?
  [[nodiscard]] bool times_coarsely() const noexcept {
    return config_.slow_calls->slower_than >= std::chrono::seconds{1};
  }
  [[nodiscard]] static bool is_recorded(Outcome outcome) noexcept {
    return outcome == Outcome::success || outcome == Outcome::failure;
  }
  [[nodiscard]] bool is_timed(Outcome outcome) const noexcept {
    return config_.slow_calls && is_recorded(outcome);
  }
  [[nodiscard]] bool is_slow(Tick start, Tick end) const noexcept {
    return elapsed(start, end) > ticks(config_.slow_calls->slower_than);
  }

  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Ticket admit_by_state(Word word, bool may_nest) noexcept {
    for (;;) {
      switch (word.state()) {
        case State::closed:
        case State::disabled: return {word, start_tick()};
        case State::forced_open: return reject(word, 0);
        case State::half_open:
          if (may_nest && ProbeFrame::is_running(this, word.generation()))
            return {word.marked(Word::nested), 0};
          break;
        case State::open: break;
      }
      const Tick now = wait_tick();
      const bool is_open = word.state() == State::open;
      const Tick due = (is_open ? open_due_ : probe_due_).load(std::memory_order_acquire);
      if (now >= due) return admit_probe();
      const Word again = load();
      if (again == word) return reject(word, is_open ? elapsed(now, due) : 0);
      word = again;
    }
  }

  [[nodiscard]] Ticket admit_probe() noexcept;
  void settle_windowed_success(Ticket ticket) noexcept;
  void settle_timed_success(Ticket ticket) noexcept;
  void settle_plain_failure(Ticket ticket) noexcept;
  void move_run(std::uint32_t generation, bool failed, std::optional<StateChangeReason> by_rate) noexcept;
  void settle_by_state(Ticket ticket, Outcome outcome) noexcept;
  void settle_run(Ticket ticket, Outcome outcome, bool slow, Tick stamp) noexcept;
  void settle_probe(Ticket ticket, Outcome outcome) noexcept;
  void settle_late(Ticket ticket, Outcome outcome, bool slow, Tick stamp) noexcept;
  void count(Outcome outcome, bool slow, Tick stamp) noexcept;
  /// Has the window, where there is one, reached the rate of its rule?
  template <class Rule>
  [[nodiscard]] bool trips(const std::optional<RateWindow<Sync>>& window, const std::optional<Rule>& rule,
                           std::uint32_t generation) const noexcept {
    return window && window->rate(generation, clock_).reaches(rule->threshold, rule->minimum_calls);
  }
  [[nodiscard]] std::optional<StateChangeReason> rate_reached(std::uint32_t generation) const noexcept;
  [[nodiscard]] std::optional<StateChangeReason> reason_to_open(
      Word word, bool failed, std::optional<StateChangeReason> by_rate) const noexcept;
  void open_by_rule(std::uint32_t generation, bool failed, std::optional<StateChangeReason> by_rate) noexcept;
  void move_by_hand(State to, StateChangeReason reason) noexcept;

  /// Under the lock: moves to `to`. A due time that it needs is written before.
  void enter(Word from, State to, std::uint32_t run, StateChangeReason reason, const Moment& now) noexcept {
    if (to == State::closed) closed_generation_ = from.generation() + 1;
    word_.store(from.next(to, run).bits(), std::memory_order_release);
    if (hub_ && from.state() != to) hub_->push({from.state(), to, reason, now.at, 0});
  }

  void enter_open(Word from, std::uint32_t run, StateChangeReason reason, const Moment& now) noexcept {
    ++opened_;
    open_due_.store(saturating_add(now.wait_now, next_wait(now.random)), std::memory_order_release);
    enter(from, State::open, run, reason, now);
  }

  /// B8; `random` is of [0, 1).
  [[nodiscard]] Tick next_wait(double random) const noexcept {
    const bool capped = config_.max_reset_timeout > config_.reset_timeout;
    const auto longest = capped ? config_.max_reset_timeout : config_.reset_timeout;
    const Tick wait =
        ticks(exponential_delay(config_.reset_timeout, longest, config_.reset_backoff, escalation_));
    if (config_.reset_jitter <= 0) return wait;
    return wait - static_cast<Tick>(static_cast<double>(wait) * config_.reset_jitter * random);
  }

  /// Ends the locked section and delivers what it caused; nothing of the breaker is touched afterwards,
  /// since a callback may have let go of it.
  void unlock_and_deliver(Lock& lock) noexcept {
    const std::shared_ptr<Hub> hub = hub_;
    lock.unlock();
    if (hub) Hub::deliver(hub);
  }

  [[nodiscard]] static constexpr std::chrono::nanoseconds probe_timeout(
      const CircuitBreakerConfig& config) noexcept {
    return config.probe_timeout.count() > 0 ? config.probe_timeout : config.reset_timeout;
  }
  /// Is every wait of at least a second, and so measured on the coarse clock (T1)?
  [[nodiscard]] static constexpr bool waits_coarsely(const CircuitBreakerConfig& config) noexcept {
    return static_cast<double>(config.reset_timeout.count()) * (1 - config.reset_jitter) >= 1e9 &&
           probe_timeout(config) >= std::chrono::seconds{1};
  }
  [[nodiscard]] static constexpr Word first_word(const CircuitBreakerConfig& config) noexcept {
    return Word{State::closed, 1, 0}
        .marked(config.slow_calls ? Word::timed | Word::windowed : 0)
        .marked(config.failure_rate ? Word::windowed : 0)
        .marked(waits_coarsely(config) ? 0 : Word::waits_finely);
  }

  typename Sync::template Atomic<std::uint64_t> word_;
  // When a call may be a probe: in open, and in half_open. Two words, so that who still sees the state that
  // was never takes the due time of the one that follows for its own.
  typename Sync::template Atomic<Tick> open_due_{tick_min};
  typename Sync::template Atomic<Tick> probe_due_{tick_min};
  [[no_unique_address]] C clock_;
  const CircuitBreakerConfig config_;
  const std::shared_ptr<const Origin> origin_;
  std::unique_ptr<Windows> windows_;  // of those rules that there are; null where there is none

  Totals<Sync> totals_;  // more than a cache line away from the word

  mutable typename Sync::Mutex mutex_;  // guards what follows, and every change of state
  [[no_unique_address]] ProbeSlots slots_;
  int probe_successes_ = 0;
  std::uint32_t escalation_ = 0;                    // re-openings since the breaker last was closed
  std::uint32_t reset_generation_ = 1;              // tickets of earlier ones count no more
  std::uint32_t closed_generation_ = 1;             // the windows' tag
  typename Sync::template Atomic<int> permits_{0};  // needs no guard; here there is room for it
  std::uint64_t opened_ = 0;
  typename Totals<Sync>::Values before_reset_{};
  std::shared_ptr<Hub> hub_;
};

template <class C, class Sync>
FUSEBOX_DETAIL_COLD Ticket BreakerCore<C, Sync>::admit_probe() noexcept {
  const Moment now = moment();
  const Tick start = detail::fine_tick(clock_);
  Lock lock{mutex_};
  const Word word = load();
  switch (word.state()) {
    case State::closed:
    case State::disabled: lock.unlock(); return {word, start_tick()};
    case State::forced_open: break;
    case State::open: {
      const Tick due = open_due_.load(std::memory_order_relaxed);
      if (now.wait_now < due) {
        lock.unlock();
        return reject(word, elapsed(now.wait_now, due));
      }
      slots_.clear();
      probe_successes_ = 0;
      const auto slot = slots_.take(now.wait_now, start);
      probe_due_.store(slots_.next_due(), std::memory_order_release);
      enter(word, State::half_open, 0, StateChangeReason::probe_admitted, now);
      return {load().with_run(*slot), start};
    }
    case State::half_open: {
      const auto slot = slots_.take(now.wait_now, start);
      if (!slot) break;
      probe_due_.store(slots_.next_due(), std::memory_order_release);
      return {word.with_run(*slot), start};
    }
  }
  lock.unlock();
  return reject(word, 0);
}

template <class C, class Sync>
void BreakerCore<C, Sync>::count(Outcome outcome, bool slow, Tick stamp) noexcept {
  switch (outcome) {
    case Outcome::success: totals_.add_success([stamp] { return stamp; }); break;
    case Outcome::failure: totals_.add_failure([stamp] { return stamp; }); break;
    default: totals_.add(Count::ignored); return;
  }
  if (slow) totals_.add(Count::slow);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_otherwise(Ticket ticket, Outcome outcome) noexcept {
  // Each a function of its own, so that none pays for what another keeps on the stack.
  if (outcome == Outcome::success && ticket.word.is_plain_but_windowed() && load() == ticket.word)
      [[likely]] {
    return ticket.word.is_timed() ? settle_timed_success(ticket) : settle_windowed_success(ticket);
  }
  if (outcome == Outcome::failure && ticket.word.is_closed_unwatched()) return settle_plain_failure(ticket);
  settle_by_state(ticket, outcome);
}

/// A failure where only the run of failures counts.
template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_plain_failure(Ticket ticket) noexcept {
  const std::uint32_t generation = ticket.word.generation();
  if (load().generation() != generation) [[unlikely]]
    return settle_late(ticket, Outcome::failure, false, detail::coarse_tick(clock_));
  totals_.add_failure([this] { return detail::coarse_tick(clock_); });
  move_run(generation, true, std::nullopt);
}

/// A success that ends no run: only a slow one can open the breaker.
template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_windowed_success(Ticket ticket) noexcept {
  const Tick stamp = totals_.add_success([this] { return detail::coarse_tick(clock_); });
  windows_->failures->record(ticket.word.generation(), clock_, stamp, false);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_timed_success(Ticket ticket) noexcept {
  const Tick stamp = totals_.add_success([this] { return detail::coarse_tick(clock_); });
  if (is_slow(ticket.start, times_coarsely() ? stamp : detail::fine_tick(clock_))) [[unlikely]] {
    totals_.add(Count::slow);
    return settle_run(ticket, Outcome::success, true, stamp);
  }
  windows_->slow->record(ticket.word.generation(), clock_, stamp, false);
  if (windows_->failures) windows_->failures->record(ticket.word.generation(), clock_, stamp, false);
}

template <class C, class Sync>
FUSEBOX_DETAIL_NOINLINE void BreakerCore<C, Sync>::settle_by_state(Ticket ticket, Outcome outcome) noexcept {
  if (ticket.is_nested()) return;
  if (ticket.is_probe()) return settle_probe(ticket, outcome);
  const Tick stamp = detail::coarse_tick(clock_);
  const bool slow =
      is_timed(outcome) && is_slow(ticket.start, times_coarsely() ? stamp : detail::fine_tick(clock_));
  if (load().generation() != ticket.word.generation()) return settle_late(ticket, outcome, slow, stamp);
  count(outcome, slow, stamp);
  if (is_recorded(outcome)) settle_run(ticket, outcome, slow, stamp);
}

/// A report of an earlier period: counted, unless a reset lies between (B6).
template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::settle_late(Ticket ticket, Outcome outcome, bool slow,
                                                           Tick stamp) noexcept {
  const Lock lock{mutex_};
  const std::uint32_t age = ticket.word.generation() - reset_generation_;
  if (static_cast<std::int32_t>(age) >= 0) count(outcome, slow, stamp);
}

/// A counted report in the closed or disabled period that admitted the call: windows and the run of
/// failures, and what they bring about. Takes no lock unless the breaker is to open.
template <class C, class Sync>
void BreakerCore<C, Sync>::settle_run(Ticket ticket, Outcome outcome, bool slow, Tick stamp) noexcept {
  const bool failed = outcome == Outcome::failure;
  const std::uint32_t generation = ticket.word.generation();
  const bool closed = ticket.word.is_closed();
  if (closed) {
    if (windows_ && windows_->failures) windows_->failures->record(generation, clock_, stamp, failed);
    if (windows_ && windows_->slow) windows_->slow->record(generation, clock_, stamp, slow);
  }
  const auto by_rate = closed && (failed || slow) ? rate_reached(generation) : std::nullopt;
  move_run(generation, failed, by_rate);
}

/// The run of failures moves on by compare-exchange; what opens the breaker is decided again under the lock.
template <class C, class Sync>
FUSEBOX_DETAIL_INLINE void BreakerCore<C, Sync>::move_run(std::uint32_t generation, bool failed,
                                                          std::optional<StateChangeReason> by_rate) noexcept {
  for (Word word = load(); word.generation() == generation;) {
    const Word next = word.with_run(failed ? word.run() + 1 : 0);
    if (reason_to_open(next, failed, by_rate)) return open_by_rule(generation, failed, by_rate);
    if (next == word || exchange(word, next)) return;
  }
}

/// Why a recorded call that leaves `word` opens the breaker, if it does.
template <class C, class Sync>
FUSEBOX_DETAIL_INLINE std::optional<StateChangeReason> BreakerCore<C, Sync>::reason_to_open(
    Word word, bool failed, std::optional<StateChangeReason> by_rate) const noexcept {
  if (!word.is_closed()) return std::nullopt;
  const auto threshold = static_cast<std::uint32_t>(config_.failure_threshold);
  if (failed && threshold > 0 && word.run() >= threshold) return StateChangeReason::failure_threshold;
  return by_rate;
}

/// As settle_run saw a reason: opens, unless there is none any more under the lock.
template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::open_by_rule(
    std::uint32_t generation, bool failed, std::optional<StateChangeReason> by_rate) noexcept {
  const Moment now = moment();
  Lock lock{mutex_};
  for (Word word = load(); word.generation() == generation;) {
    const Word next = word.with_run(failed ? word.run() + 1 : 0);
    if (const auto reason = reason_to_open(next, failed, by_rate)) {
      enter_open(word, next.run(), *reason, now);
      return unlock_and_deliver(lock);
    }
    if (next == word || exchange(word, next)) return;
  }
}

/// The rate rule that opens, if one has its reason.
template <class C, class Sync>
std::optional<StateChangeReason> BreakerCore<C, Sync>::rate_reached(std::uint32_t generation) const noexcept {
  if (!windows_) return std::nullopt;
  if (trips(windows_->failures, config_.failure_rate, generation)) return StateChangeReason::failure_rate;
  if (trips(windows_->slow, config_.slow_calls, generation)) return StateChangeReason::slow_calls;
  return std::nullopt;
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::settle_probe(Ticket ticket, Outcome outcome) noexcept {
  ProbeFrame::end(this, ticket);
  const Moment now = moment();
  const Tick stamp = detail::coarse_tick(clock_);
  const bool slow = is_timed(outcome) && is_slow(ticket.start, detail::fine_tick(clock_));
  Lock lock{mutex_};
  const Word word = load();
  if (word.generation() != ticket.word.generation()) {
    lock.unlock();
    return settle_late(ticket, outcome, slow, stamp);
  }
  count(outcome, slow, stamp);
  if (slots_.give_back(ticket.word.run(), ticket.start))
    probe_due_.store(slots_.next_due(), std::memory_order_release);
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
FUSEBOX_DETAIL_COLD void BreakerCore<C, Sync>::move_by_hand(State to, StateChangeReason reason) noexcept {
  const Moment now = moment();
  Lock lock{mutex_};
  const Word word = load();
  if (word.state() == to && to != State::closed) return;
  escalation_ = 0;
  if (to == State::closed) {
    // Before the word: a call that sees the new period counts in it.
    reset_generation_ = word.generation() + 1;
    opened_ = 0;
    totals_.forget_stamps();
    before_reset_ = totals_.values();
  }
  enter(word, to, 0, reason, now);
  unlock_and_deliver(lock);
}

template <class C, class Sync>
FUSEBOX_DETAIL_COLD CircuitBreakerStats BreakerCore<C, Sync>::stats(const StatsTime& now) const {
  CircuitBreakerStats stats;
  Lock lock{mutex_};
  const Word word = load();
  const std::uint32_t closed_generation = closed_generation_;
  const auto totals = totals_.values();
  const auto since_reset = [&](Count kind) {
    const auto i = static_cast<std::size_t>(kind);
    return totals[i] - before_reset_[i];
  };
  const auto wall = [&](Tick stamp) {
    const Tick wall_tick = ticks(std::chrono::nanoseconds{now.wall.time_since_epoch()});
    const std::chrono::nanoseconds then{saturating_add(wall_tick, -elapsed(stamp, now.coarse))};
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(then)};
  };
  stats.state = word.state();
  stats.failure_count = since_reset(Count::failure);
  stats.success_count = since_reset(Count::success);
  stats.ignored_count = since_reset(Count::ignored);
  stats.rejected_count = since_reset(Count::rejected);
  stats.slow_count = since_reset(Count::slow);
  stats.opened_count = opened_;
  stats.consecutive_failures = static_cast<int>(word.run());
  // A report that races a reset may leave its stamp without its count; one that is under way has counted, and
  // its stamp is to be the present.
  if (stats.failure_count > 0) stats.last_failure_time = wall(totals_.last_failure().value_or(now.coarse));
  if (stats.success_count > 0) stats.last_success_time = wall(totals_.last_success().value_or(now.coarse));
  const Tick due = open_due_.load(std::memory_order_relaxed);
  lock.unlock();
  if (word.state() == State::open) stats.retry_after = std::chrono::nanoseconds{elapsed(wait_tick(), due)};
  if (windows_ && windows_->failures) {
    const Rate rate = windows_->failures->rate(closed_generation, clock_);
    if (rate.reaches(0.0, config_.failure_rate->minimum_calls)) stats.failure_rate = rate.value();
  } else if (const auto recorded = stats.failure_count + stats.success_count; recorded > 0) {
    stats.failure_rate = static_cast<double>(stats.failure_count) / static_cast<double>(recorded);
  }
  return stats;
}

}  // namespace detail

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
