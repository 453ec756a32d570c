#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/policy_registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeAdaptiveLimit;
using support::FakeBudget;
using support::FakeBulkhead;
using support::FakeClock;
using support::FakeLimiter;
using support::FakeThrottle;
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

TEST_CASE("M1 an adaptive limit with a call in it is not evicted, and one that has found its limit goes last",
          "[M1]") {
  FakeClock clock;
  Policies registry{{.max_per_kind = 2}, clock};
  const Measured quick{.window = 1s, .min_samples = 1};
  FakeAdaptiveLimit* const raw = registry.get<FakeAdaptiveLimit>("a", quick).get();
  const auto end_window = [&](FakeAdaptiveLimit& limit) {
    Permit permit = limit.try_acquire();
    clock.advance(1s);
    permit.success();
  };
  end_window(*raw);
  (void)registry.get<FakeAdaptiveLimit>("idle", quick);
  (void)registry.get<FakeAdaptiveLimit>("b", quick);  // used later than a
  CHECK(names_of<FakeAdaptiveLimit>(registry) == Names{"a", "b"});
  end_window(*registry.get<FakeAdaptiveLimit>("b"));
  std::optional<Permit> permit{raw->try_acquire()};  // holds a slot, not the limit
  (void)registry.get<FakeAdaptiveLimit>("c");
  CHECK(names_of<FakeAdaptiveLimit>(registry) == Names{"a", "c"});
  permit.reset();
  (void)registry.get<FakeAdaptiveLimit>("d");  // c is used later, but has found nothing
  CHECK(names_of<FakeAdaptiveLimit>(registry) == Names{"a", "d"});
}

TEST_CASE("M3 W10 a registry reports the events of its adaptive limits", "[M3][W10]") {
  FakeClock clock;
  Policies registry{{}, clock};
  std::vector<std::string> seen;
  const auto existing = registry.get<FakeAdaptiveLimit>("existing", {.initial = 1, .min_samples = 1});
  {
    const Subscription subscription =
        registry.on_event<FakeAdaptiveLimit>([&](const AdaptiveLimitEvent& event) {
          seen.push_back(event.name + ' ' + std::string{to_string(event.kind)});
        });
    const auto later = registry.get<FakeAdaptiveLimit>("later", {.initial = 4, .min_samples = 1});
    for (FakeAdaptiveLimit* const limit : {existing.get(), later.get()}) {
      Permit permit = limit->try_acquire();
      if (limit->stats().in_use == limit->stats().limit) (void)limit->try_acquire();
      clock.advance(1s);
      permit.success();
    }
  }
  (void)existing->try_acquire();
  CHECK(seen == Names{"existing saturated", "existing free", "later limit_changed"});
}

TEST_CASE("M1 M2 M3 each rule of an adaptive limit is a kind, and their stats and events are of one family",
          "[M1][M2][M3]") {
  Policies registry{{}, FakeClock{}};
  std::vector<std::string> seen;
  const Subscription subscription = registry.on_event([&](const AdaptiveLimitEvent& event) {
    seen.push_back(event.name + ' ' + std::string{to_string(event.kind)});
  });
  const auto saturate = [&]<class Rule>(const char* name, const Rule& rule) {
    const auto limit = registry.get<AdaptiveLimit<Rule, FakeClock>>(name, rule);
    CHECK(limit->rule() == rule);
    CHECK(registry.get<AdaptiveLimit<Rule, FakeClock>>(name, Rule{}) == limit);
    CHECK(registry.config_conflicts<AdaptiveLimit<Rule, FakeClock>>() == 1);
    std::vector<Permit> permits;
    while (seen.empty()) permits.push_back(limit->try_acquire());
    CHECK(std::exchange(seen, {}) == Names{std::string{name} + " saturated"});
    for (Permit& permit : permits) permit.ignore();
    CHECK(std::exchange(seen, {}) == Names{std::string{name} + " free"});
  };
  saturate("same", Measured{.initial = 1});
  saturate("same", Vegas{.initial = 2});
  saturate("same", Gradient2{.initial = 3, .min = 1});
  saturate("alone", Aimd{.initial = 4, .min = 1});

  std::map<std::string, int> limits;
  for (const auto& [name, stats] : detail::adaptive_limit_stats(registry)) limits[name] = stats.limit;
  CHECK(limits == std::map<std::string, int>{{"alone", 4}, {"same", 1}, {"same (2)", 3}, {"same (3)", 2}});
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

TEST_CASE("M1 a throttle that rejects calls is evicted after others", "[M1]") {
  FakeClock clock;
  Policies registry{{.max_per_kind = 2}, clock};
  {
    const auto failing = registry.get<FakeThrottle>("failing", {.minimum_calls = 1});
    failing->try_acquire().failure();
  }
  (void)registry.get<FakeThrottle>("free");
  (void)registry.get<FakeThrottle>("c");
  CHECK(names_of<FakeThrottle>(registry) == Names{"c", "failing"});
  clock.advance(2min);  // it has forgotten the failure
  (void)registry.get<FakeThrottle>("d");
  CHECK(names_of<FakeThrottle>(registry) == Names{"c", "d"});
}

TEST_CASE("M3 V9 a registry reports the edges of its throttles", "[M3][V9]") {
  Policies registry{{}, FakeClock{}};
  std::vector<std::string> events;
  const auto existing = registry.get<FakeThrottle>("existing", {.minimum_calls = 1});
  {
    const Subscription subscription = registry.on_event<FakeThrottle>([&](const ThrottleEvent& event) {
      events.push_back(event.name + " " + std::string{to_string(event.kind)});
    });
    const auto later = registry.get<FakeThrottle>("later", {.minimum_calls = 1});
    for (FakeThrottle* const throttle : {existing.get(), later.get()}) {
      throttle->try_acquire().failure();
      (void)throttle->try_acquire();
    }
  }
  CHECK(events == Names{"existing throttling", "later throttling"});
  existing->clock().advance(1h);
  (void)existing->try_acquire();
  CHECK(events.size() == 2);
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
