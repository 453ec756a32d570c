#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/registry/named_configs.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using NamedConfigs = detail::NamedConfigs<CircuitBreakerConfig>;

namespace {

/// A config that a number tells from others.
CircuitBreakerConfig numbered(int number) { return {.failure_threshold = number}; }

/// The number of the config that a name gets; -1 for none.
int number_of(const NamedConfigs& configs, std::string_view name) {
  const CircuitBreakerConfig* const config = configs.find(name);
  return config == nullptr ? -1 : config->failure_threshold;
}

}  // namespace

TEST_CASE("B19 a name has the config of its name, else that of its longest prefix", "[B19]") {
  NamedConfigs configs{"CircuitBreakerRegistry"};
  CHECK(configs.find("payments-eu") == nullptr);
  int number = 0;
  for (const char* pattern :
       {"payments-*", "payments-eu-*", "payments-eu", "pay*", "orders", "payments-eu-1-*"})
    configs.set(pattern, numbered(++number));

  for (const auto& [name, expected] : std::vector<std::pair<std::string, int>>{
           {"payments-", 1},
           {"payments-us", 1},
           {"payments-eu", 3},
           {"payments-eu-", 2},
           {"payments-eu-2", 2},
           {"payments-eu-1-", 6},
           {"payments-eu-1-x", 6},
           {"payments-eu-1", 2},
           {"payments", 4},
           {"pay", 4},
           {"pa", -1},
           {"orders", 5},
           {"orders-", -1},
           {"order", -1},
           {"Payments-us", -1},
           {"a", -1},
           {"z", -1},
           {"payments-\xff", 1},
           {"payments-*", 1},
           {"pay\x01", 4},
       }) {
    CAPTURE(name);
    CHECK(number_of(configs, name) == expected);
  }
}

TEST_CASE("B19 a star alone is every name, after every other prefix", "[B19]") {
  NamedConfigs configs{"CircuitBreakerRegistry"};
  configs.set("*", numbered(1));
  configs.set("a*", numbered(2));
  CHECK(number_of(configs, "b") == 1);
  CHECK(number_of(configs, "*") == 1);
  CHECK(number_of(configs, "a") == 2);
  CHECK(number_of(configs, "ab") == 2);
}

TEST_CASE("B19 a zero byte does not end a prefix or a name", "[B19]") {
  const std::string nul(1, '\0');
  NamedConfigs configs{"CircuitBreakerRegistry"};
  configs.set("a*", numbered(1));
  configs.set("b" + nul + "*", numbered(2));
  CHECK(number_of(configs, "a" + nul) == 1);
  CHECK(number_of(configs, "a" + nul + "b") == 1);
  CHECK(number_of(configs, "b" + nul + "c") == 2);
  CHECK(number_of(configs, "bc") == -1);
}

TEST_CASE("B19 an equal pattern is replaced, and a name is another pattern than a prefix", "[B19]") {
  NamedConfigs configs{"CircuitBreakerRegistry"};
  configs.set("a*", numbered(1));
  configs.set("a", numbered(2));
  configs.set("a*", numbered(3));
  CHECK(number_of(configs, "a") == 2);
  CHECK(number_of(configs, "ab") == 3);
}

TEST_CASE("B19 whatever the patterns, a name gets what a search through all of them finds", "[B19]") {
  std::minstd_rand random{11};
  const auto text = [&](std::size_t longest) {
    std::string made(random() % (longest + 1), 'a');
    for (char& c : made) c = "ab\xff"[random() % 3];
    return made;
  };
  for (int round = 0; round < 300; ++round) {
    NamedConfigs configs{"CircuitBreakerRegistry"};
    std::vector<std::string> prefixes;
    for (int i = 0; i < 8; ++i) {
      prefixes.push_back(text(5));
      configs.set(prefixes.back() + "*", numbered(static_cast<int>(prefixes.back().size())));
    }
    for (int i = 0; i < 20; ++i) {
      const std::string name = text(7);
      int longest = -1;
      for (const auto& prefix : prefixes) {
        if (name.starts_with(prefix)) longest = std::max(longest, static_cast<int>(prefix.size()));
      }
      CAPTURE(name, prefixes);
      REQUIRE(number_of(configs, name) == longest);
    }
  }
}

TEST_CASE("B19 C2 a pattern that is neither a name nor a prefix is refused by name, and changes nothing",
          "[B19][C2]") {
  NamedConfigs configs{"CircuitBreakerRegistry"};
  configs.set("a*", numbered(1));
  for (const std::string pattern : {"", "*a", "a*b", "a**", "**", "*a*"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(configs.set(pattern, numbered(2)), std::invalid_argument);
    CHECK_THROWS_WITH(
        configs.set(pattern, numbered(2)),
        "CircuitBreakerRegistry.configure pattern must be a name, or a prefix and one * at its end, "
        "got \"" +
            pattern + "\"");
  }
  CHECK(number_of(configs, "ab") == 1);
  CHECK(number_of(configs, "b") == -1);
}
