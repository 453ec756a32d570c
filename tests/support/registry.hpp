// support/registry.hpp: a registry on a fake clock, and what is in it.
#pragma once

#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>
#include <vector>

#include "support/breaker_states.hpp"

namespace support {

using Registry = fusebox::CircuitBreakerRegistry<fusebox::test::FakeClock>;
using Names = std::vector<std::string>;

inline Names names_in(const Registry& registry) {
  Names names;
  for (const auto& [name, stats] : registry.stats()) names.push_back(name);
  return names;
}

}  // namespace support
