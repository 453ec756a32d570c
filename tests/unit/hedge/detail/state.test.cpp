#include <fusebox/hedge.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::HedgeState;

TEST_CASE("J5 latencies matter only for a percentile", "[J5]") {
  const auto totals = std::make_shared<detail::HedgeTotals>();
  HedgeState fixed{{.delay = 2s}, totals};
  for (int i = 0; i < 200; ++i) fixed.win(true, 5);
  CHECK(fixed.delay() == detail::ticks(2s));
  CHECK_FALSE(fixed.latencies.percentile(0.5, 1));
  HedgeState measured{{.delay = 2s, .percentile = 0.5, .minimum_calls = 2}, totals};
  measured.win(false, 5);
  CHECK(measured.delay() == detail::ticks(2s));
  measured.win(true, 7);
  CHECK(measured.delay() == 5);
  CHECK(totals->stats() == HedgeStats{.won_by_primary = 201, .won_by_hedge = 1});
}

TEST_CASE("J7 the last owner waits for the copies that run", "[J7]") {
  auto state = std::make_shared<HedgeState>(HedgeConfig{}, std::make_shared<detail::HedgeTotals>());
  std::atomic<bool> has_ended{false};
  state->running.enter();
  std::jthread copy{[&] {
    std::this_thread::sleep_for(10ms);
    has_ended = true;
    state->running.leave();
  }};
  {
    const detail::HedgeOwner owner{state};
  }
  CHECK(has_ended);
}
