#include <fusebox/adaptive_limit.hpp>

#include <chrono>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::window_of;

TEST_CASE("W7 Aimd has the published defaults", "[W7]") {
  STATIC_REQUIRE(Aimd{} == Aimd{.initial = 20, .min = 20, .max = 200, .backoff = 0.9, .timeout = 5s});
}

TEST_CASE("W7 a good window adds one, a bad one leaves nine tenths, rounded down", "[W7]") {
  const Aimd rule{.initial = 50};
  Aimd::State state{rule};
  CHECK(state.next(rule, window_of(5s)).limit == 51);
  CHECK(state.next(rule, window_of(5s + 1ns)).limit == 45);
  AdaptiveWindow dropped = window_of(1ms);
  dropped.dropped = 1;
  CHECK(state.next(rule, dropped).limit == 40);
  CHECK_FALSE(state.next(rule, dropped).measures);
}

TEST_CASE("W1 W7 the limit stays within its bounds", "[W1][W7]") {
  const Aimd rule{.initial = 22, .min = 20, .max = 23};
  Aimd::State state{rule};
  CHECK(state.next(rule, window_of(1ms)).limit == 23);
  CHECK(state.next(rule, window_of(1ms)).limit == 23);
  CHECK(state.next(rule, window_of(6s)).limit == 20);
  CHECK(state.next(rule, window_of(6s)).limit == 20);
}

TEST_CASE("W3 W7 Aimd does not grow below half use", "[W3][W7]") {
  const Aimd rule{.initial = 21};
  Aimd::State state{rule};
  CHECK(state.next(rule, window_of(1ms, 10)).limit == 21);
  CHECK(state.next(rule, window_of(1ms, 11)).limit == 22);
  CHECK(state.next(rule, window_of(1ms, 11)).limit == 23);
}

TEST_CASE("C3 the bounds of Aimd's own fields", "[C3]") {
  CHECK(validate(Aimd{.backoff = 0.5}).empty());
  CHECK(validate(Aimd{.backoff = 0.49}) == "Aimd.backoff must be in [0.5, 1), got 0.49");
  CHECK(validate(Aimd{.backoff = 1}) == "Aimd.backoff must be in [0.5, 1), got 1");
  CHECK(validate(Aimd{.timeout = 0s}) == "Aimd.timeout must be above 0, got 0s");
}
