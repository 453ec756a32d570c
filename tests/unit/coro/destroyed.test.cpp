// Coroutines that are destroyed where they wait (A8), and the queues in which they wait (A14).
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using fusebox::Failure;
using fusebox::test::AsyncFakeClock;
using support::Task;

namespace {

constexpr fusebox::RetryConfig thrice{.max_retries = 3, .base_delay = 1s, .jitter = fusebox::Jitter::none};

struct Budget {
  int withdrawn = 0;
  bool try_withdraw() { return ++withdrawn > 0; }
  void give_back() { --withdrawn; }
};

/// A call that waits everywhere: in a bulkhead's queue, for a permit of a limiter, in op, between attempts,
/// and in a fallback.
struct Scene {
  AsyncFakeClock clock;
  fusebox::Bulkhead<AsyncFakeClock> bulkhead{
      "b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 60s}, clock};
  fusebox::RateLimiter<AsyncFakeClock> limiter{"l", {.permits = 1, .per = 1s, .max_wait = 60s}, clock};
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{"b", {.failure_threshold = 100}, clock};
  Budget budget;
  support::Gate gate;
  int calls = 0;
  int given_up = 0;
  std::shared_ptr<int> alive = std::make_shared<int>();
  fusebox::Permit held = bulkhead.try_acquire();

  Scene() { CHECK(limiter.try_acquire()); }

  auto pipeline() {
    auto fall_back = [this](const Failure& failure) -> Task<int> {
      co_await gate;
      co_return failure.status().value_or(0);
    };
    auto retry =
        fusebox::retry(thrice, clock, budget, fusebox::on_give_up([this](const auto&) { ++given_up; }));
    return compose(fusebox::fallback(fall_back), bulkhead, limiter, fusebox::total_timeout(500s, clock),
                   std::move(retry), breaker);
  }
  auto op() {
    return [this, kept = alive](const fusebox::Call&) -> Task<int> {
      ++calls;
      co_await gate;
      throw support::unavailable();
      co_return *kept;
    };
  }

  /// From the n-th suspension to the next.
  void go_on(int n) {
    switch (n) {
      case 1:
        held = {};
        clock.advance(0s);
        return;
      case 2: clock.advance(1s); return;
      case 4: clock.advance(1s); return;
      case 6: clock.advance(2s); return;
      case 8: clock.advance(4s); return;
      default: gate.resume(); return;
    }
  }
};

}  // namespace

TEST_CASE("A8 a coroutine that is destroyed at any suspension gives back what it holds", "[A8]") {
  constexpr int suspensions = 10;
  for (int last = 1; last <= suspensions; ++last) {
    CAPTURE(last);
    Scene s;
    const auto pipeline = s.pipeline();
    {
      auto op = s.op();
      auto task = pipeline.execute(std::move(op));
      task.start();
      for (int n = 1; n < last; ++n) s.go_on(n);
      REQUIRE_FALSE(task.is_done());
      CHECK(s.calls == (last < 3 ? 0 : last > 9 ? 4 : (last - 1) / 2));
      CHECK(s.bulkhead.stats().waiting == (last == 1 ? 1 : 0));
      CHECK(s.alive.use_count() == 2);
    }
    s.held = {};
    const bool is_in_op = last == 3 || last == 5 || last == 7 || last == 9;
    const bool is_in_fallback = last == 10;
    CHECK(s.alive.use_count() == 1);
    CHECK(s.given_up == (is_in_fallback ? 1 : 0));
    CHECK(s.bulkhead.stats().in_use == 0);
    CHECK(s.bulkhead.stats().waiting == 0);
    CHECK(s.breaker.stats().ignored_count == (is_in_op ? 1 : 0));
    CHECK(s.breaker.stats().failure_count == static_cast<std::uint64_t>(is_in_op ? s.calls - 1 : s.calls));
    CHECK(s.budget.withdrawn == (s.calls < 2 ? 0 : s.calls - 1));  // a wait that did not end gives back
    CHECK(s.clock.advance(1000s) == 0);
    CHECK(s.limiter.try_acquire());
  }
}

TEST_CASE("A8 the scene comes to its end if nobody destroys it", "[A8]") {
  Scene s;
  const auto pipeline = s.pipeline();
  auto task = pipeline.execute(s.op());
  task.start();
  for (int n = 1; n <= 10; ++n) s.go_on(n);
  REQUIRE(task.is_done());
  CHECK(task.result() == 503);
  CHECK(s.calls == 4);
}

TEST_CASE("A8 a probe that is destroyed frees its slot", "[A8]") {
  const AsyncFakeClock clock;
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{
      "b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 1s}, clock};
  const auto fail = []() -> Task<int> {
    throw support::unavailable();
    co_return 0;
  };
  CHECK_THROWS(support::run(breaker.execute(fail)));
  clock.advance(1s);
  support::Gate gate;
  const auto op = [&]() -> Task<int> {
    co_await gate;
    co_return 1;
  };
  {
    auto probe = breaker.execute(op);
    probe.start();
    CHECK(breaker.state() == fusebox::State::half_open);
    auto other = breaker.execute(op);
    other.start();
    REQUIRE(other.is_done());
    CHECK_THROWS_AS(other.result(), fusebox::CircuitOpenError);
  }
  auto probe = breaker.execute(op);
  probe.start();
  gate.resume();
  CHECK(probe.result() == 1);
  CHECK(breaker.state() == fusebox::State::closed);
}

// A14.

TEST_CASE("A14 a queued coroutine goes on on its clock, not on the stack of who gives the slot back",
          "[A14]") {
  const AsyncFakeClock clock;
  fusebox::Bulkhead<AsyncFakeClock> bulkhead{
      "b", {.max_concurrent = 1, .max_waiting = 9, .max_wait = 60s}, clock};
  bool releases = false;
  int done = 0;
  const auto op = [&]() -> Task<int> {
    CHECK_FALSE(releases);
    co_return ++done;
  };
  auto held = bulkhead.try_acquire();
  auto first = bulkhead.execute(op);
  auto second = bulkhead.execute(op);
  first.start();
  second.start();
  CHECK(bulkhead.stats().waiting == 2);
  releases = true;
  held = {};
  releases = false;
  CHECK(done == 0);
  CHECK(bulkhead.stats().in_use == 1);
  clock.advance(0s);
  CHECK(first.is_done());
  CHECK(second.is_done());
  CHECK(done == 2);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("A14 max_wait ends a wait in a queue with a rejection, a stop with CancelledError", "[A14]") {
  const AsyncFakeClock clock;
  fusebox::Bulkhead<AsyncFakeClock> bulkhead{
      "b", {.max_concurrent = 1, .max_waiting = 9, .max_wait = 5s}, clock};
  const auto op = []() -> Task<int> { co_return 1; };
  const auto held = bulkhead.try_acquire();
  auto task = bulkhead.execute(op);
  task.start();
  clock.advance(5s);
  REQUIRE(task.is_done());
  CHECK_THROWS_AS(task.result(), fusebox::BulkheadFullError);
  std::stop_source stop;
  auto stopped = bulkhead.execute(op, stop.get_token());
  stopped.start();
  stop.request_stop();
  clock.advance(0s);
  REQUIRE(stopped.is_done());
  CHECK_THROWS_AS(stopped.result(), fusebox::CancelledError);
}
