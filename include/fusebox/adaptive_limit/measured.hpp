// fusebox/adaptive_limit/measured.hpp: Measured, by a latency that is measured without load.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include <fusebox/adaptive_limit/rule.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Measures now and then how long a call takes if hardly any others are under way, and keeps the latency
/// within `tolerance` times that *base* (W6). The default rule: it settles near the right limit, and follows
/// a dependency that becomes slower or faster.
struct Measured {
  int initial = 20;              ///< in [min, max]
  int min = 1;                   ///< in [1, 65535]
  int max = 200;                 ///< in [min, 65535]
  double tolerance = 1.25;       ///< the latency that is accepted, as a multiple of the base; at least 1
  int measure_every = 60;        ///< windows from one measurement to the next, in [1, 65535]
  int measure_limit = 3;         ///< the limit while it measures, in [1, 65535]; never outside [min, max]
  double tolerated_drops = 0.1;  ///< the share of dropped calls that is no reason to lower it, in [0, 1]
  std::chrono::nanoseconds window = std::chrono::seconds{1};  ///< above 0
  int min_samples = 10;                                       ///< of a window, in [1, 1000]
  friend bool operator==(const Measured&, const Measured&) = default;

  class State {
   public:
    explicit State(const Measured& rule) noexcept
        : limit_{static_cast<double>(rule.initial)}, highest_{limit_} {}

    [[nodiscard]] AdaptiveStep next(const Measured& rule, const AdaptiveWindow& seen) noexcept {
      if (measuring_ > 0) {
        if (is_uncertain(seen) && measuring_ < longest_measurement) {
          ++measuring_;
          return measure(rule);
        }
        end_measurement(seen);
        return {static_cast<int>(limit_), false};
      }
      if (base_ > 0) move(rule, seen);
      ++windows_;
      // A fall to half of what it was is a queue, or a base that holds no longer.
      if (base_ == 0 || windows_ >= rule.measure_every || 2 * limit_ <= highest_) {
        measuring_ = 1;
        return measure(rule);
      }
      return {static_cast<int>(limit_), false};
    }
    [[nodiscard]] std::chrono::nanoseconds base() const noexcept {
      return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(base_)};
    }

   private:
    static constexpr int longest_measurement = 5;  // windows

    [[nodiscard]] AdaptiveStep measure(const Measured& rule) const noexcept {
      return {std::clamp(rule.measure_limit, rule.min, std::max(rule.min, static_cast<int>(limit_))), true};
    }
    /// Is the mean of the samples worth little, since they differ much?
    [[nodiscard]] static bool is_uncertain(const AdaptiveWindow& seen) noexcept {
      constexpr double accepted = 0.08;
      return detail::nanoseconds_of(seen.error) > accepted * detail::nanoseconds_of(seen.latency);
    }
    void end_measurement(const AdaptiveWindow& seen) noexcept {
      measuring_ = 0;
      windows_ = 0;
      if (seen.samples > 0) rebase(std::max(1.0, detail::nanoseconds_of(seen.latency)));
      highest_ = limit_;
    }
    /// A base near the one before is averaged with it: both are samples of the same. One that is larger gives
    /// back what the limit has lost to the old one.
    void rebase(double measured) noexcept {
      const double before = base_;
      const bool is_near = measured < 1.5 * before && before < 1.5 * measured;
      base_ = is_near ? (before + measured) / 2 : measured;
      if (before > 0 && base_ > before)
        limit_ = std::max(limit_, std::min(highest_, limit_ * base_ / before));
    }

    void move(const Measured& rule, const AdaptiveWindow& seen) noexcept {
      if (!detail::is_half_used(seen, limit_)) return;
      const double dropped = static_cast<double>(seen.dropped) / seen.calls;
      const bool drops = dropped > rule.tolerated_drops;
      // How far the limit may go before the latency is too high, if all of it is queue.
      const double room = seen.samples > 0
                              ? rule.tolerance * base_ / std::max(1.0, detail::nanoseconds_of(seen.latency))
                              : 0.0;
      double gradient = std::clamp(room, 0.5, 1.0);
      if (drops) gradient = std::min(gradient, std::max(0.5, 1 - dropped));
      if (gradient < 1) {
        limit_ *= gradient;
      } else {
        limit_ = std::min(limit_ + std::sqrt(limit_), limit_ * room);
      }
      limit_ = std::clamp(limit_, static_cast<double>(rule.min), static_cast<double>(rule.max));
      highest_ = drops ? limit_ : std::max(highest_, limit_);
    }

    double limit_;
    double highest_;  // since the last measurement
    double base_ = 0;
    int windows_ = 0;    // since then
    int measuring_ = 0;  // windows
  };
};

namespace detail {

template <>
inline constexpr const char* rule_type<Measured> = "Measured";

[[nodiscard]] constexpr Problem check(const Measured& rule) noexcept {
  if (const auto wrong = check_common(rule)) return wrong;
  if (!is_multiplier(rule.tolerance)) return problem("tolerance", "at least 1", rule.tolerance);
  if (!is_positive_count(rule.measure_every))
    return problem("measure_every", positive_count_rule, static_cast<long long>(rule.measure_every));
  if (!is_positive_count(rule.measure_limit))
    return problem("measure_limit", positive_count_rule, static_cast<long long>(rule.measure_limit));
  if (!is_share(rule.tolerated_drops)) return problem("tolerated_drops", "in [0, 1]", rule.tolerated_drops);
  return {};
}

}  // namespace detail

/// Empty if the rule is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const Measured& rule) {
  return detail::to_text("Measured", detail::check(rule));
}

FUSEBOX_END_NAMESPACE
