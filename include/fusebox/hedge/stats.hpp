// fusebox/hedge/stats.hpp: HedgeStats, what a hedge has counted.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <cstdint>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a hedge and its copies have counted since it was made (J11). The counts only grow.
struct HedgeStats {
  std::uint64_t started = 0;         ///< hedges: copies of a call beside its first
  std::uint64_t won_by_primary = 0;  ///< calls whose value came from the first copy
  std::uint64_t won_by_hedge = 0;    ///< calls whose value came from another one
  std::uint64_t calls = 0;           ///< calls that began
  std::uint64_t refused = 0;         ///< hedges that the budget did not pay, or that no thread could run
  friend bool operator==(const HedgeStats&, const HedgeStats&) = default;
};

FUSEBOX_END_NAMESPACE
