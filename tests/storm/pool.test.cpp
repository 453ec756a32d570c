#include "storm/pool.hpp"

#include <stdexcept>

#include "catch.hpp"

TEST_CASE("S10 a pool that would hold too much throws before the memory is full", "[S10]") {
  storm::Pool<int> pool{1000};
  int made = 0;
  const auto fill = [&] {
    for (; made < 2000; ++made) (void)pool.make(made);
  };
  CHECK_THROWS_AS(fill(), std::length_error);
  CHECK(made > 900);
  CHECK(made <= 1000);
  pool.destroy(7);
  CHECK(pool.make(1) == 7);
}
