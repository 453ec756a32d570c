#include <fusebox/adaptive_limit.hpp>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("W10 each kind of event has a name", "[W10]") {
  STATIC_REQUIRE(to_string(AdaptiveLimitEventKind::saturated) == "saturated");
  STATIC_REQUIRE(to_string(AdaptiveLimitEventKind::free) == "free");
  STATIC_REQUIRE(to_string(AdaptiveLimitEventKind::limit_changed) == "limit_changed");
  STATIC_REQUIRE(to_string(static_cast<AdaptiveLimitEventKind>(9)) == "unknown");
}

TEST_CASE("W10 the stats show the latency, its base, and whether it is being measured", "[W10]") {
  support::FakeAdaptiveLimit<> limit{"a"};
  support::make_calls(limit, 10, 1s);
  AdaptiveLimitStats stats = limit.stats();
  CHECK(stats.windows == 1);
  CHECK(stats.latency == 1s);
  CHECK(stats.base_latency == 0s);
  CHECK(stats.measuring);
  CHECK(stats.limit == 3);
  for (int i = 0; i < 4; ++i) support::make_calls(limit, 3, 300ms);
  stats = limit.stats();
  CHECK(stats.latency == 300ms);
  CHECK(stats.base_latency == 300ms);
  CHECK_FALSE(stats.measuring);
  CHECK(stats.windows == 2);
  CHECK(stats.limit == 20);
}
