// The process-wide registry of a program that configures it before its first use.
#include <fusebox/registry.hpp>
#include <fusebox/registry/default.hpp>

#include <memory>
#include <string>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::brittle;

namespace {

constexpr CircuitBreakerConfig patient{.failure_threshold = 50, .reset_timeout = 5s};

// Before main, so before every test: nobody has used the registry yet.
const bool configured = [] {
  configure_default_registry({.max_breakers = 4, .default_config = brittle});
  default_registry().configure("payments-*", patient);
  return true;
}();

}  // namespace

TEST_CASE("B19 G4 configure_default_registry sets the config of the process-wide registry", "[B19][G4]") {
  REQUIRE(configured);
  CHECK(default_registry().config().max_breakers == 4);
  CHECK(default_registry().config().default_config == brittle);
  CHECK(get_circuit_breaker("stock")->config() == brittle);
  CHECK(get_circuit_breaker("payments-eu")->config() == patient);
  CHECK(get_circuit_breaker("own", {.failure_threshold = 9})->config().failure_threshold == 9);
  for (int i = 0; i < 10; ++i) (void)get_circuit_breaker("host-" + std::to_string(i));
  CHECK(default_registry().size() == 4);
  CHECK(default_registry().unregistered() == 0);
}
