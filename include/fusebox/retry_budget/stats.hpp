// fusebox/retry_budget/stats.hpp: RetryBudgetStats, a budget or a throttle at one moment.
#pragma once
// IWYU pragma: private, include <fusebox/retry_budget.hpp>

#include <cstdint>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Counts are since construction and only grow (U6).
struct RetryBudgetStats {
  double balance = 0;           ///< retries that a budget could pay for now; a throttle's tokens
  std::uint64_t withdrawn = 0;  ///< retries permitted, also those given back since
  std::uint64_t refused = 0;    ///< retries refused
  friend bool operator==(const RetryBudgetStats&, const RetryBudgetStats&) = default;
};

FUSEBOX_END_NAMESPACE
