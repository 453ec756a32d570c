#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/breaker_states.hpp"
#include "support/counting_sync.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"

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
