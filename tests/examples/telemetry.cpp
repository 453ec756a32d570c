// H80 H81: the bridge to OpenTelemetry's names, examples/support/telemetry.hpp and docs/telemetry.md.
#include "support/telemetry.hpp"

#include <fusebox/test/fake_clock.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Attributes = std::map<std::string, std::string>;

template <class Event>
Attributes attributes_of(const Event& event) {
  Attributes found;
  telemetry::describe(event, [&](std::string_view name, auto value) {
    if constexpr (std::is_same_v<decltype(value), std::string_view>) {
      found[std::string{name}] = value;
    } else {
      found[std::string{name}] = fmt::format("{}", value);
    }
  });
  return found;
}

}  // namespace

TEST_CASE("H80 H81 a call says its policy, outcome, duration, status and the type of its error",
          "[H80][H81]") {
  const test::FakeClock clock;
  CircuitBreaker breaker{"payments", {.failure_threshold = 4}, clock};
  std::vector<Attributes> calls;
  const Subscription subscription =
      breaker.on_call([&](const CallEvent& event) { calls.push_back(attributes_of(event)); });
  const auto fail = [&](const Failure& failure) {
    auto permit = breaker.try_acquire();
    clock.advance(1500ms);
    permit.report(failure);
  };
  breaker.execute([&] { clock.advance(250ms); });
  fail(Failure::from_status(503));
  fail(Failure{std::error_code{111, std::generic_category()}});
  fail(Failure::from_exception(std::make_exception_ptr(42)));
  CHECK(calls == std::vector<Attributes>{
                     {{"fusebox.policy.name", "payments"},
                      {"fusebox.call.outcome", "success"},
                      {"fusebox.call.duration", "0.25"}},
                     {{"fusebox.policy.name", "payments"},
                      {"fusebox.call.outcome", "failure"},
                      {"fusebox.call.duration", "1.5"},
                      {"error.type", "503"},
                      {"http.response.status_code", "503"}},
                     {{"fusebox.policy.name", "payments"},
                      {"fusebox.call.outcome", "failure"},
                      {"fusebox.call.duration", "1.5"},
                      {"error.type", "generic.111"}},
                     {{"fusebox.policy.name", "payments"},
                      {"fusebox.call.outcome", "failure"},
                      {"fusebox.call.duration", "1.5"},
                      {"error.type", "_OTHER"}},
                 });
}

TEST_CASE("H80 a rejection by a policy inside has no status of an answer", "[H80]") {
  const auto breaker = std::make_shared<CircuitBreaker<>>("inner");
  breaker->force_open();
  std::vector<Attributes> attempts;
  auto outer = retry({.max_retries = 0});
  const Subscription subscription =
      outer.on_call([&](const CallEvent& event) { attempts.push_back(attributes_of(event)); });
  CHECK_THROWS(compose(outer, breaker).execute([] {}));
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].count("http.response.status_code") == 0);
  CHECK(attempts[0]["error.type"].find("policy") != std::string::npos);
}

TEST_CASE("H80 a change of state says from where to where, and why", "[H80]") {
  CircuitBreaker breaker{"payments", {.failure_threshold = 1}};
  std::vector<Attributes> changes;
  const Subscription subscription =
      breaker.on_state_change([&](const StateChange& change) { changes.push_back(attributes_of(change)); });
  breaker.try_acquire().report(Failure::from_status(502));
  CHECK(changes == std::vector<Attributes>{{{"fusebox.policy.name", "payments"},
                                            {"fusebox.circuit_breaker.state", "open"},
                                            {"fusebox.circuit_breaker.previous_state", "closed"},
                                            {"fusebox.circuit_breaker.reason", "failure_threshold"},
                                            {"error.type", "502"}}});
}

TEST_CASE("H80 an attempt says how often the request was sent before", "[H80]") {
  std::vector<Attributes> attempts;
  const auto call = compose(retry({.max_retries = 2, .base_delay = 0ms}));
  CHECK_THROWS(call.execute([&](const Call& one) {
    attempts.push_back(attributes_of(one));
    throw ApiError{ErrorCode::service_unavailable};
  }));
  CHECK(attempts == std::vector<Attributes>{
                        {}, {{"http.request.resend_count", "1"}}, {{"http.request.resend_count", "2"}}});
}
