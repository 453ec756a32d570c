// support/policy_registry.hpp: a registry of every kind of policy on a fake clock.
#pragma once

#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>
#include <vector>

namespace support {

using FakeClock = fusebox::test::FakeClock;
using Policies = fusebox::PolicyRegistry<FakeClock>;
using FakeBreaker = fusebox::CircuitBreaker<FakeClock>;
using FakeBulkhead = fusebox::Bulkhead<FakeClock>;
using FakeAdaptiveLimit = fusebox::AdaptiveLimit<fusebox::Measured, FakeClock>;
using FakeLimiter = fusebox::RateLimiter<FakeClock>;
using FakeThrottle = fusebox::Throttle<FakeClock>;
using FakeBudget = fusebox::RetryBudget<FakeClock>;
using FakeChaos = fusebox::Chaos<FakeClock>;

/// The registered policies of a kind.
template <class P>
std::vector<std::string> names_of(const Policies& registry) {
  std::vector<std::string> names;
  for (const auto& [name, stats] : registry.stats<P>()) names.push_back(name);
  return names;
}

}  // namespace support
