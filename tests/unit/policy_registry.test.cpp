#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/policy_registry.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBreaker;
using support::FakeBudget;
using support::FakeBulkhead;
using support::FakeChaos;
using support::FakeClock;
using support::FakeLimiter;
using support::names_of;
using support::Policies;
using Names = std::vector<std::string>;

namespace {

template <class P>
struct Kind {
  using type = P;
};

/// Calls check(Kind<P>) for every kind.
template <class Check>
void for_each_kind(Check check) {
  check(Kind<FakeBreaker>{});
  check(Kind<FakeBulkhead>{});
  check(Kind<support::FakeAdaptiveLimit>{});
  check(Kind<AdaptiveLimit<Aimd, FakeClock>>{});
  check(Kind<AdaptiveLimit<Gradient2, FakeClock>>{});
  check(Kind<AdaptiveLimit<Vegas, FakeClock>>{});
  check(Kind<FakeLimiter>{});
  check(Kind<support::FakeThrottle>{});
  check(Kind<FakeBudget>{});
  check(Kind<RetryThrottle>{});
  check(Kind<RetryCounts>{});
  check(Kind<TimeoutCounts>{});
  check(Kind<HedgeCounts>{});
  check(Kind<CallDurations>{});
  check(Kind<FakeChaos>{});
}

}  // namespace

TEST_CASE("M1 each kind has names of its own, and one name of a kind is one policy", "[M1]") {
  Policies registry{{}, FakeClock{}};
  for_each_kind([&]<class P>(Kind<P>) {
    CHECK(registry.template find<P>("a") == nullptr);
    CHECK(registry.template size<P>() == 0);
    const std::shared_ptr<P> first = registry.template get<P>("a");
    CHECK(first->name() == "a");
    CHECK(registry.template get<P>("a") == first);
    CHECK(registry.template find<P>("a") == first);
    CHECK(registry.template get<P>("b") != first);
    CHECK(names_of<P>(registry) == Names{"a", "b"});
  });
}

TEST_CASE("M1 a removed policy goes on, and its name is free", "[M1]") {
  Policies registry{{}, FakeClock{}};
  for_each_kind([&]<class P>(Kind<P>) {
    const auto old = registry.template get<P>("a");
    CHECK(registry.template remove<P>("a"));
    CHECK_FALSE(registry.template remove<P>("a"));
    CHECK(registry.template find<P>("a") == nullptr);
    CHECK(registry.template get<P>("a") != old);
    CHECK(old->name() == "a");
  });
  registry.clear();
  for_each_kind([&]<class P>(Kind<P>) { CHECK(registry.template size<P>() == 0); });
}

TEST_CASE("M1 a name must be neither empty nor too long", "[M1]") {
  Policies registry{{}, FakeClock{}};
  for_each_kind([&]<class P>(Kind<P>) {
    CHECK_THROWS_AS(registry.template get<P>(""), ConfigError);
    CHECK_THROWS_AS(registry.template get<P>(std::string(513, 'n')), ConfigError);
    CHECK(registry.template size<P>() == 0);
    CHECK_NOTHROW(registry.template get<P>(std::string(512, 'n')));
  });
  CHECK_THROWS_WITH(registry.get<FakeBudget>(""), "RetryBudget.name must not be empty, got \"\"");
  CHECK_THROWS_WITH(registry.get<RetryThrottle>(""), "RetryThrottle.name must not be empty, got \"\"");
}

TEST_CASE("M1 the first config wins, and a later one that differs is counted", "[M1]") {
  Policies registry{{}, FakeClock{}};
  CHECK(registry.get<FakeBulkhead>("a", {.max_concurrent = 3})->config().max_concurrent == 3);
  CHECK(registry.get<FakeBulkhead>("a", {.max_concurrent = 3})->config().max_concurrent == 3);
  CHECK(registry.get<FakeBulkhead>("a")->config().max_concurrent == 3);
  CHECK(registry.config_conflicts<FakeBulkhead>() == 0);
  CHECK(registry.get<FakeBulkhead>("a", {.max_concurrent = 4})->config().max_concurrent == 3);
  CHECK(registry.config_conflicts<FakeBulkhead>() == 1);

  (void)registry.get<FakeLimiter>("a", {.permits = 7});
  CHECK(registry.get<FakeLimiter>("a", {.permits = 8})->config().permits == 7);
  CHECK(registry.config_conflicts<FakeLimiter>() == 1);
  (void)registry.get<FakeBudget>("a", {.capacity = 7});
  CHECK(registry.get<FakeBudget>("a", {.capacity = 8})->config().capacity == 7);
  CHECK(registry.config_conflicts<FakeBudget>() == 1);
  (void)registry.get<RetryThrottle>("a", {.max_tokens = 7});
  CHECK(registry.get<RetryThrottle>("a", {.max_tokens = 8})->config().max_tokens == 7);
  CHECK(registry.config_conflicts<RetryThrottle>() == 1);
  (void)registry.get<CallDurations>("a", {.bounds = {1s}});
  CHECK(registry.get<CallDurations>("a", {.bounds = {2s}})->config().bounds.front() == 1s);
  CHECK(registry.config_conflicts<CallDurations>() == 1);
  (void)registry.get<FakeBreaker>("a", {.failure_threshold = 7});
  CHECK(registry.get<FakeBreaker>("a", {.failure_threshold = 8})->config().failure_threshold == 7);
  CHECK(registry.config_conflicts<FakeBreaker>() == 1);
  (void)registry.get<RetryCounts>("a");
  CHECK(registry.config_conflicts<RetryCounts>() == 0);
}

TEST_CASE("M1 a config that is refused is named, and makes nothing", "[M1]") {
  Policies registry{{}, FakeClock{}};
  CHECK_THROWS_WITH(registry.get<FakeBulkhead>("a", {.max_concurrent = 0}),
                    "BulkheadConfig.max_concurrent must be in [1, 65535], got 0");
  CHECK_THROWS_WITH(registry.get<FakeLimiter>("a", {.permits = 0}),
                    "RateLimiterConfig.permits must be at least 1, got 0");
  CHECK_THROWS_WITH(registry.get<FakeBudget>("a", {.ratio = 2}),
                    "RetryBudgetConfig.ratio must be in [0, 1], got 2");
  CHECK_THROWS_WITH(registry.get<RetryThrottle>("a", {.max_tokens = 0}),
                    "RetryThrottleConfig.max_tokens must be in [1, 65535], got 0");
  CHECK_THROWS_WITH(registry.get<CallDurations>("a", {.bounds = {0s}}),
                    "CallDurationsConfig.bounds must be above 0 and ascending, got 0s");
  CHECK_THROWS_WITH(registry.get<FakeBreaker>("a", {.success_threshold = 0}),
                    "CircuitBreakerConfig.success_threshold must be in [1, 65535], got 0");
  for_each_kind([&]<class P>(Kind<P>) { CHECK(registry.template size<P>() == 0); });
}

TEST_CASE("M1 configs by name and by prefix hold for their kind alone", "[M1][B19]") {
  Policies registry{{}, FakeClock{}};
  registry.configure<FakeBulkhead>("db-*", {.max_concurrent = 2});
  registry.configure<FakeBulkhead>("db-eu", {.max_concurrent = 3});
  registry.configure<FakeBreaker>("db-*", {.failure_threshold = 9});
  CHECK(registry.get<FakeBulkhead>("db-us")->config().max_concurrent == 2);
  CHECK(registry.get<FakeBulkhead>("db-eu")->config().max_concurrent == 3);
  CHECK(registry.get<FakeBulkhead>("other")->config() == BulkheadConfig{});
  CHECK(registry.get<FakeBulkhead>("db-x", {.max_concurrent = 5})->config().max_concurrent == 5);
  CHECK(registry.get<FakeLimiter>("db-eu")->config() == RateLimiterConfig{});
  CHECK(registry.circuit_breakers().get("db-eu")->config().failure_threshold == 9);
  CHECK_THROWS_WITH(
      registry.configure<FakeBulkhead>("*-db", {}),
      "PolicyRegistry.configure pattern must be a name, or a prefix and one * at its end, got \"*-db\"");
  CHECK_THROWS_AS(registry.configure<FakeBulkhead>("*", {.max_waiting = -1}), ConfigError);
}

TEST_CASE("M1 each kind has its own bound, which counts what does not fit", "[M1][G3]") {
  Policies registry{{.max_per_kind = 2}, FakeClock{}};
  for_each_kind([&]<class P>(Kind<P>) {
    const auto a = registry.template get<P>("a");
    const auto b = registry.template get<P>("b");
    const auto c = registry.template get<P>("c");  // the others are held
    CHECK(c != nullptr);
    CHECK(names_of<P>(registry) == Names{"a", "b"});
    CHECK(registry.template unregistered<P>() == 1);
    registry.template set_max<P>(3);
    CHECK(registry.template get<P>("d") != nullptr);
    CHECK(names_of<P>(registry) == Names{"a", "b", "d"});
    CHECK_THROWS_AS(registry.template set_max<P>(2), ConfigError);
    CHECK_THROWS_AS(registry.template set_max<P>(0), ConfigError);
  });
  CHECK_THROWS_WITH(
      registry.set_max<FakeBulkhead>(2),
      "PolicyRegistryConfig.max_per_kind must be at least 3, the number of registered policies, "
      "got 2");
}

TEST_CASE("M1 the least recently used policy that nobody holds is evicted", "[M1][G3]") {
  Policies registry{{.max_per_kind = 2}, FakeClock{}};
  for_each_kind([&]<class P>(Kind<P>) {
    for (const char* name : {"a", "b", "a", "c"}) (void)registry.template get<P>(name);
    CHECK(names_of<P>(registry) == Names{"a", "c"});
    CHECK(registry.template unregistered<P>() == 0);
  });
}

TEST_CASE("M1 every policy has the clock of its registry", "[M1]") {
  FakeClock clock;
  Policies registry{{}, clock};
  const auto limiter = registry.get<FakeLimiter>("a", {.permits = 1, .per = 1s});
  CHECK(limiter->try_acquire());
  CHECK_FALSE(limiter->try_acquire());
  clock.advance(1s);
  CHECK(limiter->try_acquire());
  CHECK(registry.clock().now() == clock.now());
}

TEST_CASE("M1 a registry takes its clock alone, or the breakers of another one", "[M1]") {
  FakeClock clock;
  clock.advance(3s);
  Policies alone{clock};
  CHECK(alone.clock().now() == clock.now());

  CircuitBreakerRegistry<FakeClock> breakers{{.max_breakers = 5}, clock};
  Policies around{breakers, {.max_per_kind = 1}};
  CHECK(around.get<FakeBreaker>("a") == breakers.get("a"));
  CHECK(around.clock().now() == clock.now());
  CHECK(&around.circuit_breakers() == &breakers);
  CHECK(breakers.config().max_breakers == 5);
  around.set_max<FakeBreaker>(7);
  CHECK(breakers.config().max_breakers == 7);
  CHECK(around.remove<FakeBreaker>("a"));
  CHECK(breakers.size() == 0);
}

TEST_CASE("M1 a bad bound is refused", "[M1]") {
  CHECK_THROWS_WITH((Policies{{.max_per_kind = 0}}),
                    "PolicyRegistryConfig.max_per_kind must be at least 1, got 0");
  CircuitBreakerRegistry<FakeClock> breakers;
  CHECK_THROWS_AS((Policies{breakers, {.max_per_kind = -1}}), ConfigError);
}

TEST_CASE("M1 G4 the process-wide registry has the breakers of default_registry()", "[M1][G4]") {
  PolicyRegistry<>& registry = default_policy_registry();
  CHECK(&registry == &default_policy_registry());
  CHECK(registry.get<CircuitBreaker<>>("M1 default") == get_circuit_breaker("M1 default"));
  CHECK(&registry.circuit_breakers() == &default_registry());
  const auto bulkhead = registry.get<Bulkhead<>>("M1 default");
  CHECK(registry.find<Bulkhead<>>("M1 default") == bulkhead);
}

TEST_CASE("X8 M1 an operator enables by name what a pipeline has", "[X8][M1]") {
  Policies registry{{}, FakeClock{}};
  const auto in_pipeline = registry.get<FakeChaos>("payments", {.fault_rate = 1});
  CHECK(in_pipeline->execute([] { return 1; }) == 1);
  registry.find<FakeChaos>("payments")->enable(true);
  CHECK_THROWS_AS(in_pipeline->execute([] { return 1; }), ApiError);
  CHECK(registry.stats<FakeChaos>()["payments"] == ChaosStats{.calls = 1, .faults = 1, .enabled = true});
  CHECK_THROWS_AS(registry.get<FakeChaos>("x", {.fault_rate = 2}), ConfigError);
  CHECK_THROWS_AS(registry.get<FakeChaos>(""), ConfigError);
}

TEST_CASE("X8 M1 chaos that is enabled is evicted last", "[X8][M1]") {
  Policies registry{{.max_per_kind = 2}, FakeClock{}};
  registry.get<FakeChaos>("enabled")->enable(true);
  (void)registry.get<FakeChaos>("off");
  (void)registry.get<FakeChaos>("new");
  CHECK(names_of<FakeChaos>(registry) == Names{"enabled", "new"});
}
