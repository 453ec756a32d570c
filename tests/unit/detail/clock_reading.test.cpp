#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::ClockReading;
using detail::coarse_tick;
using detail::ShownTime;
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

TEST_CASE("B13 H7 a time is computed when it is first shown, and again for the next event", "[B13][H7]") {
  const test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(3ms);
  ShownTime time;
  const detail::Tick first = coarse_tick(clock);
  const WallTime shown = time.show(1, first, ClockReading{clock});
  CHECK(shown == clock.wall_now());
  clock.advance(1ms);
  CHECK(time.show(1, first, ClockReading{clock}) == shown);
  clock.set_wall(WallTime{10h});
  CHECK(time.show(1, first, ClockReading{clock}) == shown);

  CHECK(time.show(2, first, ClockReading{clock}) == WallTime{10h - 4ms});
  CHECK(time.show(2, coarse_tick(clock), ClockReading{clock}) == WallTime{10h});
}

TEST_CASE("B13 H7 an event without a stamp happens when it is first shown", "[B13][H7]") {
  const test::FakeClock clock;
  ShownTime time;
  const WallTime shown = time.show(1, std::nullopt, ClockReading{clock});
  CHECK(shown == clock.wall_now());
  const detail::Tick stamp = coarse_tick(clock);
  clock.advance(1s);
  CHECK(time.show(1, std::nullopt, ClockReading{clock}) == shown);
  CHECK(time.show(2, std::nullopt, ClockReading{clock}) == shown + 1s);
  CHECK(time.show(2, stamp, ClockReading{clock}) == shown);
}
