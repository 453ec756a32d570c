// The process-wide registry: each test begins with an empty one, by a fake clock.
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::brittle;
using support::fail;

namespace {

struct EmptyRegistry {
  EmptyRegistry() { default_registry().clear(); }
  test::FakeClock clock;
  test::ScopedSystemClock guard{clock};
};

/// As code does that names its breaker where it calls.
int call_service(bool up) {
  return get_circuit_breaker("service", brittle)
      ->execute([&] { return up ? 1 : throw std::runtime_error{"down"}; }, [] { return 0; });
}

#if defined(__unix__) || defined(__APPLE__)

/// Made before main, so destroyed after everything that main and the tests made. In a child it runs
/// `last_words` then, and its answer is the exit code.
struct AtTheVeryEnd {
  bool (*last_words)() = nullptr;
  std::shared_ptr<CircuitBreaker<>> held = nullptr;
  ~AtTheVeryEnd() {
    if (last_words != nullptr) _exit(last_words() ? 0 : 1);
  }
};
AtTheVeryEnd at_the_very_end;

/// Ends a child process in the ordinary way, static destructors included. True if `last_words`, run in
/// the last of them, returned true.
bool holds_in_a_static_destructor(bool (*last_words)()) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    at_the_very_end.last_words = last_words;
    std::exit(2);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CAPTURE(status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif

const std::shared_ptr<CircuitBreaker<>> made_before_main = get_circuit_breaker("made-before-main");

}  // namespace

TEST_CASE("G4 the process-wide registry may be used before main", "[G4]") {
  REQUIRE(made_before_main != nullptr);
  CHECK(made_before_main->name() == "made-before-main");
  CHECK(made_before_main->execute([] { return 1; }) == 1);
}

TEST_CASE("G4 there is one default registry, with the default config and SystemClock", "[G4]") {
  static_assert(std::is_same_v<decltype(default_registry()), CircuitBreakerRegistry<SystemClock>&>);
  CHECK(&default_registry() == &default_registry());
  CHECK(default_registry().config().max_breakers == RegistryConfig{}.max_breakers);
  CHECK(default_registry().config().default_config == CircuitBreakerConfig{});
}

TEST_CASE("B19 G4 configure_default_registry after the first use is for breakers made later", "[B19][G4]") {
  const EmptyRegistry empty;
  const auto made_before = get_circuit_breaker("made before");
  CHECK_THROWS_WITH(configure_default_registry({.max_breakers = 0}),
                    "RegistryConfig.max_breakers must be at least 1, got 0");
  configure_default_registry({.max_breakers = 3, .default_config = brittle});
  CHECK(default_registry().config().max_breakers == 3);
  CHECK(get_circuit_breaker("made before") == made_before);
  CHECK(made_before->config() == CircuitBreakerConfig{});
  CHECK(get_circuit_breaker("made later")->config() == brittle);
  for (int i = 0; i < 10; ++i) (void)get_circuit_breaker(std::to_string(i));
  CHECK(default_registry().size() == 3);

  configure_default_registry({});
  CHECK(default_registry().config().default_config == CircuitBreakerConfig{});
  for (int i = 0; i < 10; ++i) (void)get_circuit_breaker(std::to_string(i));
  CHECK(default_registry().size() > 10);
}

TEST_CASE("G4 get_circuit_breaker gives the breaker of that name", "[G4]") {
  const EmptyRegistry empty;
  const std::shared_ptr<CircuitBreaker<>> payments = get_circuit_breaker("payments");
  CHECK(get_circuit_breaker("payments") == payments);
  CHECK(default_registry().find("payments") == payments);
  CHECK(payments->config() == CircuitBreakerConfig{});
  CHECK(get_circuit_breaker("orders") != payments);
  CHECK(default_registry().size() == 2);
}

TEST_CASE("G4 get_circuit_breaker takes a config that is written in place", "[G4]") {
  const EmptyRegistry empty;
  const auto breaker =
      get_circuit_breaker("payments", {.failure_threshold = 3, .success_threshold = 1, .reset_timeout = 30s});
  CHECK(breaker->config() ==
        CircuitBreakerConfig{.failure_threshold = 3, .success_threshold = 1, .reset_timeout = 30s});
  const auto conflicts = default_registry().config_conflicts();
  CHECK(get_circuit_breaker("payments", {.failure_threshold = 4}) == breaker);
  CHECK(get_circuit_breaker("payments") == breaker);
  CHECK(default_registry().config_conflicts() == conflicts + 1);
}

TEST_CASE("G4 get_circuit_breaker refuses a bad config and an empty name", "[G4]") {
  const EmptyRegistry empty;
  CHECK_THROWS_AS(get_circuit_breaker("payments", {.reset_timeout = 0s}), std::invalid_argument);
  CHECK_THROWS_WITH(get_circuit_breaker("payments", {.reset_timeout = 0s}),
                    "CircuitBreakerConfig.reset_timeout must be above 0, got 0s");
  CHECK_THROWS_AS(get_circuit_breaker(""), std::invalid_argument);
  CHECK(default_registry().size() == 0);
}

TEST_CASE("G4 T4 code that names its breaker in place is guarded, in a test by a fake clock", "[G4][T4]") {
  const EmptyRegistry empty;
  CHECK(call_service(true) == 1);
  CHECK(call_service(false) == 0);
  CHECK(call_service(true) == 0);  // open
  empty.clock.advance(10s - 1ns);
  CHECK(call_service(true) == 0);
  empty.clock.advance(1ns);
  CHECK(call_service(true) == 1);
  CHECK(get_circuit_breaker("service")->state() == State::half_open);
  CHECK(call_service(true) == 1);
  CHECK(get_circuit_breaker("service")->state() == State::closed);
}

TEST_CASE("G4 get_all_circuit_breaker_stats gives the stats by name", "[G4]") {
  const EmptyRegistry empty;
  CHECK(get_all_circuit_breaker_stats().empty());
  fail(*get_circuit_breaker("open", brittle));
  empty.clock.advance(4s);
  get_circuit_breaker("busy")->execute([] {});
  const std::map<std::string, CircuitBreakerStats> all = get_all_circuit_breaker_stats();
  REQUIRE(all.size() == 2);
  CHECK(all.at("open").state == State::open);
  CHECK(all.at("open").failure_count == 1);
  CHECK(all.at("open").retry_after == 6s);
  CHECK(all.at("open").last_failure_time == empty.clock.wall_now() - 4s);
  CHECK(all.at("busy").success_count == 1);
  CHECK(all.at("busy").last_success_time == empty.clock.wall_now());
  CHECK(all.at("busy").last_failure_time == std::nullopt);
}

TEST_CASE("G4 reset_circuit_breaker resets one", "[G4]") {
  const EmptyRegistry empty;
  fail(*get_circuit_breaker("a", brittle));
  fail(*get_circuit_breaker("b", brittle));
  CHECK(reset_circuit_breaker("a"));
  CHECK(get_circuit_breaker("a")->state() == State::closed);
  CHECK(get_circuit_breaker("a")->stats().failure_count == 0);
  CHECK(get_circuit_breaker("b")->state() == State::open);
  CHECK_FALSE(reset_circuit_breaker("unknown"));
  CHECK(default_registry().find("unknown") == nullptr);
}

TEST_CASE("G4 reset_all_circuit_breakers resets all", "[G4]") {
  const EmptyRegistry empty;
  fail(*get_circuit_breaker("open", brittle));
  get_circuit_breaker("forced")->force_open();
  get_circuit_breaker("disabled")->disable();
  reset_all_circuit_breakers();
  const auto all = get_all_circuit_breaker_stats();
  REQUIRE(all.size() == 3);
  for (const auto& [name, stats] : all) {
    CAPTURE(name);
    CHECK(stats.state == State::closed);
    CHECK(stats.failure_count == 0);
  }
}

TEST_CASE("G4 G6 the process-wide registry reports the changes of its breakers", "[G4][G6]") {
  const EmptyRegistry empty;
  std::vector<StateChange> changes;
  const auto subscription =
      default_registry().on_state_change([&](const StateChange& change) { changes.push_back(change); });
  empty.clock.advance(1s);
  fail(*get_circuit_breaker("payments", brittle));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].name == "payments");
  CHECK(changes[0].to == State::open);
  CHECK(changes[0].at == empty.clock.wall_now());
}

TEST_CASE("G4 threads get one breaker of the process-wide registry", "[G4]") {
  const EmptyRegistry empty;
  for (int round = 0; round < 20; ++round) {
    const std::string name = "payments-" + std::to_string(round);
    std::array<std::shared_ptr<CircuitBreaker<>>, 4> handles;
    support::run_together(4, [&](int i) {
      handles[static_cast<std::size_t>(i)] = get_circuit_breaker(name);
      (void)get_all_circuit_breaker_stats();
      (void)reset_circuit_breaker(name);
    });
    for (const auto& handle : handles) REQUIRE(handle == handles.front());
    REQUIRE(default_registry().size() == static_cast<std::size_t>(round + 1));
  }
}

#if defined(__unix__) || defined(__APPLE__)

TEST_CASE("G4 a static destructor may use breakers that it holds and breakers that it gets", "[G4]") {
  at_the_very_end.held = get_circuit_breaker("held");
  CHECK(holds_in_a_static_destructor([] {
    const auto breaker = get_circuit_breaker("held");
    return breaker == at_the_very_end.held && breaker->execute([] { return true; }) &&
           breaker->stats().success_count == 1;
  }));
  at_the_very_end.held.reset();
}

TEST_CASE("G4 a static destructor may make, trip, watch, reset and remove breakers", "[G4]") {
  CHECK(holds_in_a_static_destructor([] {
    int changes = 0;
    const auto subscription = default_registry().on_state_change([&](const StateChange&) { ++changes; });
    const auto breaker = get_circuit_breaker("made-at-the-end", brittle);
    fail(*breaker);
    if (breaker->state() != State::open || changes != 1) return false;
    reset_all_circuit_breakers();
    if (!reset_circuit_breaker("made-at-the-end") || changes != 2) return false;
    if (get_all_circuit_breaker_stats().at("made-at-the-end").state != State::closed) return false;
    return default_registry().remove("made-at-the-end");
  }));
}

TEST_CASE("G4 a static destructor may catch a rejection and read it", "[G4]") {
  CHECK(holds_in_a_static_destructor([] {
    const auto breaker = get_circuit_breaker("forced-at-the-end");
    breaker->force_open();
    try {
      breaker->execute([] {});
    } catch (const CircuitOpenError& error) {
      return error.name() == "forced-at-the-end" && error.reason() == PolicyErrc::circuit_open &&
             error.reason() == ErrorCategory::external_service && error.path().empty();
    }
    return false;
  }));
}

TEST_CASE("G4 a static destructor may catch the refusal of a config", "[G4]") {
  CHECK(holds_in_a_static_destructor([] {
    try {
      (void)get_circuit_breaker("refused", {.success_threshold = 0});
    } catch (const std::invalid_argument&) {
      return default_registry().find("refused") == nullptr;
    }
    return false;
  }));
}

#endif
