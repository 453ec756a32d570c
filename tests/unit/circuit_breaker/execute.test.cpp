#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::Response;
using support::trip;
using support::trip_and_wait;

namespace {

using Expected = support::Expected<int, std::error_code>;
using Unexpected = support::Unexpected<std::error_code>;

/// An op that throws an ApiError of this status.
auto throws(int status) {
  return [status]() -> int { throw ApiError{static_cast<ErrorCode>(status)}; };
}

const RetryConfig no_retry{.max_retries = 0, .jitter = Jitter::none};

int seven() { return 7; }

}  // namespace

TEST_CASE("B10 what op throws is recorded by classify and goes through", "[B10]") {
  struct Row {
    int status;
    Counts counts;
  };
  for (const auto& [status, counts] : {Row{400, {1, 0, 0}}, Row{404, {1, 0, 0}}, Row{408, {0, 1, 0}},
                                       Row{429, {0, 1, 0}}, Row{500, {0, 1, 0}}, Row{503, {0, 1, 0}}}) {
    CAPTURE(status);
    Breaker breaker{"b"};
    CHECK_THROWS_AS(breaker.execute(throws(status)), ApiError);
    CHECK(counts_of(breaker) == counts);
  }
}

TEST_CASE("B10 F2 an exception of any type is a failure; cancellations and rejections are ignored",
          "[B10][F2]") {
  Breaker breaker{"b"};
  CHECK_THROWS_AS(breaker.execute([] { throw 42; }), int);
  CHECK_THROWS_AS(breaker.execute([] { throw std::logic_error{"x"}; }), std::logic_error);
  CHECK_THROWS_AS(breaker.execute([] { throw TimeoutError{}; }), TimeoutError);
  CHECK(counts_of(breaker) == Counts{0, 3, 0});
  CHECK_THROWS_AS(breaker.execute([] { throw CancelledError{}; }), CancelledError);
  CHECK_THROWS_AS(breaker.execute([] { throw CircuitOpenError{"other"}; }), CircuitOpenError);
  CHECK_THROWS_AS(breaker.execute([] { throw BulkheadFullError{}; }), BulkheadFullError);
  CHECK(counts_of(breaker) == Counts{0, 3, 3});
}

TEST_CASE("B10 a failed value is recorded by classify and returned unchanged", "[B10]") {
  Breaker breaker{"b"};
  CHECK(breaker.execute([] { return Response{503}; }).status == 503);
  CHECK(counts_of(breaker) == Counts{0, 1, 0});
  CHECK(breaker.execute([] { return Response{404}; }).status == 404);
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
  CHECK(breaker.execute([] { return Response{200}; }).status == 200);
  CHECK(counts_of(breaker) == Counts{2, 1, 0});

  const std::error_code refused = make_error_code(NetworkErrc::connection_refused);
  CHECK(breaker.execute([&] { return Expected{Unexpected{refused}}; }).error() == refused);
  CHECK(breaker.execute([&] { return refused; }) == refused);
  CHECK(counts_of(breaker) == Counts{2, 3, 0});
  CHECK(breaker.execute([] { return Expected{3}; }).value() == 3);
  CHECK(breaker.execute([] { return std::error_code{}; }) == std::error_code{});
  CHECK(counts_of(breaker) == Counts{4, 3, 0});
  CHECK(breaker.execute([] { return make_error_code(PolicyErrc::cancelled); }) == PolicyErrc::cancelled);
  CHECK(counts_of(breaker) == Counts{4, 3, 1});
}

TEST_CASE("B10 F1 failure_if judges the values of its own call only", "[B10][F1]") {
  Breaker breaker{"b"};
  const auto negative = failure_if([](const int& value) { return value < 0; });
  CHECK(breaker.execute([] { return -1; }, negative) == -1);
  CHECK(breaker.execute([] { return 1; }, negative) == 1);
  CHECK(breaker.execute([] { return -1; }) == -1);
  CHECK(counts_of(breaker) == Counts{2, 1, 0});
  CHECK(breaker.execute([] { return -1; }, [] { return 9; }, negative) == 9);
  CHECK(breaker.execute([] { return -1; }, negative, CallOptions{}) == -1);
  CHECK(counts_of(breaker) == Counts{2, 3, 0});
}

TEST_CASE("B10 F1 failure_if comes before what the value's type says", "[B10][F1]") {
  Breaker breaker{"b"};
  const auto never = failure_if([](const Response&) { return false; });
  const auto always = failure_if([](const Response&) { return true; });
  const auto fallback = [](const Failure& failure) { return Response{failure.status().value_or(0)}; };
  CHECK(breaker.execute([] { return Response{500}; }, fallback, never).status == 500);
  CHECK(counts_of(breaker) == Counts{1, 0, 0});
  CHECK(breaker.execute([] { return Response{502}; }, fallback, always).status == 502);
  CHECK(breaker.execute([] { return Response{200}; }, fallback, always).status == 0);
  CHECK(counts_of(breaker) == Counts{1, 2, 0});
}

TEST_CASE("B10 F1 failure_if may say which failure a value is", "[B10][F1]") {
  Breaker breaker{"b"};
  const auto as_status = failure_if([](const int& value) -> std::optional<Failure> {
    if (value < 400) return std::nullopt;
    return Failure::from_status(value);
  });
  CHECK(breaker.execute([] { return 404; }, as_status) == 404);
  CHECK(breaker.execute([] { return 500; }, as_status) == 500);
  CHECK(breaker.execute([] { return 200; }, as_status) == 200);
  CHECK(counts_of(breaker) == Counts{2, 1, 0});
}

TEST_CASE("B10 the fallback gives the result whatever the outcome, except after a cancellation", "[B10]") {
  const auto fallback = [] { return -1; };
  Breaker breaker{"b"};
  SECTION("for a failure") {
    CHECK(breaker.execute(throws(500), fallback) == -1);
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
  }
  SECTION("for an answered 4xx, which is a success") {
    CHECK(breaker.execute(throws(404), fallback) == -1);
    CHECK(counts_of(breaker) == Counts{1, 0, 0});
  }
  SECTION("for another breaker's rejection, which is ignored") {
    CHECK(breaker.execute([]() -> int { throw CircuitOpenError{"other"}; }, fallback) == -1);
    CHECK(counts_of(breaker) == Counts{0, 0, 1});
  }
  SECTION("for a failed value") {
    CHECK(breaker.execute([] { return Response{500}; }, [] { return Response{299}; }).status == 299);
    CHECK(breaker.execute([] { return Response{404}; }, [] { return Response{299}; }).status == 299);
    CHECK(counts_of(breaker) == Counts{1, 1, 0});
  }
  SECTION("for a rejection of its own") {
    breaker.force_open();
    CHECK(breaker.execute(seven, fallback) == -1);
    CHECK(counts_of(breaker) == Counts{});
  }
  SECTION("not for a success") { CHECK(breaker.execute(seven, fallback) == 7); }
  SECTION("not for a thrown cancellation") {
    CHECK_THROWS_AS(breaker.execute([]() -> int { throw CancelledError{}; }, fallback), CancelledError);
    CHECK_THROWS_AS(
        breaker.execute(
            []() -> int { throw std::system_error{std::make_error_code(std::errc::operation_canceled)}; },
            fallback),
        std::system_error);
    CHECK(counts_of(breaker) == Counts{0, 0, 2});
  }
  SECTION("not for a returned cancellation") {
    const auto code = breaker.execute([] { return make_error_code(PolicyErrc::cancelled); },
                                      [] { return std::error_code{}; });
    CHECK(code == PolicyErrc::cancelled);
    CHECK(counts_of(breaker) == Counts{0, 0, 1});
  }
}

TEST_CASE("B10 the fallback runs once, after the outcome is recorded", "[B10]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  int calls = 0;
  State seen{};
  const auto fallback = [&] {
    ++calls;
    seen = breaker.state();
    return 0;
  };
  breaker.execute(throws(500), fallback);
  CHECK(seen == State::open);
  CHECK(calls == 1);
  breaker.execute(throws(500), fallback);
  CHECK(calls == 2);
  CHECK(breaker.stats().rejected_count == 1);
}

TEST_CASE("B10 a fallback that takes a Failure receives what failed", "[B10]") {
  Breaker breaker{"b", {.reset_timeout = 30s}};
  std::optional<Failure> seen;
  const auto keep = [&seen](const Failure& failure) {
    seen = failure;
    return 0;
  };
  SECTION("the exception") {
    breaker.execute([]() -> int { throw ApiError{ErrorCode::not_found, "no such order"}; }, keep);
    REQUIRE(seen);
    CHECK(seen->exception());
    CHECK(seen->status() == 404);
    CHECK(seen->message() == "no such order");
    CHECK_THROWS_WITH(seen->rethrow(), "no such order");
  }
  SECTION("an exception without a code") {
    breaker.execute([]() -> int { throw 42; }, keep);
    REQUIRE(seen);
    CHECK_FALSE(seen->code());
    CHECK_THROWS_AS(seen->rethrow(), int);
  }
  SECTION("the failed value's error") {
    breaker.execute([] { return Response{502}; },
                    [&](const Failure& failure) {
                      keep(failure);
                      return Response{};
                    });
    REQUIRE(seen);
    CHECK_FALSE(seen->exception());
    CHECK(seen->status() == 502);
  }
  SECTION("the failure that failure_if made") {
    const auto rule =
        failure_if([](const int&) -> std::optional<Failure> { return Failure::from_status(429, 5s); });
    breaker.execute(seven, keep, rule);
    REQUIRE(seen);
    CHECK(seen->status() == 429);
    CHECK(seen->retry_after() == 5s);
  }
  SECTION("the rejection") {
    trip(breaker);
    breaker.clock().advance(500ms);
    breaker.execute(seven, keep);
    REQUIRE(seen);
    CHECK(seen->is_rejection());
    CHECK_FALSE(seen->exception());
    CHECK(seen->code() == PolicyErrc::circuit_open);
    CHECK(seen->status() == 503);
    CHECK(seen->category() == ErrorCategory::external_service);
    CHECK(seen->retry_after() == 30s);
    CHECK(seen->message() == "circuit breaker 'b' is open");
    try {
      seen->rethrow();
    } catch (const CircuitOpenError& error) {
      CHECK(error.name() == "b");
      CHECK(error.retry_after() == 30s);
      CHECK(error.timestamp() == breaker.clock().wall_now());
    }
    CHECK_THROWS_AS(seen->rethrow(), CircuitOpenError);
  }
}

TEST_CASE("B10 a fallback that can be called both ways is called with the Failure", "[B10]") {
  struct Both {
    std::string operator()() const { return "nothing"; }
    std::string operator()(const Failure&) const { return "failure"; }
  };
  Breaker breaker{"b"};
  CHECK(breaker.execute([]() -> std::string { throw 1; }, Both{}) == "failure");
  CHECK(breaker.execute([]() -> std::string { throw 1; },
                        [](auto&&... args) { return std::to_string(sizeof...(args)); }) == "1");
  breaker.force_open();
  CHECK(breaker.execute([] { return std::string{"op"}; }, Both{}) == "failure");
}

TEST_CASE("B10 an exception from the fallback goes through, after the outcome of op is recorded", "[B10]") {
  Breaker breaker{"b", {.failure_threshold = 2}};
  const auto broken = [](const Failure&) -> int { throw std::domain_error{"fallback"}; };
  CHECK_THROWS_AS(breaker.execute(throws(500), broken), std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 1, 0});
  CHECK_THROWS_AS(breaker.execute([] { return Response{500}; },
                                  []() -> Response { throw std::domain_error{"fallback"}; }),
                  std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 2, 0});
  CHECK(breaker.state() == State::open);
  CHECK_THROWS_AS(breaker.execute(seven, broken), std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 2, 0});
}

TEST_CASE("B10 a fallback may rethrow the failure", "[B10]") {
  Breaker breaker{"b"};
  CHECK_THROWS_AS(breaker.execute(throws(500), [](const Failure& failure) -> int { failure.rethrow(); }),
                  ApiError);
}

TEST_CASE("B10 classify receives the failure and decides", "[B10]") {
  const auto by_message = [](const Failure& failure) {
    if (failure.message() == "fine") return Outcome::success;
    return failure.message() == "mine" ? Outcome::ignored : Outcome::failure;
  };
  Breaker breaker{"b", {.classify = by_message}};
  for (const char* text : {"fine", "mine", "bad"}) {
    CHECK_THROWS_WITH(breaker.execute([&] { throw std::runtime_error{text}; }), text);
  }
  CHECK(counts_of(breaker) == Counts{1, 1, 1});
}

TEST_CASE("B11 with a fallback the result type is the common type of both", "[B11]") {
  Breaker breaker{"b"};
  static int object = 1;
  const auto reference = []() -> int& { return object; };
  CHECK(&breaker.execute(reference, reference) == &object);
  CHECK(breaker.execute(seven, [] { return std::optional<int>{}; }) == 7);
  CHECK(breaker.execute(throws(500), [] { return std::optional<int>{}; }) == std::nullopt);
  CHECK(breaker.execute([] { return "x"; }, [] { return std::string{"y"}; }) == "x");
  breaker.force_open();
  CHECK(breaker.execute([] { return "x"; }, [] { return std::string{"y"}; }) == "y");
  CHECK(breaker.execute([] { return std::string{"x"}; }, [] { return "y"; }) == "y");
  CHECK(&breaker.execute(reference, reference) == &object);
}

TEST_CASE("B11 void works, also with a void fallback", "[B11]") {
  Breaker breaker{"b"};
  int ops = 0;
  int fallbacks = 0;
  breaker.execute([&] { ++ops; });
  breaker.execute([&] { ++ops; }, [&] { ++fallbacks; });
  breaker.execute([] { throw 1; }, [&] { ++fallbacks; });
  breaker.execute([] { throw 1; }, [&](const Failure&) { ++fallbacks; });
  breaker.force_open();
  breaker.execute([&] { ++ops; }, [&] { ++fallbacks; });
  breaker.execute([&] { ++ops; }, [&](const Failure&) { ++fallbacks; });
  CHECK(ops == 2);
  CHECK(fallbacks == 4);
  CHECK(counts_of(breaker) == Counts{2, 2, 0});
}

TEST_CASE("B11 move-only values work, with and without a fallback", "[B11]") {
  using Box = std::unique_ptr<int>;
  Breaker breaker{"b"};
  CHECK(*breaker.execute([] { return std::make_unique<int>(1); }) == 1);
  const auto spare = [] { return std::make_unique<int>(2); };
  CHECK(*breaker.execute([] { return std::make_unique<int>(1); }, spare) == 1);
  CHECK(*breaker.execute([]() -> Box { throw 1; }, spare) == 2);
  const auto null = breaker.execute([]() -> Box { throw 1; }, [] { return nullptr; });
  static_assert(std::is_same_v<decltype(null), const Box>);
  CHECK_FALSE(null);
  const auto bad = failure_if([](const Box& box) { return *box == 1; });
  CHECK(*breaker.execute([] { return std::make_unique<int>(1); }, bad) == 1);
  CHECK(*breaker.execute([] { return std::make_unique<int>(1); }, spare, bad) == 2);
  breaker.force_open();
  CHECK(*breaker.execute([] { return std::make_unique<int>(1); }, spare) == 2);
}

TEST_CASE("B11 a RetryResult keeps its stats without a fallback, and is unwrapped with one", "[B11]") {
  Breaker breaker{"b"};
  int calls = 0;
  const auto flaky = [&](int failures) {
    return [&calls, failures]() -> int {
      if (++calls <= failures) throw ApiError{ErrorCode::service_unavailable};
      return calls;
    };
  };
  const RetryConfig config{.max_retries = 3, .base_delay = 1s, .jitter = Jitter::none};
  const auto retry = [&](int failures) {
    return [&, failures] { return try_retry_with_backoff(flaky(failures), config, breaker.clock()); };
  };
  SECTION("a value with its stats") {
    auto result = breaker.execute(retry(2));
    static_assert(std::is_same_v<decltype(result), RetryResult<int>>);
    CHECK(result.value() == 3);
    CHECK(result.stats.attempts == 3);
    CHECK(result.stats.total_delay == 3s);
    CHECK(result.stats.errors.size() == 2);
    CHECK(counts_of(breaker) == Counts{1, 0, 0});
  }
  SECTION("a failure with its stats, recorded once") {
    auto result = breaker.execute(retry(9));
    CHECK_FALSE(result.has_value());
    CHECK(result.stats.attempts == 4);
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
  }
  SECTION("the value with a fallback") {
    static_assert(std::is_same_v<decltype(breaker.execute(retry(0), seven)), int>);
    static_assert(std::is_same_v<decltype(breaker.execute(seven, retry(0))), int>);
    static_assert(std::is_same_v<decltype(breaker.execute(retry(0), retry(0))), int>);
    CHECK(breaker.execute(retry(1), seven) == 2);
    CHECK(breaker.execute(retry(99), seven) == 7);
    CHECK(breaker.execute(throws(500), [&] { return retry_with_backoff(seven, no_retry); }) == 7);
    CHECK(counts_of(breaker) == Counts{1, 2, 0});
  }
  SECTION("a fallback's failed RetryResult goes on as its error") {
    CHECK_THROWS_AS(breaker.execute(throws(404), retry(99)), ApiError);
    CHECK(counts_of(breaker) == Counts{1, 0, 0});
  }
  SECTION("a thrown last error, recorded once") {
    CHECK_THROWS_AS(breaker.execute([&] { return retry_with_backoff(flaky(99), config, breaker.clock()); }),
                    ApiError);
    CHECK(counts_of(breaker) == Counts{0, 1, 0});
  }
  SECTION("void and references") {
    static int object = 1;
    const auto nothing = [] { return retry_with_backoff([] {}, no_retry); };
    const auto reference = []() -> int& { return object; };
    const auto retried = [=] { return retry_with_backoff(reference, no_retry); };
    static_assert(std::is_void_v<decltype(breaker.execute(nothing, [] {}))>);
    static_assert(std::is_same_v<decltype(breaker.execute(retried, reference)), int&>);
    breaker.execute(nothing);
    breaker.execute(nothing, [] {});
    breaker.execute([] {}, nothing);
    CHECK(&breaker.execute(retried, reference) == &object);
    CHECK(counts_of(breaker) == Counts{4, 0, 0});
    breaker.execute([] { throw 1; }, nothing);
    breaker.force_open();
    breaker.execute([] {}, nothing);
    CHECK(&breaker.execute(retried, reference) == &object);
  }
}

TEST_CASE("B11 an expected-like op with an expected-like fallback gives the expected", "[B11]") {
  Breaker breaker{"b"};
  const auto bad = [] { return Expected{Unexpected{make_error_code(NetworkErrc::timed_out)}}; };
  static_assert(std::is_same_v<decltype(breaker.execute(bad, bad)), Expected>);
  CHECK(breaker.execute(bad, [] { return Expected{5}; }).value() == 5);
  CHECK(breaker.execute(bad, bad).error() == NetworkErrc::timed_out);
  CHECK(breaker.execute(bad, [] { return 6; }).value() == 6);
}

TEST_CASE("B10 a fallback may be a pointer to a member of Failure", "[B10]") {
  Breaker breaker{"b"};
  const auto op = []() -> std::string { throw std::runtime_error{"boom"}; };
  CHECK(breaker.execute(op, &Failure::message) == "boom");
  const auto coded = [] { return std::make_error_code(std::errc::connection_refused); };
  CHECK(breaker.execute(coded, &Failure::code) == std::errc::connection_refused);
  breaker.force_open();
  CHECK(breaker.execute(op, &Failure::message) == "circuit breaker 'b' is forced open");
}

TEST_CASE("B10 a fallback runs outside any handler, in every state", "[B10]") {
  Breaker breaker{"b", {.failure_threshold = 2}};
  std::vector<bool> handled;
  const auto op = [] { throw 1; };
  const auto note = [&] { handled.push_back(std::current_exception() != nullptr); };
  breaker.execute(op, note);
  breaker.execute(op, [&](const Failure& failure) {
    note();
    CHECK_THROWS_AS(failure.rethrow(), int);
  });
  REQUIRE(breaker.state() == State::open);
  breaker.execute(op, note);
  breaker.execute([] { return std::make_error_code(std::errc::timed_out); },
                  [&](const Failure& failure) {
                    note();
                    return failure.code();
                  });
  CHECK(handled == std::vector{false, false, false, false});
}

TEST_CASE("B10 a fallback inside a handler of the caller sees the caller's exception", "[B10]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  try {
    throw 7;
  } catch (int) {
    for (int i = 0; i < 2; ++i) {  // closed, then open
      CHECK_THROWS_AS(breaker.execute([] { throw std::runtime_error{"op's"}; }, [] { throw; }), int);
    }
  }
}

TEST_CASE("B11 op and fallback may return const values of move-only types", "[B11]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  using Box = std::unique_ptr<int>;
  const auto op = []() -> const Box { return std::make_unique<int>(1); };
  const auto fallback = []() -> const Box { return std::make_unique<int>(2); };
  static_assert(std::is_same_v<decltype(breaker.execute(op)), Box>);
  CHECK(*breaker.execute(op) == 1);
  CHECK(*breaker.execute(op, fallback) == 1);
  CHECK(*breaker.execute([]() -> const Box { throw 1; }, fallback) == 2);
  CHECK(*breaker.execute(op, fallback) == 2);
  const auto checked = breaker.execute(
      op, [](const Failure&) -> const Box { return nullptr; }, failure_if([](const Box&) { return true; }));
  CHECK(checked == nullptr);
}

TEST_CASE("B11 two views, and a view beside a literal, have a common type", "[B11]") {
  Breaker breaker{"b"};
  using std::string_view;
  static_assert(std::is_same_v<decltype(breaker.execute([] { return string_view{"a"}; },
                                                        [] { return string_view{"b"}; })),
                               string_view>);
  CHECK(breaker.execute([] { return string_view{"a"}; }, [] { return "b"; }) == "a");
  static const std::string kept = "kept";
  CHECK(breaker.execute([]() -> string_view { throw 1; }, []() -> const std::string& { return kept; }) ==
        "kept");
}
