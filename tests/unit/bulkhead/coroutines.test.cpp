// Coroutines that wait in the queue of a bulkhead, and that more important ones push out of it.
#include <fusebox/bulkhead.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <chrono>

#include "catch.hpp"
#include "support/task.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Task;
using test::AsyncFakeClock;

TEST_CASE("P18 a displaced coroutine is resumed by the clock, and its call rejected", "[P18]") {
  const AsyncFakeClock clock;
  Bulkhead<AsyncFakeClock> bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 60s}, clock};
  Permit held = bulkhead.try_acquire();
  const auto op = []() -> Task<int> { co_return 1; };
  auto low = bulkhead.execute(op, Priority::background);
  low.start();
  CHECK(bulkhead.stats().waiting == 1);
  auto high = bulkhead.execute(op);
  high.start();
  clock.advance(0s);
  REQUIRE(low.is_done());
  CHECK_THROWS_AS(low.result(), BulkheadFullError);
  CHECK(bulkhead.stats().shed == 1);
  CHECK_FALSE(high.is_done());
  held.success();
  clock.advance(0s);
  REQUIRE(high.is_done());
  CHECK(high.result() == 1);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("P18 K3 a coroutine that is destroyed after it was displaced takes nothing with it", "[P18][K3]") {
  const AsyncFakeClock clock;
  Bulkhead<AsyncFakeClock> bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, clock};
  Permit held = bulkhead.try_acquire();
  const auto op = []() -> Task<int> { co_return 1; };
  auto low = bulkhead.execute(op, Priority::background);
  low.start();
  auto high = bulkhead.execute(op);
  high.start();
  low.destroy();
  CHECK(bulkhead.stats().waiting == 1);
  CHECK(bulkhead.stats().in_use == 1);
  held.success();
  clock.advance(0s);
  REQUIRE(high.is_done());
  CHECK(high.result() == 1);
}
