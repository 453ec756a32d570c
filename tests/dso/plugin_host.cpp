// G4: the process-wide registry of a program that loads modules with dlopen(RTLD_LOCAL).
//
// The program must export its symbols (-rdynamic, ENABLE_EXPORTS), or each module has a registry of its own.
#include "catch.hpp"
#include "module.hpp"

#include <fusebox/policy_registry.hpp>
#include <fusebox/registry.hpp>

#include <memory>
#include <string>

namespace {

/// M1: the policies of every kind that an unloaded module made go on working, and end.
void check_policies_work(const std::string& name) {
  auto& policies = fusebox::default_policy_registry();
  const auto bulkhead = policies.get<fusebox::Bulkhead<>>(name);
  CHECK(bulkhead->stats().rejected == 2);
  {
    const fusebox::Permit slot = bulkhead->try_acquire();
    CHECK_THROWS_AS(bulkhead->execute([] {}), fusebox::BulkheadFullError);
  }
  CHECK_THROWS_AS(policies.get<fusebox::RateLimiter<>>(name)->execute([] {}), fusebox::RateLimitedError);
  CHECK(policies.get<fusebox::RetryThrottle>(name)->stats().withdrawn == 1);
  CHECK(policies.get<fusebox::RetryCounts>(name)->stats().calls == 0);
  CHECK(policies.remove<fusebox::Bulkhead<>>(name));
  CHECK(policies.remove<fusebox::RateLimiter<>>(name));
  CHECK(policies.remove<fusebox::RetryThrottle>(name));
  CHECK(policies.remove<fusebox::RetryCounts>(name));
}

/// A breaker that an unloaded module made goes on working.
void check_survives_dlclose(Module (*load)(), const std::string& name) {
  {
    const auto module = load();
    CHECK(module->registry() == &fusebox::default_registry());
    CHECK(module->policies() == &fusebox::default_policy_registry());
    module->fail(name.c_str(), 2);
    module->fill(name.c_str());
  }
  check_policies_work(name);
  const auto breaker = fusebox::get_circuit_breaker(name);
  CHECK(breaker->stats().failure_count == 2);
  CHECK(breaker->execute([] { return 1; }) == 1);
  for (int i = 0; i < 5; ++i) {
    CHECK_THROWS_AS(breaker->execute([]() -> int { throw std::runtime_error{"down"}; }), std::runtime_error);
  }
  CHECK(breaker->state() == fusebox::State::open);
  CHECK_THROWS_AS(breaker->execute([] { return 1; }), fusebox::CircuitOpenError);
}

/// The last holder destroys it, even if that is the program.
void check_is_destroyed_after_dlclose(Module (*load)(), const std::string& name) {
  {
    load()->call(name.c_str());
  }
  std::weak_ptr<fusebox::CircuitBreaker<>> breaker = fusebox::get_circuit_breaker(name);
  fusebox::default_registry().remove(name);
  CHECK(breaker.expired());
}

/// A subscription that a module ended leaves nothing behind that needs the module's code.
void check_forgets_subscribers(Module (*load)(), const std::string& name) {
  {
    CHECK(load()->listen(name.c_str()) == 4);
  }
  int changes = 0;
  const auto count = [&changes](const fusebox::StateChange&) { ++changes; };
  const auto of_all = fusebox::default_registry().on_state_change(count);
  const auto of_one = fusebox::get_circuit_breaker(name)->on_state_change(count);
  fusebox::get_circuit_breaker(name)->force_open();
  CHECK(changes == 2);
}

void check_module(Module (*load)(), const std::string& name) {
  check_survives_dlclose(load, name);
  check_forgets_subscribers(load, name + "-listened");
  check_is_destroyed_after_dlclose(load, name + "-destroyed");

  const auto module = load();  // again
  CHECK(module->breaker(name.c_str()) == fusebox::get_circuit_breaker(name).get());
  CHECK(module->is_open(name.c_str()));
}

}  // namespace

TEST_CASE("G4 modules share the registry that the program made", "[G4][program_first]") {
  fusebox::get_circuit_breaker("first")->force_open();
  CHECK(load_module()->is_open("first"));
  CHECK(load_module_hidden()->is_open("first"));
  check_module(load_module, "module");
  check_module(load_module_hidden, "hidden-module");
}

TEST_CASE("G4 the program shares the registry that a module made", "[G4][module_first]") {
  check_module(load_module, "module");
  check_module(load_module_hidden, "hidden-module");
}

TEST_CASE("G4 the program shares the registry that a hidden module made", "[G4][hidden_module_first]") {
  check_module(load_module_hidden, "hidden-module");
  check_module(load_module, "module");
}

TEST_CASE("G4 a program that exports no symbols shares nothing with its modules", "[G4][unexported]") {
  const auto breaker = fusebox::get_circuit_breaker("mine");
  breaker->force_open();
  const auto module = load_module();
  CHECK(module->registry() != &fusebox::default_registry());
  CHECK(module->policies() != &fusebox::default_policy_registry());
  CHECK_FALSE(module->is_open("mine"));
  CHECK(module->call("mine"));
  CHECK(breaker->stats().success_count == 0);
}
