#include "storm/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"

namespace {

using storm::Random;

/// |got - expected| ÷ |expected|.
double error(double got, double expected) { return std::abs(got - expected) / std::abs(expected); }

}  // namespace

TEST_CASE("S2 ln and exp agree with those of the C library to the last bits", "[S2]") {
  double worst_ln = 0;
  double worst_exp = 0;
  Random random{1, 0};
  for (int i = 0; i < 100'000; ++i) {
    const double x = std::ldexp(1 + random.unit(), static_cast<int>(random.below(200)) - 100);
    if (std::abs(x - 1) > 1e-9) worst_ln = std::max(worst_ln, error(storm::ln(x), std::log(x)));
    const double y = (random.unit() - 0.5) * 100;
    worst_exp = std::max(worst_exp, error(storm::exp(y), std::exp(y)));
  }
  CHECK(worst_ln < 8e-16);
  CHECK(worst_exp < 8e-16);
  CHECK(storm::ln(1) == 0);
  CHECK(storm::exp(0) == 1);
  // Close to 1, where little is left of a logarithm.
  CHECK(error(storm::ln(1 + 0x1p-30), std::log(1 + 0x1p-30)) < 4e-16);
  CHECK(error(storm::ln(1 - 0x1p-30), std::log(1 - 0x1p-30)) < 4e-16);
}

TEST_CASE("S2 a seed gives the same numbers everywhere, and its streams differ", "[S2]") {
  Random random{7, 0};
  CHECK(random() == 0xc96b70b3645ecde0U);
  CHECK(random() == 0x7bee82e0bf161f5aU);
  Random other{7, 1};
  Random again{7, 0};
  CHECK(other() != again());
  Random next{8, 0};
  CHECK(next() != 0xc96b70b3645ecde0U);
}

TEST_CASE("S2 the numbers are distributed as they should be", "[S2]") {
  constexpr int n = 200'000;
  Random random{3, 0};
  double exponential = 0;
  double normal = 0;
  double squares = 0;
  std::vector<int> counts(10);
  for (int i = 0; i < n; ++i) {
    exponential += random.exponential();
    const double z = random.normal();
    normal += z;
    squares += z * z;
    ++counts[random.below(10)];
  }
  CHECK(std::abs(exponential / n - 1) < 0.01);
  CHECK(std::abs(normal / n) < 0.01);
  CHECK(std::abs(squares / n - 1) < 0.02);
  for (const int count : counts) CHECK(std::abs(count - n / 10) < 600);
}
