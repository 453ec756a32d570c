// support/breaker_fixture.hpp: a fake clock, a breaker on it, and the state changes that it reported.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>

#include "support/breaker_states.hpp"
#include "support/changes.hpp"

namespace support {

/// Use it as an object or as the fixture of a TEST_CASE_METHOD.
struct BreakerFixture {
  explicit BreakerFixture(const fusebox::CircuitBreakerConfig& config = {}, const std::string& name = "b")
      : breaker{name, config, clock} {}

  fusebox::test::FakeClock clock;
  Breaker breaker;
  Changes changes;
  fusebox::Subscription subscription = record(breaker, changes);
};

}  // namespace support
