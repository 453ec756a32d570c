#include <fusebox/circuit_breaker/detail/probes.hpp>

#include <optional>
#include <thread>

#include "catch.hpp"

using namespace fusebox;
using detail::ProbeFrame;
using detail::ProbeSlots;
using detail::Ticket;
using detail::Word;

namespace {
using Slot = std::optional<std::uint32_t>;

Ticket probe_of(std::uint32_t generation, std::uint32_t slot = 0, detail::Tick start = 1) {
  return {Word{State::half_open, generation, slot}, start};
}
}  // namespace

TEST_CASE("probe slots are given while there are free ones") {
  ProbeSlots slots{2, 100};
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(1000, 1) == Slot{0});
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(1000, 2) == Slot{1});
  CHECK(slots.next_due() == 1100);
  CHECK(slots.take(1099, 3) == std::nullopt);
}

TEST_CASE("a slot given back is free at once") {
  ProbeSlots slots{1, 100};
  REQUIRE(slots.take(0, 1) == Slot{0});
  CHECK(slots.give_back(0, 1));
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(0, 2) == Slot{0});
}

TEST_CASE("the probe that was silent longest makes room, exactly when its time is over") {
  ProbeSlots slots{3, 100};
  REQUIRE(slots.take(20, 1) == Slot{0});
  REQUIRE(slots.take(10, 2) == Slot{1});
  REQUIRE(slots.take(30, 3) == Slot{2});
  CHECK(slots.next_due() == 110);
  CHECK(slots.take(109, 4) == std::nullopt);
  CHECK(slots.take(110, 4) == Slot{1});
  CHECK(slots.next_due() == 120);
  CHECK(slots.take(200, 5) == Slot{0});
  CHECK(slots.take(200, 6) == Slot{2});
  CHECK(slots.take(200, 7) == std::nullopt);
}

TEST_CASE("a probe that lost its slot frees nobody else's") {
  ProbeSlots slots{1, 100};
  REQUIRE(slots.take(0, 1) == Slot{0});
  REQUIRE(slots.take(100, 101) == Slot{0});
  CHECK_FALSE(slots.give_back(0, 1));
  CHECK(slots.next_due() == 200);
  CHECK(slots.give_back(0, 101));
  CHECK_FALSE(slots.give_back(0, 101));
}

TEST_CASE("cleared slots are all free") {
  ProbeSlots slots{2, 100};
  REQUIRE(slots.take(0, 1));
  REQUIRE(slots.take(0, 2));
  slots.clear();
  CHECK_FALSE(slots.give_back(0, 1));
  CHECK(slots.take(0, 3) == Slot{0});
  CHECK(slots.take(0, 4) == Slot{1});
}

TEST_CASE("the time of a probe saturates, and ticks may be negative") {
  ProbeSlots endless{1, detail::tick_max};
  REQUIRE(endless.take(1000, 1));
  CHECK(endless.next_due() == detail::tick_max);
  CHECK_FALSE(endless.take(detail::tick_max - 1, 2));

  ProbeSlots early{1, 100};
  REQUIRE(early.take(-1000, 1));
  CHECK(early.next_due() == -900);
  CHECK_FALSE(early.take(-901, 2));
  CHECK(early.take(-900, 2) == Slot{0});
}

TEST_CASE("a probe's op is running while its frame lives") {
  const int breaker = 0;
  const int other = 0;
  CHECK_FALSE(ProbeFrame::is_running(&breaker, 7));
  {
    const ProbeFrame frame{&breaker, probe_of(7)};
    CHECK(ProbeFrame::is_running(&breaker, 7));
    CHECK_FALSE(ProbeFrame::is_running(&breaker, 8));
    CHECK_FALSE(ProbeFrame::is_running(&other, 7));
  }
  CHECK_FALSE(ProbeFrame::is_running(&breaker, 7));
}

TEST_CASE("frames of several breakers nest") {
  const int a = 0;
  const int b = 0;
  const ProbeFrame outer{&a, probe_of(1)};
  {
    const ProbeFrame inner{&b, probe_of(2)};
    CHECK(ProbeFrame::is_running(&a, 1));
    CHECK(ProbeFrame::is_running(&b, 2));
  }
  CHECK(ProbeFrame::is_running(&a, 1));
  CHECK_FALSE(ProbeFrame::is_running(&b, 2));
}

TEST_CASE("the end of a probe ends its own frame only") {
  const int breaker = 0;
  const ProbeFrame first{&breaker, probe_of(7, 0)};
  const ProbeFrame second{&breaker, probe_of(7, 1)};
  ProbeFrame::end(&breaker, probe_of(7, 2));
  ProbeFrame::end(&breaker, probe_of(7, 1, 99));
  CHECK(ProbeFrame::is_running(&breaker, 7));
  ProbeFrame::end(&breaker, probe_of(7, 0));
  CHECK(ProbeFrame::is_running(&breaker, 7));
  ProbeFrame::end(&breaker, probe_of(7, 1));
  CHECK_FALSE(ProbeFrame::is_running(&breaker, 7));
}

TEST_CASE("a frame is its own thread's") {
  const int breaker = 0;
  const ProbeFrame frame{&breaker, probe_of(7)};
  bool seen = true;
  std::thread{[&] {
    seen = ProbeFrame::is_running(&breaker, 7);
    ProbeFrame::end(&breaker, probe_of(7));
  }}.join();
  CHECK_FALSE(seen);
  CHECK(ProbeFrame::is_running(&breaker, 7));
}
