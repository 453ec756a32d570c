#include <fusebox/health.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;
using support::brittle;
using support::fail;
using support::Registry;

TEST_CASE("H6 the report of an empty registry is the guide's document", "[H6]") {
  Registry registry{{}, test::FakeClock{}};
  CHECK(to_json(health_report(registry)) ==
        R"({"timestamp":"2025-01-07T12:00:00.000Z","circuitBreakers":{},)"
        R"("summary":{"total":0,"open":0,"halfOpen":0,"closed":0,"status":"ok"}})");
}

TEST_CASE("H6 each breaker's stats stand under its name, and a time only if there is one", "[H6]") {
  test::FakeClock clock;
  Registry registry{{}, clock};
  const auto breaker = registry.get("service-name", {.failure_threshold = 3});
  support::succeed(*breaker);
  clock.advance(1500ms);
  fail(*breaker);
  (void)registry.get("untouched");
  const auto document = json::parse(to_json(health_report(registry)));
  const auto& stats = document["circuitBreakers"]["service-name"];
  CHECK(stats["state"] == "closed");
  CHECK(stats["failureCount"] == 1);
  CHECK(stats["lastSuccessTime"] == "2025-01-07T12:00:00.000Z");
  CHECK(stats["lastFailureTime"] == "2025-01-07T12:00:01.500Z");
  CHECK(document["timestamp"] == "2025-01-07T12:00:01.500Z");
  CHECK_FALSE(document["circuitBreakers"]["untouched"].contains("lastFailureTime"));
  CHECK_FALSE(document["circuitBreakers"]["untouched"].contains("lastSuccessTime"));
}

TEST_CASE("H6 each count stands under its own name", "[H6]") {
  HealthReport report;
  report.circuit_breakers["b"] = {.state = State::open,
                                  .failure_count = 1,
                                  .success_count = 2,
                                  .ignored_count = 3,
                                  .rejected_count = 4,
                                  .slow_count = 5,
                                  .opened_count = 6,
                                  .consecutive_failures = 7,
                                  .failure_rate = 0.25,
                                  .last_failure_time = std::nullopt,
                                  .last_success_time = std::nullopt,
                                  .retry_after = 8ms + 1ns};
  report.summary = {.total = 9, .open = 10, .half_open = 11, .closed = 12};
  const auto document = json::parse(to_json(report));
  CHECK(document["circuitBreakers"]["b"] == json::parse(R"({"state": "open", "failureCount": 1,
      "successCount": 2, "failureRate": 0.25, "ignoredCount": 3, "rejectedCount": 4, "slowCount": 5,
      "openedCount": 6, "consecutiveFailures": 7, "retryAfterMs": 9})"));
  CHECK(document["summary"] ==
        json::parse(R"({"total": 9, "open": 10, "halfOpen": 11, "closed": 12, "status": "degraded"})"));
}

TEST_CASE("H6 forced_open counts as open, disabled as closed", "[H6]") {
  test::FakeClock clock;
  Registry registry{{}, clock};
  registry.get("closed");
  registry.get("disabled")->disable();
  registry.get("forced")->force_open();
  fail(*registry.get("half", brittle));
  clock.advance(10s);
  const auto probe = registry.get("half")->try_acquire();
  fail(*registry.get("open", brittle));
  const auto report = health_report(registry);
  CHECK(report.summary.total == 5);
  CHECK(report.summary.open == 2);
  CHECK(report.summary.half_open == 1);
  CHECK(report.summary.closed == 2);
  const auto document = json::parse(to_json(report));
  CHECK(document["summary"] ==
        json::parse(R"({"total":5,"open":2,"halfOpen":1,"closed":2,"status":"degraded"})"));
  CHECK(document["circuitBreakers"]["half"]["state"] == "half-open");
  CHECK(document["circuitBreakers"]["forced"]["state"] == "forced-open");
  CHECK(document["circuitBreakers"]["open"]["retryAfterMs"] == 10'000);
}

TEST_CASE("H6 any name gives a valid document", "[H6]") {
  Registry registry{{}, test::FakeClock{}};
  for (const std::string name : {"\"", "\\", "\n\x01", "\xff\xfe", "a\xc3", "{}", "é"})
    (void)registry.get(name);
  const std::string text = to_json(health_report(registry));
  REQUIRE(json::accept(text));
  CHECK(json::parse(text)["summary"]["total"] == 7);
}

TEST_CASE("H6 without an argument the report is of the process-wide registry", "[H6]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  const auto breaker = get_circuit_breaker("H6 default");
  const auto report = health_report();
  CHECK(report.circuit_breakers.count("H6 default") == 1);
  CHECK(report.timestamp == clock.wall_now());
}

TEST_CASE("M2 without an argument the report has every kind of the process-wide registry", "[M2]") {
  const auto bulkhead = default_policy_registry().get<Bulkhead<>>("M2 default");
  CHECK(health_report().bulkheads.contains("M2 default"));
}

TEST_CASE("H6 names that become alike as valid UTF-8 stay apart", "[H6]") {
  Registry registry{{}, test::FakeClock{}};
  for (const char* name : {"a\xff", "a\xfe"}) (void)registry.get(name);
  const auto report = health_report(registry);
  CHECK(report.circuit_breakers.size() == 2);
  CHECK(report.circuit_breakers.contains("a\xef\xbf\xbd (2)"));
  CHECK(json::parse(to_json(report))["circuitBreakers"].size() == 2);
}

TEST_CASE("H6 H7 the status is ok while every breaker is closed, and degraded otherwise", "[H6][H7]") {
  for (const State state : support::all_states) {
    CAPTURE(to_string(state));
    Registry registry{{}, test::FakeClock{}};
    registry.get("closed");
    support::bring_to(*registry.get("b", brittle), state);
    const bool is_closed = state == State::closed || state == State::disabled;
    const auto report = health_report(registry);
    CHECK(report.summary.status() == (is_closed ? "ok" : "degraded"));
    CHECK(json::parse(to_json(report))["summary"]["status"] == report.summary.status());
    registry.reset_all();
    CHECK(health_report(registry).summary.status() == "ok");
  }
}

TEST_CASE("H7 no time in the health document changes while nothing happens", "[H7]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(1'234'567ns);
  Registry registry{{}, clock};
  support::succeed(*registry.get("b"));
  clock.advance(6ms);
  fail(*registry.get("b"));
  const auto document = [&] { return json::parse(to_json(health_report(registry))); };
  const auto first = document()["circuitBreakers"];
  for (int scrape = 0; scrape < 97; ++scrape) {
    clock.advance(15s + 1'700us);
    if (scrape % 10 == 9) clock.set_wall(clock.wall_now() + (scrape % 20 == 9 ? 1500ms : -700ms));
    CHECK(document()["circuitBreakers"] == first);
  }
}
