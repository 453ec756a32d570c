#include <fusebox/test/fake_clock.hpp>

#include <fusebox/circuit_breaker.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::FakeClock;
using Waits = std::vector<nanoseconds>;
using WallPoint = std::chrono::system_clock::time_point;

namespace {

constexpr WallPoint noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

/// A thread that sleeps on the clock. Joined before `slept_on()` is read.
class Sleeper {
 public:
  Sleeper(const FakeClock& clock, nanoseconds duration)
      : thread_{[this, clock, duration](std::stop_token token) {
          slept_on_ = clock.sleep_for(duration, token);
        }} {}

  void stop() { thread_.request_stop(); }
  bool slept_on() {
    if (thread_.joinable()) thread_.join();
    return slept_on_;
  }

 private:
  std::atomic<bool> slept_on_{false};
  std::jthread thread_;
};

}  // namespace

// The timeline.

TEST_CASE("T2 a new FakeClock stands at a steady time that is not zero, and at noon of a known day", "[T2]") {
  const FakeClock clock;
  CHECK(clock.now().time_since_epoch() > 0ns);
  CHECK(clock.coarse_now() == clock.now());
  CHECK(clock.wall_now() == noon);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("T2 time stands still unless it is moved", "[T2]") {
  const FakeClock clock;
  const auto now = clock.now();
  SystemClock{}.sleep_for(1ms);
  CHECK(clock.now() == now);
  CHECK(clock.wall_now() == noon);
}

TEST_CASE("T2 advance moves every reading by the same amount", "[T2]") {
  const FakeClock clock;
  const auto now = clock.now();
  clock.advance(90s);
  clock.advance(0ns);
  clock.advance(1us);
  CHECK(clock.now() == now + 90s + 1us);
  CHECK(clock.coarse_now() == now + 90s + 1us);
  CHECK(clock.wall_now() == noon + 90s + 1us);
}

TEST_CASE("T2 copies share one timeline, two clocks do not", "[T2]") {
  const FakeClock clock;
  const FakeClock copy = clock;  // NOLINT(performance-unnecessary-copy-initialization)
  const FakeClock other;
  copy.advance(5s);
  copy.set_wall(noon + 24h);
  copy.sleep_for(1s);
  copy.set_coarse_tick(1h);
  CHECK(clock.now() == copy.now());
  CHECK(clock.wall_now() == noon + 24h + 1s);
  CHECK(clock.sleeps() == Waits{1s});
  CHECK(clock.coarse_now() == copy.coarse_now());
  CHECK(clock.coarse_now() != clock.now());
  CHECK(other.now() == clock.now() - 6s);
  CHECK(other.wall_now() == noon);
  CHECK(other.sleeps().empty());
}

TEST_CASE("T2 assignment joins the other timeline", "[T2]") {
  FakeClock clock;
  const FakeClock other;
  other.advance(1h);
  clock = other;
  other.advance(1h);
  CHECK(clock.now() == other.now());
}

TEST_CASE("T2 a timeline lives as long as one of its clocks", "[T2]") {
  const auto clock = [] {
    const FakeClock made;
    made.advance(3s);
    return FakeClock{made};
  }();
  CHECK(clock.wall_now() == noon + 3s);
}

TEST_CASE("T2 a moved-from FakeClock still shows the time of the shared timeline", "[T2]") {
  FakeClock from;
  FakeClock to = std::move(from);
  to.advance(2s);
  CHECK(from.now() == to.now());  // NOLINT(bugprone-use-after-move)
  CHECK(from.wall_now() == noon + 2s);
  FakeClock assigned;
  assigned = std::move(to);
  to.advance(1s);  // NOLINT(bugprone-use-after-move)
  CHECK(assigned.wall_now() == noon + 3s);
}

TEST_CASE("T2 a moved-from FakeClock still sleeps", "[T2]") {
  FakeClock from;
  const CircuitBreaker breaker{"b", {}, std::move(from)};
  CHECK(from.sleep_for(1s));  // NOLINT(bugprone-use-after-move)
  CHECK(breaker.clock().sleeps() == Waits{1s});
}

TEST_CASE("T2 set_wall() makes the wall clock jump, in both directions, and moves nothing else", "[T2]") {
  const FakeClock clock;
  const auto now = clock.now();
  for (const WallPoint time : {noon + 48h, noon - 48h, WallPoint{}, WallPoint{-1s}}) {
    clock.set_wall(time);
    CHECK(clock.wall_now() == time);
    CHECK(clock.now() == now);
    CHECK(clock.coarse_now() == now);
  }
  clock.advance(3s);
  CHECK(clock.wall_now() == WallPoint{2s});
}

TEST_CASE("T2 the wall clock may stand at either end of its range", "[T2]") {
  const FakeClock clock;
  clock.set_wall(WallPoint::max());
  CHECK(clock.wall_now() == WallPoint::max());
  clock.set_wall(WallPoint::min());
  CHECK(clock.wall_now() == WallPoint::min());
}

TEST_CASE("T2 time saturates at the end of the timeline", "[T2]") {
  const FakeClock clock;
  clock.advance(nanoseconds::max());
  CHECK(clock.now() == std::chrono::steady_clock::time_point::max());
  CHECK(clock.coarse_now() == std::chrono::steady_clock::time_point::max());
  CHECK(clock.wall_now() == WallPoint::max());
  clock.advance(1ns);
  CHECK(clock.now() == std::chrono::steady_clock::time_point::max());
}

TEST_CASE("T2 coarse_now moves in ticks, rounded down", "[T2]") {
  const FakeClock clock;
  const auto start = clock.now();
  clock.set_coarse_tick(4ms);
  CHECK(clock.coarse_now() == start);
  clock.advance(4ms - 1ns);
  CHECK(clock.coarse_now() == start);
  CHECK(clock.now() == start + 4ms - 1ns);
  clock.advance(1ns);
  CHECK(clock.coarse_now() == start + 4ms);
  clock.advance(21ms);
  CHECK(clock.coarse_now() == start + 24ms);
  clock.set_coarse_tick(1ns);
  CHECK(clock.coarse_now() == clock.now());
}

TEST_CASE("T2 senseless arguments are refused, with their name and value", "[T2]") {
  const FakeClock clock;
  const auto now = clock.now();
  CHECK_THROWS_AS(clock.advance(-1ns), std::invalid_argument);
  CHECK_THROWS_WITH(clock.advance(-1ns), "FakeClock.advance duration must be at least 0, got -1ns");
  CHECK_THROWS_AS(clock.set_coarse_tick(0ns), std::invalid_argument);
  CHECK_THROWS_WITH(clock.set_coarse_tick(-7ns), "FakeClock.set_coarse_tick tick must be above 0, got -7ns");
  CHECK(clock.now() == now);
  CHECK(clock.coarse_now() == now);
}

// Sleeping.

TEST_CASE("T2 a sleep moves the timeline by its duration, and sleeps() has it in order", "[T2]") {
  const FakeClock clock;
  const auto now = clock.now();
  CHECK(clock.sleep_for(3s));
  CHECK(clock.sleep_for(1ms));
  CHECK(clock.sleep_for(2s));
  CHECK(clock.now() == now + 5s + 1ms);
  CHECK(clock.wall_now() == noon + 5s + 1ms);
  CHECK(clock.sleeps() == Waits{3s, 1ms, 2s});
}

TEST_CASE("T2 advance() is no wait", "[T2]") {
  const FakeClock clock;
  CHECK(clock.advance(3s) == 0);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("T2 a sleep of zero or less ends at once, moves nothing, and is a wait like any other", "[T2]") {
  for (const FakeClock& clock : {FakeClock{}, FakeClock::manual()}) {
    const auto now = clock.now();
    CHECK(clock.sleep_for(0ns));
    CHECK(clock.sleep_for(-5s));
    CHECK(clock.now() == now);
    CHECK(clock.sleeps() == Waits{0s, -5s});
  }
}

TEST_CASE("T2 a sleep whose token was stopped before moves nothing, but is a wait", "[T2]") {
  std::stop_source source;
  source.request_stop();
  for (const FakeClock& clock : {FakeClock{}, FakeClock::manual()}) {
    const auto now = clock.now();
    CHECK_FALSE(clock.sleep_for(5s, source.get_token()));
    CHECK_FALSE(clock.sleep_for(0s, source.get_token()));
    CHECK(clock.now() == now);
    CHECK(clock.sleeps() == Waits{5s, 0s});
  }
}

TEST_CASE("T2 in manual mode a sleeper waits until advance() makes it due", "[T2]") {
  const auto clock = FakeClock::manual();
  const auto now = clock.now();
  Sleeper sleeper{clock, 10s};
  clock.wait_for_sleepers(1);
  CHECK(clock.now() == now);
  CHECK(clock.advance(10s - 1ns) == 0);
  CHECK(clock.advance(1ns) == 1);
  CHECK(sleeper.slept_on());
  CHECK(clock.now() == now + 10s);
  CHECK(clock.sleeps() == Waits{10s});
}

TEST_CASE("T2 advance() wakes the sleepers due, not the others, and returns their number", "[T2]") {
  const auto clock = FakeClock::manual();
  Sleeper one{clock, 1s};
  clock.wait_for_sleepers(1);
  Sleeper two{clock, 2s};
  clock.wait_for_sleepers(2);
  Sleeper also_two{clock, 2s};
  clock.wait_for_sleepers(3);
  Sleeper three{clock, 3s};
  clock.wait_for_sleepers(4);
  CHECK(clock.sleeps() == Waits{1s, 2s, 2s, 3s});
  CHECK(clock.advance(1s - 1ns) == 0);
  CHECK(clock.advance(1ns) == 1);
  CHECK(clock.advance(0ns) == 0);
  CHECK(clock.advance(1s) == 2);
  CHECK(clock.advance(1h) == 1);
  CHECK(clock.advance(1h) == 0);
  CHECK(one.slept_on());
  CHECK(two.slept_on());
  CHECK(also_two.slept_on());
  CHECK(three.slept_on());
}

TEST_CASE("T2 a sleep that begins later is due later", "[T2]") {
  const auto clock = FakeClock::manual();
  Sleeper first{clock, 10s};
  clock.wait_for_sleepers(1);
  clock.advance(4s);
  Sleeper second{clock, 10s};
  clock.wait_for_sleepers(2);
  CHECK(clock.advance(6s) == 1);
  CHECK(first.slept_on());
  CHECK(clock.advance(4s - 1ns) == 0);
  CHECK(clock.advance(1ns) == 1);
  CHECK(second.slept_on());
}

TEST_CASE("T2 wait_for_sleepers() counts the present sleepers", "[T2]") {
  const auto clock = FakeClock::manual();
  clock.wait_for_sleepers(0);
  {
    Sleeper gone{clock, 1s};
    clock.wait_for_sleepers(1);
    clock.advance(1s);
    CHECK(gone.slept_on());
  }
  std::atomic<bool> found{false};
  std::jthread waiter{[&] {
    clock.wait_for_sleepers(1);
    found = true;
  }};
  CHECK_FALSE(found);
  Sleeper sleeper{clock, 1s};
  waiter.join();
  CHECK(found);
  CHECK(clock.advance(1s) == 1);
  CHECK(sleeper.slept_on());
}

TEST_CASE("T2 a stop ends a manual sleep, and only that one", "[T2]") {
  const auto clock = FakeClock::manual();
  const auto now = clock.now();
  Sleeper stopped{clock, 10s};
  Sleeper other{clock, 10s};
  clock.wait_for_sleepers(2);
  stopped.stop();
  CHECK_FALSE(stopped.slept_on());
  CHECK(clock.now() == now);
  CHECK(clock.advance(10s) == 1);
  CHECK(other.slept_on());
}

TEST_CASE("T2 after request_stop() has returned, advance() wakes that sleeper no more", "[T2]") {
  int woken = 0;
  int slept_on = 0;
  for (int round = 0; round < 200; ++round) {
    const auto clock = FakeClock::manual();
    Sleeper sleeper{clock, 10s};
    clock.wait_for_sleepers(1);
    sleeper.stop();
    woken += static_cast<int>(clock.advance(10s));
    if (sleeper.slept_on()) ++slept_on;
  }
  CHECK(woken == 0);
  CHECK(slept_on == 0);
}

TEST_CASE("T2 if advance() and a stop race, the number of sleepers woken agrees with what the sleeper says",
          "[T2]") {
  int disagreed = 0;
  for (int round = 0; round < 200; ++round) {
    const auto clock = FakeClock::manual();
    Sleeper sleeper{clock, 10s};
    clock.wait_for_sleepers(1);
    std::size_t woken = 0;
    support::run_together(2, [&](int i) {
      if (i == 0) {
        woken = clock.advance(10s);
      } else {
        sleeper.stop();
      }
    });
    if (sleeper.slept_on() != (woken == 1)) ++disagreed;
  }
  CHECK(disagreed == 0);
}

TEST_CASE("T2 set_manual() changes the mode for later sleeps", "[T2]") {
  const FakeClock clock;
  CHECK(clock.sleep_for(1s));
  clock.set_manual();
  Sleeper sleeper{clock, 1s};
  clock.wait_for_sleepers(1);
  CHECK(clock.advance(1s) == 1);
  CHECK(sleeper.slept_on());
  clock.set_manual(false);
  CHECK(clock.sleep_for(1s));
  CHECK(clock.wall_now() == noon + 3s);
}

TEST_CASE("T2 a sleep that moves the timeline wakes the manual sleepers due by then", "[T2]") {
  const auto clock = FakeClock::manual();
  Sleeper sleeper{clock, 10s};
  clock.wait_for_sleepers(1);
  clock.set_manual(false);
  CHECK(clock.sleep_for(10s));
  CHECK(clock.advance(0s) == 0);  // nobody is left to be woken
  CHECK(sleeper.slept_on());
}

TEST_CASE("T2 a manual sleep of the longest duration can be stopped", "[T2]") {
  const auto clock = FakeClock::manual();
  Sleeper sleeper{clock, nanoseconds::max()};
  clock.wait_for_sleepers(1);
  CHECK(clock.advance(24h) == 0);
  sleeper.stop();
  CHECK_FALSE(sleeper.slept_on());
}

// Threads.

TEST_CASE("T2 every member may be used by any number of threads", "[T2]") {
  const FakeClock clock;
  const auto start = clock.now();
  std::atomic<int> went_back{0};
  support::run_together(6, [&](int i) {
    auto last = clock.now();
    for (int n = 0; n < 200; ++n) {
      switch (i) {
        case 0:
        case 1: clock.advance(1ms); break;
        case 2:
        case 3: clock.sleep_for(1us); break;
        case 4: clock.set_wall(noon + std::chrono::seconds{n}); break;
        default:
          clock.set_coarse_tick(std::chrono::milliseconds{1 + n % 5});
          (void)clock.coarse_now();
          (void)clock.wall_now();
          (void)clock.sleeps();
          (void)FakeClock{clock};
      }
      const auto now = clock.now();
      if (now < last) ++went_back;
      last = now;
    }
  });
  CHECK(went_back == 0);
  CHECK(clock.now() == start + 400ms + 400us);
  CHECK(clock.sleeps() == Waits(400, 1us));
}

TEST_CASE("T2 every one of many manual sleepers is woken exactly once", "[T2]") {
  constexpr int sleepers = 4;
  constexpr int rounds = 50;
  constexpr std::size_t total = sleepers * rounds;
  const auto clock = FakeClock::manual();
  std::size_t woken = 0;
  std::atomic<std::size_t> slept_on{0};
  support::run_together(sleepers + 1, [&](int i) {
    if (i == sleepers) {
      while (woken < total) {
        clock.wait_for_sleepers(1);
        woken += clock.advance(1s);
      }
    } else {
      for (int round = 0; round < rounds; ++round) {
        if (clock.sleep_for(std::chrono::seconds{1 + i})) ++slept_on;
      }
    }
  });
  CHECK(woken == total);
  CHECK(slept_on == total);
  CHECK(clock.sleeps().size() == total);
}

TEST_CASE("T3 a wall clock that jumps does not move a manual sleep", "[T3]") {
  for (const WallPoint jumped_to : {noon - 100'000h, noon + 100'000h}) {
    const auto clock = FakeClock::manual();
    Sleeper sleeper{clock, 10s};
    clock.wait_for_sleepers(1);
    clock.set_wall(jumped_to);
    CHECK(clock.advance(10s - 1ns) == 0);
    CHECK(clock.advance(1ns) == 1);
    CHECK(sleeper.slept_on());
  }
}
