#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using support::Breaker;
using support::brittle;

TEST_CASE("G3 healthy breakers go first, then failing ones, and never those forced by hand", "[G3]") {
  using Kind = detail::PolicyKind<Breaker>;
  for (const State state : support::all_states) {
    CAPTURE(to_string(state));
    Breaker breaker{"b", brittle, test::FakeClock{}};
    support::bring_to(breaker, state);
    const bool is_forced = state == State::forced_open || state == State::disabled;
    CHECK(Kind::eviction_kind(breaker) == (state == State::closed ? 0 : is_forced ? 2 : 1));
  }
  Breaker failing{"b", {.failure_threshold = 2}, test::FakeClock{}};
  support::fail(failing);
  CHECK(Kind::eviction_kind(failing) == 1);
}

TEST_CASE("G1 a breaker has had the configs that it had", "[G1]") {
  using Kind = detail::PolicyKind<Breaker>;
  const auto breaker = Kind::make("b", brittle, test::FakeClock{});
  breaker->reconfigure({.failure_threshold = 7});
  CHECK(Kind::has_had(*breaker, brittle));
  CHECK(Kind::has_had(*breaker, {.failure_threshold = 7}));
  CHECK_FALSE(Kind::has_had(*breaker, {.failure_threshold = 8}));
}
