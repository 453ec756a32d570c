#include <fusebox/rate_limiter/stats.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("Q8 the stats of a limiter begin at 0 and can be compared", "[Q8]") {
  STATIC_REQUIRE(RateLimiterStats{} == RateLimiterStats{.admitted = 0, .rejected = 0, .waited = 0});
  STATIC_REQUIRE(RateLimiterStats{.waited = 1} != RateLimiterStats{});
}
