#include "storm/timers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "storm/random.hpp"

namespace {

std::vector<std::uint32_t> ring_all(storm::Timers& timers) {
  std::vector<std::uint32_t> ids;
  while (!timers.empty()) {
    ids.push_back(timers.next());
    timers.cancel(timers.next());
  }
  return ids;
}

}  // namespace

TEST_CASE("S2 timers ring in the order in which they are due, urgent ones first, then as they were set",
          "[S2]") {
  storm::Timers timers;
  timers.set(5, 100);
  timers.set(3, 50);
  timers.set(9, 100);
  timers.set(7, 100, true);
  timers.set(1, 100);
  CHECK(timers.next_due() == 50);
  CHECK(ring_all(timers) == std::vector<std::uint32_t>{3, 7, 5, 9, 1});
}

TEST_CASE("S2 a timer that was cancelled does not ring, and can be set again", "[S2]") {
  storm::Timers timers;
  timers.set(1, 10);
  timers.set(2, 20);
  timers.cancel(1);
  timers.cancel(1);
  timers.cancel(77);
  CHECK_FALSE(timers.is_set(1));
  CHECK(timers.is_set(2));
  CHECK(timers.due(2) == 20);
  timers.set(1, 30);
  CHECK(ring_all(timers) == std::vector<std::uint32_t>{2, 1});
}

TEST_CASE("S2 timers agree with a sorted map under random steps", "[S2]") {
  storm::Timers timers;
  std::map<std::tuple<storm::Tick, int>, std::uint32_t> reference;  // by due time and order of setting
  std::map<std::uint32_t, std::tuple<storm::Tick, int>> set;
  storm::Random random{5, 0};
  for (int step = 0; step < 50'000; ++step) {
    const std::uint32_t id = random.below(500);
    if (const auto found = set.find(id); found != set.end()) {
      timers.cancel(id);
      reference.erase(found->second);
      set.erase(found);
    } else {
      const std::tuple key{static_cast<storm::Tick>(random.below(1000)), step};
      timers.set(id, std::get<0>(key));
      reference.emplace(key, id);
      set.emplace(id, key);
    }
    if (random.below(3) == 0 && !timers.empty()) {
      REQUIRE(timers.next() == reference.begin()->second);
      REQUIRE(timers.next_due() == std::get<0>(reference.begin()->first));
      set.erase(timers.next());
      timers.cancel(timers.next());
      reference.erase(reference.begin());
    }
    REQUIRE(timers.empty() == reference.empty());
  }
}
