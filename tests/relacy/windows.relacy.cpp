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

/// A count window and the counter of recorded outcomes that its breaker keeps.
template <Flaw flaw>
struct CountedWindow {
  explicit CountedWindow(int calls) : window{calls} { window.begin(1, 0); }

  void begin(std::uint32_t generation) { window.begin(generation, now()); }
  void record(std::uint32_t generation, bool hit) {
    recorded.fetch_add(1, std::memory_order_relaxed);
    if (hit) window.record_hit(generation, [this] { return now(); });
  }
  void record_late(std::uint32_t generation) {
    window.leave_out_one();
    record(generation, true);
  }
  [[nodiscard]] Rate rate(std::uint32_t generation) const {
    return window.rate(generation, [this] { return now(); });
  }
  [[nodiscard]] std::uint64_t now() const { return recorded.load(std::memory_order_relaxed); }

  fusebox::detail::CountWindow<Sync<flaw>> window;
  typename Sync<flaw>::template Atomic<std::uint64_t> recorded{0};
};

/// More hits at once than a count window holds. They leave it one by one.
template <Flaw flaw>
struct HitsInFullWindow : ActingSuite<HitsInFullWindow<flaw>, 3, flaw> {
  CountedWindow<flaw> window{2};

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

/// Hits and misses while somebody asks for the rate, which drops what is too old. A hit that is counted and
/// not yet recorded is a miss meanwhile; one that is too old never counts.
template <Flaw flaw>
struct RateWhileHitsCome : ActingSuite<RateWhileHitsCome<flaw>, 3, flaw> {
  CountedWindow<flaw> window{2};

  void before() {
    window.record(1, true);
    window.record(1, false);
  }
  void act(unsigned thread) {
    if (thread == 0) window.record(1, true);
    if (thread == 1) window.record(1, false);
    if (thread == 2) {
      const Rate first = window.rate(1);
      RL_ASSERT(first.calls == 2 && first.hits <= 1);
      RL_ASSERT(window.rate(1).hits <= 1);
    }
  }
  void after() {
    RL_ASSERT(is(window.rate(1), 2, 1));
    window.record(1, true);
    RL_ASSERT(window.rate(1).hits >= 1);
    window.record(1, false);
    window.record(1, false);
    RL_ASSERT(is(window.rate(1), 2, 0));
  }
};

/// A hit of a generation that ends meanwhile, and one of the next. `is_stamped` is not so in a twin: there
/// the late one is taken for one of the new generation.
template <Flaw flaw, bool is_stamped = true>
struct GenerationsOfCountWindow : ActingSuite<GenerationsOfCountWindow<flaw, is_stamped>, 2, flaw> {
  CountedWindow<flaw> window{4};

  void before() { window.record(1, true); }
  void act(unsigned thread) {
    if (thread == 0) {
      window.window.record_hit(is_stamped ? 1 : 2, [this] { return window.now(); });
    } else {
      window.begin(2);
      window.record(2, true);
      RL_ASSERT(window.rate(2).hits == 1);
    }
  }
  void after() {
    RL_ASSERT(is(window.rate(2), 1, 1));
    window.record(2, false);
    RL_ASSERT(is(window.rate(2), 2, 1));
    for (int i = 0; i < 4; ++i) window.record(2, false);
    RL_ASSERT(is(window.rate(2), 4, 0));
  }
};

/// Records that begin a bucket of a time window together with a late one; `is_late_by_turn`: of an earlier
/// turn of the ring, otherwise of an earlier generation.
template <Flaw flaw, bool is_late_by_turn, bool is_stamped = true>
struct BeginningOfBucket : ActingSuite<BeginningOfBucket<flaw, is_late_by_turn, is_stamped>, 3, flaw> {
  fusebox::detail::TimeWindow<Sync<flaw>> window{10ns};
  static constexpr std::uint32_t generation = is_late_by_turn ? 2 : 1;
  static constexpr fusebox::detail::Tick number = is_late_by_turn ? 4 : 20;

  void before() {
    window.begin(generation);
    window.record(generation, number, true);
    if (!is_late_by_turn) window.begin(2);
  }
  void act(unsigned thread) {
    if (thread == 0 && is_stamped) {
      window.record(generation, number, true);
    } else {
      window.record(2, 20, true);
    }
  }
  void after() { RL_ASSERT(is(window.rate(2, 20), 2, 2)); }
};

/// A rate that is asked for while the bucket begins anew: never the old counts under the new number. Without
/// the shards' other buckets, which Relacy would visit one by one.
template <Flaw flaw>
struct RateAtBeginningOfBucket : ActingSuite<RateAtBeginningOfBucket<flaw>, 2, flaw> {
  fusebox::detail::TimeWindow<Sync<flaw>> window{10ns};

  void before() {
    window.begin(1);
    for (int i = 0; i < 3; ++i) window.record(1, 4, true);
  }
  void act(unsigned thread) {
    if (thread == 0) {
      window.record(1, 20, false);
    } else {
      const Rate rate = window.rate(1, 20);
      RL_ASSERT(rate.calls <= 1 && rate.hits == 0);
    }
  }
  void after() { RL_ASSERT(is(window.rate(1, 20), 1, 0)); }
};

/// Two calls fail at the same time, and only both together reach the rate; the clock's reading of one is in
/// the next bucket. In a time window both buckets have begun, so that neither call takes the lock.
template <Flaw flaw, bool is_time>
struct FailuresReachRate : BreakerSuite<FailuresReachRate<flaw, is_time>, 2, flaw> {
  static fusebox::CircuitBreakerConfig config() {
    const auto window = is_time ? fusebox::within(10s) : fusebox::last_calls(2);
    return {.failure_threshold = 0,
            .failure_rate = fusebox::FailureRate{
                .threshold = is_time ? 0.3 : 1.0, .minimum_calls = is_time ? 6 : 2, .window = window}};
  }

  std::array<fusebox::detail::Admission, 2> admissions;

  void before() {
    for (unsigned thread = 0; is_time && thread < 2; ++thread) {
      this->set_time(std::chrono::seconds{thread});
      for (int twice = 0; twice < 2; ++twice) {  // the first of a tick may move to another shard
        fusebox::detail::move_thread_to_shard(thread);
        this->call(Outcome::success);
      }
    }
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
      holds<RateWhileHitsCome<Flaw::none>>("count window: a rate while hits come"),
      broken<RateWhileHitsCome<Flaw::split>>("count window: a rate while hits come, by a load and a store"),
      holds<GenerationsOfCountWindow<Flaw::none>>("count window: a late report of the generation before"),
      broken<GenerationsOfCountWindow<Flaw::none, false>>(
          "count window: a late report of the generation before, without its generation"),
      broken<GenerationsOfCountWindow<Flaw::split>>(
          "count window: a late report of the generation before, by a load and a store"),
      holds<BeginningOfBucket<Flaw::none, false>>("time window: a late report of the generation before"),
      broken<BeginningOfBucket<Flaw::none, false, false>>(
          "time window: a late report of the generation before, without its generation"),
      broken<BeginningOfBucket<Flaw::split, false>>(
          "time window: a late report of the generation before, by a load and a store"),
      broken<BeginningOfBucket<Flaw::unlocked, false>>(
          "time window: a late report of the generation before, without the lock"),
      holds<BeginningOfBucket<Flaw::none, true>>("time window: a late report of the bucket's turn before"),
      broken<BeginningOfBucket<Flaw::relaxed, true>>(
          "time window: a late report of the bucket's turn before, without order"),
      holds<RateAtBeginningOfBucket<Flaw::none>>("time window: a rate while a bucket begins"),
      broken<RateAtBeginningOfBucket<Flaw::relaxed>>(
          "time window: a rate while a bucket begins, without order"),
      holds<FailuresReachRate<Flaw::none, false>>("count window: failures at once reach the rate"),
      broken<FailuresReachRate<Flaw::split, false>>(
          "count window: failures at once reach the rate, by a load and a store"),
      holds<FailuresReachRate<Flaw::none, true>>("time window: failures at once in neighbouring buckets"),
      broken<FailuresReachRate<Flaw::unordered, true>>(
          "time window: failures at once in neighbouring buckets, in no total order"),
  };
}

}  // namespace checks
