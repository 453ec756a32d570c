// fibers/probe_calls.hpp: the breaker of these tests, and calls that say whether they were admitted.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <string>

#include "support/breaker_states.hpp"

namespace fibers {

inline constexpr fusebox::CircuitBreakerConfig one_probe{
    .failure_threshold = 1, .success_threshold = 1, .reset_timeout = std::chrono::seconds{10}};

inline constexpr auto rejected = [] { return std::string{"rejected"}; };
inline constexpr auto admitted = [] { return std::string{"admitted"}; };

/// "admitted" or "rejected", by execute.
inline std::string call(support::Breaker& breaker) { return breaker.execute(admitted, rejected); }

/// A probe with a nested call, on this thread.
inline std::string recover(support::Breaker& breaker) {
  support::trip_and_wait(breaker);
  return breaker.execute([&] { return call(breaker); }, rejected);
}

}  // namespace fibers
