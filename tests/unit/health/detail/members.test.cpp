#include <fusebox/health.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "support/policy_registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;
using support::FakeBudget;
using support::FakeBulkhead;
using support::FakeChaos;
using support::FakeClock;
using support::FakeLimiter;
using support::FakeThrottle;
using support::Policies;

TEST_CASE("M2 each kind has a member with its stats by name", "[M2]") {
  HealthReport report;
  report.bulkheads["a"] = {.in_use = 1,
                           .waiting = 2,
                           .limit = 3,
                           .admitted = 4,
                           .rejected = 5,
                           .longest_wait = 6ms + 1ns,
                           .shed = 8};
  report.adaptive_limits["a"] = {.limit = 3,
                                 .in_use = 1,
                                 .waiting = 2,
                                 .admitted = 4,
                                 .rejected = 5,
                                 .shed = 8,
                                 .longest_wait = 6ms + 1ns,
                                 .dropped = 9,
                                 .latency = 10ms + 1ns,
                                 .base_latency = 12ms};
  report.rate_limiters["a"] = {.admitted = 1, .rejected = 2, .waited = 3};
  report.throttles["a"] = {.requests = 1,
                           .accepts = 2,
                           .rejection_ratio = 0.5,
                           .rejected = 3,
                           .total_requests = 4,
                           .total_accepts = 5};
  report.retries["a"] = {.calls = 1, .succeeded = 2, .failed = 3, .ignored = 4};
  report.retry_budgets["a"] = {.balance = 0.5, .withdrawn = 2, .refused = 3};
  report.retry_throttles["a"] = {.balance = 1.5, .withdrawn = 4, .refused = 5};
  report.timeouts["a"] = {.calls = 1, .timed_out = 2, .late = 3};
  report.timeouts["b\xff"] = {};
  report.hedges["a"] = {.started = 1, .won_by_primary = 2, .won_by_hedge = 3, .calls = 4, .refused = 5};
  report.call_durations["a"] = {.bounds = {1s}, .counts = {1, 2}, .count = 3, .sum = 4ms + 1ns};
  report.chaos["a"] = {.calls = 1, .faults = 2, .delays = 3, .enabled = true};
  report.chaos["b"] = {};
  const auto document = json::parse(to_json(report));
  CHECK(document["bulkheads"] == json::parse(R"({"a": {"inUse": 1, "waiting": 2, "limit": 3, "admitted": 4,
      "rejected": 5, "shed": 8, "longestWaitMs": 7}})"));
  CHECK(document["adaptiveLimits"] ==
        json::parse(R"({"a": {"inUse": 1, "waiting": 2, "limit": 3, "admitted": 4,
      "rejected": 5, "shed": 8, "longestWaitMs": 7, "dropped": 9, "latencyMs": 11, "baseLatencyMs": 12}})"));
  CHECK(document["rateLimiters"] == json::parse(R"({"a": {"admitted": 1, "rejected": 2, "waited": 3}})"));
  CHECK(document["throttles"] == json::parse(R"({"a": {"requests": 1, "accepts": 2, "rejectionRatio": 0.5,
      "rejected": 3, "totalRequests": 4, "totalAccepts": 5}})"));
  CHECK(document["retries"] ==
        json::parse(R"({"a": {"calls": 1, "succeeded": 2, "failed": 3, "ignored": 4}})"));
  CHECK(document["retryBudgets"] == json::parse(R"({"a": {"balance": 0.5, "withdrawn": 2, "refused": 3}})"));
  CHECK(document["retryThrottles"] ==
        json::parse(R"({"a": {"balance": 1.5, "withdrawn": 4, "refused": 5}})"));
  CHECK(document["timeouts"]["a"] == json::parse(R"({"calls": 1, "timedOut": 2, "late": 3})"));
  CHECK(document["timeouts"].size() == 2);
  CHECK(document["hedges"] == json::parse(
                                  R"({"a": {"calls": 4, "started": 1, "wonByPrimary": 2, "wonByHedge": 3,
      "refused": 5}})"));
  CHECK(document["callDurations"] == json::parse(R"({"a": {"count": 3, "sumMs": 5}})"));
  CHECK(document["chaos"]["a"] == json::parse(R"({"enabled": true, "calls": 1, "faults": 2, "delays": 3})"));
  CHECK(document["chaos"]["b"]["enabled"] == false);
}

TEST_CASE("M2 a kind without a policy has no member, and the summary is of the breakers", "[M2]") {
  Policies registry{{}, FakeClock{}};
  CHECK(to_json(health_report(registry)) == to_json(health_report(registry.circuit_breakers())));
  (void)registry.get<FakeBulkhead>("a");
  auto document = json::parse(to_json(health_report(registry)));
  CHECK(document.size() == 4);
  CHECK(document["bulkheads"]["a"]["limit"] == 25);
  (void)registry.get<support::FakeAdaptiveLimit>("a");
  (void)registry.get<AdaptiveLimit<Vegas, FakeClock>>("a", {.initial = 7});
  document = json::parse(to_json(health_report(registry)));
  CHECK(document["adaptiveLimits"]["a"]["limit"] == 20);
  CHECK(document["adaptiveLimits"]["a (2)"]["limit"] == 7);
  CHECK(document["summary"]["total"] == 0);
  (void)registry.get<FakeLimiter>("a");
  (void)registry.get<FakeThrottle>("a");
  (void)registry.get<FakeBudget>("b\xff");
  (void)registry.get<RetryThrottle>("a");
  (void)registry.get<RetryCounts>("a");
  (void)registry.get<TimeoutCounts>("a");
  (void)registry.get<HedgeCounts>("a");
  (void)registry.get<CallDurations>("a");
  (void)registry.get<FakeChaos>("a");
  document = json::parse(to_json(health_report(registry)));
  CHECK(document.size() == 3 + 11);
  CHECK(document["retryBudgets"].contains("b\xef\xbf\xbd"));
}
