#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/policy_registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBreaker;
using support::FakeBudget;
using support::FakeBulkhead;
using support::FakeClock;
using support::FakeLimiter;
using support::Policies;
using Seen = std::vector<std::string>;

namespace {

/// Causes an edge in each policy of this name that there is or that it makes.
void exhaust_all(Policies& registry, const std::string& name) {
  const auto bulkhead = registry.get<FakeBulkhead>(name, {.max_concurrent = 1});
  const Permit permit = bulkhead->try_acquire();
  (void)bulkhead->try_acquire();
  const auto limiter = registry.get<FakeLimiter>(name, {.permits = 1});
  (void)limiter->try_acquire();
  (void)limiter->try_acquire();
  const auto budget = registry.get<FakeBudget>(name, {.min_per_second = 0, .reserve = 0});
  (void)budget->try_withdraw();
  const auto throttle = registry.get<RetryThrottle>(name, {.max_tokens = 1});
  throttle->on_failure(Failure{std::error_code{}});
  (void)throttle->try_withdraw();
  registry.get<FakeBreaker>(name)->force_open();
}

struct SeesAll {
  Seen& seen;
  void operator()(const StateChange& change) const { note(change.name, to_string(change.to)); }
  template <class Event>
  void operator()(const Event& event) const {
    note(event.name, to_string(event.kind));
  }
  void note(const std::string& name, std::string_view what) const {
    seen.push_back(name + " " + std::string{what});
  }
};

}  // namespace

TEST_CASE("M3 one subscription reports every kind, existing and made later", "[M3]") {
  Policies registry{{}, FakeClock{}};
  exhaust_all(registry, "before");
  (void)registry.get<FakeBulkhead>("old", {.max_concurrent = 1});
  Seen seen;
  Subscription subscription = registry.on_event(SeesAll{seen});
  exhaust_all(registry, "new");
  CHECK(seen == Seen{"new saturated", "new exhausted", "new exhausted", "new exhausted", "new forced-open",
                     "new free"});
  seen.clear();
  registry.get<FakeBulkhead>("old")->set_limit(3);
  CHECK(seen == Seen{"old limit_changed"});
  subscription.unsubscribe();
  seen.clear();
  exhaust_all(registry, "after");
  registry.get<FakeBulkhead>("old")->set_limit(4);
  registry.get<FakeBreaker>("new")->reset();
  CHECK(seen.empty());
}

TEST_CASE("M3 a callback gets the events of the kinds that it takes", "[M3]") {
  Policies registry{{}, FakeClock{}};
  int count = 0;
  const Subscription subscription = registry.on_event([&](const RetryBudgetEvent&) { ++count; });
  exhaust_all(registry, "a");
  CHECK(count == 2);  // of the budget and the throttle
}

TEST_CASE("M3 a subscription to one kind reports that kind alone", "[M3]") {
  Policies registry{{}, FakeClock{}};
  Seen seen;
  const SeesAll callback{seen};
  {
    const Subscription one = registry.on_event<FakeBulkhead>(callback);
    exhaust_all(registry, "a");
    CHECK(seen == Seen{"a saturated", "a free"});
    seen.clear();
  }
  const Subscription limiters = registry.on_event<FakeLimiter>(callback);
  const Subscription throttles = registry.on_event<RetryThrottle>(callback);
  exhaust_all(registry, "b");
  CHECK(seen == Seen{"b exhausted", "b exhausted"});
  seen.clear();
  const Subscription budgets = registry.on_event<FakeBudget>(callback);
  const Subscription breakers = registry.on_event<FakeBreaker>(callback);
  exhaust_all(registry, "c");
  CHECK(seen == Seen{"c exhausted", "c exhausted", "c exhausted", "c forced-open"});
}

TEST_CASE("M3 nothing is reported of a policy that is removed", "[M3]") {
  Policies registry{{}, FakeClock{}};
  Seen seen;
  const Subscription subscription = registry.on_event(SeesAll{seen});
  const auto breaker = registry.get<FakeBreaker>("a");
  const auto bulkhead = registry.get<FakeBulkhead>("a");
  const auto limiter = registry.get<FakeLimiter>("a", {.permits = 1});
  const auto budget = registry.get<FakeBudget>("a", {.min_per_second = 0, .reserve = 0});
  const auto throttle = registry.get<RetryThrottle>("a", {.max_tokens = 1});
  SECTION("one by one") {
    registry.remove<FakeBreaker>("a");
    registry.remove<FakeBulkhead>("a");
    registry.remove<FakeLimiter>("a");
    registry.remove<FakeBudget>("a");
    registry.remove<RetryThrottle>("a");
  }
  SECTION("all together") { registry.clear(); }
  breaker->force_open();
  bulkhead->set_limit(1);
  CHECK(limiter->try_acquire());
  CHECK_FALSE(limiter->try_acquire());
  CHECK_FALSE(budget->try_withdraw());
  throttle->on_failure(Failure{std::error_code{}});
  CHECK_FALSE(throttle->try_withdraw());
  CHECK(seen.empty());
}

TEST_CASE("M3 nothing is reported of a policy that is evicted, or not registered", "[M3]") {
  Policies registry{{.max_per_kind = 1}, FakeClock{}};
  Seen seen;
  const Subscription subscription = registry.on_event(SeesAll{seen});
  auto limiter = registry.get<FakeLimiter>("a", {.permits = 1});
  const auto unregistered = registry.get<FakeLimiter>("b", {.permits = 1});
  CHECK(registry.unregistered<FakeLimiter>() == 1);
  (void)unregistered->try_acquire();
  CHECK_FALSE(unregistered->try_acquire());
  CHECK(seen.empty());
  (void)limiter->try_acquire();
  CHECK_FALSE(limiter->try_acquire());
  CHECK(seen == Seen{"a exhausted"});
}

TEST_CASE("X8 M3 the events of chaos arrive by the registry, until it is removed", "[X8][M3]") {
  Policies registry{{}, FakeClock{}};
  int count = 0;
  const Subscription subscription = registry.on_event([&](const ChaosEvent& event) {
    CHECK(event.name == "a");
    ++count;
  });
  const auto chaos = registry.get<support::FakeChaos>("a", {.fault_rate = 1});
  chaos->enable(true);
  CHECK_THROWS_AS(chaos->execute([] {}), ApiError);
  CHECK(count == 2);
  registry.remove<support::FakeChaos>("a");
  chaos->enable(false);
  CHECK(count == 2);
}
