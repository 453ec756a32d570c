#include <fusebox/rate_limiter/config.hpp>

#include <chrono>
#include <limits>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("C1 the defaults of a limiter", "[C1]") {
  constexpr RateLimiterConfig config;
  STATIC_REQUIRE(config.permits == 50);
  STATIC_REQUIRE(config.per == 1s);
  STATIC_REQUIRE(config.burst == 0);
  STATIC_REQUIRE(config.max_wait == 0s);
  STATIC_REQUIRE(config == RateLimiterConfig{.permits = 50});
  STATIC_REQUIRE(detail::burst_of(config) == 50);
  STATIC_REQUIRE(detail::burst_of({.permits = 50, .burst = 7}) == 7);
}

TEST_CASE("C3 Q1 what a limiter refuses, by name", "[C3][Q1]") {
  CHECK(validate(RateLimiterConfig{.permits = 0}) == "RateLimiterConfig.permits must be at least 1, got 0");
  CHECK(validate(RateLimiterConfig{.permits = -3}) == "RateLimiterConfig.permits must be at least 1, got -3");
  CHECK(validate(RateLimiterConfig{.permits = 10, .per = 999ns}) ==
        "RateLimiterConfig.per must be at least 100ns for each permit, got 999ns");
  CHECK(validate(RateLimiterConfig{.per = 0s}) ==
        "RateLimiterConfig.per must be at least 100ns for each permit, got 0s");
  CHECK(validate(RateLimiterConfig{.per = -1s}) ==
        "RateLimiterConfig.per must be at least 100ns for each permit, got -1s");
  CHECK(validate(RateLimiterConfig{.burst = -1}) == "RateLimiterConfig.burst must be at least 0, got -1");
  CHECK(validate(RateLimiterConfig{.permits = 1, .per = std::chrono::nanoseconds::max(), .burst = 2}) ==
        "RateLimiterConfig.burst must be small enough to be saved up within 292 years, got 2");
  for (const int burst : {0, 1, 2}) {
    const std::string wrong =
        validate(RateLimiterConfig{.permits = 2, .per = std::chrono::nanoseconds::max(), .burst = burst});
    CAPTURE(burst);
    // One permit alone is saved up in time.
    CHECK(wrong == (burst == 1 ? ""
                               : "RateLimiterConfig.per must be small enough for its permits to be saved up "
                                 "within 292 years, got 9223372036854775807ns"));
  }
  CHECK(validate(RateLimiterConfig{.max_wait = -1ns}) ==
        "RateLimiterConfig.max_wait must be at least 0, got -1ns");
}

TEST_CASE("C3 Q1 what a limiter accepts, up to its bounds", "[C3][Q1]") {
  constexpr int most = std::numeric_limits<int>::max();
  CHECK(validate(RateLimiterConfig{}).empty());
  CHECK(validate(RateLimiterConfig{.permits = 1, .per = 100ns}).empty());
  CHECK(validate(RateLimiterConfig{.permits = 10'000'000, .per = 1s}).empty());
  CHECK(validate(RateLimiterConfig{.permits = most, .per = 5min, .burst = most}).empty());
  CHECK(validate(RateLimiterConfig{.permits = 1, .per = std::chrono::nanoseconds::max()}).empty());
  CHECK(validate(RateLimiterConfig{.max_wait = std::chrono::nanoseconds::max()}).empty());
}

TEST_CASE("Q1 the time of a permit is rounded up", "[Q1]") {
  STATIC_REQUIRE(detail::permit_interval({.permits = 50, .per = 1s}) == 20'000'000);
  STATIC_REQUIRE(detail::permit_interval({.permits = 3, .per = 1s}) == 333'333'334);
  STATIC_REQUIRE(detail::permit_interval({.permits = 7, .per = 701ns}) == 101);
  STATIC_REQUIRE(detail::permit_interval({.permits = 7, .per = 700ns}) == 100);
  STATIC_REQUIRE(detail::permit_interval({.permits = 2, .per = std::chrono::nanoseconds::max()}) ==
                 detail::tick_max / 2 + 1);
}
