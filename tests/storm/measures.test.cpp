#include "storm/measures.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"

namespace {

using storm::Ending;
using storm::Measures;
using storm::Tick;

constexpr Tick s = Measures::second;
constexpr Tick ms = s / 1000;

/// A second in which `good` and `bad` calls begin and end, with so many attempts.
void second(Measures& measures, int good, int bad, int attempts, Tick latency = 50 * ms) {
  const Tick begin = measures.second_ends() - s;
  for (int i = 0; i < good; ++i) {
    measures.begin_call(begin);
    measures.end_call(begin, begin + latency, Ending::succeeded);
  }
  for (int i = 0; i < bad; ++i) {
    measures.begin_call(begin);
    measures.end_call(begin, begin + latency, i % 2 == 0 ? Ending::failed : Ending::rejected);
  }
  measures.now().attempts += static_cast<std::uint64_t>(attempts);
  measures.end_second();
}

Measures disturbed() { return Measures{{2 * s, 40 * s, 5 * s, 10 * s, true}, 10}; }

}  // namespace

TEST_CASE("S13 what happens before the end of the warm-up does not count, but is shown", "[S13]") {
  Measures measures{{2 * s, 10 * s, 10 * s, 0, false}, 10};
  second(measures, 0, 10, 50);
  second(measures, 0, 10, 50);
  for (int i = 0; i < 8; ++i) second(measures, 9, 1, 12);
  const auto sum = measures.summary();
  CHECK(sum.calls == 80);
  CHECK(sum.success_ratio == Approx(0.9));
  CHECK(sum.amplification == Approx(1.2));
  CHECK(sum.wasted_ratio == Approx(0.25));
  CHECK(sum.peak_load_ratio == Approx(1.2));
  CHECK(sum.recovery_s == 0);
  REQUIRE(measures.seconds().size() == 10);
  CHECK(measures.seconds()[0].failed == 10);
  CHECK(measures.seconds()[0].rejected == 5);
}

TEST_CASE("S13 the peak load counts from the end of the last disturbance", "[S13]") {
  Measures measures = disturbed();
  for (int i = 0; i < 40; ++i) second(measures, 10, 0, i == 7 ? 90 : i == 12 ? 15 : i == 10 ? 13 : 10);
  CHECK(measures.summary().peak_load_ratio == Approx(1.5));
  CHECK(measures.summary().peak_load_ratio_overall == Approx(9));
}

TEST_CASE("S13 a run that ends with its disturbance has the peak load of all of it", "[S13]") {
  Measures measures{{2 * s, 10 * s, 5 * s, 10 * s, true}, 10};
  for (int i = 0; i < 10; ++i) second(measures, i == 7 ? 30 : 10, 0, 30);
  CHECK(measures.summary().peak_load_ratio == Approx(3));
}

TEST_CASE("S13 a nominal load of 0 is measured before the first disturbance", "[S13]") {
  Measures measures{{2 * s, 40 * s, 5 * s, 10 * s, true}, 0};
  for (int i = 0; i < 40; ++i) second(measures, i < 2 ? 99 : 20, 0, 30);
  CHECK(measures.summary().peak_load_ratio == Approx(1.5));
}

TEST_CASE("S13 recovery is the first of ten seconds in a row that are as good as before", "[S13]") {
  Measures measures = disturbed();
  for (int i = 0; i < 40; ++i) second(measures, 100, i >= 5 && i < 13 ? 50 : i == 16 ? 50 : 0, 100);
  CHECK(measures.summary().recovery_s == Approx(7));  // the 17th second was bad again
}

TEST_CASE("S13 a recovery within a percentage point is one, and one that never comes is infinite", "[S13]") {
  Measures almost = disturbed();
  for (int i = 0; i < 40; ++i) second(almost, 1000, i < 5 ? 0 : 9, 100);
  CHECK(almost.summary().recovery_s == 0);
  Measures never = disturbed();
  for (int i = 0; i < 40; ++i) second(never, 1000, i < 5 ? 0 : 12, 100);
  CHECK(std::isinf(never.summary().recovery_s));
}

TEST_CASE("S13 ratios of nothing are 0", "[S13]") {
  const Measures measures = disturbed();
  const auto sum = measures.summary();
  CHECK(sum.success_ratio == 0);
  CHECK(sum.amplification == 0);
  CHECK(sum.wasted_ratio == 0);
  CHECK(sum.peak_load_ratio == 0);
  CHECK(sum.p50_ms == 0);
}

TEST_CASE("S13 a histogram finds quantiles to within a percent", "[S13]") {
  storm::Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  for (int i = 1; i <= 100'000; ++i) histogram.add(i * Tick{1000});  // up to 100 ms
  for (const double q : {0.001, 0.01, 0.5, 0.9, 0.99, 0.9999}) {
    CAPTURE(q);
    CHECK(histogram.quantile(q) == Approx(q * 100).epsilon(0.01));
  }
  storm::Histogram small;
  small.add(-5);
  CHECK(small.quantile(1) == 0);
  for (const Tick value : {Tick{1}, Tick{127}, Tick{128}, Tick{255}, Tick{256}, Tick{257}}) {
    CAPTURE(value);
    storm::Histogram one;
    one.add(value);
    CHECK(one.quantile(0.5) * 1e6 == Approx(static_cast<double>(value)).epsilon(0.008));
  }
  storm::Histogram longest;
  longest.add(std::numeric_limits<Tick>::max());
  CHECK(longest.quantile(0) == Approx(9.2e12).epsilon(0.01));
}

TEST_CASE("S13 the latencies of a second are those of its successes", "[S13]") {
  Measures measures = disturbed();
  second(measures, 10, 5, 10, 70 * ms);
  second(measures, 0, 5, 10, 70 * ms);
  CHECK(measures.seconds()[0].p50_ms == 70);
  CHECK(measures.seconds()[0].p99_ms == 70);
  CHECK(measures.seconds()[1].p50_ms == 0);
}
