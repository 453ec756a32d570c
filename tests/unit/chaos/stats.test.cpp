#include <fusebox/chaos.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("X6 stats begin at nothing, disabled", "[X6]") {
  STATIC_REQUIRE(ChaosStats{} == ChaosStats{.calls = 0, .faults = 0, .delays = 0, .enabled = false});
  STATIC_REQUIRE_FALSE(ChaosStats{.enabled = true} == ChaosStats{});
}

TEST_CASE("X7 each kind of event has a name", "[X7]") {
  STATIC_REQUIRE(to_string(ChaosEventKind::enabled) == "enabled");
  STATIC_REQUIRE(to_string(ChaosEventKind::disabled) == "disabled");
  STATIC_REQUIRE(to_string(ChaosEventKind::fault) == "fault");
  STATIC_REQUIRE(to_string(ChaosEventKind::delay) == "delay");
  STATIC_REQUIRE(to_string(static_cast<ChaosEventKind>(9)) == "unknown");
}
