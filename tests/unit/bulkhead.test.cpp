#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/bulkhead.hpp"
#include "support/expected.hpp"
#include "support/forced_unwinding.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::allocations_of;
using support::FakeBulkhead;

namespace {

constexpr BulkheadConfig single{.max_concurrent = 1};

}  // namespace

TEST_CASE("K1 a bulkhead is neither copied nor moved, and SystemClock is its default", "[K1]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<FakeBulkhead> ||
                       std::is_move_constructible_v<FakeBulkhead>);
  STATIC_REQUIRE(std::is_same_v<decltype(fusebox::Bulkhead{"b"}), fusebox::Bulkhead<SystemClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(fusebox::Bulkhead{"b", {}}), fusebox::Bulkhead<SystemClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(fusebox::Bulkhead{"b", {}, test::FakeClock{}}), FakeBulkhead>);
}

TEST_CASE("K1 a bulkhead knows its name, config and clock", "[K1]") {
  const test::FakeClock clock;
  const FakeBulkhead bulkhead{"reports", {.max_concurrent = 2, .max_waiting = 3}, clock};
  clock.advance(1s);
  CHECK(bulkhead.name() == "reports");
  CHECK(bulkhead.config() == BulkheadConfig{.max_concurrent = 2, .max_waiting = 3});
  CHECK(bulkhead.clock().now() == clock.now());
}

TEST_CASE("C2 C3 the constructor refuses a bad name and a bad config", "[C2][C3]") {
  CHECK_THROWS_WITH(FakeBulkhead{""}, "Bulkhead.name must not be empty, got \"\"");
  CHECK_NOTHROW(FakeBulkhead{std::string(512, 'n')});
  CHECK_THROWS_WITH(FakeBulkhead{std::string(513, 'n')}, "Bulkhead.name must be at most 512 bytes, got 513");
  CHECK_THROWS_AS((FakeBulkhead{"b", {.max_concurrent = 0}}), ConfigError);
  CHECK_THROWS_WITH((FakeBulkhead{"b", {.max_waiting = -1}}),
                    "BulkheadConfig.max_waiting must be in [0, 65535], got -1");
}

TEST_CASE("K1 as many calls pass at once as there are slots, and op's value and exception pass through",
          "[K1]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 2}};
  CHECK(bulkhead.execute([&] { return bulkhead.execute([&] { return bulkhead.stats().in_use; }); }) == 2);
  int number = 7;
  CHECK(&bulkhead.execute([&]() -> int& { return number; }) == &number);
  CHECK_NOTHROW(bulkhead.execute([] {}));
  CHECK_THROWS_WITH(bulkhead.execute([]() -> int { throw std::runtime_error{"op's"}; }), "op's");
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K1 a full bulkhead rejects a call without calling op, with its name and no retry_after", "[K1]") {
  const test::FakeClock clock;
  FakeBulkhead bulkhead{"reports", single, clock};
  const Permit held = bulkhead.try_acquire();
  bool called = false;
  try {
    bulkhead.execute([&] { called = true; });
    FAIL("not rejected");
  } catch (const BulkheadFullError& error) {
    CHECK(error.name() == "reports");
    CHECK(std::string{error.what()} == "bulkhead 'reports' is full");
    CHECK(error.code() == ErrorCode::service_unavailable);
    CHECK_FALSE(error.retry_after());
    CHECK(error.timestamp() == clock.wall_now());
  }
  CHECK_FALSE(called);
}

TEST_CASE("K1 a rejection is carried in op's own result where that can carry one", "[K1]") {
  FakeBulkhead bulkhead{"b", single};
  const Permit held = bulkhead.try_acquire();
  CHECK(bulkhead.execute([] { return std::error_code{}; }) == PolicyErrc::bulkhead_full);
  const auto failed = bulkhead.execute([] { return support::Expected<int, Failure>{1}; });
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().is_rejection());
  CHECK(failed.error().message() == "bulkhead 'b' is full");
}

TEST_CASE("K1 neither an admitted nor a rejected call allocates", "[K1]") {
  FakeBulkhead bulkhead{"a bulkhead with a long name", single};
  CHECK(allocations_of([&] { static_cast<void>(bulkhead.execute([] { return 1; })); }) == 0);
  Permit held;
  CHECK(allocations_of([&] { held = bulkhead.try_acquire(); }) == 0);
  CHECK(allocations_of([&] {
          for (int i = 0; i < 3000; ++i) static_cast<void>(bulkhead.try_acquire());
          static_cast<void>(bulkhead.execute([] { return std::error_code{}; }));
        }) == 0);
  CHECK(bulkhead.stats().rejected == 3001);
}

TEST_CASE("K1 a breaker ignores the rejection of a bulkhead inside it", "[K1]") {
  CircuitBreaker breaker{"b", {.failure_threshold = 1}, test::FakeClock{}};
  FakeBulkhead bulkhead{"b", single};
  const Permit held = bulkhead.try_acquire();
  CHECK_THROWS_AS(breaker.execute([&] { bulkhead.execute([] {}); }), BulkheadFullError);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().ignored_count == 1);
}

TEST_CASE("K5 the slot comes back however op ends, and not before", "[K5]") {
  const test::FakeClock clock;
  FakeBulkhead bulkhead{"b", single, clock};
  bulkhead.execute(
      [&] {
        clock.advance(1h);
        CHECK(bulkhead.stats().in_use == 1);
        CHECK_FALSE(bulkhead.try_acquire());
      },
      Deadline::after(1s, clock));
  CHECK(bulkhead.stats().in_use == 0);
  CHECK_THROWS_AS(bulkhead.execute([] { throw 1; }), int);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.execute([] { return std::make_error_code(std::errc::io_error); }) == std::errc::io_error);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK_THROWS_AS(
      bulkhead.execute([] { return 1; }, failure_if([](int) -> bool { throw std::logic_error{"rule"}; })),
      std::logic_error);
  CHECK(bulkhead.stats().in_use == 0);
}

#if HAS_FORCED_UNWINDING
TEST_CASE("K5 a thread that ends inside op gives its slot back", "[K5]") {
  for (const auto end : support::all_ends) {
    FakeBulkhead bulkhead{"b", single};
    CHECK_FALSE(support::returns([&] { bulkhead.execute(end); }));
    CHECK(bulkhead.stats().in_use == 0);
    CHECK_FALSE(support::returns([&] {
      const Permit permit = bulkhead.try_acquire();
      end();
    }));
    CHECK(bulkhead.try_acquire());
  }
}
#endif

TEST_CASE("K7 a call from inside op needs a slot of its own", "[K7]") {
  FakeBulkhead bulkhead{"b", single};
  CHECK_THROWS_AS(bulkhead.execute([&] { bulkhead.execute([] {}); }), BulkheadFullError);
  CHECK(bulkhead.stats().in_use == 0);
  bulkhead.set_limit(2);
  CHECK(bulkhead.execute([&] { return bulkhead.execute([] { return 2; }); }) == 2);
}

TEST_CASE("K8 a token that is stopped before: op is not called, and nothing is counted", "[K8]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}};
  std::stop_source stop;
  stop.request_stop();
  bool called = false;
  CHECK_THROWS_AS(bulkhead.execute([&] { called = true; }, stop.get_token()), CancelledError);
  CHECK_FALSE(called);
  CHECK_FALSE(bulkhead.acquire(stop.get_token()));
  CHECK(bulkhead.stats().admitted == 0);
  CHECK(bulkhead.stats().rejected == 0);
}

TEST_CASE("K8 op sees the token and the deadline of its call", "[K8]") {
  const test::FakeClock clock;
  FakeBulkhead bulkhead{"b", single, clock};
  const std::stop_source stop;
  const Deadline deadline = Deadline::after(5s, clock);
  CHECK(bulkhead.execute([&](std::stop_token token) { return token == stop.get_token(); }, stop.get_token()));
  CHECK(bulkhead.execute([&](Deadline given) { return given == deadline; }, deadline));
}

TEST_CASE("K9 a permit gives its slot back when it reports, whatever it reports", "[K9]") {
  FakeBulkhead bulkhead{"b", single};
  for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) {
    Permit permit = bulkhead.try_acquire();
    REQUIRE(permit);
    CHECK(bulkhead.stats().in_use == 1);
    permit.report(outcome);
    CHECK(bulkhead.stats().in_use == 0);
    permit.success();
    CHECK(bulkhead.stats().in_use == 0);
    CHECK(permit);
  }
  Permit permit = bulkhead.acquire();
  permit.report(Failure{std::make_error_code(std::errc::io_error)});
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K9 a permit that is dropped, thrown through or assigned to gives its slot back", "[K9]") {
  FakeBulkhead bulkhead{"b", single};
  {
    const Permit dropped = bulkhead.try_acquire();
  }
  CHECK(bulkhead.stats().in_use == 0);
  CHECK_THROWS_AS(
      [&] {
        const Permit lost = bulkhead.acquire();
        throw 1;
      }(),
      int);
  CHECK(bulkhead.stats().in_use == 0);
  Permit permit = bulkhead.try_acquire();
  permit = Permit{};
  CHECK(bulkhead.stats().in_use == 0);
  Permit moved = bulkhead.try_acquire();
  permit = std::move(moved);
  CHECK(bulkhead.stats().in_use == 1);
}

TEST_CASE("K9 a refusal is an empty permit with the error of the bulkhead", "[K9]") {
  const test::FakeClock clock;
  FakeBulkhead bulkhead{"reports", single, clock};
  const Permit held = bulkhead.try_acquire();
  for (const Permit& refused : {bulkhead.try_acquire(), bulkhead.acquire()}) {
    REQUIRE_FALSE(refused);
    const RejectedError error = refused.rejection();
    CHECK(error.reason() == PolicyErrc::bulkhead_full);
    CHECK(error.name() == "reports");
    CHECK(error.timestamp() == clock.wall_now());
    CHECK_FALSE(error.retry_after());
    CHECK(BulkheadFullError{error}.name() == "reports");
  }
  CHECK(bulkhead.stats().in_use == 1);
}

TEST_CASE("K6 a bad limit is refused and changes nothing", "[K6][C3]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 3}};
  CHECK_THROWS_AS(bulkhead.set_limit(0), ConfigError);
  CHECK_THROWS_WITH(bulkhead.set_limit(-1), "Bulkhead.limit must be in [1, 65535], got -1");
  CHECK_THROWS_AS(bulkhead.set_limit(65'536), ConfigError);
  CHECK(bulkhead.stats().limit == 3);
  CHECK_NOTHROW(bulkhead.set_limit(65'535));
}

TEST_CASE("K6 a lower limit takes effect as slots come back, a higher one at once", "[K6]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 3}};
  Permit first = bulkhead.try_acquire();
  Permit second = bulkhead.try_acquire();
  Permit third = bulkhead.try_acquire();
  bulkhead.set_limit(1);
  CHECK(bulkhead.stats().limit == 1);
  CHECK(bulkhead.stats().in_use == 3);
  CHECK(bulkhead.config().max_concurrent == 3);
  first.success();
  CHECK_FALSE(bulkhead.try_acquire());
  second.success();
  CHECK_FALSE(bulkhead.try_acquire());
  third.success();
  first = bulkhead.try_acquire();
  CHECK(first);
  CHECK_FALSE(bulkhead.try_acquire());
  bulkhead.set_limit(2);
  CHECK(bulkhead.try_acquire());
}
