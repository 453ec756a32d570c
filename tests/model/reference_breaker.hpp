// model/reference_breaker.hpp: what a breaker must do, said as plainly as possible (rules B1 to B20).
//
// One thread, no clock of its own, every record kept in a list and counted when asked. Written from the rules
// alone. What chance decides (the jitter of a wait) is told to it, and it says whether that may be.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace model {

using Time = std::int64_t;  // nanoseconds on the steady timeline

/// A failure that a call left. An empty text stands for any.
struct KnownFailure {
  std::string text;
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};
using Left = std::optional<KnownFailure>;

/// What the model remembers of an admitted call.
struct Call {
  int generation = 0;
  bool counts = true;  // false for a call that is part of a probe (B7)
  Time start = 0;
  std::optional<std::size_t> slot = std::nullopt;  // of a probe
  std::uint64_t number = 0;
  std::size_t config = 0;    // which of those that the breaker had (B19)
  bool is_observed = false;  // it began while somebody listened (B18)
};

struct Change {
  fusebox::State from;
  fusebox::State to;
  fusebox::StateChangeReason reason;
  Left cause = std::nullopt;
};

/// What those who listen hear of a call (B18).
struct EndedCall {
  fusebox::Outcome outcome;
  Time duration;
  Left failure;
};

class ReferenceBreaker {
 public:
  using Config = fusebox::CircuitBreakerConfig;
  using State = fusebox::State;
  using Reason = fusebox::StateChangeReason;
  using Outcome = fusebox::Outcome;

  ReferenceBreaker(const Config& config, Time now) : now_{now} { put_in_force(config); }

  // Time, as the clock tells it.

  void advance_to(Time now) { now_ = now; }
  [[nodiscard]] Time now() const { return now_; }

  // Calls.

  /// A call arrives; nothing where it is rejected. `inside` are the probes whose ops are running around it.
  std::optional<Call> admit(const std::vector<Call>& inside = {}) {
    switch (state_) {
      case State::closed:
        if (!has_a_share()) break;
        return begin_call();
      case State::disabled: return begin_call();
      case State::forced_open: break;
      case State::open:
        if (now_ - opened_at_ < wait_) break;
        move_to(State::half_open, Reason::probe_admitted);
        slots_.assign(static_cast<std::size_t>(config().half_open_max_calls), std::nullopt);
        slot_timeout_ = config().probe_timeout.count() > 0 ? config().probe_timeout.count()
                                                           : config().reset_timeout.count();
        probe_successes_ = 0;
        probe_failures_ = 0;
        run_ = 0;
        return probe();
      case State::half_open:
        for (const Call& outer : inside) {
          if (!outer.slot || outer.generation != generation_) continue;
          Call part{generation_, false, now_};
          part.config = rules_.size() - 1;
          return part;
        }
        if (auto call = probe()) return call;
        break;
    }
    ++rejected_count;
    return std::nullopt;
  }

  void report(const Call& call, Outcome outcome, const Left& failure = std::nullopt) {
    if (!call.counts) return;  // B7
    if (call.is_observed) tell(call, outcome, failure);
    if (call.generation < reset_period_) return;  // B6
    const Rules& rules = rules_[call.config];     // B19
    const Config& config = rules.config;
    const bool recorded = outcome != Outcome::ignored;
    const bool slow =
        recorded && config.slow_calls && now_ - call.start > config.slow_calls->slower_than.count();
    const bool failed = outcome == Outcome::failure;
    count(outcome, slow);
    if (call.generation != generation_) {  // B6
      if (recorded) record(nullptr, false, false);
      return;
    }
    const Left cause = failed ? failure : std::nullopt;
    if (call.slot) return report_probe(call, outcome, slow, cause);
    if (!recorded) return;

    run_ = failed ? std::min(run_ + 1, 65'535) : 0;
    if (state_ != State::closed) return;  // disabled
    record(&rules, failed, slow);
    if (failed && config.failure_threshold > 0 && run_ >= config.failure_threshold) {
      return enter_open(config, Reason::failure_threshold, cause);
    }
    if (!failed && !slow) return;
    if (config.failure_rate && reaches(*config.failure_rate, counts_of(rules.failures)))
      return enter_open(config, Reason::failure_rate, cause);
    if (config.slow_calls && reaches(*config.slow_calls, counts_of(rules.slow)))
      return enter_open(config, Reason::slow_calls, cause);
  }

  // By hand.

  void reset() {
    success_count = failure_count = ignored_count = rejected_count = slow_count = opened_count = 0;
    last_failure.reset();
    last_success.reset();
    cause_.reset();
    close(Reason::reset);
    reset_period_ = generation_;
  }
  void force_open() { move_by_hand(State::forced_open, Reason::forced); }
  void disable() { move_by_hand(State::disabled, Reason::disabled); }
  void reconfigure(const Config& config) {
    if (config != this->config()) put_in_force(config);
  }

  // Those who listen to calls (B18).

  void listen() {
    ++listeners_;
    observes_ = true;
  }
  void stop_listening() { --listeners_; }
  [[nodiscard]] const std::vector<EndedCall>& ended() const { return ended_; }

  // What is seen.

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Config& config() const { return rules_.back().config; }
  [[nodiscard]] const Config& config_of(const Call& call) const { return rules_[call.config].config; }
  [[nodiscard]] std::size_t configs() const { return rules_.size(); }
  [[nodiscard]] Time retry_after() const {
    return state_ == State::open ? std::max<Time>(0, wait_ - (now_ - opened_at_)) : 0;
  }
  [[nodiscard]] int consecutive_failures() const { return run_; }
  [[nodiscard]] double failure_rate() const {
    if (config().failure_rate) {
      const Counts tally = counts_of(rules_.back().failures);
      return tally.calls >= config().failure_rate->minimum_calls ? tally.rate() : 0.0;
    }
    const auto recorded = failure_count + success_count;
    return recorded == 0 ? 0.0 : static_cast<double>(failure_count) / static_cast<double>(recorded);
  }
  [[nodiscard]] int window_calls() const {
    if (config().failure_rate) return counts_of(rules_.back().failures).calls;
    return config().slow_calls ? counts_of(rules_.back().slow).calls : 0;
  }
  [[nodiscard]] int window_failures() const {
    return config().failure_rate ? counts_of(rules_.back().failures).hits : 0;
  }
  [[nodiscard]] int window_slow_calls() const {
    return config().slow_calls ? counts_of(rules_.back().slow).hits : 0;
  }
  /// Nothing if nobody counts them (B20).
  [[nodiscard]] std::optional<std::uint64_t> in_flight() const {
    if (listeners_ > 0) return observed_;
    if (state_ != State::half_open) return std::nullopt;
    return slots_.size() - static_cast<std::size_t>(std::count(slots_.begin(), slots_.end(), std::nullopt));
  }
  /// Of the opening before, since the last reset.
  [[nodiscard]] const Left& cause() const { return cause_; }
  /// The changes so far.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

  std::uint64_t success_count = 0, failure_count = 0, ignored_count = 0, rejected_count = 0, slow_count = 0,
                opened_count = 0;
  std::optional<Time> last_failure, last_success;
  std::uint64_t failures_ever = 0, successes_ever = 0;  // not since the last reset

  // The wait of an opening (B8, B15).

  /// How often the breaker opened, ever: when it grows, the wait is to be told.
  [[nodiscard]] int openings() const { return openings_; }
  /// The breaker says how long it waits. False where no chance gives that.
  [[nodiscard]] bool take_wait(Time wait) {
    const Config& config = opened_by_;
    const auto reset = static_cast<long double>(config.reset_timeout.count());
    const auto max = static_cast<long double>(config.max_reset_timeout.count());
    long double longest = reset;
    for (int k = 0; k < escalation_ && longest < 1e30L; ++k) longest *= config.reset_backoff;
    longest = std::max(reset, std::min(max, longest));
    const auto left = static_cast<long double>(std::numeric_limits<Time>::max() - opened_at_);  // saturating
    longest = std::min(longest, left);
    long double shortest = longest * (1 - static_cast<long double>(config.reset_jitter));
    const long double rounding = 1 + longest * 1e-12L;
    const auto exact = [&](long double of) {
      return config.reset_jitter == 0 && of < 9e15L && of == static_cast<long double>(static_cast<Time>(of));
    };
    if (!exact(longest)) longest += rounding;
    if (!exact(shortest)) shortest -= rounding;
    if (config.honor_retry_after && cause_ && cause_->retry_after) {
      const auto asked = static_cast<long double>(cause_->retry_after->count()) * 1e6L;
      const long double honored = std::min({asked, max, left});
      longest = std::max(longest, honored);
      shortest = std::max(shortest, honored);
    }
    wait_ = wait;
    return static_cast<long double>(wait) <= longest && static_cast<long double>(wait) >= shortest;
  }

 private:
  struct Record {
    Time at;
    bool hit;
  };
  struct Window {
    fusebox::Window kind;
    std::vector<Record> records = {};  // of the latest closed generation
  };
  struct Counts {
    int calls = 0;
    int hits = 0;
    [[nodiscard]] double rate() const {
      return calls == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(calls);
    }
  };
  struct Probe {
    std::uint64_t number;
    Time since;
    friend bool operator==(const Probe&, const Probe&) = default;
  };
  /// A config and the windows of its rules.
  struct Rules {
    Config config;
    std::optional<std::size_t> failures = std::nullopt;
    std::optional<std::size_t> slow = std::nullopt;
  };

  /// A window that the config before had alike stays (B19).
  void put_in_force(const Config& config) {
    const auto window_of = [&](auto rule, std::optional<std::size_t> Rules::* which) {
      if (!rule) return std::optional<std::size_t>{};
      if (!rules_.empty() && rules_.back().*which && windows_[*(rules_.back().*which)].kind == rule->window)
        return rules_.back().*which;
      windows_.push_back({rule->window});
      return std::optional{windows_.size() - 1};
    };
    Rules rules{config};
    rules.failures = window_of(config.failure_rate, &Rules::failures);
    rules.slow = window_of(config.slow_calls, &Rules::slow);
    rules_.push_back(rules);
  }

  [[nodiscard]] Call begin_call() {
    Call call{generation_, true, now_, std::nullopt, ++calls_, rules_.size() - 1, observes_};
    if (observes_) ++observed_;
    return call;
  }

  /// B17: of the calls that come while recovering, as many are admitted as their shares add up to, the first
  /// included. Shares are whole numbers of 2^-32.
  bool has_a_share() {
    if (!is_recovering_) return true;
    const Time since = now_ - closed_at_;
    const Time time = config().recovery_time.count();
    if (since >= time) {
      is_recovering_ = false;
      return true;
    }
    constexpr std::uint64_t whole = std::uint64_t{1} << 32U;
    const long double share =
        0.1L + 0.9L * (static_cast<long double>(since) / static_cast<long double>(time));
    shares_ += static_cast<std::uint64_t>(share * static_cast<long double>(whole));
    if (shared_out_ * whole >= shares_) return false;
    ++shared_out_;
    return true;
  }

  void tell(const Call& call, Outcome outcome, const Left& failure) {
    --observed_;
    ended_.push_back({outcome, now_ - call.start, failure});
    if (listeners_ == 0) observes_ = false;  // from the first call that finds nobody
  }

  /// A slot that is free, or else the one that has been silent longest, once its time is over (B5).
  std::optional<Call> probe() {
    auto slot = std::find(slots_.begin(), slots_.end(), std::nullopt);
    if (slot == slots_.end()) {
      slot = std::min_element(slots_.begin(), slots_.end(), [](const auto& a, const auto& b) {
        return std::pair{a->since, a->number} < std::pair{b->since, b->number};
      });
      if (now_ - (*slot)->since < slot_timeout_) return std::nullopt;
    }
    Call call = begin_call();
    call.slot = static_cast<std::size_t>(slot - slots_.begin());
    *slot = Probe{call.number, now_};
    return call;
  }

  void report_probe(const Call& call, Outcome outcome, bool slow, const Left& cause) {
    auto& slot = slots_[*call.slot];
    if (slot && slot->number == call.number) slot.reset();
    if (outcome == Outcome::ignored) return;
    const Config& config = config_of(call);
    if (outcome == Outcome::failure || slow) {
      if (++probe_failures_ <= config.half_open_max_failures) return;  // B16
      ++escalation_;
      run_ = 1;
      enter_open(config, outcome == Outcome::failure ? Reason::probe_failed : Reason::slow_calls, cause);
    } else if (++probe_successes_ >= config.success_threshold) {
      close(Reason::probes_succeeded);
    }
  }

  void count(Outcome outcome, bool slow) {
    switch (outcome) {
      case Outcome::success:
        ++success_count;
        ++successes_ever;
        last_success = now_;
        break;
      case Outcome::failure:
        ++failure_count;
        ++failures_ever;
        last_failure = now_;
        break;
      case Outcome::ignored: ++ignored_count; break;
    }
    if (slow) ++slow_count;
  }

  /// An outcome enters the windows of the call's own rules. A count window that is no longer in force is
  /// still read by calls that began under it: the outcomes of others pass through it as misses.
  void record(const Rules* own, bool failed, bool slow) {
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      const bool in_force = rules_.back().failures == i || rules_.back().slow == i;
      if (own != nullptr && own->failures == i) {
        windows_[i].records.push_back({now_, failed});
      } else if (own != nullptr && own->slow == i) {
        windows_[i].records.push_back({now_, slow});
      } else if (!in_force && !windows_[i].kind.is_time()) {
        windows_[i].records.push_back({now_, false});
      }
    }
  }
  /// What a window holds now (B3).
  [[nodiscard]] Counts counts_of(const std::optional<std::size_t>& which) const {
    const Window& window = windows_[*which];
    Counts counts;
    const auto add = [&](const Record& record) {
      ++counts.calls;
      counts.hits += record.hit ? 1 : 0;
    };
    if (!window.kind.is_time()) {
      const auto kept = std::min(window.records.size(), static_cast<std::size_t>(window.kind.calls()));
      std::for_each(window.records.end() - static_cast<std::ptrdiff_t>(kept), window.records.end(), add);
      return counts;
    }
    const Time length = window.kind.length().count();
    const Time width = std::max<Time>(1, length / 10 + (length % 10 != 0 ? 1 : 0));
    for (const Record& record : window.records) {
      if (now_ / width - record.at / width < 10) add(record);
    }
    return counts;
  }
  template <class Rule>
  [[nodiscard]] static bool reaches(const Rule& rule, const Counts& tally) {
    return tally.calls >= rule.minimum_calls && tally.rate() >= rule.threshold;
  }

  void enter_open(const Config& config, Reason reason, const Left& cause) {
    ++opened_count;
    ++openings_;
    opened_at_ = now_;
    opened_by_ = config;
    cause_ = cause;
    move_to(State::open, reason, cause);
  }
  void close(Reason reason) {
    run_ = 0;
    escalation_ = 0;
    for (Window& window : windows_) window.records.clear();
    move_to(State::closed, reason);
    is_recovering_ = reason == Reason::probes_succeeded && config().recovery_time.count() > 0;
    closed_at_ = now_;
    shares_ = shared_out_ = 0;
  }
  void move_by_hand(State to, Reason reason) {
    if (state_ == to) return;
    run_ = 0;
    escalation_ = 0;
    move_to(to, reason);
  }
  void move_to(State to, Reason reason, const Left& cause = std::nullopt) {
    ++generation_;
    is_recovering_ = false;
    if (state_ != to) changes_.push_back({state_, to, reason, cause});
    state_ = to;
  }

  std::vector<Rules> rules_;  // the last is in force
  std::vector<Window> windows_;
  Time now_;
  State state_ = State::closed;
  int generation_ = 0;
  int reset_period_ = 0;
  int run_ = 0;
  Time opened_at_ = 0;
  Config opened_by_;  // the config of the call that opened
  Left cause_;
  Time wait_ = 0;
  int openings_ = 0;
  int escalation_ = 0;
  std::vector<std::optional<Probe>> slots_;
  Time slot_timeout_ = 0;
  int probe_successes_ = 0;
  int probe_failures_ = 0;
  bool is_recovering_ = false;
  Time closed_at_ = 0;
  std::uint64_t shares_ = 0;
  std::uint64_t shared_out_ = 0;
  int listeners_ = 0;
  bool observes_ = false;
  std::uint64_t observed_ = 0;  // calls that began so and are under way
  std::vector<EndedCall> ended_;
  std::uint64_t calls_ = 0;
  std::vector<Change> changes_;
};

}  // namespace model
