#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Flaky;
using test::FakeClock;

namespace {

using Budget = RetryBudget<FakeClock>;
constexpr RetryConfig at_once{.max_retries = 3, .base_delay = 0s, .max_delay = 0s};

template <class B>
int drain(B& budget) {
  int paid = 0;
  while (paid < 100'000 && budget.try_withdraw()) ++paid;
  return paid;
}

}  // namespace

TEST_CASE("U6 a budget has a config, a clock and perhaps a name", "[U6]") {
  const FakeClock clock;
  RetryBudget by_default;
  RetryBudget with_config{RetryBudgetConfig{.ratio = 0.1}};
  RetryBudget named{"orders"};
  RetryBudget named_with_config{"orders", {.ratio = 0.1}};
  Budget with_clock{{.ratio = 0.1}, clock};
  RetryBudget all{"orders", {.ratio = 0.1}, clock};
  STATIC_REQUIRE(std::is_same_v<decltype(by_default), RetryBudget<SystemClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(all), Budget>);
  CHECK(by_default.name().empty());
  CHECK(with_clock.name().empty());
  CHECK(all.name() == "orders");
  CHECK(all.config() == RetryBudgetConfig{.ratio = 0.1});
  CHECK(all.clock().now() == clock.now());
  CHECK(by_default.stats() == RetryBudgetStats{.balance = 100});
  RetryThrottle throttle{{.max_tokens = 10}};
  RetryThrottle named_throttle{"orders", {.max_tokens = 10}};
  CHECK(throttle.name().empty());
  CHECK(named_throttle.name() == "orders");
  CHECK(named_throttle.config() == RetryThrottleConfig{.max_tokens = 10});
  CHECK(RetryThrottle{}.stats() == RetryBudgetStats{.balance = 100});
}

TEST_CASE("C2 C3 a budget refuses what validate() refuses, and long names", "[C2][C3]") {
  CHECK_THROWS_WITH(Budget{RetryBudgetConfig{.ratio = 2}},
                    "RetryBudgetConfig.ratio must be in [0, 1], got 2");
  CHECK_THROWS_AS(RetryThrottle{RetryThrottleConfig{.max_tokens = 0}}, ConfigError);
  CHECK_NOTHROW(Budget{std::string(512, 'n')});
  CHECK_THROWS_WITH(Budget{std::string(513, 'n')}, "RetryBudget.name must be at most 512 bytes, got 513");
  CHECK_THROWS_WITH(RetryThrottle{std::string(513, 'n')},
                    "RetryThrottle.name must be at most 512 bytes, got 513");
}

TEST_CASE("U3 first attempts pay for retries", "[U3]") {
  Budget budget{{.ratio = 0.6, .reserve = 0}};
  for (int i = 0; i < 10; ++i) budget.on_call();
  CHECK(budget.stats().balance == 6);
  CHECK(drain(budget) == 6);
  CHECK(budget.stats() == RetryBudgetStats{.balance = 0, .withdrawn = 6, .refused = 1});
}

TEST_CASE("U3 time pays min_per_second", "[U3]") {
  FakeClock clock;
  Budget budget{{.ratio = 0, .min_per_second = 10, .capacity = 30, .reserve = 0}, clock};
  CHECK(drain(budget) == 0);
  clock.advance(100ms);
  CHECK(drain(budget) == 1);
  clock.advance(1s);
  CHECK(drain(budget) == 10);
  clock.advance(1h);
  CHECK(drain(budget) == 30);
}

TEST_CASE("U1 T1 a budget reads the coarse clock", "[U1][T1]") {
  FakeClock clock;
  clock.set_coarse_tick(50ms);
  Budget budget{{.ratio = 0, .min_per_second = 100, .reserve = 0}, clock};
  clock.advance(49ms);
  CHECK(drain(budget) == 0);
  clock.advance(51ms);
  CHECK(drain(budget) == 10);
}

TEST_CASE("U1 a budget without min_per_second reads no clock", "[U1]") {
  const support::CountingClock clock;
  RetryBudget<support::CountingClock> none{{.min_per_second = 0, .reserve = 1}, clock};
  none.on_call();
  CHECK(none.try_withdraw());
  CHECK_FALSE(none.try_withdraw());
  none.give_back();
  (void)none.stats();
  CHECK(clock.counts().now == 0);
  RetryBudget<support::CountingClock> some{{.min_per_second = 1, .reserve = 1}, clock};
  CHECK(clock.counts().now == 1);
  some.on_call();
  CHECK(some.try_withdraw());
  CHECK(clock.counts().now == 3);
  CHECK(clock.counts().wall_now == 0);
}

TEST_CASE("U1 a budget and a throttle allocate nothing after their construction", "[U1]") {
  Budget budget;
  RetryThrottle throttle;
  const Failure failure{support::unavailable()};
  CHECK(support::allocations_of([&] {
          budget.on_call();
          (void)budget.try_withdraw();
          budget.give_back();
          throttle.on_failure(failure);
          throttle.deposit();
          (void)throttle.try_withdraw();
        }) == 0);
}

TEST_CASE("U5 a retry pays from the budget, and first attempts never do", "[U5]") {
  FakeClock clock;
  Budget budget{{.ratio = 0.5, .min_per_second = 0, .reserve = 2}, clock};
  const auto call = [&] { return try_retry_with_backoff(Flaky{}, at_once, clock, budget).stats; };
  CHECK(call().attempts == 3);  // 2.5: two retries, and half a one stays
  const RetryStats second = call();
  CHECK(second.attempts == 2);  // 0.5 + 0.5
  CHECK(second.stop_reason == StopReason::budget_exhausted);
  CHECK(call().attempts == 1);
  CHECK(call().attempts == 2);
  CHECK(budget.stats() == RetryBudgetStats{.balance = 0, .withdrawn = 4, .refused = 4});
}

TEST_CASE("U5 what a retry that never happens has paid is given back", "[U5]") {
  FakeClock clock;
  Budget budget{{.ratio = 0, .min_per_second = 0, .capacity = 5, .reserve = 5}, clock};
  std::stop_source stop;
  const auto stopping = on_retry([&](int, const Failure&, std::chrono::nanoseconds) { stop.request_stop(); });
  (void)try_retry_with_backoff(Flaky{}, clock, stop.get_token(), budget, stopping);
  CHECK(budget.stats() == RetryBudgetStats{.balance = 5, .withdrawn = 1, .refused = 0});
}

TEST_CASE("U4 U5 a throttle counts every failed attempt and every success", "[U4][U5]") {
  FakeClock clock;
  RetryThrottle throttle{{.max_tokens = 10, .token_ratio = 0.5}};
  const auto call = [&](int failures) {
    return try_retry_with_backoff(Flaky{.failures = failures}, at_once, clock, throttle).stats.attempts;
  };
  CHECK(call(100) == 4);  // also the last one: 6 are left
  CHECK(throttle.stats().balance == 6);
  CHECK(call(1) == 1);  // 5 are left, which is half
  CHECK(throttle.stats().balance == 5);
  CHECK(call(0) == 1);
  CHECK(call(0) == 1);
  CHECK(call(0) == 1);
  CHECK(throttle.stats().balance == 6.5);
  CHECK(call(1) == 2);
  CHECK(throttle.stats() == RetryBudgetStats{.balance = 6, .withdrawn = 4, .refused = 1});
}

TEST_CASE("U4 a failure that no retry may follow takes no token", "[U4]") {
  FakeClock clock;
  RetryThrottle throttle;
  (void)try_retry_with_backoff([] { return make_error_code(ErrorCode::not_found); }, at_once, clock,
                               throttle);
  CHECK(throttle.stats().balance == 100);
}

TEST_CASE("M3 a budget reports when it begins to refuse, and when it pays again", "[M3]") {
  FakeClock clock;
  Budget budget{"orders", {.ratio = 1, .min_per_second = 0, .reserve = 2}, clock};
  std::vector<RetryBudgetEvent> events;
  const auto subscription = budget.on_event([&](const RetryBudgetEvent& event) { events.push_back(event); });
  CHECK(drain(budget) == 2);
  CHECK(drain(budget) == 0);
  REQUIRE(events.size() == 1);
  CHECK(events[0].name == "orders");
  CHECK(events[0].kind == RetryBudgetEventKind::exhausted);
  CHECK(events[0].at == clock.wall_now());
  budget.on_call();
  CHECK(events.size() == 1);
  CHECK(budget.try_withdraw());
  REQUIRE(events.size() == 2);
  CHECK(events[1].kind == RetryBudgetEventKind::available);
}

TEST_CASE("M3 a throttle reports its edges too", "[M3]") {
  RetryThrottle throttle{"orders", {.max_tokens = 2, .token_ratio = 1}};
  std::vector<RetryBudgetEventKind> kinds;
  const auto subscription =
      throttle.on_event([&](const RetryBudgetEvent& event) { kinds.push_back(event.kind); });
  const Failure failure{support::unavailable()};
  CHECK(throttle.try_withdraw());
  throttle.on_failure(failure);
  CHECK_FALSE(throttle.try_withdraw());
  CHECK_FALSE(throttle.try_withdraw());
  throttle.deposit();
  CHECK(throttle.try_withdraw());
  CHECK(kinds == std::vector{RetryBudgetEventKind::exhausted, RetryBudgetEventKind::available});
}
