#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "catch.hpp"
#include "support/throttle.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeThrottle;
using test::FakeClock;

namespace {

constexpr auto outage = 10min;
using Minutes = std::array<double, 8>;  // the share of the calls that pass, from the recovery on

/// A dependency works for two minutes, fails for ten, and works again. Calls come at equal distances.
Minutes recover(const ThrottleConfig& config, int calls_per_second) {
  const FakeClock clock;
  FakeThrottle throttle{"t", config, clock};
  const auto start = clock.now();
  const auto recovery = start + 2min + outage;
  std::array<int, 8> calls{};
  std::array<int, 8> passed{};
  while (clock.now() < recovery + 8min) {
    const bool works = clock.now() < start + 2min || clock.now() >= recovery;
    Permit permit = throttle.try_acquire();
    const bool passes{permit};
    works ? permit.success() : permit.failure();
    if (clock.now() >= recovery) {
      const auto minute = static_cast<std::size_t>((clock.now() - recovery) / 1min);
      ++calls[minute];
      if (passes) ++passed[minute];
    }
    clock.advance(1'000'000'000ns / calls_per_second);
  }
  Minutes shares{};
  for (std::size_t minute = 0; minute < shares.size(); ++minute)
    shares[minute] = static_cast<double>(passed[minute]) / static_cast<double>(calls[minute]);
  return shares;
}

}  // namespace

TEST_CASE("V5 in the fourth minute after an outage of ten, at least 80 % pass", "[V5]") {
  for (const int calls_per_second : {1, 10, 100}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(calls_per_second, seed);
      const Minutes passed = recover({.seed = seed}, calls_per_second);
      CHECK(passed[0] < 0.3);  // the first calls find out
      CHECK(passed[3] >= 0.8);
      for (std::size_t minute = 4; minute < passed.size(); ++minute) CHECK(passed[minute] == 1);
    }
  }
}

TEST_CASE("V5 without a cap the throttle is wedged", "[V5]") {
  const Minutes passed = recover({.max_rejection = 1, .seed = 1}, 200);
  CHECK(passed[0] < 0.01);
  CHECK(passed[1] < 0.01);
  CHECK(passed[2] < 0.05);
  CHECK(passed[3] < 0.3);
}

TEST_CASE("V5 while a dependency fails, 1 - max_rejection of the calls pass", "[V5]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {.max_rejection = 0.9, .seed = 5}, clock};
  int passed = 0;
  for (int call = 0; call < 30'000; ++call) {
    Permit permit = throttle.try_acquire();
    if (call >= 10'000 && permit) ++passed;
    permit.failure();
    clock.advance(100ms);
  }
  CHECK(passed == Approx(2'000).epsilon(0.05));
}

TEST_CASE("V1 a dependency receives about k calls for each that it accepts", "[V1]") {
  for (const double k : {1.1, 2.0, 3.0}) {
    const FakeClock clock;
    FakeThrottle throttle{"t", {.k = k, .seed = 5}, clock};
    int sent = 0;
    int accepted = 0;
    for (int second = 0; second < 1'200; ++second) {
      int capacity = 10;  // of 100 calls in each second
      for (int call = 0; call < 100; ++call) {
        Permit permit = throttle.try_acquire();
        const bool accepts = capacity > 0;
        if (permit) --capacity;
        if (permit && second >= 600) {
          ++sent;
          if (accepts) ++accepted;
        }
        accepts ? permit.success() : permit.failure();
        clock.advance(10ms);
      }
    }
    CAPTURE(k, sent, accepted);
    CHECK(accepted == Approx(6'000).epsilon(0.15));  // some of the capacity is left over by chance
    CHECK(sent == Approx(k * accepted).epsilon(0.1));
  }
}

TEST_CASE("V4 an overloaded dependency receives the critical calls", "[V4]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {.k = 1.5, .seed = 5}, clock};
  constexpr std::array<Priority, 4> priorities{Priority::critical, Priority::normal, Priority::sheddable,
                                               Priority::background};
  std::array<int, 4> passed{};
  for (int second = 0; second < 1'200; ++second) {
    int capacity = 10;
    for (int call = 0; call < 40; ++call) {
      const auto index = static_cast<std::size_t>(call) % 4;
      Permit permit = throttle.try_acquire(priorities[index]);
      const bool accepts = capacity > 0;
      if (permit) --capacity;
      if (permit && second >= 600) ++passed[index];
      accepts ? permit.success() : permit.failure();
      clock.advance(25ms);
    }
  }
  CHECK(passed[0] == 6'000);
  CHECK(passed[1] == Approx(2'500).epsilon(0.25));  // 15 pass, and 0.5 of each low priority
  CHECK(passed[2] < 600);
  CHECK(passed[3] < 600);
}
