// reset() racing everything: the breaker is closed afterwards, as new, and what is reported falls on either
// side, once (B6, B13).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::State;
using fusebox::detail::Admission;

/// While a failure would open, and a success would end the run.
template <Flaw flaw>
struct ResetOfClosed : BreakerSuite<ResetOfClosed<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 2, .reset_timeout = 10s}; }

  Admission failing;
  Admission succeeding;

  void before() {
    this->call(Outcome::failure);
    failing = this->admit();
    succeeding = this->admit();
  }
  void act(unsigned thread) {
    if (thread == 0) this->core.reset();
    if (thread == 1) this->settle(failing, Outcome::failure);
    if (thread == 2) this->settle(succeeding, Outcome::success);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::closed);
    RL_ASSERT(stats.opened_count == 0);
    RL_ASSERT(stats.consecutive_failures == 0);
    RL_ASSERT(stats.failure_count <= 1 && stats.success_count <= 1);
    this->call(Outcome::failure);
    RL_ASSERT(this->core.state() == State::closed);
    this->call(Outcome::failure);
    RL_ASSERT(this->core.state() == State::open);
  }
};

/// While a probe fails, and another call comes.
template <Flaw flaw>
struct ResetOfHalfOpen : BreakerSuite<ResetOfHalfOpen<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 1, .reset_timeout = 10s}; }

  Admission probe;

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    probe = this->admit();
  }
  void act(unsigned thread) {
    if (thread == 0) this->core.reset();
    if (thread == 1) this->settle(probe, Outcome::failure);
    if (thread == 2) this->call(Outcome::success);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::closed);
    RL_ASSERT(stats.opened_count == 0);
    RL_ASSERT(stats.consecutive_failures == 0);
    RL_ASSERT(stats.failure_count == 0);
    RL_ASSERT(stats.success_count + stats.rejected_count <= 1);
    this->call(Outcome::failure);
    RL_ASSERT(this->core.stats().opened_count == 1);
    RL_ASSERT(this->core.retry_after() == 10s);
  }
};

/// While somebody else forces the breaker open, and a failure would open it.
template <Flaw flaw>
struct ResetAndForce : BreakerSuite<ResetAndForce<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 1, .reset_timeout = 10s}; }

  Admission failing;

  void before() { failing = this->admit(); }
  void act(unsigned thread) {
    if (thread == 0) this->core.reset();
    if (thread == 1) this->core.force_open();
    if (thread == 2) this->settle(failing, Outcome::failure);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::closed || stats.state == State::forced_open);
    RL_ASSERT(stats.opened_count == 0);
    RL_ASSERT(stats.consecutive_failures == 0);
    RL_ASSERT(stats.retry_after == 0s);
    RL_ASSERT(word_of(this->admit()).is_rejected() == (stats.state == State::forced_open));
    this->core.reset();
    RL_ASSERT(!word_of(this->admit()).is_rejected());
  }
};

/// While calls come that are probes, which fail, or find it closed, where they succeed.
template <Flaw flaw>
struct ResetOfOpen : BreakerSuite<ResetOfOpen<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 1, .reset_timeout = 10s}; }

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
  }
  void act(unsigned thread) {
    if (thread == 0) return this->core.reset();
    const Admission admission = this->admit();
    this->pause();
    if (!word_of(admission).is_rejected())
      this->settle(admission, word_of(admission).is_half_open() ? Outcome::failure : Outcome::success);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::closed);
    RL_ASSERT(stats.opened_count == 0);
    RL_ASSERT(stats.failure_count == 0);
    RL_ASSERT(stats.success_count + stats.rejected_count <= 2);
    this->call(Outcome::failure);
    RL_ASSERT(this->core.retry_after() == 10s);
  }
};

/// While somebody else disables the breaker, and a failure would open it by its rate.
template <Flaw flaw>
struct ResetAndDisable : BreakerSuite<ResetAndDisable<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {
        .failure_threshold = 0,
        .failure_rate = fusebox::FailureRate{.minimum_calls = 1, .window = fusebox::last_calls(2)},
    };
  }

  Admission failing;

  void before() { failing = this->admit(); }
  void act(unsigned thread) {
    if (thread == 0) this->core.reset();
    if (thread == 1) this->core.disable();
    if (thread == 2) this->settle(failing, Outcome::failure);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::closed || stats.state == State::disabled);
    RL_ASSERT(stats.opened_count == 0);
    RL_ASSERT(stats.failure_rate == 0);
    this->core.reset();
    this->call(Outcome::failure);
    RL_ASSERT(this->core.state() == State::open);
  }
};

}  // namespace

Scenarios resets() {
  return {
      holds<ResetOfClosed<Flaw::none>>("reset: while a call fails and another succeeds"),
      broken<ResetOfClosed<Flaw::unlocked>>("reset: while a call fails and another succeeds, without a lock"),
      broken<ResetOfClosed<Flaw::unstamped>>(
          "reset: while a call fails and another succeeds, without their generation"),
      holds<ResetOfHalfOpen<Flaw::none>>("reset: while a probe fails and a call comes"),
      broken<ResetOfHalfOpen<Flaw::unlocked>>("reset: while a probe fails and a call comes, without a lock"),
      broken<ResetOfHalfOpen<Flaw::unstamped>>(
          "reset: while a probe fails and a call comes, without their generation"),
      holds<ResetAndForce<Flaw::none>>("reset: while the breaker is forced open and a call fails"),
      broken<ResetAndForce<Flaw::unlocked>>(
          "reset: while the breaker is forced open and a call fails, without a lock"),
      holds<ResetOfOpen<Flaw::none>>("reset: while probes come and fail"),
      broken<ResetOfOpen<Flaw::unlocked>>("reset: while probes come and fail, without a lock"),
      broken<ResetOfOpen<Flaw::unstamped>>("reset: while probes come and fail, without their generation"),
      holds<ResetAndDisable<Flaw::none>>("reset: while the breaker is disabled and a call fails"),
      broken<ResetAndDisable<Flaw::unlocked>>(
          "reset: while the breaker is disabled and a call fails, without a lock"),
      broken<ResetAndDisable<Flaw::unstamped>>(
          "reset: while the breaker is disabled and a call fails, without its generation"),
  };
}

}  // namespace checks
