// fusebox/timeout/detail/totals.hpp: what a timeout counts (D10).
#pragma once
// IWYU pragma: private, include <fusebox/timeout.hpp>

#include <atomic>
#include <cstdint>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/timeout/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Every access is relaxed: each number is right by itself, and none publishes other data. Only calls are so
/// many that threads would contend for their counter.
class TimeoutTotals {
 public:
  FUSEBOX_DETAIL_INLINE void count_call() noexcept { calls_.add(); }
  void count_timed_out() noexcept { timed_out_.fetch_add(1, std::memory_order_relaxed); }
  void count_late() noexcept { late_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] TimeoutStats stats() const noexcept {
    return {.calls = calls_.value(),
            .timed_out = timed_out_.load(std::memory_order_relaxed),
            .late = late_.load(std::memory_order_relaxed)};
  }

 private:
  ShardedCounter<> calls_;
  std::atomic<std::uint64_t> timed_out_{0};
  std::atomic<std::uint64_t> late_{0};
};

/// Of a timeout that nobody can ask for its stats.
struct NoTimeoutTotals {
  static void count_call() noexcept {}
  static void count_timed_out() noexcept {}
  static void count_late() noexcept {}
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
