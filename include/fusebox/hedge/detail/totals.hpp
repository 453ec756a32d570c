// fusebox/hedge/detail/totals.hpp: what a hedge counts (J11).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <atomic>
#include <cstdint>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/hedge/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Every access is relaxed: each number is right by itself, and none publishes other data.
class HedgeTotals {
 public:
  void count_call() noexcept { calls_.add(); }
  void count_hedge() noexcept { started_.fetch_add(1, std::memory_order_relaxed); }
  void count_refused() noexcept { refused_.fetch_add(1, std::memory_order_relaxed); }
  void count_win(bool by_primary) noexcept {
    if (by_primary) return won_by_primary_.add();
    won_by_hedge_.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] HedgeStats stats() const noexcept {
    return {.started = started_.load(std::memory_order_relaxed),
            .won_by_primary = won_by_primary_.value(),
            .won_by_hedge = won_by_hedge_.load(std::memory_order_relaxed),
            .calls = calls_.value(),
            .refused = refused_.load(std::memory_order_relaxed)};
  }

 private:
  ShardedCounter<> calls_;
  ShardedCounter<> won_by_primary_;
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> won_by_hedge_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
