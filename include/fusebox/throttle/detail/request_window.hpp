// fusebox/throttle/detail/request_window.hpp: RequestWindow, the calls of the last time, in buckets (V3).
//
// Twelve buckets, the current one and the eleven before it, lie in a ring of sixteen, so that no division
// finds a bucket's place. Each thread records in the buckets of its shard. One word counts the calls of one
// priority in one bucket, so that accepts never exceed requests:
//
//     63                32 31                 0
//    +--------------------+--------------------+
//    |      accepts       |      requests      |
//    +--------------------+--------------------+
//
// A bucket begins under a small lock. Its old counts go to the totals before it has its new number, so that
// nobody takes them for new ones.
//
// While all calls are accepted nobody adds up the window: a mark says for which bucket, and up to which call
// that was not accepted, the window is known to reject nothing.
//
//     63                32 31                 0
//    +--------------------+--------------------+
//    |  number of bucket  |     unaccepted     |
//    +--------------------+--------------------+
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include <fusebox/call.hpp>
#include <fusebox/detail/shards.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/throttle/detail/shedding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Sync = StdSync>
class RequestWindow {
 public:
  static constexpr Tick bucket_count = 12;

  /// Begins at `now`. A word holds at most `most_requests`, give or take some thousands.
  RequestWindow(std::chrono::nanoseconds length, Tick now, std::uint32_t most_requests = 3'000'000'000U)
      : width_{length.count() / bucket_count + (length.count() % bucket_count != 0 ? 1 : 0)},
        most_requests_{most_requests},
        shards_{std::make_unique<Shard[]>(shard_count)},
        newest_{number_of(now)} {}

  /// The number of the bucket in which a call counts that is admitted now. If the clock goes back, it stays.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick number_at(Tick now) const noexcept {
    // Relaxed: a hint that the next lines check. It saves the division.
    Tick number = newest_.load(std::memory_order_relaxed);
    // Unsigned: a bucket may begin before the first tick.
    const auto since_begin = static_cast<std::uint64_t>(now) -
                             static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(width_);
    if (since_begin >= static_cast<std::uint64_t>(width_)) [[unlikely]] {
      const Tick next = number_of(now);
      if (next <= number) return number;
      number = next;
      newest_.store(number, std::memory_order_relaxed);
    }
    return number;
  }

  /// Counts a call that has ended, or was rejected, in the bucket of its admission. One that ends after its
  /// bucket has gone counts in the totals alone.
  FUSEBOX_DETAIL_INLINE void record(Tick number, Priority priority, bool is_accepted) noexcept {
    Shard& shard = shards_[thread_shard() % shard_count];
    Bucket& bucket = shard.ring[static_cast<std::size_t>(number) % ring_size];
    const std::size_t index = index_of(priority);
    const std::uint64_t call = is_accepted ? one_request + one_accept : one_request;
    // Acquire: pairs with the store in begin(), so that the call is added to a word that begins anew.
    if (bucket.number.load(std::memory_order_acquire) != number) [[unlikely]] {
      if (!begin(shard, bucket, number, index, call)) return;
    }
    Word& word = bucket.words[index];
    // Relaxed: the word alone counts; see below for one that is not accepted.
    const std::uint64_t before = word.fetch_add(call, std::memory_order_relaxed);
    if (requests_of(before) % requests_per_move == requests_per_move - 1) [[unlikely]]
      move_thread_or_halve(word, index);
    // Release: pairs with the load in version(). Who sees the version also sees the call.
    if (!is_accepted) unaccepted_.fetch_add(1, std::memory_order_release);
  }

  /// The calls of the window whose last bucket is `newest`.
  [[nodiscard]] WindowCounts counts(Tick newest) const noexcept {
    WindowCounts sum;
    for (const Shard& shard : shards()) {
      // Relaxed: written before the number of the bucket. Most programs use few shards.
      if (shard.last.load(std::memory_order_relaxed) <= newest - bucket_count) continue;
      for (Tick age = 0; age < bucket_count; ++age) {
        const Bucket& bucket = bucket_of(shard, newest - age);
        // Acquire: pairs with the store in begin(): counts of an earlier number are not seen after it.
        if (bucket.number.load(std::memory_order_acquire) == newest - age)
          add_words(age < bucket_count / 2 ? sum.newer : sum.whole, bucket);
      }
    }
    for (std::size_t index = 0; index < priority_count; ++index)
      sum.whole.requests[index] += sum.newer.requests[index];
    sum.whole.accepts += sum.newer.accepts;
    return sum;
  }

  /// All calls since construction.
  [[nodiscard]] CallCounts totals() const noexcept {
    const std::lock_guard lock{mutex_};
    CallCounts sum = gone_;
    for (const Shard& shard : shards()) {
      for (const Bucket& bucket : shard.ring) add_words(sum, bucket);
    }
    return sum;
  }

  // The mark that spares calls the window.

  /// Is it known that the window rejects nothing?
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_calm(Tick number) const noexcept {
    // Relaxed: a call that does not see what other threads record now came before it.
    return calm_.load(std::memory_order_relaxed) == mark(number, unaccepted_.load(std::memory_order_relaxed));
  }
  /// Read it before the counts from which the calm is known.
  [[nodiscard]] std::uint32_t version() const noexcept { return unaccepted_.load(std::memory_order_acquire); }
  /// The window is calm (Shedding::is_calm). It stays so until a call is not accepted, or the next bucket
  /// begins: the mark then no longer matches.
  void set_calm(Tick number, std::uint32_t version) noexcept {
    calm_.store(mark(number, version), std::memory_order_relaxed);
  }

 private:
  using Word = typename Sync::template Atomic<std::uint64_t>;

  static constexpr std::size_t shard_count = fewest_shards;  // each of them is added up
  static constexpr std::size_t ring_size = 16;
  static constexpr std::uint64_t one_request = 1;
  static constexpr std::uint64_t one_accept = std::uint64_t{1} << 32U;
  static constexpr std::uint32_t requests_per_move = 1024;

  struct Bucket {
    typename Sync::template Atomic<Tick> number{tick_min};
    std::array<Word, priority_count> words{};
  };
  struct Shard {
    typename Sync::template Atomic<Tick> last{tick_min};  // the greatest number that a bucket has had
    std::array<Bucket, ring_size> ring;
  };

  [[nodiscard]] static constexpr std::uint32_t requests_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word);
  }
  [[nodiscard]] static constexpr std::uint64_t accepts_of(std::uint64_t word) noexcept { return word >> 32U; }
  [[nodiscard]] static constexpr std::uint64_t mark(Tick number, std::uint32_t unaccepted) noexcept {
    return static_cast<std::uint64_t>(number) << 32U | unaccepted;
  }

  /// At the low end of the clock's range a step is longer, so that none has the number of an unused bucket.
  [[nodiscard]] Tick number_of(Tick now) const noexcept {
    return std::max(now / width_ - (now % width_ < 0 ? 1 : 0), tick_min + static_cast<Tick>(ring_size));
  }
  [[nodiscard]] static const Bucket& bucket_of(const Shard& shard, Tick number) noexcept {
    return shard.ring[static_cast<std::size_t>(number) % ring_size];
  }
  [[nodiscard]] std::span<const Shard> shards() const noexcept { return {shards_.get(), shard_count}; }

  static void add_words(CallCounts& sum, const Bucket& bucket) noexcept {
    for (std::size_t index = 0; index < priority_count; ++index)
      add_word(sum, index, bucket.words[index].load(std::memory_order_relaxed));
  }
  static void add_word(CallCounts& sum, std::size_t index, std::uint64_t word) noexcept {
    sum.requests[index] += requests_of(word);
    sum.accepts += accepts_of(word);
  }

  /// False if a later bucket lies in its place: the call then counts in the totals.
  FUSEBOX_DETAIL_NOINLINE bool begin(Shard& shard, Bucket& bucket, Tick number, std::size_t index,
                                     std::uint64_t call) noexcept {
    const std::lock_guard lock{mutex_};
    const Tick held = bucket.number.load(std::memory_order_relaxed);  // changed under the lock
    if (held == number) return true;
    if (held > number) {
      add_word(gone_, index, call);
      return false;
    }
    for (std::size_t each = 0; each < priority_count; ++each)
      add_word(gone_, each, bucket.words[each].exchange(0, std::memory_order_relaxed));
    if (shard.last.load(std::memory_order_relaxed) < number)
      shard.last.store(number, std::memory_order_relaxed);
    // Release: pairs with the loads in record() and counts().
    bucket.number.store(number, std::memory_order_release);
    return true;
  }

  /// Now and then: moves the thread to the shard of its processor. A word that is nearly full keeps half of
  /// its counts, and so its ratio.
  FUSEBOX_DETAIL_COLD void move_thread_or_halve(Word& word, std::size_t index) noexcept {
    rehome_thread();
    std::uint64_t held = word.load(std::memory_order_relaxed);
    if (requests_of(held) < most_requests_) return;
    const std::lock_guard lock{mutex_};
    std::uint64_t half = 0;
    do {
      half = accepts_of(held) / 2 * one_accept + requests_of(held) / 2;
    } while (!word.compare_exchange_weak(held, half, std::memory_order_relaxed, std::memory_order_relaxed));
    add_word(gone_, index, held - half);
  }

  const Tick width_;
  const std::uint32_t most_requests_;
  const std::unique_ptr<Shard[]> shards_;
  mutable typename Sync::template Atomic<Tick> newest_;  // the number of the newest bucket
  typename Sync::template Atomic<std::uint64_t> calm_{0};
  typename Sync::template Atomic<std::uint32_t> unaccepted_{0};  // calls; wraps around
  mutable typename Sync::Mutex mutex_;  // guards what follows, and the beginning of a bucket
  CallCounts gone_;                     // the counts of buckets that have gone
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
