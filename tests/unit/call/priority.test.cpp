#include <fusebox/call.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("P17 priorities by name, the lowest last", "[P17]") {
  STATIC_REQUIRE(to_string(Priority::critical) == "critical");
  STATIC_REQUIRE(to_string(Priority::normal) == "normal");
  STATIC_REQUIRE(to_string(Priority::sheddable) == "sheddable");
  STATIC_REQUIRE(to_string(Priority::background) == "background");
  STATIC_REQUIRE(to_string(static_cast<Priority>(99)) == "unknown");
  STATIC_REQUIRE(Priority::critical < Priority::normal);
  STATIC_REQUIRE(Priority::normal < Priority::sheddable);
  STATIC_REQUIRE(Priority::sheddable < Priority::background);
}
