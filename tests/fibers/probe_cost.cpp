// What a probe costs does not grow with half_open_max_calls (B5).
//
// Each figure is a ratio of two medians of one run, whose samples take turns: what slows the machine down
// slows both. A search through the slots would make it some thousands.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::trip_and_wait;

namespace {

constexpr int most = 65'535;
constexpr double limit = 3.0;

/// A half-open breaker of `slots` slots, and the probes that hold some of them.
struct HalfOpen {
  explicit HalfOpen(int slots)
      : breaker{"b",
                {.failure_threshold = 1,
                 .success_threshold = most,
                 .reset_timeout = 10s,
                 .half_open_max_calls = slots,
                 .probe_timeout = 10s}} {
    trip_and_wait(breaker);
    breaker.try_acquire().ignore();
  }

  /// Takes `count` slots, one per nanosecond.
  void take(int count) {
    for (int i = 0; i < count; ++i) {
      breaker.clock().advance(1ns);
      held.push_back(breaker.try_acquire());
    }
  }

  Breaker breaker;
  std::vector<Permit> held;
};

double median(std::vector<double>& samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

/// How much longer f(many) takes than f(few); f is called 16 times per sample. A machine that is busy with
/// other things gets five chances to show a ratio within the limit; one that is far from it gets one.
template <class F>
double ratio(HalfOpen& many, HalfOpen& few, F f) {
  double least = 0;
  for (int chance = 0; chance < 5; ++chance) {
    std::array<std::vector<double>, 2> samples;
    for (int i = 0; i < 101; ++i) {
      for (const std::size_t which : {0U, 1U}) {
        HalfOpen& measured = which == 0 ? many : few;
        const auto start = std::chrono::steady_clock::now();
        for (int k = 0; k < 16; ++k) f(measured);
        const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
        samples[which].push_back(taken.count());
      }
    }
    const double now = median(samples[0]) / median(samples[1]);
    if (chance == 0 || now < least) least = now;
    if (least <= limit || least > 20 * limit) break;
  }
  return least;
}

}  // namespace

TEST_CASE("B5 to admit and to report a probe costs the same with 65535 slots as with one", "[B5]") {
  HalfOpen few{1};
  HalfOpen many{most};
  many.take(GENERATE(0, most / 2, most - 1));
  SECTION("as permits") {
    CHECK(ratio(many, few, [](HalfOpen& it) { it.breaker.try_acquire().ignore(); }) <= limit);
  }
  SECTION("by execute, with a nested call") {
    CHECK(ratio(many, few, [](HalfOpen& it) {
            it.breaker.execute([&] { it.breaker.execute([] {}, [] {}); }, [] {});
          }) <= limit);
  }
  CHECK(many.breaker.state() == State::half_open);
}

TEST_CASE("B5 the first probe of a period costs the same with 65535 slots as with one", "[B5]") {
  HalfOpen few{1};
  HalfOpen many{most};
  many.take(GENERATE(0, most));
  for (HalfOpen* each : {&few, &many}) {
    each->breaker.clock().advance(10s);
    each->breaker.try_acquire().failure();
  }
  const auto before = many.breaker.stats().opened_count;
  CHECK(ratio(many, few, [](HalfOpen& it) {
          it.breaker.clock().advance(10s);
          it.breaker.try_acquire().failure();
        }) <= limit);
  CHECK(many.breaker.stats().opened_count > before);
}

TEST_CASE("B5 to reject a call costs the same with 65535 probes under way as with one", "[B5]") {
  HalfOpen few{1};
  HalfOpen many{most};
  few.take(1);
  many.take(most);
  int admitted = 0;
  CHECK(ratio(many, few, [&](HalfOpen& it) {
          if (it.breaker.try_acquire()) ++admitted;
        }) <= limit);
  CHECK(admitted == 0);
}

TEST_CASE("B5 to take the slot of a silent probe costs the same with 65535 slots as with one", "[B5]") {
  HalfOpen few{1};
  HalfOpen many{most};
  few.take(1);
  many.take(most);
  int refused = 0;
  const auto replace = [&](HalfOpen& it) {
    it.breaker.clock().advance(10s);  // every probe is silent by now
    it.held.push_back(it.breaker.try_acquire());
    if (!it.held.back()) ++refused;
  };
  CHECK(ratio(many, few, replace) <= limit);
  CHECK(refused == 0);
}

TEST_CASE("B5 the order in which probes end does not change what they cost", "[B5]") {
  HalfOpen few{1};
  HalfOpen many{most};
  few.take(1);
  many.take(most);
  SECTION("first in, first out") {}
  SECTION("last in, first out") { std::reverse(many.held.begin(), many.held.end()); }
  std::size_t next = 0;
  CHECK(ratio(many, few, [&](HalfOpen& it) {
          Permit& ending = it.held[next++ % it.held.size()];
          ending.ignore();
          ending = it.breaker.try_acquire();
        }) <= limit);
}
