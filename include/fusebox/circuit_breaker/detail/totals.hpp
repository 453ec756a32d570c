// fusebox/circuit_breaker/detail/totals.hpp: how many calls ended how, and when the last ones did.
//
// Spread over four cache lines, so that threads on different cores seldom share one. Counts only
// grow; a reset takes a snapshot of them, which reading subtracts. Stamps are coarse steady ticks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <fusebox/detail/cpu_index.hpp>
#include <fusebox/detail/ticks.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

enum class Count : unsigned char { success, failure, ignored, rejected, slow };
inline constexpr std::size_t count_kinds = 5;

inline constexpr unsigned shard_count = 4;

/// The line that this thread counts on. All begin on the first; whoever finds a new tick moves to that of its
/// processor, so that threads which run at the same time soon have different ones, and no call need ask.
inline constinit thread_local unsigned thread_shard = 0;

template <class Sync>
class Totals {
 public:
  using Values = std::array<std::uint64_t, count_kinds>;

  void add(Count kind) noexcept { (mine().*counters[index(kind)]).fetch_add(1, std::memory_order_relaxed); }

  /// Counts, then asks for the time: the counter's line is on its way meanwhile. Gives the time.
  template <class Now>
  FUSEBOX_DETAIL_INLINE Tick add_success(Now now) noexcept {
    return add_stamped(&Shard::success, &Shard::last_success, now);
  }
  template <class Now>
  FUSEBOX_DETAIL_INLINE Tick add_failure(Now now) noexcept {
    return add_stamped(&Shard::failure, &Shard::last_failure, now);
  }
  FUSEBOX_DETAIL_INLINE void add_rejected(Tick now) noexcept {
    add_stamped(&Shard::rejected, &Shard::last_rejected, [now] { return now; });
  }

  [[nodiscard]] Values values() const noexcept {
    Values sums{};
    for (const Shard& shard : shards_) {
      for (std::size_t kind = 0; kind < count_kinds; ++kind) {
        sums[kind] += (shard.*counters[kind]).load(std::memory_order_relaxed);
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
  using Counter = typename Sync::template Atomic<std::uint64_t>;
  using Stamp = typename Sync::template Atomic<Tick>;

  // A cache line's size, but not aligned to one: what a success touches are the first 16 bytes, which lie in
  // one line, and 64 bytes further is another. So nothing is lost to padding around.
  struct alignas(16) Shard {
    Counter success{0};
    Stamp last_success{never};
    Counter failure{0};
    Stamp last_failure{never};
    Counter rejected{0};
    Stamp last_rejected{never};  // told nobody: its change moves a thread on to its own shard
    Counter ignored{0};
    Counter slow{0};
  };
  static_assert(sizeof(Shard) == 64 || sizeof(Counter) != 8);

  static constexpr std::array<Counter Shard::*, count_kinds> counters{
      &Shard::success, &Shard::failure, &Shard::ignored, &Shard::rejected, &Shard::slow};

  [[nodiscard]] static constexpr std::size_t index(Count kind) noexcept {
    return static_cast<std::size_t>(kind);
  }

  template <class Now>
  FUSEBOX_DETAIL_INLINE Tick add_stamped(Counter Shard::* counter, Stamp Shard::* stamp, Now now) noexcept {
    Shard& shard = mine();
    (shard.*counter).fetch_add(1, std::memory_order_relaxed);
    const Tick read = now();
    // Written only where it differs: a coarse tick lasts for many calls.
    if ((shard.*stamp).load(std::memory_order_relaxed) != read) [[unlikely]]
      write(shard.*stamp, read);
    return read;
  }

  FUSEBOX_DETAIL_NOINLINE static void write(Stamp& stamp, Tick now) noexcept {
    Tick stamped = stamp.load(std::memory_order_relaxed);
    while (stamped < now &&
           !stamp.compare_exchange_weak(stamped, now, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
    thread_shard = cpu_index() % shard_count;
  }

  [[nodiscard]] FUSEBOX_DETAIL_INLINE Shard& mine() noexcept { return shards_[thread_shard]; }

  [[nodiscard]] std::optional<Tick> latest(Stamp Shard::* stamp) const noexcept {
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
