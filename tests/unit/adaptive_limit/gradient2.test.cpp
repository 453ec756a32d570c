#include <fusebox/adaptive_limit.hpp>

#include <chrono>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::window_of;

namespace {

/// Without smoothing, so that a step is seen as it is.
constexpr Gradient2 plain{.initial = 40, .smoothing = 1};

}  // namespace

TEST_CASE("W8 Gradient2 has the published defaults", "[W8]") {
  STATIC_REQUIRE(Gradient2{} == Gradient2{.initial = 20,
                                          .min = 20,
                                          .max = 200,
                                          .smoothing = 0.2,
                                          .tolerance = 1.5,
                                          .queue = 4,
                                          .long_window = 600});
}

TEST_CASE("W8 a latency up to the tolerance adds the queue, a higher one takes its share", "[W8]") {
  Gradient2::State state{plain};
  for (int i = 0; i < 10; ++i) CHECK(state.next(plain, window_of(100ms)).limit == 44 + 4 * i);
  CHECK(state.base() == 100ms);
  // The average moves by 2 ÷ 601 of the distance: 100.33 ms.
  CHECK(state.next(plain, window_of(200ms)).limit == 64);
  CHECK(state.base() / 1us == 100'332);
  CHECK(state.next(plain, window_of(10s)).limit == 36);  // never less than half
}

TEST_CASE("W8 the limit moves by the smoothing", "[W8]") {
  const Gradient2 rule{.initial = 40};
  Gradient2::State state{rule};
  CHECK(state.next(rule, window_of(100ms)).limit == 40);  // 40.8
  CHECK(state.next(rule, window_of(100ms)).limit == 41);  // 41.6
}

TEST_CASE("W8 an average of more than twice the latency shrinks by a twentieth", "[W8]") {
  Gradient2::State state{plain};
  for (int i = 0; i < 10; ++i) (void)state.next(plain, window_of(301ms));
  (void)state.next(plain, window_of(100ms));
  CHECK(state.base() / 1us == 285'314);  // (301 − 201 × 2 ÷ 601) × 0.95
}

TEST_CASE("W3 W8 Gradient2 leaves the limit as it is below half use, and without a latency", "[W3][W8]") {
  Gradient2::State state{plain};
  CHECK(state.next(plain, window_of(100ms, 19)).limit == 40);
  CHECK(state.next(plain, window_of(1s, 19)).limit == 40);
  CHECK(state.next(plain, {.calls = 10, .dropped = 10, .in_flight = 40}).limit == 40);
  CHECK(state.next(plain, window_of(100ms, 20)).limit == 44);
}

TEST_CASE("W1 W8 the limit stays within its bounds", "[W1][W8]") {
  const Gradient2 rule{.initial = 198, .smoothing = 1};
  Gradient2::State state{rule};
  CHECK(state.next(rule, window_of(1ms)).limit == 200);
  for (int i = 0; i < 9; ++i) (void)state.next(rule, window_of(1ms));
  for (int i = 0; i < 5; ++i) (void)state.next(rule, window_of(1s));
  CHECK(state.next(rule, window_of(1s)).limit == 20);
}

TEST_CASE("C3 the bounds of Gradient2's own fields", "[C3]") {
  CHECK(validate(Gradient2{.smoothing = 0}) == "Gradient2.smoothing must be in (0, 1], got 0");
  CHECK(validate(Gradient2{.smoothing = 1}).empty());
  CHECK(validate(Gradient2{.tolerance = 0.9}) == "Gradient2.tolerance must be at least 1, got 0.9");
  CHECK(validate(Gradient2{.tolerance = 1}).empty());
  CHECK(validate(Gradient2{.queue = -1}) == "Gradient2.queue must be in [0, 65535], got -1");
  CHECK(validate(Gradient2{.queue = 0}).empty());
  CHECK(validate(Gradient2{.long_window = 0}) == "Gradient2.long_window must be in [1, 65535], got 0");
}
