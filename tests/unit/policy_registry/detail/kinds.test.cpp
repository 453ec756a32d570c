#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/policy_registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBudget;
using support::FakeBulkhead;
using support::FakeClock;
using support::FakeLimiter;
using support::names_of;
using support::Policies;
using Names = std::vector<std::string>;

TEST_CASE("M1 a bulkhead is evicted only if nobody holds it and no call is in it", "[M1]") {
  Policies registry{{.max_per_kind = 1}, FakeClock{}};
  FakeBulkhead* const raw = registry.get<FakeBulkhead>("a", {.max_concurrent = 1}).get();
  std::optional<Permit> permit{raw->try_acquire()};  // holds a slot, not the bulkhead
  (void)registry.get<FakeBulkhead>("b");
  CHECK(names_of<FakeBulkhead>(registry) == Names{"a"});
  CHECK(registry.unregistered<FakeBulkhead>() == 1);
  permit.reset();
  {
    const auto held = registry.find<FakeBulkhead>("a");
    (void)registry.get<FakeBulkhead>("b");
    CHECK(names_of<FakeBulkhead>(registry) == Names{"a"});
  }
  (void)registry.get<FakeBulkhead>("b");
  CHECK(names_of<FakeBulkhead>(registry) == Names{"b"});
}

TEST_CASE("M1 a permit that keeps its bulkhead alive keeps it registered", "[M1]") {
  Policies registry{{.max_per_kind = 1}, FakeClock{}};
  {
    const Permit permit = try_acquire(registry.get<FakeBulkhead>("a"));
    (void)registry.get<FakeBulkhead>("b");
    CHECK(names_of<FakeBulkhead>(registry) == Names{"a"});
  }
  (void)registry.get<FakeBulkhead>("b");
  CHECK(names_of<FakeBulkhead>(registry) == Names{"b"});
}

TEST_CASE("M1 a limiter that has spent permits is evicted after others", "[M1]") {
  FakeClock clock;
  Policies registry{{.max_per_kind = 2}, clock};
  (void)registry.get<FakeLimiter>("spent", {.permits = 10, .per = 1s})->try_acquire();
  (void)registry.get<FakeLimiter>("idle");
  (void)registry.get<FakeLimiter>("c");
  CHECK(names_of<FakeLimiter>(registry) == Names{"c", "spent"});
  CHECK(registry.get<FakeLimiter>("c")->try_acquire());
  (void)registry.get<FakeLimiter>("d");  // none is idle: the least recently used
  CHECK(names_of<FakeLimiter>(registry) == Names{"c", "d"});
  clock.advance(1s);  // c has its burst again
  (void)registry.get<FakeLimiter>("d")->try_acquire();
  (void)registry.get<FakeLimiter>("e");
  CHECK(names_of<FakeLimiter>(registry) == Names{"d", "e"});
}

TEST_CASE("M1 a budget that has paid, and a throttle that saw failures, are evicted after others", "[M1]") {
  Policies registry{{.max_per_kind = 2}, FakeClock{}};
  const RetryBudgetConfig config{.min_per_second = 0, .capacity = 5, .reserve = 100};
  CHECK(registry.get<FakeBudget>("paid", config)->try_withdraw());
  (void)registry.get<FakeBudget>("whole", config);
  (void)registry.get<FakeBudget>("c", config);
  CHECK(names_of<FakeBudget>(registry) == Names{"c", "paid"});

  registry.get<RetryThrottle>("failed")->on_failure(Failure{std::error_code{}});
  (void)registry.get<RetryThrottle>("whole");
  (void)registry.get<RetryThrottle>("c");
  CHECK(names_of<RetryThrottle>(registry) == Names{"c", "failed"});
}
