#include <fusebox/circuit_breaker/state.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("B21 the names of the states", "[B21]") {
  STATIC_REQUIRE(to_string(State::closed) == "closed");
  STATIC_REQUIRE(to_string(State::open) == "open");
  STATIC_REQUIRE(to_string(State::half_open) == "half-open");
  STATIC_REQUIRE(to_string(State::forced_open) == "forced-open");
  STATIC_REQUIRE(to_string(State::disabled) == "disabled");
  STATIC_REQUIRE(to_string(static_cast<State>(99)) == "unknown");
}

TEST_CASE("B14 the reason of a change is named as its enumerator", "[B14]") {
  STATIC_REQUIRE(to_string(StateChangeReason::failure_threshold) == "failure_threshold");
  STATIC_REQUIRE(to_string(StateChangeReason::failure_rate) == "failure_rate");
  STATIC_REQUIRE(to_string(StateChangeReason::slow_calls) == "slow_calls");
  STATIC_REQUIRE(to_string(StateChangeReason::probe_admitted) == "probe_admitted");
  STATIC_REQUIRE(to_string(StateChangeReason::probe_failed) == "probe_failed");
  STATIC_REQUIRE(to_string(StateChangeReason::probes_succeeded) == "probes_succeeded");
  STATIC_REQUIRE(to_string(StateChangeReason::forced) == "forced");
  STATIC_REQUIRE(to_string(StateChangeReason::disabled) == "disabled");
  STATIC_REQUIRE(to_string(StateChangeReason::reset) == "reset");
  STATIC_REQUIRE(to_string(static_cast<StateChangeReason>(99)) == "unknown");
}
