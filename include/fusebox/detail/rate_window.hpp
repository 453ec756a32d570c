// fusebox/detail/rate_window.hpp: of the last calls, or the calls of the last seconds, how many hit (B3).
//
// A hit is what the rule counts: a failure, or a slow call. Recording takes no lock. What is stored carries
// the generation that it belongs to, so that a new period starts empty without anything being cleared.
// Storage is allocated once.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <fusebox/detail/ticks.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// What a rate is computed over: made by `last_calls` or `within`.
class Window {
 public:
  [[nodiscard]] constexpr bool is_time() const noexcept { return is_time_; }
  /// Of a count window: how many outcomes it holds.
  [[nodiscard]] constexpr int calls() const noexcept { return calls_; }
  /// Of a time window: how far back it reaches.
  [[nodiscard]] constexpr std::chrono::nanoseconds length() const noexcept { return length_; }
  friend constexpr bool operator==(const Window&, const Window&) noexcept = default;

 private:
  friend constexpr Window last_calls(int calls) noexcept;
  friend constexpr Window within(std::chrono::nanoseconds length) noexcept;
  constexpr Window(bool is_time, int calls, std::chrono::nanoseconds length) noexcept
      : is_time_{is_time}, calls_{calls}, length_{length} {}

  bool is_time_;
  int calls_;
  std::chrono::nanoseconds length_;
};

/// The last `calls` recorded outcomes, 1 to 65535 of them.
[[nodiscard]] constexpr Window last_calls(int calls) noexcept {
  return {false, calls, std::chrono::nanoseconds::zero()};
}

/// The recorded outcomes of the last `length`, in ten buckets: the current one and the nine before it.
[[nodiscard]] constexpr Window within(std::chrono::nanoseconds length) noexcept { return {true, 0, length}; }

namespace detail {

/// Calls and hits of one generation, in one word.
class Tally {
 public:
  constexpr Tally() noexcept = default;
  constexpr explicit Tally(std::uint64_t bits) noexcept : bits_{bits} {}
  constexpr Tally(std::uint32_t tag, std::uint32_t calls, std::uint32_t hits) noexcept
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

  /// Is it of this tag, with room for another call?
  [[nodiscard]] constexpr bool takes(std::uint32_t of) const noexcept {
    return tag() == of && calls() != field_mask;
  }
  [[nodiscard]] constexpr Tally plus(bool hit) const noexcept {
    return Tally{bits_ + (std::uint64_t{1} << 20U) + (hit ? 1 : 0)};
  }

  static constexpr std::uint32_t tag_mask = 0xffffffU;
  static constexpr std::uint32_t field_mask = 0xfffffU;

 private:
  std::uint64_t bits_ = 0;
};

/// Is tag `a` of a later generation than `b`?
[[nodiscard]] constexpr bool is_later(std::uint32_t a, std::uint32_t b) noexcept {
  const std::uint32_t ahead = (a - b) & Tally::tag_mask;
  return ahead != 0 && ahead <= Tally::tag_mask / 2;
}

/// Adds to the tally of `tag`. Where the word holds that of another tag, it starts anew, unless
/// `is_past(tag held)` says that the one held is to stay.
template <class Word, class IsPast>
void add_to_tally(Word& word, std::uint32_t tag, std::uint32_t calls, std::uint32_t hits,
                  IsPast is_past) noexcept {
  std::uint64_t seen = word.load(std::memory_order_acquire);
  for (;;) {
    const Tally old{seen};
    Tally next{tag, calls, hits};
    if (old.tag() == tag) {
      // Half of a full bucket is dropped: the rate stays what it was.
      const bool full = old.calls() == Tally::field_mask && calls > 0;
      next = full ? Tally{tag, old.calls() / 2 + calls, old.hits() / 2 + hits}
                  : Tally{tag, old.calls() + calls, old.hits() + hits};
    } else if (is_past(old.tag())) {
      return;
    }
    if (word.compare_exchange_weak(seen, next.bits(), std::memory_order_seq_cst, std::memory_order_acquire))
      return;
  }
}

/// Moves `word` on to `value`; false where it is past it.
template <class Word, class T>
bool move_on(Word& word, T value) noexcept {
  T held = word.load(std::memory_order_acquire);
  while (held < value) {
    if (word.compare_exchange_weak(held, value, std::memory_order_acq_rel, std::memory_order_acquire))
      return true;
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

/// The last n outcomes: a ring of them, and their sum.
template <class Sync>
class CountWindow {
 public:
  explicit CountWindow(int calls)
      : size_{static_cast<std::uint32_t>(calls)}, ring_{std::make_unique<Slot[]>(size_)} {}

  FUSEBOX_DETAIL_INLINE void record(std::uint32_t tag, bool hit) noexcept {
    // A report that was on its way while the period ended must not take a place in the next one.
    if (const std::uint32_t held = Tally{sum_.load(std::memory_order_relaxed)}.tag();
        held != tag && is_later(held, tag)) [[unlikely]] {
      return;
    }
    Slot& slot = ring_[next_.fetch_add(1, std::memory_order_relaxed) % size_];
    const std::uint32_t mine = (tag << 1U) | (hit ? 1U : 0U);
    if (const std::uint32_t old = slot.load(std::memory_order_relaxed); old != mine) [[unlikely]]
      replace(slot, old, tag, mine);
  }

  [[nodiscard]] Rate rate(std::uint32_t tag) const noexcept {
    const Tally sum{sum_.load(std::memory_order_relaxed)};
    if (sum.tag() != tag) return {};
    // Two racing threads may take a hit out before it was put in; the sum is then wrapped below zero.
    return {sum.calls(), sum.hits() > sum.calls() ? 0 : sum.hits()};
  }

 private:
  using Slot = typename Sync::template Atomic<std::uint32_t>;  // tag << 1 | hit

  FUSEBOX_DETAIL_NOINLINE void replace(Slot& slot, std::uint32_t old, std::uint32_t tag,
                                       std::uint32_t mine) noexcept {
    const auto is_past = [tag](std::uint32_t held) { return is_later(held, tag); };
    do {
      if (is_past(old >> 1U)) return;
    } while (!slot.compare_exchange_weak(old, mine, std::memory_order_relaxed, std::memory_order_relaxed));
    const bool replaced = (old >> 1U) == tag;
    const std::uint32_t calls = replaced ? 0 : 1;
    const std::uint32_t hits = (mine & 1U) - (replaced ? old & 1U : 0U);
    if (calls != 0 || hits != 0) add_to_tally(sum_, tag, calls, hits, is_past);
  }

  std::uint32_t size_;
  std::unique_ptr<Slot[]> ring_;
  typename Sync::template Atomic<std::uint64_t> next_{0};
  typename Sync::template Atomic<std::uint64_t> sum_{0};
};

/// The last ten buckets of time, in a ring of sixteen, so that no division finds a bucket's place. A bucket
/// is used again every sixteen widths, and starts empty then; its tally's tag tells which of its turns, and
/// which generation, it counts. Tallies are sequentially consistent: of two threads that record at the same
/// time, in two buckets, and then ask for the rate, at least one must see both records.
template <class Sync>
class TimeWindow {
 public:
  explicit TimeWindow(std::chrono::nanoseconds length)
      : width_{length.count() / bucket_count + (length.count() % bucket_count != 0 ? 1 : 0)} {}

  FUSEBOX_DETAIL_INLINE void record(std::uint32_t generation, Tick now, bool hit) noexcept {
    const Tick number = newest_number_at(now);
    Bucket& bucket = ring_[static_cast<std::size_t>(number) % ring_size];
    const std::uint32_t tag = tag_of(generation, number);
    std::uint64_t seen = bucket.tally.load(std::memory_order_acquire);
    const bool current = generation_.load(std::memory_order_relaxed) == generation &&
                         bucket.number.load(std::memory_order_relaxed) == number;
    if (current && Tally{seen}.takes(tag) &&
        bucket.tally.compare_exchange_weak(seen, Tally{seen}.plus(hit).bits(), std::memory_order_seq_cst,
                                           std::memory_order_relaxed)) [[likely]] {
      return;
    }
    record_first(generation, number, bucket, tag, hit);
  }

  [[nodiscard]] Rate rate(std::uint32_t generation, Tick now) const noexcept {
    const Tick newest = number_at(now);
    Rate sum;
    for (const Bucket& bucket : ring_) {
      // In this order: who sees a tally sees its number.
      const Tally tally{bucket.tally.load(std::memory_order_seq_cst)};
      const Tick number = bucket.number.load(std::memory_order_relaxed);
      if (number == tick_min || elapsed(number, newest) >= bucket_count ||
          tally.tag() != tag_of(generation, number)) {
        continue;
      }
      sum.calls += tally.calls();
      sum.hits += tally.hits();
    }
    return sum;
  }

 private:
  static constexpr Tick bucket_count = 10;
  static constexpr std::size_t ring_size = 16;

  struct Bucket {
    typename Sync::template Atomic<Tick> number{tick_min};
    typename Sync::template Atomic<std::uint64_t> tally{0};
  };

  /// As record(), where the bucket's turn may be new, or others are at it.
  FUSEBOX_DETAIL_NOINLINE void record_first(std::uint32_t generation, Tick number, Bucket& bucket,
                                            std::uint32_t tag, bool hit) noexcept {
    if (!move_on(generation_, generation) || !move_on(bucket.number, number)) return;
    // A tally of another tag is of the past, unless time or the generation has moved on meanwhile.
    const auto is_past = [&](std::uint32_t) {
      return bucket.number.load(std::memory_order_acquire) != number ||
             generation_.load(std::memory_order_acquire) != generation;
    };
    add_to_tally(bucket.tally, tag, 1, hit ? 1 : 0, is_past);
  }

  [[nodiscard]] Tick number_at(Tick now) const noexcept { return now / width_ - (now % width_ < 0 ? 1 : 0); }
  /// The same, mostly without the division.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick newest_number_at(Tick now) noexcept {
    Tick number = newest_.load(std::memory_order_relaxed);
    // Unsigned: a bucket may begin before the first tick.
    const auto since_begin = static_cast<std::uint64_t>(now) -
                             static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(width_);
    if (since_begin >= static_cast<std::uint64_t>(width_)) [[unlikely]] {
      number = number_at(now);
      newest_.store(number, std::memory_order_relaxed);
    }
    return number;
  }
  /// Differs from one turn of a bucket to the next, and from one generation to the next: near generations
  /// are far apart after multiplication by the golden ratio (Knuth, TAOCP 3, §6.4), near turns stay near.
  [[nodiscard]] static constexpr std::uint32_t tag_of(std::uint32_t generation, Tick number) noexcept {
    const auto turn = static_cast<std::uint64_t>(number) / ring_size;
    const std::uint64_t spread = (generation * std::uint64_t{0x9e3779b97f4a7c15}) >> 40U;
    return static_cast<std::uint32_t>(turn ^ spread) & Tally::tag_mask;
  }

  Tick width_;
  typename Sync::template Atomic<Tick> newest_{0};  // a bucket's number: what to try first
  typename Sync::template Atomic<std::uint32_t> generation_{0};
  std::array<Bucket, ring_size> ring_;
};

/// Either of the two, as the config says.
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

  /// `coarse_now` is the clock's coarse reading, which a window of a second or more goes by.
  template <class C>
  FUSEBOX_DETAIL_NOINLINE void record(std::uint32_t generation, const C& clock, Tick coarse_now,
                                      bool hit) noexcept {
    if (count_) return count_->record(generation & Tally::tag_mask, hit);
    if (!coarse_) return record_finely(generation, clock, hit);
    time_->record(generation, coarse_now, hit);
  }

  template <class C>
  [[nodiscard]] Rate rate(std::uint32_t generation, const C& clock) const {
    return count_ ? count_->rate(generation & Tally::tag_mask) : time_->rate(generation, tick(clock));
  }

 private:
  template <class C>
  FUSEBOX_DETAIL_NOINLINE void record_finely(std::uint32_t generation, const C& clock, bool hit) noexcept {
    time_->record(generation, detail::fine_tick(clock), hit);
  }
  template <class C>
  [[nodiscard]] Tick tick(const C& clock) const {
    return coarse_ ? detail::coarse_tick(clock) : detail::fine_tick(clock);
  }

  std::optional<CountWindow<Sync>> count_;
  std::optional<TimeWindow<Sync>> time_;
  bool coarse_;
};

}  // namespace detail

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
