#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/eager.hpp"
#include "support/task.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Task;
using test::AsyncFakeClock;

namespace {

/// What the copies of a call do: copy n sleeps as long as the n-th entry says, then gives n, or fails if that
/// is negative.
struct Script {
  AsyncFakeClock clock;
  std::vector<std::chrono::nanoseconds> latencies;
  std::vector<std::string> log;
  int copies = 0;
};

Task<int> fetch(std::shared_ptr<Script> script, std::stop_token token) {
  const int copy = script->copies++;
  const auto latency = script->latencies.at(static_cast<std::size_t>(copy));
  const bool to_its_end = co_await script->clock.sleep_for(latency < 0s ? -latency : latency, token);
  script->log.push_back(std::to_string(copy) + (to_its_end ? " ended" : " stopped"));
  if (!to_its_end) throw CancelledError{};
  if (latency < 0s)
    throw std::system_error{std::make_error_code(std::errc::connection_reset),
                            "copy " + std::to_string(copy)};
  co_return copy;
}

auto op_of(const std::shared_ptr<Script>& script) {
  return [script](std::stop_token token) { return fetch(script, token); };
}

}  // namespace

TEST_CASE("J12 the first copy that succeeds wins, and the others are stopped", "[J12][J1]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, 1s}, {}});
  auto policy = hedge({.delay = 2s}, clock);
  auto call = policy.execute(op_of(script));
  CHECK(script->copies == 0);  // A2
  CHECK(policy.stats().calls == 0);
  call.start();
  CHECK(script->copies == 1);
  clock.advance(2s);
  CHECK(script->copies == 2);
  CHECK_FALSE(call.is_done());
  clock.advance(1s);
  REQUIRE(call.is_done());
  CHECK(call.result() == 1);
  CHECK(script->log == std::vector<std::string>{"1 ended", "0 stopped"});
  CHECK(policy.stats() == HedgeStats{.started = 1, .won_by_hedge = 1, .calls = 1});
}

TEST_CASE("J12 a fast primary is the only copy", "[J12]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {1s}, {}});
  auto policy = hedge({.delay = 2s}, clock);
  auto call = policy.execute(op_of(script));
  call.start();
  clock.advance(1s);
  REQUIRE(call.is_done());
  CHECK(call.result() == 0);
  CHECK(policy.stats() == HedgeStats{.won_by_primary = 1, .calls = 1});
}

TEST_CASE("J12 a failure starts the next copy at once, and the first failure is thrown", "[J12][J1][J2]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {-1s, -1s, -1s}, {}});
  auto policy = hedge({.delay = no_timeout, .max_hedges = 2}, clock);
  auto call = policy.execute(op_of(script));
  call.start();
  for (int i = 1; i <= 3; ++i) {
    CHECK(script->copies == i);
    clock.advance(1s);
  }
  REQUIRE(call.is_done());
  CHECK_THROWS_WITH(call.result(), Catch::StartsWith("copy 0"));
}

TEST_CASE("J12 an op that ends at once, or gives nothing", "[J12]") {
  const AsyncFakeClock clock;
  auto policy = hedge({.delay = 0s}, clock);
  const auto at_once = []() -> Task<int> { co_return 3; };
  CHECK(support::run(policy.execute(at_once)) == 3);
  const auto nothing = []() -> Task<void> { co_return; };
  support::run(policy.execute(nothing));
  int value = 0;
  const auto reference = [&value]() -> Task<int&> { co_return value; };
  CHECK(&support::run(policy.execute(reference)) == &value);
  const auto eager = []() -> support::Eager<support::NoError, int> { co_return 5; };
  auto given = policy.execute(eager);
  REQUIRE(given.is_done());
  CHECK(given.result() == 5);
  CHECK(policy.stats() == HedgeStats{.won_by_primary = 4, .calls = 4});
}

TEST_CASE("J12 the caller's stop ends the call at once", "[J12][J4]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, 10s}, {}});
  auto policy = hedge({.delay = 2s}, clock);
  std::stop_source source;
  auto call = policy.execute(op_of(script), source.get_token());
  call.start();
  clock.advance(2s);
  source.request_stop();
  REQUIRE(call.is_done());
  CHECK_THROWS_AS(call.result(), CancelledError);
  CHECK(script->log == std::vector<std::string>{"0 stopped", "1 stopped"});
}

TEST_CASE("J12 a call that is destroyed stops its copies", "[J12][P11]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, 10s}, {}});
  auto policy = hedge({.delay = 2s}, clock);
  std::optional call{policy.execute(op_of(script))};
  call->start();
  clock.advance(2s);
  call.reset();
  CHECK(script->log == std::vector<std::string>{"0 stopped", "1 stopped"});
  CHECK(script.use_count() == 1);
  CHECK(policy.stats() == HedgeStats{.started = 1, .calls = 1});
}

TEST_CASE("J12 a limit around a hedge ends it as ever", "[J12][D2]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, 10s}, {}});
  auto pipeline = compose(total_timeout(3s, clock), hedge({.delay = 2s}, clock));
  auto call = pipeline.execute(op_of(script));
  call.start();
  clock.advance(3s);
  REQUIRE(call.is_done());
  CHECK_THROWS_AS(call.result(), TimeoutError);
  CHECK(script->log.size() == 2);
}

TEST_CASE("J12 each copy has the policies inside for itself", "[J12][J9]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, -1s, 1s}, {}});
  CircuitBreaker breaker{"inside", {.failure_threshold = 5}, clock};
  auto pipeline = compose(fallback([] { return -1; }), hedge({.delay = 2s}, clock),
                          retry({.max_retries = 1, .base_delay = 1s, .jitter = Jitter::none}, clock), breaker,
                          attempt_timeout(20s, clock));
  auto call = pipeline.execute(op_of(script));
  call.start();
  clock.advance(2s);  // the hedge
  clock.advance(1s);  // it fails
  clock.advance(1s);  // its retry begins
  CHECK(script->copies == 3);
  clock.advance(1s);
  REQUIRE(call.is_done());
  CHECK(call.result() == 2);
  const auto stats = breaker.stats();
  CHECK(stats.success_count == 1);
  CHECK(stats.ignored_count == 1);
}

TEST_CASE("J12 a hedge inside a retry, and a retry's copies of op", "[J12]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {-1s, -1s, -1s, 1s}, {}});
  auto pipeline = compose(retry({.max_retries = 1, .base_delay = 1s, .jitter = Jitter::none}, clock),
                          hedge({.delay = no_timeout}, clock));
  const auto op = [script]() { return fetch(script, std::stop_token{}); };
  auto call = pipeline.try_execute(op, failure_if([](int) { return false; }));
  call.start();
  for (int i = 0; i < 5; ++i) clock.advance(1s);
  REQUIRE(call.is_done());
  CHECK(call.result().value() == 3);
}

TEST_CASE("J12 what failure_if throws in a copy leaves the call", "[J12][J3]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, 1s}, {}});
  auto policy = hedge({.delay = 2s}, clock);
  auto call = policy.execute(op_of(script), failure_if([](int) -> bool { throw std::logic_error{"rule"}; }));
  call.start();
  clock.advance(3s);
  REQUIRE(call.is_done());
  CHECK_THROWS_WITH(call.result(), "rule");
  CHECK(script->log == std::vector<std::string>{"1 ended", "0 stopped"});
}

TEST_CASE("J12 a budget pays for hedges alone", "[J12][J6]") {
  const AsyncFakeClock clock;
  RetryBudget budget{{.ratio = 0.5, .min_per_second = 0, .reserve = 0}, clock};
  const auto script = std::make_shared<Script>(Script{clock, {10s, 10s, 1s}, {}});
  auto policy = hedge({.delay = 2s}, budget, clock);
  auto first = policy.execute(op_of(script));
  first.start();
  clock.advance(10s);
  REQUIRE(first.is_done());
  CHECK(first.result() == 0);
  auto second = policy.execute(op_of(script));
  second.start();
  clock.advance(3s);
  REQUIRE(second.is_done());
  CHECK(second.result() == 2);
  CHECK(policy.stats() ==
        HedgeStats{.started = 1, .won_by_primary = 1, .won_by_hedge = 1, .calls = 2, .refused = 1});
}

TEST_CASE("J12 op lives until its last copy has ended", "[J12][J7]") {
  const AsyncFakeClock clock;
  const auto script = std::make_shared<Script>(Script{clock, {10s, 1s}, {}});
  {
    auto policy = hedge({.delay = 2s}, clock);
    const auto deaf = [script]() { return fetch(script, std::stop_token{}); };
    auto call = policy.execute(deaf);
    call.start();
    clock.advance(3s);
    REQUIRE(call.is_done());
    CHECK(call.result() == 1);
  }
  CHECK(script.use_count() > 1);
  clock.advance(10s);
  CHECK(script->log.back() == "0 ended");
  CHECK(script.use_count() == 1);
}
