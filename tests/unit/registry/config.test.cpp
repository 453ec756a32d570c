#include <fusebox/registry.hpp>
#include <fusebox/registry/config.hpp>

#include <limits>
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "support/registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Registry;

TEST_CASE(
    "C2 C3 validate names the wrong field of a RegistryConfig, and the constructor throws the same text",
    "[C2][C3]") {
  struct Row {
    RegistryConfig config;
    std::string text;
  };
  const Row rows[] = {
      {{.max_breakers = 0}, "RegistryConfig.max_breakers must be at least 1, got 0"},
      {{.max_breakers = -1}, "RegistryConfig.max_breakers must be at least 1, got -1"},
      {{.default_config = {.reset_timeout = 0s}},
       "RegistryConfig.default_config.reset_timeout must be above 0, got 0s"},
  };
  for (const auto& [config, text] : rows) {
    CHECK(validate(config) == text);
    CHECK_THROWS_AS(Registry(config), std::invalid_argument);
    CHECK_THROWS_WITH(Registry(config), text);
  }
}

TEST_CASE("C3 max_breakers may be any number from 1 up", "[C3]") {
  for (const int most : {1, 65'535, 65'536, std::numeric_limits<int>::max()}) {
    CHECK(validate(RegistryConfig{.max_breakers = most}).empty());
    Registry registry{{.max_breakers = most}};
    const auto breaker = registry.get("payments");
    CHECK(registry.find("payments") == breaker);
  }
  CHECK(validate(RegistryConfig{}).empty());
}
