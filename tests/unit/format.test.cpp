#include <fusebox/format.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("H11 every public enum formats as its name", "[H11]") {
  CHECK(fmt::format("{}", ErrorCode::not_found) == "not_found");
  CHECK(fmt::format("{}", ErrorCategory::external_service) == "external_service");
  CHECK(fmt::format("{}", NetworkErrc::connection_reset) == "connection reset");
  CHECK(fmt::format("{}", PolicyErrc::circuit_open) == "circuit breaker is open");
  CHECK(fmt::format("{}", Outcome::ignored) == "ignored");
  CHECK(fmt::format("{}", Jitter::decorrelated) == "decorrelated");
  CHECK(fmt::format("{}", StopReason::retry_after_too_long) == "retry_after_too_long");
  CHECK(fmt::format("{}", State::half_open) == "half-open");
  CHECK(fmt::format("{}", StateChangeReason::probe_admitted) == "probe_admitted");
  CHECK(fmt::format("{}", BulkheadEventKind::limit_changed) == "limit_changed");
  CHECK(fmt::format("{}", ThrottleEventKind::throttling) == "throttling");
  CHECK(fmt::format("{}", AdaptiveLimitEventKind::free) == "free");
}

TEST_CASE("H11 width, fill and alignment work as for strings", "[H11]") {
  CHECK(fmt::format("{:>10}|{:*<9}|{:^8}", State::half_open, State::open, State::closed) ==
        " half-open|open*****| closed ");
}

TEST_CASE("E8 formatted names and messages show no control characters", "[E8]") {
  const std::string odd = "a\n\x1b";
  const std::string shown = "a\xEF\xBF\xBD\xEF\xBF\xBD";
  CHECK(fmt::format("{}", ApiError{ErrorCode::gone, odd}) == "410 not_found: " + shown);
  CHECK(fmt::format("{}", Failure{ApiError{ErrorCode::gone, odd}}) == shown);
  const StateChange change{odd, State::closed, State::open, {}, StateChangeReason::failure_rate};
  CHECK(fmt::format("{}", change).substr(0, shown.size() + 1) == shown + ":");
}

TEST_CASE("H11 values outside an enum format as unknown", "[H11]") {
  CHECK(fmt::format("{}", static_cast<State>(200)) == "unknown");
  CHECK(fmt::format("{}", static_cast<ErrorCode>(299)) == "unknown");
}

TEST_CASE("H11 errors format with status, category and message, derived ones too", "[H11]") {
  CHECK(fmt::format("{}", ApiError{ErrorCode::not_found, "no order 7"}) == "404 not_found: no order 7");
  CHECK(fmt::format("{}", CircuitOpenError{"payments", 3s}) ==
        "503 external_service: circuit breaker 'payments' is open");
  CHECK(fmt::format("{:>40}", TimeoutError{}).size() == 40);
}

TEST_CASE("H11 failures, changes and stats format as a line of text", "[H11]") {
  CHECK(fmt::format("{}", Failure{make_error_code(NetworkErrc::connection_refused)}) == "connection refused");
  CHECK(fmt::format(
            "{}", StateChange{"payments", State::closed, State::open, {}, StateChangeReason::failure_rate}) ==
        "payments: closed -> open (failure_rate)");
  CircuitBreakerStats stats;
  stats.failure_count = 2;
  stats.failure_rate = 0.25;
  CHECK(fmt::format("{}", stats) ==
        "closed, 2 failed, 0 succeeded, 0 ignored, 0 rejected, opened 0 times, failure rate 0.25");
  RetryStats retry;
  retry.attempts = 1;
  retry.total_delay = 1500ms;
  CHECK(fmt::format("{}", retry) == "succeeded after 1 attempt, 1500 ms of waiting");
  retry.attempts = 2;
  CHECK(fmt::format("{}", retry) == "succeeded after 2 attempts, 1500 ms of waiting");
}

TEST_CASE("H11 X6 X7 the events and stats of chaos format as a line of text", "[H11][X6][X7]") {
  CHECK(fmt::format("{}", ChaosEventKind::fault) == "fault");
  CHECK(fmt::format("{}", ChaosEvent{"payments", ChaosEventKind::delay, 300ms, {}}) ==
        "chaos 'payments': delay (300 ms)");
  CHECK(fmt::format("{}", ChaosEvent{"", ChaosEventKind::enabled, 0ms, {}}) == "chaos: enabled");
  CHECK(fmt::format("{}", ChaosStats{.calls = 9, .faults = 2, .delays = 3, .enabled = true}) ==
        "enabled, 9 calls, 2 faults, 3 delays");
  CHECK(fmt::format("{}", ChaosStats{}) == "off, 0 calls, 0 faults, 0 delays");
}

TEST_CASE("H11 W10 the events and stats of an adaptive limit format as a line of text", "[H11][W10]") {
  CHECK(fmt::format("{}", AdaptiveLimitEvent{"search", AdaptiveLimitEventKind::limit_changed, 42, 38, {}}) ==
        "search: limit_changed (limit 42)");
  CHECK(fmt::format("{}", AdaptiveLimitStats{.limit = 42,
                                             .in_use = 40,
                                             .waiting = 2,
                                             .admitted = 50,
                                             .rejected = 6,
                                             .latency = 120ms,
                                             .base_latency = 99'500us}) ==
        "40 of 42 in use, 2 waiting, 50 admitted, 6 rejected, latency 120 ms, base 99.5 ms");
}

TEST_CASE("H11 K10 the events and stats of a bulkhead format as a line of text", "[H11][K10]") {
  CHECK(fmt::format("{}", BulkheadEvent{"reports", BulkheadEventKind::saturated, 8, 8, {}}) ==
        "reports: saturated (limit 8)");
  CHECK(fmt::format("{}", BulkheadStats{3, 2, 8, 40, 5, 1s}) ==
        "3 of 8 in use, 2 waiting, 40 admitted, 5 rejected");
  CHECK(fmt::format("{}", BulkheadStats{.limit = 8, .rejected = 5, .shed = 2}) ==
        "0 of 8 in use, 0 waiting, 0 admitted, 5 rejected (2 shed)");
}

TEST_CASE("H11 V9 the events and stats of a throttle format as a line of text", "[H11][V9]") {
  CHECK(fmt::format("{}", ThrottleEvent{"search", ThrottleEventKind::free, {}}) == "search: free");
  CHECK(fmt::format("{}", HedgeEvent{"pages", HedgeEventKind::exhausted, {}}) == "hedge 'pages': exhausted");
  CHECK(fmt::format("{}", HedgeEvent{}) == "hedge: available");
  CHECK(fmt::format("{}", ThrottleStats{40, 10, 20.0 / 41, 5, 70, 30}) ==
        "40 requests, 10 accepted, rejects 0.49, 5 rejected so far");
}
