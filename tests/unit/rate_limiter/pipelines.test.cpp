// A rate limiter among other policies (P5, P7, P9).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Flaky;
using test::FakeClock;

namespace {

using Limiter = RateLimiter<FakeClock>;
constexpr RetryConfig at_once{.max_retries = 3, .base_delay = 0s, .max_delay = 0s};

}  // namespace

TEST_CASE("Q4 a limiter inside a retry admits each attempt, one outside each call", "[Q4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 10, .per = 1s}, clock};
  (void)compose(retry(at_once, clock), limiter).execute(Flaky{});
  CHECK(limiter.stats().admitted == 4);
  (void)compose(limiter, retry(at_once, clock)).execute(Flaky{});
  CHECK(limiter.stats().admitted == 5);
}

TEST_CASE("Q3 P5 a refusal is neither retried nor a failure of the dependency", "[Q3][P5]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 1, .per = 1s}, clock};
  CircuitBreaker breaker{"b", {.failure_threshold = 1}, clock};
  auto call = compose(retry(at_once, clock), breaker, limiter);
  CHECK_FALSE(call.execute([] { return std::error_code{}; }));
  CHECK(call.execute([] { return std::error_code{}; }) == PolicyErrc::rate_limited);
  CHECK(limiter.stats().rejected == 1);
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("Q3 P4 a refusal with a fallback outside it allocates nothing and keeps its time", "[Q3][P4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 1, .per = 1s}, clock};
  std::chrono::milliseconds asked{0};
  auto call = compose(fallback([&](const Failure& failure) {
                        asked = failure.retry_after().value_or(0ms);
                        return -1;
                      }),
                      limiter);
  CHECK(call.execute([] { return 1; }) == 1);
  clock.advance(300ms);
  int result = 0;
  CHECK(support::allocations_of([&] { result = call.execute([] { return 1; }); }) == 0);
  CHECK(result == -1);
  CHECK(asked == 700ms);
}

TEST_CASE("Q4 P7 a retry's total timeout is the deadline of a wait inside it", "[Q4][P7]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 1, .per = 1s, .max_wait = 1h}, clock};
  RetryConfig config = at_once;
  config.total_timeout = 1500ms;
  int calls = 0;
  const auto result = compose(retry(config, clock), limiter).try_execute([&] {
    ++calls;
    return std::make_error_code(std::errc::connection_reset);
  });
  CHECK(calls == 2);  // the third permit is due too late
  CHECK(result.error().is_rejection());
  CHECK(result.error().code() == PolicyErrc::rate_limited);
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 2, .rejected = 1, .waited = 1});
}

TEST_CASE("Q4 whoever drives a pipeline by hand waits for the limiter", "[Q4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 2, .per = 1s, .burst = 1, .max_wait = 1h}, clock};
  auto call = compose(limiter);
  CHECK(limiter.try_acquire());
  auto first = call.start<int>();
  auto second = call.start<int>();
  auto step = first.next();
  using Kind = decltype(step.kind);
  CHECK(step.kind == Kind::wait);
  CHECK(step.wait == 500ms);
  CHECK(second.next().wait == 1s);
  second.waited(false);
  CHECK(second.next().kind == Kind::done);
  CHECK_THROWS_AS(second.result(), CancelledError);
  clock.advance(500ms);
  first.waited();
  CHECK(first.next().kind == Kind::call);
  first.report(7);
  CHECK(first.next().kind == Kind::done);
  CHECK(first.result() == 7);
  CHECK(limiter.retry_after() == 500ms);
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 2, .rejected = 0, .waited = 2});
  CHECK(clock.sleeps().empty());
}

TEST_CASE("U5 a budget in a pipeline hears of each call and pays for each retry", "[U5]") {
  FakeClock clock;
  RetryBudget budget{{.ratio = 0.5, .min_per_second = 0, .reserve = 1}, clock};
  auto call = compose(retry(at_once, budget, clock));
  Flaky op;
  (void)call.execute(op);
  CHECK(op.calls == 2);
  CHECK(budget.stats() == RetryBudgetStats{.balance = 0.5, .withdrawn = 1, .refused = 1});
  RetryThrottle throttle{{.max_tokens = 4}};
  auto throttled = compose(retry(at_once, throttle, clock));
  (void)throttled.execute(Flaky{});
  CHECK(throttle.stats() == RetryBudgetStats{.balance = 2, .withdrawn = 1, .refused = 1});
}
