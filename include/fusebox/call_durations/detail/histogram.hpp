// fusebox/call_durations/detail/histogram.hpp: counts of durations, spread over cache lines.
//
// Each shard has a count for each bucket and a sum, on cache lines of its own. Every access is relaxed: each
// number is right by itself, and none publishes other data.
#pragma once
// IWYU pragma: private, include <fusebox/call_durations.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <fusebox/call_durations/stats.hpp>
#include <fusebox/detail/shards.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class DurationHistogram {
 public:
  explicit DurationHistogram(std::vector<std::chrono::nanoseconds> bounds)
      : bounds_{std::move(bounds)},
        lines_{(bounds_.size() + 2 + per_line - 1) / per_line},
        cells_{std::make_unique<Line[]>(lines_ * shard_count())} {}

  void add(Tick duration) noexcept {
    if (duration < 0) duration = 0;
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && ticks(bounds_[bucket]) < duration) ++bucket;
    const std::size_t shard = thread_shard();
    cell(shard, 0).fetch_add(static_cast<std::uint64_t>(duration), std::memory_order_relaxed);
    const std::uint64_t before = cell(shard, bucket + 1).fetch_add(1, std::memory_order_relaxed);
    if (before % adds_per_move == adds_per_move - 1) [[unlikely]]
      rehome_thread();
  }

  [[nodiscard]] CallDurationsStats stats() const {
    CallDurationsStats stats{bounds_, std::vector<std::uint64_t>(bounds_.size() + 1), 0, {}};
    std::uint64_t sum = 0;
    for (std::size_t shard = 0; shard < shard_count(); ++shard) {
      sum += cell(shard, 0).load(std::memory_order_relaxed);
      for (std::size_t bucket = 0; bucket < stats.counts.size(); ++bucket) {
        const std::uint64_t calls = cell(shard, bucket + 1).load(std::memory_order_relaxed);
        stats.counts[bucket] += calls;
        stats.count += calls;
      }
    }
    stats.sum = std::chrono::nanoseconds{static_cast<Tick>(sum)};
    return stats;
  }

 private:
  static constexpr std::uint64_t adds_per_move = 1024;
  static constexpr std::size_t per_line = shard_size / sizeof(std::uint64_t);
  struct alignas(shard_size) Line {
    std::atomic<std::uint64_t> cells[per_line]{};
  };

  /// The sum is the first, the buckets follow.
  [[nodiscard]] std::atomic<std::uint64_t>& cell(std::size_t shard, std::size_t index) const noexcept {
    return cells_[shard * lines_ + index / per_line].cells[index % per_line];
  }

  const std::vector<std::chrono::nanoseconds> bounds_;
  const std::size_t lines_;  // of a shard
  const std::unique_ptr<Line[]> cells_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
