#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Budget;
using support::Delays;
using support::Flaky;
using support::unavailable;

namespace {
constexpr RetryConfig plain{.jitter = Jitter::none};
int fail() { throw unavailable(); }
}  // namespace

TEST_CASE("P1 a retry by itself calls op again after transient failures", "[P1][R2]") {
  const FakeClock clock;
  auto policy = retry(plain, clock);
  Flaky op{2};
  CHECK_FALSE(policy.execute(op));
  CHECK(op.calls == 3);
  CHECK(clock.sleeps() == Delays{1s, 2s});
  CHECK(policy.config() == plain);
  CHECK(policy.clock().now() == clock.now());
  Flaky hopeless;
  CHECK(policy.execute(hopeless) == NetworkErrc::connection_reset);
  CHECK(hopeless.calls == 4);
  int calls = 0;
  CHECK_THROWS_AS(policy.execute([&]() -> int {
    ++calls;
    throw std::logic_error{"x"};
  }),
                  std::logic_error);
  CHECK(calls == 1);
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(policy.execute([] { return 1; }, source.get_token()), CancelledError);
  CHECK(policy.execute([](const Deadline& d) { return d.remaining(); }, Deadline::after(3s, clock)) == 3s);
  CHECK_THROWS_AS(policy.execute([] { return 1; }, failure_if([](int) { return false; }), source.get_token()),
                  CancelledError);
}

TEST_CASE("P1 a retry takes what retry_with_backoff takes", "[P1][R17]") {
  const FakeClock clock;
  Budget budget{.tokens = 2};
  std::vector<std::string> log;
  std::mt19937 generator;
  auto policy =
      retry(RetryConfig{.max_retries = 5, .jitter = Jitter::none},
            on_retry([&](int attempt, const Failure&, std::chrono::nanoseconds wait) {
              log.push_back(std::to_string(attempt) + ':' + std::to_string(wait / 1s));
            }),
            on_give_up([&](const RetryStats& stats) {
              log.push_back("gave up after " + std::to_string(stats.attempts) + " of " +
                            std::to_string(stats.errors.size()));
            }),
            retry_if([](const Failure&) { return true; }), linear(3s), with_random(generator), budget, clock);
  CHECK_THROWS_AS(policy.execute([]() -> int { throw std::logic_error{"x"}; }), std::logic_error);
  CHECK(log == std::vector<std::string>{"1:3", "2:6", "gave up after 3 of 3"});
  CHECK(budget.tokens == 0);
  CHECK(policy.execute([] { return 1; }) == 1);
  CHECK(budget.deposits == 1);
}

TEST_CASE("P1 a retry without a config has the defaults", "[P1][R16]") {
  const FakeClock clock;
  CHECK(retry(clock).config() == RetryConfig{});
  CHECK(retry().config() == RetryConfig{});
  CHECK(retry(retry_presets::quick).config() == retry_presets::quick);
  const RetryConfig lvalue{.max_retries = 1};
  CHECK(retry(lvalue, clock).config().max_retries == 1);
}

TEST_CASE("C2 retry refuses an invalid config", "[C2]") {
  CHECK_THROWS_AS(retry(RetryConfig{.max_retries = -1}), ConfigError);
  CHECK_THROWS_WITH(retry(RetryConfig{.max_retries = -1}),
                    "RetryConfig.max_retries must be in [0, 65535], got -1");
}

TEST_CASE("R6 the calls of a retry share its budget, by reference or by a handle", "[R6]") {
  const FakeClock clock;
  auto shared = std::make_shared<Budget>(Budget{.tokens = 1});
  const std::weak_ptr<Budget> watched = shared;
  {
    const auto call = compose(retry(plain, clock, shared));
    shared.reset();
    CHECK_THROWS_AS(call.execute(fail), ApiError);
    CHECK(watched.lock()->tokens == 0);
    CHECK_THROWS_AS(call.execute(fail), ApiError);
    CHECK(watched.lock()->asked == 3);
    CHECK(clock.sleeps().size() == 1);
    CHECK(call.execute([] { return 1; }) == 1);
    CHECK(watched.lock()->deposits == 1);
  }
  CHECK(watched.expired());
}

TEST_CASE("R9 a generator that is given by value is shared by the calls and the copies of a retry", "[R9]") {
  const FakeClock clock;
  const RetryConfig config{.max_retries = 1, .jitter = Jitter::full};
  auto policy = retry(config, clock, with_random(std::mt19937_64{7}));
  auto copy = policy;
  CHECK_THROWS_AS(policy.execute(fail), ApiError);
  CHECK_THROWS_AS(copy.execute(fail), ApiError);
  const auto waits = clock.sleeps();
  REQUIRE(waits.size() == 2);
  CHECK(waits[0] != waits[1]);
}

TEST_CASE("P1 the calls of a retry may run on several threads", "[P1]") {
  const FakeClock clock;
  const auto call = compose(
      retry(RetryConfig{.max_retries = 2, .jitter = Jitter::full}, clock, with_random(std::mt19937{1})));
  std::atomic<int> sum{0};
  support::run_together(4, [&](int) {
    for (int i = 0; i < 300; ++i) {
      int calls = 0;
      sum += call.execute([&] { return ++calls < 3 ? throw unavailable() : calls; });
    }
  });
  CHECK(sum == 4 * 300 * 3);
  CHECK(clock.sleeps().size() == 4 * 300 * 2);
}
