// Chaos without exceptions: faults that op's result carries, delays, events.
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <system_error>

#include "reduced/check.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {

void faults() {
  const FakeClock clock;
  CircuitBreaker<FakeClock> breaker{"b", {.failure_threshold = 2}, clock};
  auto injected = chaos({.fault_rate = 1}, clock);
  auto call = compose(breaker, injected);
  CHECK(!call.execute([] { return std::error_code{}; }));
  int events = 0;
  const Subscription subscription = injected.on_event([&](const ChaosEvent&) { ++events; });
  injected.enable(true);
  CHECK(call.execute([] { return std::error_code{}; }) == ErrorCode::service_unavailable);
  const auto failed = call.execute([] { return support::Expected<int, Failure>{1}; });
  CHECK(!failed.has_value());
  CHECK(failed.error().message() == "fault injected by chaos");
  CHECK(breaker.state() == State::open);
  CHECK(injected.stats().faults == 2);
  CHECK(events == 3);
}

void delays() {
  const FakeClock clock;
  auto injected = chaos({.latency_rate = 1, .latency = 2s}, clock);
  injected.enable(true);
  CHECK(!injected.execute([] { return std::error_code{}; }));
  CHECK(injected.execute([] { return std::error_code{}; }, Deadline::after(1s, clock)) ==
        PolicyErrc::timed_out);
  CHECK(clock.sleeps().size() == 2);
}

}  // namespace

int main() {
  faults();
  delays();
  return reduced::report();
}
