// G4: one process-wide registry for a program, the shared libraries that it links, and forks.
#include "catch.hpp"
#include "module.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <fusebox/policy_registry.hpp>
#include <fusebox/registry.hpp>

#include <string>

extern "C" const Side* side_shared();
extern "C" const Side* side_shared_hidden();

namespace {

void throw_rejection() {
  const auto breaker = fusebox::get_circuit_breaker("thrower");
  breaker->force_open();
  breaker->execute([] {});
}

/// Holds for any library in the process, seen from the program.
void check_shares_everything(const Side& side, const std::string& name) {
  CHECK(side.registry() == &fusebox::default_registry());
  auto& policies = fusebox::default_policy_registry();
  CHECK(side.policies() == &policies);
  const void* const filled = side.fill(name.c_str());
  CHECK(policies.find<fusebox::Bulkhead<>>(name).get() == filled);
  CHECK(policies.stats<fusebox::Bulkhead<>>()[name].rejected == 2);

  const auto breaker = fusebox::get_circuit_breaker(name);
  CHECK(side.breaker(name.c_str()) == breaker.get());
  CHECK(side.call(name.c_str()));
  CHECK(breaker->stats().success_count == 1);

  side.fail(name.c_str(), 5);
  CHECK(breaker->state() == fusebox::State::open);
  CHECK_FALSE(side.call(name.c_str()));
  breaker->reset();
  CHECK(side.call(name.c_str()));

  // Equal configs are equal on both sides: their pointers to default_outcome are one address.
  const auto conflicts = fusebox::default_registry().config_conflicts();
  const auto configured = fusebox::get_circuit_breaker(name + "-configured", {.failure_threshold = 7});
  CHECK(side.breaker_with((name + "-configured").c_str(), 7) == configured.get());
  CHECK(fusebox::default_registry().config_conflicts() == conflicts);
  CHECK(side.breaker_with((name + "-configured").c_str(), 8) == configured.get());
  CHECK(fusebox::default_registry().config_conflicts() == conflicts + 1);

  CHECK(side.catches_rejection(throw_rejection));
  CHECK(side.same_category(&fusebox::policy_error_category()));
}

/// Runs `child` in a fork; true if it returned true.
template <class F>
bool in_fork(F child) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) _exit(child() ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("G4 a linked shared library shares the registry", "[G4][linked]") {
  check_shares_everything(*side_shared(), "linked");
}

TEST_CASE("G4 a shared library with hidden visibility shares the registry", "[G4][linked]") {
  check_shares_everything(*side_shared_hidden(), "linked-hidden");
}

TEST_CASE("G4 two libraries share a breaker that the program never uses", "[G4][linked]") {
  CHECK(side_shared()->breaker("theirs") == side_shared_hidden()->breaker("theirs"));
  side_shared()->force_open("theirs");
  CHECK(side_shared_hidden()->is_open("theirs"));
}

TEST_CASE("G4 a fork has its own copy, which works", "[G4][fork]") {
  const auto breaker = fusebox::get_circuit_breaker("forked");
  breaker->execute([] {});

  CHECK(in_fork([&] {
    if (breaker->stats().success_count != 1) return false;  // the counts from before the fork
    if (fusebox::get_circuit_breaker("forked") != breaker) return false;
    breaker->force_open();
    const auto fresh = fusebox::get_circuit_breaker("made-in-the-child");
    return fresh->execute([] { return true; }) && side_shared()->is_open("forked");
  }));

  // Nothing that the child did shows here.
  CHECK(breaker->state() == fusebox::State::closed);
  CHECK(fusebox::default_registry().find("made-in-the-child") == nullptr);
  breaker->execute([] {});
  CHECK(breaker->stats().success_count == 2);
}

TEST_CASE("G4 a breaker that was open at the fork is open on both sides", "[G4][fork]") {
  side_shared()->fail("open-at-fork", 5);
  const auto is_open = [] {
    return fusebox::get_circuit_breaker("open-at-fork")->state() == fusebox::State::open;
  };
  CHECK(in_fork([&] { return is_open() && !side_shared()->call("open-at-fork"); }));
  CHECK(is_open());
}
