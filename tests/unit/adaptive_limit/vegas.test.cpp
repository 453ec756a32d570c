#include <fusebox/adaptive_limit.hpp>

#include <chrono>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::window_of;

namespace {

/// A state that knows a lowest latency of 100 ms.
[[nodiscard]] Vegas::State at_100_ms(const Vegas& rule) {
  Vegas::State state{rule};
  (void)state.next(rule, window_of(100ms));
  return state;
}

}  // namespace

TEST_CASE("W9 Vegas has the published defaults", "[W9]") {
  STATIC_REQUIRE(
      Vegas{} ==
      Vegas{.initial = 20, .min = 1, .max = 1000, .smoothing = 1, .probe_multiplier = 30, .seed = 0});
}

TEST_CASE("W9 the queue decides, by the digits of the limit", "[W9]") {
  const Vegas rule{.initial = 40};
  const auto step = [&](std::chrono::nanoseconds latency) {
    return at_100_ms(rule).next(rule, window_of(latency)).limit;
  };
  CHECK(step(100ms) == 46);
  CHECK(step(102ms) == 46);      // a queue of 0.8: 1
  CHECK(step(104ms) == 41);      // 1.5: 2
  CHECK(step(105'200us) == 41);  // 1.98: 2
  CHECK(step(106ms) == 40);      // 2.3: 3
  CHECK(step(117'600us) == 40);  // 5.99: 6
  CHECK(step(118ms) == 39);      // 6.1: 7
  const Vegas large{.initial = 400};
  CHECK(at_100_ms(large).next(large, window_of(100ms)).limit == 412);
  const Vegas larger{.initial = 2000, .max = 20'000};
  CHECK(at_100_ms(larger).next(larger, window_of(100ms)).limit == 2018);
  const Vegas largest{.initial = 10'000, .max = 20'000};
  CHECK(at_100_ms(largest).next(largest, window_of(100ms, 10'000)).limit == 10'024);
}

TEST_CASE("W9 the first latency, and a lower one, is the lowest, and moves nothing", "[W9]") {
  const Vegas rule{.initial = 40};
  Vegas::State state{rule};
  CHECK(state.next(rule, window_of(100ms)).limit == 40);
  CHECK(state.next(rule, window_of(80ms)).limit == 40);
  CHECK(state.base() == 80ms);
  CHECK(state.next(rule, window_of(200ms)).limit == 39);
  CHECK(state.base() == 80ms);
}

TEST_CASE("W9 now and then the latency of a window becomes the lowest, after as many as the seed says",
          "[W9]") {
  const auto windows_until_probe = [](std::uint64_t seed) {
    const Vegas rule{.initial = 1, .max = 1, .seed = seed};
    Vegas::State state = at_100_ms(rule);
    int windows = 1;
    while (state.base() == 100ms) {
      ++windows;
      (void)state.next(rule, window_of(200ms));
    }
    CHECK(state.base() == 200ms);
    return windows;
  };
  CHECK(windows_until_probe(0) == windows_until_probe(0));
  bool differ = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const int windows = windows_until_probe(seed);
    CHECK(windows >= 15);
    CHECK(windows <= 30);
    differ = differ || windows != windows_until_probe(0);
  }
  CHECK(differ);
}

TEST_CASE("W4 W9 a dropped call lowers the limit", "[W4][W9]") {
  const Vegas rule{.initial = 40};
  Vegas::State state = at_100_ms(rule);
  AdaptiveWindow window = window_of(100ms, 1);
  window.dropped = 1;
  CHECK(state.next(rule, window).limit == 39);
  CHECK(state.next(rule, {.calls = 10, .dropped = 10}).limit == 38);
}

TEST_CASE("W3 W9 Vegas does not move the limit below half use", "[W3][W9]") {
  const Vegas rule{.initial = 40};
  Vegas::State state = at_100_ms(rule);
  CHECK(state.next(rule, window_of(100ms, 19)).limit == 40);
  CHECK(state.next(rule, window_of(100ms, 20)).limit == 46);
}

TEST_CASE("W1 W9 the limit stays within its bounds, and moves by the smoothing", "[W1][W9]") {
  const Vegas rule{.initial = 40, .max = 42, .smoothing = 0.5};
  Vegas::State state = at_100_ms(rule);
  CHECK(state.next(rule, window_of(100ms)).limit == 41);
  const Vegas low{.initial = 1};
  CHECK(at_100_ms(low).next(low, {.calls = 10, .dropped = 10}).limit == 1);
}

TEST_CASE("C3 the bounds of Vegas' own fields", "[C3]") {
  CHECK(validate(Vegas{.smoothing = 1.1}) == "Vegas.smoothing must be in (0, 1], got 1.1");
  CHECK(validate(Vegas{.probe_multiplier = 0}) == "Vegas.probe_multiplier must be in [1, 65535], got 0");
}
