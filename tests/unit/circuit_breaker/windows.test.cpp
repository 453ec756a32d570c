#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;

namespace {

constexpr auto limit = 100ms;

/// One call per letter: S success, F failure, I ignored; s and f are a success and a failure that
/// take 1 ns longer than `limit`.
void report(Breaker& breaker, std::string_view outcomes) {
  for (const char letter : outcomes) {
    Permit permit = breaker.try_acquire();
    if (letter == 's' || letter == 'f') breaker.clock().advance(limit + 1ns);
    switch (letter) {
      case 'S':
      case 's': permit.success(); break;
      case 'F':
      case 'f': permit.failure(); break;
      default: permit.ignore();
    }
  }
}

/// The number of the call that opens, from 1; 0 if none does.
std::size_t opens_at(const CircuitBreakerConfig& config, std::string_view outcomes) {
  Breaker breaker{"b", config};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    report(breaker, outcomes.substr(i, 1));
    if (breaker.state() == State::open) return i + 1;
  }
  return 0;
}

CircuitBreakerConfig rate_only(double threshold, int minimum_calls, Window window) {
  return {
      .failure_threshold = 0,
      .failure_rate = FailureRate{.threshold = threshold, .minimum_calls = minimum_calls, .window = window}};
}

CircuitBreakerConfig slow_only(double threshold, int minimum_calls, Window window) {
  return {
      .failure_threshold = 0,
      .slow_calls = SlowCalls{
          .slower_than = limit, .threshold = threshold, .minimum_calls = minimum_calls, .window = window}};
}
}  // namespace

TEST_CASE("B3 B21 a failure rate opens on the call that reaches it with minimum_calls in the window",
          "[B3][B21]") {
  struct Row {
    double threshold;
    int minimum_calls;
    int window;
    std::string_view outcomes;
    std::size_t opens_at;
  };
  const Row rows[] = {
      {0.5, 4, 10, "SSFF", 4},           // reached exactly
      {0.5, 4, 10, "SSSFF", 0},          // 2 of 5: just not
      {0.5, 4, 10, "SSSFFF", 6},         // 3 of 6
      {0.51, 4, 10, "SSFF", 0},          // 0.5 < 0.51
      {0.51, 4, 10, "SSFFF", 5},         // 3 of 5
      {1.0, 1, 1, "F", 1},               // the smallest rule
      {1.0, 1, 1, "SSSF", 4},            // only the last call is in the window
      {1.0, 3, 10, "FF", 0},             // below minimum_calls there is no rate
      {1.0, 3, 10, "FFF", 3},            // at minimum_calls there is
      {1.0, 3, 3, "SFFF", 4},            // the success has left the window
      {1.0, 3, 4, "SFFF", 0},            // the success is still in it
      {0.3, 10, 10, "SSSSSSSFFF", 10},   // 3 of 10 is 0.3
      {0.3, 10, 10, "SSSSSSSSFFF", 11},  // the oldest success was replaced: 3 of 10 again
      {0.1, 10, 10, "FSSSSSSSSS", 0},    // reached, but by a success
      {0.5, 4, 10, "FFSSF", 5},          // the next failure opens
      {0.5, 2, 4, "SSSFSSSFSSSF", 0},    // never more than 1 of 4
      {0.001, 5, 100, "SSSSF", 5},
  };
  for (const Row& row : rows) {
    CAPTURE(row.outcomes, row.threshold, row.minimum_calls, row.window);
    CHECK(opens_at(rate_only(row.threshold, row.minimum_calls, last_calls(row.window)), row.outcomes) ==
          row.opens_at);
    CHECK(opens_at(rate_only(row.threshold, row.minimum_calls, within(1h)), row.outcomes) ==
          (row.outcomes.size() > static_cast<std::size_t>(row.window) ? 0 : row.opens_at));
  }
}

TEST_CASE("B3 ignored calls are in no denominator", "[B3]") {
  CHECK(opens_at(rate_only(0.5, 4, last_calls(10)), "IIIIISIIFSIIF") == 13);
  CHECK(opens_at(rate_only(0.5, 4, last_calls(10)), "FFFSIF") == 6);
  CHECK(opens_at(rate_only(1.0, 3, last_calls(3)), "FIIIIIFIIII") == 0);
  CHECK(opens_at(rate_only(1.0, 3, last_calls(3)), "FIFIF") == 5);
  CHECK(opens_at(slow_only(1.0, 2, last_calls(2)), "sIIIs") == 5);
}

TEST_CASE("B3 rejected calls are in no denominator", "[B3]") {
  for (const Window window : {last_calls(4), within(1h)}) {
    Breaker breaker{"b", rate_only(0.5, 4, window)};
    report(breaker, "SFSF");
    REQUIRE(breaker.state() == State::open);
    for (int i = 0; i < 20; ++i) CHECK_FALSE(breaker.try_acquire());
    CHECK(breaker.stats().failure_rate == 0.5);
    CHECK(breaker.stats().rejected_count == 20);
  }
}

TEST_CASE("B3 B13 below minimum_calls there is no rate, and stats say 0", "[B3][B13]") {
  for (const Window window : {last_calls(10), within(10s)}) {
    Breaker breaker{"b", rate_only(1.0, 4, window)};
    report(breaker, "FFS");
    CHECK(breaker.stats().failure_rate == 0.0);
    report(breaker, "F");
    CHECK(breaker.stats().failure_rate == 0.75);
  }
}

TEST_CASE("B3 a time window's calls leave it with their bucket", "[B3]") {
  const test::FakeClock clock;
  Breaker breaker{"b", rate_only(1.0, 1, within(10s)), clock};
  const auto rate = [&] { return breaker.stats().failure_rate; };
  report(breaker, "S");
  clock.advance(1s - 1ns);
  report(breaker, "F");
  CHECK(rate() == 0.5);
  clock.advance(1ns);
  report(breaker, "F");
  CHECK(rate() == Approx(2.0 / 3));
  clock.advance(9s - 1ns);
  CHECK(rate() == Approx(2.0 / 3));
  clock.advance(1ns);
  CHECK(rate() == 1.0);
  CHECK(breaker.state() == State::closed);
  clock.advance(1s - 1ns);
  CHECK(rate() == 1.0);
  clock.advance(1ns);
  CHECK(rate() == 0.0);
}

TEST_CASE("B3 a time window opens only on what is in it", "[B3]") {
  const test::FakeClock clock;
  const auto config = rate_only(0.5, 2, within(100ns));
  SECTION("a call one bucket too old does not count towards minimum_calls") {
    Breaker breaker{"b", config, clock};
    report(breaker, "F");
    clock.advance(100ns);
    report(breaker, "F");
    CHECK(breaker.state() == State::closed);
  }
  SECTION("a call at the far edge does") {
    Breaker breaker{"b", config, clock};
    report(breaker, "F");
    clock.advance(99ns);
    report(breaker, "F");
    CHECK(breaker.state() == State::open);
  }
}

TEST_CASE("T1 a window of 1 s or more is measured on the coarse clock, a shorter one on the fine clock",
          "[T1]") {
  struct Row {
    std::chrono::nanoseconds length;
    double later;
  };
  for (const Row& row : {Row{1s, 0.0}, Row{999'999'999ns, 0.5}}) {
    CAPTURE(row.length.count());
    const test::FakeClock clock;
    clock.set_coarse_tick(1s);
    Breaker breaker{"b", rate_only(1.0, 1, within(row.length)), clock};
    clock.advance(950ms);
    report(breaker, "SF");
    CHECK(breaker.stats().failure_rate == 0.5);
    clock.advance(50ms);
    CHECK(breaker.stats().failure_rate == row.later);
  }
}

TEST_CASE("T1 a slow_calls limit of 100 ms or more is measured on the coarse clock, except for probes",
          "[T1]") {
  const test::FakeClock clock;
  clock.set_coarse_tick(1s);
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = 1,
                   .reset_timeout = 5s,
                   .slow_calls = SlowCalls{.slower_than = 1s, .minimum_calls = 1, .window = last_calls(1)}},
                  clock};
  const auto call = [&](std::chrono::nanoseconds time) {
    Permit permit = breaker.try_acquire();
    clock.advance(time);
    permit.success();
  };
  call(1999ms);  // from 0 s to 1.999 s: one tick, which is not more than the limit
  CHECK(breaker.stats().slow_count == 0);
  call(1ms);  // to 2 s
  call(2s);
  CHECK(breaker.stats().slow_count == 1);
  REQUIRE(breaker.state() == State::open);
  clock.advance(5s);
  call(1s + 1ns);
  CHECK(breaker.stats().slow_count == 2);
  CHECK(breaker.state() == State::open);
  clock.advance(5s);
  call(1s);
  CHECK(breaker.stats().slow_count == 2);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("T1 a slow_calls limit below 100 ms is measured on the fine clock", "[T1]") {
  struct Row {
    std::chrono::nanoseconds slower_than;
    bool is_coarse;
  };
  for (const Row& row : {Row{100ms, true}, Row{100ms - 1ns, false}}) {
    CAPTURE(row.slower_than.count());
    const test::FakeClock clock;
    clock.set_coarse_tick(4ms);
    auto config = slow_only(1.0, 100, last_calls(100));
    config.slow_calls->slower_than = row.slower_than;
    Breaker breaker{"b", config, clock};
    const auto is_slow = [&](std::chrono::nanoseconds time) {
      const auto before = breaker.stats().slow_count;
      Permit permit = breaker.try_acquire();
      clock.advance(time);
      permit.success();
      return breaker.stats().slow_count > before;
    };
    // From the middle of a coarse tick into the next.
    clock.advance(2ms);
    CHECK(is_slow(row.slower_than + 1ns) == !row.is_coarse);
    CHECK_FALSE(is_slow(row.slower_than));
    CHECK(is_slow(row.slower_than + 4ms));
  }
}

TEST_CASE("T1 disabled breakers measure slow calls on the clock of closed ones", "[T1]") {
  const test::FakeClock clock;
  clock.set_coarse_tick(1s);
  Breaker breaker{"b", slow_only(1.0, 100, last_calls(100)), clock};
  breaker.disable();
  clock.advance(950ms);
  report(breaker, "S");
  CHECK(breaker.stats().slow_count == 0);
}

TEST_CASE("B3 only reports of its closed generation enter a window", "[B3]") {
  const test::FakeClock clock;
  for (const Window window : {last_calls(4), within(1h)}) {
    auto config = rate_only(0.75, 4, window);
    config.success_threshold = 2;
    config.half_open_max_calls = 2;
    Breaker breaker{"b", config, clock};
    Permit late_success = breaker.try_acquire();
    Permit late_failure = breaker.try_acquire();
    Permit later_failure = breaker.try_acquire();
    Permit latest_failure = breaker.try_acquire();
    report(breaker, "SFFF");
    REQUIRE(breaker.state() == State::open);
    REQUIRE(breaker.stats().failure_rate == 0.75);

    late_success.success();
    CHECK(breaker.stats().failure_rate == 0.75);
    late_failure.failure();
    CHECK(breaker.stats().failure_rate == 0.75);

    clock.advance(60s);
    Permit probe = breaker.try_acquire();
    REQUIRE(breaker.state() == State::half_open);
    CHECK(breaker.stats().failure_rate == 0.75);
    later_failure.failure();
    report(breaker, "S");
    CHECK(breaker.stats().failure_rate == 0.75);

    probe.success();
    REQUIRE(breaker.state() == State::closed);
    CHECK(breaker.stats().failure_rate == 0.0);
    latest_failure.failure();
    report(breaker, "FFF");
    CHECK(breaker.state() == State::closed);
    CHECK(breaker.stats().failure_rate == 0.0);
    report(breaker, "S");
    CHECK(breaker.stats().failure_rate == 0.75);
  }
}

TEST_CASE("B3 a window stays readable while open, half-open and open again", "[B3]") {
  const test::FakeClock clock;
  for (const Window window : {last_calls(4), within(24h)}) {
    Breaker breaker{"b", rate_only(0.5, 4, window), clock};
    report(breaker, "SSFF");
    REQUIRE(breaker.state() == State::open);
    CHECK(breaker.stats().failure_rate == 0.5);
    clock.advance(60s);
    CHECK(breaker.stats().failure_rate == 0.5);
    {
      Permit probe = breaker.try_acquire();
      REQUIRE(breaker.state() == State::half_open);
      CHECK(breaker.stats().failure_rate == 0.5);
      probe.failure();
    }
    REQUIRE(breaker.state() == State::open);
    CHECK(breaker.stats().failure_rate == 0.5);
  }
}

TEST_CASE("B3 probes enter no window, however many", "[B3]") {
  const test::FakeClock clock;
  for (const Window window : {last_calls(4), within(24h)}) {
    auto config = rate_only(0.5, 4, window);
    config.success_threshold = 20;
    config.reset_timeout = 1s;
    Breaker breaker{"b", config, clock};
    report(breaker, "SSFF");
    REQUIRE(breaker.state() == State::open);
    clock.advance(1s);
    report(breaker, "SSSSSSSSSS");
    REQUIRE(breaker.state() == State::half_open);
    CHECK(breaker.stats().failure_rate == 0.5);
    report(breaker, "F");
    CHECK(breaker.stats().failure_rate == 0.5);
  }
}

TEST_CASE("B3 a report of an earlier generation takes no place in a window", "[B3]") {
  const test::FakeClock clock;
  for (const Window window : {last_calls(2), within(24h)}) {
    Breaker breaker{"b", rate_only(1.0, 2, window), clock};
    std::vector<Permit> late;
    for (int i = 0; i < 6; ++i) late.push_back(breaker.try_acquire());
    report(breaker, "FF");
    REQUIRE(breaker.state() == State::open);
    late[0].success();
    late[1].failure();
    CHECK(breaker.stats().failure_rate == 1.0);
    clock.advance(60s);
    report(breaker, "SS");
    REQUIRE(breaker.state() == State::closed);
    late[2].success();
    report(breaker, "F");
    late[3].success();
    late[4].failure();
    late[5].ignore();
    CHECK(breaker.stats().failure_rate == 0.0);
    report(breaker, "F");
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().failure_rate == 1.0);
  }
}

TEST_CASE("B3 a rate of time is exact beyond 2^20 calls in a bucket", "[B3]") {
  const test::FakeClock clock;
  Breaker breaker{"b", rate_only(0.5, 10, within(10min)), clock};
  for (int i = 0; i < 1'048'576; ++i) breaker.try_acquire().success();
  clock.advance(1min);
  for (int i = 0; i < 524'288; ++i) breaker.try_acquire().failure();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_rate == Approx(1.0 / 3));
  for (int i = 0; i < 524'287; ++i) breaker.try_acquire().failure();
  CHECK(breaker.state() == State::closed);
  report(breaker, "F");
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B3 a failure after 17,711 resets and 1.6 h stands alone in a time window", "[B3]") {
  const test::FakeClock clock;
  Breaker breaker{"b", rate_only(0.5, 10, within(10s)), clock};
  report(breaker, "FFFFFFFFF");
  for (int i = 0; i < 17'711; ++i) breaker.reset();
  for (int i = 0; i < 96; ++i) {
    clock.advance(1min);
    report(breaker, "F");
    REQUIRE(breaker.state() == State::closed);
  }
}

TEST_CASE("B3 failures before 2^22 failed probes are in no later window", "[B3]") {
  const test::FakeClock clock;
  auto config = rate_only(0.5, 50, last_calls(100));
  config.reset_timeout = 1s;
  config.max_reset_timeout = 1s;
  config.success_threshold = 1;
  Breaker breaker{"b", config, clock};
  report(breaker, "FFFFFFFFFF");
  breaker.force_open();
  breaker.reset();
  report(breaker, "FFFFFFFFFF");
  CHECK(breaker.state() == State::closed);
  report(breaker, std::string(40, 'F'));
  REQUIRE(breaker.state() == State::open);
  for (std::uint32_t i = 0; i <= 1U << 22U; ++i) {
    clock.advance(1s);
    breaker.try_acquire().failure();
  }
  REQUIRE(breaker.state() == State::open);
  clock.advance(1s);
  report(breaker, "S");
  REQUIRE(breaker.state() == State::closed);
  report(breaker, std::string(49, 'F'));
  CHECK(breaker.state() == State::closed);
  report(breaker, "F");
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B3 a time window also moves on while open", "[B3]") {
  const test::FakeClock clock;
  Breaker breaker{"b", rate_only(0.5, 4, within(10s)), clock};
  report(breaker, "SSFF");
  REQUIRE(breaker.state() == State::open);
  clock.advance(10s);
  CHECK(breaker.stats().failure_rate == 0.0);
}

TEST_CASE("B3 windows start anew after closing and after reset()", "[B3]") {
  const test::FakeClock clock;
  for (const Window window : {last_calls(4), within(1h)}) {
    auto config = rate_only(1.0, 3, window);
    config.slow_calls =
        SlowCalls{.slower_than = limit, .threshold = 1.0, .minimum_calls = 3, .window = window};
    Breaker breaker{"b", config, clock};
    SECTION("closing") {
      report(breaker, "FFF");
      clock.advance(60s);
      report(breaker, "SS");
      REQUIRE(breaker.state() == State::closed);
      CHECK(breaker.stats().failure_rate == 0.0);
      report(breaker, "FF");
      CHECK(breaker.state() == State::closed);
      report(breaker, "F");
      CHECK(breaker.state() == State::open);
    }
    SECTION("reset while closed") {
      report(breaker, "ff");
      breaker.reset();
      report(breaker, "ff");
      CHECK(breaker.state() == State::closed);
      report(breaker, "f");
      CHECK(breaker.state() == State::open);
    }
    SECTION("reset while open") {
      report(breaker, "FFF");
      REQUIRE(breaker.state() == State::open);
      breaker.reset();
      CHECK(breaker.stats().failure_rate == 0.0);
      report(breaker, "FF");
      CHECK(breaker.state() == State::closed);
    }
  }
}

TEST_CASE("B3 slower_than is strict", "[B3]") {
  struct Row {
    std::chrono::nanoseconds took;
    State state;
  };
  for (const Row& row :
       {Row{limit - 1ns, State::closed}, Row{limit, State::closed}, Row{limit + 1ns, State::open}}) {
    const test::FakeClock clock;
    Breaker breaker{"b", slow_only(1.0, 1, last_calls(1)), clock};
    CHECK(breaker.execute([&] {
      clock.advance(row.took);
      return 7;
    }) == 7);
    CHECK(breaker.state() == row.state);
    CHECK(breaker.stats().slow_count == (row.state == State::open ? 1U : 0U));
    CHECK(breaker.stats().success_count == 1);
    CHECK(breaker.stats().failure_count == 0);
  }
}

TEST_CASE("B3 B21 a slow success opens, with the reason slow_calls", "[B3][B21]") {
  Breaker breaker{"b", slow_only(0.5, 4, last_calls(4))};
  std::vector<StateChangeReason> reasons;
  const Subscription subscription =
      breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
  report(breaker, "SSss");
  CHECK(breaker.state() == State::open);
  CHECK(reasons == std::vector{StateChangeReason::slow_calls});
  CHECK(breaker.stats().consecutive_failures == 0);
  CHECK(breaker.stats().opened_count == 1);
}

TEST_CASE("B3 a window of slow calls counts every recorded outcome, quick and failed ones too", "[B3]") {
  CHECK(opens_at(slow_only(0.5, 4, last_calls(4)), "FFss") == 4);
  CHECK(opens_at(slow_only(0.5, 4, last_calls(4)), "FFFs") == 0);
  CHECK(opens_at(slow_only(0.5, 4, last_calls(4)), "FFff") == 4);
  CHECK(opens_at(slow_only(1.0, 2, last_calls(2)), "sSsSss") == 6);
  CHECK(opens_at(slow_only(1.0, 3, within(1h)), "sss") == 3);
}

TEST_CASE("B3 a rate of slow calls opens on a later failure too, but not on a success", "[B3]") {
  CHECK(opens_at(slow_only(0.5, 4, last_calls(4)), "ssSS") == 0);
  CHECK(opens_at(slow_only(0.5, 3, last_calls(4)), "ssSF") == 4);
}

TEST_CASE("B3 B21 two rate rules count side by side, each in its own window", "[B3][B21]") {
  auto config = rate_only(0.5, 4, last_calls(4));
  config.slow_calls =
      SlowCalls{.slower_than = limit, .threshold = 1.0, .minimum_calls = 2, .window = last_calls(2)};
  std::vector<StateChangeReason> reasons;
  Breaker breaker{"b", config};
  const Subscription subscription =
      breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
  SECTION("the failure rate opens by itself") {
    report(breaker, "SSFF");
    CHECK(reasons == std::vector{StateChangeReason::failure_rate});
  }
  SECTION("slow calls open by themselves") {
    report(breaker, "SFss");
    CHECK(reasons == std::vector{StateChangeReason::slow_calls});
  }
  SECTION("together they open once, by the failure rate") {
    report(breaker, "SSff");
    CHECK(breaker.state() == State::open);
    CHECK(reasons == std::vector{StateChangeReason::failure_rate});
    CHECK(breaker.stats().opened_count == 1);
  }
}

TEST_CASE("B3 B21 rate rules and failure_threshold work side by side", "[B3][B21]") {
  auto config = rate_only(0.5, 10, last_calls(10));
  config.failure_threshold = 3;
  std::vector<StateChangeReason> reasons;
  Breaker breaker{"b", config};
  const Subscription subscription =
      breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
  SECTION("a run opens below minimum_calls") {
    report(breaker, "SFFF");
    CHECK(reasons == std::vector{StateChangeReason::failure_threshold});
    CHECK(breaker.stats().consecutive_failures == 3);
  }
  SECTION("both at once open by the run") {
    report(breaker, "FSFSFSSFFF");
    CHECK(reasons == std::vector{StateChangeReason::failure_threshold});
    CHECK(breaker.stats().failure_rate == 0.6);
  }
  SECTION("a rate opens without a run") {
    report(breaker, "FSFSFSFSSF");
    CHECK(reasons == std::vector{StateChangeReason::failure_rate});
    CHECK(breaker.stats().consecutive_failures == 1);
  }
}
