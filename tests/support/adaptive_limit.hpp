// support/adaptive_limit.hpp: an adaptive limit on a fake clock, and calls that take so long.
#pragma once

#include <fusebox/adaptive_limit.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <vector>

namespace support {

template <class Rule = fusebox::Measured>
using FakeAdaptiveLimit = fusebox::AdaptiveLimit<Rule, fusebox::test::FakeClock>;

/// A window of one rule or another: `calls` that took `latency`, and used all of a limit.
[[nodiscard]] constexpr fusebox::AdaptiveWindow window_of(std::chrono::nanoseconds latency,
                                                          int in_flight = 1000, int calls = 10) {
  return {.latency = latency,
          .error = {},
          .calls = calls,
          .samples = calls,
          .dropped = 0,
          .in_flight = in_flight};
}

/// `count` calls at once, each of which takes `latency`.
template <class Limit>
void make_calls(Limit& limit, int count, std::chrono::nanoseconds latency) {
  std::vector<fusebox::Permit> permits;
  for (int i = 0; i < count; ++i) permits.push_back(limit.try_acquire());
  limit.clock().advance(latency);
  for (fusebox::Permit& permit : permits) permit.success();
}

}  // namespace support
