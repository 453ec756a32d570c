// The windows of the rate rules under concurrent records: none is lost, none is of another generation, and
// failures that come at the same time do not overlook one another (B3).
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::Outcome;
using fusebox::detail::Rate;

[[nodiscard]] bool is(const Rate& rate, std::uint32_t calls, std::uint32_t hits) {
  return rate.calls == calls && rate.hits == hits;
}

/// More hits at once than a count window holds.
template <Flaw flaw>
struct HitsInFullWindow : ActingSuite<HitsInFullWindow<flaw>, 3, flaw> {
  fusebox::detail::CountWindow<Sync<flaw>> window{2};

  void before() { window.record(1, false); }
  void act(unsigned /*thread*/) { window.record(1, true); }
  void after() {
    RL_ASSERT(is(window.rate(1), 2, 2));
    window.record(1, false);
    RL_ASSERT(is(window.rate(1), 2, 1));
    window.record(1, false);
    RL_ASSERT(is(window.rate(1), 2, 0));
  }
};

/// Hits of a generation that has just begun, and a report of the one that has just ended, which wants the
/// same place. `is_stamped` is not so in a twin: there it is taken for one of the new generation.
template <Flaw flaw, bool is_stamped = true>
struct GenerationsOfCountWindow : ActingSuite<GenerationsOfCountWindow<flaw, is_stamped>, 3, flaw> {
  fusebox::detail::CountWindow<Sync<flaw>> window{1};

  void before() { window.record(1, false); }
  void act(unsigned thread) { window.record(thread == 0 && is_stamped ? 1 : 2, thread != 0); }
  void after() {
    // Whoever came last has the place; the late report is nobody.
    RL_ASSERT(is(window.rate(2), 1, 1));
    window.record(2, false);
    RL_ASSERT(is(window.rate(2), 1, 0));
  }
};

/// The same in one bucket of a time window; `is_late` is of an earlier generation or of an earlier turn.
template <Flaw flaw, bool is_late_by_turn, bool is_stamped = true>
struct GenerationsOfBucket : ActingSuite<GenerationsOfBucket<flaw, is_late_by_turn, is_stamped>, 3, flaw> {
  fusebox::detail::TimeWindow<Sync<flaw>> window{10ns};
  static constexpr std::uint32_t generation = is_late_by_turn ? 2 : 1;
  static constexpr fusebox::detail::Tick number = is_late_by_turn ? 4 : 20;

  void before() { window.record(generation, number, true); }
  void act(unsigned thread) {
    if (thread == 0 && is_stamped) {
      window.record(generation, number, true);
    } else {
      window.record(2, 20, true);
    }
  }
  void after() { RL_ASSERT(is(window.rate(2, 20), 2, 2)); }
};

/// Two calls fail at the same time, and only both together reach the rate; the clock's reading of one may be
/// in the next bucket.
template <Flaw flaw, bool is_time>
struct FailuresReachRate : BreakerSuite<FailuresReachRate<flaw, is_time>, 2, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    const auto window = is_time ? fusebox::within(10s) : fusebox::last_calls(2);
    return {.failure_threshold = 0,
            .failure_rate = fusebox::FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = window}};
  }

  std::array<fusebox::detail::Admission, 2> admissions;

  void before() {
    for (auto& admission : admissions) admission = this->admit();
  }
  void act(unsigned thread) {
    this->set_time(is_time ? std::chrono::seconds{thread} : 0s);
    this->settle(admissions[thread], Outcome::failure);
  }
  void after() { RL_ASSERT(this->core.state() == fusebox::State::open); }
};

}  // namespace

Scenarios windows() {
  return {
      holds<HitsInFullWindow<Flaw::none>>("count window: hits at once"),
      broken<HitsInFullWindow<Flaw::split>>("count window: hits at once, by a load and a store"),
      holds<GenerationsOfCountWindow<Flaw::none>>("count window: a late report of the generation before"),
      broken<GenerationsOfCountWindow<Flaw::none, false>>(
          "count window: a late report of the generation before, without its generation"),
      broken<GenerationsOfCountWindow<Flaw::split>>(
          "count window: a late report of the generation before, by a load and a store"),
      holds<GenerationsOfBucket<Flaw::none, false>>("time window: a late report of the generation before"),
      broken<GenerationsOfBucket<Flaw::none, false, false>>(
          "time window: a late report of the generation before, without its generation"),
      broken<GenerationsOfBucket<Flaw::split, false>>(
          "time window: a late report of the generation before, by a load and a store"),
      holds<GenerationsOfBucket<Flaw::none, true>>("time window: a late report of the bucket's turn before"),
      broken<GenerationsOfBucket<Flaw::relaxed, true>>(
          "time window: a late report of the bucket's turn before, without order"),
      holds<FailuresReachRate<Flaw::none, false>>("count window: failures at once reach the rate"),
      broken<FailuresReachRate<Flaw::split, false>>(
          "count window: failures at once reach the rate, by a load and a store"),
      holds<FailuresReachRate<Flaw::none, true>>("time window: failures at once in neighbouring buckets"),
      broken<FailuresReachRate<Flaw::unordered, true>>(
          "time window: failures at once in neighbouring buckets, in no total order"),
  };
}

}  // namespace checks
