// A breaker that recovers: its calls share out what their shares add up to, and the end of one recovery does
// not end the next (B17).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::State;

/// Closed by a probe at 10 s, so that it recovers until 20 s.
template <class Suite, Flaw flaw>
struct Recovering : BreakerSuite<Suite, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    return {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s, .recovery_time = 10s};
  }

  void before() {
    this->call(Outcome::failure);
    this->set_time_of_all(10s);
    this->call(Outcome::success);
    RL_ASSERT(this->core.state() == State::closed && this->core.load().is_recovering());
  }
};

/// Six calls at 15 s, where the share is 0.55: four are admitted.
template <Flaw flaw>
struct Shares : Recovering<Shares<flaw>, flaw> {
  std::array<std::uint64_t, 3> admitted{};

  void act(unsigned thread) {
    this->set_time(15s);
    for (int calls = 0; calls < 2; ++calls) {
      const auto admission = this->admit();
      if (word_of(admission).is_rejected()) continue;
      ++admitted[thread];
      this->settle(admission, Outcome::ignored);
    }
  }
  void after() {
    RL_ASSERT(admitted[0] + admitted[1] + admitted[2] == 4);
    const auto stats = this->core.stats();
    RL_ASSERT(stats.ignored_count == 4 && stats.rejected_count == 2);
    RL_ASSERT(this->core.load().is_recovering());
  }
};

/// The recovery is over at 20 s, and two threads find out. One of them has opened the breaker since, and
/// closed it again, so that it recovers from 30 s on.
template <Flaw flaw>
struct EndOfRecovery : Recovering<EndOfRecovery<flaw>, flaw> {
  void act(unsigned thread) {
    this->set_time(20s);
    const auto admission = this->admit();
    if (thread > 0) return;
    RL_ASSERT(!word_of(admission).is_rejected());
    this->settle(admission, Outcome::failure);
    this->set_time(30s);
    this->call(Outcome::success);
  }
  void after() {
    const auto word = this->core.load();
    RL_ASSERT(word.is_closed() && word.is_recovering());
    this->set_time_of_all(40s);
    RL_ASSERT(!word_of(this->admit()).is_rejected());
    RL_ASSERT(!this->core.load().is_recovering());
    RL_ASSERT(this->core.load().generation() == word.generation());
  }
};

}  // namespace

Scenarios shares() {
  return {
      holds<Shares<Flaw::none>>("shares: no call too many and none too few"),
      broken<Shares<Flaw::split>>("shares: no call too many and none too few, by a load and a store"),
      holds<EndOfRecovery<Flaw::none>>("shares: the end of one recovery and the next"),
      broken<EndOfRecovery<Flaw::unchecked>>(
          "shares: the end of one recovery and the next, not looking again under the lock"),
  };
}

}  // namespace checks
