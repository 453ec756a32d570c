// fusebox/retry_budget/detail/balance.hpp: what a retry budget holds, in one atomic word (U1).
//
//   Balance         of a RetryBudget: deposits, withdrawals, and what comes with time
//   ThrottleTokens  of a RetryThrottle
//
// The word of a Balance is a time, in units: what there is to withdraw is how far it lies behind now, and at
// most `capacity`. So the balance grows with time by itself. Without a rate, now stands still at 0.
//
//     now − capacity    word              now
//    ───┼────────────────┼─────────────────┼──────▶  units
//                        └ to withdraw     ┘
#pragma once
// IWYU pragma: private, include <fusebox/retry_budget.hpp>

#include <algorithm>
#include <atomic>

#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/retry_budget/config.hpp>
#include <fusebox/retry_budget/detail/units.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr Tick ticks_per_second = 1'000'000'000;

/// Units to which a ratio is rounded at worst. A second is worth at most as many, so that the units of all
/// the timeline fit into a Tick.
inline constexpr Tick most_units = ticks_per_second;

[[nodiscard]] constexpr RetryUnits retry_units(const RetryBudgetConfig& config) noexcept {
  return retry_units(config.ratio,
                     config.min_per_second == 0 ? most_units : most_units / config.min_per_second);
}

template <class Sync = StdSync>
class Balance {
 public:
  explicit Balance(const RetryBudgetConfig& config) noexcept : Balance{config, detail::retry_units(config)} {}

  /// The time in units, from one in ticks since the budget was made, at least 0. Rounded down: time never
  /// pays more than its rate.
  [[nodiscard]] Tick units_at(Tick time) const noexcept {
    // Less than 10⁹ × 10⁹ each, so nothing overflows.
    const Tick seconds = time / ticks_per_second;
    const Tick rest = time % ticks_per_second;
    return seconds * units_per_second_ + rest * units_per_second_ / ticks_per_second;
  }

  /// A first attempt. Writes nothing while the balance is full.
  FUSEBOX_DETAIL_INLINE void deposit(Tick now) noexcept { add(deposit_, now); }
  /// A withdrawal whose retry never happened.
  void give_back(Tick now) noexcept { add(retry_, now); }

  /// Pays one retry. False, and nothing is changed, if the balance is less.
  [[nodiscard]] bool try_withdraw(Tick now) noexcept {
    const Tick floor = now - capacity_;
    // Relaxed, here and below: the word is all that calls share, and its own order is enough to count.
    Tick word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const Tick from = std::max(word, floor);
      if (from > now - retry_) return false;
      if (word_.compare_exchange_weak(word, from + retry_, std::memory_order_relaxed,
                                      std::memory_order_relaxed))
        return true;
    }
  }

  /// In retries.
  [[nodiscard]] double value(Tick now) const noexcept {
    const Tick left = std::clamp<Tick>(now - word_.load(std::memory_order_relaxed), 0, capacity_);
    return static_cast<double>(left) / static_cast<double>(retry_);
  }

 private:
  Balance(const RetryBudgetConfig& config, RetryUnits units) noexcept
      : retry_{units.retry},
        deposit_{units.deposit},
        units_per_second_{units.retry * config.min_per_second},
        capacity_{units.retry * config.capacity},
        word_{-units.retry * config.reserve} {}

  /// Threads together may pass the floor. What lies beyond it never counts, so nothing is lost or won.
  FUSEBOX_DETAIL_INLINE void add(Tick units, Tick now) noexcept {
    if (word_.load(std::memory_order_relaxed) > now - capacity_)
      word_.fetch_sub(units, std::memory_order_relaxed);
  }

  const Tick retry_;  // units of one retry
  const Tick deposit_;
  const Tick units_per_second_;
  const Tick capacity_;  // in units
  typename Sync::template Atomic<Tick> word_;
};

/// A failure takes a token, a success returns a share of one, and a retry needs more than half (U4).
template <class Sync = StdSync>
class ThrottleTokens {
 public:
  explicit ThrottleTokens(const RetryThrottleConfig& config) noexcept
      : ThrottleTokens{config, detail::retry_units(config.token_ratio, most_units)} {}

  FUSEBOX_DETAIL_INLINE void add_success() noexcept { add(success_); }
  void take_failure() noexcept { add(-token_); }
  [[nodiscard]] bool permits_retry() const noexcept {
    return units_.load(std::memory_order_relaxed) > most_ / 2;
  }
  [[nodiscard]] double value() const noexcept {
    return static_cast<double>(units_.load(std::memory_order_relaxed)) / static_cast<double>(token_);
  }

 private:
  ThrottleTokens(const RetryThrottleConfig& config, RetryUnits units) noexcept
      : token_{units.retry}, success_{units.deposit}, most_{units.retry * config.max_tokens}, units_{most_} {}

  /// Writes nothing if it changes nothing.
  FUSEBOX_DETAIL_INLINE void add(Tick units) noexcept {
    // Relaxed: the word is all that calls share, and its own order is enough to count.
    Tick before = units_.load(std::memory_order_relaxed);
    for (;;) {
      const Tick after = std::clamp<Tick>(before + units, 0, most_);
      if (after == before ||
          units_.compare_exchange_weak(before, after, std::memory_order_relaxed, std::memory_order_relaxed))
        return;
    }
  }

  const Tick token_;    // units of one token
  const Tick success_;  // units that a success returns
  const Tick most_;
  typename Sync::template Atomic<Tick> units_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
