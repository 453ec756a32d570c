// fusebox/call_durations/stats.hpp: CallDurationsStats, a histogram at one moment.
#pragma once
// IWYU pragma: private, include <fusebox/call_durations.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Since construction. Calls that end meanwhile may be in some of the numbers.
struct CallDurationsStats {
  std::vector<std::chrono::nanoseconds> bounds;  ///< of the config
  std::vector<std::uint64_t> counts;             ///< calls in each bucket; the last one has no bound
  std::uint64_t count = 0;                       ///< calls: the sum of `counts`
  std::chrono::nanoseconds sum{0};               ///< of all durations
};

FUSEBOX_END_NAMESPACE
