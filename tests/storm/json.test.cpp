#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "storm/json_reader.hpp"
#include "storm/random.hpp"
#include "storm/scenario_json.hpp"
#include "storm/scenarios.hpp"

using namespace std::chrono_literals;

namespace {

std::string policies(const std::string& list) { return R"({"name": "p", "policies": [)" + list + "]}"; }

std::string pipeline_error(const std::string& list) {
  try {
    (void)storm::parse_pipeline(policies(list));
    return "no error";
  } catch (const storm::JsonError& error) {
    return error.what();
  }
}

template <class Spec>
Spec one(const std::string& policy) {
  const auto pipeline = storm::parse_pipeline(policies(policy));
  REQUIRE(pipeline.policies.size() == 1);
  REQUIRE(std::holds_alternative<Spec>(pipeline.policies[0]));
  return std::get<Spec>(pipeline.policies[0]);
}

std::string scenario_error(const std::string& json) {
  try {
    (void)storm::parse_scenario(json, {{"p", "P", {}}});
    return "no error";
  } catch (const storm::JsonError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("S10 durations have units", "[S10]") {
  const auto parse = [](std::string_view text) { return storm::parse_duration(text, "x"); };
  CHECK(parse("250ms") == 250ms);
  CHECK(parse("30s") == 30s);
  CHECK(parse("2min") == 2min);
  CHECK(parse("1h") == 1h);
  CHECK(parse("7us") == 7us);
  CHECK(parse("9ns") == 9ns);
  CHECK(parse("0s") == 0s);
  CHECK(parse("1.5s") == 1500ms);
  CHECK(parse("0.000000001s") == 1ns);
  CHECK(parse("8784h") == 366 * 24h);
  for (const char* bad : {"", "5", "s", "-5s", "+5s", " 5s", "5 s", "5s ", "1e3s", ".5s", "5.s", "5.5.5s",
                          "5m", "8785h", "99999999999999999999s", "0.0000000001s", "0x5s", "infs", "nan"}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(parse(bad), Catch::Contains("x: must be a duration"));
  }
  for (const auto time : {0ns, 1ns, 250ms + 0ns, 1500ms + 0ns, 120s + 0ns, 3600s + 0ns}) {
    CAPTURE(time.count());
    CHECK(parse(storm::to_text(time)) == time);
  }
  CHECK(storm::to_text(90s) == "90s");
  CHECK(storm::to_text(120s) == "2min");
}

TEST_CASE("S10 policies have the names of fusebox's fields", "[S10]") {
  const auto retry = one<fusebox::RetryPart>(
      R"({"policy": "retry", "max_retries": 5, "base_delay": "200ms", "max_delay": "2s", "multiplier": 1.5,
          "jitter": "decorrelated", "jitter_factor": 0.5, "total_timeout": "9s", "honor_retry_after": false,
          "idempotent": false, "budget": {"ratio": 0.1, "min_per_second": 2, "capacity": 30, "reserve": 4}})");
  CHECK(retry.config == fusebox::RetryConfig{.max_retries = 5,
                                             .base_delay = 200ms,
                                             .max_delay = 2s,
                                             .multiplier = 1.5,
                                             .jitter = fusebox::Jitter::decorrelated,
                                             .jitter_factor = 0.5,
                                             .total_timeout = 9s,
                                             .honor_retry_after = false,
                                             .idempotent = false});
  CHECK(std::get<fusebox::RetryBudgetConfig>(retry.budget) ==
        fusebox::RetryBudgetConfig{.ratio = 0.1, .min_per_second = 2, .capacity = 30, .reserve = 4});
  CHECK(
      std::get<fusebox::RetryThrottleConfig>(
          one<fusebox::RetryPart>(R"({"policy": "retry", "throttle": {"max_tokens": 9, "token_ratio": 0.2}})")
              .budget) == fusebox::RetryThrottleConfig{.max_tokens = 9, .token_ratio = 0.2});
  CHECK(one<fusebox::RetryPart>(R"({"policy": "retry"})").config == fusebox::RetryConfig{});

  CHECK(one<fusebox::CircuitBreakerConfig>(
            R"({"policy": "breaker", "failure_threshold": 0, "success_threshold": 3, "reset_timeout": "4s",
                "half_open_max_calls": 5, "half_open_max_failures": 6, "probe_timeout": "7s",
                "reset_backoff": 1.25, "max_reset_timeout": "8min", "honor_retry_after": false,
                "recovery_time": "9s",
                "failure_rate": {"threshold": 0.25, "minimum_calls": 11, "window": {"within": "12s"}},
                "slow_calls": {"slower_than": "13s", "threshold": 0.75, "minimum_calls": 14,
                               "window": {"last_calls": 15}}})") ==
        fusebox::CircuitBreakerConfig{
            .failure_threshold = 0,
            .success_threshold = 3,
            .reset_timeout = 4s,
            .half_open_max_calls = 5,
            .half_open_max_failures = 6,
            .probe_timeout = 7s,
            .reset_backoff = 1.25,
            .max_reset_timeout = 8min,
            .honor_retry_after = false,
            .recovery_time = 9s,
            .failure_rate =
                fusebox::FailureRate{.threshold = 0.25, .minimum_calls = 11, .window = fusebox::within(12s)},
            .slow_calls = fusebox::SlowCalls{.slower_than = 13s,
                                             .threshold = 0.75,
                                             .minimum_calls = 14,
                                             .window = fusebox::last_calls(15)}});

  CHECK(one<fusebox::BulkheadConfig>(
            R"({"policy": "bulkhead", "max_concurrent": 3, "max_waiting": 4, "max_wait": "5s"})") ==
        fusebox::BulkheadConfig{.max_concurrent = 3, .max_waiting = 4, .max_wait = 5s});
  CHECK(one<fusebox::RateLimiterConfig>(
            R"({"policy": "rate_limiter", "permits": 3, "per": "2s", "burst": 4, "max_wait": "5s"})") ==
        fusebox::RateLimiterConfig{.permits = 3, .per = 2s, .burst = 4, .max_wait = 5s});
  const auto throttle = one<fusebox::ThrottleConfig>(
      R"({"policy": "throttle", "k": 1.5, "window": "3s", "max_rejection": 0.5, "minimum_calls": 4})");
  CHECK(throttle ==
        fusebox::ThrottleConfig{.k = 1.5, .window = 3s, .max_rejection = 0.5, .minimum_calls = 4});
  const auto hedge = one<fusebox::HedgePart>(
      R"({"policy": "hedge", "delay": "3s", "max_hedges": 2, "percentile": 0.95, "minimum_calls": 50,
          "budget": {"ratio": 0.05}})");
  CHECK(hedge.config ==
        fusebox::HedgeConfig{.delay = 3s, .max_hedges = 2, .percentile = 0.95, .minimum_calls = 50});
  CHECK(hedge.budget == fusebox::RetryBudgetConfig{.ratio = 0.05});
  const auto total = one<fusebox::TimeoutPart>(R"({"policy": "total_timeout", "limit": "3s"})");
  CHECK(total.kind == fusebox::TimeoutKind::total);
  CHECK(total.limit == 3s);
  CHECK(one<fusebox::TimeoutPart>(R"({"policy": "attempt_timeout", "limit": "1s"})").kind ==
        fusebox::TimeoutKind::attempt);
}

TEST_CASE("S10 standard_pipeline is five policies, with its defaults", "[S10]") {
  const auto parsed = storm::parse_pipeline(
      policies(R"({"policy": "standard_pipeline", "retry": {"max_retries": 2}, "attempt_timeout": "3s"})"));
  const fusebox::StandardPipelineConfig standard;
  REQUIRE(parsed.policies.size() == 5);
  CHECK(std::get<fusebox::BulkheadConfig>(parsed.policies[0]) == standard.bulkhead);
  CHECK(std::get<fusebox::TimeoutPart>(parsed.policies[1]).limit == 30s);
  auto retry = standard.retry;
  retry.max_retries = 2;
  CHECK(std::get<fusebox::RetryPart>(parsed.policies[2]).config == retry);
  CHECK(std::get<fusebox::CircuitBreakerConfig>(parsed.policies[3]) == standard.breaker);
  CHECK(std::get<fusebox::TimeoutPart>(parsed.policies[4]).limit == 3s);
  CHECK(pipeline_error(R"({"policy": "standard_pipeline", "attempt_timeout": "31s"})") ==
        "policies[0].attempt_timeout: must be at most total_timeout, got 31s");
}

TEST_CASE("S10 an error names its path", "[S10]") {
  CHECK(pipeline_error(R"({"policy": "retry", "base_delay": 5})") ==
        "policies[0].base_delay: must be a duration, such as \"250ms\", \"30s\" or \"2min\"");
  CHECK(pipeline_error(R"({"policy": "total_timeout", "limit": "1s"}, {"policy": "retry", "max_retrys": 3})")
            .starts_with("policies[1].max_retrys: unknown member; known ones are policy, budget"));
  CHECK(pipeline_error(R"({"policy": "retry", "max_retries": -1})") ==
        "policies[0].max_retries: must be in [0, 65535], got -1");
  CHECK(pipeline_error(R"({"policy": "retry", "max_retries": 1.5})") ==
        "policies[0].max_retries: must be a whole number");
  CHECK(pipeline_error(R"({"policy": "retry", "max_retries": 99999999999999999999})") ==
        "policies[0].max_retries: must be a whole number");
  CHECK(pipeline_error(R"({"policy": "retry", "max_retries": 4294967296})") ==
        "policies[0].max_retries: is too large");
  CHECK(pipeline_error(R"({"policy": "retry", "max_retries": -4294967296})") ==
        "policies[0].max_retries: is too small");
  CHECK(pipeline_error(R"({"policy": "retry", "jitter": "some"})") ==
        "policies[0].jitter: must be one of none, full, equal, decorrelated, proportional");
  CHECK(pipeline_error(R"({"policy": "retry", "jitter": 1})") == "policies[0].jitter: must be a text");
  CHECK(pipeline_error(R"({"policy": "retry", "idempotent": 1})") ==
        "policies[0].idempotent: must be true or false");
  CHECK(pipeline_error(R"({"policy": "retry", "multiplier": "2"})") ==
        "policies[0].multiplier: must be a number");
  CHECK(pipeline_error(R"({"policy": "retry", "budget": {"ratio": 2}})") ==
        "policies[0].budget.ratio: must be in [0, 1], got 2");
  CHECK(pipeline_error(R"({"policy": "retry", "budget": {}, "throttle": {}})") ==
        "policies[0].throttle: a retry has either a \"budget\" or a \"throttle\"");
  CHECK(pipeline_error(R"({"policy": "breaker", "failure_rate": {"window": {}}})") ==
        "policies[0].failure_rate.window: must have either \"last_calls\" or \"within\"");
  CHECK(pipeline_error(R"({"policy": "breaker", "failure_rate": {"threshold": 0}})") ==
        "policies[0].failure_rate.threshold: must be in (0, 1], got 0");
  CHECK(pipeline_error(R"({"policy": "attempt_timeout"})") == "policies[0]: needs the member \"limit\"");
  CHECK(pipeline_error(R"({"policy": "attempt_timeout", "limit": "0s"})") ==
        "policies[0].limit: must be above 0, got 0s");
  CHECK(pipeline_error("{}") == "policies[0]: needs the member \"policy\"");
  CHECK(pipeline_error("5") == "policies[0]: must be an object");
  CHECK(pipeline_error(R"({"policy": "fallback"})").starts_with("policies[0].policy: must be one of "));
}

TEST_CASE("S10 a scenario is read with all its members", "[S10]") {
  const auto scenario = storm::parse_scenario(R"({
    "name": "all", "title": "All of it", "description": "Text", "duration": "100s", "warm_up": "10s",
    "clients": {"count": 20, "instances": 3, "calls_per_minute": 1.5, "arrivals": "closed", "think_time": "4s",
                "timeout": "5s", "surges": [{"from": "1s", "to": "2s", "factor": 3}]},
    "dependencies": [{"name": "a", "capacity": 6, "queue": 7, "shards": 8,
      "service": {"kind": "constant", "median": "9ms", "p99_ratio": 2},
      "limit": {"per_second": 10.5, "retry_after": false}, "drops_abandoned": true,
      "disturbances": [
        {"kind": "outage", "from": "1s", "to": "2s", "hangs": true, "shard": 3},
        {"kind": "slow", "from": "3s", "to": "4s", "factor": 5},
        {"kind": "errors", "from": "5s", "to": "6s", "rate": 0.5, "status": 500, "retry_after": "7s"},
        {"kind": "capacity", "from": "8s", "to": "9s", "factor": 0.1}]}],
    "pipelines": [{"name": "x", "title": "X", "policies": []}, {"name": "y", "policies": []}]})",
                                              {});
  CHECK(scenario.name == "all");
  CHECK(scenario.title == "All of it");
  CHECK(scenario.description == "Text");
  CHECK(scenario.duration == 100s);
  CHECK(scenario.warm_up == 10s);
  CHECK(scenario.clients.count == 20);
  CHECK(scenario.clients.instances == 3);
  CHECK(scenario.clients.calls_per_minute == 1.5);
  CHECK(scenario.clients.arrivals == storm::Arrivals::closed);
  CHECK(scenario.clients.think_time == 4s);
  CHECK(scenario.clients.timeout == 5s);
  REQUIRE(scenario.clients.surges.size() == 1);
  CHECK(scenario.clients.surges[0].factor == 3);
  REQUIRE(scenario.dependencies.size() == 1);
  const storm::Dependency& a = scenario.dependencies[0];
  CHECK(a.name == "a");
  CHECK(a.capacity == 6);
  CHECK(a.queue == 7);
  CHECK(a.shards == 8);
  CHECK(a.service.kind == storm::ServiceTime::Kind::constant);
  CHECK(a.service.median == 9ms);
  CHECK(a.limit.per_second == 10.5);
  CHECK_FALSE(a.limit.retry_after);
  CHECK(a.drops_abandoned);
  REQUIRE(a.disturbances.size() == 4);
  CHECK(a.disturbances[0].hangs);
  CHECK(a.disturbances[0].shard == 3);
  CHECK(a.disturbances[1].factor == 5);
  CHECK(a.disturbances[2].rate == 0.5);
  CHECK(a.disturbances[2].status == 500);
  CHECK(a.disturbances[2].retry_after == storm::Duration{7s});
  CHECK(a.disturbances[3].kind == storm::Disturbance::Kind::capacity);
  REQUIRE(scenario.pipelines.size() == 2);
  CHECK(scenario.pipelines[0].title == "X");
  CHECK(scenario.pipelines[1].title == "y");
}

TEST_CASE("S10 an error of a scenario names its path", "[S10]") {
  const auto with = [](const std::string& members) {
    return scenario_error(R"({"name": "x", "dependencies": [{}])" + members + "}");
  };
  CHECK(with("") == "no error");
  CHECK(with(R"(, "pipelines": "default")") == "no error");
  CHECK(with(R"(, "pipelines": "other")") == "pipelines: must be a list, or \"default\"");
  CHECK(with(R"(, "pipelines": [])") == "pipelines: must have 1 to 100 pipelines");
  CHECK(with(R"(, "pipelines": [{"name": "a", "policies": []}, {"name": "a", "policies": []}])") ==
        "pipelines[1].name: is there already");
  CHECK(with(R"(, "pipelines": [{"name": "a", "policies": [{"policy": "retry", "max_delay": true}]}])")
            .starts_with("pipelines[0].policies[0].max_delay: must be a duration"));
  CHECK(with(R"(, "clients": {"count": 1})") == "clients.count must be in [10, 1000000], got 1");
  CHECK(with(R"(, "clients": [])") == "clients: must be an object");
  CHECK(with(R"(, "seed": 1)").starts_with("seed: unknown member"));
  CHECK(scenario_error(R"({"name": "x"})") == "needs the member \"dependencies\"");
  CHECK(scenario_error(R"({"name": "../x", "dependencies": [{}]})") ==
        "name: must be 1 to 64 of a-z, 0-9, _ and -");
  CHECK(scenario_error(R"({"name": "x", "dependencies": [{"disturbances": [
          {"kind": "outage", "from": "1s", "to": "2s", "factor": 2}]}]})")
            .starts_with("dependencies[0].disturbances[0].factor: unknown member"));
  CHECK(scenario_error(R"({"name": "x", "dependencies": [{"disturbances": [
          {"kind": "slow", "from": "1s", "to": "2s"}]}]})") ==
        "dependencies[0].disturbances[0]: needs the member \"factor\"");
}

TEST_CASE("S10 a disturbance begins before the end", "[S10]") {
  const std::string begin = R"({"name": "x", "duration": "60s", "dependencies": [{"disturbances": [
      {"kind": "outage", "from": ")";
  CHECK(scenario_error(begin + R"(60s", "to": "90s"}]}]})") ==
        "dependencies[0].disturbances[0].from must be before the end, which is at 60s, got 60s");
  CHECK(scenario_error(begin + R"(59s", "to": "90s"}]}]})") == "no error");
  CHECK(scenario_error(R"({"name": "x", "duration": "60s", "dependencies": [{}],
      "clients": {"surges": [{"from": "61s", "to": "90s", "factor": 2}]}})") ==
        "clients.surges[0].from must be before the end, which is at 60s, got 61s");
}

TEST_CASE("S10 surges that overlap make no more calls than can be simulated", "[S10]") {
  const std::string surge = R"({"from": "60s", "to": "90s", "factor": 1000})";
  const auto error_of = [&](const std::string& surges) {
    return scenario_error(R"({"name": "x", "dependencies": [{}], "clients": {"surges": [)" + surges + "]}}");
  };
  CHECK(error_of(surge) == "no error");
  CHECK(error_of(surge + "," + surge) ==
        "clients.surges[0].from: calls in a minute from then on must be in [0, 600000000], got 6000000000");
  std::string many = surge;
  for (int i = 0; i < 100; ++i) many += "," + surge;
  CHECK(error_of(many) == "clients.surges (their number) must be in [0, 100], got 101");
  std::string disturbances = R"({"kind": "slow", "factor": 2, "from": "1s", "to": "2s"})";
  for (int i = 0; i < 100; ++i)
    disturbances += R"(, {"kind": "slow", "factor": 2, "from": "1s", "to": "2s"})";
  CHECK(scenario_error(R"({"name": "x", "dependencies": [{"disturbances": [)" + disturbances + "]}]}") ==
        "dependencies[0].disturbances (their number) must be in [0, 100], got 101");
}

TEST_CASE("S10 a member that is there twice is refused", "[S10]") {
  CHECK(scenario_error(R"({"name": "x", "dependencies": [{"queue": 1, "queue": 2}]})") ==
        "dependencies[0].queue: is there twice");
  CHECK(scenario_error(R"({"name": "x", "dependencies": [{"queue": 1}, {"queue": 2}]})") == "no error");
}

TEST_CASE("S10 what is no JSON, or no scenario, is an error and nothing worse", "[S10]") {
  CHECK(scenario_error("").starts_with("this is no JSON"));
  CHECK(scenario_error("{\"name\": \"x\"").starts_with("this is no JSON"));
  CHECK(scenario_error("{\"name\": \"\xff\"}").starts_with("this is no JSON"));
  CHECK(scenario_error("[1e999]").starts_with("this is no JSON"));
  CHECK(scenario_error("null") == "must be an object");
  CHECK(scenario_error(std::string(2'000'000, ' ')) == "the document is larger than 1 MiB");
  CHECK(scenario_error(std::string(100'000, '[')) == "the document is nested too deeply");
  CHECK(scenario_error(R"({"name": "x", "a": )" + std::string(50, '[') + std::string(50, ']') + "}") ==
        "the document is nested too deeply");

  // A document that ships with it, with bytes of it changed.
  storm::Random random{11, 0};
  const auto shared = storm::parse_pipelines(storm::shipped_pipelines());
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto& shipped = storm::shipped_scenarios()[random.below(8)];
    std::string text{i % 2 == 0 ? shipped.json : storm::shipped_pipelines()};
    for (std::uint32_t n = 1 + random.below(4); n > 0; --n) {
      const auto at = random.below(static_cast<std::uint32_t>(text.size()));
      switch (random.below(3)) {
        case 0: text[at] = static_cast<char>(random.below(256)); break;
        case 1: text.erase(at, 1 + random.below(8)); break;
        default: text.insert(at, text.substr(random.below(at + 1), 1 + random.below(20))); break;
      }
    }
    try {
      if (i % 2 == 0) {
        (void)storm::parse_scenario(text, shared);
      } else {
        (void)storm::parse_pipelines(text);
      }
    } catch (const storm::JsonError&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}
