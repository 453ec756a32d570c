// Due time against word: nobody who sees an open breaker goes by the due time of another generation.
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::State;
using fusebox::detail::Admission;

/// Opened at 0 s, a probe under way from 10 s on, silent until 20 s. At 12 s it fails, so that the breaker is
/// open until 22 s; others ask at 12 s and 15 s.
template <Flaw flaw>
struct Reopening : BreakerSuite<Reopening<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 1, .reset_timeout = 10s}; }

  Admission probe;

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    probe = this->admit();
    this->set_time_of_all(12s);
  }
  void act(unsigned thread) {
    if (thread == 0) return this->settle(probe, Outcome::failure);
    if (thread == 1) this->set_time(15s);
    const auto left = thread == 1 ? 7s : 10s;
    const bool is_open = this->core.state() == State::open;
    const auto wait = this->core.retry_after();
    RL_ASSERT(wait == left || (!is_open && wait == 0s));
    const Admission admission = this->admit();
    RL_ASSERT(word_of(admission).is_rejected());
    const auto told = std::chrono::nanoseconds{admission.time};
    RL_ASSERT(told == left || (!is_open && told == 0s));
  }
  void after() {
    RL_ASSERT(this->core.state() == State::open);
    RL_ASSERT(this->core.stats().rejected_count == 2);
  }
};

/// The breaker closes and opens again, while who saw it half-open with all slots taken, and who sees it open
/// for the first time, ask for leave at 25 s. Its first wait was over at 10 s, its second is at 30 s.
template <Flaw flaw>
struct OpeningAgain : BreakerSuite<OpeningAgain<flaw>, 2, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s};
  }

  Admission probe;

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(18s);
    probe = this->admit();
    this->set_time_of_all(20s);
  }
  void act(unsigned thread) {
    if (thread == 0) {
      this->settle(probe, Outcome::success);
      return this->call(Outcome::failure);
    }
    this->set_time(25s);
    const Admission admission = this->admit();
    // Closed: admitted as any call. Half-open or open: nobody gets in.
    RL_ASSERT(word_of(admission).is_rejected() || !word_of(admission).is_half_open());
    const auto told = std::chrono::nanoseconds{word_of(admission).is_rejected() ? admission.time : 0};
    RL_ASSERT(told == 0s || told == 5s);
    if (word_of(admission).state() == State::open) RL_ASSERT(told == 5s);
  }
  void after() {
    RL_ASSERT(this->core.state() == State::open);
    this->set_time_of_all(29s);
    RL_ASSERT(word_of(this->admit()).is_rejected());
    this->set_time_of_all(30s);
    RL_ASSERT(word_of(this->admit()).is_half_open());
  }
};

}  // namespace

Scenarios due_times() {
  return {
      holds<Reopening<Flaw::none>>("due time: a failed probe's new wait"),
      broken<Reopening<Flaw::relaxed>>("due time: a failed probe's new wait, without order"),
      holds<OpeningAgain<Flaw::none>>("due time: open again after closing"),
      broken<OpeningAgain<Flaw::unchecked>>(
          "due time: open again after closing, not looking again under the lock"),
  };
}

}  // namespace checks
