#include <fusebox/circuit_breaker/detail/probes.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using detail::Admission;
using detail::ProbeFrame;
using detail::ProbeSlots;
using detail::StateWord;

namespace {

using Slot = std::optional<std::uint32_t>;

Admission probe_of(std::uint32_t generation, std::uint32_t slot = 0, detail::Tick start = 1) {
  return {StateWord{State::half_open, generation, slot}.bits(), start};
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

TEST_CASE("B7 the op of a probe is running while its frame lives", "[B7]") {
  const int breaker = 0;
  const int other = 0;
  CHECK_FALSE(ProbeFrame::is_running(&breaker, 7));
  {
    const ProbeFrame frame{&breaker, probe_of(7), nullptr};
    CHECK(ProbeFrame::is_running(&breaker, 7));
    CHECK_FALSE(ProbeFrame::is_running(&breaker, 8));
    CHECK_FALSE(ProbeFrame::is_running(&other, 7));
  }
  CHECK_FALSE(ProbeFrame::is_running(&breaker, 7));
}

TEST_CASE("B7 frames of several breakers nest", "[B7]") {
  const int a = 0;
  const int b = 0;
  const ProbeFrame outer{&a, probe_of(1), nullptr};
  {
    const ProbeFrame inner{&b, probe_of(2), nullptr};
    CHECK(ProbeFrame::is_running(&a, 1));
    CHECK(ProbeFrame::is_running(&b, 2));
  }
  CHECK(ProbeFrame::is_running(&a, 1));
  CHECK_FALSE(ProbeFrame::is_running(&b, 2));
}

TEST_CASE("B7 the end of a probe ends only its own frame", "[B7]") {
  const int breaker = 0;
  const ProbeFrame first{&breaker, probe_of(7, 0), nullptr};
  const ProbeFrame second{&breaker, probe_of(7, 1), nullptr};
  ProbeFrame::end(&breaker, probe_of(7, 2));
  ProbeFrame::end(&breaker, probe_of(7, 1, 99));
  CHECK(ProbeFrame::is_running(&breaker, 7));
  ProbeFrame::end(&breaker, probe_of(7, 0));
  CHECK(ProbeFrame::is_running(&breaker, 7));
  ProbeFrame::end(&breaker, probe_of(7, 1));
  CHECK_FALSE(ProbeFrame::is_running(&breaker, 7));
}

TEST_CASE("B7 a frame belongs to its own thread", "[B7]") {
  const int breaker = 0;
  const ProbeFrame frame{&breaker, probe_of(7), nullptr};
  bool seen = true;
  std::thread{[&] {
    seen = ProbeFrame::is_running(&breaker, 7);
    ProbeFrame::end(&breaker, probe_of(7));
  }}.join();
  CHECK_FALSE(seen);
  CHECK(ProbeFrame::is_running(&breaker, 7));
}

TEST_CASE("B7 storage holds a frame between begin_frame() and end_frame(), which releases the breaker",
          "[B7]") {
  auto breaker = std::make_shared<int>(0);
  const std::weak_ptr<int> alive = breaker;
  const void* const address = breaker.get();
  detail::ProbeStorage storage;
  CHECK_FALSE(ProbeFrame::is_running(address, 7));
  storage.begin_frame(address, probe_of(7), std::move(breaker));
  CHECK(ProbeFrame::is_running(address, 7));
  CHECK_FALSE(alive.expired());
  storage.end_frame();
  CHECK_FALSE(ProbeFrame::is_running(address, 7));
  CHECK(alive.expired());
}
