#include <fusebox/timeout/detail/totals.hpp>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;

TEST_CASE("D10 counts of threads add up, each by itself", "[D10]") {
  detail::TimeoutTotals counts;
  support::run_together(4, [&](int) {
    for (int n = 0; n < 3000; ++n) {
      counts.count_call();
      if (n % 3 == 0) counts.count_timed_out();
      if (n % 10 == 0) counts.count_late();
    }
  });
  CHECK(counts.stats().calls == 12'000);
  CHECK(counts.stats().timed_out == 4'000);
  CHECK(counts.stats().late == 1'200);
}
