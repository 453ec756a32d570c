// fusebox/adaptive_limit/vegas.hpp: Vegas, by an estimate of the queue.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include <fusebox/adaptive_limit/rule.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Estimates the queue from the lowest latency so far, as TCP Vegas does, and keeps it between 3 and 6 times
/// the digits of the limit: the rule and the defaults of Netflix's concurrency-limits (W9).
struct Vegas {
  int initial = 20;      ///< in [min, max]
  int min = 1;           ///< in [1, 65535]
  int max = 1000;        ///< in [min, 65535]
  double smoothing = 1;  ///< the share of a new limit in the next one, in (0, 1]
  /// After between half and all of so many windows, times the limit, the latency of one becomes the lowest;
  /// in [1, 65535].
  int probe_multiplier = 30;
  std::uint64_t seed = 0;  ///< of the random numbers that say after how many
  std::chrono::nanoseconds window = std::chrono::seconds{1};  ///< above 0
  int min_samples = 10;                                       ///< of a window, in [1, 1000]
  friend bool operator==(const Vegas&, const Vegas&) = default;

  class State {
   public:
    explicit constexpr State(const Vegas& rule) noexcept
        : limit_{static_cast<double>(rule.initial)}, jitter_{draw(rule.seed, 0)} {}

    [[nodiscard]] constexpr AdaptiveStep next(const Vegas& rule, const AdaptiveWindow& seen) noexcept {
      move(rule, seen);
      return {static_cast<int>(limit_), false};
    }
    /// The lowest latency.
    [[nodiscard]] constexpr std::chrono::nanoseconds base() const noexcept { return lowest_; }

   private:
    /// In [0.5, 1).
    [[nodiscard]] static constexpr double draw(std::uint64_t seed, std::uint64_t number) noexcept {
      return 0.5 + static_cast<double>(detail::mix(seed + number) >> 11U) * 0x1p-54;
    }
    /// The decimal digits of the limit but one, at least 1: its logarithm, rounded down.
    [[nodiscard]] static constexpr int logarithm(double limit) noexcept {
      return limit < 100 ? 1 : limit < 1000 ? 2 : limit < 10'000 ? 3 : 4;
    }

    constexpr void move(const Vegas& rule, const AdaptiveWindow& seen) noexcept {
      if (seen.samples == 0) {
        set(rule, limit_ - logarithm(limit_));
        return;
      }
      ++windows_;
      if (jitter_ * rule.probe_multiplier * limit_ <= windows_) {
        jitter_ = draw(rule.seed, ++draws_);
        windows_ = 0;
        lowest_ = seen.latency;
        return;
      }
      if (lowest_.count() == 0 || seen.latency < lowest_) {
        lowest_ = seen.latency;
        return;
      }
      const double now = std::max(1.0, detail::nanoseconds_of(seen.latency));
      const double queue = limit_ * (1 - detail::nanoseconds_of(lowest_) / now);
      const int step = logarithm(limit_);
      if (seen.dropped > 0) {
        set(rule, limit_ - step);
      } else if (!detail::is_half_used(seen, limit_)) {
        return;
      } else if (queue <= step) {  // comparisons of the queue, rounded up, with whole numbers
        set(rule, limit_ + 6 * step);
      } else if (queue <= 3 * step - 1) {
        set(rule, limit_ + step);
      } else if (queue > 6 * step) {
        set(rule, limit_ - step);
      }
    }
    constexpr void set(const Vegas& rule, double limit) noexcept {
      limit = std::clamp(limit, static_cast<double>(rule.min), static_cast<double>(rule.max));
      limit_ = (1 - rule.smoothing) * limit_ + rule.smoothing * limit;
    }

    double limit_;
    double jitter_;
    std::chrono::nanoseconds lowest_{0};
    int windows_ = 0;
    std::uint64_t draws_ = 0;
  };
};

namespace detail {

template <>
inline constexpr const char* rule_type<Vegas> = "Vegas";

[[nodiscard]] constexpr Problem check(const Vegas& rule) noexcept {
  if (const auto wrong = check_common(rule)) return wrong;
  if (!is_rate(rule.smoothing)) return problem("smoothing", rate_rule, rule.smoothing);
  if (!is_positive_count(rule.probe_multiplier))
    return problem("probe_multiplier", positive_count_rule, static_cast<long long>(rule.probe_multiplier));
  return {};
}

}  // namespace detail

/// Empty if the rule is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const Vegas& rule) {
  return detail::to_text("Vegas", detail::check(rule));
}

FUSEBOX_END_NAMESPACE
