// fusebox/hedge/detail/totals.hpp: what a hedge counts (J11).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <atomic>
#include <cstdint>

#include <fusebox/detail/edge_events.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/hedge/state.hpp>
#include <fusebox/hedge/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The numbers of a hedge, and its edges (M3). Every access to a number is relaxed: each is right by itself,
/// and none publishes other data.
class HedgeTotals {
 public:
  void count_call() noexcept { calls_.add(); }
  void count_hedge() noexcept { started_.fetch_add(1, std::memory_order_relaxed); }
  void count_refused() noexcept { refused_.fetch_add(1, std::memory_order_relaxed); }
  /// After either of them, outside every lock: may run callbacks.
  template <class C>
  void tell(HedgeEventKind kind, const C& clock) {
    events_.observe(kind, clock);
  }
  void count_win(bool by_primary) noexcept {
    if (by_primary) return won_by_primary_.add();
    won_by_hedge_.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] EdgeEvents<HedgeEvent>& events() noexcept { return events_; }
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
  EdgeEvents<HedgeEvent> events_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
