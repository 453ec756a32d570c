#include <fusebox/detail/ticks.hpp>

#include <chrono>
#include <limits>

#include "catch.hpp"

using namespace fusebox::detail;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

struct PlainClock {
  [[nodiscard]] static SteadyTime now() { return SteadyTime{5s}; }
};
struct CoarseClock : PlainClock {
  [[nodiscard]] static SteadyTime coarse_now() { return SteadyTime{3s}; }
};
struct WallClock {
  [[nodiscard]] static std::chrono::system_clock::time_point wall_now() {
    return std::chrono::system_clock::time_point{5s};
  }
};
struct CoarseWallClock : WallClock {
  [[nodiscard]] static std::chrono::system_clock::time_point coarse_wall_now() { return wall_now() - 3s; }
};
struct OddWallClock : WallClock {  // its coarse_wall_now is something else
  [[nodiscard]] static int coarse_wall_now() { return 3; }
};
struct OddClock : PlainClock {  // its coarse_now is something else
  [[nodiscard]] static int coarse_now() { return 3; }
};

constexpr bool adds(Tick a, Tick b, Tick sum) {
  return saturating_add(a, b) == sum && saturating_add(b, a) == sum;
}

// A tick is a steady time in nanoseconds.
static_assert(ticks(0ns) == 0 && ticks(1s) == 1'000'000'000 && ticks(-1us) == -1000);
static_assert(ticks(nanoseconds::max()) == tick_max && ticks(nanoseconds::min()) == tick_min);
static_assert(ticks(SteadyTime{}) == 0 && ticks(SteadyTime{2ms}) == 2'000'000);
static_assert(ticks(SteadyTime::max()) == tick_max && ticks(SteadyTime::min()) == tick_min);

constexpr SteadyTime epoch{};
static_assert(noexcept(ticks(nanoseconds{})) && noexcept(ticks(epoch)));
static_assert(noexcept(saturating_add(0, 0)) && noexcept(elapsed(0, 0)));
static_assert(noexcept(ceil_seconds(nanoseconds{})) && noexcept(to_nanoseconds(milliseconds{})));

// Seconds for a Retry-After are rounded up.
static_assert(ceil_seconds(0ns) == 0s && ceil_seconds(1ns) == 1s && ceil_seconds(1s - 1ns) == 1s);
static_assert(ceil_seconds(1s) == 1s && ceil_seconds(1s + 1ns) == 2s && ceil_seconds(59'999ms) == 60s);
static_assert(ceil_seconds(-1ns) == 0s && ceil_seconds(-1500ms) == -1s);
static_assert(ceil_seconds(nanoseconds::max()) == 9'223'372'037s);
static_assert(ceil_seconds(nanoseconds::min()) == -9'223'372'036s);

static_assert(HasCoarseNow<CoarseClock> && !HasCoarseNow<PlainClock> && !HasCoarseNow<OddClock>);

}  // namespace

TEST_CASE("T1 ticks are added without overflow", "[T1]") {
  static_assert(adds(0, 0, 0) && adds(1, 2, 3) && adds(5, -7, -2));
  static_assert(adds(tick_max, 0, tick_max) && adds(tick_max - 1, 1, tick_max));
  static_assert(adds(tick_max, 1, tick_max) && adds(tick_max - 1, 2, tick_max));
  static_assert(adds(tick_max, tick_max, tick_max));
  static_assert(adds(tick_min, 0, tick_min) && adds(tick_min + 1, -1, tick_min));
  static_assert(adds(tick_min, -1, tick_min) && adds(tick_min + 1, -2, tick_min));
  static_assert(adds(tick_min, tick_min, tick_min));
  static_assert(adds(tick_max, tick_min, -1));
  SUCCEED();
}

TEST_CASE("T1 elapsed time is 0 if the clock went back, and saturates", "[T1]") {
  static_assert(elapsed(0, 0) == 0 && elapsed(3, 10) == 7 && elapsed(10, 3) == 0);
  static_assert(elapsed(-3, 4) == 7 && elapsed(-10, -3) == 7 && elapsed(-3, -10) == 0);
  static_assert(elapsed(tick_max, tick_max) == 0 && elapsed(tick_min, tick_min) == 0);
  static_assert(elapsed(tick_max, tick_min) == 0 && elapsed(tick_min, tick_max) == tick_max);
  static_assert(elapsed(0, tick_max) == tick_max && elapsed(-1, tick_max - 1) == tick_max);
  static_assert(elapsed(-1, tick_max) == tick_max && elapsed(-2, tick_max - 1) == tick_max);
  static_assert(elapsed(tick_min, -1) == tick_max && elapsed(tick_min, 0) == tick_max);
  static_assert(elapsed(tick_min, tick_min + 5) == 5 && elapsed(tick_min, -2) == tick_max - 1);
  SUCCEED();
}

TEST_CASE("E7 any duration becomes milliseconds, rounded up, and saturates", "[E7]") {
  using std::chrono::duration;
  using std::chrono::hours;
  static_assert(to_milliseconds(0s) == 0ms && to_milliseconds(1ns) == 1ms && to_milliseconds(1500us) == 2ms);
  static_assert(to_milliseconds(30s) == 30s && to_milliseconds(-1500us) == -1ms);
  static_assert(to_milliseconds(seconds::max()) == milliseconds::max());
  static_assert(to_milliseconds(seconds::min()) == milliseconds::min());
  static_assert(to_milliseconds(hours::max()) == milliseconds::max());
  static_assert(to_milliseconds(9'000'000'000'000'000s) == 9'000'000'000'000'000s);
  CHECK(to_milliseconds(duration<double>{1.2345}) == 1235ms);
  CHECK(to_milliseconds(duration<double>{1e300}) == milliseconds::max());
  CHECK(to_milliseconds(duration<double>{-1e300}) == milliseconds::min());
  CHECK(to_milliseconds(duration<double>{std::numeric_limits<double>::quiet_NaN()}) == 0ms);
}

TEST_CASE("T1 seconds become nanoseconds, or the end of their range on either side", "[T1]") {
  static_assert(to_nanoseconds(0s) == 0ns && to_nanoseconds(60s) == 60s && to_nanoseconds(-60s) == -60s);
  static_assert(to_nanoseconds(9'223'372'036s) == 9'223'372'036s);
  static_assert(to_nanoseconds(1ms) == 1ms && to_nanoseconds(9'223'372'036'854ms) == 9'223'372'036'854ms);
  static_assert(to_nanoseconds(9'223'372'036'855ms) == nanoseconds::max());
  static_assert(to_nanoseconds(9'223'372'037s) == nanoseconds::max());
  static_assert(to_nanoseconds(milliseconds::max()) == nanoseconds::max());
  static_assert(to_nanoseconds(-9'223'372'036s) == -9'223'372'036s);
  static_assert(to_nanoseconds(-9'223'372'037s) == nanoseconds::min());
  static_assert(to_nanoseconds(milliseconds::min()) == nanoseconds::min());
  SUCCEED();
}

TEST_CASE("T1 the coarse tick is the clock's coarse reading if it has one, else the fine one", "[T1]") {
  CHECK(fine_tick(CoarseClock{}) == ticks(5s));
  CHECK(coarse_tick(CoarseClock{}) == ticks(3s));
  CHECK(coarse_tick(PlainClock{}) == ticks(5s));
  CHECK(coarse_tick(OddClock{}) == ticks(5s));
}

TEST_CASE("T1 the coarse wall time is the clock's coarse reading if it has one, else the fine one", "[T1]") {
  CHECK(coarse_wall_time(CoarseWallClock{}) == WallClock::wall_now() - 3s);
  CHECK(coarse_wall_time(WallClock{}) == WallClock::wall_now());
  CHECK(coarse_wall_time(OddWallClock{}) == WallClock::wall_now());
}
