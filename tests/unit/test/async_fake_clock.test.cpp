#include <fusebox/test/async_fake_clock.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;
using fusebox::test::FakeClock;
using support::Task;

namespace {

Task<bool> sleep(const AsyncFakeClock& clock, std::chrono::nanoseconds time, std::stop_token token = {}) {
  co_return co_await clock.sleep_for(time, token);
}
Task<bool> queue(const AsyncFakeClock& clock, std::chrono::nanoseconds time, std::stop_token token) {
  co_return co_await clock.wait_in_queue(time, token, true);
}

}  // namespace

TEST_CASE("A6 advance() resumes coroutines at their due times, equal ones in their order", "[A6]") {
  const AsyncFakeClock clock;
  std::string resumed;
  const auto start = clock.now();
  const auto sleeper = [&](char name, std::chrono::nanoseconds time) -> Task<> {
    if (!co_await clock.sleep_for(time)) resumed += '!';
    CHECK(clock.now() == start + time);
    resumed += name;
  };
  auto a = sleeper('a', 2s);
  auto b = sleeper('b', 1s);
  auto c = sleeper('c', 2s);
  for (auto* task : {&a, &b, &c}) task->start();
  clock.timeline().wait_for_sleepers(3);
  CHECK(clock.advance(500ms) == 0);
  CHECK(clock.advance(5s) == 3);
  CHECK(resumed == "bac");
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s, 1s, 2s});
}

TEST_CASE("A6 a coroutine that is resumed may sleep again within one advance()", "[A6]") {
  const AsyncFakeClock clock;
  int rounds = 0;
  const auto sleeper = [&]() -> Task<> {
    for (; rounds < 5; ++rounds) co_await clock.sleep_for(1s);
  };
  auto task = sleeper();
  task.start();
  CHECK(clock.advance(3s) == 3);
  CHECK(rounds == 3);
  CHECK(clock.advance(9s) == 2);
  CHECK(task.is_done());
}

TEST_CASE("A6 a stop ends a sleep, also before it began", "[A6]") {
  const AsyncFakeClock clock;
  std::stop_source stop;
  auto task = sleep(clock, 5s, stop.get_token());
  task.start();
  stop.request_stop();
  REQUIRE(task.is_done());
  CHECK_FALSE(task.result());
  auto late = sleep(clock, 5s, stop.get_token());
  late.start();
  REQUIRE(late.is_done());
  CHECK_FALSE(late.result());
  CHECK(clock.advance(10s) == 0);
  CHECK(clock.sleeps().size() == 2);
}

TEST_CASE("T8 A6 a sleep that ends where a limit does has slept to its end", "[T8][A6]") {
  const AsyncFakeClock clock;
  for (const bool in_queue : {false, true}) {
    fusebox::detail::TimerNode limit{.source = std::stop_source{}};
    clock.arm(limit, clock.now() + 2s);
    auto task =
        in_queue ? queue(clock, 2s, limit.source.get_token()) : sleep(clock, 2s, limit.source.get_token());
    task.start();
    CHECK(clock.advance(3s) == 1);
    REQUIRE(task.is_done());
    CHECK(limit.source.stop_requested());
    CHECK(task.result());
  }
}

TEST_CASE("A14 a wait in a queue is not resumed by who stops it, but by who moves the timeline", "[A14]") {
  const AsyncFakeClock clock;
  std::stop_source stop;
  auto task = queue(clock, 5s, stop.get_token());
  task.start();
  stop.request_stop();
  CHECK_FALSE(task.is_done());
  const auto now = clock.now();
  CHECK(clock.advance(0s) == 1);
  CHECK(clock.now() == now);
  REQUIRE(task.is_done());
  CHECK_FALSE(task.result());
}

TEST_CASE("A6 a coroutine that is destroyed in a sleep leaves the timeline", "[A6]") {
  const AsyncFakeClock clock;
  std::stop_source stop;
  auto task = sleep(clock, 5s, stop.get_token());
  task.start();
  task.destroy();
  stop.request_stop();
  CHECK(clock.advance(10s) == 0);
}

TEST_CASE("A6 if the FakeClock is not manual, a sleep moves it and suspends nobody", "[A6]") {
  const AsyncFakeClock clock{FakeClock{}};
  const auto start = clock.now();
  CHECK(support::run(sleep(clock, 5s)));
  CHECK(clock.now() == start + 5s);
  CHECK(clock.wall_now() == clock.timeline().wall_now());
  CHECK(clock.coarse_now() == clock.now());
}

TEST_CASE("A6 copies share the timeline, also with a FakeClock", "[A6]") {
  const FakeClock timeline = FakeClock::manual();
  const AsyncFakeClock clock{timeline};
  const AsyncFakeClock copy = clock;
  auto task = sleep(copy, 5s);
  task.start();
  timeline.advance(5s);
  REQUIRE(task.is_done());
  CHECK(task.result());
}
