#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <pthread.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::CountingClock;
using support::Delays;
using support::Flaky;
using support::Script;

namespace {

ApiError unavailable(const std::string& message = "unavailable") {
  return {ErrorCode::service_unavailable, message};
}

const auto retry_all = retry_if([](const Failure&) { return true; });
const auto retry_none = retry_if([](const Failure&) { return false; });

/// Fails twice, then gives 42.
auto third_time_lucky() {
  return [calls = 0]() mutable {
    if (++calls < 3) throw unavailable("failure " + std::to_string(calls));
    return 42;
  };
}

struct HookError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

TEST_CASE("the presets are the guide's, and otherwise the defaults") {
  struct Row {
    RetryConfig preset;
    std::chrono::nanoseconds base_delay;
    std::chrono::nanoseconds max_delay;
    int max_retries;
  };
  for (const Row& row : std::vector<Row>{{retry_presets::quick, 500ms, 5s, 2},
                                         {retry_presets::standard, 1s, 30s, 3},
                                         {retry_presets::slow, 2s, 60s, 5},
                                         {retry_presets::aggressive, 100ms, 5s, 3}}) {
    CHECK(row.preset.base_delay == row.base_delay);
    CHECK(row.preset.max_delay == row.max_delay);
    CHECK(row.preset.max_retries == row.max_retries);
    CHECK(row.preset.multiplier == 2.0);
    CHECK(row.preset.jitter == Jitter::equal);
    CHECK(row.preset.total_timeout == no_timeout);
    CHECK(row.preset.honor_retry_after);
    CHECK(row.preset.idempotent);
    CHECK(validate(row.preset).empty());
  }
}

TEST_CASE("the presets wait as the guide's table says") {
  const auto waits = [](RetryConfig preset) {
    preset.jitter = Jitter::none;
    test::FakeClock clock;
    (void)try_retry_with_backoff(Flaky{}, preset, clock);
    return clock.sleeps();
  };
  CHECK(waits(retry_presets::quick) == Delays{500ms, 1s});
  CHECK(waits(retry_presets::standard) == Delays{1s, 2s, 4s});
  CHECK(waits(retry_presets::slow) == Delays{2s, 4s, 8s, 16s, 32s});
  CHECK(waits(retry_presets::aggressive) == Delays{100ms, 200ms, 400ms});
}

TEST_CASE("a preset is copied and changed, which leaves the preset as it is") {
  auto patient = retry_presets::quick;
  patient.max_retries = 5;
  test::FakeClock clock;
  const auto result = try_retry_with_backoff(Flaky{}, patient, clock, with_random(support::Largest{}));
  CHECK(result.stats.attempts == 6);
  CHECK(clock.sleeps() == Delays{500ms, 1s, 2s, 4s, 5s});
  CHECK(retry_presets::quick.max_retries == 2);
}

TEST_CASE("the guide's first example: fields in the call, all of them the defaults") {
  test::FakeClock clock;
  const auto written = try_retry_with_backoff(
      Flaky{}, {.max_retries = 3, .base_delay = 1s, .max_delay = 30s, .jitter = Jitter::equal}, clock,
      with_random(support::Middle{}));
  const auto silent = try_retry_with_backoff(Flaky{}, clock, with_random(support::Middle{}));
  CHECK(written.stats.attempts == 4);
  CHECK(silent.stats.attempts == 4);
  CHECK(clock.sleeps() == Delays{750ms, 1500ms, 3s, 750ms, 1500ms, 3s});
}

TEST_CASE("the guide's monitoring example: on_retry logs each wait, and the stats tell the rest") {
  test::FakeClock clock;
  std::vector<std::string> log;
  const auto result =
      retry_with_backoff(third_time_lucky(), {.jitter = Jitter::none}, clock,
                         on_retry([&](int attempt, const Failure& failure, std::chrono::nanoseconds delay) {
                           log.push_back("Attempt " + std::to_string(attempt) + " failed, retrying in " +
                                         std::to_string(delay / 1ms) + "ms: " + failure.message());
                         }));
  CHECK(log == std::vector<std::string>{"Attempt 1 failed, retrying in 1000ms: failure 1",
                                        "Attempt 2 failed, retrying in 2000ms: failure 2"});
  CHECK(result.value() == 42);
  CHECK(result.stats.attempts == 3);
  CHECK(result.stats.total_delay == 3s);
  CHECK(result.stats.stop_reason == StopReason::succeeded);
  REQUIRE(result.stats.errors.size() == 2);
  CHECK(result.stats.errors[0].message() == "failure 1");
  CHECK(result.stats.errors[1].message() == "failure 2");
}

TEST_CASE("the guide's retryable errors are retried, and no other status is") {
  const auto attempts = [](std::error_code code) {
    return try_retry_with_backoff(Flaky{.code = code}, {.max_retries = 1}, test::FakeClock{}).stats.attempts;
  };
  for (int status = 400; status < 600; ++status) {
    CAPTURE(status);
    const bool listed = status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
    CHECK(attempts({status, api_error_category()}) == (listed ? 2 : 1));
  }
  for (const auto errc : {NetworkErrc::connection_reset, NetworkErrc::timed_out, NetworkErrc::host_not_found,
                          NetworkErrc::connection_refused}) {
    CAPTURE(to_string(errc));
    CHECK(attempts(errc) == 2);
  }
  for (const auto errc : {std::errc::connection_reset, std::errc::timed_out, std::errc::connection_refused}) {
    CHECK(attempts(std::make_error_code(errc)) == 2);
  }
  CHECK(attempts(std::make_error_code(std::errc::permission_denied)) == 1);
}

TEST_CASE("R2 the caller gets the last error: the same exception object, of its own type") {
  struct PaymentError : ApiError {
    explicit PaymentError(int n) : ApiError{ErrorCode::bad_gateway, "payment"}, number{n} {}
    int number;
  };
  const PaymentError* thrown = nullptr;
  const auto op = [&](const Attempt& attempt) -> int {
    try {
      throw PaymentError{attempt.number};
    } catch (const PaymentError& error) {
      thrown = &error;
      throw;
    }
  };
  try {
    retry_with_backoff(op, {.max_retries = 2}, test::FakeClock{});
    FAIL("no exception");
  } catch (const PaymentError& error) {
    CHECK(&error == thrown);
    CHECK(error.number == 3);
  }
}

TEST_CASE("R2 what is no std::exception comes back as it was thrown") {
  CHECK_THROWS_AS(retry_with_backoff([]() -> int { throw 42; }, test::FakeClock{}), int);
  int calls = 0;
  try {
    retry_with_backoff(
        [&] {
          ++calls;
          throw std::string{"text"};
        },
        {.max_retries = 2}, test::FakeClock{}, retry_all);
    FAIL("no exception");
  } catch (const std::string& text) {
    CHECK(text == "text");
  }
  CHECK(calls == 3);
}

TEST_CASE("R2 the last error counts, not the one that was retried") {
  test::FakeClock clock;
  const auto op = [](const Attempt& attempt) -> int {
    if (attempt.number == 1) throw unavailable();
    throw ApiError{ErrorCode::not_found};
  };
  try {
    retry_with_backoff(op, clock);
    FAIL("no exception");
  } catch (const ApiError& error) {
    CHECK(error.code() == ErrorCode::not_found);
  }
  CHECK(clock.sleeps().size() == 1);
}

TEST_CASE("R2 calls are 1 + max_retries, and no wait follows the last") {
  for (const int max_retries : {0, 1, 2, 10}) {
    CAPTURE(max_retries);
    test::FakeClock clock;
    Flaky op;
    const auto result = try_retry_with_backoff(op, {.max_retries = max_retries}, clock);
    CHECK(op.calls == 1 + max_retries);
    CHECK(result.stats.attempts == 1 + max_retries);
    CHECK(result.stats.errors.size() == static_cast<std::size_t>(op.calls));
    CHECK(clock.sleeps().size() == static_cast<std::size_t>(max_retries));
    CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  }
}

TEST_CASE("R2 the largest number of retries is carried out in full") {
  Flaky op;
  CountingClock clock;
  const auto result = try_retry_with_backoff(op, {.max_retries = 65'535}, clock);
  CHECK(op.calls == 65'536);
  CHECK(clock.counts().sleeps == 65'535);
  CHECK(result.stats.errors.size() == 65'536);
}

TEST_CASE("R2 the last attempt's success is a success") {
  Flaky op{.failures = 3};
  CHECK(retry_with_backoff(op, test::FakeClock{}).has_value());
  CHECK(op.calls == 4);
}

TEST_CASE("R2 the default is F3: what is not transient is not retried") {
  const std::vector<std::function<void()>> lasting{
      [] { throw std::runtime_error{"unknown"}; },
      [] { throw 42; },
      [] { throw ApiError{ErrorCode::not_found}; },
      [] { throw std::system_error{std::make_error_code(std::errc::permission_denied)}; },
      [] { throw CircuitOpenError{"payments", 5s}; },
      [] { throw BulkheadFullError{}; },
      [] { throw RateLimitedError{"ours", 1s}; },
      [] { throw ApiError{CircuitOpenError{"sliced", 5s}}; },
      [] { throw std::system_error{make_error_code(PolicyErrc::circuit_open)}; },
  };
  for (std::size_t i = 0; i < lasting.size(); ++i) {
    CAPTURE(i);
    test::FakeClock clock;
    const auto result = try_retry_with_backoff(lasting[i], clock);
    CHECK(result.stats.attempts == 1);
    CHECK(result.stats.stop_reason == StopReason::not_retryable);
    CHECK(clock.sleeps().empty());
  }
}

TEST_CASE("R2 the default retries a TimeoutError and network errors that come as exceptions") {
  const std::vector<std::function<void()>> passing{
      [] { throw TimeoutError{}; },
      [] { throw std::system_error{make_error_code(NetworkErrc::host_not_found)}; },
      [] { throw std::system_error{std::make_error_code(std::errc::connection_reset)}; },
      [] { throw ApiError{ErrorCode::not_found}.with_category(ErrorCategory::network); },
      [] { throw make_error_code(NetworkErrc::timed_out); },
  };
  for (std::size_t i = 0; i < passing.size(); ++i) {
    CAPTURE(i);
    CHECK(try_retry_with_backoff(passing[i], test::FakeClock{}).stats.attempts == 4);
  }
}

TEST_CASE("R2 retry_if replaces the default, both ways") {
  test::FakeClock clock;
  const auto unknown = []() -> int { throw std::runtime_error{"unknown"}; };
  CHECK(try_retry_with_backoff(unknown, clock, retry_all).stats.attempts == 4);
  const auto refused = try_retry_with_backoff(Flaky{}, clock, retry_none);
  CHECK(refused.stats.attempts == 1);
  CHECK(refused.stats.stop_reason == StopReason::not_retryable);
}

TEST_CASE("R2 retry_if sees each failure, that of the last attempt included") {
  std::vector<std::string> seen;
  (void)try_retry_with_backoff(
      [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); },
      {.max_retries = 2}, test::FakeClock{}, retry_if([&](const Failure& failure) {
        seen.push_back(failure.message());
        return true;
      }));
  CHECK(seen == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("R2 retry_if may accept a rejection") {
  test::FakeClock clock;
  const auto result = try_retry_with_backoff([]() -> int { throw CircuitOpenError{"payments", 9s}; },
                                             {.jitter = Jitter::none}, clock, retry_all);
  CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  CHECK(clock.sleeps() == Delays{9s, 9s, 9s});
}

TEST_CASE("R2 retry_if may not accept a cancellation") {
  const std::vector<std::function<void()>> cancellations{
      [] { throw CancelledError{}; },
      [] { throw ApiError{CancelledError{}}; },
      [] { throw std::system_error{make_error_code(PolicyErrc::cancelled)}; },
      [] { throw std::system_error{std::make_error_code(std::errc::operation_canceled)}; },
  };
  for (std::size_t i = 0; i < cancellations.size(); ++i) {
    CAPTURE(i);
    test::FakeClock clock;
    const auto result = try_retry_with_backoff(cancellations[i], clock, retry_all);
    CHECK(result.stats.attempts == 1);
    CHECK(result.stats.stop_reason == StopReason::cancelled);
    CHECK(clock.sleeps().empty());
    CHECK(result.error().is_cancellation());
  }
}

TEST_CASE("R2 where several reasons to stop hold at once the first of them is told") {
  constexpr StopReason order[] = {StopReason::cancelled,         StopReason::not_retryable,
                                  StopReason::retries_exhausted, StopReason::retry_after_too_long,
                                  StopReason::deadline,          StopReason::budget_exhausted};
  for (unsigned held = 0; held < 64; ++held) {
    const auto holds = [&](StopReason reason) {
      unsigned at = 0;
      while (order[at] != reason) ++at;
      return (held >> at & 1U) != 0;
    };
    auto expected = StopReason::succeeded;
    for (unsigned at = 6; at-- > 0;) {
      if (holds(order[at])) expected = order[at];
    }
    CAPTURE(held, to_string(expected));

    test::FakeClock clock;
    std::stop_source stop;
    Budget budget{.tokens = holds(StopReason::budget_exhausted) ? 0 : 1};
    const auto op = [&](const Attempt& attempt) {
      if (attempt.number > 1) return;
      if (holds(StopReason::cancelled)) stop.request_stop();
      throw unavailable().with_retry_after(holds(StopReason::retry_after_too_long) ? 31s : 1s);
    };
    const auto result =
        try_retry_with_backoff(op,
                               {.max_retries = holds(StopReason::retries_exhausted) ? 0 : 1,
                                .total_timeout = holds(StopReason::deadline) ? 1ns : no_timeout},
                               clock, stop.get_token(), budget,
                               retry_if([&](const Failure&) { return !holds(StopReason::not_retryable); }));
    CHECK(result.stats.stop_reason == expected);
    CHECK(result.stats.attempts == (held == 0 ? 2 : 1));
    CHECK(clock.sleeps().size() == (held == 0 ? 1U : 0U));
    CHECK(budget.asked ==
          (expected == StopReason::budget_exhausted || expected == StopReason::succeeded ? 1 : 0));
    CHECK(result.has_value() == (held == 0));
  }
}

TEST_CASE("F4 forced unwinding is no failure: no retry, no hook") {
  struct Seen {
    int calls = 0;
    int hooks = 0;
  } seen;
  const auto run = [](void* to) -> void* {
    auto& counts = *static_cast<Seen*>(to);
    (void)try_retry_with_backoff(
        [&counts] {
          ++counts.calls;
          pthread_exit(nullptr);
        },
        test::FakeClock{}, retry_all, on_give_up([&counts](const RetryStats&) { ++counts.hooks; }),
        on_retry([&counts](int, const Failure&, std::chrono::nanoseconds) { ++counts.hooks; }));
    ++counts.hooks;
    return nullptr;
  };
  pthread_t thread{};
  REQUIRE(pthread_create(&thread, nullptr, run, &seen) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  CHECK(seen.calls == 1);
  CHECK(seen.hooks == 0);
}

TEST_CASE("R6 a budget is asked once before each wait, and told of the success") {
  test::FakeClock clock;
  Budget budget{.tokens = 5};
  CHECK(retry_with_backoff(third_time_lucky(), clock, budget).value() == 42);
  CHECK(budget.asked == 2);
  CHECK(budget.tokens == 3);
  CHECK(budget.deposits == 1);
}

TEST_CASE("R6 a first attempt that succeeds asks for nothing and deposits") {
  Budget budget;
  CHECK(retry_with_backoff([] { return 1; }, budget).value() == 1);
  retry_with_backoff([] {}, budget);
  CHECK(budget.asked == 0);
  CHECK(budget.deposits == 2);
}

TEST_CASE("R6 an empty budget stops before the wait and before on_retry, with the original error") {
  test::FakeClock clock;
  Budget budget{.tokens = 1};
  int told = 0;
  try {
    retry_with_backoff(
        [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); }, clock,
        budget, on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++told; }),
        on_give_up(
            [](const RetryStats& stats) { CHECK(stats.stop_reason == StopReason::budget_exhausted); }));
    FAIL("no exception");
  } catch (const ApiError& error) {
    CHECK(error.message() == "2");
    CHECK(error.code() == ErrorCode::service_unavailable);
  }
  CHECK(clock.sleeps().size() == 1);
  CHECK(told == 1);
  CHECK(budget.asked == 2);
  CHECK(budget.deposits == 0);
}

TEST_CASE("R6 a budget is asked after retry_if has accepted, and before on_retry and the wait") {
  struct Logged {
    std::vector<std::string>& log;
    bool try_withdraw() {
      log.emplace_back("budget");
      return true;
    }
  };
  struct LoggingClock : test::FakeClock {
    explicit LoggingClock(std::vector<std::string>& to) : log{&to} {}
    bool sleep_for(std::chrono::nanoseconds duration, std::stop_token token) const {
      log->emplace_back("sleep");
      return FakeClock::sleep_for(duration, std::move(token));
    }
    std::vector<std::string>* log;
  };
  std::vector<std::string> log;
  Logged budget{log};
  Flaky op{.failures = 1};
  (void)try_retry_with_backoff(
      op, LoggingClock{log}, budget, retry_if([&](const Failure&) {
        log.emplace_back("retry_if");
        return true;
      }),
      on_retry([&](int, const Failure&, std::chrono::nanoseconds) { log.emplace_back("on_retry"); }));
  CHECK(log == std::vector<std::string>{"retry_if", "budget", "on_retry", "sleep"});
}

TEST_CASE("R6 one budget limits several calls together") {
  test::FakeClock clock;
  Budget budget{.tokens = 4};
  CHECK(try_retry_with_backoff(Flaky{}, clock, budget).stats.attempts == 4);
  const auto second = try_retry_with_backoff(Flaky{}, clock, budget);
  CHECK(second.stats.attempts == 2);
  CHECK(second.stats.stop_reason == StopReason::budget_exhausted);
  CHECK(try_retry_with_backoff(Flaky{}, clock, budget).stats.attempts == 1);
}

TEST_CASE("R8 a first attempt that succeeds reads no clock, draws nothing and asks nobody") {
  CountingClock clock;
  Script random;
  Budget budget;
  int hooks = 0;
  const auto result = retry_with_backoff(
      [] { return 7; }, clock, with_random(random), budget, std::stop_token{},
      on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++hooks; }),
      on_give_up([&](const RetryStats&) { ++hooks; }), retry_if([&](const Failure&) { return ++hooks > 0; }));
  CHECK(result.value() == 7);
  CHECK(clock.counts().now == 0);
  CHECK(clock.counts().wall_now == 0);
  CHECK(clock.counts().sleeps == 0);
  CHECK(random.draws() == 0);
  CHECK(hooks == 0);
  CHECK(budget.asked == 0);
}

TEST_CASE("R8 with a total_timeout a first attempt that succeeds reads the steady clock once") {
  CountingClock clock;
  Script random;
  CHECK(retry_with_backoff([] { return 7; }, {.total_timeout = 1s}, clock, with_random(random)).value() == 7);
  CHECK(clock.counts().now == 1);
  CHECK(clock.counts().wall_now == 0);
  CHECK(random.draws() == 0);
}

TEST_CASE("R8 a first attempt that succeeds allocates nothing") {
  test::FakeClock clock;
  std::stop_source stop;
  const auto token = stop.get_token();
  Budget budget;
  int sum = 0;
  const auto plain = support::allocations_of([&] { sum += retry_with_backoff([] { return 1; }).value(); });
  const auto full = support::allocations_of([&] {
    sum += retry_with_backoff([](const Attempt& attempt) { return attempt.number; }, {.total_timeout = 1s},
                              clock, token, budget, retry_all,
                              on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++sum; }))
               .value();
  });
  const auto nothing = support::allocations_of([&] { retry_with_backoff([&] { ++sum; }, clock); });
  const auto code = support::allocations_of(
      [&] { sum += try_retry_with_backoff([] { return std::error_code{}; }, clock).has_value() ? 1 : 0; });
  const auto expected = support::allocations_of([&] {
    sum += try_retry_with_backoff([] { return support::Expected<int, std::error_code>{1}; }).value().value();
  });
  CHECK(plain == 0);
  CHECK(full == 0);
  CHECK(nothing == 0);
  CHECK(code == 0);
  CHECK(expected == 0);
  CHECK(sum == 5);
}

TEST_CASE("R8 the value is made in place: it is not moved on its way into the result") {
  struct Moving {
    int* moves;
    explicit Moving(int& count) : moves{&count} {}
    Moving(Moving&& other) noexcept : moves{other.moves} { ++*moves; }
    Moving& operator=(Moving&&) = delete;
    ~Moving() = default;
  };
  int moves = 0;
  const auto first = retry_with_backoff([&] { return Moving{moves}; });
  CHECK(first.stats.attempts == 1);
  CHECK(moves == 0);
  int calls = 0;
  const auto second = retry_with_backoff(
      [&] {
        if (++calls == 1) throw TimeoutError{};
        return Moving{moves};
      },
      test::FakeClock{});
  CHECK(second.stats.attempts == 2);
  CHECK(moves == 0);
}

TEST_CASE("R10 what on_retry throws goes through: no wait, no further attempt") {
  test::FakeClock clock;
  Flaky op;
  const auto throwing =
      on_retry([](int, const Failure&, std::chrono::nanoseconds) { throw HookError{"on_retry"}; });
  CHECK_THROWS_WITH(retry_with_backoff(op, clock, throwing), "on_retry");
  CHECK_THROWS_AS(try_retry_with_backoff(op, clock, throwing), HookError);
  CHECK(op.calls == 2);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("R10 what on_give_up throws goes through, in place of the last error") {
  const auto throwing = on_give_up([](const RetryStats&) { throw HookError{"on_give_up"}; });
  const auto op = [] { throw unavailable(); };
  CHECK_THROWS_WITH(retry_with_backoff(op, test::FakeClock{}, throwing), "on_give_up");
  CHECK_THROWS_AS(try_retry_with_backoff(op, test::FakeClock{}, throwing), HookError);
}

TEST_CASE("R10 what retry_if throws goes through") {
  test::FakeClock clock;
  Flaky op;
  const auto throwing = retry_if([](const Failure&) -> bool { throw HookError{"retry_if"}; });
  CHECK_THROWS_WITH(retry_with_backoff(op, clock, throwing), "retry_if");
  CHECK_THROWS_AS(try_retry_with_backoff(op, clock, throwing), HookError);
  CHECK(op.calls == 2);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("R10 what failure_if throws goes through and is no failed attempt") {
  int calls = 0;
  const auto throwing = failure_if([](int) -> bool { throw HookError{"failure_if"}; });
  CHECK_THROWS_WITH(retry_with_backoff([&] { return ++calls; }, test::FakeClock{}, throwing, retry_all),
                    "failure_if");
  CHECK_THROWS_AS(try_retry_with_backoff([&] { return ++calls; }, test::FakeClock{}, throwing, retry_all),
                  HookError);
  CHECK(calls == 2);
}

TEST_CASE("R10 a hook that throws in a later attempt leaves nothing behind") {
  test::FakeClock clock;
  const auto op = [] { throw unavailable(); };
  CHECK_THROWS_AS(
      retry_with_backoff(op, clock, on_retry([](int attempt, const Failure&, std::chrono::nanoseconds) {
                           if (attempt == 3) throw HookError{"third"};
                         })),
      HookError);
  CHECK(clock.sleeps().size() == 2);
  CHECK_THROWS_AS(retry_with_backoff(op, clock), ApiError);
  CHECK(clock.sleeps().size() == 5);
}
