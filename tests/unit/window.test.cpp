#include <fusebox/window.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("B3 a window says what it was made of", "[B3]") {
  STATIC_REQUIRE_FALSE(last_calls(3).is_time());
  STATIC_REQUIRE(last_calls(3).calls() == 3);
  STATIC_REQUIRE(last_calls(3).length() == 0s);
  STATIC_REQUIRE(within(3s).is_time());
  STATIC_REQUIRE(within(3s).calls() == 0);
  STATIC_REQUIRE(within(3s).length() == 3s);
}

TEST_CASE("B3 last_calls and within never throw, whatever they are given", "[B3]") {
  STATIC_REQUIRE(noexcept(last_calls(-7)));
  STATIC_REQUIRE(noexcept(within(std::chrono::nanoseconds::min())));
  STATIC_REQUIRE(last_calls(-7).calls() == -7);
  STATIC_REQUIRE(within(-7ns).length() == -7ns);
}

TEST_CASE("B3 windows are equal if they are of one kind and one size", "[B3]") {
  STATIC_REQUIRE(last_calls(10) == last_calls(10));
  STATIC_REQUIRE(last_calls(10) != last_calls(11));
  STATIC_REQUIRE(within(1s) == within(1000ms));
  STATIC_REQUIRE(within(1s) != within(2s));
  STATIC_REQUIRE(within(10ns) != last_calls(10));
  STATIC_REQUIRE(within(0ns) != last_calls(0));
}
