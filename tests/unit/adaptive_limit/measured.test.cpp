#include <fusebox/adaptive_limit.hpp>

#include <chrono>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::window_of;

namespace {

/// A state that has measured a base of 100 ms.
[[nodiscard]] Measured::State at_100_ms(const Measured& rule) {
  Measured::State state{rule};
  (void)state.next(rule, window_of(100ms));
  (void)state.next(rule, window_of(100ms));
  return state;
}
[[nodiscard]] int step(const Measured& rule, const AdaptiveWindow& window) {
  return at_100_ms(rule).next(rule, window).limit;
}

}  // namespace

TEST_CASE("W6 Measured measures after the first window, and every 60 windows", "[W6]") {
  const Measured rule{.initial = 40};
  Measured::State state{rule};
  CHECK(state.base() == 0ms);
  AdaptiveStep next = state.next(rule, window_of(500ms));
  CHECK(next.measures);
  CHECK(next.limit == 3);
  next = state.next(rule, window_of(100ms));
  CHECK_FALSE(next.measures);
  CHECK(next.limit == 40);
  CHECK(state.base() == 100ms);
  for (int i = 1; i < 60; ++i) {
    next = state.next(rule, window_of(125ms));
    CHECK_FALSE(next.measures);
    CHECK(next.limit == 40);
  }
  CHECK(state.next(rule, window_of(125ms)).measures);
}

TEST_CASE("W6 the limit of a measurement stays within the bounds, and is not above the limit", "[W6]") {
  const auto measured_at = [](const Measured& rule) {
    return Measured::State{rule}.next(rule, window_of(1ms)).limit;
  };
  CHECK(measured_at({.min = 5}) == 5);
  CHECK(measured_at({.initial = 2}) == 2);
  CHECK(measured_at({.measure_limit = 10}) == 10);
  CHECK(measured_at({.measure_limit = 100}) == 20);
}

TEST_CASE("W5 W6 a measurement whose mean is uncertain goes on, five windows at most", "[W5][W6]") {
  const Measured rule{.initial = 40};
  AdaptiveWindow window = window_of(100ms);
  window.error = 8ms;
  Measured::State certain{rule};
  (void)certain.next(rule, window_of(1s));
  CHECK_FALSE(certain.next(rule, window).measures);

  window.error = 8ms + 1ns;
  Measured::State state{rule};
  CHECK(state.next(rule, window_of(1s)).measures);
  for (int i = 1; i < 5; ++i) {
    const AdaptiveStep next = state.next(rule, window);
    CHECK(next.measures);
    CHECK(next.limit == 3);
  }
  CHECK_FALSE(state.next(rule, window).measures);
  CHECK(state.base() == 100ms);
}

TEST_CASE("W6 a base near the one before is averaged with it, another one replaces it", "[W6]") {
  const Measured rule{.measure_every = 1};
  const auto base_after = [&](std::chrono::nanoseconds latency) {
    Measured::State state = at_100_ms(rule);
    CHECK(state.next(rule, window_of(100ms)).measures);
    (void)state.next(rule, window_of(latency));
    return state.base();
  };
  CHECK(base_after(120ms) == 110ms);
  CHECK(base_after(80ms) == 90ms);
  CHECK(base_after(150ms) == 150ms);
  CHECK(base_after(66ms) == 66ms);
  CHECK(base_after(300ms) == 300ms);
}

TEST_CASE("W6 without a sample the base stays, or is measured again", "[W6]") {
  const AdaptiveWindow dropped{.calls = 10, .dropped = 10, .in_flight = 3};
  const Measured rule{.measure_every = 1};
  Measured::State state = at_100_ms(rule);
  CHECK(state.next(rule, window_of(100ms)).measures);
  CHECK_FALSE(state.next(rule, dropped).measures);
  CHECK(state.base() == 100ms);

  Measured::State unknown{rule};
  CHECK(unknown.next(rule, dropped).measures);
  CHECK_FALSE(unknown.next(rule, dropped).measures);
  CHECK(unknown.next(rule, dropped).measures);
}

TEST_CASE("W6 the limit grows by its root while the latency is low, but not past the tolerance", "[W6]") {
  const Measured rule{.initial = 36};
  CHECK(step(rule, window_of(100ms)) == 42);
  CHECK(step(rule, window_of(50ms)) == 42);
  CHECK(step(rule, window_of(120ms)) == 37);  // 36 × 1.25 ÷ 1.2
  CHECK(step(rule, window_of(125ms)) == 36);
  CHECK(step({.initial = 8}, window_of(100ms)) == 10);
}

TEST_CASE("W6 a higher latency takes its share, at most half, without headroom", "[W6]") {
  const Measured rule{.initial = 100};
  CHECK(step(rule, window_of(200ms)) == 62);
  CHECK(step({.initial = 100, .tolerance = 1.5}, window_of(200ms)) == 75);
  CHECK(step({.initial = 100, .min = 60}, window_of(10s)) == 60);
}

TEST_CASE("W6 a fall to half makes it measure, and a larger base gives back what the old one took", "[W6]") {
  const Measured rule{.initial = 100};
  Measured::State state = at_100_ms(rule);
  CHECK_FALSE(state.next(rule, window_of(200ms)).measures);  // 62
  AdaptiveStep next = state.next(rule, window_of(200ms));    // 39
  CHECK(next.measures);
  CHECK(next.limit == 3);
  next = state.next(rule, window_of(200ms));
  CHECK(next.limit == 78);
  CHECK(state.base() == 200ms);
  CHECK(state.next(rule, window_of(200ms)).limit == 86);
}

TEST_CASE("W6 a larger base gives back no more than the limit had, and a smaller one nothing", "[W6]") {
  const Measured rule{.initial = 100};
  Measured::State state = at_100_ms(rule);
  CHECK(state.next(rule, window_of(400ms)).measures);  // at 50
  CHECK(state.next(rule, window_of(1s)).limit == 100);
  Measured::State quicker = at_100_ms(rule);
  CHECK(quicker.next(rule, window_of(400ms)).measures);
  CHECK(quicker.next(rule, window_of(20ms)).limit == 50);
}

TEST_CASE("W4 W6 many drops take their share, at most half; few do not matter", "[W4][W6]") {
  const Measured rule{.initial = 100};
  AdaptiveWindow window = window_of(100ms, 100, 20);
  window.dropped = 2;
  CHECK(step(rule, window) == 110);
  window.dropped = 3;
  CHECK(step(rule, window) == 85);
  window.dropped = 20;
  CHECK(step(rule, window) == 50);
  window.latency = 500ms;
  window.dropped = 3;
  Measured::State state = at_100_ms(rule);
  const AdaptiveStep next = state.next(rule, window);
  CHECK(next.limit == 50);
  CHECK_FALSE(next.measures);  // drops are no reason to measure
  const AdaptiveWindow all{.calls = 10, .dropped = 10, .in_flight = 100};
  CHECK(step(rule, all) == 50);
  CHECK(step({.initial = 100, .tolerated_drops = 1}, window_of(100ms, 100, 20)) == 110);
}

TEST_CASE("W3 W6 Measured leaves the limit as it is below half use", "[W3][W6]") {
  const Measured rule{.initial = 40};
  CHECK(step(rule, window_of(100ms, 19)) == 40);
  CHECK(step(rule, window_of(300ms, 19)) == 40);
  CHECK(step(rule, window_of(100ms, 20)) == 46);
}

TEST_CASE("W1 W6 the limit stays within its bounds", "[W1][W6]") {
  CHECK(step({.initial = 100, .max = 105}, window_of(100ms)) == 105);
  const Measured rule{.initial = 2};
  Measured::State state = at_100_ms(rule);
  for (int i = 0; i < 10; ++i) CHECK(state.next(rule, window_of(1s)).limit >= 1);
}

TEST_CASE("C3 the bounds of Measured's own fields", "[C3]") {
  CHECK(validate(Measured{.tolerance = 0.99}) == "Measured.tolerance must be at least 1, got 0.99");
  CHECK(validate(Measured{.tolerance = 1}).empty());
  CHECK(validate(Measured{.measure_every = 0}) == "Measured.measure_every must be in [1, 65535], got 0");
  CHECK(validate(Measured{.measure_limit = 0}) == "Measured.measure_limit must be in [1, 65535], got 0");
  CHECK(validate(Measured{.tolerated_drops = 1.1}) == "Measured.tolerated_drops must be in [0, 1], got 1.1");
}
