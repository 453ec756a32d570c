#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "catch.hpp"

using namespace std::chrono_literals;
using fusebox::test::FakeClock;

namespace {

struct Bell final : fusebox::test::Alarm {
  explicit Bell(std::function<void()> then) : on_ring{std::move(then)} {}
  void ring() override { on_ring(); }
  std::function<void()> on_ring;
};

}  // namespace

TEST_CASE("A6 an alarm rings once the timeline has come so far, by due time and then by age", "[A6]") {
  const FakeClock clock = FakeClock::manual();
  std::string rung;
  const auto start = clock.now();
  Bell late{[&] { rung += 'l'; }};
  Bell early{[&] {
    CHECK(clock.now() == start + 1s);
    rung += 'e';
  }};
  Bell second{[&] { rung += 's'; }};
  CHECK_FALSE(clock.set_alarm(3s, late));
  CHECK_FALSE(clock.set_alarm(1s, early));
  CHECK_FALSE(clock.set_alarm(3s, second));
  clock.wait_for_sleepers(3);
  CHECK(clock.advance(999ms) == 0);
  CHECK(rung.empty());
  CHECK(clock.advance(10s) == 3);
  CHECK(rung == "els");
  CHECK(clock.now() == start + 999ms + 10s);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{3s, 1s, 3s});
  CHECK(clock.advance(10s) == 0);
}

TEST_CASE("A6 a cancelled alarm does not ring; to cancel one that is not set does nothing", "[A6]") {
  const FakeClock clock = FakeClock::manual();
  int rings = 0;
  Bell bell{[&] { ++rings; }};
  clock.cancel_alarm(bell);
  CHECK_FALSE(clock.set_alarm(1s, bell));
  clock.cancel_alarm(bell);
  clock.advance(2s);
  CHECK(rings == 0);
}

TEST_CASE("A6 ring() may set alarms, cancel them and move the timeline", "[A6]") {
  const FakeClock clock = FakeClock::manual();
  const auto start = clock.now();
  int rings = 0;
  Bell other{[&] { rings += 100; }};
  Bell bell{[&] {
    clock.cancel_alarm(bell);
    clock.cancel_alarm(other);
    if (++rings < 3) CHECK_FALSE(clock.set_alarm(1s, bell));
  }};
  CHECK_FALSE(clock.set_alarm(1s, bell));
  CHECK_FALSE(clock.set_alarm(1s, other));
  CHECK(clock.advance(10s) == 3);
  CHECK(rings == 3);
  CHECK(clock.now() == start + 10s);
}

TEST_CASE("A6 an alarm of no duration, or of a clock that moves by itself, is over at once", "[A6]") {
  const FakeClock manual = FakeClock::manual();
  Bell bell{[] { FAIL("it rings"); }};
  CHECK(manual.set_alarm(0s, bell));
  CHECK(manual.set_alarm(-1s, bell));
  const FakeClock moving;
  const auto start = moving.now();
  CHECK(moving.set_alarm(5s, bell));
  CHECK(moving.now() == start + 5s);
  CHECK(moving.sleeps() == std::vector<std::chrono::nanoseconds>{5s});
}

TEST_CASE("A6 cancel_alarm() waits for a ring() on another thread", "[A6]") {
  for (int i = 0; i < 200; ++i) {
    const FakeClock clock = FakeClock::manual();
    bool is_alive = true;
    Bell bell{[&] { CHECK(is_alive); }};
    CHECK_FALSE(clock.set_alarm(1s, bell));
    std::thread mover{[&] { clock.advance(1s); }};
    clock.cancel_alarm(bell);
    is_alive = false;
    mover.join();
  }
}
