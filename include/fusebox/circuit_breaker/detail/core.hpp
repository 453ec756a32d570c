// fusebox/circuit_breaker/detail/core.hpp: BreakerCore, the state of a breaker and its fast paths.
//
// admit() returns an Admission, settle() takes it back with an outcome. Of user code they
// run the clock and, outside the lock, the callbacks of subscribers. Calls that are admitted while closed,
// and rejections, take no lock: they read one word (state_word.hpp) and, while open, the time at which a
// probe is due. Transitions and probes (transitions.hpp) take one small lock, read the word again under it,
// and call nobody while they hold it. A due time is written before the word that makes it matter.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

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
#include <fusebox/circuit_breaker/detail/state_change_record.hpp>
#include <fusebox/circuit_breaker/detail/state_word.hpp>
#include <fusebox/circuit_breaker/detail/totals.hpp>
#include <fusebox/circuit_breaker/stats.hpp>
#include <fusebox/detail/admission.hpp>
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
      : word_{first_word(config).bits()},
        clock_{std::move(clock)},
        config_{config},
        source_{CircuitRejection::source(name)},
        slots_{config.half_open_max_calls, ticks(probe_timeout(config))} {
    if (!config.failure_rate && !config.slow_calls) return;
    windows_ = std::make_unique<Windows>();
    if (config.failure_rate) windows_->failures.emplace(config.failure_rate->window);
    if (config.slow_calls) windows_->slow.emplace(config.slow_calls->window);
    begin_windows(1);
  }
  BreakerCore(const BreakerCore&) = delete;
  BreakerCore& operator=(const BreakerCore&) = delete;
  // Relaxed: whoever destroys the breaker has synchronised with its last user.
  ~BreakerCore() { assert(permits_.load(std::memory_order_relaxed) == 0 && "a Permit outlives its breaker"); }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] const CircuitBreakerConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::shared_ptr<const RejectionSource>& source() const noexcept { return source_; }
  [[nodiscard]] State state() const noexcept { return load().state(); }

  /// Acquire: pairs with the release in enter() and exchange(), so that a thread that sees a state also
  /// sees the due time and the totals that were written before it.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE StateWord load() const noexcept {
    return StateWord{word_.load(std::memory_order_acquire)};
  }

  // Admitting. transitions.hpp has the table.

  /// `may_nest`: a call from inside the op of a probe is part of that probe (B7).
  [[nodiscard]] Admission admit(bool may_nest) noexcept {
    const StateWord word = load();
    return word.is_closed_untimed() ? Admission{word.bits(), 0} : admit_slow_path(word, may_nest);
  }

  /// For words that are not is_closed_untimed().
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Admission admit_slow_path(StateWord word, bool may_nest) noexcept {
    if (word.is_closed()) return {word.bits(), start_tick()};
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

  // Settling. transitions.hpp has the table.

  void settle(Admission admission, Outcome outcome) noexcept {
    if (outcome != Outcome::success || !settle_plain_success(StateWord{admission})) {
      settle_slow_path(admission, outcome);
    }
  }

  /// Most calls end here; false if settle_slow_path() must do it.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool settle_plain_success(StateWord admitted) noexcept {
    if (!admitted.success_only_counts() || load() != admitted) [[unlikely]]
      return false;
    totals_.add_success([this] { return detail::coarse_tick(clock_); });
    return true;
  }
  void settle_slow_path(Admission admission, Outcome outcome) noexcept;

  void report_permit(Admission admission, Outcome outcome) noexcept override { settle(admission, outcome); }

  // Debug builds count the permits that are out. Relaxed: only the destructor's assert reads the number.
  void lend_permit() noexcept { permits_.fetch_add(1, std::memory_order_relaxed); }
  void end_permit() noexcept override { permits_.fetch_sub(1, std::memory_order_relaxed); }

  // The op of a probe, for calls that it makes on this breaker (B7).

  using ProbeCall = typename RunningProbes<Sync>::Index;

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
      if (again == word) return std::chrono::nanoseconds{elapsed(wait_tick(), due)};
      word = again;
    }
  }

  [[nodiscard]] CircuitBreakerStats stats() const { return stats(ClockReading{clock_}); }
  [[nodiscard]] CircuitBreakerStats stats(const ClockReading& now) const;

  void reset() noexcept { force_state(State::closed, StateChangeReason::reset); }
  void force_open() noexcept { force_state(State::forced_open, StateChangeReason::forced); }
  void disable() noexcept { force_state(State::disabled, StateChangeReason::disabled); }

  // Events.

  void subscribe(std::shared_ptr<Subscriber<Sync>> subscriber) {
    auto fresh = std::make_shared<Hub>(source_->name);
    const std::lock_guard lock{mutex_};
    if (!hub_) hub_ = std::move(fresh);
    hub_->subscribe(std::move(subscriber));
  }

  void unsubscribe(const Subscriber<Sync>& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    if (hub_) hub_->unsubscribe(subscriber);
  }

  /// Delivers what admit() queued when it admitted the first probe. The caller calls this, since it
  /// may have to keep the breaker alive: a callback may release it.
  void deliver_events() noexcept {
    Lock lock{mutex_};
    unlock_and_deliver(lock);
  }

 private:
  using Lock = std::unique_lock<typename Sync::Mutex>;
  using Hub = EventHub<StateChange, Sync>;
  using Reason = std::optional<StateChangeReason>;

  struct Windows {
    std::optional<RateWindow<Sync>> failures;
    std::optional<RateWindow<Sync>> slow;
  };

  /// What a transition needs from the clock and the random source, read before it takes the lock.
  struct TransitionTime {
    Tick wait_now;
    std::chrono::system_clock::time_point at;
    double random;
  };

  [[nodiscard]] TransitionTime transition_time() const {
    EntropySource entropy;
    return {wait_tick(), clock_.wall_now(), config_.reset_jitter > 0 ? detail::uniform_unit(entropy) : 0.0};
  }

  [[nodiscard]] Tick wait_tick() const {
    return waits_coarsely(config_) ? detail::coarse_tick(clock_) : detail::fine_tick(clock_);
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

  [[nodiscard]] Admission reject(StateWord word, Tick retry_after) noexcept {
    totals_.add(Counter::rejected);
    return {word.marked(StateWord::rejected).bits(), retry_after};
  }

  // How long calls take (slow_calls).

  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick start_tick() const {
    if (!config_.slow_calls) return 0;
    return times_coarsely() ? detail::coarse_tick(clock_) : detail::fine_tick(clock_);
  }

  /// T1: the coarse clock measures calls if their limit is at least 100 ms; its ticks are of about 4 ms.
  [[nodiscard]] bool times_coarsely() const noexcept {
    return config_.slow_calls->slower_than >= std::chrono::milliseconds{100};
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

  // Out of line, in transitions.hpp.

  [[nodiscard]] Admission admit_by_state(StateWord word, bool may_nest) noexcept;
  [[nodiscard]] bool is_part_of_probe(std::uint32_t generation) noexcept;
  [[nodiscard]] Admission admit_probe() noexcept;
  void settle_windowed_success(Admission admission) noexcept;
  void settle_timed_success(Admission admission) noexcept;
  void settle_plain_failure(Admission admission) noexcept;
  void settle_by_state(Admission admission, Outcome outcome) noexcept;
  void settle_probe(Admission admission, Outcome outcome) noexcept;
  void settle_late(Admission admission, Outcome outcome, bool slow, Tick stamp) noexcept;
  void apply_rules(StateWord admitted, Outcome outcome, bool slow, Tick stamp) noexcept;
  void move_streak(std::uint32_t generation, bool failed, Reason by_rate) noexcept;
  void open_by_rule(std::uint32_t generation, bool failed, Reason by_rate) noexcept;
  void count_outcome(Outcome outcome, bool slow, Tick stamp) noexcept;
  [[nodiscard]] Reason reason_to_open(StateWord word, bool failed, Reason by_rate) const noexcept;
  [[nodiscard]] Reason rate_reached(std::uint32_t generation) const noexcept;
  template <class F>
  void for_each_window(F f) noexcept {
    if (!windows_) return;
    if (windows_->failures) f(*windows_->failures);
    if (windows_->slow) f(*windows_->slow);
  }
  void begin_windows(std::uint32_t generation) noexcept {
    for_each_window([&](auto& window) { window.begin(generation, totals_.recorded()); });
  }
  [[nodiscard]] auto recorded() const noexcept {
    return [this] { return totals_.recorded(); };
  }
  void force_state(State to, StateChangeReason reason) noexcept;
  void enter(StateWord from, State to, std::uint32_t streak, StateChangeReason reason,
             const TransitionTime& now) noexcept;
  void enter_open(StateWord from, std::uint32_t streak, StateChangeReason reason,
                  const TransitionTime& now) noexcept;
  [[nodiscard]] Tick next_wait(double random) const noexcept;
  void unlock_and_deliver(Lock& lock) noexcept;

  // What the config says, once for all calls.

  [[nodiscard]] static constexpr std::chrono::nanoseconds probe_timeout(
      const CircuitBreakerConfig& config) noexcept {
    return config.probe_timeout.count() > 0 ? config.probe_timeout : config.reset_timeout;
  }
  /// T1: the coarse clock measures the waits if each of them is at least one second.
  [[nodiscard]] static constexpr bool waits_coarsely(const CircuitBreakerConfig& config) noexcept {
    return static_cast<double>(config.reset_timeout.count()) * (1 - config.reset_jitter) >= 1e9 &&
           probe_timeout(config) >= std::chrono::seconds{1};
  }
  [[nodiscard]] static constexpr StateWord first_word(const CircuitBreakerConfig& config) noexcept {
    return StateWord{State::closed, 1, 0}
        .marked(config.slow_calls ? StateWord::timed : 0)
        .marked(config.failure_rate ? StateWord::rated : 0)
        .marked(config.failure_rate && config.failure_rate->window.is_time() ? StateWord::windowed : 0)
        .marked(waits_coarsely(config) ? 0 : StateWord::waits_finely);
  }

  typename Sync::template Atomic<std::uint64_t> word_;
  // When a call may be a probe. One per state, so that a thread with a stale state never pairs it with the
  // next state's due time.
  typename Sync::template Atomic<Tick> open_due_{tick_min};
  typename Sync::template Atomic<Tick> probe_due_{tick_min};
  [[no_unique_address]] C clock_;
  const CircuitBreakerConfig config_;
  const std::shared_ptr<const RejectionSource> source_;
  std::unique_ptr<Windows> windows_;  // null without a rate rule

  Totals<Sync> totals_;  // more than a cache line away from the word

  mutable typename Sync::Mutex mutex_;  // guards everything below, and every change of state
  ProbeSlots slots_;
  RunningProbes<Sync> running_probes_;
  int probe_successes_ = 0;
  std::uint32_t escalation_ = 0;                    // re-openings since the breaker was last closed
  std::uint32_t reset_generation_ = 1;              // reports of earlier generations do not count
  std::uint32_t closed_generation_ = 1;             // that of the windows
  typename Sync::template Atomic<int> permits_{0};  // not guarded; it fills a gap here
  std::uint64_t recorded_until_open_ = 0;           // outcomes when that generation ended
  std::uint64_t opened_ = 0;
  typename Totals<Sync>::Values before_reset_{};
  std::shared_ptr<Hub> hub_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
