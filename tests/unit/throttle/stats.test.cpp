#include <fusebox/throttle/stats.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("V8 the stats of a throttle begin at 0 and can be compared", "[V8]") {
  STATIC_REQUIRE(ThrottleStats{} == ThrottleStats{.requests = 0, .accepts = 0, .rejection_ratio = 0});
  STATIC_REQUIRE(ThrottleStats{.total_accepts = 1} != ThrottleStats{});
}
