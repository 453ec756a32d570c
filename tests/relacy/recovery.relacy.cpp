// Recovery by n threads: at most half_open_max_calls slots are held, and exactly that many get in (B4).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

/// A breaker that is due; every thread calls, and nobody reports before all have called. `has_past`: a reset
/// left earlier probes silent, so that all slots were taken for long.
template <Flaw flaw, bool has_past = false>
struct Recovery : BreakerSuite<Recovery<flaw, has_past>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1,
            .success_threshold = 2,
            .reset_timeout = 10s,
            .half_open_max_calls = 2,
            .probe_timeout = 100s};
  }

  std::array<fusebox::detail::Admission, 3> admissions;

  void before() {
    this->call(fusebox::Outcome::failure);
    this->set_time_of_all(10s);
    if (!has_past) return;
    RL_ASSERT(word_of(this->admit()).is_half_open() && word_of(this->admit()).is_half_open());
    this->core.reset();
    this->call(fusebox::Outcome::failure);
    this->set_time_of_all(20s);
  }
  void act(unsigned thread) { admissions[thread] = this->admit(); }
  void after() {
    std::uint64_t rejected = 0;
    for (const auto& admission : admissions) rejected += word_of(admission).is_rejected() ? 1 : 0;
    RL_ASSERT(rejected == 1);
    RL_ASSERT(this->core.state() == fusebox::State::half_open);
    RL_ASSERT(this->core.stats().rejected_count == rejected);
    for (const auto& admission : admissions) {
      if (!word_of(admission).is_rejected()) this->settle(admission, fusebox::Outcome::success);
    }
    RL_ASSERT(this->core.state() == fusebox::State::closed);
  }
};

/// The same, but probes report; no more than one slot is ever held, and success_threshold calls close.
template <Flaw flaw>
struct RecoveryOneByOne : BreakerSuite<RecoveryOneByOne<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .success_threshold = 3, .reset_timeout = 10s};
  }

  int probing = 0;

  void before() {
    this->call(fusebox::Outcome::failure);
    this->set_time_of_all(10s);
  }
  void act(unsigned /*index*/) {
    const auto admission = this->admit();
    if (word_of(admission).is_rejected()) return;
    RL_ASSERT(word_of(admission).is_half_open());
    RL_ASSERT(++probing == 1);
    rl::ctx().sched();  // others come while the probe is under way
    --probing;
    this->settle(admission, fusebox::Outcome::success);
  }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.success_count + stats.rejected_count == 3);
    RL_ASSERT((stats.state == fusebox::State::closed) == (stats.success_count == 3));
    // No slot is lost: from here a healthy dependency closes the breaker.
    for (auto left = stats.success_count; left < 3; ++left) this->call(fusebox::Outcome::success);
    RL_ASSERT(this->core.state() == fusebox::State::closed);
  }
};

}  // namespace

Scenarios recovery() {
  return {
      holds<Recovery<Flaw::none>>("recovery: as many threads get in as there are slots"),
      broken<Recovery<Flaw::unlocked>>("recovery: as many threads get in as there are slots, without a lock"),
      broken<Recovery<Flaw::unchecked>>(
          "recovery: as many threads get in as there are slots, not looking again under the lock"),
      holds<Recovery<Flaw::none, true>>("recovery: slots of a past that was reset are free"),
      broken<Recovery<Flaw::relaxed, true>>(
          "recovery: slots of a past that was reset are free, without order"),
      holds<RecoveryOneByOne<Flaw::none>>("recovery: one probe at a time, and no slot is lost"),
      broken<RecoveryOneByOne<Flaw::unlocked>>("recovery: one probe at a time, without a lock"),
  };
}

}  // namespace checks
