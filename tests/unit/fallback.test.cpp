#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Breaker;
using support::Response;
using support::unavailable;
using Expected = support::Expected<int, std::error_code>;

namespace {
struct Bench {
  FakeClock clock;
  Breaker breaker{"b", {}, clock};
};
int fail() { throw unavailable(); }
}  // namespace

TEST_CASE("P13 a fallback takes the failure or nothing, and is an lvalue, an rvalue or a function", "[P13]") {
  Bench bench;
  CHECK(compose(fallback([] { return 1; })).execute(fail) == 1);
  CHECK(compose(fallback([](const Failure& failure) { return *failure.status(); })).execute(fail) == 503);
  struct Both {
    int operator()() const { return 1; }
    int operator()(const Failure&) const { return 2; }
  };
  CHECK(compose(fallback(Both{})).execute(fail) == 2);
  int calls = 0;
  auto counting = [&calls] { return ++calls; };
  CHECK(compose(fallback(counting)).execute(fail) == 1);
  CHECK(calls == 1);
  CHECK(compose(fallback([box = std::make_unique<int>(5)] { return *box; })).execute(fail) == 5);
  constexpr int (*function)() = [] { return 6; };
  CHECK(compose(fallback(function)).execute(fail) == 6);
  CHECK(compose(fallback(*function)).execute(fail) == 6);
}

TEST_CASE("P5 a fallback is for failures and rejections, not for a success", "[P5]") {
  Bench bench;
  int asked = 0;
  const auto call = compose(fallback([&](const Failure& failure) {
                              ++asked;
                              return failure.is_rejection() ? 2 : 1;
                            }),
                            bench.breaker);
  CHECK(call.execute([] { return 7; }) == 7);
  CHECK(asked == 0);
  CHECK(call.execute(fail) == 1);
  CHECK(call.execute([]() -> int { throw 42; }) == 1);
  bench.breaker.force_open();
  CHECK(call.execute([] { return 7; }) == 2);
  CHECK(asked == 3);
}

TEST_CASE("P5 fallback_when_rejected lets failures of op pass", "[P5]") {
  Bench bench;
  const auto call = compose(
      fallback_when_rejected([](const Failure& failure) { return failure.message().size() > 5 ? 2 : 1; }),
      bench.breaker);
  CHECK_THROWS_AS(call.execute(fail), ApiError);
  bench.breaker.force_open();
  CHECK(call.execute(fail) == 2);
  CHECK(compose(fallback_when_rejected([] { return 3; })).execute([]() -> int {
    throw BulkheadFullError{};
  }) == 3);
}

TEST_CASE("P13 a fallback replaces a failed value", "[P13][P3]") {
  const auto call = compose(fallback([] { return Response{299}; }));
  CHECK(call.execute([] { return Response{503}; }).status == 299);
  CHECK(call.execute([] { return Response{200}; }).status == 200);
  const auto expected = compose(fallback([] { return Expected{4}; }));
  CHECK(expected
            .execute(
                [] { return Expected{support::Unexpected{make_error_code(NetworkErrc::connection_reset)}}; })
            .value() == 4);
}

TEST_CASE("P13 of nested fallbacks the inner one answers first, the outer one what it throws", "[P13][P11]") {
  bool inner_fails = false;
  const auto call = compose(fallback([](const Failure& failure) { return failure.message(); }),
                            fallback([&]() -> std::string {
                              if (inner_fails) throw std::runtime_error{"inner"};
                              return "from inner";
                            }));
  const auto op = []() -> std::string { throw unavailable(); };
  CHECK(call.execute(op) == "from inner");
  inner_fails = true;
  CHECK(call.execute(op) == "inner");
}

TEST_CASE("P13 the last good value, while it is young enough", "[P13]") {
  Bench bench;
  const auto call = compose(fallback_to_last_good(10s, bench.clock), bench.breaker);
  CHECK_THROWS_AS(call.execute(fail), ApiError);  // none yet
  CHECK(call.execute([] { return 7; }) == 7);
  CHECK(call.execute(fail) == 7);
  bench.clock.advance(10s);
  CHECK(call.execute(fail) == 7);
  bench.breaker.force_open();
  CHECK(call.execute([] { return 1; }) == 7);
  bench.clock.advance(1ns);
  CHECK_THROWS_AS(call.execute(fail), CircuitOpenError);
  bench.breaker.reset();
  CHECK(call.execute([] { return 8; }) == 8);
  const auto copy = call;
  CHECK(copy.execute(fail) == 8);  // copies share it
  CHECK_THROWS_AS(call.execute([]() -> int { throw CancelledError{}; }), CancelledError);
}

TEST_CASE("P13 the last good value of another type is none", "[P13]") {
  Bench bench;
  const auto call = compose(fallback_to_last_good(10s, bench.clock));
  CHECK(call.execute([] { return 7; }) == 7);
  CHECK_THROWS_AS(call.execute([]() -> std::string { throw unavailable(); }), ApiError);
  CHECK(call.execute([] { return std::string{"x"}; }) == "x");
  CHECK(call.execute([]() -> std::string { throw unavailable(); }) == "x");
  CHECK_THROWS_AS(call.execute(fail), ApiError);
}

TEST_CASE("P13 a failed value is no good one, and a value of an inner fallback is", "[P13]") {
  Bench bench;
  const auto call = compose(fallback_to_last_good(10s, bench.clock));
  CHECK(call.execute([] { return Response{200}; }).status == 200);
  CHECK(call.execute([] { return Response{503}; }).status == 200);
  const auto inner = compose(fallback_to_last_good(10s, bench.clock),
                             fallback_when_rejected([] { return 5.5; }), bench.breaker);
  bench.breaker.force_open();
  CHECK(inner.execute([] { return 1; }) == 5.5);
  bench.breaker.reset();
  CHECK(inner.execute(fail) == 5.5);
}

TEST_CASE("P13 fallback_to_last_good refuses an age that is no duration", "[P13][C2]") {
  CHECK_THROWS_AS(fallback_to_last_good(0s), ConfigError);
  CHECK_THROWS_WITH(fallback_to_last_good(-1s), "fallback_to_last_good.max_age must be above 0, got -1s");
  CHECK(fallback_to_last_good(5s).max_age() == 5s);
}

TEST_CASE("P13 threads share the last good value", "[P13]") {
  Bench bench;
  const auto call = compose(fallback_to_last_good(10s, bench.clock));
  REQUIRE(call.execute([] { return std::string(40, 'a'); }) == std::string(40, 'a'));
  std::atomic<int> wrong{0};
  support::run_together(4, [&](int number) {
    for (int i = 0; i < 500; ++i) {
      const std::string value = call.execute([&]() -> std::string {
        if (i % 2 == 0) throw unavailable();
        return std::string(40, static_cast<char>('a' + number));
      });
      if (value != std::string(40, value[0])) ++wrong;
    }
  });
  CHECK(wrong == 0);
}
