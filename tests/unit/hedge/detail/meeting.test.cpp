#include <fusebox/hedge.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <thread>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::HedgeRace;
using detail::Verdict;
using test::FakeClock;
using Meeting = detail::HedgeMeeting<FakeClock>;
using What = HedgeRace::What;

namespace {

std::shared_ptr<detail::HedgeState> state(const HedgeConfig& config) {
  return std::make_shared<detail::HedgeState>(config, std::make_shared<detail::HedgeTotals>());
}

}  // namespace

TEST_CASE("J2 the caller sleeps by the clock until the next copy is due", "[J2]") {
  const FakeClock clock;  // a sleep moves it
  Meeting meeting{state({.delay = 2s}), clock, Deadline::never()};
  Meeting::Runner primary{0};
  Meeting::Runner second{1};
  CHECK(meeting.next().copy == 0);
  CHECK(meeting.start(primary));
  CHECK(meeting.next().copy == 1);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s});
  CHECK(meeting.start(second));
  meeting.report(second, Verdict::success);
  CHECK(meeting.next().what == What::done);
  CHECK(primary.token.stop_requested());
  CHECK_FALSE(second.token.stop_requested());
}

TEST_CASE("J1 a report wakes the caller, from a sleep and from a wait", "[J1]") {
  const auto delay = GENERATE(std::chrono::nanoseconds{1h}, no_timeout);
  const FakeClock clock = FakeClock::manual();
  Meeting meeting{state({.delay = delay}), clock, Deadline::never()};
  Meeting::Runner primary{0};
  CHECK(meeting.start(primary));
  std::jthread copy{[&] {
    if (delay != no_timeout) clock.wait_for_sleepers(1);
    meeting.report(primary, Verdict::success);
  }};
  CHECK(meeting.next().what == What::done);
}

TEST_CASE("J4 a cancelled meeting stops everybody, and nobody joins it", "[J4]") {
  const FakeClock clock = FakeClock::manual();
  Meeting meeting{state({.delay = 0s}), clock, Deadline::never()};
  Meeting::Runner primary{0};
  Meeting::Runner second{1};
  CHECK(meeting.start(primary));
  meeting.cancel();
  CHECK(primary.token.stop_requested());
  CHECK_FALSE(meeting.start(second));
  CHECK_FALSE(second.token.stop_requested());
  CHECK(meeting.is_over());
  CHECK(meeting.next().what == What::done);
}

TEST_CASE("J12 a coroutine is told how long to wait, and is woken by a token", "[J12]") {
  const FakeClock clock = FakeClock::manual();
  Meeting meeting{state({.delay = 2s}), clock, Deadline::never()};
  Meeting::Runner primary{0};
  CHECK(meeting.start(primary));
  auto step = meeting.next_step();
  CHECK(step.what == What::wait);
  CHECK(step.time() == 2s);
  const auto token = meeting.wake_token();
  meeting.woke(true);
  CHECK_FALSE(meeting.is_over());
  step = meeting.next_step();
  const auto again = meeting.wake_token();
  meeting.report(primary, Verdict::failure);
  CHECK(again.stop_requested());
  CHECK_FALSE(token.stop_requested());
  meeting.woke(false);
  CHECK_FALSE(meeting.is_over());
  CHECK(meeting.next_step().copy == 1);
  CHECK(meeting.first_to_fail() == 0);
}

TEST_CASE("J12 a wait that nobody ended was cancelled by the framework", "[J12][A7]") {
  const FakeClock clock = FakeClock::manual();
  Meeting meeting{state({.delay = 2s}), clock, Deadline::never()};
  Meeting::Runner primary{0};
  CHECK(meeting.start(primary));
  static_cast<void>(meeting.next_step());
  meeting.woke(false);
  CHECK(meeting.is_over());
  CHECK(primary.token.stop_requested());
}
