// fusebox/rate_limiter/detail/gcra.hpp: Gcra, which admits calls at a rate by one atomic word (Q1).
//
// The generic cell rate algorithm. The word is the time up to which permits are spent: what an idle limiter
// has saved up is how far the word lies behind now, at most `burst` permits. A permit moves the word ahead by
// `interval`. A caller that may wait moves it beyond now: its permits are due when that time has come, so
// reservations are due in their order.
//
//      word          now             word'
//    ───┼─────────────┼────────────────┼──────▶  time
//       └ saved up    ┘└ reserved      ┘
//
// A server's report (sync) is kept beside it under a small lock. Only while a report holds do calls take the
// lock.
#pragma once
// IWYU pragma: private, include <fusebox/rate_limiter.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a caller took. Also what it gives back if its wait is cancelled.
struct Reservation {
  Tick wait;             // until the permits are due, or if they were refused, until they would fit
  Tick word;             // the limiter's word after it
  Tick cost;             // 0 if it was refused
  std::uint32_t report;  // the report that it counts in, or 0

  [[nodiscard]] constexpr bool is_refused() const noexcept { return cost == 0; }
};

template <class Sync = StdSync>
class Gcra {
 public:
  /// interval × burst must be at most tick_max.
  Gcra(Tick interval, Tick burst) noexcept : interval_{interval}, saved_at_most_{interval * burst} {}

  /// Takes n permits, at most burst, if they are there at `now`.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool try_take(Tick n, Tick now) noexcept {
    // Relaxed: a take that does not see a new report came before it.
    if (now < report_until_.load(std::memory_order_relaxed)) [[unlikely]]
      return !take_by_report(n, now, 0).is_refused();
    const Tick cost = n * interval_;
    Tick word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const Tick base = spent_until(word, now);
      if (!fits(base, cost, now)) return false;
      if (advance(word, base + cost)) return true;
    }
  }

  /// Takes n permits, at most burst, that are due at most `longest_wait` after `now`.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Reservation take(Tick n, Tick now, Tick longest_wait) noexcept {
    if (now < report_until_.load(std::memory_order_relaxed)) return take_by_report(n, now, longest_wait);
    const Tick cost = n * interval_;
    Tick word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const Tick wait = wait_at(word, cost, now);
      if (wait > longest_wait || wait == tick_max) return {wait, word, 0, 0};
      const Tick next = spent_until(word, now) + cost;
      if (advance(word, next)) return {wait, next, cost, 0};
    }
  }

  /// The time until n permits fit; 0 if they do. Takes nothing.
  [[nodiscard]] Tick wait_for(Tick n, Tick now) const noexcept {
    const Tick word = word_.load(std::memory_order_relaxed);
    if (now >= report_until_.load(std::memory_order_relaxed)) return wait_at(word, n * interval_, now);
    const std::lock_guard lock{mutex_};
    return place_by_report(word, n, now).wait;
  }

  /// The permits of a wait that was cancelled. They return only if nobody reserved after it (Q5): else those
  /// who did would be due too late, and what lies between them is lost. A word that was left by a
  /// reservation is left by no other while that one may return, so nothing returns twice.
  void give_back(const Reservation& reserved) noexcept {
    Tick word = reserved.word;
    // Relaxed: the word is all that calls share.
    word_.compare_exchange_strong(word, reserved.word - reserved.cost, std::memory_order_relaxed,
                                  std::memory_order_relaxed);
    if (reserved.report == 0) return;
    const std::lock_guard lock{mutex_};
    if (reserved.report == report_) report_left_ += reserved.cost / interval_;
  }

  /// A server admits `remaining` more permits within `reset` from `now` on. While a report holds, another one
  /// counts only if it leaves no more; then the later reset of both holds (Q7).
  void report(Tick remaining, Tick reset, Tick now) noexcept {
    if (reset <= 0) return;
    if (remaining < 0) remaining = 0;
    if (remaining >= saturating_add(saved_at_most_, reset) / interval_) return;  // no less than the config
    const std::lock_guard lock{mutex_};
    Tick until = saturating_add(now, reset);
    // Relaxed: it is changed under the lock only.
    if (const Tick current = report_until_.load(std::memory_order_relaxed); now < current) {
      if (remaining > report_left_) return;
      if (until < current) until = current;
    }
    report_left_ = remaining;
    if (++report_ == 0) ++report_;
    report_until_.store(until, std::memory_order_relaxed);  // a hint for those without the lock
  }

 private:
  /// From where on a permit taken now is counted: what is saved up beyond the burst is dropped.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick spent_until(Tick word, Tick now) const noexcept {
    // now − saved_at_most_, or the beginning of the timeline.
    const Tick earliest = now < tick_min + saved_at_most_ ? tick_min : now - saved_at_most_;
    return word < earliest ? earliest : word;
  }

  /// base + cost ≤ now, without overflow: base is at most `saved_at_most_` behind now.
  [[nodiscard]] static FUSEBOX_DETAIL_INLINE bool fits(Tick base, Tick cost, Tick now) noexcept {
    return base <= now && cost <= now - base;
  }

  /// tick_max if the permits would be due after the end of the timeline.
  [[nodiscard]] Tick wait_at(Tick word, Tick cost, Tick now) const noexcept {
    const Tick base = spent_until(word, now);
    return base > tick_max - cost ? tick_max : elapsed(now, base + cost);
  }

  FUSEBOX_DETAIL_INLINE bool advance(Tick& word, Tick next) noexcept {
    // Relaxed: the word is all that calls share, and its own order is enough to count them.
    return word_.compare_exchange_weak(word, next, std::memory_order_relaxed, std::memory_order_relaxed);
  }

  /// Where a permit taken while a report holds has its place. Under the lock.
  struct Place {
    Tick at;      // from when on it counts: now, or the reset if the report leaves too few
    Tick wait;    // until it is due
    bool counts;  // in the report: it is due before the reset
  };
  [[nodiscard]] Place place_by_report(Tick word, Tick n, Tick now) const noexcept {
    const Tick until = report_until_.load(std::memory_order_relaxed);
    const Tick reset = elapsed(now, until);
    const Tick wait = wait_at(word, n * interval_, now);
    if (wait >= reset) return {now, wait, false};
    if (n <= report_left_) return {now, wait, true};
    return {until, saturating_add(reset, wait_at(word, n * interval_, until)), false};
  }

  /// As take(), while a report may hold.
  [[nodiscard]] FUSEBOX_DETAIL_COLD Reservation take_by_report(Tick n, Tick now, Tick longest_wait) noexcept {
    const std::lock_guard lock{mutex_};
    const Tick cost = n * interval_;
    // Those who have not seen the report yet move the word without the lock.
    Tick word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const Place place = place_by_report(word, n, now);
      if (place.wait > longest_wait || place.wait == tick_max) return {place.wait, word, 0, 0};
      const Tick next = spent_until(word, place.at) + cost;
      if (!advance(word, next)) continue;
      if (place.counts) {
        report_left_ -= n;
      } else if (place.at != now) {
        report_left_ = 0;  // nobody overtakes a call that waits for the reset
      }
      return {place.wait, next, cost, place.counts ? report_ : 0};
    }
  }

  const Tick interval_;       // of a permit
  const Tick saved_at_most_;  // burst × interval
  typename Sync::template Atomic<Tick> word_{tick_min};
  typename Sync::template Atomic<Tick> report_until_{tick_min};  // changed under the lock
  mutable typename Sync::Mutex mutex_;                           // guards what follows
  Tick report_left_ = 0;                                         // permits until then
  std::uint32_t report_ = 0;                                     // the number of the report, from 1
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
