#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::Flaky;
using support::unavailable;

namespace {

struct Order {
  int id = 0;
  std::string item;
  friend bool operator==(const Order&, const Order&) = default;
};

struct NoDefault {
  explicit NoDefault(int n) : number{n} {}
  int number;
};

/// Counts what is done with it.
struct Counted {
  static inline int copies = 0;
  static inline int moves = 0;
  static inline int alive = 0;
  Counted() { ++alive; }
  Counted(const Counted&) {
    ++copies;
    ++alive;
  }
  Counted(Counted&&) noexcept {
    ++moves;
    ++alive;
  }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --alive; }
};

using Code = support::Expected<int, std::error_code>;
using Rich = support::Expected<std::string, ApiError>;
using Words = support::Expected<int, std::string>;

static_assert(to_string(StopReason::succeeded) == "succeeded");
static_assert(to_string(StopReason::not_retryable) == "not_retryable");
static_assert(to_string(StopReason::retries_exhausted) == "retries_exhausted");
static_assert(to_string(StopReason::deadline) == "deadline");
static_assert(to_string(StopReason::budget_exhausted) == "budget_exhausted");
static_assert(to_string(StopReason::retry_after_too_long) == "retry_after_too_long");
static_assert(to_string(StopReason::cancelled) == "cancelled");
static_assert(to_string(static_cast<StopReason>(99)) == "unknown");

}  // namespace

TEST_CASE("R19 a result holds op's value", "[R19]") {
  auto result = retry_with_backoff([] { return Order{7, "lamp"}; });
  CHECK(result.has_value());
  CHECK(result.value() == Order{7, "lamp"});
  CHECK(*result == Order{7, "lamp"});
  CHECK(result->item == "lamp");
  result->id = 8;
  (*result).item = "desk";
  CHECK(std::as_const(result).value() == Order{8, "desk"});
  CHECK(std::as_const(result)->id == 8);
  result.value().id = 9;
  CHECK((*std::as_const(result)).id == 9);
}

TEST_CASE("R19 an lvalue result gives access, an rvalue gives T by value", "[R19]") {
  const auto& kept = retry_with_backoff([] { return std::string(100, 'x'); }).value();
  CHECK(kept == std::string(100, 'x'));
  std::string all;
  for (const char c : *retry_with_backoff([] { return std::string{"abc"}; })) all += c;
  CHECK(all == "abc");
}

TEST_CASE("R19 a call converts to its value, and then reads as the plain call", "[R19]") {
  const auto fetch = [] { return Order{7, "lamp"}; };
  const Order order = retry_with_backoff(fetch);
  CHECK(order == Order{7, "lamp"});
  const auto name = [](const Order& given) { return given.item; };
  CHECK(name(retry_with_backoff(fetch)) == "lamp");
  std::string text = retry_with_backoff([] { return std::string{"first"}; });
  text = retry_with_backoff([] { return std::string{"second"}; });
  CHECK(text == "second");
  const long wide = retry_with_backoff([] { return 5; });
  CHECK(wide == 5);
  const std::optional<int> maybe = retry_with_backoff([] { return std::optional<int>{6}; });
  CHECK(maybe == 6);
  const auto returned = [&]() -> Order { return retry_with_backoff(fetch); }();
  CHECK(returned.id == 7);
}

TEST_CASE("R19 a bool value converts to bool as any value does", "[R19]") {
  const bool yes = retry_with_backoff([] { return true; });
  const bool no = retry_with_backoff([] { return false; });
  CHECK(yes);
  CHECK_FALSE(no);
  const auto result = retry_with_backoff([] { return false; });
  CHECK(result.has_value());
  CHECK_FALSE(result.value());
}

TEST_CASE("R19 a void op has a result with stats, whose value() is void", "[R19]") {
  int calls = 0;
  const auto op = [&] {
    if (++calls < 3) throw unavailable();
  };
  auto result = retry_with_backoff(op, test::FakeClock{});
  CHECK(result.has_value());
  CHECK_NOTHROW(result.value());
  CHECK_NOTHROW(*result);
  CHECK(result.stats.attempts == 3);
  const auto failed = try_retry_with_backoff([] { throw unavailable("void"); }, test::FakeClock{});
  CHECK_FALSE(failed.has_value());
  CHECK_THROWS_WITH(failed.value(), "void");
  CHECK_THROWS_WITH(*failed, "void");
}

TEST_CASE("R15 value_or gives the value if op succeeded, else the default", "[R15]") {
  const test::FakeClock clock;
  const auto good = retry_with_backoff([] { return std::string{"value"}; });
  CHECK(good.value_or("default") == "value");
  const auto failed = try_retry_with_backoff([]() -> std::string { throw unavailable(); }, clock);
  CHECK(failed.value_or("default") == "default");
  CHECK(failed.value_or({}).empty());
  STATIC_REQUIRE(std::is_same_v<decltype(good.value_or("default")), std::string>);
  CHECK(try_retry_with_backoff([]() -> int { throw unavailable(); }, clock).value_or(7L) == 7);
}

TEST_CASE("R15 value_or: a failed value is not a success", "[R15]") {
  const auto result = try_retry_with_backoff(Flaky{}, test::FakeClock{});
  CHECK(result.value() == NetworkErrc::connection_reset);
  CHECK(result.value_or(make_error_code(NetworkErrc::timed_out)) == NetworkErrc::timed_out);
}

TEST_CASE("R15 value_or moves from an rvalue, and copies what a reference refers to", "[R15]") {
  CHECK(*retry_with_backoff([] { return std::make_unique<int>(3); }).value_or(nullptr) == 3);
  CHECK(try_retry_with_backoff([]() -> std::unique_ptr<int> { throw unavailable(); }, test::FakeClock{})
            .value_or(nullptr) == nullptr);
  Order stored{7, "lamp"};
  const auto result = retry_with_backoff([&]() -> const Order& { return stored; });
  STATIC_REQUIRE(std::is_same_v<decltype(result.value_or(Order{})), Order>);
  CHECK(result.value_or(Order{}).id == 7);
}

TEST_CASE("R19 an op may return a const value, of a move-only type too", "[R19]") {
  int calls = 0;
  const auto op = [&]() -> const std::unique_ptr<int> {
    if (++calls < 3) throw unavailable();
    return std::make_unique<int>(calls);
  };
  auto result = retry_with_backoff(op, test::FakeClock{});
  CHECK(**result == 3);
  const std::unique_ptr<int> taken = std::move(result).value();
  CHECK(*taken == 3);
  const auto judged =
      retry_with_backoff(op, failure_if([](const auto& pointer) { return pointer == nullptr; }));
  CHECK(judged.has_value());
  const auto with_attempt = [](const Attempt& attempt) -> const std::unique_ptr<int> {
    return std::make_unique<int>(attempt.number);
  };
  CHECK(**retry_with_backoff(with_attempt) == 1);
}

TEST_CASE("R19 a reference stays one", "[R19]") {
  Order stored{7, "lamp"};
  auto result = retry_with_backoff([&]() -> Order& { return stored; });
  CHECK(&result.value() == &stored);
  CHECK(&*result == &stored);
  CHECK(&result->id == &stored.id);
  Order& converted = retry_with_backoff([&]() -> Order& { return stored; });
  CHECK(&converted == &stored);
  const Order copy = retry_with_backoff([&]() -> Order& { return stored; });
  CHECK(copy == stored);
  retry_with_backoff([&]() -> Order& { return stored; }).value().id = 8;
  CHECK(stored.id == 8);
}

TEST_CASE("R19 a reference to const stays one", "[R19]") {
  const std::string stored = "kept";
  auto result = retry_with_backoff([&]() -> const std::string& { return stored; });
  CHECK(&result.value() == &stored);
  CHECK(result->size() == 4);
  const std::string& converted = retry_with_backoff([&]() -> const std::string& { return stored; });
  CHECK(&converted == &stored);
}

TEST_CASE("R19 a reference is given after failures, and none if every attempt failed", "[R19]") {
  int stored = 1;
  const auto op = [&](const Attempt& attempt) -> int& {
    if (attempt.number < 3) throw unavailable();
    return stored;
  };
  CHECK(&retry_with_backoff(op, test::FakeClock{}).value() == &stored);
  auto failed = try_retry_with_backoff(op, {.max_retries = 1}, test::FakeClock{});
  CHECK_FALSE(failed.has_value());
  CHECK_THROWS_AS(failed.value(), ApiError);
}

TEST_CASE("R19 a move-only value is moved, never copied", "[R19]") {
  auto result = retry_with_backoff([] { return std::make_unique<int>(7); });
  CHECK(**result == 7);
  CHECK(*result->get() == 7);
  const std::unique_ptr<int> taken = std::move(result).value();
  CHECK(*taken == 7);
  const std::unique_ptr<int> converted = retry_with_backoff([] { return std::make_unique<int>(8); });
  CHECK(*converted == 8);
  auto starred = *retry_with_backoff([] { return std::make_unique<int>(9); });
  CHECK(*starred == 9);
  auto moved = std::move(result);
  CHECK(moved.has_value());
}

TEST_CASE("R19 a value is not copied on its way to the caller", "[R19]") {
  Counted::copies = 0;
  {
    const Counted value = retry_with_backoff([] { return Counted{}; });
    auto result = retry_with_backoff([] { return Counted{}; });
    const Counted taken = std::move(result).value();
    CHECK(Counted::copies == 0);
    CHECK(Counted::alive == 3);
  }
  CHECK(Counted::alive == 0);
}

TEST_CASE("R19 a value that cannot be made from nothing", "[R19]") {
  const auto op = [](const Attempt& attempt) {
    if (attempt.number == 1) throw unavailable();
    return NoDefault{7};
  };
  CHECK(retry_with_backoff(op, test::FakeClock{})->number == 7);
  CHECK_FALSE(try_retry_with_backoff(op, {.max_retries = 0}).has_value());
}

TEST_CASE("R19 values of the types that a result itself is made of", "[R19]") {
  CHECK_FALSE(retry_with_backoff([] { return Failure{std::error_code{}}; }).has_value());
  CHECK(retry_with_backoff([] { return std::monostate{}; }).has_value());
  CHECK(retry_with_backoff([] { return unavailable("a value"); })->message() == "a value");
  CHECK(retry_with_backoff([] { return std::exception_ptr{}; }).has_value());
  CHECK(retry_with_backoff([] { return RetryStats{}; })->attempts == 0);
}

TEST_CASE("R19 a result is copied and moved with its value, its error and its stats", "[R19]") {
  const auto failed = try_retry_with_backoff([]() -> int { throw unavailable("kept"); }, test::FakeClock{});
  const auto copy = failed;
  CHECK_FALSE(copy.has_value());
  CHECK(copy.error().message() == "kept");
  CHECK(copy.stats.errors.size() == 4);
  auto result = retry_with_backoff([] { return std::string{"value"}; });
  const auto moved = std::move(result);
  CHECK(moved.value() == "value");
}

TEST_CASE("R19 access without a value rethrows op's own exception object, time and again", "[R19]") {
  const ApiError* thrown = nullptr;
  auto result = try_retry_with_backoff(
      [&]() -> Order {
        try {
          throw unavailable();
        } catch (const ApiError& error) {
          thrown = &error;
          throw;
        }
      },
      test::FakeClock{});
  const auto is_thrown = [&](auto access) {
    try {
      access();
    } catch (const ApiError& error) {
      return &error == thrown;
    }
    return false;
  };
  CHECK(is_thrown([&] { (void)result.value(); }));
  CHECK(is_thrown([&] { (void)*result; }));
  CHECK(is_thrown([&] { (void)result->id; }));
  CHECK(is_thrown([&] { (void)std::as_const(result).value(); }));
  CHECK(is_thrown([&] { (void)std::as_const(result)->id; }));
  CHECK(is_thrown([&] { (void)std::move(result).value(); }));
  CHECK(is_thrown([&] { const Order order = std::move(result); }));
}

TEST_CASE("R19 error() of a success is a failure without a code", "[R19]") {
  Flaky op{.failures = 2};
  const auto result = try_retry_with_backoff(op, test::FakeClock{});
  CHECK(result.has_value());
  CHECK_FALSE(result.error().code());
  CHECK_FALSE(result.error().exception());
  CHECK(result.stats.errors.size() == 2);
}

TEST_CASE("R19 an error code: success is an empty one, and a failed one stays reachable", "[R19]") {
  const auto good = retry_with_backoff(Flaky{.failures = 1}, test::FakeClock{});
  CHECK(good.has_value());
  CHECK_FALSE(good.value());
  CHECK(good.stats.attempts == 2);
  const auto bad = retry_with_backoff(Flaky{}, test::FakeClock{});
  CHECK_FALSE(bad.has_value());
  CHECK(bad.value() == NetworkErrc::connection_reset);
  CHECK(bad.error().code() == NetworkErrc::connection_reset);
  const std::error_code code = retry_with_backoff(Flaky{}, test::FakeClock{});
  CHECK(code == NetworkErrc::connection_reset);
}

TEST_CASE("R19 an expected: its last failed value is not thrown, has_value() is false, value() gives it",
          "[R19]") {
  int calls = 0;
  const auto op = [&] {
    return Code{support::Unexpected{std::error_code{503 - ++calls % 2, http_category()}}};
  };
  const auto result = retry_with_backoff(op, {.max_retries = 1}, test::FakeClock{});
  CHECK_FALSE(result.has_value());
  CHECK_FALSE(result.value().has_value());
  CHECK(result->error().value() == 503);
  CHECK(result.error().status() == 503);
  REQUIRE(result.stats.errors.size() == 2);
  CHECK(result.stats.errors[0].status() == 502);
  const Code converted = retry_with_backoff(op, {.max_retries = 0});
  CHECK_FALSE(converted.has_value());
}

TEST_CASE("R19 an expected: its success, at once and after failures", "[R19]") {
  const auto op = [](const Attempt& attempt) -> Rich {
    if (attempt.number < 3) return support::Unexpected{unavailable(std::to_string(attempt.number))};
    return std::string{"value"};
  };
  const auto result = retry_with_backoff(op, test::FakeClock{});
  CHECK(result.has_value());
  CHECK(result->value() == "value");
  CHECK(result.stats.errors.size() == 2);
  CHECK(result.stats.errors[1].message() == "2");
  const Rich converted = retry_with_backoff([] { return Rich{"at once"}; });
  CHECK(converted.value() == "at once");
}

TEST_CASE("R19 an expected whose error is of an unknown type: a failure without a code, not retried",
          "[R19]") {
  const auto result =
      retry_with_backoff([] { return Words{support::Unexpected{std::string{"broken"}}}; }, test::FakeClock{});
  CHECK_FALSE(result.has_value());
  CHECK(result->error() == "broken");
  CHECK_FALSE(result.error().code());
  CHECK(result.stats.stop_reason == StopReason::not_retryable);
}

TEST_CASE("R19 an op that returns its errors and then throws: the last error counts, which is no value",
          "[R19]") {
  const auto op = [](const Attempt& attempt) -> Code {
    if (attempt.number == 1) return support::Unexpected{std::error_code{NetworkErrc::timed_out}};
    throw ApiError{ErrorCode::not_found};
  };
  CHECK_THROWS_AS(retry_with_backoff(op, test::FakeClock{}), ApiError);
  const auto result = try_retry_with_backoff(op, test::FakeClock{});
  CHECK_FALSE(result.has_value());
  CHECK(result.error().status() == 404);
  CHECK_THROWS_AS(result.value(), ApiError);
}

TEST_CASE("R19 an op that throws and then returns its error: the value counts", "[R19]") {
  const auto op = [](const Attempt& attempt) -> Code {
    if (attempt.number == 1) throw unavailable();
    return support::Unexpected{std::error_code{ErrorCode::not_found}};
  };
  const auto result = retry_with_backoff(op, test::FakeClock{});
  CHECK_FALSE(result.has_value());
  CHECK(result->error() == ErrorCode::not_found);
}

TEST_CASE("R19 a retry within a retry: the inner result is an expected-like value", "[R19]") {
  const auto inner = [] { return try_retry_with_backoff(Flaky{}, {.max_retries = 1}, test::FakeClock{}); };
  const auto result = retry_with_backoff(inner, {.max_retries = 2}, test::FakeClock{});
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 3);
  CHECK(result.value().stats.attempts == 2);
  CHECK(result.error().code() == NetworkErrc::connection_reset);
}

TEST_CASE("R19 a retry within a retry: an inner result that holds an exception stays a value too", "[R19]") {
  const auto inner = [] {
    return try_retry_with_backoff([]() -> int { throw unavailable("inner"); }, {.max_retries = 1},
                                  test::FakeClock{});
  };
  std::optional<RetryResult<RetryResult<int>>> result;
  REQUIRE_NOTHROW(result = retry_with_backoff(inner, {.max_retries = 2}, test::FakeClock{}));
  CHECK_FALSE(result->has_value());
  CHECK(result->value().stats.attempts == 2);
  CHECK(result->error().message() == "inner");
}

TEST_CASE("R19 an expected of a Failure that holds an exception stays a value too", "[R19]") {
  using Result = support::Expected<int, Failure>;
  const auto op = [] {
    return Result{support::Unexpected{Failure::from_exception(std::make_exception_ptr(unavailable("held")))}};
  };
  std::optional<RetryResult<Result>> result;
  REQUIRE_NOTHROW(result = retry_with_backoff(op, test::FakeClock{}));
  CHECK_FALSE(result->has_value());
  CHECK(result->value().error().message() == "held");
  CHECK(result->stats.attempts == 4);
}

TEST_CASE("R19 R2 stats for each reason to stop", "[R19][R2]") {
  test::FakeClock clock;
  const RetryConfig config{.max_retries = 1, .jitter = Jitter::none};
  const auto check = [](const RetryStats& stats, StopReason reason, int attempts,
                        std::chrono::nanoseconds total_delay, std::size_t errors) {
    CAPTURE(to_string(reason));
    CHECK(stats.stop_reason == reason);
    CHECK(stats.attempts == attempts);
    CHECK(stats.total_delay == total_delay);
    CHECK(stats.errors.size() == errors);
  };
  const auto busy = [](std::chrono::seconds wait) {
    return [=] { throw unavailable().with_retry_after(wait); };
  };
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  auto timed = config;
  timed.total_timeout = 1s;
  check(try_retry_with_backoff([] {}, config, clock).stats, StopReason::succeeded, 1, 0s, 0);
  check(try_retry_with_backoff(Flaky{.failures = 1}, config, clock).stats, StopReason::succeeded, 2, 1s, 1);
  check(try_retry_with_backoff([] { throw 42; }, config, clock).stats, StopReason::not_retryable, 1, 0s, 1);
  check(try_retry_with_backoff(Flaky{}, config, clock).stats, StopReason::retries_exhausted, 2, 1s, 2);
  check(try_retry_with_backoff(Flaky{}, timed, clock).stats, StopReason::deadline, 1, 0s, 1);
  check(try_retry_with_backoff(Flaky{}, config, clock, budget).stats, StopReason::budget_exhausted, 1, 0s, 1);
  check(try_retry_with_backoff(busy(31s), config, clock).stats, StopReason::retry_after_too_long, 1, 0s, 1);
  check(try_retry_with_backoff([] {}, clock, stop.get_token()).stats, StopReason::cancelled, 0, 0s, 0);
}

TEST_CASE("R19 stats.errors: one Failure per failed attempt, in order, the success no entry", "[R19]") {
  const auto op = [](const Attempt& attempt) {
    switch (attempt.number) {
      case 1: throw unavailable("first");
      case 2: throw std::system_error{make_error_code(NetworkErrc::timed_out)};
      case 3: return make_error_code(NetworkErrc::connection_refused);
      default: return std::error_code{};
    }
  };
  const auto result = retry_with_backoff(op, test::FakeClock{});
  REQUIRE(result.stats.errors.size() == 3);
  CHECK(result.stats.errors[0].message() == "first");
  CHECK(result.stats.errors[0].exception() != nullptr);
  CHECK(result.stats.errors[1].code() == NetworkErrc::timed_out);
  CHECK(result.stats.errors[2].code() == NetworkErrc::connection_refused);
  CHECK(result.stats.errors[2].exception() == nullptr);
}

TEST_CASE("F7 a cancelled retry inside a breaker is ignored, and its fallback is not called", "[F7]") {
  const test::FakeClock clock;
  CircuitBreaker<test::FakeClock> breaker{"b", {.failure_threshold = 1}, clock};
  std::stop_source stop;
  const auto cancelled = [&] {
    return try_retry_with_backoff(
        [&]() -> int {
          stop.request_stop();
          throw ApiError{ErrorCode::service_unavailable};
        },
        clock, stop.get_token());
  };
  int fallbacks = 0;
  for (int worker = 0; worker < 8; ++worker) {
    stop = {};
    const auto result = breaker.execute(cancelled);
    CHECK(result.stats.stop_reason == StopReason::cancelled);
    stop = {};
    CHECK_THROWS(breaker.execute(cancelled, [&] { return ++fallbacks; }));
  }
  CHECK(fallbacks == 0);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().ignored_count == 16);
}

TEST_CASE("F7 a retry around a cancelled retry is cancelled too", "[F7]") {
  const test::FakeClock clock;
  std::stop_source stop;
  const auto result = try_retry_with_backoff(
      [&] {
        return try_retry_with_backoff(
            [&]() -> int {
              stop.request_stop();
              throw ApiError{ErrorCode::service_unavailable};
            },
            clock, stop.get_token());
      },
      {.max_retries = 5}, clock);
  CHECK(result.stats.attempts == 1);
  CHECK(result.stats.stop_reason == StopReason::cancelled);
}

TEST_CASE("B9 a rejected call's result made no attempt, and its value() is the rejection", "[B9]") {
  const CircuitOpenError error{"payments", 5s};
  auto result = failure_traits<RetryResult<int>>::from_rejection(error);
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 0);
  CHECK(result.stats.errors.empty());
  CHECK(result.error().is_rejection());
  CHECK(result.error().retry_after() == 5s);
  CHECK_THROWS_AS(result.value(), CircuitOpenError);
  CHECK_THROWS_AS(int{std::move(result)}, CircuitOpenError);
  CHECK_THROWS_AS(failure_traits<RetryResult<void>>::from_rejection(error).value(), CircuitOpenError);
}
