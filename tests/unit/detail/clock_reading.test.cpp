#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::ClockReading;
using detail::coarse_tick;
using WallTime = std::chrono::system_clock::time_point;

TEST_CASE("B13 a stamp is as long ago on the wall as on the coarse timeline", "[B13]") {
  const test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(3ms);
  const detail::Tick stamp = coarse_tick(clock);
  CHECK(ClockReading{clock}.wall_at(stamp) == clock.wall_now());
  clock.advance(1ms);
  CHECK(ClockReading{clock}.wall_at(stamp) == clock.wall_now() - 4ms);
  clock.advance(1h);
  clock.set_wall(WallTime{10h});
  CHECK(ClockReading{clock}.wall_at(stamp) == WallTime{9h - 4ms});
}

TEST_CASE("T1 a stamp of the future is now", "[T1]") {
  const ClockReading now{test::FakeClock{}};
  CHECK(now.wall_at(now.coarse + 1) == now.wall);
}

TEST_CASE("T1 the wall time of a stamp saturates at either end of the range", "[T1]") {
  for (const WallTime end : {WallTime::min(), WallTime::max()}) {
    const test::FakeClock clock;
    clock.set_wall(end);
    const ClockReading now{clock};
    CHECK(now.wall_at(now.coarse) == end);
    CHECK(now.wall_at(now.coarse - 1000) <= end);
    CHECK(now.wall_at(detail::tick_min) <= end);
  }
}
