#include <fusebox/rate_limiter/state.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("M3 the kinds of a limiter's events have names", "[M3]") {
  STATIC_REQUIRE(to_string(RateLimiterEventKind::available) == "available");
  STATIC_REQUIRE(to_string(RateLimiterEventKind::exhausted) == "exhausted");
  STATIC_REQUIRE(to_string(static_cast<RateLimiterEventKind>(9)) == "unknown");
}
