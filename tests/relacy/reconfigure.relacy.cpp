// reconfigure() racing calls: the settings are there before the word that names them, what happens meanwhile
// is kept, and a call ends under the config that it began with (B19).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::CircuitBreakerConfig;
using fusebox::Outcome;
using fusebox::State;
using fusebox::detail::Admission;

/// Who sees the number of the other config in the word sees that config, and a window that has begun.
template <Flaw flaw>
struct ReconfigureSeen : BreakerSuite<ReconfigureSeen<flaw>, 2, flaw> {
  static CircuitBreakerConfig config() { return {.failure_threshold = 1}; }

  void act(unsigned thread) {
    if (thread == 0) {
      this->core.reconfigure(
          {.failure_threshold = 2,
           .failure_rate = fusebox::FailureRate{.minimum_calls = 1, .window = fusebox::last_calls(2)}});
      return;
    }
    const auto word = this->core.load();
    if (word.config_number() == 1) RL_ASSERT(this->core.config().failure_threshold == 2);
    RL_ASSERT(word.config_number() <= 1);
  }
  void after() {
    RL_ASSERT(this->core.load().config_number() == 1);
    RL_ASSERT(this->core.config().failure_threshold == 2);
  }
};

/// Two calls fail, each of which began under the config that opens after two. `rated`: with a window, which
/// the other config has too.
template <Flaw flaw, bool rated>
struct ReconfigureOfClosed : BreakerSuite<ReconfigureOfClosed<flaw, rated>, 3, flaw> {
  static CircuitBreakerConfig config() {
    CircuitBreakerConfig config{.failure_threshold = 2, .reset_timeout = 10s};
    if (rated)
      config.failure_rate = fusebox::FailureRate{.minimum_calls = 4, .window = fusebox::last_calls(4)};
    return config;
  }

  std::array<Admission, 3> admissions;

  void before() {
    for (auto& admission : admissions) admission = this->admit();
  }
  void act(unsigned thread) {
    if (thread > 0) return this->settle(admissions[thread], Outcome::failure);
    CircuitBreakerConfig other = config();
    other.failure_threshold = 5;
    other.reset_timeout = 30s;
    other.half_open_max_calls = 2;
    this->core.reconfigure(other);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::open);
    RL_ASSERT(stats.opened_count == 1);
    RL_ASSERT(stats.consecutive_failures == 2);
    RL_ASSERT(stats.failure_count == 2);
    RL_ASSERT(stats.retry_after == 10s);
    RL_ASSERT(stats.window_failures == (rated ? 2 : 0));
    RL_ASSERT(this->core.load().config_number() == 1);
    RL_ASSERT(this->core.config().failure_threshold == 5);
    this->set_time_of_all(10s);
    for (int probes = 0; probes < 2; ++probes) RL_ASSERT(word_of(this->admit()).is_half_open());
    RL_ASSERT(word_of(this->admit()).is_rejected());
  }
};

/// A probe fails, and another call comes, which finds no slot: those of the other config are for the next
/// half-open state.
template <Flaw flaw>
struct ReconfigureOfHalfOpen : BreakerSuite<ReconfigureOfHalfOpen<flaw>, 3, flaw> {
  static CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s};
  }

  Admission probe;

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    probe = this->admit();
    this->set_time_of_all(12s);
  }
  void act(unsigned thread) {
    if (thread == 0) {
      this->core.reconfigure(
          {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 30s, .half_open_max_calls = 2});
    }
    if (thread == 1) this->settle(probe, Outcome::failure);
    if (thread == 2) RL_ASSERT(word_of(this->admit()).is_rejected());
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::open);
    RL_ASSERT(stats.opened_count == 2);
    RL_ASSERT(stats.rejected_count == 1);
    RL_ASSERT(stats.retry_after == 10s);
    RL_ASSERT(this->core.load().config_number() == 1);
    this->set_time_of_all(22s);
    const std::array<Admission, 2> probes{this->admit(), this->admit()};
    RL_ASSERT(word_of(probes[0]).is_half_open() && word_of(probes[1]).is_half_open());
    RL_ASSERT(word_of(this->admit()).is_rejected());
    for (const Admission& one : probes) this->settle(one, Outcome::success);
    RL_ASSERT(this->core.state() == State::closed);
  }
};

}  // namespace

Scenarios reconfigurations() {
  return {
      holds<ReconfigureSeen<Flaw::none>>("reconfigure: the settings come before the word"),
      broken<ReconfigureSeen<Flaw::relaxed>>("reconfigure: the settings come before the word, without order"),
      holds<ReconfigureOfClosed<Flaw::none, false>>("reconfigure: while calls fail"),
      broken<ReconfigureOfClosed<Flaw::split, false>>("reconfigure: while calls fail, by a load and a store"),
      holds<ReconfigureOfClosed<Flaw::none, true>>("reconfigure: while calls fail, with a window"),
      broken<ReconfigureOfClosed<Flaw::unlocked, true>>(
          "reconfigure: while calls fail, with a window, without a lock"),
      holds<ReconfigureOfHalfOpen<Flaw::none>>("reconfigure: while a probe fails"),
      broken<ReconfigureOfHalfOpen<Flaw::unlocked>>("reconfigure: while a probe fails, without a lock"),
  };
}

}  // namespace checks
