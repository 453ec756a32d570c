#include <fusebox/failure/traits.hpp>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::Expected;
using support::Response;

namespace shop {

/// Each way of judging gives something else: failure_traits 502, failure_of 410, its own error conflict.
struct Contested {
  bool traits_say_bad = true;
  [[nodiscard]] bool has_value() const { return false; }
  [[nodiscard]] std::error_code error() const { return make_error_code(ErrorCode::conflict); }
};
[[maybe_unused]] std::optional<Failure> failure_of(const Contested&) { return Failure::from_status(410); }

/// The same without failure_traits.
struct Disputed {
  [[nodiscard]] bool has_value() const { return false; }
  [[nodiscard]] std::error_code error() const { return make_error_code(ErrorCode::conflict); }
};
std::optional<Failure> failure_of(const Disputed&) { return Failure::from_status(503); }

}  // namespace shop

template <>
struct fusebox::failure_traits<shop::Contested> {
  static std::optional<Failure> failure(const shop::Contested& value) {
    if (!value.traits_say_bad) return std::nullopt;
    return Failure::from_status(502);
  }
};

namespace {

enum class Problem { broken };

/// What a breaker counts, what a retry calls, and what the retry's failure is, for one value of op.
struct Judged {
  Outcome outcome;
  int calls;
  std::optional<std::error_code> code;  // absent if the retry succeeded

  friend bool operator==(const Judged&, const Judged&) = default;
};

std::ostream& operator<<(std::ostream& out, const Judged& judged) {
  return out << to_string(judged.outcome) << ", " << judged.calls << " calls, "
             << (judged.code ? judged.code->message() : "no failure");
}

constexpr int all_calls = 3;

template <class Op, class... Options>
Judged judged(Op op, const Options&... options) {
  const test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 0}, clock};
  (void)breaker.execute(op, options...);
  const Counts counts = counts_of(breaker);
  CHECK(counts.success + counts.failure + counts.ignored == 1);
  const Outcome outcome = counts.success > 0   ? Outcome::success
                          : counts.failure > 0 ? Outcome::failure
                                               : Outcome::ignored;

  const auto result = try_retry_with_backoff(op, {.max_retries = all_calls - 1}, clock, options...);
  CHECK(result.has_value() == result.stats.errors.empty());
  CHECK(clock.sleeps().size() == static_cast<std::size_t>(result.stats.attempts - 1));
  if (result.has_value()) return {outcome, result.stats.attempts, std::nullopt};
  return {outcome, result.stats.attempts, result.error().code()};
}

template <class T, class... Options>
Judged judged_value(const T& value, const Options&... options) {
  return judged([&] { return value; }, options...);
}

template <class E>
Expected<int, E> failed(E error) {
  return support::Unexpected<E>{std::move(error)};
}

template <class Code>
std::error_code code_of(Code code) {
  return make_error_code(code);
}

const Judged success{Outcome::success, 1, std::nullopt};

}  // namespace

TEST_CASE("F1 a value of a type that says nothing of failures is a success", "[F1]") {
  CHECK(judged_value(0) == success);
  CHECK(judged_value(std::optional<int>{}) == success);
  CHECK(judged_value(std::make_error_condition(std::errc::timed_out)) == success);
}

TEST_CASE("F1 a value that is plainly an error fails, and keeps its meaning", "[F1]") {
  const Judged refused{Outcome::failure, all_calls, code_of(NetworkErrc::connection_refused)};
  CHECK(judged_value(NetworkErrc::connection_refused) == refused);
  CHECK(judged_value(Failure{NetworkErrc::connection_refused}) == refused);
  CHECK(judged_value(std::optional<Failure>{Failure{NetworkErrc::connection_refused}}) == refused);
  CHECK(judged_value(std::make_exception_ptr(code_of(NetworkErrc::connection_refused))) == refused);
  CHECK(judged_value(ApiError{ErrorCode::bad_gateway}) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::bad_gateway)});
  CHECK(judged_value(std::errc::connection_refused) ==
        Judged{Outcome::failure, all_calls, code_of(std::errc::connection_refused)});
  CHECK(judged_value(ErrorCode::not_found) == Judged{Outcome::success, 1, code_of(ErrorCode::not_found)});
  CHECK(judged_value(PolicyErrc::circuit_open) ==
        Judged{Outcome::ignored, 1, code_of(PolicyErrc::circuit_open)});
  CHECK(judged_value(std::optional<Failure>{}) == success);
  CHECK(judged_value(std::exception_ptr{}) == success);
  CHECK(judged_value(std::errc{}) == success);
}

TEST_CASE("F1 the error of an expected keeps its meaning", "[F1]") {
  CHECK(judged_value(failed(NetworkErrc::timed_out)) ==
        Judged{Outcome::failure, all_calls, code_of(NetworkErrc::timed_out)});
  CHECK(judged_value(failed(std::errc::connection_reset)) ==
        Judged{Outcome::failure, all_calls, code_of(std::errc::connection_reset)});
  CHECK(judged_value(failed(std::make_exception_ptr(CircuitOpenError{"inner"}))) ==
        Judged{Outcome::ignored, 1, code_of(PolicyErrc::circuit_open)});
}

TEST_CASE("F1 a std::error_code fails when set", "[F1]") {
  CHECK(judged_value(std::error_code{}) == success);
  CHECK(judged_value(code_of(NetworkErrc::timed_out)) ==
        Judged{Outcome::failure, all_calls, code_of(NetworkErrc::timed_out)});
  CHECK(judged_value(code_of(ErrorCode::not_found)) ==
        Judged{Outcome::success, 1, code_of(ErrorCode::not_found)});
  CHECK(judged_value(code_of(PolicyErrc::cancelled)) ==
        Judged{Outcome::ignored, 1, code_of(PolicyErrc::cancelled)});
  const std::error_code missing = std::make_error_code(std::errc::no_such_file_or_directory);
  CHECK(judged_value(missing) == Judged{Outcome::failure, 1, missing});
}

TEST_CASE("F1 an expected-like value fails with its error, whatever its type", "[F1]") {
  CHECK(judged_value(Expected<int, std::error_code>{1}) == success);
  CHECK(judged_value(failed(code_of(ErrorCode::bad_gateway))) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::bad_gateway)});
  CHECK(judged_value(failed(ApiError{ErrorCode::forbidden})) ==
        Judged{Outcome::success, 1, code_of(ErrorCode::forbidden)});
  CHECK(judged_value(failed(CircuitOpenError{"other"})) ==
        Judged{Outcome::ignored, 1, code_of(PolicyErrc::circuit_open)});
  CHECK(judged_value(failed(Failure{NetworkErrc::connection_refused})) ==
        Judged{Outcome::failure, all_calls, code_of(NetworkErrc::connection_refused)});
  CHECK(judged_value(failed(Problem::broken)) == Judged{Outcome::failure, 1, std::error_code{}});
}

TEST_CASE("F1 failure_of, found by argument-dependent lookup, judges", "[F1]") {
  CHECK(judged_value(Response{200}) == success);
  CHECK(judged_value(Response{404}) == Judged{Outcome::success, 1, code_of(ErrorCode::not_found)});
  CHECK(judged_value(Response{502}) == Judged{Outcome::failure, all_calls, code_of(ErrorCode::bad_gateway)});
}

TEST_CASE("F1 failure_if, then failure_traits, then failure_of, then the defaults judge", "[F1]") {
  const auto gateway =
      failure_if([](const auto&) { return std::optional<Failure>{Failure::from_status(504)}; });
  const auto never = failure_if([](const auto&) { return false; });

  CHECK(judged_value(shop::Contested{}, gateway) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::gateway_timeout)});
  CHECK(judged_value(shop::Contested{}, never) == success);
  CHECK(judged_value(shop::Contested{}) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::bad_gateway)});
  CHECK(judged_value(shop::Contested{false}) == success);

  CHECK(judged_value(shop::Disputed{}, gateway) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::gateway_timeout)});
  CHECK(judged_value(shop::Disputed{}, never) == success);
  CHECK(judged_value(shop::Disputed{}) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::service_unavailable)});

  CHECK(judged_value(failed(code_of(ErrorCode::bad_gateway)), never) == success);
  CHECK(judged_value(code_of(ErrorCode::bad_gateway), never) == success);
}

TEST_CASE("F1 failure_if judges a value of any type", "[F1]") {
  const auto negative = failure_if([](const int& value) { return value < 0; });
  CHECK(judged_value(0, negative) == success);
  CHECK(judged_value(-1, negative) == Judged{Outcome::failure, 1, std::error_code{}});

  const auto telling = failure_if([](const int& status) -> std::optional<Failure> {
    if (status < 400) return std::nullopt;
    return Failure::from_status(status);
  });
  CHECK(judged_value(399, telling) == success);
  CHECK(judged_value(404, telling) == Judged{Outcome::success, 1, code_of(ErrorCode::not_found)});
  CHECK(judged_value(503, telling) ==
        Judged{Outcome::failure, all_calls, code_of(ErrorCode::service_unavailable)});
}

TEST_CASE("F1 failure_if judges references and move-only values where they are", "[F1]") {
  int kept = -1;
  const int* seen = nullptr;
  const auto rule = failure_if([&](const int& value) {
    seen = &value;
    return value < 0;
  });
  CHECK(judged([&]() -> int& { return kept; }, rule) == Judged{Outcome::failure, 1, std::error_code{}});
  CHECK(seen == &kept);

  const auto empty = failure_if([](const std::unique_ptr<int>& value) { return value == nullptr; });
  CHECK(judged([] { return std::make_unique<int>(1); }, empty) == success);
  CHECK(judged([] { return std::unique_ptr<int>{}; }, empty) ==
        Judged{Outcome::failure, 1, std::error_code{}});
}

TEST_CASE("F1 failure_if is called once for each value", "[F1]") {
  int asked = 0;
  const auto rule = failure_if([&](int value) {
    ++asked;
    return value < 0;
  });
  Breaker breaker{"b", {}, test::FakeClock{}};
  CHECK(breaker.execute([] { return -1; }, rule) == -1);
  CHECK(asked == 1);
  (void)try_retry_with_backoff([] { return -1; }, {.max_retries = 4}, test::FakeClock{}, rule,
                               retry_if([](const Failure&) { return true; }));
  CHECK(asked == 6);
}

TEST_CASE("F1 a failed value reaches the caller unchanged, unless a fallback takes its place", "[F1]") {
  Breaker breaker{"b", {.failure_threshold = 0}, test::FakeClock{}};
  CHECK(breaker.execute([] { return Response{500}; }).status == 500);
  CHECK(breaker.execute([] { return failed(std::string{"broken"}); }).error() == "broken");
  CHECK(breaker
            .execute([] { return Response{502}; },
                     [](const Failure& failure) { return Response{*failure.status() + 1000}; })
            .status == 1502);
  CHECK(breaker.execute([] { return -1; }, [] { return 7; },
                        failure_if([](int value) { return value < 0; })) == 7);

  const auto result = retry_with_backoff([] { return Response{404}; }, test::FakeClock{});
  CHECK_FALSE(result.has_value());
  CHECK(result->status == 404);
}

TEST_CASE("F1 a RetryResult is judged by how its retry ended", "[F1]") {
  const test::FakeClock clock;
  const auto retried = [&](auto op) {
    return [&clock, op] { return try_retry_with_backoff(op, {.max_retries = 1}, clock); };
  };
  Breaker breaker{"b", {.failure_threshold = 0}, clock};

  SECTION("of a plain value") {
    CHECK(breaker.execute(retried([] { return 7; })).value() == 7);
    CHECK(counts_of(breaker) == Counts{1, 0, 0});
  }
  SECTION("of an exception") {
    CHECK_FALSE(breaker.execute(retried([]() -> int { throw TimeoutError{}; })).has_value());
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
    (void)breaker.execute(retried([]() -> int { throw ApiError{ErrorCode::not_found}; }));
    CHECK(counts_of(breaker) == Counts{1, 1, 0});
    (void)breaker.execute(retried([]() { throw CancelledError{}; }));
    CHECK(counts_of(breaker) == Counts{1, 1, 1});
  }
  SECTION("of a failed value inside it") {
    const auto result =
        breaker.execute(retried([] { return failed(code_of(NetworkErrc::connection_reset)); }));
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
    CHECK(result.stats.attempts == 2);
    CHECK(result.value().error() == NetworkErrc::connection_reset);
    (void)breaker.execute(retried([] { return failed(code_of(ErrorCode::forbidden)); }));
    CHECK(counts_of(breaker) == Counts{1, 1, 0});
    (void)breaker.execute(retried([] { return Response{500}; }));
    CHECK(counts_of(breaker) == Counts{1, 2, 0});
  }
  SECTION("of a failed value inside it, with a fallback") {
    const auto op = retried([] { return Response{500}; });
    CHECK(breaker.execute(op, [] { return Response{299}; }).status == 299);
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
  }
  SECTION("by failure_if, whatever its retry made of it") {
    const auto few = failure_if([](const RetryResult<int>& result) { return result.stats.attempts < 2; });
    CHECK(breaker.execute(retried([] { return 7; }), few).value() == 7);
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
  }
}

TEST_CASE("F1 a retry of a retry judges the inner RetryResult, and gives the last one as its value", "[F1]") {
  const test::FakeClock clock;
  int calls = 0;
  const auto inner = [&] {
    return try_retry_with_backoff(
        [&]() -> int {
          ++calls;
          throw TimeoutError{"too slow"};
        },
        {.max_retries = 1}, clock);
  };
  const auto outer = try_retry_with_backoff(inner, {.max_retries = 2}, clock);
  CHECK(calls == 6);
  CHECK_FALSE(outer.has_value());
  CHECK(outer.error().is_timeout());
  CHECK(outer.stats.attempts == 3);
  CHECK(outer.value().stats.attempts == 2);
  CHECK_THROWS_AS(outer.value().value(), TimeoutError);

  // It was returned, not thrown: retry_with_backoff has nothing to throw either.
  CHECK_NOTHROW(retry_with_backoff(inner, {.max_retries = 2}, clock).value().error());
}

TEST_CASE("F1 a failed value whose Failure holds an exception is still a value: it is returned, not thrown",
          "[F1]") {
  const auto op = [] { return failed(Failure::from_exception(std::make_exception_ptr(TimeoutError{}))); };
  Breaker breaker{"b", {}, test::FakeClock{}};
  CHECK_FALSE(breaker.execute(op).has_value());
  std::optional<bool> has_value;
  CHECK_NOTHROW(has_value = retry_with_backoff(op, test::FakeClock{}).value().has_value());
  CHECK(has_value == false);
}
