// fusebox/adaptive_limit/gradient2.hpp: Gradient2, by the latency now and its long average.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include <fusebox/adaptive_limit/rule.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Compares the latency of a window with its average over many: the rule and the defaults of Netflix's
/// concurrency-limits (W8). The average learns the queue that the limit itself makes: under a load that fills
/// the limit, the limit drifts to `max`.
struct Gradient2 {
  int initial = 20;        ///< in [min, max]
  int min = 20;            ///< in [1, 65535]
  int max = 200;           ///< in [min, 65535]
  double smoothing = 0.2;  ///< the share of a new limit in the next one, in (0, 1]
  double tolerance = 1.5;  ///< how far the latency may rise above its average, at least 1
  int queue = 4;           ///< what a window adds to the limit, in [0, 65535]
  int long_window = 600;   ///< the windows that the average remembers, in [1, 65535]
  std::chrono::nanoseconds window = std::chrono::seconds{1};  ///< above 0
  int min_samples = 10;                                       ///< of a window, in [1, 1000]
  friend bool operator==(const Gradient2&, const Gradient2&) = default;

  class State {
   public:
    explicit constexpr State(const Gradient2& rule) noexcept : limit_{static_cast<double>(rule.initial)} {}

    [[nodiscard]] constexpr AdaptiveStep next(const Gradient2& rule, const AdaptiveWindow& seen) noexcept {
      if (seen.samples > 0) move(rule, seen);
      return {static_cast<int>(limit_), false};
    }
    /// The long average.
    [[nodiscard]] constexpr std::chrono::nanoseconds base() const noexcept {
      return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(average_)};
    }

   private:
    static constexpr int warm_up = 10;

    constexpr void move(const Gradient2& rule, const AdaptiveWindow& seen) noexcept {
      const double now = std::max(1.0, detail::nanoseconds_of(seen.latency));
      if (windows_ < warm_up) {
        ++windows_;
        sum_ += now;
        average_ = sum_ / windows_;
      } else {
        const double weight = 2.0 / (rule.long_window + 1);
        average_ = average_ * (1 - weight) + now * weight;
      }
      const double average = average_;
      if (average / now > 2) average_ *= 0.95;
      if (!detail::is_half_used(seen, limit_)) return;
      const double gradient = std::max(0.5, std::min(1.0, rule.tolerance * average / now));
      const double wanted = limit_ * gradient + rule.queue;
      limit_ = std::clamp(limit_ * (1 - rule.smoothing) + wanted * rule.smoothing,
                          static_cast<double>(rule.min), static_cast<double>(rule.max));
    }

    double limit_;
    double average_ = 0;
    double sum_ = 0;
    int windows_ = 0;
  };
};

namespace detail {

template <>
inline constexpr const char* rule_type<Gradient2> = "Gradient2";

[[nodiscard]] constexpr Problem check(const Gradient2& rule) noexcept {
  if (const auto wrong = check_common(rule)) return wrong;
  if (!is_rate(rule.smoothing)) return problem("smoothing", rate_rule, rule.smoothing);
  if (!is_multiplier(rule.tolerance)) return problem("tolerance", "at least 1", rule.tolerance);
  if (!is_count(rule.queue)) return problem("queue", count_rule, static_cast<long long>(rule.queue));
  if (!is_positive_count(rule.long_window))
    return problem("long_window", positive_count_rule, static_cast<long long>(rule.long_window));
  return {};
}

}  // namespace detail

/// Empty if the rule is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const Gradient2& rule) {
  return detail::to_text("Gradient2", detail::check(rule));
}

FUSEBOX_END_NAMESPACE
