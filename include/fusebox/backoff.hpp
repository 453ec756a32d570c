// fusebox/backoff.hpp: Jitter, and how long to wait before the next attempt (R1).
//
// A delay grows exponentially up to a cap, and jitter spreads it below that. The arithmetic is total for
// every 32-bit number of retries: it saturates, and no delay passes the cap. Retries use all of it, circuit
// breakers the growth of their waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <fusebox/detail/random.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How a delay d is spread, so that clients that failed together do not come back together (M. Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
enum class Jitter : unsigned char {
  none,          ///< d itself: not spread
  full,          ///< uniform in [0, d]
  equal,         ///< uniform in [d/2, d]
  decorrelated,  ///< uniform in [base, min(max, 3 × the previous delay)]
  proportional,  ///< uniform in [d(1 - f), min(max, d(1 + f))] for a factor f
};

/// The enumerator's name; "unknown" for any other value.
[[nodiscard]] constexpr std::string_view to_string(Jitter jitter) noexcept {
  switch (jitter) {
    case Jitter::none: return "none";
    case Jitter::full: return "full";
    case Jitter::equal: return "equal";
    case Jitter::decorrelated: return "decorrelated";
    case Jitter::proportional: return "proportional";
  }
  return "unknown";
}

namespace detail {

/// base × multiplierⁿ, by squaring. Beyond the longest time the result is some number beyond it too, but
/// finite: an infinity is not allowed in a constant expression.
[[nodiscard]] constexpr double scale(double base, double multiplier, std::uint32_t n) noexcept {
  constexpr double huge = 1e300;
  const auto times = [](double a, double b) { return a > huge / b ? huge : a * b; };
  double result = base;
  for (double square = multiplier; n != 0; n >>= 1U, square = times(square, square)) {
    if ((n & 1U) != 0) result = times(result, square);
  }
  return result;
}

/// min(max, base × multiplierⁿ). Saturates; exact for multiplier 2.
[[nodiscard]] constexpr std::chrono::nanoseconds exponential_delay(std::chrono::nanoseconds base,
                                                                   std::chrono::nanoseconds max,
                                                                   double multiplier,
                                                                   std::uint32_t n) noexcept {
  if (base <= std::chrono::nanoseconds::zero()) return std::chrono::nanoseconds::zero();
  if (base >= max) return max;
  if (n == 0 || multiplier == 1.0) return base;
  if (multiplier == 2.0) {
    return n >= 63 || base.count() > (max.count() >> n) ? max : std::chrono::nanoseconds{base.count() << n};
  }
  const double delay = scale(static_cast<double>(base.count()), multiplier, n);
  return delay < static_cast<double>(max.count()) ? std::chrono::nanoseconds{static_cast<Tick>(delay)} : max;
}

/// The share `factor` of [0, 1] of a delay.
[[nodiscard]] constexpr Tick share_of(Tick delay, double factor) noexcept {
  if (!(factor < 1)) return delay;
  const auto share = static_cast<Tick>(static_cast<double>(delay) * factor);  // below 2^63
  return share < delay ? share : delay;
}

/// `delay`, spread by `jitter`. `previous` is the delay drawn before, or `base` for the first. `factor` is of
/// Jitter::proportional.
template <RandomSource G>
[[nodiscard]] std::chrono::nanoseconds spread(std::chrono::nanoseconds delay, Jitter jitter,
                                              std::chrono::nanoseconds base, std::chrono::nanoseconds max,
                                              std::chrono::nanoseconds previous, G& generator,
                                              double factor = 0.25) {
  const auto draw = [&](Tick low, Tick high) {
    return std::chrono::nanoseconds{detail::uniform(generator, low, high)};
  };
  switch (jitter) {
    case Jitter::none: break;
    case Jitter::full: return draw(0, delay.count());
    case Jitter::equal: return draw(delay.count() / 2, delay.count());
    case Jitter::decorrelated: {
      const Tick thrice = previous.count() > max.count() / 3 ? max.count() : 3 * previous.count();
      return draw(base.count(), thrice);
    }
    case Jitter::proportional: {
      const Tick share = share_of(delay.count(), factor);
      const Tick room = max.count() - delay.count();
      return draw(delay.count() - share, delay.count() + (share < room ? share : room));
    }
  }
  return delay;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
