#include <fusebox/format.hpp>
#include <fusebox/hedge.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("J11 stats begin at 0, and are shown as text", "[J11][H8]") {
  STATIC_REQUIRE(HedgeStats{} == HedgeStats{0, 0, 0, 0, 0});
  const HedgeStats stats{.started = 1, .won_by_primary = 2, .won_by_hedge = 3, .calls = 4, .refused = 5};
  CHECK(fmt::format("{}", stats) == "4 calls, 1 hedges started, 5 refused, won by primary 2, by hedge 3");
}
