#include <fusebox/detail/ticks.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox::detail;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

struct PlainClock {
  [[nodiscard]] static SteadyTime now() { return SteadyTime{5s}; }
};
struct CoarseClock : PlainClock {
  [[nodiscard]] static SteadyTime coarse_now() { return SteadyTime{3s}; }
};
struct OddClock : PlainClock {  // its coarse_now is something else
  [[nodiscard]] static int coarse_now() { return 3; }
};

}  // namespace

TEST_CASE("a tick is a steady time in nanoseconds") {
  static_assert(ticks(0ns) == 0);
  static_assert(ticks(1s) == 1'000'000'000);
  static_assert(ticks(-1us) == -1000);
  static_assert(ticks(nanoseconds::max()) == tick_max);
  static_assert(ticks(nanoseconds::min()) == tick_min);
  static_assert(ticks(SteadyTime{}) == 0);
  static_assert(ticks(SteadyTime{2ms}) == 2'000'000);
  static_assert(ticks(SteadyTime::max()) == tick_max);
  static_assert(ticks(SteadyTime::min()) == tick_min);
  SUCCEED();
}

TEST_CASE("ticks are added without overflow") {
  struct Row {
    Tick a;
    Tick b;
    Tick sum;
  };
  constexpr Row rows[] = {
      {0, 0, 0},
      {1, 2, 3},
      {5, -7, -2},
      {tick_max, 0, tick_max},
      {tick_max - 1, 1, tick_max},
      {tick_max, 1, tick_max},
      {tick_max - 1, 2, tick_max},
      {tick_max, tick_max, tick_max},
      {tick_min, 0, tick_min},
      {tick_min + 1, -1, tick_min},
      {tick_min, -1, tick_min},
      {tick_min + 1, -2, tick_min},
      {tick_min, tick_min, tick_min},
      {tick_max, tick_min, -1},
      {0, tick_min, tick_min},
      {0, tick_max, tick_max},
  };
  for (const Row& row : rows) {
    CAPTURE(row.a, row.b);
    CHECK(saturating_add(row.a, row.b) == row.sum);
    CHECK(saturating_add(row.b, row.a) == row.sum);
  }
  static_assert(saturating_add(tick_max, 1) == tick_max);
}

TEST_CASE("elapsed time is 0 where the clock went back, and saturates") {
  struct Row {
    Tick from;
    Tick to;
    Tick elapsed;
  };
  constexpr Row rows[] = {
      {0, 0, 0},
      {3, 10, 7},
      {10, 3, 0},
      {-3, 4, 7},
      {-10, -3, 7},
      {-3, -10, 0},
      {tick_max, tick_max, 0},
      {tick_min, tick_min, 0},
      {tick_max, tick_min, 0},
      {tick_min, tick_max, tick_max},
      {0, tick_max, tick_max},
      {-1, tick_max - 1, tick_max},
      {-1, tick_max, tick_max},
      {-2, tick_max - 1, tick_max},
      {tick_min, -1, tick_max},
      {tick_min, 0, tick_max},
      {tick_min, tick_min + 5, 5},
      {tick_min, -2, tick_max - 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.from, row.to);
    CHECK(elapsed(row.from, row.to) == row.elapsed);
  }
  static_assert(elapsed(10, 3) == 0);
}

TEST_CASE("seconds for a Retry-After are rounded up") {
  CHECK(ceil_seconds(0ns) == 0s);
  CHECK(ceil_seconds(1ns) == 1s);
  CHECK(ceil_seconds(1s - 1ns) == 1s);
  CHECK(ceil_seconds(1s) == 1s);
  CHECK(ceil_seconds(1s + 1ns) == 2s);
  CHECK(ceil_seconds(59'999ms) == 60s);
  CHECK(ceil_seconds(-1ns) == 0s);
  CHECK(ceil_seconds(-1500ms) == -1s);
  CHECK(ceil_seconds(nanoseconds::max()) == 9'223'372'037s);
  CHECK(ceil_seconds(nanoseconds::min()) == -9'223'372'036s);
}

TEST_CASE("seconds become nanoseconds, or the end of their range on either side") {
  CHECK(to_nanoseconds(0s) == 0ns);
  CHECK(to_nanoseconds(60s) == 60s);
  CHECK(to_nanoseconds(-60s) == -60s);
  CHECK(to_nanoseconds(9'223'372'036s) == 9'223'372'036s);
  CHECK(to_nanoseconds(9'223'372'037s) == nanoseconds::max());
  CHECK(to_nanoseconds(seconds::max()) == nanoseconds::max());
  CHECK(to_nanoseconds(-9'223'372'036s) == -9'223'372'036s);
  CHECK(to_nanoseconds(-9'223'372'037s) == nanoseconds::min());
  CHECK(to_nanoseconds(seconds::min()) == nanoseconds::min());
}

TEST_CASE("the coarse tick is the clock's coarse reading where it has one, else the fine one") {
  static_assert(HasCoarseNow<CoarseClock>);
  static_assert(!HasCoarseNow<PlainClock>);
  static_assert(!HasCoarseNow<OddClock>);
  CHECK(fine_tick(CoarseClock{}) == ticks(5s));
  CHECK(coarse_tick(CoarseClock{}) == ticks(3s));
  CHECK(coarse_tick(PlainClock{}) == ticks(5s));
  CHECK(coarse_tick(OddClock{}) == ticks(5s));
}

TEST_CASE("the arithmetic of ticks never throws") {
  constexpr SteadyTime epoch{};
  static_assert(noexcept(ticks(nanoseconds{})));
  static_assert(noexcept(ticks(epoch)));
  static_assert(noexcept(saturating_add(0, 0)));
  static_assert(noexcept(elapsed(0, 0)));
  static_assert(noexcept(ceil_seconds(nanoseconds{})));
  static_assert(noexcept(to_nanoseconds(seconds{})));
  SUCCEED();
}
