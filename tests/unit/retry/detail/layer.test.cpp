#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/forced_unwinding.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::CountingClock;
using support::Flaky;
using support::Script;
using support::unavailable;

namespace {

const auto retry_all = retry_if([](const Failure&) { return true; });

struct HookError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int free_calls = 0;
int free_function() {
  if (++free_calls % 2 != 0) throw unavailable();
  return 7;
}
int free_function_with_attempt(const Attempt& attempt) {
  if (attempt.number < 3) throw unavailable();
  return attempt.number;
}
void void_function() { ++free_calls; }

struct Service {
  int calls = 0;
  int fetch() {
    if (++calls % 2 != 0) throw unavailable();
    return 10 + calls;
  }
  int fetch_attempt(const Attempt& attempt) const {
    if (attempt.number < 2) throw unavailable();
    return attempt.number;
  }
};

}  // namespace

TEST_CASE("R17 op may be a function, a pointer to one, a reference, a std::function", "[R17]") {
  const test::FakeClock clock;
  free_calls = 0;
  CHECK(retry_with_backoff(free_function, clock).value() == 7);
  CHECK(retry_with_backoff(&free_function, clock).value() == 7);
  int (&reference)() = free_function;
  CHECK(retry_with_backoff(reference, clock).value() == 7);
  int (*const pointer)() = free_function;
  CHECK(retry_with_backoff(pointer, clock).value() == 7);
  std::function<int()> stored = free_function;
  CHECK(retry_with_backoff(stored, clock).value() == 7);
  CHECK(free_calls == 10);
  retry_with_backoff(void_function, clock);
  CHECK(free_calls == 11);
  CHECK(retry_with_backoff(free_function_with_attempt, clock).value() == 3);
  CHECK(retry_with_backoff(&free_function_with_attempt, clock).value() == 3);
  std::function<int(const Attempt&)> with_attempt = free_function_with_attempt;
  CHECK(retry_with_backoff(with_attempt, clock).value() == 3);
}

TEST_CASE("R17 op may be a bound member function", "[R17]") {
  const test::FakeClock clock;
  Service service;
  CHECK(retry_with_backoff(std::bind_front(&Service::fetch, &service), clock).value() == 12);
  CHECK(retry_with_backoff(std::bind(&Service::fetch, &service), clock).value() == 14);
  CHECK(retry_with_backoff(std::bind_front(&Service::fetch_attempt, std::cref(service)), clock).value() == 2);
}

TEST_CASE("R17 op may be const, mutable or move-only, an lvalue or an rvalue", "[R17]") {
  const test::FakeClock clock;
  const auto constant = [] { return 1; };
  CHECK(retry_with_backoff(constant, clock).value() == 1);
  auto counting = [calls = 0]() mutable {
    if (++calls < 3) throw unavailable();
    return calls;
  };
  CHECK(retry_with_backoff(counting, clock).value() == 3);
  CHECK(retry_with_backoff(counting, clock).value() == 4);
  auto owner = [value = std::make_unique<int>(9)] { return *value; };
  CHECK(retry_with_backoff(owner, clock).value() == 9);
  CHECK(retry_with_backoff(std::move(owner), clock).value() == 9);
  CHECK(owner() == 9);
}

TEST_CASE("R17 op is called as an lvalue, and as const if it is", "[R17]") {
  struct Overloaded {
    int operator()() & { return 1; }
    int operator()() const& { return 2; }
    int operator()() && { return 3; }
  };
  Overloaded op;
  CHECK(retry_with_backoff(op).value() == 1);
  CHECK(retry_with_backoff(std::as_const(op)).value() == 2);
  CHECK(retry_with_backoff(Overloaded{}).value() == 1);
}

TEST_CASE("R17 an op that can be called both ways gets the attempt", "[R17]") {
  struct Both {
    int operator()() const { return 0; }
    int operator()(const Attempt& attempt) const { return attempt.number; }
  };
  CHECK(retry_with_backoff(Both{}).value() == 1);
  CHECK(retry_with_backoff([](const auto& attempt) { return attempt.number; }).value() == 1);
  CHECK(retry_with_backoff([](auto&&... arguments) { return sizeof...(arguments); }).value() == 1);
  CHECK(retry_with_backoff([](auto attempt) { return attempt.resend_count.has_value(); }).value() == false);
  const auto defaulted = [](std::optional<int> number = std::nullopt) { return number.has_value(); };
  CHECK(retry_with_backoff(defaulted).value() == false);
}

TEST_CASE("C2 an invalid config is refused with the text of validate(), before anything else", "[C2]") {
  const RetryConfig bad{.max_retries = -1};
  std::stop_source stop;
  stop.request_stop();
  CountingClock clock;
  Budget budget{.tokens = 1};
  int touched = 0;
  const auto op = [&] { ++touched; };
  const auto hook = on_give_up([&](const RetryStats&) { ++touched; });
  CHECK_THROWS_AS(retry_with_backoff(op, bad, clock, budget, hook, stop.get_token()), std::invalid_argument);
  CHECK_THROWS_WITH(retry_with_backoff(op, bad, clock, budget, hook), validate(bad));
  CHECK_THROWS_WITH(try_retry_with_backoff(op, bad, clock, budget, hook), validate(bad));
  CHECK(touched == 0);
  CHECK(budget.deposits == 0);
  CHECK(clock.counts().now == 0);
}

TEST_CASE("R2 the caller gets the last error: the same exception object, of its own type", "[R2]") {
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

TEST_CASE("R2 what is no std::exception comes back as it was thrown", "[R2]") {
  CHECK_THROWS_AS(retry_with_backoff([]() -> int { throw 42; }, test::FakeClock{}), int);
  const auto throw_number = [](const Attempt& attempt) { throw attempt.number; };
  try {
    retry_with_backoff(throw_number, {.max_retries = 2}, test::FakeClock{}, retry_all);
    FAIL("no exception");
  } catch (int number) {
    CHECK(number == 3);
  }
}

TEST_CASE("R2 the last error counts, not the one that was retried", "[R2]") {
  test::FakeClock clock;
  const auto op = [](const Attempt& attempt) -> int {
    if (attempt.number == 1) throw unavailable();
    throw ApiError{ErrorCode::not_found, "gone"};
  };
  CHECK_THROWS_WITH(retry_with_backoff(op, clock), "gone");
  CHECK(clock.sleeps().size() == 1);
}

TEST_CASE("R2 the last attempt's success is a success", "[R2]") {
  Flaky op{.failures = 3};
  CHECK(retry_with_backoff(op, test::FakeClock{}).has_value());
  CHECK(op.calls == 4);
}

#if HAS_FORCED_UNWINDING
TEST_CASE("F4 forced unwinding is no failure: no retry, no hook", "[F4]") {
  for (const int last : {1, 2}) {
    CAPTURE(last);
    int calls = 0;
    int retried = 0;
    int given_up = 0;
    const auto op = [&] {
      if (++calls < last) throw unavailable();
      support::end_by_exit();
    };
    CHECK_FALSE(support::returns([&] {
      (void)try_retry_with_backoff(
          op, test::FakeClock{}, retry_all, on_give_up([&](const RetryStats&) { ++given_up; }),
          on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++retried; }));
    }));
    CHECK(calls == last);
    CHECK(retried == last - 1);
    CHECK(given_up == 0);
  }
}
#endif

TEST_CASE("R6 a first attempt that succeeds asks for no retry and deposits", "[R6]") {
  Budget budget;
  CHECK(retry_with_backoff([] { return 1; }, budget).value() == 1);
  retry_with_backoff([] {}, budget);
  CHECK(budget.asked == 0);
  CHECK(budget.deposits == 2);
}

TEST_CASE("R6 an empty budget stops before the wait and before on_retry, with the original error", "[R6]") {
  test::FakeClock clock;
  Budget budget{.tokens = 1};
  int retried = 0;
  const auto op = [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); };
  CHECK_THROWS_WITH(
      retry_with_backoff(op, clock, budget,
                         on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++retried; })),
      "2");
  CHECK(clock.sleeps().size() == 1);
  CHECK(retried == 1);
  CHECK(budget.asked == 2);
  CHECK(budget.deposits == 0);
}

TEST_CASE("R6 a budget is asked after retry_if has accepted, and before on_retry and the wait", "[R6]") {
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

TEST_CASE("R8 a first attempt that succeeds reads no clock, draws nothing and calls no hook", "[R8]") {
  CountingClock clock;
  Script random;
  int hooks = 0;
  const auto result = retry_with_backoff(
      [] { return 7; }, clock, with_random(random), std::stop_token{},
      on_retry([&](int, const Failure&, std::chrono::nanoseconds) { ++hooks; }),
      on_give_up([&](const RetryStats&) { ++hooks; }), retry_if([&](const Failure&) { return ++hooks > 0; }));
  CHECK(result.value() == 7);
  CHECK(clock.counts().now == 0);
  CHECK(clock.counts().wall_now == 0);
  CHECK(clock.counts().sleeps == 0);
  CHECK(random.draws() == 0);
  CHECK(hooks == 0);
}

TEST_CASE("R8 with a total_timeout a first attempt that succeeds reads the steady clock once", "[R8]") {
  CountingClock clock;
  Script random;
  CHECK(retry_with_backoff([] { return 7; }, {.total_timeout = 1s}, clock, with_random(random)).value() == 7);
  CHECK(clock.counts().now == 1);
  CHECK(clock.counts().wall_now == 0);
  CHECK(random.draws() == 0);
}

TEST_CASE("R8 the value is made in place: it is not moved on its way into the result", "[R8]") {
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

TEST_CASE("R10 what on_retry throws goes through: no wait, no further attempt", "[R10]") {
  test::FakeClock clock;
  Flaky op;
  const auto throwing =
      on_retry([](int, const Failure&, std::chrono::nanoseconds) { throw HookError{"on_retry"}; });
  CHECK_THROWS_WITH(retry_with_backoff(op, clock, throwing), "on_retry");
  CHECK_THROWS_AS(try_retry_with_backoff(op, clock, throwing), HookError);
  CHECK(op.calls == 2);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("R10 what on_give_up throws goes through, in place of the last error", "[R10]") {
  const auto throwing = on_give_up([](const RetryStats&) { throw HookError{"on_give_up"}; });
  const auto op = [] { throw unavailable(); };
  CHECK_THROWS_WITH(retry_with_backoff(op, test::FakeClock{}, throwing), "on_give_up");
  CHECK_THROWS_AS(try_retry_with_backoff(op, test::FakeClock{}, throwing), HookError);
}

TEST_CASE("R10 what retry_if throws goes through", "[R10]") {
  test::FakeClock clock;
  Flaky op;
  const auto throwing = retry_if([](const Failure&) -> bool { throw HookError{"retry_if"}; });
  CHECK_THROWS_WITH(retry_with_backoff(op, clock, throwing), "retry_if");
  CHECK_THROWS_AS(try_retry_with_backoff(op, clock, throwing), HookError);
  CHECK(op.calls == 2);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("R10 what failure_if throws goes through and is no failed attempt", "[R10]") {
  int calls = 0;
  const auto throwing = failure_if([](int) -> bool { throw HookError{"failure_if"}; });
  CHECK_THROWS_WITH(retry_with_backoff([&] { return ++calls; }, test::FakeClock{}, throwing, retry_all),
                    "failure_if");
  CHECK_THROWS_AS(try_retry_with_backoff([&] { return ++calls; }, test::FakeClock{}, throwing, retry_all),
                  HookError);
  CHECK(calls == 2);
}

TEST_CASE("R10 what failure_if throws in a later attempt goes through too", "[R10]") {
  for (const bool as_failure : {false, true}) {
    CAPTURE(as_failure);
    int calls = 0;
    int given_up = 0;
    const auto at_end = on_give_up([&](const RetryStats&) { ++given_up; });
    const auto op = [&] { return ++calls; };
    const auto judge = [](int value) {
      if (value == 2) throw HookError{"failure_if"};
      return true;
    };
    const auto run = [&](auto rule) {
      return try_retry_with_backoff(op, test::FakeClock{}, rule, retry_all, at_end);
    };
    if (as_failure) {
      CHECK_THROWS_AS(run(failure_if([&](int value) -> std::optional<Failure> {
                        judge(value);
                        return Failure{std::error_code{}};
                      })),
                      HookError);
    } else {
      CHECK_THROWS_AS(run(failure_if(judge)), HookError);
    }
    CHECK(calls == 2);
    CHECK(given_up == 0);
  }
}

TEST_CASE("R10 a hook that throws in a later attempt leaves nothing behind", "[R10]") {
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
