// The delivery of events: in order, each once, one at a time, and none after the subscription's end (B14).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::State;
using fusebox::StateChange;

/// The breaker is moved by several threads at once; one of the callbacks moves it too.
template <Flaw flaw>
struct Chain : BreakerSuite<Chain<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 1, .reset_timeout = 10s}; }

  State last = State::closed;
  int delivered = 0;
  bool is_delivering = false;

  void before() {
    this->core.subscribe(
        fusebox::detail::make_subscriber<StateChange, Sync<flaw>>([this](const StateChange& change) {
          RL_ASSERT(!is_delivering);
          is_delivering = true;
          RL_ASSERT(change.from == last && change.from != change.to);
          last = change.to;
          ++delivered;
          rl::ctx().sched();
          if (change.to == State::disabled) this->core.reset();
          RL_ASSERT(last == change.to);
          is_delivering = false;
        }));
  }
  void act(unsigned thread) {
    if (thread == 0) this->core.force_open();
    if (thread == 1) this->core.disable();
    if (thread == 2) this->call(Outcome::failure);
  }
  void after() {
    RL_ASSERT(last == this->core.state());
    // closed to open, forced-open, disabled and back
    RL_ASSERT(delivered >= 3 && delivered <= 4);
  }
};

/// A subscription ends while an event is delivered.
template <Flaw flaw>
struct EndOfSubscription : BreakerSuite<EndOfSubscription<flaw>, 2, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {}; }

  std::shared_ptr<fusebox::detail::Subscriber<Sync<flaw>>> subscriber;
  bool has_ended = false;
  int calls = 0;
  static inline EndOfSubscription* suite = nullptr;

  void before() {
    suite = this;
    // Without captures, so that a twin which calls it after it was released comes to the assertion.
    subscriber = fusebox::detail::make_subscriber<StateChange, Sync<flaw>>([](const StateChange& /*change*/) {
      RL_ASSERT(!suite->has_ended);
      ++suite->calls;
      rl::ctx().sched();
      RL_ASSERT(!suite->has_ended);
    });
    this->core.subscribe(subscriber);
  }
  void act(unsigned thread) {
    if (thread == 0) this->core.force_open();
    if (thread == 1) {
      subscriber->stop();
      has_ended = true;
    }
  }
  void after() {
    RL_ASSERT(calls <= 1);
    this->core.reset();
    RL_ASSERT(calls <= 1);
  }
};

}  // namespace

Scenarios events() {
  return {
      holds<Chain<Flaw::none>>("events: each once, in order, one at a time"),
      broken<Chain<Flaw::unlocked>>("events: each once, in order, one at a time, without locks"),
      holds<EndOfSubscription<Flaw::none>>("events: none after the subscription's end"),
      broken<EndOfSubscription<Flaw::unordered>>(
          "events: none after the subscription's end, in no total order"),
      broken<EndOfSubscription<Flaw::silent>>(
          "events: none after the subscription's end, which waits for what runs and is not woken"),
  };
}

}  // namespace checks
