#include <fusebox/metrics/detail/metric_family.hpp>

#include <string>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("H7 a family is HELP, TYPE and its samples", "[H7]") {
  std::string out;
  detail::MetricFamily family{out, "things_total", "counter", "Things."};
  family.sample("a\"b", ",kind=\"x\"", 3);
  family.sample("c", "", std::string{"1.500"});
  family.sample("c", ",le=\"1\"", 2.5, "_bucket");
  CHECK(out ==
        "# HELP fusebox_things_total Things.\n"
        "# TYPE fusebox_things_total counter\n"
        "fusebox_things_total{name=\"a\\\"b\",kind=\"x\"} 3\n"
        "fusebox_things_total{name=\"c\"} 1.500\n"
        "fusebox_things_total_bucket{name=\"c\",le=\"1\"} 2.5\n");
}
