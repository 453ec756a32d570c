// fusebox/detail/rate_window.hpp: how many of the last calls were hits (B3).
//
// A hit is what the rule counts: a failure or a slow call. CountWindow holds the last n outcomes, TimeWindow
// the outcomes of the last seconds; RateWindow is either, as the config says. Recording takes no lock.
// Everything stored carries the generation that it belongs to, so that a new generation starts empty without
// clearing anything. Storage is allocated once.
#pragma once
// IWYU pragma: private

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <fusebox/detail/ticks.hpp>
#include <fusebox/window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Calls and hits in one word:
///
///     63            40 39            20 19             0
///    +----------------+----------------+----------------+
///    |      tag       |     calls      |      hits      |
///    +----------------+----------------+----------------+
///
/// The tag says what is counted: a generation, or one turn of a bucket in one generation.
class PackedCounts {
 public:
  constexpr PackedCounts() noexcept = default;
  constexpr explicit PackedCounts(std::uint64_t bits) noexcept : bits_{bits} {}
  constexpr PackedCounts(std::uint32_t tag, std::uint32_t calls, std::uint32_t hits) noexcept
      : bits_{(std::uint64_t{tag & tag_mask} << 40U) | (std::uint64_t{calls & field_mask} << 20U) |
              (hits & field_mask)} {}

  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] constexpr std::uint32_t tag() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 40U);
  }
  [[nodiscard]] constexpr std::uint32_t calls() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 20U) & field_mask;
  }
  [[nodiscard]] constexpr std::uint32_t hits() const noexcept {
    return static_cast<std::uint32_t>(bits_) & field_mask;
  }

  /// Counts under this tag, with room for one more call?
  [[nodiscard]] constexpr bool has_room_for(std::uint32_t wanted_tag) const noexcept {
    return tag() == wanted_tag && calls() != field_mask;
  }
  [[nodiscard]] constexpr PackedCounts plus_call(bool hit) const noexcept {
    return PackedCounts{bits_ + (std::uint64_t{1} << 20U) + (hit ? 1 : 0)};
  }
  /// Counts that are full drop half of themselves first, so that their rate stays what it was.
  [[nodiscard]] constexpr PackedCounts plus(std::uint32_t more_calls,
                                            std::uint32_t more_hits) const noexcept {
    const bool full = calls() == field_mask && more_calls > 0;
    return full ? PackedCounts{tag(), calls() / 2 + more_calls, hits() / 2 + more_hits}
                : PackedCounts{tag(), calls() + more_calls, hits() + more_hits};
  }

  static constexpr std::uint32_t tag_mask = 0xffffffU;
  static constexpr std::uint32_t field_mask = 0xfffffU;

 private:
  std::uint64_t bits_ = 0;
};

/// Is the generation with tag `a` later than the one with tag `b`? Tags wrap around.
[[nodiscard]] constexpr bool is_later(std::uint32_t a, std::uint32_t b) noexcept {
  const std::uint32_t ahead = (a - b) & PackedCounts::tag_mask;
  return ahead != 0 && ahead <= PackedCounts::tag_mask / 2;
}

/// Adds to the counts in `word` under `tag`. Counts with another tag are replaced, unless
/// `is_outdated(their tag)` says that `tag` is the older one.
template <class Atomic, class IsOutdated>
void add_counts(Atomic& word, std::uint32_t tag, std::uint32_t calls, std::uint32_t hits,
                IsOutdated is_outdated) noexcept {
  std::uint64_t seen = word.load(std::memory_order_acquire);  // pairs with the exchange below
  for (;;) {
    const PackedCounts old{seen};
    if (old.tag() != tag && is_outdated(old.tag())) return;
    const PackedCounts next = old.tag() == tag ? old.plus(calls, hits) : PackedCounts{tag, calls, hits};
    // Sequentially consistent: see TimeWindow.
    if (word.compare_exchange_weak(seen, next.bits(), std::memory_order_seq_cst, std::memory_order_acquire)) {
      return;
    }
  }
}

/// Raises `word` to `value`; false if it is above it already. Release and acquire: a thread that sees the
/// value also sees what was written before it was raised.
template <class Atomic, class T>
bool raise_to(Atomic& word, T value) noexcept {
  T held = word.load(std::memory_order_acquire);
  while (held < value) {
    if (word.compare_exchange_weak(held, value, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return true;
    }
  }
  return held == value;
}

struct Rate {
  std::uint32_t calls = 0;
  std::uint32_t hits = 0;

  [[nodiscard]] double value() const noexcept {
    return calls == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(calls);
  }
  [[nodiscard]] bool reaches(double threshold, int minimum_calls) const noexcept {
    return calls >= static_cast<std::uint32_t>(minimum_calls) && value() >= threshold;
  }
};

/// The last n outcomes: a ring of them, and their sum. A slot of the ring:
///
///     31            1   0
///    +----------------+-----+
///    |      tag       | hit |
///    +----------------+-----+
///
/// The words of a count window are relaxed: each is right by itself, and a sum that lags behind by the calls
/// under way is as good as one that they have not reached.
template <class Sync>
class CountWindow {
 public:
  explicit CountWindow(int calls)
      : size_{static_cast<std::uint32_t>(calls)}, ring_{std::make_unique<Slot[]>(size_)} {}

  FUSEBOX_DETAIL_INLINE void record(std::uint32_t tag, bool hit) noexcept {
    // A late report of an earlier generation takes no slot.
    if (const std::uint32_t held = sum().tag(); held != tag && is_later(held, tag)) [[unlikely]]
      return;
    Slot& slot = ring_[next_.fetch_add(1, std::memory_order_relaxed) % size_];
    const std::uint32_t outcome = slot_of(tag, hit);
    // A slot that already holds the same outcome needs no write: the sum stays what it is.
    if (const std::uint32_t old = slot.load(std::memory_order_relaxed); old != outcome) [[unlikely]]
      replace(slot, old, outcome);
  }

  [[nodiscard]] Rate rate(std::uint32_t tag) const noexcept {
    const PackedCounts counts = sum();
    if (counts.tag() != tag) return {};
    // Two racing threads may subtract a hit before it is added: the sum is then below zero and has wrapped.
    return {counts.calls(), counts.hits() > counts.calls() ? 0 : counts.hits()};
  }

 private:
  using Slot = typename Sync::template Atomic<std::uint32_t>;  // tag << 1 | hit

  [[nodiscard]] static constexpr std::uint32_t slot_of(std::uint32_t tag, bool hit) noexcept {
    return (tag << 1U) | (hit ? 1U : 0U);
  }
  [[nodiscard]] PackedCounts sum() const noexcept {
    return PackedCounts{sum_.load(std::memory_order_relaxed)};
  }

  /// Puts `outcome` into the slot and the difference into the sum.
  FUSEBOX_DETAIL_NOINLINE void replace(Slot& slot, std::uint32_t old, std::uint32_t outcome) noexcept {
    const std::uint32_t tag = outcome >> 1U;
    const auto is_outdated = [tag](std::uint32_t held) { return is_later(held, tag); };
    do {
      if (is_outdated(old >> 1U)) return;
    } while (!slot.compare_exchange_weak(old, outcome, std::memory_order_relaxed, std::memory_order_relaxed));
    const bool same_generation = (old >> 1U) == tag;
    const std::uint32_t more_calls = same_generation ? 0 : 1;
    const std::uint32_t more_hits = (outcome & 1U) - (same_generation ? old & 1U : 0U);
    if (more_calls != 0 || more_hits != 0) add_counts(sum_, tag, more_calls, more_hits, is_outdated);
  }

  std::uint32_t size_;
  std::unique_ptr<Slot[]> ring_;
  typename Sync::template Atomic<std::uint64_t> next_{0};
  typename Sync::template Atomic<std::uint64_t> sum_{0};  // PackedCounts
};

/// The outcomes of the last ten buckets of time: the current one and the nine before it. The buckets lie in
/// a ring of sixteen, so that no division finds a bucket's place. A bucket is used again after sixteen
/// widths; the tag of its counts tells which of its turns, in which generation, they belong to.
///
/// Counts are sequentially consistent: if two threads record in two buckets at the same time and then ask
/// for the rate, at least one of them sees both records.
template <class Sync>
class TimeWindow {
 public:
  explicit TimeWindow(std::chrono::nanoseconds length)
      : width_{length.count() / bucket_count + (length.count() % bucket_count != 0 ? 1 : 0)} {}

  FUSEBOX_DETAIL_INLINE void record(std::uint32_t generation, Tick now, bool hit) noexcept {
    const Tick number = newest_number_at(now);
    Bucket& bucket = ring_[static_cast<std::size_t>(number) % ring_size];
    const std::uint32_t tag = tag_of(generation, number);
    if (!add_to_current(bucket, generation, number, tag, hit)) [[unlikely]]
      begin_turn_and_add(bucket, generation, number, tag, hit);
  }

  [[nodiscard]] Rate rate(std::uint32_t generation, Tick now) const noexcept {
    const Tick newest = number_at(now);
    Rate sum;
    for (const Bucket& bucket : ring_) {
      // In this order: a thread that sees counts sees their bucket's number, which was written before them.
      // So the number may be relaxed: the load of the counts acquires.
      const PackedCounts counts{bucket.counts.load(std::memory_order_seq_cst)};
      const Tick number = bucket.number.load(std::memory_order_relaxed);
      const bool in_window = number != tick_min && elapsed(number, newest) < bucket_count;
      if (!in_window || counts.tag() != tag_of(generation, number)) continue;
      sum.calls += counts.calls();
      sum.hits += counts.hits();
    }
    return sum;
  }

 private:
  static constexpr Tick bucket_count = 10;
  static constexpr std::size_t ring_size = 16;

  struct Bucket {
    typename Sync::template Atomic<Tick> number{tick_min};    // of its latest turn
    typename Sync::template Atomic<std::uint64_t> counts{0};  // PackedCounts
  };

  /// Most records: the bucket's turn and the generation are the latest known, and no other thread
  /// interferes. Relaxed: if either is stale, the tag differs or begin_turn_and_add() decides.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool add_to_current(Bucket& bucket, std::uint32_t generation,
                                                          Tick number, std::uint32_t tag, bool hit) noexcept {
    std::uint64_t seen = bucket.counts.load(std::memory_order_acquire);  // pairs with the exchanges of counts
    return generation_.load(std::memory_order_relaxed) == generation &&
           bucket.number.load(std::memory_order_relaxed) == number && PackedCounts{seen}.has_room_for(tag) &&
           bucket.counts.compare_exchange_weak(seen, PackedCounts{seen}.plus_call(hit).bits(),
                                               std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  FUSEBOX_DETAIL_NOINLINE void begin_turn_and_add(Bucket& bucket, std::uint32_t generation, Tick number,
                                                  std::uint32_t tag, bool hit) noexcept {
    if (!raise_to(generation_, generation) || !raise_to(bucket.number, number)) return;  // a late report
    // Counts with another tag are old, unless time or the generation has moved on since. Acquire: pairs with
    // raise_to().
    const auto is_outdated = [&](std::uint32_t) {
      return bucket.number.load(std::memory_order_acquire) != number ||
             generation_.load(std::memory_order_acquire) != generation;
    };
    add_counts(bucket.counts, tag, 1, hit ? 1 : 0, is_outdated);
  }

  [[nodiscard]] Tick number_at(Tick now) const noexcept { return now / width_ - (now % width_ < 0 ? 1 : 0); }

  /// The same, usually without the division.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick newest_number_at(Tick now) noexcept {
    Tick number = newest_.load(std::memory_order_relaxed);  // relaxed: a hint that the next lines check
    // Unsigned: a bucket may begin before the first tick.
    const auto since_begin = static_cast<std::uint64_t>(now) -
                             static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(width_);
    if (since_begin >= static_cast<std::uint64_t>(width_)) [[unlikely]] {
      number = number_at(now);
      newest_.store(number, std::memory_order_relaxed);
    }
    return number;
  }

  /// Differs between neighbouring turns of a bucket and between neighbouring generations: multiplication by
  /// the golden ratio spreads generations (Knuth, TAOCP 3, §6.4), turns stay near each other.
  [[nodiscard]] static constexpr std::uint32_t tag_of(std::uint32_t generation, Tick number) noexcept {
    const auto turn = static_cast<std::uint64_t>(number) / ring_size;
    const std::uint64_t spread = (generation * std::uint64_t{0x9e3779b97f4a7c15}) >> 40U;
    return static_cast<std::uint32_t>(turn ^ spread) & PackedCounts::tag_mask;
  }

  Tick width_;
  typename Sync::template Atomic<Tick> newest_{0};  // the number of a recent bucket
  typename Sync::template Atomic<std::uint32_t> generation_{0};
  std::array<Bucket, ring_size> ring_;
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

  /// `coarse_now` is the clock's coarse reading, by which time windows of one second or more move (T1).
  template <class C>
  FUSEBOX_DETAIL_NOINLINE void record(std::uint32_t generation, const C& clock, Tick coarse_now,
                                      bool hit) noexcept {
    if (count_) return count_->record(generation & PackedCounts::tag_mask, hit);
    if (!coarse_) return record_finely(generation, clock, hit);
    time_->record(generation, coarse_now, hit);
  }

  template <class C>
  [[nodiscard]] Rate rate(std::uint32_t generation, const C& clock) const {
    if (count_) return count_->rate(generation & PackedCounts::tag_mask);
    return time_->rate(generation, coarse_ ? detail::coarse_tick(clock) : detail::fine_tick(clock));
  }

 private:
  template <class C>
  FUSEBOX_DETAIL_NOINLINE void record_finely(std::uint32_t generation, const C& clock, bool hit) noexcept {
    time_->record(generation, detail::fine_tick(clock), hit);
  }

  std::optional<CountWindow<Sync>> count_;
  std::optional<TimeWindow<Sync>> time_;
  bool coarse_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
