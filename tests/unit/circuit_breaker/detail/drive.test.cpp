#include <fusebox/circuit_breaker/detail/drive.hpp>

#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <type_traits>

#include "catch.hpp"

using namespace std::chrono_literals;
namespace detail = fusebox::detail;
using fusebox::CallOptions;

TEST_CASE("B11 what follows op is a fallback, or an option", "[B11]") {
  STATIC_REQUIRE(detail::is_execute_option<CallOptions>);
  STATIC_REQUIRE(detail::is_execute_option<const CallOptions&>);
  STATIC_REQUIRE(detail::is_execute_option<const fusebox::Call&>);
  STATIC_REQUIRE_FALSE(detail::is_execute_option<int (*)()>);
  fusebox::CircuitBreaker<> breaker{"b"};
  breaker.force_open();
  const auto op = [] { return 1; };
  const auto fallback = [] { return 2L; };
  STATIC_REQUIRE(std::is_same_v<decltype(detail::BreakerDrive::call(breaker, op)), int>);
  STATIC_REQUIRE(std::is_same_v<decltype(detail::BreakerDrive::call(breaker, op, fallback)), long>);
  CHECK(detail::BreakerDrive::call(breaker, op, fallback) == 2);
  CHECK(detail::BreakerDrive::call(breaker, op, fallback, CallOptions{.timeout = 1s}) == 2);
}

TEST_CASE("A9 a blocking call that gets a Call keeps its limits", "[A9]") {
  fusebox::CircuitBreaker<> breaker{"b"};
  const auto inner = [](fusebox::Deadline deadline) { return deadline.remaining(); };
  const auto outer = [&](const fusebox::Call& call) {
    return detail::BreakerDrive::call(breaker, inner, call);
  };
  fusebox::CircuitBreaker<> around{"a"};
  const auto left = around.execute(outer, CallOptions{.timeout = 1h});
  CHECK(left <= 1h);
  CHECK(left > 59min);
}
