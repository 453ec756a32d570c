#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::BulkheadEvents;
using support::FakeBulkhead;
using support::record;
using support::start_waiting;
using Kind = BulkheadEventKind;

namespace {

std::vector<Kind> kinds(const BulkheadEvents& events) {
  std::vector<Kind> kinds;
  for (const BulkheadEvent& event : events) kinds.push_back(event.kind);
  return kinds;
}

constexpr BulkheadConfig single{.max_concurrent = 1};

}  // namespace

TEST_CASE("K10 the first call without a slot is an event, and the first free slot after it", "[K10]") {
  FakeBulkhead bulkhead{"reports", {.max_concurrent = 2}};
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  Permit first = bulkhead.try_acquire();
  Permit second = bulkhead.try_acquire();
  CHECK(events.empty());
  for (int i = 0; i < 3; ++i) CHECK_FALSE(bulkhead.try_acquire());
  CHECK(kinds(events) == std::vector{Kind::saturated});
  bulkhead.clock().advance(1s);
  first.success();
  CHECK(kinds(events) == std::vector{Kind::saturated, Kind::free});
  second.success();
  bulkhead.execute([] {});
  CHECK(events.size() == 2);

  CHECK(events[0].name == "reports");
  CHECK(events[0].limit == 2);
  CHECK(events[0].previous_limit == 2);
  CHECK(events[1].at - events[0].at == 1s);
  CHECK(events[1].at == bulkhead.clock().wall_now());
}

TEST_CASE("K10 a rejected execute and a call that waits are events too", "[K10]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, test::FakeClock::manual()};
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  Permit held = bulkhead.try_acquire();
  std::jthread waiting = start_waiting(bulkhead, [&] { bulkhead.execute([] {}); });
  CHECK(kinds(events) == std::vector{Kind::saturated});
  CHECK_THROWS_AS(bulkhead.execute([] {}), BulkheadFullError);
  CHECK(events.size() == 1);
  held.success();
  waiting.join();
  CHECK(kinds(events) == std::vector{Kind::saturated, Kind::free});
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K10 a slot that goes to a waiter is not free", "[K10]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, test::FakeClock::manual()};
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  Permit held = bulkhead.try_acquire();
  std::optional<Permit> handed;
  std::jthread waiting = start_waiting(bulkhead, [&] { handed = bulkhead.acquire(); });
  held.success();
  waiting.join();
  CHECK(kinds(events) == std::vector{Kind::saturated});
  handed.reset();
  CHECK(kinds(events) == std::vector{Kind::saturated, Kind::free});
}

TEST_CASE("K10 a new limit is an event, and free follows if it makes room", "[K10][K6]") {
  FakeBulkhead bulkhead{"b", single};
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  const Permit held = bulkhead.try_acquire();
  bulkhead.set_limit(1);
  CHECK(events.empty());
  CHECK_FALSE(bulkhead.try_acquire());
  bulkhead.set_limit(2);
  REQUIRE(kinds(events) == std::vector{Kind::saturated, Kind::limit_changed, Kind::free});
  CHECK(events[1].limit == 2);
  CHECK(events[1].previous_limit == 1);
  bulkhead.set_limit(1);
  CHECK(events.size() == 4);
  CHECK(events[3].kind == Kind::limit_changed);
  CHECK(events[3].limit == 1);
}

TEST_CASE("K10 a slot that a lower limit takes away is not free", "[K10][K6]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 2}};
  Permit first = bulkhead.try_acquire();
  Permit second = bulkhead.try_acquire();
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  CHECK_FALSE(bulkhead.try_acquire());
  bulkhead.set_limit(1);
  first.success();
  CHECK(kinds(events) == std::vector{Kind::saturated, Kind::limit_changed});
  second.success();
  CHECK(kinds(events) == std::vector{Kind::saturated, Kind::limit_changed, Kind::free});
}

TEST_CASE(
    "K10 a callback may call the bulkhead, what it throws is dropped, and it ends with its subscription",
    "[K10]") {
  FakeBulkhead bulkhead{"b", single};
  int events = 0;
  Subscription subscription = bulkhead.on_event([&](const BulkheadEvent& event) {
    ++events;
    if (event.kind == Kind::saturated) bulkhead.set_limit(2);
    throw std::runtime_error{"dropped"};
  });
  const Permit held = bulkhead.try_acquire();
  CHECK_FALSE(bulkhead.try_acquire());
  CHECK(events == 3);
  CHECK(bulkhead.try_acquire());
  subscription.unsubscribe();
  bulkhead.set_limit(5);
  CHECK(events == 3);
}

TEST_CASE("K10 events that wait in a full queue merge, and saturated and free still alternate", "[K10]") {
  const int changes_before = GENERATE(1, 2, 3, 4, 5);  // where the queue is full, another event comes
  FakeBulkhead bulkhead{"b", single};
  BulkheadEvents events;
  Permit left;
  const Subscription subscription = bulkhead.on_event([&](const BulkheadEvent& event) {
    events.push_back(event);
    if (events.size() > 1) return;
    for (int i = 0; i < changes_before; ++i) bulkhead.set_limit(2 + i % 2);
    bulkhead.set_limit(1);
    for (int i = 0; i < 101; ++i) {  // all of these wait until the callback has returned
      left = {};
      left = bulkhead.try_acquire();
      CHECK_FALSE(bulkhead.try_acquire());
      bulkhead.set_limit(i % 2 + 2);
      bulkhead.set_limit(1);
      CHECK_FALSE(bulkhead.try_acquire());
    }
  });
  bulkhead.set_limit(2);
  REQUIRE(events.size() > 60);
  CHECK(events.size() < 80);
  bool is_saturated = false;
  int limit = 1;
  for (const BulkheadEvent& event : events) {
    CAPTURE(to_string(event.kind), event.limit, event.previous_limit);
    REQUIRE(event.previous_limit == limit);
    limit = event.limit;
    if (event.kind == Kind::limit_changed) continue;
    REQUIRE(is_saturated == (event.kind == Kind::free));
    is_saturated = !is_saturated;
  }
  CHECK(is_saturated);
  left = {};
  CHECK(events.back().kind == Kind::free);
}

TEST_CASE("K10 a subscriber in a saturated bulkhead hears of the next call without a slot", "[K10]") {
  FakeBulkhead bulkhead{"b", single};
  Permit held = bulkhead.try_acquire();
  CHECK_FALSE(bulkhead.try_acquire());
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  CHECK_FALSE(bulkhead.try_acquire());
  held.success();
  CHECK(kinds(events) == std::vector{Kind::saturated, Kind::free});
}
