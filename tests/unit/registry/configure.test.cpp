// B19 as users of a registry see it: configs by name and prefix, and a registry's own config, changed live.
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/registry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::brittle;
using support::fail;
using support::Names;
using support::names_in;
using support::Registry;

namespace {
constexpr CircuitBreakerConfig patient{.failure_threshold = 50, .reset_timeout = 5s};
constexpr CircuitBreakerConfig other{.failure_threshold = 7};
}  // namespace

TEST_CASE("B19 configure() sets the config of breakers made later, by name or prefix", "[B19]") {
  Registry registry{{.default_config = other}};
  registry.configure("payments-*", brittle);
  registry.configure("payments-eu", patient);
  CHECK(registry.get("payments-us")->config() == brittle);
  CHECK(registry.get("payments-eu")->config() == patient);
  CHECK(registry.get("payments")->config() == other);
  CHECK(registry.size() == 3);

  fail(*registry.get("payments-us"));
  CHECK(registry.get("payments-us")->state() == State::open);
}

TEST_CASE("B19 a breaker that exists keeps its config", "[B19]") {
  Registry registry;
  const auto made_before = registry.get("payments-us");
  registry.configure("payments-*", brittle);
  CHECK(registry.get("payments-us") == made_before);
  CHECK(made_before->config() == CircuitBreakerConfig{});
  registry.configure("payments-*", patient);
  CHECK(registry.get("payments-eu")->config() == patient);
  registry.configure("payments-*", other);
  CHECK(registry.get("payments-eu")->config() == patient);
  registry.remove("payments-eu");
  CHECK(registry.get("payments-eu")->config() == other);
  CHECK(registry.config_conflicts() == 0);
}

TEST_CASE("B19 an evicted name comes back with the present config", "[B19]") {
  Registry registry{{.max_breakers = 1}};
  registry.configure("a", brittle);
  CHECK(registry.get("a")->config() == brittle);
  registry.configure("a", patient);
  (void)registry.get("b");
  CHECK(registry.get("a")->config() == patient);
}

TEST_CASE("B19 a breaker that is not registered has the config of its name, too", "[B19]") {
  Registry registry{{.max_breakers = 1}};
  registry.configure("b*", brittle);
  const auto held = registry.get("a");
  CHECK(registry.get("b")->config() == brittle);
  CHECK(registry.unregistered() == 1);
}

TEST_CASE("B19 G1 a config given to get() wins, and conflicts count as ever", "[B19][G1]") {
  Registry registry;
  registry.configure("payments-*", brittle);
  CHECK(registry.get("payments-us", patient)->config() == patient);
  CHECK(registry.get("payments-us")->config() == patient);
  CHECK(registry.config_conflicts() == 0);

  CHECK(registry.get("payments-eu")->config() == brittle);
  CHECK(registry.get("payments-eu", brittle)->config() == brittle);
  CHECK(registry.config_conflicts() == 0);
  CHECK(registry.get("payments-eu", patient)->config() == brittle);
  CHECK(registry.config_conflicts() == 1);
}

TEST_CASE("B19 C2 a refused config or pattern changes nothing", "[B19][C2]") {
  Registry registry;
  registry.configure("a*", brittle);
  CHECK_THROWS_AS(registry.configure("a*", {.success_threshold = 0}), std::invalid_argument);
  CHECK_THROWS_WITH(registry.configure("a*", {.success_threshold = 0}),
                    "CircuitBreakerConfig.success_threshold must be in [1, 65535], got 0");
  CHECK_THROWS_AS(registry.configure("a*b", patient), std::invalid_argument);
  CHECK(registry.get("a")->config() == brittle);
  CHECK(registry.get("a*b")->config() == brittle);
  CHECK(registry.size() == 2);
}

TEST_CASE("B19 the config of a registry may be replaced: the bound, and the default of what is made later",
          "[B19]") {
  Registry registry{{.max_breakers = 2, .default_config = brittle}};
  const RegistryConfig& first = registry.config();
  registry.configure("named", patient);
  const auto a = registry.get("a");
  const auto b = registry.get("b");
  registry.configure({.max_breakers = 4, .default_config = other});
  CHECK(registry.config().max_breakers == 4);
  CHECK(registry.config().default_config == other);
  CHECK(first.max_breakers == 2);
  CHECK(first.default_config == brittle);

  CHECK(a->config() == brittle);
  CHECK(registry.get("a") == a);
  CHECK(registry.get("named")->config() == patient);
  const auto c = registry.get("c");
  CHECK(c->config() == other);
  CHECK(registry.unregistered() == 0);
  CHECK(names_in(registry) == Names{"a", "b", "c", "named"});
  (void)registry.get("d");
  CHECK(names_in(registry) == Names{"a", "b", "c", "d"});
}

TEST_CASE("B19 a lower bound holds from then on", "[B19]") {
  Registry registry{{.max_breakers = 9}};
  for (const char* name : {"a", "b"}) (void)registry.get(name);
  registry.configure({.max_breakers = 2});
  (void)registry.get("c");
  CHECK(names_in(registry) == Names{"b", "c"});
}

TEST_CASE("B19 C2 a registry's new config is refused as in the constructor, and if fewer breakers would fit",
          "[B19][C2]") {
  Registry registry{{.max_breakers = 5, .default_config = brittle}};
  for (const char* name : {"a", "b", "c"}) (void)registry.get(name);
  for (const auto& [config, text] : std::initializer_list<std::pair<RegistryConfig, const char*>>{
           {{.max_breakers = 0}, "RegistryConfig.max_breakers must be at least 1, got 0"},
           {{.default_config = {.reset_timeout = 0s}},
            "RegistryConfig.default_config.reset_timeout must be above 0, got 0s"},
           {{.max_breakers = 2, .default_config = other},
            "RegistryConfig.max_breakers must be at least 3, the number of registered breakers, got 2"},
       }) {
    CHECK_THROWS_AS(registry.configure(config), std::invalid_argument);
    CHECK_THROWS_WITH(registry.configure(config), text);
  }
  CHECK(registry.config().max_breakers == 5);
  CHECK(registry.get("d")->config() == brittle);
  registry.configure({.max_breakers = 4});
  CHECK(registry.config().max_breakers == 4);
}

TEST_CASE("B19 threads that configure and get at once see one config or the other, whole", "[B19]") {
  Registry registry{{.max_breakers = 30, .default_config = brittle}};
  registry.configure("x*", brittle);
  std::atomic<int> wrong{0};
  support::run_together(4, [&](int thread) {
    for (int i = 0; i < 500; ++i) {
      if (thread == 0) registry.configure("x*", i % 2 == 0 ? patient : brittle);
      if (thread == 1) {
        registry.configure({.max_breakers = 30 + i % 2, .default_config = i % 2 == 0 ? patient : brittle});
      }
      if (i % 10 == 0) registry.clear();
      const auto breaker = registry.get((i % 2 == 0 ? "x" : "y") + std::to_string(i % 11));
      if (breaker->config() != patient && breaker->config() != brittle) ++wrong;
      const RegistryConfig& config = registry.config();
      if (config.default_config != patient && config.default_config != brittle) ++wrong;
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("B19 reconfigure(name, config) puts a config in force for an existing breaker", "[B19]") {
  Registry registry{{.default_config = brittle}};
  const auto breaker = registry.get("a");
  CHECK(registry.reconfigure("a", patient));
  CHECK(breaker->config() == patient);
  CHECK(registry.get("a") == breaker);
  CHECK_FALSE(registry.reconfigure("b", patient));
  CHECK(registry.find("b") == nullptr);
  CHECK_THROWS_WITH(registry.reconfigure("a", {.reset_timeout = 0s}),
                    "CircuitBreakerConfig.reset_timeout must be above 0, got 0s");
  CHECK(breaker->config() == patient);
}

TEST_CASE("B19 G1 a config that the breaker had before a reconfiguration is no conflict", "[B19][G1]") {
  Registry registry;
  (void)registry.get("a", brittle);
  registry.reconfigure("a", patient);
  (void)registry.get("a", brittle);
  (void)registry.get("a", patient);
  CHECK(registry.config_conflicts() == 0);
  (void)registry.get("a", other);
  CHECK(registry.config_conflicts() == 1);
}
