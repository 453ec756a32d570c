#include <fusebox/hedge.hpp>

#include "catch.hpp"

using fusebox::detail::HedgeRace;
using fusebox::detail::Tick;
using fusebox::detail::tick_max;
using fusebox::detail::Verdict;
using What = HedgeRace::What;

namespace {

/// A race and its time.
struct Driven {
  HedgeRace race;
  Tick now = 0;

  /// The number of the copy that starts now.
  int start() {
    const auto next = race.next(now);
    REQUIRE(next.what == What::start);
    race.start(now);
    CHECK(race.is_running(next.copy));
    return next.copy;
  }
  [[nodiscard]] Tick wait() const {
    const auto next = race.next(now);
    REQUIRE(next.what == What::wait);
    return next.wait;
  }
  void report(int copy, Verdict verdict) { race.report(copy, verdict, now); }
};

}  // namespace

TEST_CASE("J1 the first success wins", "[J1]") {
  const auto verdict = GENERATE(Verdict::success, Verdict::late);
  Driven driven{HedgeRace{2, 10, tick_max}};
  CHECK(driven.start() == 0);
  CHECK(driven.wait() == 10);
  driven.now = 10;
  CHECK(driven.start() == 1);
  driven.report(1, verdict);
  CHECK(driven.race.is_over());
  CHECK(driven.race.winner() == 1);
  CHECK(driven.race.result() == 1);
  CHECK(driven.race.next(100).what == What::done);
  CHECK(driven.race.is_running(0));
  driven.report(0, Verdict::success);  // too late
  CHECK(driven.race.winner() == 1);
  CHECK_FALSE(driven.race.is_running(0));
}

TEST_CASE("J1 if all fail, the first failure is that of the call", "[J1]") {
  Driven driven{HedgeRace{2, 10, tick_max}};
  driven.start();
  driven.now = 10;
  driven.start();
  driven.report(1, Verdict::failure);
  CHECK(driven.start() == 2);
  driven.report(2, Verdict::failure);
  CHECK_FALSE(driven.race.is_over());
  CHECK(driven.wait() == tick_max);
  driven.report(0, Verdict::failure);
  CHECK(driven.race.is_over());
  CHECK(driven.race.winner() == HedgeRace::nobody);
  CHECK(driven.race.result() == 1);
}

TEST_CASE("J1 a failure comes before a rejection that came first", "[J1]") {
  Driven driven{HedgeRace{1, 10, tick_max}};
  driven.start();
  driven.now = 10;
  driven.start();
  driven.report(1, Verdict::rejected);
  driven.report(0, Verdict::failure);
  CHECK(driven.race.is_over());
  CHECK(driven.race.result() == 0);
}

TEST_CASE("J1 without a failure the call ends as the first copy that ended", "[J1]") {
  Driven driven{HedgeRace{1, 10, tick_max}};
  driven.start();
  driven.now = 10;
  driven.start();
  driven.report(1, Verdict::rejected);
  driven.report(0, Verdict::cancelled);
  CHECK(driven.race.is_over());
  CHECK(driven.race.result() == 1);
}

TEST_CASE("J2 each hedge starts the delay after the copy before", "[J2]") {
  Driven driven{HedgeRace{2, 10, tick_max}};
  driven.start();
  driven.now = 4;
  CHECK(driven.wait() == 6);
  driven.now = 13;  // late
  CHECK(driven.start() == 1);
  CHECK(driven.wait() == 10);
  driven.now = 23;
  CHECK(driven.start() == 2);
  CHECK(driven.wait() == tick_max);
}

TEST_CASE("J2 without a delay all copies start at once, and with an endless one failures start them",
          "[J2]") {
  Driven at_once{HedgeRace{2, 0, tick_max}};
  CHECK(at_once.start() == 0);
  CHECK(at_once.start() == 1);
  CHECK(at_once.start() == 2);
  CHECK(at_once.wait() == tick_max);

  Driven after_failure{HedgeRace{2, tick_max, tick_max}};
  after_failure.start();
  CHECK(after_failure.wait() == tick_max);
  after_failure.report(0, Verdict::failure);
  CHECK(after_failure.start() == 1);
  CHECK(after_failure.wait() == tick_max);
}

TEST_CASE("J2 a failure starts the next copy at once, and the delay counts from there", "[J2]") {
  Driven driven{HedgeRace{3, 10, tick_max}};
  driven.start();
  driven.now = 3;
  driven.report(0, Verdict::failure);
  CHECK(driven.start() == 1);
  CHECK(driven.wait() == 10);
  driven.now = 13;
  CHECK(driven.start() == 2);
}

TEST_CASE("J2 what is rejected or cancelled starts no copy", "[J2]") {
  const auto verdict = GENERATE(Verdict::rejected, Verdict::cancelled, Verdict::config_error);
  Driven alone{HedgeRace{2, 10, tick_max}};
  alone.start();
  alone.report(0, verdict);
  CHECK(alone.race.is_over());
  CHECK(alone.race.result() == 0);

  Driven beside{HedgeRace{2, 10, tick_max}};
  beside.start();
  beside.now = 10;
  beside.start();
  beside.report(1, verdict);
  CHECK(beside.wait() == tick_max);
  beside.now = 1000;
  CHECK(beside.wait() == tick_max);

  Driven due{HedgeRace{2, 10, tick_max}};
  due.start();
  due.now = 10;
  due.start();
  due.report(0, Verdict::failure);
  due.report(1, verdict);  // the third would have been due
  CHECK(due.race.is_over());
  CHECK(due.race.result() == 0);
}

TEST_CASE("J2 the deadline starts nothing, and no wait begins that it ends", "[J2][P7]") {
  Driven driven{HedgeRace{2, 10, 15}};
  driven.start();
  CHECK(driven.wait() == 10);
  driven.now = 10;
  driven.start();
  CHECK(driven.wait() == tick_max);  // the next one would be due at 20
  driven.now = 15;
  driven.report(0, Verdict::failure);
  CHECK(driven.wait() == tick_max);
  driven.report(1, Verdict::failure);
  CHECK(driven.race.is_over());

  Driven at_deadline{HedgeRace{1, 15, 15}};
  at_deadline.start();
  CHECK(at_deadline.wait() == tick_max);
  at_deadline.now = 15;
  CHECK(at_deadline.wait() == tick_max);

  Driven late{HedgeRace{1, 10, 15}};
  late.start();
  late.now = 16;
  CHECK(late.wait() == tick_max);
}

TEST_CASE("J6 a closed race goes on with the copies that run", "[J6]") {
  Driven driven{HedgeRace{2, 10, tick_max}};
  driven.start();
  driven.now = 10;
  driven.race.close();
  CHECK(driven.wait() == tick_max);
  driven.report(0, Verdict::failure);
  CHECK(driven.race.is_over());
  CHECK(driven.race.result() == 0);

  Driven due{HedgeRace{2, 10, tick_max}};
  due.start();
  due.report(0, Verdict::failure);
  CHECK_FALSE(due.race.is_over());
  due.race.close();
  CHECK(due.race.is_over());
  CHECK(due.race.result() == 0);
}

TEST_CASE("J8 nothing comes of a copy that did not run", "[J8]") {
  Driven driven{HedgeRace{2, 10, tick_max}};
  driven.start();
  driven.now = 10;
  driven.start();
  driven.race.drop(1);
  CHECK(driven.wait() == tick_max);
  driven.report(0, Verdict::rejected);
  CHECK(driven.race.is_over());
  CHECK(driven.race.result() == 0);

  Driven alone{HedgeRace{2, 10, tick_max}};
  alone.start();
  alone.race.drop(0);
  CHECK(alone.race.is_over());
  CHECK(alone.race.result() == HedgeRace::nobody);
  alone.race.drop(0);
  alone.race.drop(7);
}

TEST_CASE("J3 one copy may decide the race, however it ended", "[J3]") {
  Driven driven{HedgeRace{1, 10, tick_max}};
  driven.start();
  driven.now = 10;
  driven.start();
  driven.race.decide(1);
  CHECK(driven.race.is_over());
  CHECK(driven.race.result() == 1);
  CHECK_FALSE(driven.race.is_running(1));
  driven.race.decide(0);
  CHECK(driven.race.result() == 1);
  CHECK_FALSE(driven.race.is_running(0));
}

TEST_CASE("J4 a cancelled race has no result, and a decided one is not cancelled", "[J4]") {
  Driven driven{HedgeRace{1, 10, tick_max}};
  driven.start();
  driven.race.cancel();
  CHECK(driven.race.is_over());
  CHECK(driven.race.is_cancelled());
  driven.report(0, Verdict::success);
  CHECK(driven.race.result() == HedgeRace::nobody);
  CHECK(driven.race.winner() == HedgeRace::nobody);

  Driven won{HedgeRace{1, 10, tick_max}};
  won.start();
  won.report(0, Verdict::success);
  won.race.cancel();
  CHECK_FALSE(won.race.is_cancelled());
  CHECK(won.race.result() == 0);
}

TEST_CASE("J10 a report of a copy that does not run is dropped", "[J10]") {
  Driven driven{HedgeRace{31, 10, tick_max}};
  driven.report(0, Verdict::success);
  CHECK(driven.start() == 0);
  driven.report(1, Verdict::success);
  driven.report(-1, Verdict::success);
  driven.report(32, Verdict::success);
  CHECK_FALSE(driven.race.is_over());
  for (int copy = 1; copy <= 31; ++copy) {
    driven.now += 10;
    CHECK(driven.start() == copy);
  }
  driven.now += 10;
  CHECK(driven.wait() == tick_max);
  CHECK(driven.race.started() == 32);
  driven.report(31, Verdict::failure);
  driven.report(31, Verdict::success);
  CHECK_FALSE(driven.race.is_over());
  CHECK(driven.race.first_to_fail() == 31);
}
