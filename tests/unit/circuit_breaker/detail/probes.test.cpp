#include <fusebox/circuit_breaker/detail/probes.hpp>

#include <fusebox/detail/sync.hpp>

#include <cstdint>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using detail::ProbeSlots;
using RunningProbes = detail::RunningProbes<detail::StdSync>;

namespace {

using Slot = std::optional<std::uint32_t>;

/// Its frame is below that of the caller, which contains `probe`.
[[gnu::noinline]] bool is_inside(const RunningProbes& probes, std::uint32_t generation) {
  const bool inside = probes.contains_caller(generation);
  CHECK((!inside || probes.may_contain_caller()));
  return inside;
}

}  // namespace

TEST_CASE("B4 probe slots are given out while any is free", "[B4]") {
  ProbeSlots slots{2, 100};
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(1000, 1) == Slot{0});
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(1000, 2) == Slot{1});
  CHECK(slots.next_due() == 1100);
  CHECK(slots.take(1099, 3) == std::nullopt);
}

TEST_CASE("B4 a freed slot is free at once", "[B4]") {
  ProbeSlots slots{1, 100};
  REQUIRE(slots.take(0, 1) == Slot{0});
  CHECK(slots.free(0, 1));
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(0, 2) == Slot{0});
}

TEST_CASE("B5 the probe that has been silent longest loses its slot, exactly when its time is over", "[B5]") {
  ProbeSlots slots{3, 100};
  REQUIRE(slots.take(10, 1) == Slot{0});
  REQUIRE(slots.take(20, 2) == Slot{1});
  REQUIRE(slots.take(30, 3) == Slot{2});
  CHECK(slots.next_due() == 110);
  CHECK(slots.take(109, 4) == std::nullopt);
  CHECK(slots.take(110, 4) == Slot{0});
  CHECK(slots.next_due() == 120);
  CHECK(slots.take(200, 5) == Slot{1});
  CHECK(slots.take(200, 6) == Slot{2});
  CHECK(slots.take(200, 7) == std::nullopt);
  CHECK(slots.take(210, 7) == Slot{0});
}

TEST_CASE("B5 a clock that goes back ends no probe earlier than one that began before it", "[B5]") {
  ProbeSlots slots{2, 100};
  REQUIRE(slots.take(20, 1) == Slot{0});
  REQUIRE(slots.take(10, 2) == Slot{1});
  CHECK(slots.next_due() == 120);
  CHECK(slots.take(119, 3) == std::nullopt);
  CHECK(slots.take(120, 3) == Slot{0});
  CHECK(slots.take(120, 4) == Slot{1});
}

TEST_CASE("B5 slots that were freed out of order are taken again, and the others keep their order", "[B5]") {
  ProbeSlots slots{4, 100};
  for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(slots.take(i, i) == Slot{i});
  CHECK(slots.free(2, 2));
  CHECK(slots.free(0, 0));
  CHECK(slots.next_due() == detail::tick_min);
  CHECK(slots.take(10, 10) == Slot{0});
  CHECK(slots.take(11, 11) == Slot{2});
  CHECK(slots.next_due() == 101);
  CHECK(slots.take(111, 12) == Slot{1});
  CHECK(slots.take(111, 13) == Slot{3});
  CHECK(slots.take(111, 14) == Slot{0});
  CHECK(slots.take(111, 15) == Slot{2});
  CHECK(slots.take(111, 16) == std::nullopt);
  CHECK(slots.free(3, 13));  // the newest but two
  CHECK(slots.free(2, 15));  // the newest
  CHECK(slots.free(1, 12));  // the oldest
  CHECK(slots.free(0, 14));  // the last
  for (int i = 0; i < 4; ++i) CHECK(slots.take(300, 300));
  CHECK(slots.next_due() == 400);
}

TEST_CASE("B5 65,535 slots are taken, freed and taken over like one", "[B5]") {
  constexpr std::uint32_t count = 65'535;
  ProbeSlots slots{static_cast<int>(count), 100};
  const auto take_all = [&](detail::Tick now) {
    bool taken = true;
    for (std::uint32_t i = 0; i < count; ++i) taken = taken && slots.take(now, now).has_value();
    return taken;
  };
  CHECK(take_all(0));
  CHECK_FALSE(slots.take(99, 99));
  CHECK(slots.next_due() == 100);
  CHECK(take_all(100));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!slots.free(i, 100)) FAIL("slot " << i);
  }
  CHECK(take_all(101));
  slots.free_all();
  CHECK(take_all(102));
}

TEST_CASE("B5 a probe that lost its slot frees nobody else's", "[B5]") {
  ProbeSlots slots{1, 100};
  REQUIRE(slots.take(0, 1) == Slot{0});
  REQUIRE(slots.take(100, 101) == Slot{0});
  CHECK_FALSE(slots.free(0, 1));
  CHECK(slots.next_due() == 200);
  CHECK(slots.free(0, 101));
  CHECK_FALSE(slots.free(0, 101));
}

TEST_CASE("B4 free_all() frees every slot", "[B4]") {
  ProbeSlots slots{2, 100};
  REQUIRE(slots.take(0, 1));
  REQUIRE(slots.take(0, 2));
  slots.free_all();
  CHECK_FALSE(slots.free(0, 1));
  CHECK(slots.take(0, 3) == Slot{0});
  CHECK(slots.take(0, 4) == Slot{1});
}

TEST_CASE("B5 the time of a probe saturates, and ticks may be negative", "[B5]") {
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

TEST_CASE("B7 a call from inside a probe's op is found until the op ends", "[B7]") {
  RunningProbes probes;
  const int frame = 0;
  CHECK_FALSE(probes.may_contain_caller());
  CHECK_FALSE(is_inside(probes, 7));
  const auto call = probes.begin(7, &frame);
  CHECK(is_inside(probes, 7));
  CHECK_FALSE(is_inside(probes, 8));
  probes.end(7, call);
  CHECK_FALSE(probes.may_contain_caller());
  CHECK_FALSE(is_inside(probes, 7));
}

TEST_CASE("B7 probes end in any order, and each ends only itself", "[B7]") {
  RunningProbes probes;
  const int frame = 0;
  const auto first = probes.begin(7, &frame);
  const auto second = probes.begin(7, &frame);
  probes.end(6, first);
  probes.end(7, RunningProbes::none);
  CHECK(is_inside(probes, 7));
  probes.end(7, first);
  CHECK(is_inside(probes, 7));
  const auto third = probes.begin(7, &frame);
  probes.end(7, second);
  CHECK(is_inside(probes, 7));
  probes.end(7, third);
  CHECK_FALSE(is_inside(probes, 7));
}

TEST_CASE("B7 the probes of an earlier generation are forgotten with it", "[B7]") {
  RunningProbes probes;
  const int frame = 0;
  const auto old = probes.begin(7, &frame);
  CHECK_FALSE(is_inside(probes, 9));
  const auto present = probes.begin(9, &frame);
  CHECK_FALSE(is_inside(probes, 7));
  probes.end(7, old);
  CHECK(is_inside(probes, 9));
  probes.end(9, present);
  CHECK_FALSE(probes.may_contain_caller());
}

TEST_CASE("B7 a probe that never ends leaves nothing that a later generation meets", "[B7]") {
  RunningProbes probes;
  const int frame = 0;
  for (std::uint32_t generation = 1; generation < 1000; ++generation) {
    for (int i = 0; i < 10; ++i) CHECK(probes.begin(generation, &frame) == static_cast<std::uint32_t>(i));
  }
}

TEST_CASE("B7 one probe among many on other stacks is found", "[B7]") {
  RunningProbes probes;
  const std::vector<int> elsewhere(1000);
  for (const int& one : elsewhere) (void)probes.begin(7, &one);
  CHECK_FALSE(is_inside(probes, 7));
  const int frame = 0;
  (void)probes.begin(7, &frame);
  CHECK(is_inside(probes, 7));
}

TEST_CASE("B7 a call on another thread is not inside", "[B7]") {
  RunningProbes probes;
  const int frame = 0;
  (void)probes.begin(7, &frame);
  bool inside = true;
  std::thread{[&] { inside = probes.contains_caller(7); }}.join();
  CHECK_FALSE(inside);
  CHECK(is_inside(probes, 7));
}
