#include <fusebox/adaptive_limit.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/breaker_states.hpp"
#include "support/counting_sync.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"
#include "support/throttle.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::allocations_of;
using support::Breaker;

namespace {

using Result = support::Expected<int, std::error_code>;

const std::error_code refused = make_error_code(NetworkErrc::connection_refused);

/// Calls f often enough to include what happens only sometimes: a new bucket, another shard of the thread.
template <class F>
std::size_t allocations_of_calls(const test::FakeClock& clock, F f) {
  return allocations_of([&] {
    for (int i = 0; i < 50; ++i) {
      f();
      clock.advance(100ms);
    }
  });
}

using support::CountingSync;
using Counters = support::SyncCounters;
Counters& counters = CountingSync::counters;

using Core = detail::BreakerCore<test::FakeClock, CountingSync>;

template <class F>
Counters counters_of(F f) {
  counters = {};
  f();
  return counters;
}
template <class F>
int locks_of(F f) {
  return counters_of(f).locks;
}

detail::Admission call(Core& core, Outcome outcome) {
  const detail::Admission admission = core.admit(true);
  if (!detail::StateWord{admission}.is_rejected()) core.settle(admission, outcome);
  return admission;
}

CircuitBreakerConfig with_windows(Window window, int minimum_calls = 100) {
  return {.failure_threshold = 1000,
          .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = minimum_calls, .window = window},
          .slow_calls = SlowCalls{
              .slower_than = 1s, .threshold = 1.0, .minimum_calls = minimum_calls, .window = window}};
}

}  // namespace

TEST_CASE("N2 what a success, a failure and a rejection write, in atomic operations", "[N2]") {
  const test::FakeClock clock;
  struct Row {
    const char* what;
    CircuitBreakerConfig config;
    int adds;
    int exchanges;
  };
  for (const Row& row : {
           Row{"default", {}, 1, 0},
           Row{"rate of calls", {.failure_rate = FailureRate{}}, 1, 0},
           Row{"rate of time", {.failure_rate = FailureRate{.window = within(10s)}}, 1, 1},
           Row{"slow calls", {.slow_calls = SlowCalls{}}, 1, 0},
       }) {
    CAPTURE(row.what);
    Core core{"b", row.config, clock};
    for (int i = 0; i < 200; ++i) call(core, Outcome::success);  // so that the window is full
    const Counters counted = counters_of([&] { call(core, Outcome::success); });
    CHECK(counted.adds == row.adds);
    CHECK(counted.exchanges == row.exchanges);
    CHECK(counted.locks == 0);
  }
  // The first of its kind in a tick of the clock also writes the stamp.
  Core core{"b", {.failure_threshold = 3}, clock};
  call(core, Outcome::failure);
  const Counters failed = counters_of([&] { call(core, Outcome::failure); });
  CHECK(failed.adds == 1);
  CHECK(failed.exchanges == 1);
  call(core, Outcome::failure);
  REQUIRE(core.state() == State::open);
  call(core, Outcome::success);
  const Counters rejected = counters_of([&] { call(core, Outcome::success); });
  CHECK(rejected.adds == 1);
  CHECK(rejected.exchanges == 0);
}

TEST_CASE("the counters of this file count") {
  std::string text;
  CHECK(allocations_of([&] { text.assign(1000, 'x'); }) == 1);
  CHECK(allocations_of([] {}) == 0);
  Core core{"b", {.failure_threshold = 1}, {}};
  const Counters counted = counters_of([&] { call(core, Outcome::failure); });
  CHECK(core.state() == State::open);
  CHECK(counted.locks == 1);
  CHECK(locks_of([&] { (void)core.stats(); }) == 1);
}

TEST_CASE("N1 the closed path allocates nothing if op succeeds", "[N1]") {
  const test::FakeClock clock;
  for (const CircuitBreakerConfig& config :
       {CircuitBreakerConfig{}, with_windows(last_calls(100)), with_windows(within(10s))}) {
    Breaker breaker{"b", config, clock};
    int calls = 0;
    CHECK(allocations_of_calls(clock, [&] {
            calls += breaker.execute([] { return 1; });
            breaker.execute([] {});
            calls += breaker.execute([] { return 1; }, [] { return 2; });
            calls += breaker.execute([](Deadline) { return 1; }, {.timeout = 10s});
            calls += *breaker.execute([] { return Result{1}; });
            calls += breaker.execute([] { return std::error_code{}; }) ? 0 : 1;
          }) == 0);
    CHECK(calls == 250);
    CHECK(breaker.stats().success_count == 300);
  }
}

TEST_CASE("N1 the closed path allocates nothing if op returns a failure", "[N1]") {
  const test::FakeClock clock;
  for (const CircuitBreakerConfig& config :
       {CircuitBreakerConfig{.failure_threshold = 1000}, with_windows(last_calls(1000), 1000),
        with_windows(within(10ns))}) {
    Breaker breaker{"b", config, clock};
    const std::size_t allocated = allocations_of_calls(clock, [&] {
      (void)breaker.execute([] { return refused; });
      (void)breaker.execute([] { return Result{support::Unexpected{refused}}; });
      (void)breaker.execute([] { return Result{support::Unexpected{refused}}; }, [] { return Result{2}; });
      (void)breaker.execute([] { return refused; }, [](const Failure& failure) { return failure.code(); });
      (void)breaker.execute([] { return 1; }, failure_if([](int value) { return value == 1; }));
    });
    CHECK(allocated == 0);
    CHECK(breaker.stats().failure_count == 250);
    CHECK(breaker.state() == State::closed);
  }
}

TEST_CASE("N1 a slow or late call allocates nothing", "[N1]") {
  const test::FakeClock clock;
  Breaker breaker{"b", with_windows(last_calls(100)), clock};
  CHECK(allocations_of([&] {
          for (int i = 0; i < 20; ++i) {
            breaker.execute([&] { clock.advance(2s); });
            breaker.execute([&] { clock.advance(2s); }, {.timeout = 1s});
          }
        }) == 0);
  CHECK(breaker.stats().slow_count == 40);
  CHECK(breaker.stats().failure_count == 20);
}

TEST_CASE("N1 the rejected path with a fallback allocates nothing", "[N1]") {
  const test::FakeClock clock;
  Breaker breaker{"a breaker whose name is too long to be kept inside a std::string", {}, clock};
  const bool by_hand = GENERATE(false, true);
  if (by_hand) {
    breaker.force_open();
  } else {
    for (int i = 0; i < 5; ++i) breaker.try_acquire().failure();
  }
  const auto op = []() -> int { throw 1; };
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls += breaker.execute(op, [] { return 1; });
          calls += breaker.execute(op, [](const Failure& failure) { return failure.is_rejection() ? 1 : 0; });
          calls += breaker.execute(op, [](const Failure& failure) { return failure.retry_after() ? 1 : 0; });
          calls += breaker.execute(op, [] { return 1; }, {.timeout = 1s});
          breaker.execute([] {}, [&] { ++calls; });
        }) == 0);
  CHECK(calls == 250);
  CHECK(breaker.stats().rejected_count == 250);
}

TEST_CASE("N1 try_acquire() and the report of a permit allocate nothing", "[N1]") {
  const test::FakeClock clock;
  const auto breaker = std::make_shared<Breaker>("b", with_windows(within(10s)), clock);
  CHECK(allocations_of_calls(clock, [&] {
          breaker->try_acquire().success();
          breaker->try_acquire().failure();
          breaker->try_acquire().ignore();
          try_acquire(breaker).success();
        }) == 0);
  breaker->force_open();
  CHECK(allocations_of_calls(clock, [&] {
          (void)breaker->try_acquire();
          (void)try_acquire(breaker);
        }) == 0);
  CHECK(breaker->stats().rejected_count == 100);
}

TEST_CASE("N1 R8 a retry whose first attempt succeeds allocates nothing", "[N1][R8]") {
  const test::FakeClock clock;
  support::Budget budget;
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls += *retry_with_backoff([] { return 1; });
          retry_with_backoff([&] { ++calls; });
          calls += *try_retry_with_backoff([] { return 1; });
          calls += **retry_with_backoff([] { return Result{1}; });
          calls += *retry_with_backoff([](const Attempt& attempt) { return attempt.number; }, clock);
          calls += *retry_with_backoff([] { return 1; }, retry_presets::quick, clock, StopToken{},
                                       on_retry([](int, const Failure&, std::chrono::nanoseconds) {}),
                                       on_give_up([](const RetryStats&) {}),
                                       retry_if([](const Failure&) { return true; }),
                                       failure_if([](int value) { return value != 1; }), budget);
          calls += *retry_with_backoff([] { return 1; }, {.total_timeout = 10s, .idempotent = false}, clock);
        }) == 0);
  CHECK(calls == 350);
  CHECK(budget.deposits == 50);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("N1 a breaker around a retry, and a retry around a breaker, allocate nothing on success", "[N1]") {
  const test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls +=
              breaker.execute([&] { return retry_with_backoff([] { return 1; }, clock); }, [] { return 0; });
          calls += *retry_with_backoff([&] { return breaker.execute([] { return 1; }); }, clock);
        }) == 0);
  CHECK(calls == 100);
}

TEST_CASE("N5 windows and probe slots are allocated once, in the constructor", "[N5]") {
  const test::FakeClock clock;
  auto config = with_windows(last_calls(50), 50);
  config.failure_threshold = 3;
  config.half_open_max_calls = 20;
  Breaker breaker{"b", config, clock};
  CHECK(allocations_of([&] {
          for (int i = 0; i < 20; ++i) {
            while (breaker.state() == State::closed) breaker.try_acquire().failure();
            clock.advance(60s);
            for (int k = 0; k < 2; ++k) breaker.try_acquire().success();
            breaker.force_open();
            breaker.disable();
            breaker.reset();
          }
        }) == 0);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("N1 closed calls take no lock, however they end", "[N1]") {
  const test::FakeClock clock;
  for (const CircuitBreakerConfig& config :
       {CircuitBreakerConfig{.failure_threshold = 1000}, with_windows(last_calls(10), 10)}) {
    Core core{"b", config, clock};
    CHECK(locks_of([&] {
            for (int i = 0; i < 60; ++i) {
              for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) {
                call(core, outcome);
                clock.advance(50ms);
              }
            }
          }) == 0);
    CHECK(core.state() == State::closed);
    CHECK(core.stats().failure_count == 60);
  }
}

TEST_CASE("N1 closed calls take a time window's lock when a bucket begins, and no other", "[N1]") {
  const test::FakeClock clock;
  Core core{"b", with_windows(within(10s)), clock};
  const auto calls = [&] {
    for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) call(core, outcome);
  };
  for (int bucket = 0; bucket < 40; ++bucket) {
    // The first calls of a tick may move the thread to another shard, which has its own buckets.
    CHECK(locks_of([&] {
            calls();
            calls();
          }) <= 2 * static_cast<int>(detail::fewest_shards));
    CHECK(locks_of([&] {
            for (int i = 0; i < 10; ++i) calls();
          }) == 0);
    clock.advance(1s);
  }
}

TEST_CASE("N1 rejected calls take no lock", "[N1]") {
  const test::FakeClock clock;
  Core core{"b", {.failure_threshold = 1}, clock};
  const auto locks_of_rejections = [&] {
    return locks_of([&] {
      for (int i = 0; i < 20; ++i) {
        REQUIRE(detail::StateWord{core.admit(true)}.is_rejected());
        REQUIRE(detail::StateWord{core.admit(false)}.is_rejected());
      }
    });
  };
  SECTION("while open") {
    call(core, Outcome::failure);
    clock.advance(60s - 1ns);
    CHECK(locks_of_rejections() == 0);
  }
  SECTION("while half-open, with every slot held") {
    call(core, Outcome::failure);
    clock.advance(60s);
    const detail::Admission probe = core.admit(true);
    REQUIRE(detail::StateWord{probe}.is_half_open());
    CHECK(locks_of_rejections() == 0);
    core.settle(probe, Outcome::success);
  }
  SECTION("while forced open") {
    core.force_open();
    CHECK(locks_of_rejections() == 0);
  }
}

TEST_CASE("N1 calls of a disabled breaker, state() and retry_after() take no lock", "[N1]") {
  Core core{"b", {.failure_threshold = 1}, {}};
  call(core, Outcome::failure);
  CHECK(locks_of([&] {
          CHECK(core.state() == State::open);
          CHECK(core.retry_after() == 60s);
        }) == 0);
  core.disable();
  CHECK(locks_of([&] {
          for (int i = 0; i < 20; ++i) call(core, Outcome::failure);
        }) == 0);
}

TEST_CASE("N2 a success is one compare-exchange if it ends a run, otherwise none; an ignored call none",
          "[N2]") {
  Core core{"b", {.failure_threshold = 100}, {}};
  // The first of each kind in a tick of the clock also writes the stamp.
  call(core, Outcome::failure);
  call(core, Outcome::success);
  call(core, Outcome::failure);
  CHECK(counters_of([&] { call(core, Outcome::ignored); }).exchanges == 0);
  CHECK(counters_of([&] { call(core, Outcome::success); }).exchanges == 1);
  CHECK(counters_of([&] { call(core, Outcome::success); }).exchanges == 0);
}

TEST_CASE("W1 a call of an adaptive limit is three compare-exchanges, one more if its counts change",
          "[W1]") {
  using Limit = detail::AdaptiveCore<Aimd, test::FakeClock, CountingSync>;
  const test::FakeClock clock;
  Limit limit{"a", Aimd{}, AdaptiveLimitQueue{}, clock};
  const auto end = [&](detail::Admission call, detail::SampleKind kind) {
    const bool is_due = limit.record(call, kind);
    limit.give_back();
    if (is_due) limit.end_window();
  };
  const auto begin = [&] {
    REQUIRE(limit.try_take(Priority::normal));
    return limit.begin();
  };
  const auto call = [&](detail::SampleKind kind) { return counters_of([&] { end(begin(), kind); }); };
  using detail::SampleKind;
  CHECK(call(SampleKind::answered).exchanges == 4);  // one call under way: the most so far
  const Counters answered = call(SampleKind::answered);
  CHECK(answered.exchanges == 3);
  CHECK(answered.adds == 0);
  CHECK(answered.locks == 0);
  CHECK(call(SampleKind::none).exchanges == 2);
  CHECK(call(SampleKind::failed).exchanges == 3);
  CHECK(call(SampleKind::late).exchanges == 4);
  const detail::Admission first = begin();
  const detail::Admission second = begin();
  CHECK(counters_of([&] { end(second, SampleKind::answered); }).exchanges == 3);  // two under way
  CHECK(counters_of([&] { end(first, SampleKind::answered); }).exchanges == 2);
  // Neither a thin window whose time is over nor a rejection takes the lock more often than said here.
  clock.advance(1s);
  CHECK(call(SampleKind::answered).locks == 1);
  while (limit.adaptive_stats().windows == 0) (void)call(SampleKind::answered);
  CHECK(call(SampleKind::answered).locks == 0);
  std::vector<detail::Admission> calls;
  while (limit.in_use() < limit.limit()) calls.push_back(begin());
  CHECK(locks_of([&] {
          CHECK_FALSE(limit.try_take(Priority::normal));
          CHECK_FALSE(limit.try_pass(Priority::normal));
          limit.count_rejected(Priority::normal);
        }) == 0);
  for (const detail::Admission& one : calls) end(one, SampleKind::answered);
}

TEST_CASE("V3 V6 calls of a throttle allocate nothing, however they end", "[V3][V6]") {
  const test::FakeClock clock;
  const auto throttle = std::make_shared<support::FakeThrottle>(
      "a throttle whose name is too long to be kept inside a std::string",
      ThrottleConfig{.max_rejection = 1, .minimum_calls = 1000}, clock);
  CHECK(allocations_of_calls(clock, [&] {
          CHECK(throttle->execute([] { return 1; }) == 1);
          CHECK(*throttle->execute([] { return Result{1}; }) == 1);
          (void)throttle->execute([] { return Result{support::Unexpected{refused}}; });
          throttle->try_acquire().success();
          try_acquire(throttle).failure();
        }) == 0);
  CHECK(throttle->stats().total_requests == 250);
  CHECK(throttle->stats().total_accepts == 150);
  support::count(*throttle, 0, 1000, Priority::critical);
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls += throttle->execute([] { return Result{1}; }).error() == PolicyErrc::throttled ? 1 : 0;
          calls += throttle->try_acquire() ? 0 : 1;
          calls += try_acquire(throttle) ? 0 : 1;
        }) == 0);
  CHECK(calls == 150);
  CHECK(throttle->stats().rejected == 150);
}

TEST_CASE("V3 a call of a throttle reads the clock once, whether it is rejected or not", "[V3]") {
  const support::CountingClock clock;
  Throttle<support::CountingClock> throttle{
      "v", {.window = 1ms, .max_rejection = 1, .minimum_calls = 1000}, clock};
  const auto reads_of = [&](auto call) {
    const int before = clock.counts().now;
    call();
    return clock.counts().now - before;
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(reads_of([&] { throttle.execute([] {}); }) == 1);
    CHECK(reads_of([&] { (void)throttle.execute([] { return Result{support::Unexpected{refused}}; }); }) ==
          1);
    CHECK(reads_of([&] { throttle.try_acquire().success(); }) == 1);
  }
  std::vector<Permit> permits;
  for (int i = 0; i < 1000; ++i) permits.push_back(throttle.try_acquire(Priority::critical));
  for (Permit& permit : permits) permit.failure();
  CHECK(reads_of([&] {
          CHECK(throttle.execute([] { return Result{1}; }).error() == PolicyErrc::throttled);
        }) == 1);
}

TEST_CASE("X1 calls of chaos that it does not disturb allocate nothing", "[X1]") {
  const test::FakeClock clock;
  auto faults = chaos({.latency_rate = 1, .latency = 0ns}, clock);
  int calls = 0;
  const auto call = [&] { calls += faults.execute([] { return 1; }); };
  CHECK(allocations_of_calls(clock, call) == 0);
  faults.enable(true);
  CHECK(allocations_of_calls(clock, call) == 0);
  CHECK(calls == 100);
  CHECK(faults.stats().delays == 50);
}

TEST_CASE("P15 a pipeline reads its clock no more often than its policies nested by hand", "[P15]") {
  // Instructions are counted by the benchmarks; a reading of the clock is what costs most of all.
  const support::CountingClock clock;
  CircuitBreaker<support::CountingClock> breaker{"b", {}, clock};
  auto total = total_timeout(30s, clock);
  auto attempt = attempt_timeout(10s, clock);
  auto repeat = retry(clock);
  const auto reads_of = [&](auto call) {
    const int before = clock.counts().now;
    call();
    return clock.counts().now - before;
  };
  const auto pipeline = compose(total, repeat, breaker, attempt);
  const int composed = reads_of([&] { CHECK(pipeline.execute([] { return 1; }) == 1); });
  const int nested = reads_of([&] {
    CHECK(total.execute([&] {
      return repeat.execute([&] {
        return breaker.execute([&] { return attempt.execute([] { return 1; }); }, {.timeout = 10s});
      });
    }) == 1);
  });
  CHECK(composed <= nested);
  CHECK(allocations_of([&] { pipeline.execute([] { return 1; }); }) == 0);
}
