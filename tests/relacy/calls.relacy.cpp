// Those who listen to calls hear each once, and nothing after their subscription has ended (B18).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::CallEvent;
using fusebox::Outcome;

/// Somebody begins to listen while calls end that somebody else hears already.
template <Flaw flaw>
struct Listening : BreakerSuite<Listening<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 5}; }

  int heard = 0;
  int heard_by_second = 0;

  void before() {
    this->core.subscribe_to_calls(
        fusebox::detail::make_subscriber<CallEvent, Sync<flaw>>([this](const CallEvent& event) {
          RL_ASSERT(event.outcome == Outcome::failure && event.duration == 0s);
          ++heard;
        }));
  }
  void act(unsigned thread) {
    if (thread > 0) return this->call(Outcome::failure);
    this->core.subscribe_to_calls(fusebox::detail::make_subscriber<CallEvent, Sync<flaw>>(
        [this](const CallEvent& /*event*/) { ++heard_by_second; }));
  }
  void after() {
    RL_ASSERT(heard == 2 && heard_by_second <= 2);
    const auto stats = this->core.stats();
    RL_ASSERT(stats.in_flight == 0U);
    RL_ASSERT(stats.failure_count == 2 && stats.consecutive_failures == 2);
    this->call(Outcome::failure);
    RL_ASSERT(heard == 3 && heard_by_second >= 1);
  }
};

/// The only subscription ends while calls end.
template <Flaw flaw>
struct EndOfListening : BreakerSuite<EndOfListening<flaw>, 3, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 5}; }

  std::shared_ptr<fusebox::detail::Subscriber<Sync<flaw>>> subscriber;
  bool has_ended = false;
  int calls = 0;
  static inline EndOfListening* suite = nullptr;

  void before() {
    suite = this;
    // Without captures, so that a twin which calls it after it was released comes to the assertion.
    subscriber = fusebox::detail::make_subscriber<CallEvent, Sync<flaw>>([](const CallEvent& /*event*/) {
      RL_ASSERT(!suite->has_ended);
      ++suite->calls;
      rl::ctx().sched();
      RL_ASSERT(!suite->has_ended);
    });
    this->core.subscribe_to_calls(subscriber);
  }
  void act(unsigned thread) {
    if (thread > 0) return this->call(Outcome::failure);
    subscriber->stop();
    has_ended = true;
  }
  void after() {
    const int before = calls;
    RL_ASSERT(before <= 2);
    RL_ASSERT(!this->core.stats().in_flight);
    this->call(Outcome::failure);
    RL_ASSERT(calls == before);
    RL_ASSERT(!this->core.load().is_observed());
    RL_ASSERT(this->core.stats().consecutive_failures == 3);
    // No call is left in the count.
    this->core.subscribe_to_calls(
        fusebox::detail::make_subscriber<CallEvent, Sync<flaw>>([](const CallEvent& /*event*/) {}));
    RL_ASSERT(this->core.stats().in_flight == 0U);
  }
};

/// Who is rejected by an open breaker finds the failure that opened it. `looks_early`: a twin that looks for
/// the failure before the state.
template <Flaw flaw, bool looks_early = false>
struct CauseOfOpening : BreakerSuite<CauseOfOpening<flaw, looks_early>, 2, flaw> {
  static fusebox::CircuitBreakerConfig config() { return {.failure_threshold = 1, .reset_timeout = 10s}; }

  fusebox::detail::Admission failing;

  void before() { failing = this->admit(); }
  void act(unsigned thread) {
    if (thread == 0) {
      const fusebox::Failure failure{std::make_error_code(std::errc::connection_refused)};
      return this->settle(failing, Outcome::failure, &failure);
    }
    const bool known = has_cause(fusebox::detail::StateWord{fusebox::State::open, 2, 1});
    if (looks_early) this->pause();
    const auto word = word_of(this->admit());
    if (word.is_rejected()) RL_ASSERT(looks_early ? known : has_cause(word));
  }
  void after() {
    RL_ASSERT(this->core.state() == fusebox::State::open);
    RL_ASSERT(this->core.stats().last_failure.has_value());
  }
  [[nodiscard]] bool has_cause(fusebox::detail::StateWord rejected) const {
    return this->core.rejection_error(rejected, 0ns).cause().has_value();
  }
};

}  // namespace

Scenarios calls() {
  return {
      holds<Listening<Flaw::none>>("calls: each is heard once"),
      broken<Listening<Flaw::split>>("calls: each is heard once, by a load and a store"),
      holds<EndOfListening<Flaw::none>>("calls: none is heard after the subscription's end"),
      broken<EndOfListening<Flaw::unordered>>(
          "calls: none is heard after the subscription's end, in no total order"),
      holds<CauseOfOpening<Flaw::none>>("calls: a rejection knows why the breaker opened"),
      broken<CauseOfOpening<Flaw::none, true>>(
          "calls: a rejection knows why the breaker opened, looking before the state"),
  };
}

}  // namespace checks
