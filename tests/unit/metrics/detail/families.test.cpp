#include <fusebox/metrics.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <map>
#include <set>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "support/policy_registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBudget;
using support::FakeBulkhead;
using support::FakeClock;
using support::FakeLimiter;
using support::FakeThrottle;
using support::Policies;

namespace {

/// The samples of a text, without HELP and TYPE.
std::set<std::string> samples_of(const std::string& text) {
  std::set<std::string> samples;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) CHECK(samples.insert(line).second);
  }
  return samples;
}

/// The type of each family, by its name.
std::map<std::string, std::string> types_of(const std::string& text) {
  std::map<std::string, std::string> types;
  std::istringstream lines{text};
  for (std::string hash, what, name, rest; lines >> hash >> what >> name && std::getline(lines, rest);) {
    if (hash == "#" && what == "TYPE") types[name] = rest.substr(1);
  }
  return types;
}

}  // namespace

TEST_CASE("M2 each number of a bulkhead is a sample", "[M2]") {
  using Stats = std::map<std::string, BulkheadStats>;
  const auto text = detail::to_prometheus(Stats{{"a",
                                                 {.in_use = 1,
                                                  .waiting = 2,
                                                  .limit = 3,
                                                  .admitted = 4,
                                                  .rejected = 5,
                                                  .longest_wait = 6s,
                                                  .shed = 7}}});
  CHECK(samples_of(text) ==
        std::set<std::string>{
            R"(fusebox_bulkhead_in_use{name="a"} 1)", R"(fusebox_bulkhead_waiting{name="a"} 2)",
            R"(fusebox_bulkhead_limit{name="a"} 3)", R"(fusebox_bulkhead_admitted_total{name="a"} 4)",
            R"(fusebox_bulkhead_rejected_total{name="a"} 5)", R"(fusebox_bulkhead_shed_total{name="a"} 7)"});
}

TEST_CASE("M2 X8 each number of chaos is a sample", "[M2][X8]") {
  using Stats = std::map<std::string, ChaosStats>;
  const auto text =
      detail::to_prometheus(Stats{{"a", {.calls = 1, .faults = 2, .delays = 3, .enabled = true}}, {"b", {}}});
  CHECK(samples_of(text) ==
        std::set<std::string>{
            R"(fusebox_chaos_enabled{name="a"} 1)", R"(fusebox_chaos_enabled{name="b"} 0)",
            R"(fusebox_chaos_calls_total{name="a"} 1)", R"(fusebox_chaos_calls_total{name="b"} 0)",
            R"(fusebox_chaos_faults_total{name="a"} 2)", R"(fusebox_chaos_faults_total{name="b"} 0)",
            R"(fusebox_chaos_delays_total{name="a"} 3)", R"(fusebox_chaos_delays_total{name="b"} 0)"});
}

TEST_CASE("M2 each number of an adaptive limit is a sample", "[M2]") {
  using Stats = std::map<std::string, AdaptiveLimitStats>;
  const auto text = detail::to_prometheus(Stats{{"a",
                                                 {.limit = 3,
                                                  .in_use = 1,
                                                  .waiting = 2,
                                                  .admitted = 4,
                                                  .rejected = 5,
                                                  .shed = 7,
                                                  .dropped = 8,
                                                  .latency = 250ms,
                                                  .base_latency = 500ms}}});
  CHECK(samples_of(text) ==
        std::set<std::string>{R"(fusebox_adaptive_limit_in_use{name="a"} 1)",
                              R"(fusebox_adaptive_limit_waiting{name="a"} 2)",
                              R"(fusebox_adaptive_limit_limit{name="a"} 3)",
                              R"(fusebox_adaptive_limit_admitted_total{name="a"} 4)",
                              R"(fusebox_adaptive_limit_rejected_total{name="a"} 5)",
                              R"(fusebox_adaptive_limit_shed_total{name="a"} 7)",
                              R"(fusebox_adaptive_limit_dropped_total{name="a"} 8)",
                              R"(fusebox_adaptive_limit_latency_seconds{name="a"} 0.25)",
                              R"(fusebox_adaptive_limit_base_latency_seconds{name="a"} 0.5)"});
}

TEST_CASE("M2 each number of a limiter is a sample", "[M2]") {
  using Stats = std::map<std::string, RateLimiterStats>;
  const auto text = detail::to_prometheus(Stats{{"a", {.admitted = 1, .rejected = 2, .waited = 3}}});
  CHECK(samples_of(text) == std::set<std::string>{R"(fusebox_rate_limiter_admitted_total{name="a"} 1)",
                                                  R"(fusebox_rate_limiter_rejected_total{name="a"} 2)",
                                                  R"(fusebox_rate_limiter_waited_total{name="a"} 3)"});
}

TEST_CASE("M2 V8 each number of a throttle is a sample", "[M2][V8]") {
  using Stats = std::map<std::string, ThrottleStats>;
  const auto text = detail::to_prometheus(Stats{{"a",
                                                 {.requests = 1,
                                                  .accepts = 2,
                                                  .rejection_ratio = 0.25,
                                                  .rejected = 3,
                                                  .total_requests = 4,
                                                  .total_accepts = 5}}});
  CHECK(samples_of(text) == std::set<std::string>{R"(fusebox_throttle_requests_total{name="a"} 4)",
                                                  R"(fusebox_throttle_accepts_total{name="a"} 5)",
                                                  R"(fusebox_throttle_rejected_total{name="a"} 3)",
                                                  R"(fusebox_throttle_rejection_ratio{name="a"} 0.25)"});
}

TEST_CASE("M2 attempts have a label for how they ended", "[M2]") {
  using Stats = std::map<std::string, RetryCountsStats>;
  const auto text =
      detail::to_prometheus(Stats{{"a", {.calls = 9, .succeeded = 1, .failed = 2, .ignored = 3}}});
  CHECK(samples_of(text) ==
        std::set<std::string>{R"(fusebox_retry_attempts_total{name="a",outcome="success"} 1)",
                              R"(fusebox_retry_attempts_total{name="a",outcome="failure"} 2)",
                              R"(fusebox_retry_attempts_total{name="a",outcome="ignored"} 3)"});
}

TEST_CASE("M2 each number of a budget is a sample of its kind", "[M2]") {
  using Stats = std::map<std::string, RetryBudgetStats>;
  const auto text = detail::to_prometheus(Stats{{"a", {.balance = 0.5, .withdrawn = 2, .refused = 3}}},
                                          "retry_budget", "Help.");
  CHECK(samples_of(text) == std::set<std::string>{R"(fusebox_retry_budget_balance{name="a"} 0.5)",
                                                  R"(fusebox_retry_budget_withdrawn_total{name="a"} 2)",
                                                  R"(fusebox_retry_budget_refused_total{name="a"} 3)"});
}

TEST_CASE("M2 calls that timed out and late ones are samples", "[M2]") {
  using Stats = std::map<std::string, TimeoutStats>;
  const auto text = detail::to_prometheus(Stats{{"a", {.calls = 1, .timed_out = 2, .late = 3}}});
  CHECK(samples_of(text) == std::set<std::string>{R"(fusebox_timeout_timed_out_total{name="a"} 2)",
                                                  R"(fusebox_timeout_late_total{name="a"} 3)"});
}

TEST_CASE("M2 hedges, and which copy won, are samples", "[M2][J11]") {
  using Stats = std::map<std::string, HedgeStats>;
  const auto text = detail::to_prometheus(
      Stats{{"a", {.started = 1, .won_by_primary = 2, .won_by_hedge = 3, .calls = 4, .refused = 5}}});
  CHECK(samples_of(text) == std::set<std::string>{R"(fusebox_hedge_calls_total{name="a"} 4)",
                                                  R"(fusebox_hedge_started_total{name="a"} 1)",
                                                  R"(fusebox_hedge_won_by_primary_total{name="a"} 2)",
                                                  R"(fusebox_hedge_won_by_hedge_total{name="a"} 3)",
                                                  R"(fusebox_hedge_refused_total{name="a"} 5)"});
}

TEST_CASE("M2 a bucket of a histogram has all calls up to its bound, in seconds", "[M2]") {
  using Stats = std::map<std::string, CallDurationsStats>;
  const auto text = detail::to_prometheus(
      Stats{{"a", {.bounds = {5ms, 1s, 2500ms}, .counts = {1, 2, 0, 4}, .count = 7, .sum = 12'500ms}}});
  CHECK(samples_of(text) ==
        std::set<std::string>{R"(fusebox_pipeline_call_duration_seconds_bucket{name="a",le="0.005"} 1)",
                              R"(fusebox_pipeline_call_duration_seconds_bucket{name="a",le="1"} 3)",
                              R"(fusebox_pipeline_call_duration_seconds_bucket{name="a",le="2.5"} 3)",
                              R"(fusebox_pipeline_call_duration_seconds_bucket{name="a",le="+Inf"} 7)",
                              R"(fusebox_pipeline_call_duration_seconds_sum{name="a"} 12.5)",
                              R"(fusebox_pipeline_call_duration_seconds_count{name="a"} 7)"});
}

TEST_CASE("M2 a kind without a policy has no family, and each family has its type", "[M2]") {
  Policies registry{{}, FakeClock{}};
  CHECK(to_prometheus(registry) == to_prometheus(registry.circuit_breakers()));
  (void)registry.get<FakeBulkhead>("a");
  CHECK(types_of(to_prometheus(registry)).size() == 6 + 6);
  (void)registry.get<support::FakeAdaptiveLimit>("a");
  (void)registry.get<AdaptiveLimit<Vegas, FakeClock>>("a");
  CHECK(types_of(to_prometheus(registry)).size() == 6 + 6 + 9);
  CHECK(samples_of(to_prometheus(registry)).contains("fusebox_adaptive_limit_limit{name=\"a (2)\"} 20"));
  registry.remove<support::FakeAdaptiveLimit>("a");
  registry.remove<AdaptiveLimit<Vegas, FakeClock>>("a");
  (void)registry.get<FakeLimiter>("a");
  (void)registry.get<FakeThrottle>("a");
  (void)registry.get<RetryCounts>("a");
  (void)registry.get<FakeBudget>("a");
  (void)registry.get<RetryThrottle>("a");
  (void)registry.get<TimeoutCounts>("a");
  (void)registry.get<HedgeCounts>("a");
  (void)registry.get<CallDurations>("a");
  const auto types = types_of(to_prometheus(registry));
  CHECK(types.size() == 6 + 6 + 3 + 4 + 1 + 3 + 3 + 2 + 5 + 1);
  for (const char* gauge : {"bulkhead_in_use", "bulkhead_waiting", "bulkhead_limit", "retry_budget_balance",
                            "retry_throttle_balance", "throttle_rejection_ratio"}) {
    CAPTURE(gauge);
    CHECK(types.at("fusebox_" + std::string{gauge}) == "gauge");
  }
  for (const auto& [name, type] : types) {
    if (name.ends_with("_total")) CHECK(type == "counter");
  }
  CHECK(types.at("fusebox_pipeline_call_duration_seconds") == "histogram");
}
