// fusebox/detail/sharded_counter.hpp: a counter that many threads raise, spread over cache lines.
//
// Four shards inside the counter, or as many as the machine has processors in an allocation of its own. Every
// access is relaxed: the number is right by itself and publishes no other data.
#pragma once
// IWYU pragma: private

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <fusebox/detail/shards.hpp>
#include <fusebox/detail/sync.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Sync = StdSync>
class ShardedCounter {
 public:
  /// A number other than that of the machine is for tests; no thread may be on a shard beyond it.
  explicit ShardedCounter(std::size_t shards = shard_count())
      : shards_{shards > fewest_shards ? new Shard[shards] : own_.data()}, count_{shards} {}
  ShardedCounter(const ShardedCounter&) = delete;
  ShardedCounter& operator=(const ShardedCounter&) = delete;
  ~ShardedCounter() {
    if (shards_ != own_.data()) delete[] shards_;
  }

  void add() noexcept {
    const std::uint64_t before = shard_of_thread().count.fetch_add(1, std::memory_order_relaxed);
    // Nothing here reads a clock, whose ticks move threads to the shard of their processor elsewhere.
    if (before % adds_per_move == adds_per_move - 1) [[unlikely]]
      move_thread();
  }

  [[nodiscard]] std::uint64_t value() const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : std::span{shards_, count_}) sum += shard.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::uint64_t adds_per_move = 1024;
  using Cell = typename Sync::template Atomic<std::uint64_t>;

  struct Shard {
    Cell count{0};
    // Not alignas: the counts are a cache line apart either way.
    std::array<std::byte, sizeof(Cell) == 8 ? shard_size - 8 : 1> padding{};
  };
  static_assert(sizeof(Shard) == shard_size || sizeof(Cell) != 8);

  FUSEBOX_DETAIL_NOINLINE static void move_thread() noexcept { rehome_thread(); }

  [[nodiscard]] Shard& shard_of_thread() noexcept { return shards_[thread_shard()]; }

  std::array<Shard, fewest_shards> own_{};
  Shard* const shards_;  // own_'s, or those of an allocation
  const std::size_t count_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
