// fusebox/throttle/stats.hpp: ThrottleStats, what a throttle has counted.
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <cstdint>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// A throttle at one moment (V8). The first three change with the window; the others are since construction
/// and only grow.
struct ThrottleStats {
  std::uint64_t requests = 0;  ///< in the window: calls that ended, and calls that the throttle rejected
  std::uint64_t accepts = 0;   ///< of these: calls that the dependency accepted
  double rejection_ratio = 0;  ///< the share of all calls that is rejected now, in [0, max_rejection]
  std::uint64_t rejected = 0;  ///< calls that the throttle rejected
  std::uint64_t total_requests = 0;  ///< as `requests`, but of all time
  std::uint64_t total_accepts = 0;   ///< as `accepts`, but of all time
  friend bool operator==(const ThrottleStats&, const ThrottleStats&) = default;
};

FUSEBOX_END_NAMESPACE
