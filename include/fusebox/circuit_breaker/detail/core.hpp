// fusebox/circuit_breaker/detail/core.hpp: BreakerCore, the state of a breaker and its fast paths.
//
// admit() returns an Admission, settle() takes it back with an outcome. Of user code they
// run the clock and, outside the lock, the callbacks of subscribers. Calls that are admitted while closed,
// and rejections, take no lock: they read one word (state_word.hpp) and, while open, the time at which a
// probe is due. Admitting otherwise is in admit.hpp, settling in settle.hpp. Transitions (transitions.hpp)
// and probes take one small lock, read the word again under it, and call nobody while they hold it. A due
// time is written before the word that makes it matter.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/backoff.hpp>
#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/probes.hpp>
#include <fusebox/circuit_breaker/detail/rejection_sources.hpp>
#include <fusebox/circuit_breaker/detail/settings.hpp>
#include <fusebox/circuit_breaker/detail/state_change_record.hpp>
#include <fusebox/circuit_breaker/detail/state_word.hpp>
#include <fusebox/circuit_breaker/detail/totals.hpp>
#include <fusebox/circuit_breaker/stats.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/call_listeners.hpp>
#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/rate_window.hpp>
#include <fusebox/detail/sync.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C, class Sync = StdSync>
class FUSEBOX_API BreakerCore final : public PermitTarget {
 public:
  BreakerCore(std::string name, const CircuitBreakerConfig& config, C clock)
      : word_{StateWord{State::closed, 1, 0}.bits()},
        clock_{std::move(clock)},
        owned_settings_{std::make_unique<Settings<Sync>>(config)},
        rejections_{std::make_unique<RejectionSources>(name)},
        slots_{config.half_open_max_calls, ticks(owned_settings_->probe_timeout())} {
    settings_.store(owned_settings_.get(), std::memory_order_relaxed);  // nobody else has the breaker yet
    word_.store(load().with_config(owned_settings_->word_bits).bits(), std::memory_order_relaxed);
    begin_windows(1);
  }
  BreakerCore(const BreakerCore&) = delete;
  BreakerCore& operator=(const BreakerCore&) = delete;
  // Relaxed: whoever destroys the breaker has synchronised with its last user.
  ~BreakerCore() { assert(permits_.load(std::memory_order_relaxed) == 0 && "a Permit outlives its breaker"); }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  /// The config in force. The reference stays valid as long as the breaker.
  [[nodiscard]] const CircuitBreakerConfig& config() const noexcept { return settings().config; }
  [[nodiscard]] const CircuitBreakerConfig& config_at(StateWord admitted) const noexcept {
    return settings_of(admitted).config;
  }
  /// Is `config` in force, or was it?
  [[nodiscard]] bool has_had(const CircuitBreakerConfig& config) const noexcept {
    for (const Settings<Sync>* one = &settings(); one != nullptr; one = one->previous.get()) {
      if (one->config == config) return true;
    }
    return false;
  }
  [[nodiscard]] const std::string& name() const noexcept { return rejections_->name(); }
  [[nodiscard]] State state() const noexcept { return load().state(); }

  /// Acquire: pairs with the release in enter() and exchange(), so that a thread that sees a state also
  /// sees the due time and the totals that were written before it.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE StateWord load() const noexcept {
    return StateWord{word_.load(std::memory_order_acquire)};
  }

  // Admitting. admit.hpp has the table.

  /// `may_nest`: a call from inside the op of a probe is part of that probe (B7).
  [[nodiscard]] Admission admit(bool may_nest) noexcept {
    const StateWord word = load();
    return word.admits_at_once() ? Admission{word.bits(), 0} : admit_slow_path(word, may_nest);
  }

  /// For words that do not admit at once.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Admission admit_slow_path(StateWord word, bool may_nest) noexcept {
    if (word.is_closed_and_timed()) return {word.bits(), start_tick(word)};
    if (Tick wait = 0; rejects(word, wait)) return {word.marked(StateWord::rejected).bits(), wait};
    return admit_by_state(word, may_nest);
  }

  /// Most rejections. Counts the call and sets `wait`, the time until a probe may pass; false if
  /// admit_by_state() must decide.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool rejects(StateWord word, Tick& wait) noexcept {
    if (!word.is_open_coarse()) return false;
    const Tick now = detail::coarse_tick(clock_);
    const Tick due = open_due_.load(std::memory_order_acquire);  // pairs with the store in enter_open()
    // The second look at the word: `due` is of this state.
    if (now >= due || load() != word) [[unlikely]]
      return false;
    totals_.add_rejected(now);
    wait = elapsed(now, due);
    return true;
  }

  // Settling. settle.hpp has the table. What may run a callback is not noexcept: the callback may end
  // the thread, once the call is settled (B14).

  /// `failure` is what the call left, if it is known.
  void settle(Admission admission, Outcome outcome, const Failure* failure = nullptr) {
    if (outcome != Outcome::success || !settle_plain_success(StateWord{admission})) {
      settle_slow_path(admission, outcome, failure);
    }
  }

  /// Most calls end here; false if settle_slow_path() must do it.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool settle_plain_success(StateWord admitted) noexcept {
    if (!admitted.success_only_counts() || load() != admitted) [[unlikely]]
      return false;
    totals_.add_success([this] { return detail::coarse_tick(clock_); });
    return true;
  }
  void settle_slow_path(Admission admission, Outcome outcome, const Failure* failure);

  /// Most failures that are no more than a code end here; false if settle_slow_path() must do it.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool settle_closed_failure(StateWord admitted, std::error_code code) {
    if (!admitted.is_closed_without_rates()) return false;
    settle_plain_failure(Admission{admitted.bits(), 0}, code);
    return true;
  }

  /// How the config in force at the admission judges a failure (F2).
  [[nodiscard]] Outcome judge(StateWord admitted, const Failure& failure) const {
    if (failure.is_rejection() || is_nobodys(failure)) return Outcome::ignored;
    return settings_of(admitted).config.classify(failure);
  }

  void report_permit(Admission admission, Outcome outcome, const Failure* failure) noexcept override {
    if (outcome != Outcome::success || !settle_plain_success(StateWord{admission})) {
      report_slow_path(admission, outcome, failure);
    }
  }
  /// A permit's report does not let a callback end the thread (B1).
  FUSEBOX_DETAIL_NOINLINE void report_slow_path(Admission admission, Outcome outcome,
                                                const Failure* failure) noexcept {
    settle_slow_path(admission, outcome, failure);
  }
  [[nodiscard]] Outcome judge_permit(Admission admission, const Failure& failure) const override {
    return judge(StateWord{admission}, failure);
  }
  [[nodiscard]] RejectedError permit_error(Admission admission) const override {
    return rejection_error(StateWord{admission}, std::chrono::nanoseconds{admission.time});
  }

  // The error of a rejected call, made if somebody asks for it.

  [[nodiscard]] FUSEBOX_DETAIL_COLD CircuitOpenError
  rejection_error(StateWord rejected, std::chrono::nanoseconds retry_after) const {
    return CircuitRejection::error(rejections_->of(rejected.state()), ceil_seconds(retry_after),
                                   clock_.wall_now(), rejected.generation());
  }
  [[nodiscard]] std::shared_ptr<const RejectionSource> rejection_source(StateWord rejected) const noexcept {
    return rejections_->of(rejected.state());
  }
  /// Not cold, which would optimise it for size: with a fallback, an open breaker makes one for each call.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Failure rejection(StateWord rejected,
                                                          std::chrono::nanoseconds retry_after) const {
    return CircuitRejection::failure(rejections_->of(rejected.state()), ceil_seconds(retry_after),
                                     detail::coarse_wall_time(clock_), rejected.generation());
  }

  // Debug builds count the permits that are out. Relaxed: only the destructor's assert reads the number.
  void lend_permit() noexcept { permits_.fetch_add(1, std::memory_order_relaxed); }
  void end_permit() noexcept override { permits_.fetch_sub(1, std::memory_order_relaxed); }

  // The op of a probe, for calls that it makes on this breaker (B7).

  using ProbeCall = typename RunningProbes<Sync>::Index;
  static constexpr ProbeCall no_probe_call = RunningProbes<Sync>::none;

  /// Before execute() calls the op of a probe from `frame`.
  [[nodiscard]] ProbeCall begin_probe_call(StateWord admitted, const void* frame) noexcept {
    const Lock lock{mutex_};
    // A callback of the probe's own event may have moved the breaker on.
    if (load().generation() != admitted.generation()) return RunningProbes<Sync>::none;
    return running_probes_.begin(admitted.generation(), frame);
  }
  void end_probe_call(StateWord admitted, ProbeCall call) noexcept {
    const Lock lock{mutex_};
    running_probes_.end(admitted.generation(), call);
  }

  // Observing and forcing.

  [[nodiscard]] std::chrono::nanoseconds retry_after() const noexcept {
    for (StateWord word = load();;) {
      if (word.state() != State::open) return {};
      const Tick due = open_due_.load(std::memory_order_acquire);  // pairs with the store in enter_open()
      const StateWord again = load();
      if (again == word) return std::chrono::nanoseconds{elapsed(wait_tick(word), due)};
      word = again;
    }
  }

  [[nodiscard]] CircuitBreakerStats stats() const { return stats(ClockReading{clock_}); }
  [[nodiscard]] CircuitBreakerStats stats(const ClockReading& now) const;

  void reset() { force_state(State::closed, StateChangeReason::reset); }
  void force_open() { force_state(State::forced_open, StateChangeReason::forced); }
  void disable() { force_state(State::disabled, StateChangeReason::disabled); }

  /// Puts a valid config in force (B19).
  void reconfigure(const CircuitBreakerConfig& config);

  // Events.

  void subscribe(std::shared_ptr<Subscriber<Sync>> subscriber) {
    auto fresh = std::make_shared<Hub>(name());
    const std::lock_guard lock{mutex_};
    if (!hub_) hub_ = std::move(fresh);
    hub_->subscribe(std::move(subscriber));
  }

  void unsubscribe(const Subscriber<Sync>& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    if (hub_) hub_->unsubscribe(subscriber);
  }

  void subscribe_to_calls(std::shared_ptr<Subscriber<Sync>> subscriber) {
    const Lock lock{mutex_};
    listeners_.add(std::move(subscriber));
    mark(StateWord::observed);
  }

  /// Delivers what admit() queued when it admitted the first probe. The caller calls this, since it
  /// may have to keep the breaker alive: a callback may release it.
  void deliver_events() {
    Lock lock{mutex_};
    unlock_and_deliver(lock);
  }
  /// The same for try_acquire(), which does not let a callback end the thread (B1).
  FUSEBOX_DETAIL_COLD void deliver_events_of_permit() noexcept { deliver_events(); }

 private:
  using Lock = std::unique_lock<typename Sync::Mutex>;
  using Hub = EventHub<StateChange, Sync>;
  using Reason = std::optional<StateChangeReason>;

  [[nodiscard]] const Settings<Sync>& settings() const noexcept {
    return *settings_.load(std::memory_order_acquire);  // pairs with the store in reconfigure()
  }
  /// Those in force at an admission. A word is written after its settings were, so the loop finds them, or,
  /// if 16 reconfigurations came in between, newer ones with the same marks.
  [[nodiscard]] const Settings<Sync>& settings_of(StateWord admitted) const noexcept {
    const Settings<Sync>* one = &settings();
    while (one->word_bits != admitted.config_bits()) one = one->previous.get();
    return *one;
  }

  /// What a transition needs from the clock and the random source, read before it takes the lock.
  struct TransitionTime {
    Tick fine;
    Tick coarse;
    std::chrono::system_clock::time_point at;
    double random;

    /// On the clock of the waits.
    [[nodiscard]] Tick wait_now(StateWord word) const noexcept {
      return word.is_waiting_finely() ? fine : coarse;
    }
  };

  [[nodiscard]] TransitionTime transition_time() const {
    EntropySource entropy;
    const double random = settings().config.reset_jitter > 0 ? detail::uniform_unit(entropy) : 0.0;
    return {detail::fine_tick(clock_), detail::coarse_tick(clock_), clock_.wall_now(), random};
  }

  [[nodiscard]] Tick wait_tick(StateWord word) const {
    return word.is_waiting_finely() ? detail::fine_tick(clock_) : detail::coarse_tick(clock_);
  }

  /// Writes `next` if the word still is `seen`; otherwise reads the word into `seen`. Acquire and release:
  /// as load() and enter().
  [[nodiscard]] bool exchange(StateWord& seen, StateWord next) noexcept {
    std::uint64_t bits = seen.bits();
    if (word_.compare_exchange_strong(bits, next.bits(), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      return true;
    }
    seen = StateWord{bits};
    return false;
  }

  /// Changes marks of the word. Under the lock, which orders these changes.
  void mark(std::uint64_t set, std::uint64_t cleared = 0) noexcept {
    StateWord word = load();
    while (!exchange(word, word.without(cleared).marked(set))) {
    }
  }

  [[nodiscard]] Admission reject(StateWord word, Tick retry_after) noexcept {
    totals_.add(Counter::rejected);
    return {word.marked(StateWord::rejected).bits(), retry_after};
  }

  // How long calls take: for slow_calls, and for those who listen by on_call().

  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick start_tick(StateWord admitted) const {
    return admitted.needs_start() ? call_tick(settings_of(admitted)) : 0;
  }
  [[nodiscard]] Tick call_tick(const Settings<Sync>& settings) const {
    return settings.times_coarsely() ? detail::coarse_tick(clock_) : detail::fine_tick(clock_);
  }
  [[nodiscard]] static bool is_recorded(Outcome outcome) noexcept {
    return outcome == Outcome::success || outcome == Outcome::failure;
  }
  [[nodiscard]] static bool is_slow(const Settings<Sync>& settings, Tick start, Tick end) noexcept {
    return elapsed(start, end) > ticks(settings.config.slow_calls->slower_than);
  }

  // Out of line, in admit.hpp, settle.hpp and transitions.hpp.

  [[nodiscard]] Admission admit_by_state(StateWord word, bool may_nest) noexcept;
  [[nodiscard]] Admission admit_closed(StateWord word) noexcept;
  [[nodiscard]] bool is_part_of_probe(std::uint32_t generation) noexcept;
  [[nodiscard]] Admission admit_probe() noexcept;
  [[nodiscard]] Admission admit_with_slot(std::uint32_t slot, StateWord word,
                                          const TransitionTime& now) noexcept;
  [[nodiscard]] bool admits_while_recovering(StateWord word) noexcept;
  void settle_windowed_success(Admission admission) noexcept;
  void settle_timed_success(Admission admission);
  template <class FailureSource>
  void settle_plain_failure(Admission admission, FailureSource source);
  void settle_observed(Admission admission, Outcome outcome, const Failure* failure);
  void settle_by_state(Admission admission, Outcome outcome, const Failure* failure);
  void settle_probe(Admission admission, Outcome outcome, const Failure* failure);
  void settle_late(Admission admission, Outcome outcome, bool slow, Tick stamp) noexcept;
  void apply_rules(StateWord admitted, Outcome outcome, bool slow, Tick stamp, const Failure* failure);
  template <class FailureSource>
  void move_streak(const Settings<Sync>& settings, std::uint32_t generation, bool failed, Reason by_rate,
                   FailureSource source);
  void open_by_rule(const Settings<Sync>& settings, std::uint32_t generation, bool failed, Reason by_rate,
                    const Failure* failure);
  void count_outcome(Outcome outcome, bool slow, Tick stamp) noexcept;
  void leave_out_of_newer_windows(const Settings<Sync>& settings) noexcept;
  [[nodiscard]] static Reason reason_to_open(const Settings<Sync>& settings, StateWord word, bool failed,
                                             Reason by_rate) noexcept;
  template <class Rule>
  [[nodiscard]] bool reaches(const typename Settings<Sync>::Rated& window, const std::optional<Rule>& rule,
                             std::uint32_t generation) const noexcept;
  [[nodiscard]] Reason rate_reached(const Settings<Sync>& settings, std::uint32_t generation) const noexcept;
  void begin_windows(std::uint32_t generation) noexcept {
    settings().for_each_window([&](auto& window) { window->begin(generation, totals_.recorded()); });
  }
  [[nodiscard]] auto recorded() const noexcept {
    return [this] { return totals_.recorded(); };
  }
  void force_state(State to, StateChangeReason reason);
  void enter(StateWord from, State to, std::uint32_t streak, StateChangeReason reason,
             const TransitionTime& now, Cause cause = nullptr) noexcept;
  void enter_open(const Settings<Sync>& settings, StateWord from, std::uint32_t streak,
                  StateChangeReason reason, const TransitionTime& now, Cause cause) noexcept;
  [[nodiscard]] Tick next_wait(const Settings<Sync>& settings, double random,
                               const Failure* cause) const noexcept;
  void unlock_and_deliver(Lock& lock);

  typename Sync::template Atomic<std::uint64_t> word_;
  // When a call may be a probe. One per state, so that a thread with a stale state never pairs it with the
  // next state's due time.
  typename Sync::template Atomic<Tick> open_due_{tick_min};
  typename Sync::template Atomic<Tick> probe_due_{tick_min};
  [[no_unique_address]] C clock_;
  typename Sync::template Atomic<const Settings<Sync>*> settings_{nullptr};
  std::unique_ptr<Settings<Sync>> owned_settings_;  // the same, and those before; guarded by the lock
  const std::unique_ptr<RejectionSources> rejections_;

  Totals<Sync> totals_;  // more than a cache line away from the word

  mutable typename Sync::Mutex mutex_;  // guards everything below, and every change of state
  ProbeSlots slots_;
  RunningProbes<Sync> running_probes_;
  int probe_successes_ = 0;
  int probe_failures_ = 0;
  std::uint32_t escalation_ = 0;                    // re-openings since the breaker was last closed
  std::uint32_t reset_generation_ = 1;              // reports of earlier generations do not count
  std::uint32_t closed_generation_ = 1;             // that of the windows
  typename Sync::template Atomic<int> permits_{0};  // not guarded; it fills a gap here
  std::uint64_t recorded_until_open_ = 0;           // outcomes when that generation ended
  std::uint64_t opened_ = 0;
  typename Totals<Sync>::Values before_reset_{};
  mutable ShownTime shown_failure_;  // the times that stats() has shown
  mutable ShownTime shown_success_;
  std::shared_ptr<Hub> hub_;
  Cause cause_;                                  // of the last opening
  std::unique_ptr<ProbeSlots> slots_from_next_;  // of the next half-open state, if reconfigure() changed them
  CallListeners<Sync> listeners_;
  // Not guarded. When the breaker closed, by the fine clock; a sum of shares, whose whole part
  // counts the calls that were admitted while recovering; and the observed calls under way.
  typename Sync::template Atomic<Tick> closed_at_{0};
  typename Sync::template Atomic<std::uint64_t> recovery_shares_{0};
  typename Sync::template Atomic<std::int64_t> observed_calls_{0};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
