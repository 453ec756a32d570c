// fusebox/retry_budget/detail/units.hpp: how a ratio becomes whole numbers (U3).
//
// A double such as 0.6 is no exact share, and a sum of rounded shares drifts: 10 × 0.6 must pay for 6. So the
// ratio is taken for the simplest fraction that rounds to that double, 3 ÷ 5, and one retry is counted in as
// many units as make every deposit whole.
#pragma once
// IWYU pragma: private, include <fusebox/retry_budget.hpp>

#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a retry costs and what a deposit brings: deposit ÷ retry is the ratio.
struct RetryUnits {
  Tick retry = 1;
  Tick deposit = 0;

  friend constexpr bool operator==(const RetryUnits&, const RetryUnits&) = default;
};

/// For a ratio in [0, 1]: exact if it is a fraction whose denominator is at most `most`, else rounded to the
/// nearest unit. `retry` is at most `most`, which is at most 10⁹.
[[nodiscard]] constexpr RetryUnits retry_units(double ratio, Tick most) noexcept {
  // The convergents of the continued fraction of the ratio: h ÷ k, each nearer than the one before.
  Tick h = 0;
  Tick k = 1;
  Tick h_before = 1;
  Tick k_before = 0;
  double rest = ratio;
  while (static_cast<double>(h) / static_cast<double>(k) != ratio) {
    if (!(rest * static_cast<double>(most) > 1)) break;
    rest = 1 / rest;
    const Tick part = static_cast<Tick>(rest);
    rest -= static_cast<double>(part);
    const Tick h_next = part * h + h_before;
    const Tick k_next = part * k + k_before;
    if (k_next > most) break;
    h_before = h;
    k_before = k;
    h = h_next;
    k = k_next;
  }
  if (static_cast<double>(h) / static_cast<double>(k) == ratio) {
    const Tick times = most / k;
    return {k * times, h * times};
  }
  return {most, static_cast<Tick>(ratio * static_cast<double>(most) + 0.5)};
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
