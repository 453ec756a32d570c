// model/reference_breaker.hpp: what a breaker must do, said as plainly as possible (rules B1 to B13).
//
// One thread, no clock of its own, every record kept in a list and counted when asked. Written from the rules
// alone. What chance decides (the jitter of a wait) is told to it, and it says whether that may be.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace model {

using Time = std::int64_t;  // nanoseconds on the steady timeline

/// What the model remembers of an admitted call.
struct Call {
  int generation = 0;
  bool counts = true;  // false for a call that is part of a probe (B7)
  Time start = 0;
  std::optional<std::size_t> slot = std::nullopt;  // of a probe
  std::uint64_t number = 0;
};

struct Change {
  fusebox::State from;
  fusebox::State to;
  fusebox::StateChangeReason reason;
};

class ReferenceBreaker {
 public:
  using State = fusebox::State;
  using Reason = fusebox::StateChangeReason;
  using Outcome = fusebox::Outcome;

  ReferenceBreaker(const fusebox::CircuitBreakerConfig& config, Time now)
      : config_{config}, now_{now}, slots_(static_cast<std::size_t>(config.half_open_max_calls)) {}

  // Time, as the clock tells it.

  void advance_to(Time now) { now_ = now; }
  [[nodiscard]] Time now() const { return now_; }

  // Calls.

  /// A call arrives; nothing where it is rejected. `inside` are the probes whose ops are running around it.
  std::optional<Call> admit(const std::vector<Call>& inside = {}) {
    switch (state_) {
      case State::closed:
      case State::disabled: return Call{generation_, true, now_, std::nullopt, ++calls_};
      case State::forced_open: break;
      case State::open:
        if (now_ - opened_at_ < wait_) break;
        move_to(State::half_open, Reason::probe_admitted);
        for (auto& slot : slots_) slot.reset();
        probe_successes_ = 0;
        run_ = 0;
        return probe();
      case State::half_open:
        for (const Call& outer : inside) {
          if (outer.slot && outer.generation == generation_)
            return Call{generation_, false, now_, std::nullopt, ++calls_};
        }
        if (auto call = probe()) return call;
        break;
    }
    ++rejected_count;
    return std::nullopt;
  }

  void report(const Call& call, Outcome outcome) {
    if (!call.counts || call.generation < reset_period_) return;  // B7, B6
    const bool recorded = outcome != Outcome::ignored;
    const bool slow =
        recorded && config_.slow_calls && now_ - call.start > config_.slow_calls->slower_than.count();
    count(outcome, slow);
    if (call.generation != generation_) return;  // B6
    if (call.slot) return report_probe(call, outcome, slow);
    if (!recorded) return;

    const bool failed = outcome == Outcome::failure;
    run_ = failed ? std::min(run_ + 1, 65'535) : 0;
    if (state_ != State::closed) return;  // disabled
    records_.push_back({now_, failed, slow});
    if (failed && config_.failure_threshold > 0 && run_ >= config_.failure_threshold) {
      return enter_open(Reason::failure_threshold);
    }
    if (!failed && !slow) return;
    if (config_.failure_rate && reaches(*config_.failure_rate, failures()))
      return enter_open(Reason::failure_rate);
    if (config_.slow_calls && reaches(*config_.slow_calls, slow_calls()))
      return enter_open(Reason::slow_calls);
  }

  // By hand.

  void reset() {
    success_count = failure_count = ignored_count = rejected_count = slow_count = opened_count = 0;
    last_failure.reset();
    last_success.reset();
    close(Reason::reset);
    reset_period_ = generation_;
  }
  void force_open() { move_by_hand(State::forced_open, Reason::forced); }
  void disable() { move_by_hand(State::disabled, Reason::disabled); }

  // What is seen.

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Time retry_after() const {
    return state_ == State::open ? std::max<Time>(0, wait_ - (now_ - opened_at_)) : 0;
  }
  [[nodiscard]] int consecutive_failures() const { return run_; }
  [[nodiscard]] double failure_rate() const {
    if (config_.failure_rate) {
      const Counts tally = failures();
      return tally.calls >= config_.failure_rate->minimum_calls ? tally.rate() : 0.0;
    }
    const auto recorded = failure_count + success_count;
    return recorded == 0 ? 0.0 : static_cast<double>(failure_count) / static_cast<double>(recorded);
  }
  /// The changes so far.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

  std::uint64_t success_count = 0, failure_count = 0, ignored_count = 0, rejected_count = 0, slow_count = 0,
                opened_count = 0;
  std::optional<Time> last_failure, last_success;

  // The wait of an opening (B8).

  /// How often the breaker opened, ever: when it grows, the wait is to be told.
  [[nodiscard]] int openings() const { return openings_; }
  /// The breaker says how long it waits. False where no chance gives that.
  [[nodiscard]] bool take_wait(Time wait) {
    const auto reset = static_cast<long double>(config_.reset_timeout.count());
    const auto max = static_cast<long double>(config_.max_reset_timeout.count());
    long double longest = reset;
    for (int k = 0; k < escalation_ && longest < 1e30L; ++k) longest *= config_.reset_backoff;
    longest = std::max(reset, std::min(max, longest));
    const auto left = static_cast<long double>(std::numeric_limits<Time>::max() - opened_at_);  // saturating
    longest = std::min(longest, left);
    const long double shortest = longest * (1 - static_cast<long double>(config_.reset_jitter));
    const long double rounding = 1 + longest * 1e-12L;
    wait_ = wait;
    return static_cast<long double>(wait) <= longest + (exact(longest) ? 0 : rounding) &&
           static_cast<long double>(wait) >= shortest - (exact(shortest) ? 0 : rounding);
  }

 private:
  struct Record {
    Time at;
    bool failed;
    bool slow;
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
  };

  [[nodiscard]] bool exact(long double wait) const {
    return config_.reset_jitter == 0 && wait < 9e15L &&
           wait == static_cast<long double>(static_cast<Time>(wait));
  }

  /// A slot that is free, or else the one that has been silent longest, once its time is over (B5).
  std::optional<Call> probe() {
    const Time timeout =
        config_.probe_timeout.count() > 0 ? config_.probe_timeout.count() : config_.reset_timeout.count();
    auto slot = std::find(slots_.begin(), slots_.end(), std::nullopt);
    if (slot == slots_.end()) {
      slot = std::min_element(slots_.begin(), slots_.end(),
                              [](const auto& a, const auto& b) { return a->since < b->since; });
      if (now_ - (*slot)->since < timeout) return std::nullopt;
    }
    *slot = Probe{++calls_, now_};
    return Call{generation_, true, now_, static_cast<std::size_t>(slot - slots_.begin()), calls_};
  }

  void report_probe(const Call& call, Outcome outcome, bool slow) {
    auto& slot = slots_[*call.slot];
    if (slot && slot->number == call.number) slot.reset();
    if (outcome == Outcome::ignored) return;
    if (outcome == Outcome::failure || slow) {
      ++escalation_;
      run_ = 1;
      enter_open(outcome == Outcome::failure ? Reason::probe_failed : Reason::slow_calls);
    } else if (++probe_successes_ >= config_.success_threshold) {
      close(Reason::probes_succeeded);
    }
  }

  void count(Outcome outcome, bool slow) {
    switch (outcome) {
      case Outcome::success:
        ++success_count;
        last_success = now_;
        break;
      case Outcome::failure:
        ++failure_count;
        last_failure = now_;
        break;
      case Outcome::ignored: ++ignored_count; break;
    }
    if (slow) ++slow_count;
  }

  /// The records that a window holds now (B3).
  [[nodiscard]] std::vector<Record> in_window(const fusebox::Window& window) const {
    if (!window.is_time()) {
      const auto kept = std::min(records_.size(), static_cast<std::size_t>(window.calls()));
      return {records_.end() - static_cast<std::ptrdiff_t>(kept), records_.end()};
    }
    const Time length = window.length().count();
    const Time width = std::max<Time>(1, length / 10 + (length % 10 != 0 ? 1 : 0));
    std::vector<Record> kept;
    for (const Record& record : records_) {
      if (now_ / width - record.at / width < 10) kept.push_back(record);
    }
    return kept;
  }
  [[nodiscard]] Counts failures() const {
    Counts tally;
    for (const Record& record : in_window(config_.failure_rate->window)) {
      ++tally.calls;
      tally.hits += record.failed ? 1 : 0;
    }
    return tally;
  }
  [[nodiscard]] Counts slow_calls() const {
    Counts tally;
    for (const Record& record : in_window(config_.slow_calls->window)) {
      ++tally.calls;
      tally.hits += record.slow ? 1 : 0;
    }
    return tally;
  }
  template <class Rule>
  [[nodiscard]] static bool reaches(const Rule& rule, const Counts& tally) {
    return tally.calls >= rule.minimum_calls && tally.rate() >= rule.threshold;
  }

  void enter_open(Reason reason) {
    ++opened_count;
    ++openings_;
    opened_at_ = now_;
    move_to(State::open, reason);
  }
  void close(Reason reason) {
    run_ = 0;
    escalation_ = 0;
    records_.clear();
    move_to(State::closed, reason);
  }
  void move_by_hand(State to, Reason reason) {
    if (state_ == to) return;
    run_ = 0;
    escalation_ = 0;
    move_to(to, reason);
  }
  void move_to(State to, Reason reason) {
    ++generation_;
    if (state_ != to) changes_.push_back({state_, to, reason});
    state_ = to;
  }

  const fusebox::CircuitBreakerConfig config_;
  Time now_;
  State state_ = State::closed;
  int generation_ = 0;
  int reset_period_ = 0;
  int run_ = 0;
  std::vector<Record> records_;  // of the latest closed generation
  Time opened_at_ = 0;
  Time wait_ = 0;
  int openings_ = 0;
  int escalation_ = 0;
  std::vector<std::optional<Probe>> slots_;
  int probe_successes_ = 0;
  std::uint64_t calls_ = 0;
  std::vector<Change> changes_;
};

}  // namespace model
