#include <fusebox/coro/clock.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <coroutine>

#include "catch.hpp"

using fusebox::AsyncClock;
using fusebox::Clock;
using fusebox::TimeSource;

namespace {

struct OnlyTime {
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::chrono::system_clock::time_point wall_now() { return {}; }
};
struct Awaited : OnlyTime {
  static std::suspend_never sleep_for(std::chrono::nanoseconds, fusebox::StopToken) { return {}; }
};
struct TakesNoToken : OnlyTime {
  static std::suspend_never sleep_for(std::chrono::nanoseconds) { return {}; }
};
struct TellsNoWallTime {
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::suspend_never sleep_for(std::chrono::nanoseconds, fusebox::StopToken) { return {}; }
};

}  // namespace

TEST_CASE("A6 a TimeSource tells the time, a Clock blocks, an AsyncClock is awaited", "[A6]") {
  STATIC_REQUIRE(TimeSource<OnlyTime>);
  STATIC_REQUIRE_FALSE(Clock<OnlyTime>);
  STATIC_REQUIRE_FALSE(AsyncClock<OnlyTime>);
  STATIC_REQUIRE(AsyncClock<Awaited>);
  STATIC_REQUIRE_FALSE(Clock<Awaited>);
  STATIC_REQUIRE_FALSE(AsyncClock<TakesNoToken>);
  STATIC_REQUIRE_FALSE(AsyncClock<TellsNoWallTime>);
  STATIC_REQUIRE(TimeSource<fusebox::SystemClock>);
  STATIC_REQUIRE_FALSE(AsyncClock<fusebox::SystemClock>);
  STATIC_REQUIRE_FALSE(AsyncClock<fusebox::test::FakeClock>);
  STATIC_REQUIRE(AsyncClock<fusebox::test::AsyncFakeClock>);
  STATIC_REQUIRE_FALSE(TimeSource<int>);
}
