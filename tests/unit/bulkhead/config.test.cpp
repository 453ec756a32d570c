#include <fusebox/bulkhead/config.hpp>

#include <chrono>
#include <limits>
#include <string_view>
#include <type_traits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::check;

namespace {

constexpr bool accepts(const BulkheadConfig& config) { return !check(config); }
constexpr bool refuses(const BulkheadConfig& config, std::string_view field) {
  const auto problem = check(config);
  return problem && problem.field == field;
}

}  // namespace

TEST_CASE("C1 a bulkhead's config is an aggregate with defaults, and compares field by field", "[C1]") {
  STATIC_REQUIRE(std::is_aggregate_v<BulkheadConfig>);
  constexpr BulkheadConfig config;
  STATIC_REQUIRE(config.max_concurrent == 25);
  STATIC_REQUIRE(config.max_waiting == 0);
  STATIC_REQUIRE(config.max_wait == no_timeout);
  STATIC_REQUIRE(config.headroom == 0);
  STATIC_REQUIRE(config == BulkheadConfig{});
  STATIC_REQUIRE(config != BulkheadConfig{.max_concurrent = 24});
  STATIC_REQUIRE(config != BulkheadConfig{.max_waiting = 1});
  STATIC_REQUIRE(config != BulkheadConfig{.max_wait = 1s});
  STATIC_REQUIRE(config != BulkheadConfig{.headroom = 0.1});
}

TEST_CASE("C3 what a bulkhead's config accepts", "[C3]") {
  STATIC_REQUIRE(accepts({}));
  STATIC_REQUIRE(accepts({.max_concurrent = 1}) && accepts({.max_concurrent = 65'535}));
  STATIC_REQUIRE(refuses({.max_concurrent = 0}, "max_concurrent"));
  STATIC_REQUIRE(refuses({.max_concurrent = -1}, "max_concurrent"));
  STATIC_REQUIRE(refuses({.max_concurrent = 65'536}, "max_concurrent"));
  STATIC_REQUIRE(accepts({.max_waiting = 0}) && accepts({.max_waiting = 65'535}));
  STATIC_REQUIRE(refuses({.max_waiting = -1}, "max_waiting"));
  STATIC_REQUIRE(refuses({.max_waiting = 65'536}, "max_waiting"));
  STATIC_REQUIRE(accepts({.max_wait = 0ns}) && accepts({.max_wait = 1ns}));
  STATIC_REQUIRE(refuses({.max_wait = -1ns}, "max_wait"));
  STATIC_REQUIRE(accepts({.headroom = 0.0}) && accepts({.headroom = 0.3}));
  STATIC_REQUIRE(refuses({.headroom = -0.01}, "headroom") && refuses({.headroom = 0.301}, "headroom"));
  STATIC_REQUIRE(refuses({.headroom = std::numeric_limits<double>::quiet_NaN()}, "headroom"));
}

TEST_CASE("C2 validate names the first wrong field of a bulkhead's config, its rule and the value", "[C2]") {
  CHECK(validate(BulkheadConfig{}).empty());
  CHECK(validate(BulkheadConfig{.max_concurrent = 0, .max_waiting = -1}) ==
        "BulkheadConfig.max_concurrent must be in [1, 65535], got 0");
  CHECK(validate(BulkheadConfig{.max_waiting = -1}) ==
        "BulkheadConfig.max_waiting must be in [0, 65535], got -1");
  CHECK(validate(BulkheadConfig{.max_wait = -2s}) == "BulkheadConfig.max_wait must be at least 0, got -2s");
  CHECK(validate(BulkheadConfig{.headroom = 0.5}) == "BulkheadConfig.headroom must be in [0, 0.3], got 0.5");
}
