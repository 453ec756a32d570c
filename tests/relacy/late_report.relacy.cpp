// A late report racing a transition counts, and moves nothing (B5, B6).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::State;
using fusebox::detail::Admission;

/// A call of before the opening fails while a probe closes the breaker.
template <Flaw flaw>
struct LateFailure : BreakerSuite<LateFailure<flaw>, 2, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s};
  }

  Admission late;
  Admission probe;

  void before() {
    late = this->admit();
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    probe = this->admit();
  }
  void act(unsigned thread) {
    if (thread == 0) this->settle(probe, Outcome::success);
    if (thread == 1) this->settle(late, Outcome::failure);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::closed);
    RL_ASSERT(stats.opened_count == 1);
    RL_ASSERT(stats.consecutive_failures == 0);
    RL_ASSERT(stats.failure_count == 2 && stats.success_count == 1);
  }
};

/// A probe of one half-open generation succeeds while the one of the next fails, and a call of before the
/// first opening fails later than both.
template <Flaw flaw>
struct LateProbe : BreakerSuite<LateProbe<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 2};
  }

  Admission late_failure;
  Admission late_probe;
  Admission probe;

  void before() {
    late_failure = this->admit();
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    late_probe = this->admit();
    this->call(Outcome::failure);
    this->set_time_of_all(20s);
    probe = this->admit();
    RL_ASSERT(word_of(late_probe).is_half_open() && word_of(probe).is_half_open());
  }
  void act(unsigned thread) {
    if (thread == 0) this->settle(probe, Outcome::failure);
    if (thread == 1) this->settle(late_probe, Outcome::success);
    if (thread == 2) {
      this->set_time(25s);
      this->settle(late_failure, Outcome::failure);
    }
  }
  void after() {
    this->set_time_of_all(25s);
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == State::open);
    RL_ASSERT(stats.opened_count == 3);
    RL_ASSERT(stats.retry_after == 5s);
    RL_ASSERT(stats.failure_count == 4 && stats.success_count == 1);
  }
};

/// A probe that was silent too long ends while two others ask for its slot.
template <Flaw flaw>
struct LateSlot : BreakerSuite<LateSlot<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .reset_timeout = 10s, .probe_timeout = 5s};
  }

  Admission silent;
  std::array<Admission, 3> admissions;

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    silent = this->admit();
    this->set_time_of_all(15s);
  }
  void act(unsigned thread) {
    if (thread == 0) return this->settle(silent, Outcome::ignored);
    admissions[thread] = this->admit();
  }
  void after() {
    RL_ASSERT(word_of(admissions[1]).is_rejected() != word_of(admissions[2]).is_rejected());
    RL_ASSERT(word_of(this->admit()).is_rejected());
    this->settle(admissions[word_of(admissions[1]).is_rejected() ? 2 : 1], Outcome::success);
    this->call(Outcome::success);
    RL_ASSERT(this->core.state() == State::closed);
  }
};

}  // namespace

Scenarios late_reports() {
  return {
      holds<LateFailure<Flaw::none>>("late report: a failure while a probe closes"),
      broken<LateFailure<Flaw::unstamped>>(
          "late report: a failure while a probe closes, without its generation"),
      holds<LateProbe<Flaw::none>>("late report: a success while the next probe fails"),
      broken<LateProbe<Flaw::unstamped>>(
          "late report: a success while the next probe fails, without its generation"),
      holds<LateSlot<Flaw::none>>("late report: a silent probe's slot is given away once"),
      broken<LateSlot<Flaw::unstamped>>(
          "late report: a silent probe's slot is given away once, whoever gives it back"),
  };
}

}  // namespace checks
