// storm/random.hpp: Random, the lab's own random numbers, and logarithm and exponential without libm. What
// they give depends on IEEE arithmetic alone, and so is the same on every machine (S2).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace storm {

/// xoshiro256++ by D. Blackman and S. Vigna (2019, public domain). A UniformRandomBitGenerator.
class Random {
 public:
  using result_type = std::uint64_t;

  /// Streams of one seed are independent of each other.
  Random(std::uint64_t seed, std::uint64_t stream) noexcept {
    std::uint64_t state = seed ^ mixed(stream + 1);
    for (auto& word : state_) word = mixed(state += golden);
  }

  [[nodiscard]] static constexpr std::uint64_t min() noexcept { return 0; }
  [[nodiscard]] static constexpr std::uint64_t max() noexcept {
    return std::numeric_limits<std::uint64_t>::max();
  }
  std::uint64_t operator()() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// In [0, 1).
  [[nodiscard]] double unit() noexcept { return static_cast<double>((*this)() >> 11U) * 0x1p-53; }
  /// In [0, n), for an n in [1, 2^31].
  [[nodiscard]] std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>((((*this)() >> 32U) * n) >> 32U);
  }
  /// Exponential with mean 1.
  [[nodiscard]] double exponential() noexcept;
  /// Normal with mean 0 and deviation 1.
  [[nodiscard]] double normal() noexcept;

  /// The finaliser of SplitMix64.
  [[nodiscard]] static constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U;

  std::uint64_t state_[4];
  double spare_ = 0;  // normal numbers come in pairs
  bool has_spare_ = false;
};

inline constexpr double ln2_high =
    0x1.62e42fefa38p-1;  // the last bits are 0: small integers times it are exact
inline constexpr double ln2_low = 0x1.ef35793c7673p-45;

/// std::bit_cast, which libc++ 13 (that of Emscripten 3.1.6) lacks.
template <class To, class From>
[[nodiscard]] constexpr To as(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}

/// The natural logarithm of a finite normal x > 0; the relative error is below 4e-16.
[[nodiscard]] inline double ln(double x) noexcept {
  const auto bits = as<std::uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52U) - 1022;
  // In [0.5, 1), then in [√½, √2).
  double m = as<double>((bits & 0x000fffffffffffffU) | 0x3fe0000000000000U);
  if (m < 0.70710678118654752) {
    m = m + m;
    --exponent;
  }
  // ln m = 2 artanh s, and s is at most 0.1716 in size: s^23 is below 1e-17.
  const double s = (m - 1) / (m + 1);
  const double q = s * s;
  double sum = 0;
  for (int n = 23; n >= 3; n -= 2) sum = (sum + 1.0 / n) * q;
  const double log_m = 2 * s + 2 * s * sum;
  const auto e = static_cast<double>(exponent);
  return e * ln2_high + (e * ln2_low + log_m);
}

/// e to the x, for an x in [-700, 700]; the relative error is below 4e-16.
[[nodiscard]] inline double exp(double x) noexcept {
  const double scaled = x * 0x1.71547652b82fep+0;  // 1 ÷ ln 2
  const auto k = static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const auto e = static_cast<double>(k);
  const double r = (x - e * ln2_high) - e * ln2_low;
  // |r| is at most 0.35: r^14 ÷ 14! is below 1e-17.
  double sum = 1;
  for (int n = 14; n >= 1; --n) sum = 1 + sum * r / n;
  return sum * as<double>(static_cast<std::uint64_t>(k + 1023) << 52U);
}

inline double Random::exponential() noexcept { return -ln(1 - unit()); }

/// The polar method of G. Marsaglia, which needs no trigonometry. IEEE rounds square roots exactly.
inline double Random::normal() noexcept {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  for (;;) {
    const double a = 2 * unit() - 1;
    const double b = 2 * unit() - 1;
    const double q = a * a + b * b;
    if (q >= 1 || q == 0) continue;
    const double scale = std::sqrt(-2 * ln(q) / q);
    spare_ = a * scale;
    has_spare_ = true;
    return b * scale;
  }
}

}  // namespace storm
