#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::Delays;
using support::Flaky;
using support::Largest;
using support::Smallest;

namespace {

ApiError unavailable(const std::string& message = "unavailable") {
  return {ErrorCode::service_unavailable, message};
}

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

/// Answers 503 twice, then 200.
struct Response {
  int status;
};
struct Server {
  int calls = 0;
  Response operator()() { return {++calls < 3 ? 503 : 200}; }
};

/// Calls try_retry_with_backoff with the tuple's options, the first `shift` of them moved to the end.
template <class Op, class Tuple, std::size_t... I, std::size_t shift>
auto call_rotated(Op& op, const RetryConfig& config, Tuple& options, std::index_sequence<I...>,
                  std::integral_constant<std::size_t, shift>) {
  constexpr std::size_t n = sizeof...(I);
  return try_retry_with_backoff(op, config, std::get<(I + shift) % n>(options)...);
}

bool is_uuid_v4(const std::string& text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = std::string{"0123456789abcdef"}.find(text[i]) != std::string::npos;
    if (dash ? text[i] != '-' : !digit) return false;
  }
  return text[14] == '4' && std::string{"89ab"}.find(text[19]) != std::string::npos;
}

}  // namespace

TEST_CASE("options come in any order") {
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
  check_shift(std::integral_constant<std::size_t, 0>{});
  check_shift(std::integral_constant<std::size_t, 1>{});
  check_shift(std::integral_constant<std::size_t, 2>{});
  check_shift(std::integral_constant<std::size_t, 3>{});
  check_shift(std::integral_constant<std::size_t, 4>{});
  check_shift(std::integral_constant<std::size_t, 5>{});
  check_shift(std::integral_constant<std::size_t, 6>{});
  check_shift(std::integral_constant<std::size_t, 7>{});
}

TEST_CASE("options come with and without a config before them, in both functions") {
  test::FakeClock clock;
  const RetryConfig config{.max_retries = 1, .base_delay = 2s};
  const auto random = [] { return with_random(Largest{}); };
  (void)try_retry_with_backoff(Flaky{}, clock, random());
  (void)try_retry_with_backoff(Flaky{}, random(), clock);
  (void)try_retry_with_backoff(Flaky{}, config, clock, random());
  (void)try_retry_with_backoff(Flaky{}, {.max_retries = 1}, random(), clock);
  retry_with_backoff(Flaky{}, clock, random());
  retry_with_backoff(Flaky{}, config, random(), clock);
  retry_with_backoff(Flaky{}, RetryConfig{.max_retries = 1}, clock, random());
  retry_with_backoff(Flaky{}, {.max_retries = 1, .base_delay = 3s}, clock, random());
  CHECK(clock.sleeps() == Delays{1s, 2s, 4s, 1s, 2s, 4s, 2s, 1s, 1s, 2s, 4s, 2s, 1s, 3s});
}

TEST_CASE("op alone is enough, and so are op and a config") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  CHECK(retry_with_backoff([] { return 1; }).value() == 1);
  CHECK(try_retry_with_backoff([] { return 1; }).value() == 1);
  CHECK(try_retry_with_backoff(Flaky{}).stats.attempts == 4);
  CHECK(try_retry_with_backoff(Flaky{}, {}).stats.attempts == 4);
  CHECK(try_retry_with_backoff(Flaky{}, retry_presets::quick).stats.attempts == 3);
  CHECK(try_retry_with_backoff(Flaky{}, {.max_retries = 0}).stats.attempts == 1);
}

TEST_CASE("options may be lvalues, const lvalues and rvalues") {
  test::FakeClock clock;
  const test::FakeClock const_clock = clock;
  auto hook = on_retry([](int, const Failure&, std::chrono::nanoseconds) {});
  const auto const_hook = hook;
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  const auto accept = retry_if([](const Failure&) { return true; });
  const auto rule = failure_if([](const std::error_code& code) { return static_cast<bool>(code); });
  const auto give_up = on_give_up([](const RetryStats&) {});
  const RetryConfig config{.max_retries = 1};
  CHECK(try_retry_with_backoff(Flaky{}, config, clock, hook, token).stats.attempts == 2);
  CHECK(try_retry_with_backoff(Flaky{}, config, const_clock, const_hook, accept).stats.attempts == 2);
  CHECK(try_retry_with_backoff(Flaky{}, config, test::FakeClock{clock}, rule, give_up).stats.attempts == 2);
  CHECK(try_retry_with_backoff(Flaky{}, config, std::move(clock), std::move(hook), stop.get_token())
            .stats.attempts == 2);
  CHECK(const_clock.sleeps().size() == 4);
}

TEST_CASE("hooks may keep state, and may be move-only") {
  const test::FakeClock clock;
  std::vector<int> told;
  auto counting =
      on_retry([&, n = 0](int, const Failure&, std::chrono::nanoseconds) mutable { told.push_back(++n); });
  (void)try_retry_with_backoff(Flaky{}, {.max_retries = 2}, clock, counting);
  CHECK(told == std::vector<int>{1, 2});
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

TEST_CASE("a hook that returns something is a hook all the same") {
  int calls = 0;
  (void)try_retry_with_backoff(Flaky{}, test::FakeClock{}, on_retry([&](auto...) { return ++calls; }),
                               on_give_up([&](const auto&) { return ++calls; }));
  CHECK(calls == 4);
}

TEST_CASE("on_retry gets the number of the failed attempt from 1, its failure and the coming delay") {
  struct Told {
    int attempt;
    std::string message;
    std::optional<int> status;
    std::chrono::nanoseconds delay;
    std::size_t waits_so_far;
  };
  const test::FakeClock clock;
  std::vector<Told> told;
  const auto op = [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); };
  (void)try_retry_with_backoff(
      op, clock, with_random(Smallest{}),
      on_retry([&](int attempt, const Failure& failure, std::chrono::nanoseconds delay) {
        CHECK(failure.exception() != nullptr);
        told.push_back({attempt, failure.message(), failure.status(), delay, clock.sleeps().size()});
      }));
  REQUIRE(told.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(told[i].attempt == static_cast<int>(i + 1));
    CHECK(told[i].message == std::to_string(i + 1));
    CHECK(told[i].status == 503);
    CHECK(told[i].delay == 500ms * (1 << i));
    CHECK(told[i].waits_so_far == i);
  }
}

TEST_CASE("on_retry is not called where no retry follows") {
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

TEST_CASE("on_give_up gets the stats once, complete, before the error reaches the caller") {
  test::FakeClock clock;
  int calls = 0;
  RetryStats told;
  const auto hook = on_give_up([&](const RetryStats& stats) {
    ++calls;
    told = stats;
  });
  const auto op = [](const Attempt& attempt) { throw unavailable(std::to_string(attempt.number)); };
  CHECK_THROWS_WITH(retry_with_backoff(op, {.max_retries = 2, .jitter = Jitter::none}, clock, hook), "3");
  CHECK(calls == 1);
  CHECK(told.attempts == 3);
  CHECK(told.total_delay == 3s);
  CHECK(told.stop_reason == StopReason::retries_exhausted);
  REQUIRE(told.errors.size() == 3);
  CHECK(told.errors.back().message() == "3");
}

TEST_CASE("on_give_up is told of every end but success, also of a failed value") {
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

TEST_CASE("failure_if judges each value once, and the failed one stays reachable") {
  int judged = 0;
  const auto rule = failure_if([&](const Response& response) {
    ++judged;
    return response.status >= 500;
  });
  const auto accept = retry_if([](const Failure&) { return true; });
  const auto result = retry_with_backoff(Server{}, test::FakeClock{}, rule, accept);
  CHECK(result.has_value());
  CHECK(result->status == 200);
  CHECK(result.stats.attempts == 3);
  CHECK(judged == 3);
  const auto failed = retry_with_backoff(Server{}, {.max_retries = 1}, test::FakeClock{}, rule, accept);
  CHECK_FALSE(failed.has_value());
  CHECK(failed->status == 503);
  CHECK(failed.stats.stop_reason == StopReason::retries_exhausted);
  CHECK_FALSE(failed.error().code());
}

TEST_CASE("failure_if that gives a bool leaves a failure without a code, which is not transient") {
  const auto result =
      retry_with_backoff(Server{}, test::FakeClock{},
                         failure_if([](const Response& response) { return response.status >= 500; }));
  CHECK(result.stats.attempts == 1);
  CHECK(result.stats.stop_reason == StopReason::not_retryable);
}

TEST_CASE("failure_if may give the Failure itself") {
  const auto rule = failure_if([](const Response& response) -> std::optional<Failure> {
    if (response.status < 500) return std::nullopt;
    return Failure::from_status(response.status, 4s);
  });
  const test::FakeClock clock;
  const auto result = retry_with_backoff(Server{}, {.jitter = Jitter::none}, clock, rule);
  CHECK(result->status == 200);
  REQUIRE(result.stats.errors.size() == 2);
  CHECK(result.stats.errors[0].status() == 503);
  CHECK(clock.sleeps() == Delays{4s, 4s});
}

TEST_CASE("F1 failure_if goes before what the type says of itself, both ways") {
  const auto never = failure_if([](const std::error_code&) { return false; });
  const auto accepted = retry_with_backoff(Flaky{}, test::FakeClock{}, never);
  CHECK(accepted.has_value());
  CHECK(accepted.stats.attempts == 1);
  CHECK(accepted.value() == NetworkErrc::connection_reset);
  const auto always = failure_if([](const std::error_code&) { return true; });
  CHECK_FALSE(
      try_retry_with_backoff([] { return std::error_code{}; }, test::FakeClock{}, always).has_value());
}

TEST_CASE("failure_if works on references and on what cannot be copied") {
  Response stored{503};
  const auto rule = failure_if([](const Response& response) { return response.status >= 500; });
  const auto result = retry_with_backoff([&]() -> Response& { return stored; }, test::FakeClock{}, rule);
  CHECK_FALSE(result.has_value());
  CHECK(&result.value() == &stored);
  const auto empty = failure_if([](const auto& pointer) { return pointer == nullptr; });
  CHECK_FALSE(
      retry_with_backoff([] { return std::unique_ptr<int>{}; }, test::FakeClock{}, empty).has_value());
  CHECK(retry_with_backoff([] { return std::make_unique<int>(1); }, test::FakeClock{}, empty).has_value());
}

TEST_CASE("an exception is a failure whatever failure_if says of values") {
  const auto result = try_retry_with_backoff([]() -> int { throw unavailable(); }, test::FakeClock{},
                                             failure_if([](int) { return false; }));
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 4);
}

TEST_CASE("a budget needs no deposit()") {
  struct OnlyWithdraws {
    int left;
    bool try_withdraw() { return left-- > 0; }
  };
  OnlyWithdraws budget{1};
  const auto result = try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget);
  CHECK(result.stats.attempts == 2);
  CHECK(retry_with_backoff([] { return 1; }, budget).value() == 1);
  static_assert(RetryBudgetLike<OnlyWithdraws>);
  static_assert(RetryBudgetLike<Budget>);
  static_assert(!RetryBudgetLike<test::FakeClock>);
}

TEST_CASE("any type that models Clock is a clock") {
  support::CountingClock clock;
  (void)try_retry_with_backoff(Flaky{}, clock);
  CHECK(clock.counts().sleeps == 3);
}

TEST_CASE("op may be a function, a pointer to one, a reference, a std::function") {
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

TEST_CASE("op may be a bound member function") {
  const test::FakeClock clock;
  Service service;
  CHECK(retry_with_backoff(std::bind_front(&Service::fetch, &service), clock).value() == 12);
  CHECK(retry_with_backoff(std::bind(&Service::fetch, &service), clock).value() == 14);
  CHECK(retry_with_backoff([&] { return service.fetch(); }, clock).value() == 16);
  CHECK(retry_with_backoff(std::bind_front(&Service::fetch_attempt, std::cref(service)), clock).value() == 2);
}

TEST_CASE("op may be const, mutable or move-only, an lvalue or an rvalue") {
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

TEST_CASE("op is called as an lvalue, and as const where it is") {
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

TEST_CASE("a generic op gets the attempt") {
  CHECK(retry_with_backoff([](const auto& attempt) { return attempt.number; }).value() == 1);
  CHECK(retry_with_backoff([](auto&&... arguments) { return sizeof...(arguments); }).value() == 1);
  CHECK(retry_with_backoff([](auto attempt) { return attempt.resend_count.has_value(); }).value() == false);
}

TEST_CASE("an op that could do without the attempt gets it") {
  struct Both {
    int operator()() const { return 0; }
    int operator()(const Attempt& attempt) const { return attempt.number; }
  };
  CHECK(retry_with_backoff(Both{}).value() == 1);
  const auto defaulted = [](std::optional<int> number = std::nullopt) { return number.has_value(); };
  CHECK(retry_with_backoff(defaulted).value() == false);
}

TEST_CASE("an attempt knows its number, and how often the request was sent again") {
  std::vector<int> numbers;
  std::vector<std::optional<int>> resends;
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        numbers.push_back(attempt.number);
        resends.push_back(attempt.resend_count);
        return make_error_code(NetworkErrc::timed_out);
      },
      test::FakeClock{});
  CHECK(numbers == std::vector<int>{1, 2, 3, 4});
  CHECK(resends == std::vector<std::optional<int>>{std::nullopt, 1, 2, 3});
}

TEST_CASE("an attempt's deadline is when total_timeout ends, the same for every attempt") {
  const test::FakeClock clock;
  const auto end = clock.now() + 5s;
  int attempts = 0;
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        ++attempts;
        CHECK(attempt.deadline == Deadline::at(end));
        CHECK(attempt.deadline.remaining(clock) == (attempts == 1 ? 5s : attempts == 2 ? 4s : 2s));
        return make_error_code(NetworkErrc::timed_out);
      },
      {.max_retries = 2, .jitter = Jitter::none, .total_timeout = 5s}, clock);
  CHECK(attempts == 3);
  CHECK(retry_with_backoff([](const Attempt& attempt) { return attempt.deadline.is_never(); }).value());
}

TEST_CASE("an attempt carries the call's stop token, or one that cannot be stopped") {
  std::stop_source stop;
  const auto token = stop.get_token();
  CHECK(
      retry_with_backoff([&](const Attempt& attempt) { return attempt.stop_token == token; }, token).value());
  CHECK_FALSE(
      retry_with_backoff([](const Attempt& attempt) { return attempt.stop_token.stop_possible(); }).value());
}

TEST_CASE("the idempotency key is the same within a call and differs between calls") {
  std::set<std::string> keys;
  for (int call = 0; call < 50; ++call) {
    std::vector<std::string> seen;
    (void)try_retry_with_backoff(
        [&](const Attempt& attempt) {
          seen.push_back(attempt.idempotency_key());
          seen.push_back(attempt.idempotency_key());
          return make_error_code(NetworkErrc::timed_out);
        },
        test::FakeClock{});
    REQUIRE(seen.size() == 8);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 1);
    keys.insert(seen.front());
  }
  CHECK(keys.size() == 50);
}

TEST_CASE("the idempotency key is a random UUID") {
  std::array<std::set<char>, 36> digits;
  for (int call = 0; call < 200; ++call) {
    const std::string key =
        retry_with_backoff([](const Attempt& attempt) { return attempt.idempotency_key(); });
    CAPTURE(key);
    REQUIRE(is_uuid_v4(key));
    for (std::size_t i = 0; i < key.size(); ++i) digits[i].insert(key[i]);
  }
  for (std::size_t i = 0; i < digits.size(); ++i) {
    CAPTURE(i);
    const bool fixed = i == 8 || i == 13 || i == 18 || i == 23 || i == 14;
    CHECK(digits[i].size() == (fixed ? 1U : i == 19 ? 4U : 16U));
  }
}

TEST_CASE("the idempotency key is made when it is asked for, once, also in a later attempt") {
  std::size_t first = 0;
  std::size_t again = 0;
  const auto silent = support::allocations_of(
      [] { retry_with_backoff([](const Attempt& attempt) { return attempt.number; }); });
  CHECK(silent == 0);
  std::string early;
  std::string late;
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        if (attempt.number == 2) {
          first = support::allocations_of([&] { (void)attempt.idempotency_key(); });
          early = attempt.idempotency_key();
        } else if (attempt.number == 3) {
          again = support::allocations_of([&] { (void)attempt.idempotency_key(); });
          late = attempt.idempotency_key();
        }
        return make_error_code(NetworkErrc::timed_out);
      },
      test::FakeClock{});
  CHECK(first == 1);
  CHECK(again == 0);
  CHECK(early == late);
  CHECK(is_uuid_v4(early));
}

TEST_CASE("the idempotency key takes nothing from the jitter's generator") {
  support::Script random{{support::Script::smallest, support::Script::largest}};
  const test::FakeClock clock;
  (void)try_retry_with_backoff(
      [](const Attempt& attempt) {
        (void)attempt.idempotency_key();
        return make_error_code(NetworkErrc::timed_out);
      },
      {.max_retries = 2}, clock, with_random(random));
  CHECK(clock.sleeps() == Delays{500ms, 2s});
  CHECK(random.draws() == 2);
}

TEST_CASE("7.3 a predicate may be a pointer to a member") {
  struct Answer {
    int status = 503;
    [[nodiscard]] bool is_bad() const { return status >= 400; }
  };
  test::FakeClock clock;
  int calls = 0;
  const auto op = [&] { return Answer{++calls < 3 ? 503 : 200}; };
  const auto result = retry_with_backoff(op, RetryConfig{}, clock, failure_if(&Answer::is_bad),
                                         retry_if([](const Failure&) { return true; }));
  CHECK(result.stats.attempts == 3);

  const auto refused = try_retry_with_backoff([]() -> int { throw ApiError{ErrorCode::bad_gateway}; },
                                              RetryConfig{}, clock, retry_if(&Failure::is_transient));
  CHECK(refused.stats.attempts == 4);
}
