// Chaos among other policies, and in every kind of control flow.
#include <fusebox/bulkhead.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/task.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::AsyncFakeClock;
using test::FakeClock;

namespace {

constexpr ChaosConfig all_fail{.fault_rate = 1, .seed = 1};
constexpr ChaosConfig all_wait{.latency_rate = 1, .latency = 300ms, .seed = 1};
constexpr RetryConfig twice{.max_retries = 2, .base_delay = 0s, .max_delay = 0s};

template <class C>
Chaos<C> enabled(const ChaosConfig& config, const C& clock) {
  auto made = chaos(config, clock);
  made.enable(true);
  return made;
}

struct Bench {
  FakeClock clock;
  CircuitBreaker<FakeClock> breaker{"b", {.failure_threshold = 3}, clock};
  int calls = 0;
  auto op() {
    return [this] { return ++calls; };
  }
};

}  // namespace

TEST_CASE("X2 X5 a fault is a failure to a breaker and to a retry around it", "[X2][X5]") {
  Bench bench;
  auto faults = enabled(all_fail, bench.clock);
  auto call = compose(retry(twice, bench.clock), bench.breaker, faults);
  CHECK_THROWS_AS(call.execute(bench.op()), ApiError);
  CHECK(bench.calls == 0);
  CHECK(faults.stats().faults == 3);
  CHECK(bench.breaker.stats().failure_count == 3);
  CHECK(bench.breaker.state() == State::open);
  CHECK_THROWS_AS(call.execute(bench.op()), CircuitOpenError);
  CHECK(faults.stats().calls == 3);
}

TEST_CASE("X2 a fault of a status that is not transient is not retried", "[X2]") {
  Bench bench;
  auto faults = enabled({.fault_rate = 1, .fault = ErrorCode::not_found}, bench.clock);
  CHECK_THROWS_AS(compose(retry(twice, bench.clock), faults).execute(bench.op()), ApiError);
  CHECK(faults.stats().faults == 1);
}

TEST_CASE("X2 a retry waits as long as a fault asks", "[X2]") {
  Bench bench;
  auto faults = enabled({.fault_rate = 1, .retry_after = 7s}, bench.clock);
  CHECK_THROWS_AS(
      compose(retry({.max_retries = 1, .max_delay = 10s}, bench.clock), faults).execute(bench.op()),
      ApiError);
  REQUIRE(bench.clock.sleeps().size() == 1);
  CHECK(bench.clock.sleeps().front() >= 7s);  // and a jitter (R5)
}

TEST_CASE("X2 a fallback replaces a fault, and one for rejections does not", "[X2]") {
  Bench bench;
  auto faults = enabled(all_fail, bench.clock);
  CHECK(compose(fallback([] { return -1; }), faults).execute(bench.op()) == -1);
  CHECK_THROWS_AS(compose(fallback_when_rejected([] { return -1; }), faults).execute(bench.op()), ApiError);
}

TEST_CASE("X5 what is inside chaos sees nothing of a fault, and chaos inside a retry sees each attempt",
          "[X5]") {
  Bench bench;
  auto faults = enabled(all_fail, bench.clock);
  CHECK_THROWS_AS(compose(faults, retry(twice, bench.clock), bench.breaker).execute(bench.op()), ApiError);
  CHECK(faults.stats().calls == 1);
  CHECK(bench.breaker.stats().failure_count == 0);
}

TEST_CASE("X3 D2 a timeout around ends a delay, and names it", "[X3][D2]") {
  Bench bench;
  auto faults = enabled(all_wait, bench.clock);
  auto limit = attempt_timeout(100ms, bench.clock);
  auto call = compose(bench.breaker, limit, faults);
  SECTION("also if op cannot be stopped") {
    CHECK_THROWS_WITH(call.execute(bench.op()), "timed out after 100ms");
  }
  SECTION("if it can be stopped") {
    CHECK_THROWS_AS(call.execute([&](std::stop_token) { return ++bench.calls; }), TimeoutError);
  }
  CHECK(bench.calls == 0);
  CHECK(bench.clock.sleeps() == std::vector<std::chrono::nanoseconds>{100ms});
  CHECK(limit.stats().calls == 1);
  CHECK(limit.stats().timed_out == 1);
  CHECK(bench.breaker.stats().failure_count == 1);
}

TEST_CASE("X3 P7 the total timeout of a retry is the deadline of a delay", "[X3][P7]") {
  Bench bench;
  auto faults = enabled(all_wait, bench.clock);
  RetryConfig config = twice;
  config.total_timeout = 100ms;
  const auto result = compose(retry(config, bench.clock), faults).try_execute(bench.op());
  CHECK(result.error().is_timeout());
  CHECK(bench.calls == 0);
  CHECK(bench.clock.sleeps() == std::vector<std::chrono::nanoseconds>{100ms});
  CHECK(faults.stats().calls == 1);
}

TEST_CASE("X3 a delay within a limit leaves op the rest of it", "[X3]") {
  Bench bench;
  auto faults = enabled(all_wait, bench.clock);
  auto call = compose(attempt_timeout(1s, bench.clock), faults);
  CHECK(call.execute([](const Call& inside) { return inside.deadline().remaining(); }) == 700ms);
}

TEST_CASE("X3 A5 a coroutine awaits a delay and gets a fault", "[X3][A5]") {
  const AsyncFakeClock clock{FakeClock{}};
  const auto op = []() -> support::Task<int> { co_return 1; };
  auto slow = enabled(all_wait, clock);
  CHECK(support::run(slow.execute(op)) == 1);
  CHECK(slow.stats().delays == 1);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{300ms});
  auto faults = enabled(all_fail, clock);
  auto call = compose(retry(twice, clock), faults);
  CHECK_THROWS_AS(support::run(call.execute(op)), ApiError);
  CHECK(faults.stats().faults == 3);
}

TEST_CASE("X3 whoever drives a pipeline by hand waits for a delay", "[X3]") {
  Bench bench;
  auto slow = enabled({.fault_rate = 0, .latency_rate = 1, .latency = 2s}, bench.clock);
  auto call = compose(slow);
  using Kind = Step::Kind;
  SECTION("to its end") {
    auto run = call.start<int>();
    CHECK(run.next().kind == Kind::wait);
    CHECK(run.next().wait == 2s);
    run.waited();
    CHECK(run.next().kind == Kind::call);
    run.report(7);
    CHECK(run.next().kind == Kind::done);
    CHECK(run.result() == 7);
  }
  SECTION("until it is stopped") {
    std::stop_source stop;
    auto run = call.start<int>(stop.get_token());
    CHECK(run.next().kind == Kind::wait);
    stop.request_stop();
    CHECK(run.wait_token().stop_requested());
    run.waited(false);
    CHECK(run.next().kind == Kind::done);
    CHECK_THROWS_AS(run.result(), CancelledError);
  }
  SECTION("or is destroyed") {
    auto run = call.start<int>();
    CHECK(run.next().kind == Kind::wait);
  }
  CHECK(bench.clock.sleeps().empty());
  CHECK(slow.stats().delays == 1);
}

TEST_CASE("X3 a bulkhead keeps its slot while a call inside it is delayed", "[X3]") {
  Bench bench;
  Bulkhead<FakeClock> bulkhead{"k", {.max_concurrent = 1}, bench.clock};
  auto slow = enabled(all_wait, bench.clock);
  auto call = compose(bulkhead, slow);
  auto run = call.start<int>();
  CHECK(run.next().kind == Step::Kind::wait);
  CHECK(bulkhead.stats().in_use == 1);
  CHECK_THROWS_AS(call.execute(bench.op()), BulkheadFullError);
  run.waited();
  CHECK(run.next().kind == Step::Kind::call);
  run.report(1);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("X1 P16 explain says what chaos would inject, and whether it does", "[X1][P16]") {
  const FakeClock clock;
  auto faults =
      chaos("payments", {.fault_rate = 0.1, .latency_rate = 0.25, .latency = 300ms, .latency_jitter = 100ms},
            clock);
  auto call = compose(total_timeout(10s, clock), retry(twice, clock), faults);
  CHECK(explain(call).find(
            "3. chaos 'payments': is off; enabled, of each attempt it delays 25 % by 300ms more or "
            "less 100ms, and fails 10 % with 503\n") != std::string::npos);
  faults.enable(true);
  CHECK(explain(call).find("chaos 'payments': is enabled: of each attempt it delays 25 %") !=
        std::string::npos);
  auto limited = compose(faults, total_timeout(10s, clock));
  CHECK(explain(limited).find("takes at most 10400ms") != std::string::npos);
  faults.enable(false);
  CHECK(explain(limited).find("takes at most 10s") != std::string::npos);
  CHECK(explain(
            compose(chaos({.network_fault = NetworkErrc::connection_refused, .latency = no_timeout}, clock)))
            .find("0 % by any time, and fails 0 % with connection refused") != std::string::npos);
}
