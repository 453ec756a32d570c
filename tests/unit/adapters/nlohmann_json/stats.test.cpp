#include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

template <class... Fields>
constexpr std::size_t count(const Fields&... /*fields*/) {
  return sizeof...(Fields);
}

// The number of fields of each stats type. One that gains a field does not compile here: add it to its table
// in detail/stats_members.hpp, and to `given` below.
std::size_t fields_of(const CircuitBreakerStats& stats) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = stats;
  return count(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
}
std::size_t fields_of(const BulkheadStats& stats) {
  const auto& [a, b, c, d, e, f, g] = stats;
  return count(a, b, c, d, e, f, g);
}
std::size_t fields_of(const AdaptiveLimitStats& stats) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = stats;
  return count(a, b, c, d, e, f, g, h, i, j, k, l);
}
std::size_t fields_of(const RateLimiterStats& stats) {
  const auto& [a, b, c] = stats;
  return count(a, b, c);
}
std::size_t fields_of(const ThrottleStats& stats) {
  const auto& [a, b, c, d, e, f] = stats;
  return count(a, b, c, d, e, f);
}
std::size_t fields_of(const RetryCountsStats& stats) {
  const auto& [a, b, c, d] = stats;
  return count(a, b, c, d);
}
std::size_t fields_of(const RetryBudgetStats& stats) {
  const auto& [a, b, c] = stats;
  return count(a, b, c);
}
std::size_t fields_of(const TimeoutStats& stats) {
  const auto& [a, b, c] = stats;
  return count(a, b, c);
}
std::size_t fields_of(const HedgeStats& stats) {
  const auto& [a, b, c, d, e] = stats;
  return count(a, b, c, d, e);
}
std::size_t fields_of(const CallDurationsStats& stats) {
  const auto& [a, b, c, d] = stats;
  return count(a, b, c, d);
}
std::size_t fields_of(const ChaosStats& stats) {
  const auto& [a, b, c, d] = stats;
  return count(a, b, c, d);
}
std::size_t fields_of(const RetryStats& stats) {
  const auto& [a, b, c, d] = stats;
  return count(a, b, c, d);
}
std::size_t fields_of(const CallRecorderStats& stats) {
  const auto& [a, b] = stats;
  return count(a, b);
}
std::size_t fields_of(const HealthReport& report) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = report;
  return count(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
}

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
const std::chrono::system_clock::time_point noon =
    std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

CircuitBreakerStats breaker_stats() {
  CircuitBreakerStats stats;
  stats.state = State::half_open;
  stats.failure_count = 1;
  stats.success_count = most;
  stats.ignored_count = 3;
  stats.rejected_count = 4;
  stats.slow_count = 5;
  stats.opened_count = 6;
  stats.consecutive_failures = 7;
  stats.failure_rate = 2.0 / 3;
  stats.window_calls = 9;
  stats.window_failures = 10;
  stats.window_slow_calls = 11;
  stats.in_flight = 12;
  stats.last_failure_time = noon;
  stats.last_success_time = noon + 1ms;
  stats.last_failure = Failure::from_status(503, 2s);
  stats.retry_after = 14ms;
  return stats;
}

/// Stats whose fields all differ from their defaults and from each other; durations are whole milliseconds.
HealthReport report() {
  HealthReport report{.timestamp = noon,
                      .circuit_breakers = {{"payments", breaker_stats()}, {"a \"b\"", {}}},
                      .summary = {.total = 2, .open = 0, .half_open = 1, .closed = 1}};
  report.bulkheads["b"] = {
      .in_use = 1, .waiting = 2, .limit = 3, .admitted = 4, .rejected = 5, .longest_wait = 6ms, .shed = 7};
  report.adaptive_limits["l"] = {.limit = 1,
                                 .in_use = 2,
                                 .waiting = 3,
                                 .admitted = 4,
                                 .rejected = 5,
                                 .shed = 6,
                                 .longest_wait = 7ms,
                                 .windows = 8,
                                 .dropped = 9,
                                 .latency = 10ms,
                                 .base_latency = 11ms,
                                 .measuring = true};
  report.rate_limiters["r"] = {.admitted = 1, .rejected = 2, .waited = 3};
  report.throttles["t"] = {.requests = 1,
                           .accepts = 2,
                           .rejection_ratio = 0.3,
                           .rejected = 4,
                           .total_requests = 5,
                           .total_accepts = 6};
  report.retries["r"] = {.calls = 1, .succeeded = 2, .failed = 3, .ignored = 4};
  report.retry_budgets["b"] = {.balance = 1.5, .withdrawn = 2, .refused = 3};
  report.retry_throttles["t"] = {.balance = 2.5, .withdrawn = 3, .refused = 4};
  report.timeouts["t"] = {.calls = 1, .timed_out = 2, .late = 3};
  report.hedges["h"] = {.started = 1, .won_by_primary = 2, .won_by_hedge = 3, .calls = 4, .refused = 5};
  report.call_durations["d"] = {.bounds = {1us, 2s}, .counts = {1, 2, 3}, .count = 6, .sum = 4ms};
  report.chaos["c"] = {.calls = 1, .faults = 2, .delays = 3, .enabled = true};
  return report;
}

template <class Stats>
void check_reads_back(const Stats& given) {
  const ordered_json written = given;
  CAPTURE(written.dump());
  CHECK(written.size() == fields_of(given));
  CHECK(ordered_json(written.template get<Stats>()).dump() == written.dump());
  CHECK(json(json(given).template get<Stats>()) == json(given));
  const ordered_json defaults = Stats{};
  for (const auto& [name, value] : written.items()) {
    CAPTURE(name);
    if (defaults.contains(name)) CHECK(value != defaults[name]);
    // Alone, it changes itself alone.
    ordered_json changed = defaults;
    changed[name] = value;
    CHECK(json(json{{name, value}}.template get<Stats>()) == json(changed));
  }
}

template <class Stats>
std::string error_of(const char* text, const char* path = "") {
  try {
    Stats stats;
    from_json(json::parse(text), stats, path);
    return "no error";
  } catch (const JsonError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("H47 stats have what a health document has, and all their fields", "[H47]") {
  const HealthReport given = report();
  const json document = json::parse(to_json(given));
  int kinds = 0;
  const auto check = [&](const char* kind, const auto& by_name) {
    CAPTURE(kind);
    ++kinds;
    const auto& [name, stats] = *by_name.rbegin();
    check_reads_back(stats);
    for (const auto& [member, value] : document[kind][name].items()) {
      CAPTURE(member);
      CHECK(json(stats)[member] == value);
    }
  };
  check("circuitBreakers", given.circuit_breakers);
  check("bulkheads", given.bulkheads);
  check("adaptiveLimits", given.adaptive_limits);
  check("rateLimiters", given.rate_limiters);
  check("throttles", given.throttles);
  check("retries", given.retries);
  check("retryBudgets", given.retry_budgets);
  check("retryThrottles", given.retry_throttles);
  check("timeouts", given.timeouts);
  check("hedges", given.hedges);
  check("callDurations", given.call_durations);
  check("chaos", given.chaos);
  CHECK(document.size() == static_cast<std::size_t>(kinds) + 2);

  check_reads_back(CallRecorderStats{.recorded = 2, .dropped = 1});
  check_reads_back(RetryStats{.attempts = 2,
                              .total_delay = 3ms,
                              .errors = {Failure::from_status(503), Failure{PolicyErrc::timed_out}},
                              .stop_reason = StopReason::retries_exhausted});
}

TEST_CASE("H47 durations are rounded up to milliseconds, what is absent is left out", "[H47]") {
  CircuitBreakerStats stats;
  stats.retry_after = 1ns;
  CHECK(json(stats)["retryAfterMs"] == 1);
  CHECK_FALSE(json(stats).contains("lastFailureTime"));
  CHECK_FALSE(json(stats).contains("inFlight"));
  stats.retry_after = std::chrono::nanoseconds::max();
  CHECK(json(stats).get<CircuitBreakerStats>().retry_after == stats.retry_after);
}

TEST_CASE("H47 unknown members are skipped, wrong types are errors with a path", "[H47]") {
  CHECK(error_of<TimeoutStats>(R"({"calls": 1, "new": {}})") == "no error");
  CHECK(error_of<TimeoutStats>(R"({"calls": -1})", "t") == "t.calls: is too small");
  CHECK(error_of<TimeoutStats>(R"({"calls": 1.5})") == "calls: must be a whole number");
  CHECK(error_of<TimeoutStats>("[]", "t") == "t: must be an object");
  CHECK(error_of<CircuitBreakerStats>(R"({"state": "ajar"})") ==
        "state: must be one of closed, open, half-open, forced-open, disabled");
  CHECK(error_of<CircuitBreakerStats>(R"({"retryAfterMs": 9223372036856})") == "retryAfterMs: is too large");
  CHECK(error_of<CircuitBreakerStats>(R"({"lastFailureTime": "soon"})")
            .starts_with("lastFailureTime: must be"));
  CHECK(error_of<CircuitBreakerStats>(R"({"lastFailure": {}})") ==
        "lastFailure: needs the member \"message\"");
  CHECK(error_of<RetryStats>(R"({"errors": [{"message": "m"}, 5]})") == "errors[1]: must be an object");
  CHECK(error_of<CallDurationsStats>(R"({"counts": [1, true]})") == "counts[1]: must be a whole number");
  TimeoutStats stats{.calls = 7};
  CHECK_THROWS_AS(from_json(json{{"calls", 8}, {"late", "x"}}, stats), JsonError);
  CHECK(stats.calls == 7);
}

TEST_CASE("H47 stats that are read again keep nothing of an earlier document", "[H47]") {
  CircuitBreakerStats stats = breaker_stats();
  from_json(json{{"state", "open"}}, stats);
  CHECK_FALSE(stats.last_failure.has_value());
  CircuitBreakerStats expected;
  expected.state = State::open;
  CHECK(json(stats) == json(expected));
}

TEST_CASE("H48 a report that is read again keeps nothing of an earlier document", "[H48]") {
  HealthReport read = report();
  CHECK_THROWS_AS(from_json(json{{"hedges", 5}}, read), JsonError);
  CHECK(to_json(read) == to_json(report()));
  HealthReport later;
  later.circuit_breakers["catalog"];
  from_json(json(later), read);
  CHECK(read.circuit_breakers.size() == 1);
  CHECK(read.bulkheads.empty());
}

TEST_CASE("H48 a health document is the library's own, and reads back", "[H48]") {
  const HealthReport given = report();
  CHECK(json(given).size() == fields_of(given));
  CHECK(json(given) == json::parse(to_json(given)));
  CHECK(ordered_json(given).dump() == to_json(given));
  const auto read = json(given).get<HealthReport>();
  CHECK(to_json(read) == to_json(given));
  CHECK(to_json(ordered_json(given).get<HealthReport>()) == to_json(given));
  CHECK(error_of<HealthReport>(R"({"circuitBreakers": {"p": {"state": 5}}})", "http://a/health") ==
        "http://a/health.circuitBreakers.p.state: must be a text");
  CHECK(error_of<HealthReport>(R"({"hedges": []})") == "hedges: must be an object");
  CHECK(error_of<HealthReport>(R"({"new kind": {}})") == "no error");
}

TEST_CASE("H48 enums are their names", "[H48]") {
  CHECK(json(State::half_open) == "half-open");
  CHECK(json("forced-open").get<State>() == State::forced_open);
  CHECK(json(ErrorCategory::network).get<ErrorCategory>() == ErrorCategory::network);
  CHECK(ordered_json(StopReason::cancelled).get<StopReason>() == StopReason::cancelled);
  CHECK(json(StateChangeReason::reset).get<StateChangeReason>() == StateChangeReason::reset);
  CHECK(json(Outcome::ignored) == "ignored");
  CHECK(json(ErrorCode::not_found) == 404);
  CHECK_THROWS_WITH(json("ajar").get<State>(),
                    "must be one of closed, open, half-open, forced-open, disabled");
  CHECK_THROWS_WITH(json(1).get<State>(), "must be a text");
  CHECK_THROWS_WITH(json("unknown").get<Jitter>(), Catch::StartsWith("must be one of none, "));
}
