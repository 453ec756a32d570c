// fusebox/timeout/stats.hpp: TimeoutStats, what a timeout has counted.
#pragma once
// IWYU pragma: private, include <fusebox/timeout.hpp>

#include <cstdint>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a timeout and its copies have counted since it was made (D10).
struct TimeoutStats {
  std::uint64_t calls = 0;
  std::uint64_t timed_out = 0;  ///< ended in TimeoutError because of this limit
  std::uint64_t late = 0;       ///< gave a value although this limit was over, as far as that is known
};

FUSEBOX_END_NAMESPACE
