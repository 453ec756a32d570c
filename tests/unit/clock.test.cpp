#include <fusebox/clock.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <type_traits>

#include "catch.hpp"

namespace elsewhere {
constexpr auto earlier_of(fusebox::Deadline a, fusebox::Deadline b) { return earliest(a, b); }
}  // namespace elsewhere

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

namespace {

/// Stands still at a time of any sign.
struct StandingClock {
  nanoseconds time;
  [[nodiscard]] SteadyTime now() const { return SteadyTime{time}; }
  [[nodiscard]] static std::chrono::system_clock::time_point wall_now() { return {}; }
  static bool sleep_for(nanoseconds, const StopToken&) { return true; }
};
constexpr StandingClock before_zero{-1h};
constexpr StandingClock at_the_end{nanoseconds::max()};

}  // namespace

// SystemClock.

TEST_CASE("T1 SystemClock is stateless", "[T1]") {
  STATIC_REQUIRE(std::is_empty_v<SystemClock>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<SystemClock>);
  STATIC_REQUIRE(std::is_nothrow_default_constructible_v<SystemClock>);
}

TEST_CASE("T1 SystemClock reads the system's steady and wall clocks", "[T1]") {
  const SystemClock clock;
  const auto steady_before = std::chrono::steady_clock::now();
  const auto steady = clock.now();
  const auto steady_after = std::chrono::steady_clock::now();
  CHECK(steady_before <= steady);
  CHECK(steady <= steady_after);

  const auto wall_before = std::chrono::system_clock::now();
  const auto wall = clock.wall_now();
  const auto wall_after = std::chrono::system_clock::now();
  CHECK(wall_before <= wall);
  CHECK(wall <= wall_after);
}

TEST_CASE("T1 the coarse wall time of SystemClock is a little behind its wall time, and goes on", "[T1]") {
  const SystemClock clock;
  const auto before = clock.wall_now();
  const auto coarse = clock.coarse_wall_now();
  CHECK(coarse <= clock.wall_now());
  CHECK(coarse > before - 1s);
  clock.sleep_for(50ms);
  CHECK(clock.coarse_wall_now() > coarse);
}

TEST_CASE("T1 T4 the coarse wall time of SystemClock can be replaced too", "[T1][T4]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  CHECK(SystemClock{}.coarse_wall_now() == clock.wall_now());
}

TEST_CASE("T1 the coarse readings of SystemClock go on", "[T1]") {
  const SystemClock clock;
  const auto first = clock.coarse_now();
  clock.sleep_for(50ms);
  CHECK(clock.coarse_now() > first);
}

TEST_CASE("T1 the coarse readings of SystemClock never go back and never run ahead of the fine ones",
          "[T1]") {
  const SystemClock clock;
  SteadyTime last = clock.coarse_now();
  int went_back = 0;
  int ran_ahead = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto coarse = clock.coarse_now();
    if (coarse < last) ++went_back;
    if (coarse > clock.now()) ++ran_ahead;
    last = coarse;
  }
  CHECK(went_back == 0);
  CHECK(ran_ahead == 0);
}

// Deadline.

TEST_CASE("T5 a Deadline is never by default", "[T5]") {
  STATIC_REQUIRE(Deadline{}.is_never());
  STATIC_REQUIRE(Deadline::never().is_never());
  STATIC_REQUIRE(Deadline{} == Deadline::never());
  STATIC_REQUIRE(std::is_trivially_copyable_v<Deadline>);
  STATIC_REQUIRE(std::is_nothrow_default_constructible_v<Deadline>);
  const test::FakeClock clock;
  STATIC_REQUIRE(no_timeout == nanoseconds::max());
  CHECK(Deadline::never().remaining(clock) == no_timeout);
  CHECK_FALSE(Deadline::never().expired(clock));
  CHECK(Deadline::never().time() == SteadyTime::max());
}

TEST_CASE("T5 Deadline::at is a point on the steady timeline", "[T5]") {
  constexpr SteadyTime point{90s};
  STATIC_REQUIRE(Deadline::at(point).time() == point);
  STATIC_REQUIRE(Deadline::at(point) == Deadline{point});
  STATIC_REQUIRE(Deadline::at(point) != Deadline::at(point + 1ns));
  STATIC_REQUIRE(!Deadline::at(point).is_never());
  STATIC_REQUIRE(Deadline::at(SteadyTime::max()).is_never());
  STATIC_REQUIRE(!Deadline::at(SteadyTime::max() - 1ns).is_never());
  STATIC_REQUIRE(!std::is_convertible_v<SteadyTime, Deadline>);
}

TEST_CASE("T5 Deadline::after counts from the clock's now", "[T5]") {
  const test::FakeClock clock;
  clock.advance(17s);
  const auto deadline = Deadline::after(5s, clock);
  CHECK(deadline.time() == clock.now() + 5s);
  CHECK_FALSE(deadline.is_never());
  CHECK(Deadline::after(0s, clock).time() == clock.now());
}

TEST_CASE("T5 remaining and expired: just before, at and after the deadline", "[T5]") {
  const test::FakeClock clock;
  const auto deadline = Deadline::after(5s, clock);
  CHECK(deadline.remaining(clock) == 5s);
  CHECK_FALSE(deadline.expired(clock));
  clock.advance(5s - 1ns);
  CHECK(deadline.remaining(clock) == 1ns);
  CHECK_FALSE(deadline.expired(clock));
  clock.advance(1ns);
  CHECK(deadline.remaining(clock) == 0ns);
  CHECK(deadline.expired(clock));
  clock.advance(1000h);
  CHECK(deadline.remaining(clock) == 0ns);
  CHECK(deadline.expired(clock));
}

TEST_CASE("T5 a timeout of zero or less has expired at once", "[T5]") {
  const test::FakeClock clock;
  for (const nanoseconds timeout :
       {nanoseconds{0ns}, nanoseconds{-1ns}, nanoseconds{-24h}, nanoseconds::min()}) {
    CAPTURE(timeout.count());
    const auto deadline = Deadline::after(timeout, clock);
    CHECK(deadline.expired(clock));
    CHECK(deadline.remaining(clock) == 0ns);
  }
}

TEST_CASE("T5 Deadline::after no_timeout, or beyond the end of the timeline, is never", "[T5]") {
  const test::FakeClock clock;
  CHECK(Deadline::after(no_timeout, clock).is_never());
  CHECK(Deadline::after(nanoseconds::max() - 1ns, clock).is_never());
  const nanoseconds left = SteadyTime::max() - clock.now();
  CHECK(Deadline::after(left, clock).is_never());
  CHECK_FALSE(Deadline::after(left - 1ns, clock).is_never());
  CHECK(Deadline::after(left - 1ns, clock).remaining(clock) == left - 1ns);

  CHECK(Deadline::after(no_timeout, before_zero).is_never());
  CHECK_FALSE(Deadline::after(no_timeout - 1ns, before_zero).is_never());
}

TEST_CASE("T5 the arithmetic of Deadline saturates on both sides", "[T5]") {
  CHECK(Deadline::after(nanoseconds::min(), before_zero).time() == SteadyTime::min());
  CHECK(Deadline::at(SteadyTime::max() - 1ns).remaining(before_zero) == nanoseconds::max());
  CHECK(Deadline::at(SteadyTime::min()).remaining(before_zero) == 0ns);
  CHECK(Deadline::at(SteadyTime::min()).remaining(at_the_end) == 0ns);
  CHECK(Deadline::never().remaining(at_the_end) == no_timeout);
  CHECK_FALSE(Deadline::never().expired(at_the_end));
}

TEST_CASE("T5 a Deadline is on the steady timeline only", "[T5]") {
  const test::FakeClock clock;
  const auto deadline = Deadline::after(5s, clock);
  clock.set_wall(clock.wall_now() + 100h);
  clock.set_coarse_tick(1h);
  CHECK(deadline.remaining(clock) == 5s);
}

TEST_CASE("T5 T4 without a clock Deadline asks SystemClock", "[T5][T4]") {
  test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  const auto deadline = Deadline::after(5s);
  CHECK(deadline.time() == clock.now() + 5s);
  clock.advance(2s);
  CHECK(deadline.remaining() == 3s);
  CHECK_FALSE(deadline.expired());
  clock.advance(3s);
  CHECK(deadline.remaining() == 0s);
  CHECK(deadline.expired());
}

TEST_CASE("T5 earliest() gives the earlier of two deadlines, and is found by ADL", "[T5]") {
  constexpr auto soon = Deadline::at(SteadyTime{1s});
  constexpr auto later = Deadline::at(SteadyTime{1s + 1ns});
  STATIC_REQUIRE(elsewhere::earlier_of(soon, later) == soon);
  STATIC_REQUIRE(elsewhere::earlier_of(later, soon) == soon);
  STATIC_REQUIRE(fusebox::earliest(soon, soon) == soon);
  STATIC_REQUIRE(noexcept(earliest(soon, later)));
}

TEST_CASE("T5 never is later than every other deadline", "[T5]") {
  constexpr auto some = Deadline::at(SteadyTime::max() - 1ns);
  STATIC_REQUIRE(earliest(Deadline::never(), some) == some);
  STATIC_REQUIRE(earliest(some, Deadline::never()) == some);
  STATIC_REQUIRE(earliest(Deadline::never(), Deadline::never()).is_never());
}

// The clock of a Deadline.

TEST_CASE("T6 a Deadline asks the clock that it was made with", "[T6]") {
  const test::FakeClock clock;
  const auto deadline = Deadline::after(2s, clock);
  CHECK(deadline.remaining() == 2s);
  CHECK_FALSE(deadline.expired());
  clock.advance(2s - 1ns);
  CHECK(deadline.remaining() == 1ns);
  clock.advance(1ns);
  CHECK(deadline.remaining() == 0s);
  CHECK(deadline.expired());

  const auto same = Deadline::at(clock.now() + 7s, clock);
  CHECK(same.remaining() == 7s);
}

TEST_CASE("T6 a Deadline still answers by any other clock", "[T6]") {
  const test::FakeClock clock;
  const auto deadline = Deadline::after(2s, clock);
  test::FakeClock later = clock;
  CHECK(deadline.remaining(later) == 2s);
  CHECK(deadline.remaining(at_the_end) == 0ns);
  CHECK(deadline.expired(at_the_end));
  CHECK(deadline.remaining(before_zero) == deadline.time() - before_zero.now());
}

TEST_CASE("T6 copies and the earliest of two keep their clocks", "[T6]") {
  const test::FakeClock clock;
  const test::FakeClock other;
  other.advance(1h);
  const auto soon = Deadline::after(1s, clock);
  const auto later = Deadline::after(3s, other);
  const Deadline copy = soon;
  clock.advance(400ms);
  CHECK(copy.remaining() == 600ms);
  CHECK(earliest(soon, later).remaining() == 600ms);
  CHECK(earliest(later, soon).remaining() == 600ms);
  CHECK(earliest(later, Deadline::never()).remaining() == 3s);
  Deadline assigned = later;
  assigned = soon;
  CHECK(assigned.remaining() == 600ms);
}

TEST_CASE("T6 without a clock a Deadline asks SystemClock, and so does one after a timeout", "[T6][T4]") {
  test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  const auto at = Deadline::at(clock.now() + 5s);
  const auto after = Deadline::after(5s);
  const auto given = Deadline::after(5s, SystemClock{});
  clock.advance(2s);
  CHECK(at.remaining() == 3s);
  CHECK(after.remaining() == 3s);
  CHECK(given.remaining() == 3s);
}

TEST_CASE("T6 a Deadline that knows its clock reads no other", "[T6][T3]") {
  test::FakeClock system;
  const test::ScopedSystemClock guard{system};
  system.advance(1000h);
  const test::FakeClock clock;
  CHECK(Deadline::after(5s, clock).remaining() == 5s);
}

TEST_CASE("T6 never has no time to run out by any clock", "[T6]") {
  const test::FakeClock clock;
  CHECK(Deadline::after(no_timeout, clock).is_never());
  CHECK(Deadline::after(no_timeout, clock).remaining() == no_timeout);
  CHECK_FALSE(Deadline::never().expired());
  CHECK(Deadline::at(SteadyTime::max(), clock).remaining() == no_timeout);
}

TEST_CASE("T6 deadlines are equal if their times are, whatever their clocks", "[T6]") {
  const test::FakeClock clock;
  const auto deadline = Deadline::after(5s, clock);
  CHECK(deadline == Deadline::at(clock.now() + 5s));
  CHECK(deadline == Deadline::at(clock.now() + 5s, before_zero));
  CHECK(deadline != Deadline::after(5s + 1ns, clock));
}

TEST_CASE("T6 a Deadline is small and trivially copyable", "[T6]") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<Deadline>);
  STATIC_REQUIRE(sizeof(Deadline) <= 3 * sizeof(void*));
}

TEST_CASE("T6 a clock of an empty type may be a temporary", "[T6]") {
  struct Frozen {
    [[nodiscard]] static SteadyTime now() { return SteadyTime{5s}; }
    [[nodiscard]] static std::chrono::system_clock::time_point wall_now() { return {}; }
    static bool sleep_for(nanoseconds, const StopToken&) { return true; }
  };
  CHECK(Deadline::after(2s, Frozen{}).remaining() == 2s);
  CHECK(Deadline::at(SteadyTime{6s}, Frozen{}).remaining() == 1s);
}
