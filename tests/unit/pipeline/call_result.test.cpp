#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using fusebox::test::FakeClock;
using support::Breaker;
using support::counts_of;
using support::Response;
using support::unavailable;

namespace {
struct Bench {
  FakeClock clock;
  Breaker breaker{"b", {}, clock};
  std::exception_ptr down = std::make_exception_ptr(std::runtime_error{"down"});
  [[nodiscard]] auto failing() const {
    return [this]() -> std::string { std::rethrow_exception(down); };
  }
};
}  // namespace

TEST_CASE("P4 try_execute() gives the value", "[P4]") {
  Bench bench;
  const auto call = compose(bench.breaker);
  auto result = call.try_execute([] { return std::string{"value"}; });
  STATIC_REQUIRE(std::is_same_v<decltype(result), CallResult<std::string>>);
  STATIC_REQUIRE(std::is_same_v<decltype(result)::value_type, std::string>);
  CHECK(result.has_value());
  CHECK(static_cast<bool>(result));
  CHECK(result.value() == "value");
  CHECK(*result == "value");
  CHECK(result->size() == 5);
  CHECK(result.value_or("other") == "value");
  CHECK_FALSE(result.error().code());
  CHECK(result.error().exception() == nullptr);
  result.value() += "s";
  const auto copy = result;
  CHECK(copy.value() == "values");
  CHECK(*copy == "values");
  CHECK(copy->size() == 6);
  CHECK(std::move(result).value() == "values");
}

TEST_CASE("P4 try_execute() gives the Failure, and throws nothing of op's", "[P4]") {
  Bench bench;
  const auto call = compose(bench.breaker);
  auto result = call.try_execute(bench.failing());
  CHECK_FALSE(result.has_value());
  CHECK_FALSE(result);
  CHECK(result.error().exception() == bench.down);
  CHECK(result.value_or("other") == "other");
  CHECK(std::move(result).value_or("other") == "other");
  CHECK_THROWS_AS(result.value(), std::runtime_error);
  CHECK_THROWS_AS(std::as_const(result).value(), std::runtime_error);
  CHECK_THROWS_AS(*result, std::runtime_error);
  CHECK_THROWS_AS(result->size(), std::runtime_error);
  CHECK_THROWS_AS(std::move(result).value(), std::runtime_error);
  try {
    static_cast<void>(result.value());
  } catch (...) {
    CHECK(std::current_exception() == bench.down);
  }
}

TEST_CASE("P4 a rejection's Failure outlives the policy", "[P4]") {
  const auto result = [] {
    const FakeClock clock;
    Breaker breaker{"gone", {}, clock};
    breaker.force_open();
    return compose(breaker).try_execute([] { return 1; });
  }();
  CHECK(result.error().code() == PolicyErrc::circuit_open);
  CHECK(result.error().message().find("'gone'") != std::string::npos);
  CHECK_THROWS_AS(result.value(), CircuitOpenError);
}

TEST_CASE("P4 a failed value is in the result, and so is its failure", "[P4][P3]") {
  Bench bench;
  const auto call = compose(bench.breaker);
  const auto result = call.try_execute([] { return Response{503}; });
  CHECK_FALSE(result.has_value());
  CHECK(result.error().status() == 503);
  CHECK(result.value().status == 503);
  CHECK(result.value_or(Response{1}).status == 1);
  // But none that a policy's own error replaced.
  bench.breaker.force_open();
  const auto rejected = call.try_execute([] { return Response{200}; });
  CHECK(rejected.error().code() == PolicyErrc::circuit_open);
  CHECK_THROWS_AS(rejected.value(), CircuitOpenError);
}

TEST_CASE("P13 results of void, references, move-only types and bool", "[P13]") {
  Bench bench;
  const auto call = compose(bench.breaker);
  int target = 0;
  const auto nothing = call.try_execute([&] { ++target; });
  STATIC_REQUIRE(std::is_same_v<decltype(nothing), const CallResult<void>>);
  CHECK(nothing.has_value());
  nothing.value();
  *nothing;
  CHECK(target == 1);
  const auto failed = call.try_execute([&]() -> void { std::rethrow_exception(bench.down); });
  CHECK_FALSE(failed);
  CHECK_THROWS_AS(failed.value(), std::runtime_error);
  CHECK(failed.error().exception() == bench.down);

  auto reference = call.try_execute([&]() -> int& { return target; });
  CHECK(&reference.value() == &target);
  CHECK(&*reference == &target);
  CHECK(&std::as_const(reference).value() == &target);
  CHECK(&std::move(reference).value() == &target);
  CHECK(reference.value_or(5) == 1);

  auto only = call.try_execute([] { return std::make_unique<int>(3); });
  CHECK(**only == 3);
  CHECK(*std::move(only).value() == 3);
  CHECK(*call.try_execute([] { return std::make_unique<int>(4); }).value() == 4);
  CHECK(*call.try_execute([]() -> std::unique_ptr<int> { throw unavailable(); })
             .value_or(std::make_unique<int>(9)) == 9);

  const auto truth = call.try_execute([] { return false; });
  CHECK(truth.has_value());
  CHECK_FALSE(truth.value());
  STATIC_REQUIRE_FALSE(std::is_constructible_v<bool, CallResult<bool>>);
}

TEST_CASE("P13 with a fallback the result is of the common type", "[P13]") {
  Bench bench;
  const auto call = compose(fallback([] { return 2.5; }), bench.breaker);
  const auto value = call.try_execute([] { return 7; });
  STATIC_REQUIRE(std::is_same_v<decltype(value), const CallResult<double>>);
  CHECK(value.value() == 7.0);
  CHECK(call.try_execute([]() -> int { throw unavailable(); }).value() == 2.5);
}
