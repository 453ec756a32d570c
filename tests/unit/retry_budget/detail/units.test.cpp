#include <fusebox/retry_budget/detail/units.hpp>

#include <cmath>

#include "catch.hpp"

using namespace fusebox;
using detail::retry_units;
using detail::RetryUnits;
using detail::Tick;

namespace {
constexpr Tick most = 1'000'000'000;
}

TEST_CASE("U3 a ratio is the simplest fraction that the double is nearest to", "[U3]") {
  STATIC_REQUIRE(retry_units(0.6, most) == RetryUnits{1'000'000'000, 600'000'000});
  STATIC_REQUIRE(retry_units(0.1, most) == RetryUnits{1'000'000'000, 100'000'000});
  STATIC_REQUIRE(retry_units(1.0 / 3, most) == RetryUnits{999'999'999, 333'333'333});
  STATIC_REQUIRE(retry_units(0.2, 15'259) == RetryUnits{15'255, 3'051});
  STATIC_REQUIRE(retry_units(0, most) == RetryUnits{most, 0});
  STATIC_REQUIRE(retry_units(1, most) == RetryUnits{most, most});
  STATIC_REQUIRE(retry_units(0.5, 1) == RetryUnits{1, 1});  // to the nearest of 0 and 1
}

TEST_CASE("U3 every fraction with a small denominator is exact", "[U3]") {
  int wrong = 0;
  for (Tick whole = 1; whole <= 1'000; ++whole) {
    for (Tick part = 0; part <= whole; ++part) {
      const double ratio = static_cast<double>(part) / static_cast<double>(whole);
      const RetryUnits units = retry_units(ratio, 15'259);
      if (units.deposit * whole != units.retry * part || units.retry > 15'259 || units.retry < 1) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("U3 any other ratio is rounded to the nearest unit", "[U3]") {
  for (const double ratio : {0.123456789012345, 3.14159265358979 - 3, 1e-5, 1e-300, 0.5 + 1e-12, 1 - 1e-16}) {
    INFO(ratio);
    for (const Tick limit : {most, Tick{15'259}, Tick{7}}) {
      const RetryUnits units = retry_units(ratio, limit);
      CHECK(units.retry >= 1);
      CHECK(units.retry <= limit);
      CHECK(std::fabs(static_cast<double>(units.deposit) - ratio * static_cast<double>(units.retry)) <= 0.5);
    }
  }
}
