#include <fusebox/call_durations.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("M2 the stats of durations have a count more than bounds", "[M2]") {
  const CallDurations durations{"orders"};
  const CallDurationsStats stats = durations.stats();
  CHECK(stats.counts.size() == stats.bounds.size() + 1);
  CHECK(stats.count == 0);
  CHECK(stats.sum.count() == 0);
}
