// What surrounds the policies, without exceptions: the registry, health, metrics, responses, Retry-After.
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reduced/check.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Registry = CircuitBreakerRegistry<test::FakeClock>;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

struct Response {};
HttpResponse written;
void write_response(Response&, const HttpResponse& response) { written = response; }

void registry() {
  Registry registry{{.max_breakers = 2}, test::FakeClock{}};
  std::vector<std::string> changed;
  const auto subscription =
      registry.on_state_change([&](const StateChange& change) { changed.push_back(change.name); });
  const auto payments = registry.get("payments", {.failure_threshold = 1});
  payments->try_acquire().failure();
  CHECK(changed == std::vector<std::string>{"payments"});
  CHECK(registry.get("payments") == payments);
  CHECK(registry.find("nobody") == nullptr);
  CHECK(registry.stats().at("payments").state == State::open);
  CHECK(registry.get("payments", {.failure_threshold = 9}) == payments);
  CHECK(registry.config_conflicts() == 1);
  CHECK(registry.get("b") && registry.get("c"));
  CHECK(registry.size() == 2);
  CHECK(registry.reset("payments"));
  CHECK(payments->state() == State::closed);

  CHECK(get_circuit_breaker("process")->try_acquire());
  CHECK(get_all_circuit_breaker_stats().contains("process"));
}

void documents() {
  Registry registry{{}, test::FakeClock{}};
  registry.get("a\"b", {.failure_threshold = 1})->try_acquire().failure();
  const std::string health = to_json(health_report(registry));
  CHECK(contains(health, R"("circuitBreakers":{"a\"b":{"state":"open","failureCount":1)"));
  CHECK(contains(health, R"("summary":{"total":1,"open":1,"halfOpen":0,"closed":0,"status":"degraded"})"));
  const std::string metrics = to_prometheus(registry);
  CHECK(contains(metrics, R"(fusebox_circuit_breaker_calls_total{name="a\"b",outcome="failure"} 1)"));
  CHECK(contains(metrics, R"(fusebox_circuit_breaker_state{name="a\"b",state="open"} 1)"));
  CHECK(fmt::format("{}", State::half_open) == "half-open");
}

void responses() {
  Response response;
  const ApiError error = ApiError{ErrorCode::validation_error, "Invalid request parameters"}.with_details(
      {{"email", "Invalid email format"}});
  send_api_error(response, error, {.request_id = "r-1", .path = "/users"});
  CHECK(written.status == 400);
  CHECK(contains(written.body, R"("details":{"email":"Invalid email format"})"));
  CHECK(contains(written.body, R"("requestId":"r-1","path":"/users")"));
  CHECK(contains(to_problem_json(error), R"("title":"Bad Request","status":400)"));
  send_rate_limit_error(response, 1500ms);
  CHECK(written.retry_after == 2s);
}

void http_fields() {
  const auto now = std::chrono::system_clock::time_point{1'736'251'200s};
  CHECK(http::parse_retry_after("120", now) == 120s);
  CHECK(http::parse_retry_after("Tue, 07 Jan 2025 12:00:30 GMT", now) == 30s);
  CHECK(!http::parse_retry_after("soon", now));
  CHECK(http::is_idempotent("PUT"));
  CHECK(!http::is_idempotent("POST"));
}

void errors() {
  CHECK(make_error_code(NetworkErrc::timed_out) == ErrorCategory::network);
  CHECK(std::make_error_code(std::errc::connection_refused) == ErrorCategory::network);
  CHECK(Failure{CancelledError{}}.is_cancellation());
  CHECK(Failure{make_error_code(PolicyErrc::circuit_open)}.is_rejection());
  CHECK(Failure::from_status(503, 5s).retry_after() == 5s);
  CHECK(Failure::from_status(404).exception() == nullptr);
  CHECK(validate(CircuitBreakerConfig{.failure_threshold = -1}) ==
        "CircuitBreakerConfig.failure_threshold must be in [0, 65535], got -1");
}

}  // namespace

int main() {
  registry();
  documents();
  responses();
  http_fields();
  errors();
  return reduced::report();
}
