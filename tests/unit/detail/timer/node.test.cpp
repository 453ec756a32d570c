#include <fusebox/clock.hpp>
#include <fusebox/detail/timer/node.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox;

namespace {

/// A clock of the user's that cannot stop anything.
struct PlainClock {
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::chrono::system_clock::time_point wall_now() { return {}; }
  static bool sleep_for(std::chrono::nanoseconds /*duration*/, const StopToken& /*token*/) { return true; }
};

/// One that forwards to another clock.
struct WrappedClock : PlainClock {
  test::FakeClock inner;
  void arm(auto& node, auto due) const { inner.arm(node, due); }
  void disarm(auto& node) const { inner.disarm(node); }
};

}  // namespace

TEST_CASE("D1 clocks that stop ops have arm and disarm", "[D1]") {
  STATIC_REQUIRE(detail::TimerClock<SystemClock>);
  STATIC_REQUIRE(detail::TimerClock<test::FakeClock>);
  STATIC_REQUIRE(detail::TimerClock<WrappedClock>);
  STATIC_REQUIRE(Clock<PlainClock>);
  STATIC_REQUIRE_FALSE(detail::TimerClock<PlainClock>);
}

TEST_CASE("D7 a node costs no stop state until it is armed", "[D7]") {
  const detail::TimerNode node;
  CHECK_FALSE(node.source.stop_possible());
  CHECK(node.index == detail::TimerNode::nowhere);
  CHECK(node.armed_on == nullptr);
}
