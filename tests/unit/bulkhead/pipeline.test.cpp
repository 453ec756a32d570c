#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <stop_token>
#include <vector>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;

namespace {

constexpr BulkheadConfig queued{.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s};

}  // namespace

TEST_CASE("K4 in a call that is driven by hand a full bulkhead asks for a wait", "[K4]") {
  FakeBulkhead bulkhead{"b", queued};
  const auto pipeline = compose(bulkhead);
  Permit held = bulkhead.try_acquire();
  auto run = pipeline.start<int>();
  const Step step = run.next();
  REQUIRE(step.kind == Step::Kind::wait);
  CHECK(step.wait == 10s);
  CHECK(bulkhead.stats().waiting == 1);
  held.success();
  CHECK(run.wait_token().stop_requested());
  run.waited(false);
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(bulkhead.stats().in_use == 1);
  run.report(7);
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(run.result() == 7);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.clock().sleeps().empty());
}

TEST_CASE("K8 in a call that is driven by hand a wait to its end is a rejection", "[K8]") {
  FakeBulkhead bulkhead{"b", queued};
  const auto pipeline = compose(bulkhead);
  const Permit held = bulkhead.try_acquire();
  auto run = pipeline.start<int>();
  REQUIRE(run.next().kind == Step::Kind::wait);
  run.waited();
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK_THROWS_AS(run.result(), BulkheadFullError);
}

TEST_CASE("K3 a call that is driven by hand and given up leaves the queue", "[K3]") {
  FakeBulkhead bulkhead{"b", queued};
  const auto pipeline = compose(bulkhead);
  Permit held = bulkhead.try_acquire();
  {
    auto run = pipeline.start<int>();
    REQUIRE(run.next().kind == Step::Kind::wait);
    held.success();
  }
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().waiting == 0);
}

TEST_CASE("K8 a wait that a limit around the bulkhead ends is a rejection, also if op can be stopped",
          "[K8]") {
  FakeBulkhead bulkhead{"b", queued};
  const Permit held = bulkhead.try_acquire();
  const auto pipeline = compose(total_timeout(3s, bulkhead.clock()), bulkhead);
  CHECK_THROWS_AS(pipeline.execute([](std::stop_token) {}), BulkheadFullError);
  CHECK_THROWS_AS(pipeline.execute([] {}), BulkheadFullError);
  CHECK(bulkhead.stats().rejected == 2);
  CHECK(bulkhead.clock().sleeps() == std::vector<std::chrono::nanoseconds>{3s, 3s});
}

TEST_CASE("K5 around a retry a bulkhead holds one slot for all attempts, inside it one for each", "[K5]") {
  const test::FakeClock clock;
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1}, clock};
  const auto again = [] {
    return retry(RetryConfig{.max_retries = 2, .jitter = Jitter::none}, test::FakeClock{});
  };
  const auto fails = []() -> int { throw ApiError{ErrorCode::service_unavailable, "down"}; };
  CHECK_THROWS_AS(compose(bulkhead, again()).execute(fails), ApiError);
  CHECK(bulkhead.stats().admitted == 1);
  CHECK_THROWS_AS(compose(again(), bulkhead).execute(fails), ApiError);
  CHECK(bulkhead.stats().admitted == 4);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K1 a retry does not repeat the rejection of a bulkhead inside it, and a breaker ignores it",
          "[K1]") {
  const test::FakeClock clock;
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1}, clock};
  CircuitBreaker breaker{"c", {.failure_threshold = 1}, clock};
  const Permit held = bulkhead.try_acquire();
  const auto pipeline = compose(retry(RetryConfig{.max_retries = 2}, clock), breaker, bulkhead);
  CHECK_THROWS_AS(pipeline.execute([] {}), BulkheadFullError);
  CHECK(bulkhead.stats().rejected == 1);
  CHECK(breaker.state() == State::closed);
  CHECK(clock.sleeps().empty());
}
