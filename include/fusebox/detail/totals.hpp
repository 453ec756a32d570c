// fusebox/detail/totals.hpp: how many calls ended how, and when the last ones did.
//
// Spread over four cache lines, so that threads on different cores seldom share one. Counts only
// grow; a reset takes a snapshot of them, which reading subtracts. Stamps are coarse steady ticks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <fusebox/detail/ticks.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

enum class Count : unsigned char { success, failure, ignored, rejected, slow };
inline constexpr std::size_t count_kinds = 5;

inline constexpr unsigned shard_count = 4;
inline constinit thread_local unsigned thread_shard = shard_count;  // shard_count: not yet chosen

template <class Sync>
class Totals {
 public:
  using Values = std::array<std::uint64_t, count_kinds>;

  void add(Count kind) noexcept { mine().counts[index(kind)].fetch_add(1, std::memory_order_relaxed); }

  void add_success(Tick now) noexcept {
    Shard& shard = mine();
    shard.counts[index(Count::success)].fetch_add(1, std::memory_order_relaxed);
    stamp(shard.last_success, now);
  }

  void add_failure(Tick now) noexcept {
    Shard& shard = mine();
    shard.counts[index(Count::failure)].fetch_add(1, std::memory_order_relaxed);
    stamp(shard.last_failure, now);
  }

  [[nodiscard]] Values values() const noexcept {
    Values sums{};
    for (const Shard& shard : shards_) {
      for (std::size_t kind = 0; kind < count_kinds; ++kind) {
        sums[kind] += shard.counts[kind].load(std::memory_order_relaxed);
      }
    }
    return sums;
  }

  [[nodiscard]] std::optional<Tick> last_success() const noexcept { return latest(&Shard::last_success); }
  [[nodiscard]] std::optional<Tick> last_failure() const noexcept { return latest(&Shard::last_failure); }

  void forget_stamps() noexcept {
    for (Shard& shard : shards_) {
      shard.last_success.store(never, std::memory_order_relaxed);
      shard.last_failure.store(never, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr Tick never = tick_min;
  using Stamp = typename Sync::template Atomic<Tick>;

  struct alignas(64) Shard {
    std::array<typename Sync::template Atomic<std::uint64_t>, count_kinds> counts{};
    Stamp last_success{never};
    Stamp last_failure{never};
  };

  [[nodiscard]] static constexpr std::size_t index(Count kind) noexcept {
    return static_cast<std::size_t>(kind);
  }

  static void stamp(Stamp& stamp, Tick now) noexcept {
    if (stamp.load(std::memory_order_relaxed) != now) stamp.store(now, std::memory_order_relaxed);
  }

  [[nodiscard]] Shard& mine() noexcept {
    if (thread_shard == shard_count) [[unlikely]]
      choose_shard();
    return shards_[thread_shard];
  }

  FUSEBOX_DETAIL_COLD static void choose_shard() noexcept {
    static constinit typename Sync::template Atomic<unsigned> next{0};
    thread_shard = next.fetch_add(1, std::memory_order_relaxed) % shard_count;
  }

  [[nodiscard]] std::optional<Tick> latest(Stamp Shard::*stamp) const noexcept {
    Tick last = never;
    for (const Shard& shard : shards_) {
      const Tick stamped = (shard.*stamp).load(std::memory_order_relaxed);
      if (stamped > last) last = stamped;
    }
    return last == never ? std::nullopt : std::optional{last};
  }

  std::array<Shard, shard_count> shards_{};
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
