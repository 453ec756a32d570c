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
using support::FakeClock;
using support::FakeLimiter;
using support::Policies;

TEST_CASE("M2 each kind has a member with its stats by name", "[M2]") {
  HealthReport report;
  report.bulkheads["a"] = {
      .in_use = 1, .waiting = 2, .limit = 3, .admitted = 4, .rejected = 5, .longest_wait = 6ms + 1ns};
  report.rate_limiters["a"] = {.admitted = 1, .rejected = 2, .waited = 3};
  report.retries["a"] = {.calls = 1, .succeeded = 2, .failed = 3, .ignored = 4};
  report.retry_budgets["a"] = {.balance = 0.5, .withdrawn = 2, .refused = 3};
  report.retry_throttles["a"] = {.balance = 1.5, .withdrawn = 4, .refused = 5};
  report.timeouts["a"] = {.calls = 1, .timed_out = 2, .late = 3};
  report.timeouts["b\xff"] = {};
  report.call_durations["a"] = {.bounds = {1s}, .counts = {1, 2}, .count = 3, .sum = 4ms + 1ns};
  const auto document = json::parse(to_json(report));
  CHECK(document["bulkheads"] == json::parse(R"({"a": {"inUse": 1, "waiting": 2, "limit": 3, "admitted": 4,
      "rejected": 5, "longestWaitMs": 7}})"));
  CHECK(document["rateLimiters"] == json::parse(R"({"a": {"admitted": 1, "rejected": 2, "waited": 3}})"));
  CHECK(document["retries"] ==
        json::parse(R"({"a": {"calls": 1, "succeeded": 2, "failed": 3, "ignored": 4}})"));
  CHECK(document["retryBudgets"] == json::parse(R"({"a": {"balance": 0.5, "withdrawn": 2, "refused": 3}})"));
  CHECK(document["retryThrottles"] ==
        json::parse(R"({"a": {"balance": 1.5, "withdrawn": 4, "refused": 5}})"));
  CHECK(document["timeouts"]["a"] == json::parse(R"({"calls": 1, "timedOut": 2, "late": 3})"));
  CHECK(document["timeouts"].size() == 2);
  CHECK(document["callDurations"] == json::parse(R"({"a": {"count": 3, "sumMs": 5}})"));
}

TEST_CASE("M2 a kind without a policy has no member, and the summary is of the breakers", "[M2]") {
  Policies registry{{}, FakeClock{}};
  CHECK(to_json(health_report(registry)) == to_json(health_report(registry.circuit_breakers())));
  (void)registry.get<FakeBulkhead>("a");
  auto document = json::parse(to_json(health_report(registry)));
  CHECK(document.size() == 4);
  CHECK(document["bulkheads"]["a"]["limit"] == 25);
  CHECK(document["summary"]["total"] == 0);
  (void)registry.get<FakeLimiter>("a");
  (void)registry.get<FakeBudget>("b\xff");
  (void)registry.get<RetryThrottle>("a");
  (void)registry.get<RetryCounts>("a");
  (void)registry.get<TimeoutCounts>("a");
  (void)registry.get<CallDurations>("a");
  document = json::parse(to_json(health_report(registry)));
  CHECK(document.size() == 3 + 7);
  CHECK(document["retryBudgets"].contains("b\xef\xbf\xbd"));
}
