#include <fusebox/hedge.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("J11 each count has its number", "[J11]") {
  detail::HedgeTotals totals;
  for (int i = 0; i < 5; ++i) totals.count_call();
  for (int i = 0; i < 4; ++i) totals.count_hedge();
  for (int i = 0; i < 3; ++i) totals.count_win(true);
  for (int i = 0; i < 2; ++i) totals.count_win(false);
  totals.count_refused();
  CHECK(totals.stats() ==
        HedgeStats{.started = 4, .won_by_primary = 3, .won_by_hedge = 2, .calls = 5, .refused = 1});
}
