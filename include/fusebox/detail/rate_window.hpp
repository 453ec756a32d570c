// fusebox/detail/rate_window.hpp: how many of the last calls were hits (B3).
//
// A hit is what the rule counts: a failure or a slow call. CountWindow looks at the last n recorded outcomes,
// TimeWindow at those of the last seconds; RateWindow is either, as the config says. Both are exact whatever
// the load and the age: no count saturates, and nothing stale is taken for new. Storage is allocated once.
#pragma once
// IWYU pragma: private

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include <fusebox/detail/shards.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct Rate {
  std::uint64_t calls = 0;
  std::uint64_t hits = 0;

  [[nodiscard]] double value() const noexcept {
    return calls == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(calls);
  }
  [[nodiscard]] bool reaches(double threshold, int minimum_calls) const noexcept {
    return calls >= static_cast<std::uint64_t>(minimum_calls) && value() >= threshold;
  }
};

/// The last n recorded outcomes. Only hits are stored, each with its place in the sequence of all outcomes,
/// which the breaker's counters know anyway: an outcome that is no hit costs nothing here.
///
/// One word says which entries of the ring count:
///
///     63            32 31            16 15             0
///    +----------------+----------------+----------------+
///    |   generation   |      head      |      hits      |
///    +----------------+----------------+----------------+
///
/// The entries from head - hits to head - 1; their places ascend. They are written before the word that makes
/// them count. The word is sequentially consistent: of two threads that record hits at the same time and then
/// ask for the rate, the later one in its order sees both. Places are read from the counters after the word,
/// so that none is less than that of an entry before it.
template <class Sync>
class CountWindow {
 public:
  explicit CountWindow(int calls) : calls_{static_cast<std::uint64_t>(calls)} {
    while (mask_ < calls_) mask_ = 2 * mask_ + 1;  // more than calls: the entry at the head is not in use
    ring_ = std::make_unique<Entry[]>(static_cast<std::size_t>(mask_ + 1));
  }

  /// Begins a generation; `recorded` outcomes belong to earlier ones. Under the breaker's lock. An outcome
  /// that is being counted meanwhile falls on either side.
  void begin(std::uint32_t generation, std::uint64_t recorded) noexcept {
    before_.store(recorded, std::memory_order_relaxed);
    word_.store(std::uint64_t{generation} << 32U, std::memory_order_seq_cst);
  }
  /// The next outcome that is counted belongs to an earlier generation. Under the breaker's lock.
  void leave_out_one() noexcept { before_.fetch_add(1, std::memory_order_relaxed); }

  /// Records a hit that has been counted; recorded() says how many outcomes there are now.
  template <class Recorded>
  void record_hit(std::uint32_t generation, const Recorded& recorded) noexcept {
    std::optional<std::uint64_t> overwritten;  // the first entry of another thread that may hold our place
    for (;;) {
      std::uint64_t word = word_.load(std::memory_order_seq_cst);
      if (generation_of(word) != generation) return;  // a late report
      const std::uint64_t place = place_of(recorded());
      const std::uint64_t published = head_of(word);
      Entry& entry = entry_at(published);
      std::uint64_t old = entry.load(std::memory_order_relaxed);
      // A thread that publishes this entry meanwhile has changed it before: then the exchange fails.
      if (word_.load(std::memory_order_seq_cst) != word) continue;
      // Release: pairs with the load in make_room_before().
      if (!entry.compare_exchange_strong(old, place, std::memory_order_acq_rel, std::memory_order_relaxed))
        continue;
      const std::uint64_t hits = hits_of(word) < calls_ ? hits_of(word) + 1 : calls_;
      if (!word_.compare_exchange_strong(word, word_of(generation, published + 1, hits),
                                         std::memory_order_seq_cst, std::memory_order_seq_cst)) {
        // Another thread has published the entry, perhaps with our place instead of its own.
        if (!overwritten) overwritten = published;
        continue;
      }
      // To the entry before that one, whose thread knew nothing of our place.
      const std::uint64_t at_least = overwritten ? ((published - *overwritten) & 0xffffU) + 1 : 0;
      return make_room_before(published, place, hits, at_least);
    }
  }

  /// The rate after recorded() outcomes.
  template <class Recorded>
  [[nodiscard]] Rate rate(std::uint32_t generation, const Recorded& recorded) const noexcept {
    for (;;) {
      std::uint64_t word = word_.load(std::memory_order_seq_cst);
      if (generation_of(word) != generation) return {};
      const std::uint64_t place = place_of(recorded());
      std::uint64_t hits = hits_of(word);
      while (hits > 0 && entry_at(head_of(word) - hits).load(std::memory_order_relaxed) + calls_ <= place)
        --hits;
      if (hits != hits_of(word) &&
          !word_.compare_exchange_strong(word, word_of(generation, head_of(word), hits),
                                         std::memory_order_seq_cst, std::memory_order_seq_cst)) {
        continue;
      }
      const std::uint64_t calls = place < calls_ ? place : calls_;
      return {calls, hits < calls ? hits : calls};
    }
  }

 private:
  using Entry = typename Sync::template Atomic<std::uint64_t>;

  [[nodiscard]] std::uint64_t place_of(std::uint64_t recorded) const noexcept {
    const std::uint64_t before = before_.load(std::memory_order_relaxed);
    return recorded > before ? recorded - before : 0;  // an outcome that is left out may not be counted yet
  }
  [[nodiscard]] Entry& entry_at(std::uint64_t index) const noexcept {
    return ring_[static_cast<std::size_t>(index & mask_)];
  }

  /// Hits that were counted before any of them was recorded read the same place. The last one keeps it, and
  /// the others move down, so that each has a place of its own. Looks at least at `at_least` entries, and
  /// then stops at the first one that may stay: whoever moved an entry goes on to the one before it.
  void make_room_before(std::uint64_t index, std::uint64_t place, std::uint64_t hits,
                        std::uint64_t at_least) noexcept {
    std::uint64_t limit = place;
    for (std::uint64_t back = 1; back < hits; ++back) {
      Entry& entry = entry_at(index - back);
      if (limit > 0) --limit;
      bool stays = false;
      while (!stays) {
        // Acquire: the word below is not older than the entry.
        std::uint64_t held = entry.load(std::memory_order_acquire);
        const std::uint64_t since = (head_of(word_.load(std::memory_order_seq_cst)) - index) & 0xffffU;
        if (since + back > mask_) return;  // the ring has come round: a later hit is recorded here
        stays = held <= limit;
        if (stays) {
          if (back >= at_least) return;
          limit = held;
        } else if (entry.compare_exchange_strong(held, limit, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed)) {
          break;
        }
      }
    }
  }
  [[nodiscard]] static constexpr std::uint32_t generation_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32U);
  }
  [[nodiscard]] static constexpr std::uint64_t head_of(std::uint64_t word) noexcept {
    return (word >> 16U) & 0xffffU;
  }
  [[nodiscard]] static constexpr std::uint64_t hits_of(std::uint64_t word) noexcept { return word & 0xffffU; }
  [[nodiscard]] static constexpr std::uint64_t word_of(std::uint32_t generation, std::uint64_t head,
                                                       std::uint64_t hits) noexcept {
    return (std::uint64_t{generation} << 32U) | ((head & 0xffffU) << 16U) | hits;
  }

  std::uint64_t calls_;
  std::uint64_t mask_ = 0;
  std::unique_ptr<Entry[]> ring_;
  typename Sync::template Atomic<std::uint64_t> before_{0};  // outcomes of earlier generations
  mutable typename Sync::template Atomic<std::uint64_t> word_{
      0};  // hits that are too old are dropped by rate()
};

/// The outcomes of the last ten buckets of time: the current one and the nine before it. Each thread records
/// in the buckets of its shard. The buckets of a shard lie in a ring of sixteen, so that no division finds a
/// bucket's place. One word counts a bucket:
///
///     63            40 39            20 19             0
///    +----------------+----------------+----------------+
///    |      turn      |     calls      |      hits      |
///    +----------------+----------------+----------------+
///
/// The turn changes whenever the bucket begins anew or its counts move to the wide ones, so that an exchange
/// of this word succeeds only while the bucket is the one that was looked at. A bucket begins, and grows
/// wide, under a small lock; meanwhile its calls are `all_calls`, which sends everybody else to the lock.
///
/// Counts are sequentially consistent: of two threads that record at the same time and then ask for the rate,
/// at least one sees both.
template <class Sync>
class TimeWindow {
 public:
  explicit TimeWindow(std::chrono::nanoseconds length)
      : width_{length.count() / bucket_count + (length.count() % bucket_count != 0 ? 1 : 0)},
        shards_{std::make_unique<Shard[]>(shard_count)} {}

  /// Begins a generation: reports of earlier ones no longer count. Under the breaker's lock.
  void begin(std::uint32_t generation) noexcept {
    const std::lock_guard lock{mutex_};
    generation_ = generation;
    if (generation - emptied_generation_ < generations_between_emptyings) return;
    // Generations wrap around: no bucket is left whose generation might come round again.
    emptied_generation_ = generation;
    for (std::size_t shard = 0; shard < shard_count; ++shard) {
      for (Bucket& bucket : shards_[shard].ring) restart(bucket, take(bucket), generation, tick_min, {}, 0);
    }
  }

  FUSEBOX_DETAIL_INLINE void record(std::uint32_t generation, Tick now, bool hit) noexcept {
    Shard& shard = shards_[thread_shard() % shard_count];
    const Tick number = newest_number_at(shard, now);
    Bucket& bucket = shard.ring[static_cast<std::size_t>(number) % ring_size];
    if (!add_to_current(bucket, generation, number, hit)) [[unlikely]]
      begin_and_add(bucket, generation, number, hit);
  }

  [[nodiscard]] Rate rate(std::uint32_t generation, Tick now) const noexcept {
    const Tick newest = number_at(now);
    Rate sum;
    for (std::size_t shard = 0; shard < shard_count; ++shard) {
      for (const Bucket& bucket : shards_[shard].ring) add_if_current(sum, bucket, generation, newest);
    }
    return sum;
  }

 private:
  static constexpr std::size_t shard_count = fewest_shards;  // each of them is looked at for a rate
  static constexpr Tick bucket_count = 10;
  static constexpr std::size_t ring_size = 16;
  static constexpr std::uint64_t one_call = std::uint64_t{1} << 20U;
  static constexpr std::uint64_t one_turn = std::uint64_t{1} << 40U;
  static constexpr std::uint64_t field_mask = one_call - 1;
  static constexpr std::uint64_t all_calls = field_mask;
  static constexpr std::uint32_t generations_between_emptyings = std::uint32_t{1} << 30U;

  struct Bucket {
    typename Sync::template Atomic<std::uint64_t> counts{0};
    typename Sync::template Atomic<Tick> number{tick_min};
    typename Sync::template Atomic<std::uint32_t> generation{0};
    typename Sync::template Atomic<std::uint64_t> wide_calls{0};  // what the counts could not hold
    typename Sync::template Atomic<std::uint64_t> wide_hits{0};
  };
  struct Shard {
    typename Sync::template Atomic<Tick> newest{0};  // the number of a recent bucket
    std::array<Bucket, ring_size> ring;
  };

  [[nodiscard]] static constexpr std::uint64_t calls_of(std::uint64_t counts) noexcept {
    return counts / one_call & field_mask;
  }
  [[nodiscard]] static constexpr std::uint64_t hits_of(std::uint64_t counts) noexcept {
    return counts & field_mask;
  }
  /// The next turn, without counts, and with all_calls.
  [[nodiscard]] static constexpr std::uint64_t locked_turn(std::uint64_t counts) noexcept {
    return ((counts / one_turn + 1) * one_turn) | all_calls * one_call;
  }

  /// Most records: the bucket is the current one.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static bool add_to_current(Bucket& bucket, std::uint32_t generation,
                                                                 Tick number, bool hit) noexcept {
    // Acquire: pairs with the last store in restart(), so that number and generation are of this turn or
    // of a later one, and then the exchange fails.
    std::uint64_t seen = bucket.counts.load(std::memory_order_acquire);
    return bucket.number.load(std::memory_order_relaxed) == number &&
           bucket.generation.load(std::memory_order_relaxed) == generation &&
           calls_of(seen) < all_calls - 1 &&
           bucket.counts.compare_exchange_weak(seen, seen + one_call + (hit ? 1 : 0),
                                               std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  FUSEBOX_DETAIL_NOINLINE void begin_and_add(Bucket& bucket, std::uint32_t generation, Tick number,
                                             bool hit) noexcept {
    const std::lock_guard lock{mutex_};
    if (generation != generation_) return;  // a late report
    const bool is_of_generation = bucket.generation.load(std::memory_order_relaxed) == generation;
    const Tick held_number = bucket.number.load(std::memory_order_relaxed);
    if (is_of_generation && held_number > number) return;  // late by a turn of the ring
    const bool is_new = !is_of_generation || held_number != number;
    if (!is_new && add_to_current(bucket, generation, number, hit)) return;
    const std::uint64_t taken = take(bucket);
    Rate wide;
    if (!is_new) {
      wide.calls = bucket.wide_calls.load(std::memory_order_relaxed) + calls_of(taken);
      wide.hits = bucket.wide_hits.load(std::memory_order_relaxed) + hits_of(taken);
    }
    restart(bucket, taken, generation, number, wide, one_call + (hit ? 1 : 0));
  }

  /// Returns the bucket's counts; nobody adds to them from now on. Under the lock.
  [[nodiscard]] static std::uint64_t take(Bucket& bucket) noexcept {
    std::uint64_t seen = bucket.counts.load(std::memory_order_relaxed);
    while (!bucket.counts.compare_exchange_weak(seen, locked_turn(seen), std::memory_order_seq_cst,
                                                std::memory_order_relaxed)) {
    }
    return seen;
  }

  /// After take(). Release: pairs with the loads in add_if_current(), so that a reader of what is written
  /// here also sees that the bucket was taken.
  static void restart(Bucket& bucket, std::uint64_t taken, std::uint32_t generation, Tick number, Rate wide,
                      std::uint64_t counts) noexcept {
    bucket.wide_calls.store(wide.calls, std::memory_order_release);
    bucket.wide_hits.store(wide.hits, std::memory_order_release);
    bucket.number.store(number, std::memory_order_release);
    bucket.generation.store(generation, std::memory_order_release);
    bucket.counts.store((taken / one_turn + 2) * one_turn + counts, std::memory_order_seq_cst);
  }

  /// Adds the bucket's counts if it belongs to the generation and to the last ten. What is read between two
  /// looks at the same turn belongs together.
  void add_if_current(Rate& sum, const Bucket& bucket, std::uint32_t generation, Tick newest) const noexcept {
    for (;;) {
      const std::uint64_t seen = bucket.counts.load(std::memory_order_seq_cst);
      if (calls_of(seen) == all_calls) {  // a thread is at it: wait for it
        const std::lock_guard lock{mutex_};
        continue;
      }
      // Acquire: pairs with the stores in restart().
      const Tick number = bucket.number.load(std::memory_order_acquire);
      const std::uint32_t held = bucket.generation.load(std::memory_order_acquire);
      const std::uint64_t calls = bucket.wide_calls.load(std::memory_order_acquire);
      const std::uint64_t hits = bucket.wide_hits.load(std::memory_order_acquire);
      if (bucket.counts.load(std::memory_order_relaxed) / one_turn != seen / one_turn) continue;
      if (held != generation || elapsed(number, newest) >= bucket_count) return;
      sum.calls += calls + calls_of(seen);
      sum.hits += hits + hits_of(seen);
      return;
    }
  }

  [[nodiscard]] Tick number_at(Tick now) const noexcept { return now / width_ - (now % width_ < 0 ? 1 : 0); }

  /// The same, usually without the division.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick newest_number_at(Shard& shard, Tick now) noexcept {
    Tick number = shard.newest.load(std::memory_order_relaxed);  // relaxed: a hint that the next lines check
    // Unsigned: a bucket may begin before the first tick.
    const auto since_begin = static_cast<std::uint64_t>(now) -
                             static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(width_);
    if (since_begin >= static_cast<std::uint64_t>(width_)) [[unlikely]] {
      number = number_at(now);
      shard.newest.store(number, std::memory_order_relaxed);
    }
    return number;
  }

  Tick width_;
  std::unique_ptr<Shard[]> shards_;
  mutable typename Sync::Mutex mutex_;  // guards what follows, and the beginning of a bucket
  std::uint32_t generation_ = 0;
  std::uint32_t emptied_generation_ = 0;
};

/// A count window or a time window, as the config says.
template <class Sync>
class RateWindow {
 public:
  explicit RateWindow(const Window& window) : coarse_{window.length() >= std::chrono::seconds{1}} {
    if (window.is_time()) {
      time_.emplace(window.length());
    } else {
      count_.emplace(window.calls());
    }
  }

  [[nodiscard]] bool is_time() const noexcept { return time_.has_value(); }

  /// Under the breaker's lock: as those of CountWindow.
  void begin(std::uint32_t generation, std::uint64_t recorded) noexcept {
    count_ ? count_->begin(generation, recorded) : time_->begin(generation);
  }
  void leave_out_one() noexcept {
    if (count_) count_->leave_out_one();
  }

  /// Records an outcome that the breaker has counted: recorded() says how many there are now. `coarse_now` is
  /// the clock's coarse reading, by which time windows of one second or more move (T1).
  template <class C, class Recorded>
  FUSEBOX_DETAIL_NOINLINE void record(std::uint32_t generation, const C& clock, Tick coarse_now, bool hit,
                                      const Recorded& recorded) noexcept {
    if (time_) return time_->record(generation, coarse_ ? coarse_now : detail::fine_tick(clock), hit);
    if (hit) count_->record_hit(generation, recorded);
  }
  /// The same for an outcome that is no hit.
  template <class C>
  FUSEBOX_DETAIL_INLINE void record_miss(std::uint32_t generation, const C& clock, Tick coarse_now) noexcept {
    if (time_) time_->record(generation, coarse_ ? coarse_now : detail::fine_tick(clock), false);
  }

  template <class C, class Recorded>
  [[nodiscard]] Rate rate(std::uint32_t generation, const C& clock, const Recorded& recorded) const {
    if (count_) return count_->rate(generation, recorded);
    return time_->rate(generation, coarse_ ? detail::coarse_tick(clock) : detail::fine_tick(clock));
  }

 private:
  std::optional<CountWindow<Sync>> count_;
  std::optional<TimeWindow<Sync>> time_;
  bool coarse_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
