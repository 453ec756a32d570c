#include <fusebox/detail/edge_events.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

enum class DoorKind : unsigned char { available, exhausted };
struct DoorEvent {
  std::string name;
  DoorKind kind = DoorKind::available;
  std::chrono::system_clock::time_point at;
};

using Doors = detail::EdgeEvents<DoorEvent>;
using Kinds = std::vector<DoorKind>;
constexpr auto available = DoorKind::available;
constexpr auto exhausted = DoorKind::exhausted;

/// A clock that nobody may read.
struct NoClock {
  [[nodiscard]] static std::chrono::system_clock::time_point wall_now() { throw std::logic_error{"read"}; }
};

}  // namespace

FUSEBOX_BEGIN_NAMESPACE
namespace detail {
template <>
struct EventRecord<DoorEvent> : EdgeRecord<DoorEvent> {};
}  // namespace detail
FUSEBOX_END_NAMESPACE

TEST_CASE("M3 only edges are events, and their kinds alternate", "[M3]") {
  const test::FakeClock clock;
  Doors doors;
  Kinds kinds;
  const auto subscription =
      doors.subscribe("door", [&](const DoorEvent& event) { kinds.push_back(event.kind); });
  for (const DoorKind kind :
       {available, available, exhausted, exhausted, exhausted, available, available, exhausted})
    doors.observe(kind, clock);
  CHECK(kinds == Kinds{exhausted, available, exhausted});
}

TEST_CASE("M3 an event has the policy's name and the time of the edge", "[M3]") {
  const test::FakeClock clock;
  Doors doors;
  std::optional<DoorEvent> seen;
  const auto subscription = doors.subscribe("door", [&](const DoorEvent& event) { seen = event; });
  clock.advance(3s);
  doors.observe(exhausted, clock);
  REQUIRE(seen.has_value());
  CHECK(seen->name == "door");
  CHECK(seen->at == clock.wall_now());
}

TEST_CASE("M3 without a subscriber no time is read", "[M3]") {
  Doors doors;
  doors.observe(exhausted, NoClock{});
  doors.observe(available, NoClock{});
  Kinds kinds;
  const auto first = doors.subscribe("door", [&](const DoorEvent& event) { kinds.push_back(event.kind); });
  doors.observe(available, NoClock{});
  CHECK(kinds.empty());
  doors.observe(exhausted, test::FakeClock{});
  const auto second = doors.subscribe("door", [&](const DoorEvent& event) { kinds.push_back(event.kind); });
  doors.observe(exhausted, NoClock{});  // still exhausted
  doors.observe(available, test::FakeClock{});
  CHECK(kinds == Kinds{exhausted, available, available});
}

TEST_CASE("M3 B14 what a callback throws is dropped, and it may cause events", "[M3][B14]") {
  const test::FakeClock clock;
  Doors doors;
  Kinds kinds;
  const auto thrower =
      doors.subscribe("door", [](const DoorEvent&) { throw std::runtime_error{"callback"}; });
  const auto causer = doors.subscribe("door", [&](const DoorEvent& event) {
    kinds.push_back(event.kind);
    if (kinds.size() == 1) doors.observe(available, clock);
  });
  doors.observe(exhausted, clock);
  CHECK(kinds == Kinds{exhausted, available});
}

TEST_CASE("M3 a callback that has unsubscribed is not called", "[M3]") {
  const test::FakeClock clock;
  Doors doors;
  int calls = 0;
  {
    const auto subscription = doors.subscribe("door", [&](const DoorEvent&) { ++calls; });
    doors.observe(exhausted, clock);
  }
  doors.observe(available, clock);
  CHECK(calls == 1);
}

TEST_CASE("M3 two edges that nobody has received yet cancel out", "[M3]") {
  CHECK_FALSE(detail::EventRecord<DoorEvent>::merge({}));
}

TEST_CASE("M3 the kinds alternate for many threads too", "[M3]") {
  const test::FakeClock clock;
  Doors doors;
  Kinds kinds;
  const auto subscription =
      doors.subscribe("door", [&](const DoorEvent& event) { kinds.push_back(event.kind); });
  support::run_together(4, [&](int thread) {
    for (int i = 0; i < 2'000; ++i) doors.observe((i + thread) % 3 == 0 ? exhausted : available, clock);
  });
  REQUIRE_FALSE(kinds.empty());
  CHECK(kinds.front() == exhausted);
  for (std::size_t i = 1; i < kinds.size(); ++i) REQUIRE(kinds[i] != kinds[i - 1]);
}
