// fusebox/circuit_breaker/detail/totals.hpp: how many calls ended how, and when the last ones did.
//
// Spread over cache lines (shards), so that threads on different cores seldom share one: four of them inside
// the breaker, or as many as the machine has processors in an allocation of their own. Counts only
// grow; a reset takes a snapshot, which stats() subtracts. Stamps are coarse ticks. Every access is relaxed:
// each number is right by itself, and none publishes other data.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <fusebox/detail/shards.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

enum class Counter : unsigned char { success, failure, ignored, rejected, slow };
inline constexpr std::size_t count_kinds = 5;

template <class Sync>
class Totals {
 public:
  using Values = std::array<std::uint64_t, count_kinds>;

  /// A number other than that of the machine is for tests; no thread may be on a shard beyond it.
  explicit Totals(std::size_t shards = shard_count())
      : shards_{shards > fewest_shards ? new Shard[shards] : own_.data()},
        count_{static_cast<std::uint32_t>(shards)} {}
  Totals(const Totals&) = delete;
  Totals& operator=(const Totals&) = delete;
  ~Totals() {
    if (shards_ != own_.data()) delete[] shards_;
  }

  void add(Counter kind) noexcept {
    (shard_of_thread().*counters[index(kind)]).fetch_add(1, std::memory_order_relaxed);
  }

  /// Counts, then reads the time while the counter's cache line is on its way. Returns the time.
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
    for (const Shard& shard : all()) {
      for (std::size_t kind = 0; kind < count_kinds; ++kind) {
        sums[kind] += (shard.*counters[kind]).load(std::memory_order_relaxed);
      }
    }
    return sums;
  }

  /// How many outcomes were recorded: successes and failures.
  [[nodiscard]] std::uint64_t recorded() const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : all()) {
      sum += shard.success.load(std::memory_order_relaxed) + shard.failure.load(std::memory_order_relaxed);
    }
    return sum;
  }

  [[nodiscard]] std::optional<Tick> last_success() const noexcept { return latest(&Shard::last_success); }
  [[nodiscard]] std::optional<Tick> last_failure() const noexcept { return latest(&Shard::last_failure); }

  void forget_stamps() noexcept {
    for (Shard& shard : all()) {
      shard.last_success.store(never, std::memory_order_relaxed);
      shard.last_failure.store(never, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr Tick never = tick_min;
  using Cell = typename Sync::template Atomic<std::uint64_t>;
  using Stamp = typename Sync::template Atomic<Tick>;

  // As large as a cache line but not aligned to one, which saves padding: a success touches the first 16
  // bytes only, which lie in one line, and the next shard's lie in another.
  struct alignas(16) Shard {
    Cell success{0};
    Stamp last_success{never};
    Cell failure{0};
    Stamp last_failure{never};
    Cell rejected{0};
    Stamp last_rejected{never};  // nobody reads it; its change moves a thread to its own shard
    Cell ignored{0};
    Cell slow{0};
  };
  static_assert(sizeof(Shard) == shard_size || sizeof(Cell) != 8);

  static constexpr std::array<Cell Shard::*, count_kinds> counters{
      &Shard::success, &Shard::failure, &Shard::ignored, &Shard::rejected, &Shard::slow};

  [[nodiscard]] static constexpr std::size_t index(Counter kind) noexcept {
    return static_cast<std::size_t>(kind);
  }

  template <class Now>
  FUSEBOX_DETAIL_INLINE Tick add_stamped(Cell Shard::* counter, Stamp Shard::* stamp, Now now) noexcept {
    Shard& shard = shard_of_thread();
    (shard.*counter).fetch_add(1, std::memory_order_relaxed);
    const Tick read = now();
    // Written only if it differs: many calls share a coarse tick.
    if ((shard.*stamp).load(std::memory_order_relaxed) != read) [[unlikely]]
      stamp_and_rehome(shard.*stamp, read);
    return read;
  }

  /// Raises the stamp, and moves the thread to the shard of its processor.
  FUSEBOX_DETAIL_NOINLINE static void stamp_and_rehome(Stamp& stamp, Tick now) noexcept {
    Tick stamped = stamp.load(std::memory_order_relaxed);
    while (stamped < now &&
           !stamp.compare_exchange_weak(stamped, now, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
    rehome_thread();
  }

  [[nodiscard]] std::span<Shard> all() const noexcept { return {shards_, count_}; }

  /// With one addition: a thread holds the offset of its shard.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Shard& shard_of_thread() noexcept {
    if constexpr (sizeof(Shard) == shard_size) {
      return *reinterpret_cast<Shard*>(reinterpret_cast<std::byte*>(shards_) + thread_shard_offset);
    } else {  // a model checker's atomics are larger
      return shards_[thread_shard()];
    }
  }

  [[nodiscard]] std::optional<Tick> latest(Stamp Shard::* stamp) const noexcept {
    Tick last = never;
    for (const Shard& shard : all()) {
      const Tick stamped = (shard.*stamp).load(std::memory_order_relaxed);
      if (stamped > last) last = stamped;
    }
    return last == never ? std::nullopt : std::optional{last};
  }

  std::array<Shard, fewest_shards> own_{};
  Shard* const shards_;  // own_'s, or those of an allocation
  const std::uint32_t count_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
