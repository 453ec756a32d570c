#include <fusebox/clock.hpp>
#include <fusebox/clock/concept.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>
#include <type_traits>

#include "catch.hpp"

using fusebox::Clock;
using std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

namespace {

// What is a Clock.

struct Minimal {
  SteadyTime now() const;
  WallTime wall_now() const;
  bool sleep_for(nanoseconds, std::stop_token) const;
};
struct Noexcept {
  static SteadyTime now() noexcept;
  static WallTime wall_now() noexcept;
  static bool sleep_for(const nanoseconds&, const std::stop_token& = {}) noexcept;
};
struct Coarse : Minimal {
  SteadyTime coarse_now() const;
};
struct NoDefaultConstructor : Minimal {
  explicit NoDefaultConstructor(int);
};

// What is none.

struct NoNow {
  WallTime wall_now() const;
  bool sleep_for(nanoseconds, std::stop_token) const;
};
struct NoWallNow {
  SteadyTime now() const;
  bool sleep_for(nanoseconds, std::stop_token) const;
};
struct NoSleep {
  SteadyTime now() const;
  WallTime wall_now() const;
};
struct NowIsWallTime : Minimal {
  WallTime now() const;
};
struct NowIsADuration : Minimal {
  nanoseconds now() const;
};
struct WallNowIsSteady : Minimal {
  SteadyTime wall_now() const;
};
struct SleepGivesNothing : Minimal {
  void sleep_for(nanoseconds, std::stop_token) const;
};
struct SleepTakesNoToken : Minimal {
  bool sleep_for(nanoseconds) const;
};
struct NowIsNotConst : Minimal {
  SteadyTime now();
};
struct WallNowIsNotConst : Minimal {
  WallTime wall_now();
};
struct SleepIsNotConst : Minimal {
  bool sleep_for(nanoseconds, std::stop_token);
};
struct MoveOnly : Minimal {
  MoveOnly(MoveOnly&&) = default;
};
class Private : Minimal {};

}  // namespace

TEST_CASE("T7 a Clock tells both times and sleeps until stopped, as a const object, and is copyable",
          "[T7]") {
  STATIC_REQUIRE(Clock<fusebox::SystemClock>);
  STATIC_REQUIRE(Clock<fusebox::test::FakeClock>);
  STATIC_REQUIRE(Clock<Minimal>);
  STATIC_REQUIRE(Clock<Noexcept>);
  STATIC_REQUIRE(Clock<Coarse>);
  STATIC_REQUIRE(Clock<NoDefaultConstructor>);
}

TEST_CASE("T7 what lacks a member, its type, its constness or a copy is no Clock", "[T7]") {
  STATIC_REQUIRE_FALSE(Clock<NoNow>);
  STATIC_REQUIRE_FALSE(Clock<NoWallNow>);
  STATIC_REQUIRE_FALSE(Clock<NoSleep>);
  STATIC_REQUIRE_FALSE(Clock<NowIsWallTime>);
  STATIC_REQUIRE_FALSE(Clock<NowIsADuration>);
  STATIC_REQUIRE_FALSE(Clock<WallNowIsSteady>);
  STATIC_REQUIRE_FALSE(Clock<SleepGivesNothing>);
  STATIC_REQUIRE_FALSE(Clock<SleepTakesNoToken>);
  STATIC_REQUIRE_FALSE(Clock<NowIsNotConst>);
  STATIC_REQUIRE_FALSE(Clock<WallNowIsNotConst>);
  STATIC_REQUIRE_FALSE(Clock<SleepIsNotConst>);
  STATIC_REQUIRE_FALSE(Clock<MoveOnly>);
  STATIC_REQUIRE_FALSE(Clock<Private>);
  STATIC_REQUIRE_FALSE(Clock<int>);
  STATIC_REQUIRE_FALSE(Clock<void>);
  STATIC_REQUIRE_FALSE(Clock<std::chrono::steady_clock>);
  STATIC_REQUIRE_FALSE(Clock<nanoseconds>);
}

TEST_CASE("T7 a StopToken is a std::stop_token", "[T7]") {
  STATIC_REQUIRE(std::is_same_v<fusebox::StopToken, std::stop_token>);
}
