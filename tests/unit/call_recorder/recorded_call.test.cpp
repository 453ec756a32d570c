#include <fusebox/call_recorder.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("O1 recorded calls are compared by all that they say", "[O1]") {
  const RecordedCall call{"a", 1s, 2ms, Outcome::failure, 503, false};
  CHECK(call == RecordedCall{"a", 1s, 2ms, Outcome::failure, 503, false});
  CHECK_FALSE(call == RecordedCall{"b", 1s, 2ms, Outcome::failure, 503, false});
  CHECK_FALSE(call == RecordedCall{"a", 1s, std::nullopt, Outcome::failure, 503, false});
  CHECK_FALSE(call == RecordedCall{"a", 1s, 2ms, Outcome::failure, std::nullopt, true});
  CHECK(CallRecorderStats{} == CallRecorderStats{.recorded = 0, .dropped = 0});
}
