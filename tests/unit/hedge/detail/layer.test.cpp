#include <fusebox/circuit_breaker.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("P16 a hedge says what it does", "[P16]") {
  CircuitBreaker<> breaker{"b"};
  CHECK(explain(compose(hedge({.delay = 50ms, .max_hedges = 2}), attempt_timeout(1s))) ==
        "1. hedge: starts at most 2 more of each logical call, 50ms after the one before, or after its "
        "failure; the "
        "first success wins\n"
        "2. attempt timeout: limits each logical call to 1s, and stops an op that takes a stop token or a "
        "Call\n"
        "One logical call calls op at most 3 times and takes at most 1100ms, if op ends when its stop token "
        "or its "
        "Deadline says so.\n");
  const auto after_failure = explain(compose(hedge({.delay = no_timeout}), attempt_timeout(1s)));
  CHECK(after_failure.find("logical call, after a failure; the first") != std::string::npos);
  CHECK(after_failure.find("at most 2s") != std::string::npos);
  const auto measured = explain(compose(hedge({.percentile = 0.95}), attempt_timeout(1s)));
  CHECK(measured.find("a percentile of past calls after the one before") != std::string::npos);
  CHECK(measured.find("at most 2s") != std::string::npos);
}

TEST_CASE("P6 a late value inside a hedge is late to a breaker outside", "[P6][J1]") {
  const test::FakeClock clock;
  CircuitBreaker breaker{"b", {}, clock};
  auto call = compose(breaker, hedge({.delay = no_timeout}, clock), attempt_timeout(1s, clock));
  CHECK(call.execute([clock] {
    clock.advance(2s);
    return 1;
  }) == 1);
  CHECK(breaker.stats().failure_count == 1);
}

TEST_CASE("J11 a hedge in a pipeline counts its calls, and tells them", "[J11][M5]") {
  auto policy = hedge({.delay = 1h});
  int told = 0;
  const auto subscription = policy.on_call([&](const CallEvent& event) {
    CHECK(event.outcome == Outcome::success);
    ++told;
  });
  auto call = compose(policy);
  call.execute([] {});
  CHECK(call.try_execute([] { return 3; }).value() == 3);
  CHECK(policy.stats() == HedgeStats{.won_by_primary = 2, .calls = 2});
  CHECK(told == 2);
}
