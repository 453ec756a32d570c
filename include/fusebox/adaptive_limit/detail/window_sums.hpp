// fusebox/adaptive_limit/detail/window_sums.hpp: WindowSums, the calls that have ended in the window.
//
// Each thread adds to the cache line of its processor, without a lock. Whoever ends the window takes all
// lines, and marks them with the number of the next window; a call that still adds to the window before finds
// another mark, and is not counted.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include <fusebox/detail/shards.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The latencies of a shard, and its other counts:
///
///     63  60 59         46 45                                  0
///     +------+------------+------------------------------------+
///     | mark |  samples   |  their latencies in all, in ns     |
///     +------+------------+------------------------------------+
///
///     63  60 59           38 37           16 15                0
///     +------+--------------+---------------+------------------+
///     | mark | failed       | dropped       | most in flight   |
///     +------+--------------+---------------+------------------+
///
/// `failed`: dropped calls without a latency. A shard that is full takes no more calls of either kind, so
/// that their shares stay right: 16,383 samples, or 16 of the longest, are enough.
struct WindowWord {
  static constexpr unsigned mark_shift = 60;
  static constexpr unsigned samples_shift = 46;
  static constexpr std::uint64_t one_sample = std::uint64_t{1} << samples_shift;
  static constexpr std::uint64_t most_time = one_sample - 1;
  static constexpr std::uint64_t most_samples = (std::uint64_t{1} << (mark_shift - samples_shift)) - 1;
  /// Of one call: so that a window has room for 16 of them.
  static constexpr Tick longest = static_cast<Tick>(most_time / 16);

  static constexpr unsigned dropped_shift = 16;
  static constexpr unsigned failed_shift = 38;
  static constexpr std::uint64_t most_dropped = (std::uint64_t{1} << (failed_shift - dropped_shift)) - 1;

  [[nodiscard]] static constexpr std::uint64_t marked(std::uint64_t window) noexcept {
    return window << mark_shift;
  }
  [[nodiscard]] static constexpr bool has_mark(std::uint64_t word, std::uint64_t window) noexcept {
    return ((word ^ marked(window)) >> mark_shift) == 0;
  }
  [[nodiscard]] static constexpr std::uint64_t time(std::uint64_t word) noexcept { return word & most_time; }
  [[nodiscard]] static constexpr std::uint64_t samples(std::uint64_t word) noexcept {
    return (word >> samples_shift) & most_samples;
  }
  /// Of the latencies: has it no room for another sample?
  [[nodiscard]] static constexpr bool is_full(std::uint64_t word) noexcept {
    return samples(word) == most_samples || time(word) > most_time - static_cast<std::uint64_t>(longest);
  }
  [[nodiscard]] static constexpr std::uint64_t in_flight(std::uint64_t word) noexcept {
    return word & 0xFFFFU;
  }
  [[nodiscard]] static constexpr std::uint64_t dropped(std::uint64_t word) noexcept {
    return (word >> dropped_shift) & most_dropped;
  }
  [[nodiscard]] static constexpr std::uint64_t failed(std::uint64_t word) noexcept {
    return (word >> failed_shift) & most_dropped;
  }
};

/// All shards of one window.
struct WindowTotals {
  std::uint64_t samples = 0;
  std::uint64_t time = 0;
  std::uint64_t dropped = 0;
  std::uint64_t failed = 0;
  std::uint64_t in_flight = 0;
  bool is_full = false;  // a shard is: the window waits for no more calls

  constexpr void add(std::uint64_t latencies, std::uint64_t others) noexcept {
    samples += WindowWord::samples(latencies);
    time += WindowWord::time(latencies);
    dropped += WindowWord::dropped(others);
    failed += WindowWord::failed(others);
    in_flight = std::max(in_flight, WindowWord::in_flight(others));
    is_full = is_full || WindowWord::is_full(latencies);
  }
  [[nodiscard]] constexpr std::uint64_t calls() const noexcept { return samples + failed; }
};

template <class Sync = StdSync>
class WindowSums {
 public:
  /// A number other than that of the machine is for tests; no thread may be on a shard beyond it.
  explicit WindowSums(std::size_t shards = shard_count())
      : shards_{shards > fewest_shards ? new Shard[shards] : own_.data()}, count_{shards} {}
  WindowSums(const WindowSums&) = delete;
  WindowSums& operator=(const WindowSums&) = delete;
  ~WindowSums() {
    if (shards_ != own_.data()) delete[] shards_;
  }

  /// A call with a latency has ended. All accesses are relaxed: each word is right by itself, and whoever
  /// takes it takes it by an exchange.
  FUSEBOX_DETAIL_INLINE void add(std::uint64_t window, Tick latency, std::uint32_t in_flight,
                                 bool dropped) noexcept {
    Shard& shard = shards_[thread_shard()];
    const auto time = static_cast<std::uint64_t>(std::clamp<Tick>(latency, 0, WindowWord::longest));
    std::uint64_t word = shard.latencies.load(std::memory_order_relaxed);
    do {
      if (!WindowWord::has_mark(word, window) || WindowWord::is_full(word)) return;
    } while (!shard.latencies.compare_exchange_weak(word, word + WindowWord::one_sample + time,
                                                    std::memory_order_relaxed, std::memory_order_relaxed));
    note(shard, window, in_flight, dropped ? 1 : 0, 0);
    // Nothing else moves a thread that only calls adaptive limits to the shard of its processor.
    if (WindowWord::samples(word) % samples_per_move == samples_per_move - 1) [[unlikely]]
      move_thread();
  }
  /// A call without a latency was dropped.
  void add_failed(std::uint64_t window, std::uint32_t in_flight) noexcept {
    Shard& shard = shards_[thread_shard()];
    // The mark of `others` says whether it is of this window.
    if (!WindowWord::is_full(shard.latencies.load(std::memory_order_relaxed)))
      note(shard, window, in_flight, 1, 1);
  }

  /// What the window has so far.
  [[nodiscard]] WindowTotals totals() const noexcept {
    WindowTotals totals;
    for (const Shard& shard : std::span{shards_, count_}) {
      totals.add(shard.latencies.load(std::memory_order_relaxed),
                 shard.others.load(std::memory_order_relaxed));
    }
    return totals;
  }

  /// Takes what the window has, and begins another one, empty. One thread at a time.
  [[nodiscard]] WindowTotals take(std::uint64_t next_window) noexcept {
    const std::uint64_t empty = WindowWord::marked(next_window);
    WindowTotals totals;
    for (Shard& shard : std::span{shards_, count_}) {
      totals.add(shard.latencies.exchange(empty, std::memory_order_relaxed),
                 shard.others.exchange(empty, std::memory_order_relaxed));
    }
    return totals;
  }

 private:
  static constexpr std::uint64_t samples_per_move = 128;
  using Word = typename Sync::template Atomic<std::uint64_t>;

  FUSEBOX_DETAIL_NOINLINE static void move_thread() noexcept { rehome_thread(); }

  struct Shard {
    Word latencies{0};
    Word others{0};
    // Not alignas: the words are a cache line apart either way.
    std::array<std::byte, sizeof(Word) == 8 ? shard_size - 16 : 1> padding{};
  };

  FUSEBOX_DETAIL_INLINE static void note(Shard& shard, std::uint64_t window, std::uint32_t in_flight,
                                         std::uint64_t dropped, std::uint64_t failed) noexcept {
    std::uint64_t word = shard.others.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
      if (!WindowWord::has_mark(word, window)) return;
      const std::uint64_t most = std::max<std::uint64_t>(WindowWord::in_flight(word), in_flight);
      next = word - WindowWord::in_flight(word) + most;
      if (WindowWord::dropped(word) < WindowWord::most_dropped) next += dropped << WindowWord::dropped_shift;
      if (WindowWord::failed(word) < WindowWord::most_dropped) next += failed << WindowWord::failed_shift;
      if (next == word) return;
    } while (!shard.others.compare_exchange_weak(word, next, std::memory_order_relaxed,
                                                 std::memory_order_relaxed));
  }

  std::array<Shard, fewest_shards> own_{};
  Shard* const shards_;  // own_'s, or those of an allocation
  const std::size_t count_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
