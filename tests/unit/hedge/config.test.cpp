#include <fusebox/hedge.hpp>

#include <chrono>
#include <limits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {
constexpr bool is_valid(const HedgeConfig& config) { return !detail::check(config); }
}  // namespace

TEST_CASE("J5 what a hedge's config may be", "[J5]") {
  STATIC_REQUIRE(HedgeConfig{} ==
                 HedgeConfig{.delay = 2s, .max_hedges = 1, .percentile = 0, .minimum_calls = 100});
  STATIC_REQUIRE(is_valid({}));
  STATIC_REQUIRE(is_valid({.delay = 0s, .max_hedges = 0, .percentile = 0.001, .minimum_calls = 1}));
  STATIC_REQUIRE(
      is_valid({.delay = no_timeout, .max_hedges = 31, .percentile = 0.999, .minimum_calls = 65'535}));
  STATIC_REQUIRE_FALSE(is_valid({.delay = -1ns}));
  STATIC_REQUIRE_FALSE(is_valid({.max_hedges = -1}));
  STATIC_REQUIRE_FALSE(is_valid({.max_hedges = 32}));
  STATIC_REQUIRE_FALSE(is_valid({.percentile = 1}));
  STATIC_REQUIRE_FALSE(is_valid({.percentile = -0.1}));
  STATIC_REQUIRE_FALSE(is_valid({.percentile = std::numeric_limits<double>::quiet_NaN()}));
  STATIC_REQUIRE_FALSE(is_valid({.minimum_calls = 0}));
  STATIC_REQUIRE_FALSE(is_valid({.minimum_calls = 65'536}));
  CHECK(validate(HedgeConfig{}).empty());
  CHECK(validate(HedgeConfig{.percentile = 1}) == "HedgeConfig.percentile must be in (0, 1), or 0, got 1");
  CHECK(validate(HedgeConfig{.minimum_calls = 0}) ==
        "HedgeConfig.minimum_calls must be in [1, 65535], got 0");
}
