// support/changes.hpp: the state changes that a subscription saw.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <cstddef>
#include <vector>

namespace support {

using Changes = std::vector<fusebox::StateChange>;

/// Appends each change to `changes` while the subscription lives.
template <class C>
[[nodiscard]] fusebox::Subscription record(fusebox::CircuitBreaker<C>& breaker, Changes& changes) {
  return breaker.on_state_change(
      [&changes](const fusebox::StateChange& change) { changes.push_back(change); });
}

/// Each change goes on from where the one before it ended, and goes somewhere (B14).
inline bool is_chain(const Changes& changes) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].from == changes[i].to) return false;
    if (i > 0 && changes[i].from != changes[i - 1].to) return false;
  }
  return true;
}

}  // namespace support
