#include <fusebox/rate_limiter/detail/gcra.hpp>

#include <atomic>
#include <cstdint>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using detail::Reservation;
using detail::Tick;
using detail::tick_max;
using detail::tick_min;
using Gcra = detail::Gcra<>;

namespace {

/// How many single permits there are at `now`.
int drain(Gcra& gcra, Tick now) {
  int taken = 0;
  while (taken < 1'000 && gcra.try_take(1, now)) ++taken;
  return taken;
}

}  // namespace

TEST_CASE("Q6 a clock that stands still admits the burst", "[Q6]") {
  for (const Tick now :
       {Tick{0}, Tick{1'000}, Tick{-1'000}, tick_max, tick_min, tick_max - 1, tick_min + 1}) {
    INFO("at " << now);
    Gcra gcra{100, 5};
    // At the beginning of the timeline nothing has been saved up.
    CHECK(drain(gcra, now) == (now < tick_min + 500 ? 0 : 5));
  }
}

TEST_CASE("Q2 permits come back one by one, and never more than the burst", "[Q2]") {
  Gcra gcra{100, 5};
  CHECK(drain(gcra, 0) == 5);
  CHECK(drain(gcra, 99) == 0);
  CHECK(drain(gcra, 100) == 1);
  CHECK(drain(gcra, 299) == 1);
  CHECK(drain(gcra, 300) == 1);
  CHECK(drain(gcra, 800) == 5);
  CHECK(drain(gcra, 1'000'000) == 5);  // after an idle time, not one more
  CHECK(drain(gcra, 1'000'099) == 0);
}

TEST_CASE("Q2 several permits at once cost as much as one by one", "[Q2]") {
  Gcra gcra{100, 5};
  CHECK(gcra.try_take(3, 0));
  CHECK_FALSE(gcra.try_take(3, 99));
  CHECK(gcra.try_take(3, 100));
  CHECK(drain(gcra, 100) == 0);
  CHECK(gcra.try_take(5, 600));
}

TEST_CASE("Q2 a clock that goes back admits nothing until it has caught up", "[Q2]") {
  Gcra gcra{100, 2};
  CHECK(drain(gcra, 1'000) == 2);
  CHECK(drain(gcra, 500) == 0);
  CHECK(gcra.wait_for(1, 500) == 600);
  CHECK(drain(gcra, 1'099) == 0);
  CHECK(drain(gcra, 1'100) == 1);
}

TEST_CASE("Q1 at the ends of the timeline nothing is given too much", "[Q1]") {
  Gcra from_end{100, 5};
  CHECK(drain(from_end, tick_max) == 5);
  CHECK(from_end.wait_for(1, tick_max) == tick_max);
  const Reservation beyond = from_end.take(1, tick_max, tick_max);
  CHECK(beyond.is_refused());

  Gcra near_end{100, 5};
  CHECK(drain(near_end, tick_max - 150) == 5);
  CHECK(near_end.take(1, tick_max - 150, tick_max).wait == 100);
  CHECK(near_end.take(1, tick_max - 150, tick_max).is_refused());

  Gcra from_begin{100, 5};
  CHECK(drain(from_begin, tick_min) == 0);
  CHECK(from_begin.wait_for(5, tick_min) == 500);
  CHECK(drain(from_begin, tick_min + 250) == 2);

  Gcra slow{tick_max, 1};
  CHECK(drain(slow, 0) == 1);
  CHECK(drain(slow, tick_max - 1) == 0);
  CHECK(drain(slow, tick_max) == 1);
}

TEST_CASE("Q3 a refusal takes nothing and says when n fit", "[Q3]") {
  Gcra gcra{100, 5};
  CHECK(drain(gcra, 0) == 5);
  CHECK(gcra.wait_for(1, 0) == 100);
  CHECK(gcra.wait_for(5, 0) == 500);
  CHECK(gcra.wait_for(1, 30) == 70);
  const Reservation refused = gcra.take(2, 0, 199);
  CHECK(refused.is_refused());
  CHECK(refused.wait == 200);
  CHECK(gcra.wait_for(1, 0) == 100);
  CHECK(gcra.wait_for(1, 100) == 0);
}

TEST_CASE("Q4 reservations are due in their order", "[Q4]") {
  Gcra gcra{100, 1};
  CHECK(gcra.try_take(1, 0));
  CHECK(gcra.take(1, 0, 250).wait == 100);
  CHECK(gcra.take(1, 50, 250).wait == 150);
  CHECK(gcra.take(1, 50, 250).wait == 250);
  CHECK(gcra.take(1, 50, 250).is_refused());
  CHECK_FALSE(gcra.try_take(1, 300));  // the last one is due now
  CHECK(gcra.try_take(1, 400));
  const Reservation at_once = gcra.take(1, 1'000, 250);
  CHECK_FALSE(at_once.is_refused());
  CHECK(at_once.wait == 0);
}

TEST_CASE("Q5 the last place returns, another one is lost", "[Q5]") {
  Gcra gcra{100, 1};
  CHECK(gcra.try_take(1, 0));
  const Reservation first = gcra.take(1, 0, 1'000);
  const Reservation second = gcra.take(1, 0, 1'000);
  gcra.give_back(first);
  CHECK(gcra.wait_for(1, 0) == 300);
  gcra.give_back(second);
  CHECK(gcra.wait_for(1, 0) == 200);
  gcra.give_back(first);  // nobody is left after it
  CHECK(gcra.wait_for(1, 0) == 100);
}

TEST_CASE("Q5 a place that returned and was reserved again stays reserved", "[Q5]") {
  Gcra gcra{100, 1};
  CHECK(gcra.try_take(1, 0));
  const Reservation first = gcra.take(1, 0, 1'000);
  const Reservation second = gcra.take(1, 0, 1'000);
  gcra.give_back(second);
  const Reservation third = gcra.take(1, 0, 1'000);
  CHECK(third.wait == 200);
  gcra.give_back(first);
  CHECK(gcra.wait_for(1, 0) == 300);
  CHECK(first.wait == 100);
}

TEST_CASE("Q7 until the reset no more is admitted than the server says", "[Q7]") {
  Gcra gcra{100, 5};
  gcra.report(2, 1'000, 0);
  CHECK(drain(gcra, 0) == 2);
  CHECK(drain(gcra, 999) == 0);
  CHECK(gcra.wait_for(1, 0) == 1'000);
  CHECK(gcra.wait_for(5, 400) == 600);
  CHECK(drain(gcra, 1'000) == 5);
}

TEST_CASE("Q7 a report makes nothing faster", "[Q7]") {
  Gcra gcra{100, 5};
  gcra.report(1'000, 1'000, 0);
  CHECK(drain(gcra, 0) == 5);
  gcra.report(4, 1'000, 0);
  CHECK(drain(gcra, 0) == 0);
  CHECK(gcra.wait_for(1, 0) == 100);
  CHECK(drain(gcra, 400) == 4);
  CHECK(drain(gcra, 900) == 0);
  CHECK(drain(gcra, 1'000) == 5);
}

TEST_CASE("Q7 a report that leaves what the config does is ignored", "[Q7]") {
  Gcra gcra{100, 5};
  gcra.report(15, 1'000, 0);  // the burst, and one each 100
  CHECK(gcra.try_take(5, 0));
  for (Tick now = 100; now <= 1'000; now += 100) CHECK(gcra.try_take(1, now));
  gcra.report(3, 0, 1'500);
  gcra.report(3, -1, 1'500);
  CHECK(drain(gcra, 1'500) == 5);
  gcra.report(-7, 100, 2'000);
  CHECK(drain(gcra, 2'099) == 0);
  CHECK(drain(gcra, 2'100) == 5);
}

TEST_CASE("Q7 of two reports the one that leaves no more holds, until the later reset", "[Q7]") {
  Gcra gcra{100, 5};
  gcra.report(3, 1'000, 0);
  gcra.report(4, 5'000, 0);  // an answer that was overtaken
  CHECK(gcra.try_take(1, 0));
  gcra.report(1, 500, 0);
  CHECK(drain(gcra, 0) == 1);
  CHECK(drain(gcra, 999) == 0);
  CHECK(drain(gcra, 1'000) == 5);
  gcra.report(4, 1'000, 2'000);  // the one before is over
  CHECK(drain(gcra, 2'000) == 4);
  gcra.report(0, 1'000, 2'500);
  CHECK(drain(gcra, 2'999) == 0);
  CHECK(drain(gcra, 3'499) == 0);
  CHECK(drain(gcra, 3'500) == 5);
}

TEST_CASE("Q7 Q4 a call that does not fit before the reset may wait for it", "[Q7][Q4]") {
  Gcra gcra{100, 5};
  gcra.report(1, 1'000, 0);
  CHECK(gcra.take(2, 0, 999).is_refused());
  CHECK(gcra.take(2, 0, 1'000).wait == 1'000);
  CHECK(gcra.wait_for(1, 0) == 1'000);  // though the server admits one: nobody overtakes
  CHECK(gcra.take(3, 0, 1'000).wait == 1'000);
  CHECK(gcra.take(1, 0, 2'000).wait == 1'100);
  CHECK(drain(gcra, 1'099) == 0);  // with those that waited, the burst
  CHECK(drain(gcra, 1'199) == 0);
  CHECK(drain(gcra, 1'200) == 1);
}

TEST_CASE("Q7 a call that is due after the reset does not count in the report", "[Q7]") {
  Gcra gcra{100, 1};
  CHECK(gcra.try_take(1, 0));
  CHECK(gcra.take(1, 0, 1'000).wait == 100);
  gcra.report(1, 150, 0);
  CHECK(gcra.take(1, 0, 1'000).wait == 200);
  CHECK(gcra.wait_for(1, 0) == 300);

  Gcra pairs{100, 2};
  CHECK(pairs.try_take(2, 0));
  pairs.report(1, 150, 0);
  const Reservation after_reset = pairs.take(2, 0, 1'000);
  CHECK(after_reset.wait == 200);
  pairs.give_back(after_reset);
  CHECK(pairs.wait_for(1, 0) == 100);
}

TEST_CASE("Q7 Q5 a wait that is cancelled gives its share of the report back", "[Q7][Q5]") {
  Gcra gcra{100, 1};
  gcra.report(2, 1'000, 0);
  CHECK(gcra.try_take(1, 0));
  const Reservation waiting = gcra.take(1, 0, 500);
  CHECK(waiting.wait == 100);
  CHECK(gcra.wait_for(1, 200) == 800);
  gcra.give_back(waiting);
  CHECK(gcra.try_take(1, 200));
  CHECK(gcra.wait_for(1, 300) == 700);

  Gcra renewed{100, 1};
  renewed.report(2, 1'000, 0);
  CHECK(renewed.try_take(1, 0));
  const Reservation counted = renewed.take(1, 0, 500);
  renewed.report(0, 2'000, 100);  // another report
  renewed.give_back(counted);
  CHECK_FALSE(renewed.try_take(1, 2'099));
  CHECK(renewed.try_take(1, 2'100));
}

TEST_CASE("Q2 threads together take what one would", "[Q2]") {
  constexpr int threads = 4;
  constexpr int steps = 20'000;
  Gcra gcra{100, 10};
  std::atomic<Tick> now{0};
  std::atomic<std::int64_t> taken{0};
  support::run_together(threads, [&](int) {
    std::int64_t own = 0;
    for (int i = 0; i < steps; ++i) {
      const Tick read = now.fetch_add(10);
      const Reservation reserved = gcra.take(1 + i % 2, read, i % 3 == 0 ? 50 : 0);
      if (reserved.is_refused()) continue;
      if (i % 7 == 0) {
        gcra.give_back(reserved);
      }
      own += reserved.cost / 100;
    }
    taken += own;
  });
  // Of 80,000 steps of 10: 8,000 permits and the burst; what was given back was counted above all the same.
  CHECK(taken.load() >= 7'900);
  CHECK(gcra.wait_for(10, now.load() + 2'000) == 0);
}

TEST_CASE("Q2 threads that give nothing back never take more than the bound", "[Q2]") {
  constexpr int threads = 4;
  constexpr int steps = 20'000;
  Gcra gcra{100, 10};
  std::atomic<Tick> now{0};
  std::atomic<std::int64_t> taken{0};
  support::run_together(threads, [&](int) {
    std::int64_t own = 0;
    for (int i = 0; i < steps; ++i) {
      if (gcra.try_take(1, now.fetch_add(10))) ++own;
    }
    taken += own;
  });
  CHECK(taken.load() <= 10 + now.load() / 100);
  CHECK(taken.load() >= now.load() / 100 - threads * 10);
}
