#include <fusebox/adaptive_limit.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("W1 C3 the bounds of the queue", "[W1][C3]") {
  CHECK(validate(AdaptiveLimitQueue{}).empty());
  CHECK(validate(AdaptiveLimitQueue{.max_waiting = 65'536}) ==
        "AdaptiveLimitQueue.max_waiting must be in [0, 65535], got 65536");
  CHECK(validate(AdaptiveLimitQueue{.max_wait = -1ns}) ==
        "AdaptiveLimitQueue.max_wait must be at least 0, got -1ns");
  CHECK(validate(AdaptiveLimitQueue{.headroom = 0.31}) ==
        "AdaptiveLimitQueue.headroom must be in [0, 0.3], got 0.31");
}
