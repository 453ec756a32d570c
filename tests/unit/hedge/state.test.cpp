#include <fusebox/hedge.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

TEST_CASE("M3 a hedge reports the first refusal and the first hedge after it, and so does a registry",
          "[M3]") {
  STATIC_REQUIRE(to_string(static_cast<HedgeEventKind>(9)) == "unknown");
  FakeClock clock = FakeClock::manual();
  PolicyRegistry<FakeClock> registry{clock};
  RetryBudget<FakeClock> budget{{.ratio = 0, .min_per_second = 1, .capacity = 1, .reserve = 1}, clock};
  auto policy = hedge({.delay = 0s}, budget, clock, registry.get<HedgeCounts>("pages"));
  std::vector<std::string> own;
  std::vector<std::string> all;
  const auto into = [](std::vector<std::string>& seen) {
    return [&seen](const HedgeEvent& event) {
      seen.push_back(event.name + ' ' + std::string{to_string(event.kind)});
    };
  };
  const auto call = [&] {
    auto run = policy.start();
    for (int step = 0; step < 2; ++step) static_cast<void>(run.next());
  };
  {
    const Subscription first = policy.on_event(into(own));
    const Subscription second = registry.on_event(into(all));
    for (int i = 0; i < 3; ++i) call();  // paid, refused, refused
    clock.advance(1s);
    call();
  }
  call();
  CHECK(own == std::vector<std::string>{"pages exhausted", "pages available"});
  CHECK(all == own);
}

TEST_CASE("M3 J8 a hedge that no thread runs is an event too, without a name if there are no counts",
          "[M3][J8]") {
  const FakeClock clock;
  int given = 0;
  RetryBudget<FakeClock> budget{{}, clock};
  auto policy = hedge({.delay = 0s}, budget, clock, [&given](HedgeTask task) {
    if (++given > 1) return false;
    task();
    return true;
  });
  std::vector<std::string> seen;
  const Subscription subscription = policy.on_event(
      [&](const HedgeEvent& event) { seen.push_back(event.name + std::string{to_string(event.kind)}); });
  CHECK_THROWS_AS(policy.execute([]() -> int { throw std::runtime_error{"down"}; }), std::runtime_error);
  CHECK(seen == std::vector<std::string>{"exhausted"});
  CHECK(policy.stats().refused == 1);
}
