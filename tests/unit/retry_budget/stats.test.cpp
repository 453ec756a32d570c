#include <fusebox/retry_budget/stats.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("U6 the stats of a budget begin at 0 and can be compared", "[U6]") {
  STATIC_REQUIRE(RetryBudgetStats{} == RetryBudgetStats{.balance = 0, .withdrawn = 0, .refused = 0});
  STATIC_REQUIRE(RetryBudgetStats{.refused = 1} != RetryBudgetStats{});
}
