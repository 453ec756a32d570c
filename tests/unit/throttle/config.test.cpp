#include <fusebox/throttle/config.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("C1 the defaults of a throttle", "[C1]") {
  constexpr ThrottleConfig config;
  STATIC_REQUIRE(config.k == 2);
  STATIC_REQUIRE(config.window == 2min);
  STATIC_REQUIRE(config.max_rejection == 0.95);
  STATIC_REQUIRE(config.minimum_calls == 20);
  STATIC_REQUIRE(config.seed == 0);
  STATIC_REQUIRE(config == ThrottleConfig{.k = 2});
}

TEST_CASE("C3 what a throttle refuses, by name", "[C3]") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(validate(ThrottleConfig{.k = 0.99}) == "ThrottleConfig.k must be finite and at least 1, got 0.99");
  CHECK(validate(ThrottleConfig{.k = infinity}) == "ThrottleConfig.k must be finite and at least 1, got inf");
  CHECK_FALSE(validate(ThrottleConfig{.k = nan}).empty());
  CHECK(validate(ThrottleConfig{.window = 0s}) == "ThrottleConfig.window must be above 0, got 0s");
  CHECK(validate(ThrottleConfig{.window = -1s}) == "ThrottleConfig.window must be above 0, got -1s");
  CHECK(validate(ThrottleConfig{.max_rejection = 1.01}) ==
        "ThrottleConfig.max_rejection must be in [0, 1], got 1.01");
  CHECK(validate(ThrottleConfig{.max_rejection = -0.5}) ==
        "ThrottleConfig.max_rejection must be in [0, 1], got -0.5");
  CHECK_FALSE(validate(ThrottleConfig{.max_rejection = nan}).empty());
  CHECK(validate(ThrottleConfig{.minimum_calls = -1}) ==
        "ThrottleConfig.minimum_calls must be in [0, 65535], got -1");
  CHECK(validate(ThrottleConfig{.minimum_calls = 65'536}) ==
        "ThrottleConfig.minimum_calls must be in [0, 65535], got 65536");
}

TEST_CASE("C3 what a throttle accepts, up to its bounds", "[C3]") {
  CHECK(validate(ThrottleConfig{}).empty());
  CHECK(validate(ThrottleConfig{.k = 1, .window = 1ns, .max_rejection = 0, .minimum_calls = 0}).empty());
  CHECK(validate(ThrottleConfig{.k = std::numeric_limits<double>::max(),
                                .window = std::chrono::nanoseconds::max(),
                                .max_rejection = 1,
                                .minimum_calls = 65'535,
                                .seed = std::numeric_limits<std::uint64_t>::max()})
            .empty());
}
