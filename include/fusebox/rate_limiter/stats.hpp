// fusebox/rate_limiter/stats.hpp: RateLimiterStats, what a limiter has counted.
#pragma once
// IWYU pragma: private, include <fusebox/rate_limiter.hpp>

#include <cstdint>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Calls since construction, however many permits each took (Q8). Counts only grow.
struct RateLimiterStats {
  std::uint64_t admitted = 0;  ///< at once, or after a wait
  std::uint64_t rejected = 0;  ///< refused, at once
  std::uint64_t waited = 0;    ///< waits that began; a cancelled one counts here alone
  friend bool operator==(const RateLimiterStats&, const RateLimiterStats&) = default;
};

FUSEBOX_END_NAMESPACE
