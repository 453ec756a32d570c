// How limits end on a FakeClock, and on the FakeClock that stands in for SystemClock.
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <fusebox/detail/timer/thread.hpp>

#include "catch.hpp"
#include "support/threads.hpp"
#include "support/timers.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::TimerNode;
using std::chrono::nanoseconds;
using support::node_with_source;
using support::on_stop;
using test::FakeClock;

TEST_CASE("T8 a limit ends when advance() reaches it, not before", "[T8]") {
  for (const FakeClock& clock : {FakeClock{}, FakeClock::manual()}) {
    auto node = node_with_source();
    clock.arm(node, clock.now() + 10s);
    clock.advance(10s - 1ns);
    CHECK_FALSE(node.source.stop_requested());
    clock.advance(1ns);
    CHECK(node.source.stop_requested());
  }
}

TEST_CASE("T8 a limit ends when a sleep reaches it", "[T8]") {
  const FakeClock clock;
  auto node = node_with_source();
  clock.arm(node, clock.now() + 10s);
  CHECK(clock.sleep_for(9s));
  CHECK_FALSE(node.source.stop_requested());
  CHECK(clock.sleep_for(1s));
  CHECK(node.source.stop_requested());
}

TEST_CASE("T8 a sleep that a limit stops ends there, in both modes", "[T8]") {
  SECTION("a sleep that moves the timeline") {
    const FakeClock clock;
    const auto start = clock.now();
    auto node = node_with_source();
    clock.arm(node, start + 3s);
    CHECK_FALSE(clock.sleep_for(10s, node.source.get_token()));
    CHECK(clock.now() == start + 3s);
  }
  SECTION("a sleep that waits") {
    const auto clock = FakeClock::manual();
    const auto start = clock.now();
    auto node = node_with_source();
    clock.arm(node, start + 3s);
    std::atomic<bool> slept_on{true};
    {
      std::jthread sleeper{[&] { slept_on = clock.sleep_for(10s, node.source.get_token()); }};
      clock.wait_for_sleepers(1);
      CHECK(clock.advance(1h) == 0);  // the limit comes first
    }
    CHECK_FALSE(slept_on);
    CHECK(clock.now() == start + 1h);
  }
}

TEST_CASE("T8 a sleep that ends where a limit does has slept to its end", "[T8]") {
  const FakeClock clock;
  auto node = node_with_source();
  clock.arm(node, clock.now() + 3s);
  CHECK(clock.sleep_for(3s, node.source.get_token()));
  CHECK(node.source.stop_requested());
}

TEST_CASE("T8 limits end in the order in which they are due, each at its time", "[T8]") {
  const FakeClock clock;
  const auto start = clock.now();
  std::vector<TimerNode> nodes;
  for (int i = 0; i < 100; ++i) nodes.push_back(node_with_source());
  std::vector<nanoseconds> ends;
  std::vector<std::unique_ptr<support::OnStop>> callbacks;
  for (const TimerNode& node : nodes)
    callbacks.push_back(on_stop(node, [&] { ends.push_back(clock.now() - start); }));
  std::vector<nanoseconds> expected;
  std::mt19937 random{7};
  for (TimerNode& node : nodes) {
    expected.emplace_back(1 + random() % 40);
    clock.arm(node, start + expected.back());
  }
  std::sort(expected.begin(), expected.end());
  clock.advance(1h);
  CHECK(ends == expected);
  CHECK(clock.now() == start + 1h);
}

TEST_CASE("T8 sleepers wake and limits end in the order in which they are due", "[T8]") {
  const auto clock = FakeClock::manual();
  auto node = node_with_source();
  clock.arm(node, clock.now() + 5s);
  std::atomic<int> slept_on{0};
  {
    const auto sleep = [&](nanoseconds duration) {
      if (clock.sleep_for(duration, node.source.get_token())) ++slept_on;
    };
    std::jthread before{sleep, 4s};
    std::jthread at{sleep, 5s};
    std::jthread after{sleep, 6s};
    clock.wait_for_sleepers(3);
    CHECK(clock.advance(1h) == 2);
  }
  CHECK(slept_on == 2);
}

TEST_CASE("T8 a disarmed limit does not end, and may be gone", "[T8]") {
  const FakeClock clock;
  auto later = node_with_source();
  {
    auto node = node_with_source();
    clock.arm(node, clock.now() + 1s);
    clock.arm(later, clock.now() + 2s);
    clock.disarm(node);
    clock.disarm(node);  // again: nothing happens
    clock.advance(1s);
    CHECK_FALSE(node.source.stop_requested());
  }
  clock.advance(1s);
  CHECK(later.source.stop_requested());
  clock.disarm(later);  // too late: nothing happens
}

TEST_CASE("T8 a limit is not looked for on another timeline", "[T8]") {
  FakeClock clock;
  const FakeClock other;
  auto node = node_with_source();
  auto others = node_with_source();
  clock.arm(node, clock.now() + 1s);
  other.arm(others, other.now() + 1s);
  clock = other;
  clock.disarm(node);
  other.advance(1s);
  CHECK(others.source.stop_requested());
}

TEST_CASE("T8 a limit that is over when it is armed ends at once", "[T8]") {
  const FakeClock clock;
  for (const auto due : {clock.now(), clock.now() - 1s}) {
    auto node = node_with_source();
    clock.arm(node, due);
    CHECK(node.source.stop_requested());
    clock.disarm(node);
  }
}

TEST_CASE("T8 a stop may use the clock, also to move it and to arm limits", "[T8]") {
  const FakeClock clock;
  const auto start = clock.now();
  auto node = node_with_source();
  auto armed_by_stop = node_with_source();
  std::optional<nanoseconds> second_end;
  const auto second = on_stop(armed_by_stop, [&] { second_end = clock.now() - start; });
  const auto first = on_stop(node, [&] {
    clock.arm(armed_by_stop, clock.now() + 1s);
    CHECK(clock.sleep_for(500ms));
  });
  clock.arm(node, start + 10s);
  clock.advance(20s);
  CHECK(second_end == 11s);
  CHECK(clock.now() == start + 20s + 500ms);
}

TEST_CASE("T8 threads that move the timeline over limits move it by the sum", "[T8]") {
  const FakeClock clock;
  const auto start = clock.now();
  std::vector<TimerNode> nodes;
  for (int i = 0; i < 400; ++i) nodes.push_back(node_with_source());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    clock.arm(nodes[i], start + std::chrono::seconds{i % 350 + 1});
  support::run_together(4, [&](int i) {
    for (int n = 0; n < 50; ++n) {
      if (i % 2 == 0) {
        clock.sleep_for(2s);
      } else {
        clock.advance(2s);
      }
    }
  });
  CHECK(clock.now() == start + 400s);
  CHECK(std::all_of(nodes.begin(), nodes.end(),
                    [](const TimerNode& node) { return node.source.stop_requested(); }));
}

TEST_CASE("T8 100,000 limits live at once", "[T8]") {
  const FakeClock clock;
  const auto start = clock.now();
  constexpr std::size_t count = 100'000;
  std::vector<TimerNode> nodes(count);
  std::mt19937_64 random{3};
  std::size_t due = 0;
  for (TimerNode& node : nodes) {
    node.source = std::stop_source{};
    const nanoseconds after{1 + static_cast<long>(random() % 1'000'000)};
    if (after <= 500us) ++due;
    clock.arm(node, start + after);
  }
  for (std::size_t i = 0; i < count; i += 2) {
    if (nodes[i].due <= detail::ticks(start + 500us)) --due;
    clock.disarm(nodes[i]);
  }
  clock.advance(500us);
  const auto ended = std::count_if(nodes.begin(), nodes.end(),
                                   [](const TimerNode& node) { return node.source.stop_requested(); });
  CHECK(static_cast<std::size_t>(ended) == due);
}

TEST_CASE("T8 a timeline may end before the limits on it", "[T8]") {
  auto node = node_with_source();
  {
    const FakeClock clock;
    clock.arm(node, clock.now() + 1s);
  }
  CHECK_FALSE(node.source.stop_requested());
}

TEST_CASE("D9 a limit of SystemClock ends on the FakeClock that stands in for it", "[D9]") {
  const FakeClock fake;
  const test::ScopedSystemClock guard{fake};
  auto node = node_with_source();
  SystemClock{}.arm(node, SystemClock{}.now() + 10s);
  fake.advance(10s - 1ns);
  CHECK_FALSE(node.source.stop_requested());
  fake.advance(1ns);
  CHECK(node.source.stop_requested());
  SystemClock{}.disarm(node);
}

TEST_CASE("D9 a limit is disarmed where it was armed, though the guard has ended", "[D9]") {
  SECTION("and the FakeClock lives") {
    const FakeClock fake;
    auto node = node_with_source();
    {
      const test::ScopedSystemClock guard{fake};
      SystemClock{}.arm(node, SystemClock{}.now() + 10s);
    }
    SystemClock{}.disarm(node);
    fake.advance(10s);
    CHECK_FALSE(node.source.stop_requested());
  }
  SECTION("and nobody else has the FakeClock any more") {
    auto node = node_with_source();
    {
      const test::ScopedSystemClock guard{FakeClock{}};
      SystemClock{}.arm(node, SystemClock{}.now() + 10s);
    }
    SystemClock{}.disarm(node);
    CHECK_FALSE(node.source.stop_requested());
  }
  SECTION("or has begun") {
    auto node = node_with_source();
    const std::size_t before = detail::timer_thread().size();
    SystemClock{}.arm(node, SystemClock{}.now() + 1h);
    CHECK(detail::timer_thread().size() == before + 1);
    const test::ScopedSystemClock guard{FakeClock{}};
    SystemClock{}.disarm(node);
    CHECK(detail::timer_thread().size() == before);
  }
}

TEST_CASE("D9 a clock without limits that stands in for SystemClock stops nothing", "[D9]") {
  struct StandingClock {
    static std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::time_point{1h}; }
    static std::chrono::system_clock::time_point wall_now() { return {}; }
    static bool sleep_for(nanoseconds /*duration*/, const StopToken& /*token*/) { return true; }
  };
  const test::ScopedSystemClock guard{StandingClock{}};
  const std::size_t before = detail::timer_thread().size();
  auto node = node_with_source();
  SystemClock{}.arm(node, SystemClock{}.now() + 1ns);
  CHECK(detail::timer_thread().size() == before);
  SystemClock{}.disarm(node);
  CHECK_FALSE(node.source.stop_requested());
}
