#include "storm/pipeline.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "play.hpp"

using namespace std::chrono_literals;

namespace {

using fusebox::Jitter;
using fusebox::Step;
using namespace storm_test;

/// The policies of one process, on a clock of its own.
struct Made {
  explicit Made(std::vector<storm::PolicySpec> policies)
      : process{pipeline(std::move(policies)), "orders", clock, random} {}

  storm::Clock clock = storm::Clock::manual();
  storm::Random random{1, 0};
  storm::ProcessPipeline process;
};

std::string error_of(std::vector<storm::PolicySpec> policies) {
  try {
    const Made made{std::move(policies)};
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

fusebox::Failure unavailable() { return fusebox::Failure::from_status(503); }

}  // namespace

TEST_CASE("S1 a pipeline without policies passes a call through", "[S1]") {
  Made made{{}};
  auto run = made.process.start();
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().deadline().is_never());
  run.report(unavailable());
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(run.try_result().error().status() == 503);
}

TEST_CASE("S1 the policies of a spec do what they do in a pipeline of the library", "[S1]") {
  Made made{{total_limit(10s), retrying(2, 100ms, Jitter::none), attempt_limit(1s)}};
  auto run = made.process.start();
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().deadline().remaining() == 1s);
  CHECK(run.call().attempt() == 1);
  run.report(unavailable());
  Step step = run.next();
  REQUIRE(step.kind == Step::Kind::wait);
  CHECK(step.wait == 100ms);
  made.clock.advance(100ms);
  run.waited();
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().attempt() == 2);
  made.clock.advance(1s);
  run.report(fusebox::Failure{make_error_code(fusebox::PolicyErrc::cancelled)});
  step = run.next();  // the limit makes it a TimeoutError, which is retried
  REQUIRE(step.kind == Step::Kind::wait);
  CHECK(step.wait == 200ms);
  made.clock.advance(200ms);
  run.waited();
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report();
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(run.try_result().has_value());
}

TEST_CASE("S1 a breaker opens, and rejects the next call", "[S1]") {
  Made made{{fusebox::CircuitBreakerConfig{.failure_threshold = 2}}};
  for (int i = 0; i < 2; ++i) {
    auto run = made.process.start();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(unavailable());
    CHECK(run.next().kind == Step::Kind::done);
  }
  CHECK(made.process.breaker()->state() == fusebox::State::open);
  auto run = made.process.start();
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(run.try_result().error().is_rejection());
}

TEST_CASE("S1 a budget of either kind pays for retries", "[S1]") {
  fusebox::RetryPart spec = retrying(3, 100ms);
  const auto retries = [](Made& made) {
    int count = 0;
    auto run = made.process.start();
    for (Step step = run.next(); step.kind != Step::Kind::done; step = run.next()) {
      if (step.kind == Step::Kind::call) {
        run.report(unavailable());
      } else {
        ++count;
        run.waited();
      }
    }
    return count;
  };
  spec.budget = fusebox::RetryBudgetConfig{.ratio = 0, .min_per_second = 0, .capacity = 5, .reserve = 4};
  Made budget{{spec}};
  CHECK(retries(budget) == 3);
  CHECK(retries(budget) == 1);
  CHECK(retries(budget) == 0);
  spec.budget = fusebox::RetryThrottleConfig{.max_tokens = 10};
  Made throttle{{spec}};
  CHECK(retries(throttle) == 3);
  CHECK(retries(throttle) == 0);
}

TEST_CASE("S1 calls in a queue are counted, and learn of their slot", "[S1]") {
  Made made{{fusebox::BulkheadConfig{.max_concurrent = 1, .max_waiting = 1, .max_wait = 1s}}};
  CHECK(made.process.queues() == 1);
  auto first = made.process.start();
  auto second = made.process.start();
  REQUIRE(first.next().kind == Step::Kind::call);
  CHECK(made.process.queue_waits() == 0);
  const Step step = second.next();
  REQUIRE(step.kind == Step::Kind::wait);
  CHECK(step.wait == 1s);
  CHECK(made.process.queue_waits() == 1);
  CHECK_FALSE(second.wait_is_over());
  first.report();
  REQUIRE(first.next().kind == Step::Kind::done);
  CHECK(second.wait_is_over());
  second.waited(false);
  CHECK(second.next().kind == Step::Kind::call);
}

TEST_CASE("S11 an order without a place is refused, with the possible one", "[S11]") {
  CHECK(error_of({attempt_limit(1s), retrying(3, 1s)})
            .starts_with("policies[1]: retry has no place here. The order is"));
  CHECK(error_of({retrying(3, 1s), retrying(3, 1s)}).starts_with("policies[1]: retry"));
  CHECK(error_of({retrying(3, 1s), total_limit(1s)}).starts_with("policies[1]: total_timeout"));
  CHECK(
      error_of({fusebox::CircuitBreakerConfig{}, retrying(3, 1s), fusebox::CircuitBreakerConfig{}}).empty());
  CHECK(error_of({total_limit(1s), fusebox::CircuitBreakerConfig{}, fusebox::BulkheadConfig{}}).empty());
  // What is inside a hedge begins anew.
  CHECK(error_of({attempt_limit(2s), fusebox::HedgePart{}, total_limit(1s), attempt_limit(1s)}).empty());
  CHECK(error_of({fusebox::HedgePart{}, fusebox::HedgePart{}}) == "policies[1]: there is a hedge already");
}

TEST_CASE("S11 what the library refuses, and what cannot be repeated, is refused", "[S11]") {
  CHECK(
      error_of({total_limit(1s), fusebox::BulkheadConfig{.max_concurrent = 0}}).starts_with("policies[1]: "));
  CHECK(error_of({fusebox::CircuitBreakerConfig{.reset_jitter = 0.5}}).find("reset_jitter must be 0") !=
        std::string::npos);
}

TEST_CASE("S1 explain() describes the policies that there are, and no others", "[S1]") {
  fusebox::RetryPart with_budget = retrying(3, 100ms);
  with_budget.budget = fusebox::RetryBudgetConfig{};
  fusebox::HedgePart hedge;
  hedge.budget = fusebox::RetryBudgetConfig{};
  const Made all{{fusebox::BulkheadConfig{}, total_limit(5s), with_budget, hedge,
                  fusebox::CircuitBreakerConfig{}, attempt_limit(1s)}};
  const std::string text = all.process.explain();
  CAPTURE(text);
  std::size_t at = 0;
  for (const char* line : {"1. bulkhead 'orders'", "2. total timeout", "3. retry", "4. hedge",
                           "5. circuit breaker 'orders': counts one outcome of each attempt",
                           "6. attempt timeout: limits each attempt to 1s"}) {
    CAPTURE(line);
    const std::size_t found = text.find(line, at);
    REQUIRE(found != std::string::npos);
    at = found;
  }
  CHECK(text.find("its budget counts first attempts") != std::string::npos);
  CHECK(text.find("its budget pays") != std::string::npos);

  const std::string plain = Made{{retrying(3, 100ms), fusebox::HedgePart{}}}.process.explain();
  CHECK(plain.find("budget") == std::string::npos);
  CHECK(plain.find("at most 8 times") != std::string::npos);
}
