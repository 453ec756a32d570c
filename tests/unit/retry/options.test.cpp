#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::Delays;
using support::Flaky;
using support::Largest;
using support::Smallest;
using support::unavailable;

namespace {

/// Nothing says of itself that it is a failure.
struct Answer {
  int status = 503;
  [[nodiscard]] bool is_bad() const { return status >= 500; }
};
/// Answers 503 twice, then 200.
struct Server {
  int calls = 0;
  Answer operator()() { return {++calls < 3 ? 503 : 200}; }
};

const auto is_bad = failure_if([](const Answer& answer) { return answer.is_bad(); });
const auto retry_all = retry_if([](const Failure&) { return true; });

/// Calls try_retry_with_backoff with the tuple's options, the first `shift` of them moved to the end.
template <class Op, class Tuple, std::size_t... I, std::size_t shift>
auto call_rotated(Op& op, const RetryConfig& config, Tuple& options, std::index_sequence<I...>,
                  std::integral_constant<std::size_t, shift>) {
  constexpr std::size_t n = sizeof...(I);
  return try_retry_with_backoff(op, config, std::get<(I + shift) % n>(options)...);
}

}  // namespace

TEST_CASE("C4 options come in any order", "[C4]") {
  const auto check_shift = [](auto shift) {
    CAPTURE(shift());
    test::FakeClock clock;
    std::stop_source stop;
    const std::stop_token token = stop.get_token();
    Budget budget{.tokens = 9};
    int retried = 0;
    int given_up = 0;
    int judged = 0;
    int accepted = 0;
    auto retry_hook = on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++retried; });
    auto end_hook = on_give_up([&](const RetryStats&) { ++given_up; });
    auto rule = failure_if([&](int value) { return ++judged > 0 && value > 0; });
    auto accept = retry_if([&](const Failure&) { return ++accepted > 0; });
    auto random = with_random(Largest{});
    auto options = std::tie(clock, token, budget, retry_hook, end_hook, rule, accept, random);
    const auto op = [](const Attempt& attempt) { return attempt.number; };
    const auto result = call_rotated(op, {.max_retries = 2}, options, std::make_index_sequence<8>{}, shift);
    CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
    CHECK(clock.sleeps() == Delays{1s, 2s});
    CHECK(budget.asked == 2);
    CHECK(retried == 2);
    CHECK(given_up == 1);
    CHECK(judged == 3);
    CHECK(accepted == 3);
  };
  [&]<std::size_t... shifts>(std::index_sequence<shifts...>) {
    (check_shift(std::integral_constant<std::size_t, shifts>{}), ...);
  }(std::make_index_sequence<8>{});
}

TEST_CASE("C4 options may be lvalues, const lvalues and rvalues", "[C4]") {
  test::FakeClock clock;
  const test::FakeClock const_clock = clock;
  auto hook = on_retry([](int, const Failure&, std::chrono::nanoseconds) {});
  const auto const_hook = hook;
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  const auto rule = failure_if([](const std::error_code& code) { return static_cast<bool>(code); });
  const auto give_up = on_give_up([](const RetryStats&) {});
  const RetryConfig config{.max_retries = 1};
  CHECK(try_retry_with_backoff(Flaky{}, config, clock, hook, token).stats.attempts == 2);
  CHECK(try_retry_with_backoff(Flaky{}, config, const_clock, const_hook, retry_all).stats.attempts == 2);
  CHECK(try_retry_with_backoff(Flaky{}, config, test::FakeClock{clock}, rule, give_up).stats.attempts == 2);
  CHECK(try_retry_with_backoff(Flaky{}, config, std::move(clock), std::move(hook), stop.get_token())
            .stats.attempts == 2);
  CHECK(const_clock.sleeps().size() == 4);
}

TEST_CASE("R17 hooks may keep state, and may be move-only", "[R17]") {
  const test::FakeClock clock;
  std::vector<int> counted;
  auto counting =
      on_retry([&, n = 0](int, const Failure&, std::chrono::nanoseconds) mutable { counted.push_back(++n); });
  (void)try_retry_with_backoff(Flaky{}, {.max_retries = 2}, clock, counting);
  CHECK(counted == std::vector<int>{1, 2});
  int seen = 0;
  (void)try_retry_with_backoff(
      Flaky{}, {.max_retries = 2}, clock,
      on_retry([&, step = std::make_unique<int>(5)](int, const Failure&, std::chrono::nanoseconds) {
        seen += *step;
      }),
      on_give_up([&, step = std::make_unique<int>(100)](const RetryStats&) { seen += *step; }),
      retry_if([step = std::make_unique<int>(1)](const Failure&) { return *step == 1; }));
  CHECK(seen == 110);
  CHECK(try_retry_with_backoff(Flaky{}, {.max_retries = 9}, clock,
                               retry_if([left = 4](const Failure&) mutable { return left-- > 0; }))
            .stats.attempts == 5);
}

TEST_CASE("R17 what a hook returns is dropped", "[R17]") {
  int calls = 0;
  (void)try_retry_with_backoff(Flaky{}, test::FakeClock{}, on_retry([&](auto...) { return ++calls; }),
                               on_give_up([&](const auto&) { return ++calls; }));
  CHECK(calls == 4);
}

TEST_CASE("R17 on_retry gets the number of the failed attempt, its failure and the coming wait", "[R17]") {
  struct Call {
    int attempt;
    std::string message;
    std::optional<int> status;
    std::chrono::nanoseconds wait;
    std::size_t waits_so_far;
  };
  const test::FakeClock clock;
  std::vector<Call> calls;
  const auto op = [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); };
  (void)try_retry_with_backoff(
      op, clock, with_random(Smallest{}),
      on_retry([&](int attempt, const Failure& failure, std::chrono::nanoseconds wait) {
        CHECK(failure.exception() != nullptr);
        calls.push_back({attempt, failure.message(), failure.status(), wait, clock.sleeps().size()});
      }));
  REQUIRE(calls.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(calls[i].attempt == static_cast<int>(i + 1));
    CHECK(calls[i].message == std::to_string(i + 1));
    CHECK(calls[i].status == 503);
    CHECK(calls[i].wait == 500ms * (1 << i));
    CHECK(calls[i].waits_so_far == i);
  }
}

TEST_CASE("R17 on_retry is not called if no retry follows", "[R17]") {
  int calls = 0;
  const auto hook = on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++calls; });
  const test::FakeClock clock;
  retry_with_backoff([] { return 1; }, clock, hook);
  (void)try_retry_with_backoff(Flaky{}, {.max_retries = 0}, clock, hook);
  (void)try_retry_with_backoff([] { throw 42; }, clock, hook);
  (void)try_retry_with_backoff(Flaky{}, {.total_timeout = 1ns}, clock, hook);
  (void)try_retry_with_backoff([] { throw unavailable().with_retry_after(1h); }, clock, hook);
  CHECK(calls == 0);
}

TEST_CASE("R17 on_give_up gets the complete stats once, before the error reaches the caller", "[R17]") {
  test::FakeClock clock;
  int calls = 0;
  RetryStats given;
  const auto hook = on_give_up([&](const RetryStats& stats) {
    ++calls;
    given = stats;
  });
  const auto op = [](const Attempt& attempt) { throw unavailable(std::to_string(attempt.number)); };
  CHECK_THROWS_WITH(retry_with_backoff(op, {.max_retries = 2, .jitter = Jitter::none}, clock, hook), "3");
  CHECK(calls == 1);
  CHECK(given.attempts == 3);
  CHECK(given.total_delay == 3s);
  CHECK(given.stop_reason == StopReason::retries_exhausted);
  REQUIRE(given.errors.size() == 3);
  CHECK(given.errors.back().message() == "3");
}

TEST_CASE("R17 on_give_up is called at every end but success, also for a failed value", "[R17]") {
  int calls = 0;
  const auto hook = on_give_up([&](const RetryStats&) { ++calls; });
  const test::FakeClock clock;
  retry_with_backoff([] { return 1; }, clock, hook);
  CHECK(retry_with_backoff(Flaky{.failures = 2}, clock, hook).has_value());
  CHECK(calls == 0);
  CHECK_FALSE(retry_with_backoff(Flaky{}, clock, hook).has_value());
  CHECK(calls == 1);
  (void)try_retry_with_backoff([] { throw 42; }, clock, hook);
  (void)try_retry_with_backoff(Flaky{}, {.total_timeout = 1ns}, clock, hook);
  (void)try_retry_with_backoff([] { throw unavailable().with_retry_after(1h); }, clock, hook);
  Budget budget;
  (void)try_retry_with_backoff(Flaky{}, clock, hook, budget);
  CHECK(calls == 5);
}

TEST_CASE("F1 failure_if judges each value once, and the failed one stays reachable", "[F1]") {
  int judged = 0;
  const auto rule = failure_if([&](const Answer& answer) {
    ++judged;
    return answer.is_bad();
  });
  const auto result = retry_with_backoff(Server{}, test::FakeClock{}, rule, retry_all);
  CHECK(result.has_value());
  CHECK(result->status == 200);
  CHECK(result.stats.attempts == 3);
  CHECK(judged == 3);
  const auto failed = retry_with_backoff(Server{}, {.max_retries = 1}, test::FakeClock{}, rule, retry_all);
  CHECK_FALSE(failed.has_value());
  CHECK(failed->status == 503);
  CHECK(failed.stats.stop_reason == StopReason::retries_exhausted);
  CHECK_FALSE(failed.error().code());
}

TEST_CASE("F1 failure_if that gives a bool leaves a failure without a code, which is not transient", "[F1]") {
  const auto result = retry_with_backoff(Server{}, test::FakeClock{}, is_bad);
  CHECK(result.stats.attempts == 1);
  CHECK(result.stats.stop_reason == StopReason::not_retryable);
}

TEST_CASE("F1 failure_if may give the Failure itself", "[F1]") {
  const auto rule = failure_if([](const Answer& answer) -> std::optional<Failure> {
    if (!answer.is_bad()) return std::nullopt;
    return Failure::from_status(answer.status, 4s);
  });
  const test::FakeClock clock;
  const auto result = retry_with_backoff(Server{}, {.jitter = Jitter::none}, clock, rule);
  CHECK(result->status == 200);
  REQUIRE(result.stats.errors.size() == 2);
  CHECK(result.stats.errors[0].status() == 503);
  CHECK(clock.sleeps() == Delays{4s, 4s});
}

TEST_CASE("F1 failure_if comes before what the type says of itself", "[F1]") {
  const auto never = failure_if([](const std::error_code&) { return false; });
  const auto accepted = retry_with_backoff(Flaky{}, test::FakeClock{}, never);
  CHECK(accepted.has_value());
  CHECK(accepted.stats.attempts == 1);
  CHECK(accepted.value() == NetworkErrc::connection_reset);
}

TEST_CASE("F1 failure_if works on references and on move-only values", "[F1]") {
  Answer stored;
  const auto result = retry_with_backoff([&]() -> Answer& { return stored; }, test::FakeClock{}, is_bad);
  CHECK_FALSE(result.has_value());
  CHECK(&result.value() == &stored);
  const auto empty = failure_if([](const auto& pointer) { return pointer == nullptr; });
  CHECK_FALSE(
      retry_with_backoff([] { return std::unique_ptr<int>{}; }, test::FakeClock{}, empty).has_value());
  CHECK(retry_with_backoff([] { return std::make_unique<int>(1); }, test::FakeClock{}, empty).has_value());
}

TEST_CASE("F1 an exception is a failure whatever failure_if says of values", "[F1]") {
  const auto result = try_retry_with_backoff([]() -> int { throw unavailable(); }, test::FakeClock{},
                                             failure_if([](int) { return false; }));
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 4);
}

TEST_CASE("R17 a hook may be a pointer to a member", "[R17]") {
  const test::FakeClock clock;
  CHECK(try_retry_with_backoff(Flaky{}, clock, on_give_up(&RetryStats::attempts)).stats.attempts == 4);
  const auto at_end = on_give_up(&RetryStats::errors);
  CHECK(try_retry_with_backoff(Flaky{}, clock, at_end).stats.attempts == 4);
}

TEST_CASE("R17 op may be a pointer to a member of Attempt", "[R17]") {
  const auto key = retry_with_backoff(&Attempt::idempotency_key);
  STATIC_REQUIRE(std::is_same_v<decltype(key)::value_type, const std::string&>);
  CHECK(key.has_value());
}

TEST_CASE("R17 a predicate may be a pointer to a member", "[R17]") {
  const test::FakeClock clock;
  const auto result = retry_with_backoff(Server{}, clock, failure_if(&Answer::is_bad), retry_all);
  CHECK(result.stats.attempts == 3);
  const auto refused = try_retry_with_backoff([]() -> int { throw ApiError{ErrorCode::bad_gateway}; }, clock,
                                              retry_if(&Failure::is_transient));
  CHECK(refused.stats.attempts == 4);
}

TEST_CASE("R6 a budget needs no deposit()", "[R6]") {
  struct OnlyWithdraws {
    int left;
    bool try_withdraw() { return left-- > 0; }
  };
  OnlyWithdraws budget{1};
  const auto result = try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget);
  CHECK(result.stats.attempts == 2);
  CHECK(retry_with_backoff([] { return 1; }, budget).value() == 1);
}

TEST_CASE("T7 any type that models Clock is a clock", "[T7]") {
  support::CountingClock clock;
  (void)try_retry_with_backoff(Flaky{}, clock);
  CHECK(clock.counts().sleeps == 3);
}
