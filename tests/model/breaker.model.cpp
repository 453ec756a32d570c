// CircuitBreaker against the reference: random configs, random commands, everything that is seen compared
// after each.
#include <algorithm>
#include <chrono>
#include <vector>

#include "breaker_generators.hpp"
#include "breaker_run.hpp"
#include "rapidcheck.hpp"

using namespace model;
using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("B1 to B20: a breaker does what the reference does, whatever is done to it") {
  std::vector<Change> changes;
  std::size_t scripts = 0;
  CHECK(holds("a breaker does what the reference does", breaker_script(), [&](const BreakerScript& script) {
    ++scripts;
    return run(script, &changes);
  }));

  // The scripts get everywhere.
  for (int i = 0; i <= static_cast<int>(StateChangeReason::reset); ++i) {
    const auto reason = static_cast<StateChangeReason>(i);
    const auto count = std::count_if(changes.begin(), changes.end(),
                                     [&](const Change& change) { return change.reason == reason; });
    INFO(to_string(reason) << " came " << count << " times in " << scripts << " scripts");
    CHECK(count * 100 > static_cast<std::ptrdiff_t>(scripts));
  }
}

TEST_CASE("B19 a call that outlasts 16 configs ends under one that has the rules which it began with") {
  test::FakeClock clock;
  const CircuitBreakerConfig timed{.slow_calls =
                                       SlowCalls{.slower_than = 1s, .threshold = 0.5, .minimum_calls = 1}};
  CircuitBreaker breaker{"b", timed, clock};
  Permit in_time = breaker.try_acquire();
  Permit slow = breaker.try_acquire();
  for (int i = 1; i <= 16; ++i) breaker.reconfigure({.failure_threshold = i});  // the last has its number
  clock.advance(1s);
  in_time.success();
  CHECK(breaker.stats().slow_count == 0);
  CHECK(breaker.state() == State::closed);
  clock.advance(1ns);
  slow.success();
  CHECK(breaker.stats().slow_count == 1);
  CHECK(breaker.state() == State::open);
}
