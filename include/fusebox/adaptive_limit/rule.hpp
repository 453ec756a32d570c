// fusebox/adaptive_limit/rule.hpp: AdaptiveRule, what moves an adaptive limit; AdaptiveWindow, what a rule
// sees; AdaptiveStep, what it says.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <chrono>
#include <concepts>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The calls that ended in one window (W2).
struct AdaptiveWindow {
  std::chrono::nanoseconds latency{0};  ///< the mean of the samples; 0 if there are none
  std::chrono::nanoseconds error{0};  ///< the standard error of that mean; only of a measuring window, else 0
  int calls = 0;                      ///< all that count: with a latency, or dropped
  int samples = 0;                    ///< of these, calls with a latency: successes, late ones included
  int dropped = 0;    ///< of these, calls that the dependency seems to have had no room for (W4)
  int in_flight = 0;  ///< the most calls under way at once, as far as calls saw that ended
};

/// What a rule makes of a window.
struct AdaptiveStep {
  int limit = 1;  ///< of the next window
  /// Only calls that begin in the next window are to count in it. If this window measures too, it goes on
  /// instead, with the samples that it has.
  bool measures = false;
};

/// A config of an adaptive limit, which says how the limit moves:
///
/// - `initial`, `min` and `max`: the limits at first, at least and at most;
/// - `window` and `min_samples`: how long a window lasts, and how many calls it has at least;
/// - `State`, made of the rule, with `AdaptiveStep next(const Rule&, const AdaptiveWindow&) noexcept`, which
///   is called at the end of each window, by one thread at a time (W2). It may have
///   `std::chrono::nanoseconds base() const noexcept`, the latency without load, for stats().
///
/// The step's limit is moved into [min, max]. A rule is copied and compared.
template <class R>
concept AdaptiveRule =
    std::copyable<R> && std::equality_comparable<R> && std::constructible_from<typename R::State, const R&> &&
    requires(const R& rule, typename R::State& state, const AdaptiveWindow& window) {
      { rule.initial } -> std::convertible_to<int>;
      { rule.min } -> std::convertible_to<int>;
      { rule.max } -> std::convertible_to<int>;
      { rule.window } -> std::convertible_to<std::chrono::nanoseconds>;
      { rule.min_samples } -> std::convertible_to<int>;
      { state.next(rule, window) } noexcept -> std::same_as<AdaptiveStep>;
    };

namespace detail {

/// What a rule is called in the text of an error.
template <class R>
inline constexpr const char* rule_type = "AdaptiveLimit rule";

/// What all rules have.
template <class R>
[[nodiscard]] constexpr Problem check_common(const R& rule) noexcept {
  if (!is_positive_count(rule.min))
    return problem("min", positive_count_rule, static_cast<long long>(rule.min));
  if (!is_positive_count(rule.max))
    return problem("max", positive_count_rule, static_cast<long long>(rule.max));
  if (rule.max < rule.min) return problem("max", "at least min", static_cast<long long>(rule.max));
  if (rule.initial < rule.min || rule.initial > rule.max)
    return problem("initial", "in [min, max]", static_cast<long long>(rule.initial));
  if (!is_positive_duration(rule.window)) return problem("window", positive_duration_rule, rule.window);
  if (rule.min_samples < 1 || rule.min_samples > 1000)
    return problem("min_samples", "in [1, 1000]", static_cast<long long>(rule.min_samples));
  return {};
}

/// Is a call that used the limit to this extent a reason to raise it (W3)?
[[nodiscard]] constexpr bool is_half_used(const AdaptiveWindow& window, double limit) noexcept {
  return 2.0 * window.in_flight >= limit;
}

[[nodiscard]] constexpr double nanoseconds_of(std::chrono::nanoseconds duration) noexcept {
  return static_cast<double>(duration.count());
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
