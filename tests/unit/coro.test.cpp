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
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/eager.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitBreaker;
using fusebox::Failure;
using fusebox::retry_with_backoff;
using fusebox::RetryConfig;
using fusebox::RetryResult;
using fusebox::State;
using fusebox::try_retry_with_backoff;
using fusebox::test::AsyncFakeClock;
using support::run;
using support::Task;
using support::unavailable;

namespace {

constexpr RetryConfig twice{.max_retries = 2, .base_delay = 1s, .jitter = fusebox::Jitter::none};

Task<int> give(int value) { co_return value; }
Task<int> fail() {
  throw unavailable();
  co_return 0;
}

}  // namespace

// A1, A5: every policy.

TEST_CASE("A1 a call of a coroutine returns the same kind of coroutine, rebound if the value changes",
          "[A1]") {
  CircuitBreaker<> breaker{"b"};
  const AsyncFakeClock clock;
  const auto op = [] { return give(1); };
  const auto fallback = [] { return 1L; };
  STATIC_REQUIRE(std::is_same_v<decltype(breaker.execute(op)), Task<int>>);
  STATIC_REQUIRE(std::is_same_v<decltype(breaker.execute(op, fallback)), Task<long>>);
  STATIC_REQUIRE(std::is_same_v<decltype(retry_with_backoff(op, clock)), Task<RetryResult<int>>>);
  STATIC_REQUIRE(std::is_same_v<decltype(try_retry_with_backoff(op, twice, clock)), Task<RetryResult<int>>>);
  auto pipeline = compose(breaker);
  STATIC_REQUIRE(std::is_same_v<decltype(pipeline.execute(op)), Task<int>>);
  STATIC_REQUIRE(std::is_same_v<decltype(pipeline.try_execute(op)), Task<fusebox::CallResult<int>>>);
}

TEST_CASE("A5 a breaker counts what the coroutine gave, and rejects once it is open", "[A5]") {
  CircuitBreaker<> breaker{"b", {.failure_threshold = 2}};
  const auto op = [] { return give(7); };
  CHECK(run(breaker.execute(op)) == 7);
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(run(breaker.execute(&fail)), fusebox::ApiError);
  CHECK(breaker.state() == State::open);
  CHECK_THROWS_AS(run(breaker.execute(op)), fusebox::CircuitOpenError);
  CHECK(run(breaker.execute(op, [](const Failure& failure) { return failure.is_rejection() ? -1 : -2; })) ==
        -1);
  const auto stats = breaker.stats();
  CHECK(stats.success_count == 1);
  CHECK(stats.failure_count == 2);
  CHECK(stats.rejected_count == 2);
}

TEST_CASE("A5 a rejection is carried in a value that can carry it", "[A5]") {
  using Expected = support::Expected<int, std::error_code>;
  CircuitBreaker<> breaker{"b"};
  breaker.force_open();
  const auto op = []() -> Task<Expected> { co_return 1; };
  const Expected result = run(breaker.execute(op));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error() == fusebox::PolicyErrc::circuit_open);
}

TEST_CASE("A5 CallOptions and failure_if hold for a coroutine", "[A5]") {
  const AsyncFakeClock clock;
  CircuitBreaker<AsyncFakeClock> breaker{"b", {.failure_threshold = 1}, clock};
  const auto slow = [&](fusebox::Deadline deadline) -> Task<long> {
    const auto left = deadline.remaining();
    clock.advance(11s);
    co_return left.count();
  };
  CHECK(run(breaker.execute(slow, fusebox::CallOptions{.timeout = 10s})) ==
        std::chrono::nanoseconds{10s}.count());
  CHECK(breaker.state() == State::open);
  breaker.reset();
  const auto is_odd = fusebox::failure_if([](int value) { return value % 2 == 1; });
  const auto op = [] { return give(3); };
  CHECK(run(breaker.execute(op, is_odd)) == 3);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("A5 a retry awaits its clock between the attempts, and leaves its result", "[A5]") {
  const AsyncFakeClock clock;
  int calls = 0;
  const auto op = [&](const fusebox::Attempt& attempt) -> Task<int> {
    ++calls;
    const int number = attempt.number;
    if (number < 3) throw unavailable();
    co_return number;
  };
  auto task = retry_with_backoff(op, twice, clock);
  task.start();
  CHECK(calls == 1);
  CHECK(clock.advance(999ms) == 0);
  CHECK(clock.advance(1ms) == 1);
  CHECK(calls == 2);
  CHECK_FALSE(task.is_done());
  clock.advance(2s);
  REQUIRE(task.is_done());
  const auto result = task.result();
  CHECK(*result == 3);
  CHECK(result.stats.attempts == 3);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{1s, 2s});
}

TEST_CASE("A5 try_retry_with_backoff gives the error of a coroutine, retry_with_backoff throws it", "[A5]") {
  const AsyncFakeClock clock{fusebox::test::FakeClock{}};
  const auto result = run(try_retry_with_backoff(&fail, twice, clock));
  CHECK_FALSE(result.has_value());
  CHECK(result.error().status() == 503);
  CHECK(result.stats.stop_reason == fusebox::StopReason::retries_exhausted);
  CHECK_THROWS_AS(run(retry_with_backoff(&fail, twice, clock)), fusebox::ApiError);
}

TEST_CASE("A5 values of every shape: void, references, what only moves", "[A5]") {
  const AsyncFakeClock clock;
  CircuitBreaker<> breaker{"b"};
  int object = 5;
  const auto nothing = [&]() -> Task<> {
    ++object;
    co_return;
  };
  const auto reference = [&]() -> Task<int&> { co_return object; };
  const auto moved = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
  run(breaker.execute(nothing));
  CHECK(object == 6);
  CHECK(&run(breaker.execute(reference)) == &object);
  CHECK(*run(breaker.execute(moved)) == 4);
  CHECK(run(retry_with_backoff(nothing, twice, clock)).has_value());
  CHECK(&run(retry_with_backoff(reference, twice, clock)).value() == &object);
  CHECK(**run(retry_with_backoff(moved, twice, clock)) == 4);
}

TEST_CASE("A5 a whole pipeline of policies runs a coroutine", "[A5]") {
  const AsyncFakeClock clock;
  fusebox::Bulkhead<AsyncFakeClock> bulkhead{"b", {.max_concurrent = 1}, clock};
  fusebox::RateLimiter<AsyncFakeClock> limiter{"l", {.permits = 10}, clock};
  CircuitBreaker<AsyncFakeClock> breaker{"b", {.failure_threshold = 10}, clock};
  auto pipeline =
      compose(fusebox::fallback([](const Failure& failure) { return failure.status().value_or(0); }),
              bulkhead, limiter, fusebox::total_timeout(60s, clock), fusebox::retry(twice, clock), breaker,
              fusebox::attempt_timeout(10s, clock));
  int calls = 0;
  const auto op = [&](const fusebox::Call& call) -> Task<int> {
    ++calls;
    CHECK(call.deadline().remaining() == 10s);
    CHECK(call.attempt() == calls);
    if (calls < 3) throw unavailable();
    co_return calls;
  };
  auto task = pipeline.execute(op);
  task.start();
  CHECK(bulkhead.stats().in_use == 1);
  clock.advance(3s);
  REQUIRE(task.is_done());
  CHECK(task.result() == 3);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(breaker.stats().failure_count == 2);
  CHECK(limiter.stats().admitted == 1);

  auto failing = pipeline.execute(&fail);
  failing.start();
  clock.advance(3s);
  CHECK(failing.result() == 503);
  const auto tried = compose(breaker);
  const auto result = run(tried.try_execute(&fail));
  CHECK(result.error().status() == 503);
}

TEST_CASE("A5 each policy by itself runs a coroutine", "[A5]") {
  const AsyncFakeClock clock;
  const auto op = [] { return give(1); };
  fusebox::Bulkhead<AsyncFakeClock> bulkhead{"b", {}, clock};
  fusebox::RateLimiter<AsyncFakeClock> limiter{"l", {.permits = 10}, clock};
  auto retry = fusebox::retry(twice, clock);
  auto timeout = fusebox::total_timeout(1s, clock);
  CHECK(run(bulkhead.execute(op)) == 1);
  CHECK(run(limiter.execute(op)) == 1);
  CHECK(run(retry.execute(op)) == 1);
  CHECK(run(timeout.execute(op)) == 1);
  CHECK(run(fusebox::with_timeout(1s, op, clock)) == 1);
  CHECK(timeout.stats().calls == 1);
}

TEST_CASE("A5 a limit stops what the coroutine awaits, and ends the call with TimeoutError", "[A5]") {
  const AsyncFakeClock clock;
  const auto op = [&](std::stop_token token) -> Task<int> {
    if (!co_await clock.sleep_for(10s, token))
      throw std::system_error{std::make_error_code(std::errc::operation_canceled)};
    co_return 1;
  };
  auto task = fusebox::with_timeout(2s, op, clock);
  task.start();
  clock.advance(2s);
  REQUIRE(task.is_done());
  CHECK_THROWS_AS(task.result(), fusebox::TimeoutError);
}

// A2.

TEST_CASE("A2 a coroutine that is never awaited has done nothing", "[A2]") {
  const AsyncFakeClock clock;
  CircuitBreaker<AsyncFakeClock> breaker{"b", {}, clock};
  int calls = 0;
  const auto op = [&] {
    ++calls;
    return give(1);
  };
  {
    const auto task = breaker.execute(op);
    const auto retried = retry_with_backoff(op, twice, clock);
    const auto limited = fusebox::with_timeout(1s, op, clock);
  }
  CHECK(calls == 0);
  CHECK(breaker.stats().success_count == 0);
  CHECK(breaker.stats().ignored_count == 0);
}

TEST_CASE("A2 an invalid config is thrown by the call itself", "[A2]") {
  const AsyncFakeClock clock;
  CircuitBreaker<> breaker{"b"};
  const auto op = [] { return give(1); };
  CHECK_THROWS_AS(retry_with_backoff(op, RetryConfig{.max_retries = -1}, clock), fusebox::ConfigError);
  CHECK_THROWS_AS(breaker.execute(op, fusebox::CallOptions{.timeout = -1s}), fusebox::ConfigError);
  CHECK_THROWS_AS(
      breaker.execute(op, [] { return 1; }, fusebox::CallOptions{.timeout = -1s}), fusebox::ConfigError);
  CHECK_THROWS_AS(fusebox::with_timeout(0s, op, clock), fusebox::ConfigError);
}

TEST_CASE("A2 total_timeout counts from when the coroutine runs", "[A2]") {
  const AsyncFakeClock clock;
  const auto op = [](const fusebox::Attempt& attempt) -> Task<std::chrono::nanoseconds> {
    co_return attempt.deadline.remaining();
  };
  auto task = retry_with_backoff(op, RetryConfig{.total_timeout = 10s}, clock);
  clock.advance(7s);
  CHECK(*run(std::move(task)) == 10s);
}

TEST_CASE("A2 a task that starts at once runs at once", "[A2]") {
  CircuitBreaker<> breaker{"b"};
  const auto op = []() -> support::Eager<support::NoError, int> { co_return 3; };
  auto task = breaker.execute(op);
  STATIC_REQUIRE(std::is_same_v<decltype(task), support::Eager<support::NoError, int>>);
  REQUIRE(task.is_done());
  CHECK(task.result() == 3);
  CHECK(breaker.stats().success_count == 1);
}

// A3.

TEST_CASE("A3 the frame owns op, its fallback, options, hooks and clock", "[A3]") {
  CircuitBreaker<> breaker{"b"};
  const auto alive = std::make_shared<int>(0);
  const auto make_task = [&] {
    const AsyncFakeClock clock{fusebox::test::FakeClock{}};
    auto op = [alive]() -> Task<int> { return fail(); };
    auto hook = fusebox::on_retry([alive](int, const Failure&, auto) { ++*alive; });
    return retry_with_backoff(op, RetryConfig{twice}, clock, hook,
                              fusebox::retry_if([alive](const Failure&) { return true; }));
  };
  {
    auto task = make_task();
    CHECK(alive.use_count() == 4);
    task.start();
    CHECK(*alive == 2);
  }
  CHECK(alive.use_count() == 1);

  const auto make_guarded = [&] {
    auto op = [alive]() -> Task<int> { return fail(); };
    auto fallback = [alive]() { return 8; };
    return breaker.execute(op, fallback);
  };
  CHECK(run(make_guarded()) == 8);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("A3 std::ref shares op, and an op that only moves is moved", "[A3]") {
  struct Counting {
    int calls = 0;
    Task<int> operator()() { return give(++calls); }
  };
  CircuitBreaker<> breaker{"b"};
  Counting op;
  CHECK(run(breaker.execute(op)) == 1);
  CHECK(op.calls == 0);
  CHECK(run(breaker.execute(std::ref(op))) == 1);
  CHECK(op.calls == 1);
  auto only_moves = [value = std::make_unique<int>(9)] { return give(*value); };
  CHECK(run(breaker.execute(std::move(only_moves))) == 9);
}

TEST_CASE("A3 a budget and a generator given as an lvalue are shared", "[A3]") {
  struct Budget {
    int asked = 0;
    bool try_withdraw() { return ++asked < 2; }
  };
  const AsyncFakeClock clock{fusebox::test::FakeClock{}};
  Budget budget;
  support::Script generator;
  const auto result = run(try_retry_with_backoff(&fail, RetryConfig{.max_retries = 5}, clock, budget,
                                                 fusebox::with_random(generator)));
  CHECK(result.stats.stop_reason == fusebox::StopReason::budget_exhausted);
  CHECK(budget.asked == 2);
  CHECK(generator.draws() > 0);
}

TEST_CASE("A3 a policy that a shared_ptr owns lives as long as the coroutine", "[A3]") {
  auto breaker = std::make_shared<CircuitBreaker<>>("b");
  const std::weak_ptr<CircuitBreaker<>> watch = breaker;
  support::Gate gate;
  const auto op = [&]() -> Task<int> {
    co_await gate;
    co_return 1;
  };
  SECTION("by execute()") {
    auto task = breaker->execute(op);
    breaker.reset();
    task.start();
    CHECK_FALSE(watch.expired());
    gate.resume();
    CHECK(task.result() == 1);
  }
  SECTION("with CallOptions") {
    auto task = breaker->execute(op, fusebox::CallOptions{.timeout = 10s});
    breaker.reset();
    task.start();
    CHECK_FALSE(watch.expired());
    gate.resume();
  }
  SECTION("in a pipeline that is gone") {
    auto task = compose(std::move(breaker)).execute(op);
    task.start();
    CHECK_FALSE(watch.expired());
    gate.resume();
  }
  CHECK(watch.expired());
}

TEST_CASE("A3 what op and a fallback get lives until they have finished", "[A3]") {
  const AsyncFakeClock clock;
  CircuitBreaker<AsyncFakeClock> breaker{"b", {}, clock};
  support::Gate gate;
  const auto by_attempt = [&](const fusebox::Attempt& attempt) -> Task<int> {
    co_await gate;
    co_return attempt.number;
  };
  const auto by_deadline = [&](const fusebox::Deadline& deadline) -> Task<int> {
    co_await gate;
    co_return deadline.remaining() == 5s;
  };
  const auto by_failure = [&](const Failure& failure) -> Task<int> {
    co_await gate;
    co_return failure.status().value_or(0);
  };
  auto retried = retry_with_backoff(by_attempt, twice, clock);
  retried.start();
  gate.resume();
  CHECK(*retried.result() == 1);
  auto limited = breaker.execute(by_deadline, fusebox::CallOptions{.timeout = 5s});
  limited.start();
  gate.resume();
  CHECK(limited.result() == 1);
  auto fallen = breaker.execute(&fail, by_failure);
  fallen.start();
  gate.resume();
  CHECK(fallen.result() == 503);
}

// A4.

TEST_CASE("A4 a fallback may return a task of any kind that op's kind can await", "[A4]") {
  CircuitBreaker<> breaker{"b", {.failure_threshold = 100}};
  int calls = 0;
  const auto task = [&]() -> Task<int> {
    ++calls;
    co_return 1;
  };
  const auto of_failure = [](const Failure& failure) -> Task<long> {
    co_return failure.status().value_or(0);
  };
  const auto eager = []() -> support::Eager<support::NoError, int> { co_return 3; };
  CHECK(run(breaker.execute(&fail, task)) == 1);
  CHECK(calls == 1);
  CHECK(run(breaker.execute(&fail, of_failure)) == 503);
  STATIC_REQUIRE(std::is_same_v<decltype(breaker.execute(&fail, of_failure)), Task<long>>);
  CHECK(run(breaker.execute(&fail, eager)) == 3);
  const auto op = [] { return give(2); };
  CHECK(run(breaker.execute(op, task)) == 2);
  CHECK(calls == 1);
  int cleared = 0;
  const auto void_op = []() -> Task<> {
    throw unavailable();
    co_return;
  };
  const auto clear = [&]() -> Task<> {
    ++cleared;
    co_return;
  };
  run(breaker.execute(void_op, clear));
  CHECK(cleared == 1);
}

TEST_CASE("A4 several fallbacks of one pipeline each await their own", "[A4]") {
  CircuitBreaker<> breaker{"b"};
  const auto inner = [](const Failure& failure) -> Task<int> {
    if (!failure.is_rejection()) throw std::runtime_error{"inner"};
    co_return 1;
  };
  const auto outer = [](const Failure& failure) -> Task<long> {
    co_return failure.message() == "inner" ? 2 : 3;
  };
  auto pipeline = compose(fusebox::fallback(outer), fusebox::fallback(inner), breaker);
  CHECK(run(pipeline.execute(&fail)) == 2);
  breaker.force_open();
  CHECK(run(pipeline.execute(&fail)) == 1);
}

TEST_CASE("A4 P11 what a fallback throws when it is awaited replaces a failed value, too", "[A4][P11]") {
  CircuitBreaker<> breaker{"b"};
  const auto op = [] { return give(503); };
  const auto fallback = []() -> Task<int> {
    throw std::runtime_error{"none"};
    co_return 0;
  };
  const auto is_failure = fusebox::failure_if([](int status) { return status == 503; });
  CHECK_THROWS_AS(run(breaker.execute(op, fallback, is_failure)), std::runtime_error);
  CHECK_THROWS_AS(run(compose(fusebox::fallback(fallback), breaker).execute(op, is_failure)),
                  std::runtime_error);
  CHECK(breaker.stats().failure_count == 2);
}

TEST_CASE("A4 what a fallback throws replaces the failure, a cancellation gets none", "[A4]") {
  CircuitBreaker<> breaker{"b"};
  const auto at_once = [](const Failure&) -> Task<int> { throw std::runtime_error{"at once"}; };
  const auto later = []() -> Task<int> {
    throw std::runtime_error{"later"};
    co_return 1;
  };
  CHECK_THROWS_WITH(run(breaker.execute(&fail, at_once)), "at once");
  CHECK_THROWS_WITH(run(breaker.execute(&fail, later)), "later");
  const auto cancelled = []() -> Task<int> {
    throw fusebox::CancelledError{};
    co_return 1;
  };
  CHECK_THROWS_AS(run(breaker.execute(cancelled, later)), fusebox::CancelledError);
}

// A6.

namespace {

/// Knows what time it is, and cannot wait.
struct OnlyTime {
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::chrono::system_clock::time_point wall_now() { return {}; }
};

/// Its sleep gives nothing.
struct Instant : OnlyTime {
  static std::suspend_never sleep_for(std::chrono::nanoseconds, fusebox::StopToken) { return {}; }
};

}  // namespace

TEST_CASE("A6 a breaker needs a clock that only tells the time", "[A6]") {
  CircuitBreaker<OnlyTime> breaker{"b", {}, OnlyTime{}};
  const auto op = [] { return give(1); };
  CHECK(run(breaker.execute(op)) == 1);
  CHECK(breaker.execute([] { return 2; }) == 2);
  const OnlyTime clock;
  CHECK(fusebox::Deadline::after(1s, clock).remaining(clock) == 1s);
}

TEST_CASE("A6 a sleep that gives nothing has ended", "[A6]") {
  const auto result = run(try_retry_with_backoff(&fail, twice, Instant{}));
  CHECK(result.stats.attempts == 3);
}

// A7.

TEST_CASE("A7 a stop ends a wait between attempts", "[A7]") {
  const AsyncFakeClock clock;
  std::stop_source stop;
  auto task = try_retry_with_backoff(&fail, twice, clock, stop.get_token());
  task.start();
  CHECK_FALSE(task.is_done());
  stop.request_stop();
  REQUIRE(task.is_done());
  const auto result = task.result();
  CHECK(result.stats.stop_reason == fusebox::StopReason::cancelled);
  CHECK(result.stats.attempts == 1);
  auto before = retry_with_backoff(&fail, twice, clock, stop.get_token());
  before.start();
  CHECK_THROWS_AS(before.result(), fusebox::CancelledError);
}

TEST_CASE("A7 a wait that a framework's cancellation ends is cancelled, any other exception goes through",
          "[A7]") {
  struct Thrown : OnlyTime {
    std::error_code code;
    struct Wait {
      std::error_code code;
      static bool await_ready() { return true; }
      static void await_suspend(std::coroutine_handle<>) {}
      void await_resume() const { throw std::system_error{code}; }
    };
    [[nodiscard]] Wait sleep_for(std::chrono::nanoseconds, fusebox::StopToken) const { return {code}; }
  };
  const Thrown cancelling{{}, std::make_error_code(std::errc::operation_canceled)};
  const auto result = run(try_retry_with_backoff(&fail, twice, cancelling));
  CHECK(result.stats.stop_reason == fusebox::StopReason::cancelled);
  const Thrown failing{{}, std::make_error_code(std::errc::io_error)};
  CHECK_THROWS_AS(run(try_retry_with_backoff(&fail, twice, failing)), std::system_error);

  fusebox::Bulkhead<Thrown> bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, cancelling};
  const auto held = bulkhead.try_acquire();
  CHECK_THROWS_AS(run(bulkhead.execute([] { return give(1); })), fusebox::CancelledError);
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.stats().rejected == 0);
}

TEST_CASE("A7 an op that its framework cancels is ignored, and neither retried nor given a fallback",
          "[A7]") {
  const AsyncFakeClock clock;
  CircuitBreaker<AsyncFakeClock> breaker{"b", {.failure_threshold = 1}, clock};
  const auto cancelled = []() -> Task<int> {
    throw std::system_error{std::make_error_code(std::errc::operation_canceled)};
    co_return 1;
  };
  CHECK_THROWS_AS(run(breaker.execute(cancelled, [] { return 1; })), std::system_error);
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(breaker.state() == State::closed);
  CHECK(run(try_retry_with_backoff(cancelled, twice, clock)).stats.attempts == 1);
}

// A9.

namespace {

struct Probing {
  AsyncFakeClock clock;
  CircuitBreaker<AsyncFakeClock> breaker{
      "b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 1s}, clock};

  Probing() {
    CHECK_THROWS(run(breaker.execute(&fail)));
    clock.advance(1s);
  }
};

}  // namespace

TEST_CASE("A9 a call inside a probe takes a slot of its own, or is rejected", "[A9]") {
  Probing p;
  const auto inner = [] { return give(2); };
  const auto op = [&]() -> Task<int> { co_return co_await p.breaker.execute(inner); };
  CHECK_THROWS_AS(run(p.breaker.execute(op)), fusebox::CircuitOpenError);
  CHECK(p.breaker.stats().rejected_count == 1);
}

TEST_CASE("A9 a call that gets the probe's Call is part of it", "[A9]") {
  Probing p;
  const auto inner = [] { return give(2); };
  const auto op = [&](const fusebox::Call& call) -> Task<int> {
    CHECK(p.breaker.state() == State::half_open);
    const int value = co_await p.breaker.execute(inner, call);
    CHECK(p.breaker.state() == State::half_open);  // it reports nothing of its own
    CHECK(p.breaker.execute([] { return 5; }, call) == 5);
    co_return value;
  };
  SECTION("directly") { CHECK(run(compose(p.breaker).execute(op)) == 2); }
  SECTION("through other policies") {
    auto pipeline = compose(p.breaker, fusebox::total_timeout(9s, p.clock), fusebox::retry(twice, p.clock));
    CHECK(run(pipeline.execute(op)) == 2);
  }
  CHECK(p.breaker.stats().rejected_count == 0);
  CHECK(p.breaker.stats().success_count == 1);
  CHECK(p.breaker.state() == State::closed);
}

TEST_CASE("A9 the limits of a Call that is passed on hold inside too", "[A9]") {
  const AsyncFakeClock clock;
  CircuitBreaker<AsyncFakeClock> breaker{"b", {}, clock};
  auto outer = compose(fusebox::total_timeout(5s, clock));
  auto inside = compose(breaker);
  std::stop_source stop;
  const auto inner = [](const fusebox::Call& call) -> Task<std::chrono::nanoseconds> {
    CHECK(call.idempotency_key().size() == 36);
    co_return call.deadline().remaining();
  };
  const auto op = [&](const fusebox::Call& call) -> Task<std::chrono::nanoseconds> {
    clock.advance(2s);
    const auto left = co_await inside.execute(inner, call);
    stop.request_stop();
    const auto result = co_await inside.try_execute(inner, call);
    CHECK(result.error().is_cancellation());
    co_return left;
  };
  CHECK(run(outer.execute(op, stop.get_token())) == 3s);
}

TEST_CASE("A9 after the probe is settled, its fallback's call is an ordinary one", "[A9]") {
  Probing p;
  const auto inner = [] { return give(2); };
  const auto fallback = [&]() -> Task<int> {
    co_return co_await p.breaker.execute(inner, [] { return -1; });
  };
  CHECK(run(p.breaker.execute(&fail, fallback)) == -1);
}
