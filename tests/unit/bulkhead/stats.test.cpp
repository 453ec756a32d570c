#include <fusebox/bulkhead/stats.hpp>

#include <fusebox/bulkhead.hpp>

#include <chrono>
#include <thread>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;
using support::start_waiting;

TEST_CASE("K10 each kind of event has a name", "[K10]") {
  STATIC_REQUIRE(to_string(BulkheadEventKind::saturated) == "saturated");
  STATIC_REQUIRE(to_string(BulkheadEventKind::free) == "free");
  STATIC_REQUIRE(to_string(BulkheadEventKind::limit_changed) == "limit_changed");
  STATIC_REQUIRE(to_string(static_cast<BulkheadEventKind>(9)) == "unknown");
}

TEST_CASE("K11 the stats of a new bulkhead are zero, with its limit", "[K11]") {
  const BulkheadStats stats = FakeBulkhead{"b", {.max_concurrent = 3}}.stats();
  CHECK(stats.in_use == 0);
  CHECK(stats.waiting == 0);
  CHECK(stats.limit == 3);
  CHECK(stats.admitted == 0);
  CHECK(stats.rejected == 0);
  CHECK(stats.longest_wait == 0ns);
}

TEST_CASE("K11 each call is counted once, as admitted or as rejected", "[K11]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 2}};
  {
    const Permit first = bulkhead.try_acquire();
    CHECK(bulkhead.execute([] { return 1; }) == 1);
    const Permit second = bulkhead.try_acquire();
    CHECK(bulkhead.stats().in_use == 2);
    CHECK_FALSE(bulkhead.try_acquire());
    CHECK_FALSE(bulkhead.acquire());
    CHECK_THROWS_AS(bulkhead.execute([] {}), BulkheadFullError);
    CHECK(bulkhead.stats().in_use == 2);
  }
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().admitted == 3);
  CHECK(bulkhead.stats().rejected == 3);
}

TEST_CASE("K11 a call that waits is counted when its wait ends", "[K11]") {
  FakeBulkhead bulkhead{
      "b", {.max_concurrent = 1, .max_waiting = 2, .max_wait = 10s}, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::jthread granted = start_waiting(bulkhead, [&] { static_cast<void>(bulkhead.acquire()); });
  CHECK(bulkhead.stats().waiting == 1);
  CHECK(bulkhead.stats().admitted == 1);
  CHECK(bulkhead.stats().rejected == 0);
  held.success();
  granted.join();
  CHECK(bulkhead.stats().admitted == 2);

  held = bulkhead.try_acquire();
  std::jthread timed_out = start_waiting(bulkhead, [&] { static_cast<void>(bulkhead.acquire()); });
  bulkhead.clock().advance(10s);
  timed_out.join();
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.stats().admitted == 3);
  CHECK(bulkhead.stats().rejected == 1);
}

TEST_CASE("K11 the longest wait is that of any call so far, of one that waits now too", "[K11]") {
  FakeBulkhead bulkhead{
      "b", {.max_concurrent = 1, .max_waiting = 2, .max_wait = 10s}, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::jthread first = start_waiting(bulkhead, [&] { static_cast<void>(bulkhead.acquire()); });
  bulkhead.clock().advance(3s);
  CHECK(bulkhead.stats().longest_wait == 3s);
  std::jthread second = start_waiting(bulkhead, [&] { static_cast<void>(bulkhead.acquire()); });
  bulkhead.clock().advance(1s);
  CHECK(bulkhead.stats().longest_wait == 4s);
  held.success();
  first.join();
  second.join();
  bulkhead.clock().advance(100s);
  CHECK(bulkhead.stats().longest_wait == 4s);

  held = bulkhead.try_acquire();
  std::jthread timed_out = start_waiting(bulkhead, [&] { static_cast<void>(bulkhead.acquire()); });
  bulkhead.clock().advance(10s);
  timed_out.join();
  CHECK(bulkhead.stats().longest_wait == 10s);
}
