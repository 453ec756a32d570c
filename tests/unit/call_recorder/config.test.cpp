#include <fusebox/call_recorder.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("C2 C3 a recorder keeps at least one call", "[C2][C3]") {
  CHECK(validate(CallRecorderConfig{}).empty());
  CHECK(validate({.capacity = 1}).empty());
  CHECK(validate({.capacity = 0}) == "CallRecorderConfig.capacity must be at least 1, got 0");
  CHECK_THROWS_AS(CallRecorder<>{{.capacity = -1}}, ConfigError);
}
