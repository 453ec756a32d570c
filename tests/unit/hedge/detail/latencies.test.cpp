#include <fusebox/hedge.hpp>

#include "catch.hpp"

using fusebox::detail::HedgeLatencies;

TEST_CASE("J5 the percentile is a nearest rank of what was added", "[J5]") {
  HedgeLatencies latencies;
  CHECK_FALSE(latencies.percentile(0.5, 1));
  for (int i = 10; i >= 1; --i) latencies.add(i);
  CHECK_FALSE(latencies.percentile(0.5, 11));
  CHECK(latencies.percentile(0.5, 10) == 5);
  CHECK(latencies.percentile(0.51, 10) == 6);
  CHECK(latencies.percentile(0.001, 10) == 1);
  CHECK(latencies.percentile(0.999, 10) == 10);
}

TEST_CASE("J5 only the last 128 count", "[J5]") {
  HedgeLatencies latencies;
  for (int i = 0; i < 100; ++i) latencies.add(1000);
  for (int i = 1; i <= 128; ++i) latencies.add(i);
  CHECK(latencies.percentile(0.999, 100) == 128);
  CHECK(latencies.percentile(0.5, 228) == 64);
  CHECK_FALSE(latencies.percentile(0.5, 229));
  latencies.add(1000);
  CHECK(latencies.percentile(0.999, 100) == 1000);
  CHECK(latencies.percentile(0.001, 100) == 2);
}
