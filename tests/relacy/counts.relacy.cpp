// Conservation of counts: every report and rejection counts once, whatever the state, and no count ever falls
// (B13).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::State;

template <Flaw flaw>
struct Counts : BreakerSuite<Counts<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 2, .success_threshold = 1, .reset_timeout = 10s};
  }

  struct Made {
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
    std::uint64_t ignored = 0;
    std::uint64_t rejected = 0;
  };
  std::array<Made, 3> made;

  void call_counted(Made& by, Outcome outcome) {
    const auto admission = this->admit();
    if (word_of(admission).is_rejected()) {
      ++by.rejected;
      return;
    }
    this->settle(admission, outcome);
    ++(outcome == Outcome::success ? by.successes : outcome == Outcome::failure ? by.failures : by.ignored);
  }

  void act(unsigned thread) {
    Made& by = made[thread];
    if (thread < 2) {
      call_counted(by, Outcome::failure);
      this->set_time(10s);
      call_counted(by, thread == 0 ? Outcome::success : Outcome::failure);
      return;
    }
    const auto first = this->core.stats();
    call_counted(by, Outcome::ignored);
    const auto then = this->core.stats();
    RL_ASSERT(first.success_count <= then.success_count && first.failure_count <= then.failure_count);
    RL_ASSERT(first.ignored_count <= then.ignored_count && first.rejected_count <= then.rejected_count);
    RL_ASSERT(first.opened_count <= then.opened_count);
    RL_ASSERT(then.ignored_count + then.rejected_count >= 1);
    RL_ASSERT(then.last_failure_time.has_value() == (then.failure_count > 0));
  }

  void after() {
    const auto stats = this->core.stats();
    Made all;
    for (const Made& by : made) {
      all.successes += by.successes;
      all.failures += by.failures;
      all.ignored += by.ignored;
      all.rejected += by.rejected;
    }
    RL_ASSERT(stats.success_count == all.successes && stats.failure_count == all.failures);
    RL_ASSERT(stats.ignored_count == all.ignored && stats.rejected_count == all.rejected);
    RL_ASSERT(stats.success_count + stats.failure_count + stats.ignored_count + stats.rejected_count == 5);
  }
};

}  // namespace

Scenarios counts() {
  return {
      holds<Counts<Flaw::none>>("counts: each call once"),
      broken<Counts<Flaw::split>>("counts: each call once, by a load and a store"),
  };
}

}  // namespace checks
