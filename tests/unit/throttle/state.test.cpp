#include <fusebox/throttle/state.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("V9 the kinds of a throttle's events have names", "[V9]") {
  STATIC_REQUIRE(to_string(ThrottleEventKind::free) == "free");
  STATIC_REQUIRE(to_string(ThrottleEventKind::throttling) == "throttling");
  STATIC_REQUIRE(to_string(static_cast<ThrottleEventKind>(9)) == "unknown");
}
