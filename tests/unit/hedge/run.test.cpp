#include <fusebox/hedge.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;
using Kind = HedgeStep::Kind;

namespace {

template <class Run>
int start(Run& run) {
  const HedgeStep step = run.next();
  REQUIRE(step.kind == Kind::start);
  return step.copy;
}
template <class Run>
std::chrono::nanoseconds wait(Run& run) {
  const HedgeStep step = run.next();
  REQUIRE(step.kind == Kind::wait);
  return step.wait;
}

}  // namespace

TEST_CASE("J10 a run says when to start which copy, and who won", "[J10]") {
  const FakeClock clock = FakeClock::manual();
  auto policy = hedge({.delay = 2s, .max_hedges = 2}, clock);
  auto run = policy.start();
  CHECK(start(run) == 0);
  CHECK(wait(run) == 2s);
  clock.advance(500ms);
  CHECK(wait(run) == 1500ms);
  clock.advance(1500ms);
  CHECK(start(run) == 1);
  CHECK(wait(run) == 2s);
  run.report(1, true);
  CHECK(run.is_over());
  CHECK(run.next().kind == Kind::done);
  CHECK(run.winner() == 1);
  CHECK(run.result() == 1);
  CHECK(run.started() == 2);
  CHECK(run.is_running(0));
  CHECK_FALSE(run.is_running(1));
  run.report(0, false);
  CHECK_FALSE(run.is_running(0));
  CHECK(run.winner() == 1);
  CHECK(run.next().kind == Kind::done);
  CHECK(policy.stats() == HedgeStats{.started = 1, .won_by_hedge = 1, .calls = 1});
}

TEST_CASE("J10 failures of a run start the next copy, and the first one is the result", "[J10][J1][J2]") {
  const FakeClock clock = FakeClock::manual();
  auto policy = hedge({.delay = 2s}, clock);
  auto run = policy.start();
  CHECK(start(run) == 0);
  run.report(0, false);
  CHECK(start(run) == 1);
  CHECK(wait(run) == no_timeout);
  run.report(1, Outcome::failure);
  CHECK(run.next().kind == Kind::done);
  CHECK(run.winner() == -1);
  CHECK(run.result() == 0);
  CHECK(policy.stats() == HedgeStats{.started = 1, .calls = 1});
}

TEST_CASE("J10 an ignored end starts nothing", "[J10][J2]") {
  auto policy = hedge({.delay = 2s}, FakeClock::manual());
  auto run = policy.start();
  CHECK(start(run) == 0);
  run.report(0, Outcome::ignored);
  CHECK(run.next().kind == Kind::done);
  CHECK(run.winner() == -1);
  CHECK(run.result() == 0);
}

TEST_CASE("J10 a run that is cancelled is done", "[J10][J4]") {
  auto policy = hedge({.delay = 2s}, FakeClock::manual());
  auto run = policy.start();
  CHECK(start(run) == 0);
  run.cancel();
  CHECK(run.next().kind == Kind::done);
  CHECK(run.result() == -1);
  CHECK(run.is_running(0));
  run.report(0, true);
  CHECK(policy.stats() == HedgeStats{.calls = 1});
}

TEST_CASE("J10 the deadline of a run is on the clock of the hedge", "[J10][J2]") {
  const FakeClock clock = FakeClock::manual();
  const FakeClock other = FakeClock::manual();
  other.advance(1h);
  auto policy = hedge({.delay = 2s}, clock);
  auto run = policy.start(Deadline::after(1s, other));
  CHECK(start(run) == 0);
  CHECK(wait(run) == no_timeout);
  auto longer = policy.start(Deadline::after(3s, other));
  CHECK(start(longer) == 0);
  CHECK(wait(longer) == 2s);
}

TEST_CASE("J6 an empty budget starts no hedge, and the primary goes on", "[J6]") {
  const FakeClock clock = FakeClock::manual();
  RetryBudget budget{{.ratio = 0.5, .min_per_second = 0, .reserve = 0}, clock};
  auto policy = hedge({.delay = 2s, .max_hedges = 3}, budget, clock);
  auto run = policy.start();
  CHECK(start(run) == 0);
  clock.advance(2s);
  CHECK(wait(run) == no_timeout);
  run.report(0, true);
  CHECK(run.next().kind == Kind::done);
  CHECK(run.winner() == 0);
  CHECK(policy.stats() == HedgeStats{.won_by_primary = 1, .calls = 1, .refused = 1});

  auto second = policy.start();  // the second half of what a hedge costs
  CHECK(start(second) == 0);
  second.report(0, false);
  CHECK(start(second) == 1);
  second.report(1, false);
  CHECK(second.next().kind == Kind::done);  // the third has not been paid
  CHECK(policy.stats().refused == 2);
}

TEST_CASE("J6 a budget that looks at failures sees those of a run", "[J6]") {
  struct Seen {
    std::vector<bool> timed_out;
    int calls = 0;
    int deposits = 0;
    int failures = 0;
    bool try_withdraw(const Failure& failure) {
      timed_out.push_back(failure.code() == PolicyErrc::timed_out);
      return true;
    }
    void on_call() { ++calls; }
    void deposit() { ++deposits; }
    void on_failure(const Failure&) { ++failures; }
  } seen;
  const FakeClock clock = FakeClock::manual();
  auto policy = hedge({.delay = 2s, .max_hedges = 2}, seen, clock);
  auto run = policy.start();
  start(run);
  clock.advance(2s);
  start(run);
  run.report(0, false);
  start(run);
  run.report(2, true);
  CHECK(run.next().kind == Kind::done);
  run.report(1, false);  // it has lost
  CHECK(seen.timed_out == std::vector{true, false});
  CHECK(seen.calls == 1);
  CHECK(seen.deposits == 1);
  CHECK(seen.failures == 1);
}

TEST_CASE("J5 the delay is a percentile of the last successful calls", "[J5]") {
  const FakeClock clock = FakeClock::manual();
  auto policy = hedge({.delay = 2s, .percentile = 0.95, .minimum_calls = 100}, clock);
  const auto call = [&](std::chrono::nanoseconds latency) {
    auto run = policy.start();
    start(run);
    clock.advance(latency);
    run.report(0, true);
    CHECK(run.next().kind == Kind::done);
  };
  for (int i = 1; i <= 99; ++i) call(i * 1ms);
  CHECK(policy.delay() == 2s);
  call(100ms);
  CHECK(policy.delay() == 95ms);
  auto run = policy.start();
  start(run);
  CHECK(wait(run) == 95ms);
  for (int i = 0; i < 128; ++i) call(7ms);
  CHECK(policy.delay() == 7ms);
}

TEST_CASE("J5 a call that a hedge won took from the start of the primary", "[J5]") {
  const FakeClock clock = FakeClock::manual();
  auto policy = hedge({.delay = 2s, .percentile = 0.5, .minimum_calls = 1}, clock);
  auto run = policy.start();
  start(run);
  clock.advance(2s);
  start(run);
  clock.advance(1s);
  run.report(1, true);
  clock.advance(1s);
  CHECK(run.next().kind == Kind::done);
  CHECK(policy.delay() == 3s);
}
