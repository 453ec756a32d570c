// Simultaneous failures: n of them give one opening (B4).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

/// More calls are under way than the threshold asks for, and all fail at once.
template <Flaw flaw, int threshold>
struct Failures : BreakerSuite<Failures<flaw, threshold>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = threshold, .reset_timeout = 10s};
  }

  std::array<fusebox::detail::Admission, 3> admissions;

  void before() {
    for (auto& admission : admissions) admission = this->admit();
  }
  void act(unsigned index) { this->settle(admissions[index], fusebox::Outcome::failure); }
  void after() {
    const auto stats = this->core.stats();
    RL_ASSERT(stats.state == fusebox::State::open);
    RL_ASSERT(stats.opened_count == 1);
    RL_ASSERT(stats.consecutive_failures == threshold);
    RL_ASSERT(stats.failure_count == 3);
    RL_ASSERT(stats.retry_after == 10s);
  }
};

}  // namespace

Scenarios openings() {
  return {
      holds<Failures<Flaw::none, 2>>("failures at once: one opening"),
      holds<Failures<Flaw::none, 3>>("failures at once: none is lost"),
      broken<Failures<Flaw::split, 3>>("failures at once: the run moves on by a load and a store"),
      broken<Failures<Flaw::unlocked, 2>>("failures at once: one opening, without a lock"),
      broken<Failures<Flaw::unchecked, 2>>("failures at once: one opening, not looking again under the lock"),
  };
}

}  // namespace checks
