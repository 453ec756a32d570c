#include <fusebox/retry_budget/state.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("M3 the kinds of a budget's events have names", "[M3]") {
  STATIC_REQUIRE(to_string(RetryBudgetEventKind::available) == "available");
  STATIC_REQUIRE(to_string(RetryBudgetEventKind::exhausted) == "exhausted");
  STATIC_REQUIRE(to_string(static_cast<RetryBudgetEventKind>(9)) == "unknown");
}
