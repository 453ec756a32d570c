#include <fusebox/retry_budget/config.hpp>

#include <limits>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("C1 the defaults of a budget and of a throttle", "[C1]") {
  STATIC_REQUIRE(RetryBudgetConfig{} ==
                 RetryBudgetConfig{.ratio = 0.2, .min_per_second = 10, .capacity = 100, .reserve = 100});
  STATIC_REQUIRE(RetryThrottleConfig{} == RetryThrottleConfig{.max_tokens = 100, .token_ratio = 0.1});
}

TEST_CASE("C3 what a budget refuses, by name", "[C3]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(validate(RetryBudgetConfig{.ratio = -0.1}) == "RetryBudgetConfig.ratio must be in [0, 1], got -0.1");
  CHECK(validate(RetryBudgetConfig{.ratio = 1.5}) == "RetryBudgetConfig.ratio must be in [0, 1], got 1.5");
  CHECK(validate(RetryBudgetConfig{.ratio = nan}) == "RetryBudgetConfig.ratio must be in [0, 1], got nan");
  CHECK(validate(RetryBudgetConfig{.min_per_second = -1}) ==
        "RetryBudgetConfig.min_per_second must be in [0, 65535], got -1");
  CHECK(validate(RetryBudgetConfig{.min_per_second = 65'536}) ==
        "RetryBudgetConfig.min_per_second must be in [0, 65535], got 65536");
  CHECK(validate(RetryBudgetConfig{.capacity = 0}) ==
        "RetryBudgetConfig.capacity must be in [1, 65535], got 0");
  CHECK(validate(RetryBudgetConfig{.capacity = 65'536}) ==
        "RetryBudgetConfig.capacity must be in [1, 65535], got 65536");
  CHECK(validate(RetryBudgetConfig{.reserve = -1}) ==
        "RetryBudgetConfig.reserve must be in [0, 65535], got -1");
  CHECK(validate(RetryBudgetConfig{.reserve = 65'536}) ==
        "RetryBudgetConfig.reserve must be in [0, 65535], got 65536");
}

TEST_CASE("C3 what a budget accepts, up to its bounds", "[C3]") {
  CHECK(validate(RetryBudgetConfig{}).empty());
  CHECK(validate(RetryBudgetConfig{.ratio = 0, .min_per_second = 0, .capacity = 1, .reserve = 0}).empty());
  CHECK(
      validate(RetryBudgetConfig{.ratio = 1, .min_per_second = 65'535, .capacity = 65'535, .reserve = 65'535})
          .empty());
  CHECK(validate(RetryBudgetConfig{.capacity = 1, .reserve = 100}).empty());
}

TEST_CASE("C3 what a throttle refuses, and what it accepts", "[C3]") {
  CHECK(validate(RetryThrottleConfig{.max_tokens = 0}) ==
        "RetryThrottleConfig.max_tokens must be in [1, 65535], got 0");
  CHECK(validate(RetryThrottleConfig{.max_tokens = 65'536}) ==
        "RetryThrottleConfig.max_tokens must be in [1, 65535], got 65536");
  CHECK(validate(RetryThrottleConfig{.token_ratio = 0}) ==
        "RetryThrottleConfig.token_ratio must be in (0, 1], got 0");
  CHECK(validate(RetryThrottleConfig{.token_ratio = 1.01}) ==
        "RetryThrottleConfig.token_ratio must be in (0, 1], got 1.01");
  CHECK(validate(RetryThrottleConfig{}).empty());
  CHECK(validate(RetryThrottleConfig{.max_tokens = 1, .token_ratio = 1}).empty());
  CHECK(validate(RetryThrottleConfig{.max_tokens = 65'535, .token_ratio = 0.001}).empty());
}
