// fusebox/detail/random.hpp: random numbers for jitter, without <random>.
//
// EntropySource asks the operating system for every draw. It has no state, so concurrent calls share nothing
// and the two sides of a fork draw different numbers (R9). uniform() scales the output of any
// UniformRandomBitGenerator to an inclusive range: the smallest output gives the low end, the largest the
// high end.
#pragma once
// IWYU pragma: private

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <fusebox/detail/macros.hpp>

#if FUSEBOX_DETAIL_GETENTROPY
#include <unistd.h>
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#endif
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What std::uniform_random_bit_generator requires, without <random>.
template <class G>
concept RandomSource = requires(G& generator) {
  requires std::is_unsigned_v<decltype(generator())>;
  { std::remove_cvref_t<G>::min() } -> std::same_as<decltype(generator())>;
  { std::remove_cvref_t<G>::max() } -> std::same_as<decltype(generator())>;
};

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// 64 random bits from the operating system. If it has none to give, bits that differ from draw to draw, from
/// thread to thread and from process to process. Copies and threads share nothing.
class EntropySource {
 public:
  using result_type = std::uint64_t;
  [[nodiscard]] static constexpr result_type min() noexcept { return 0; }
  [[nodiscard]] static constexpr result_type max() noexcept {
    return std::numeric_limits<result_type>::max();
  }

  [[nodiscard]] result_type operator()() const noexcept {
    result_type bits = 0;
#if FUSEBOX_DETAIL_GETENTROPY
    if (::getentropy(&bits, sizeof bits) == 0) return bits;
    bits = static_cast<result_type>(::getpid()) << 32U;
#endif
    static thread_local std::uint64_t counter = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(&counter);
    return mix(mix(bits ^ address) ^ ++counter);
  }
};

/// The high 64 bits of a product.
[[nodiscard]] constexpr std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t low32 = 0xffffffffU;
  const std::uint64_t mid = (a >> 32U) * (b & low32) + (((a & low32) * (b & low32)) >> 32U);
  const std::uint64_t mid2 = (a & low32) * (b >> 32U) + (mid & low32);
  return (a >> 32U) * (b >> 32U) + (mid >> 32U) + (mid2 >> 32U);
}

/// How many different numbers a generator draws, less one.
template <RandomSource G>
inline constexpr std::uint64_t range_of = static_cast<std::uint64_t>(G::max()) - G::min();

/// 32 random bits from a generator of any range. Its draws are the digits of a number of at least 16 bits,
/// which is then scaled.
template <RandomSource G>
[[nodiscard]] std::uint64_t random_half(G& generator) {
  constexpr std::uint64_t range = range_of<std::remove_cvref_t<G>>;
  constexpr int bits_of_range = static_cast<int>(std::bit_width(range));  // unsigned in older libstdc++
  constexpr int excess = bits_of_range > 32 ? bits_of_range - 32 : 0;
  constexpr std::uint64_t top = range >> excess;  // below 2^32
  std::uint64_t bits = 0;
  std::uint64_t largest = 0;
  do {
    const std::uint64_t drawn = static_cast<std::uint64_t>(generator()) - std::remove_cvref_t<G>::min();
    bits = bits * (top + 1) + (drawn >> excess);
    largest = largest * (top + 1) + top;
  } while (largest < 0xffffU);
  return bits * 0xffffffffU / largest;
}

/// 64 random bits from a generator of any range.
template <RandomSource G>
[[nodiscard]] std::uint64_t random_bits(G& generator) {
  using Source = std::remove_cvref_t<G>;
  static_assert(range_of<Source> > 0, "fusebox: a random source must have more than one value");
  if constexpr (range_of<Source> == std::numeric_limits<std::uint64_t>::max()) {
    return static_cast<std::uint64_t>(generator()) - Source::min();
  } else {
    const std::uint64_t high = detail::random_half(generator);
    return (high << 32U) | detail::random_half(generator);
  }
}

/// A number of [low, high], each as likely as the others up to rounding; `low`, without a draw, if `high` is
/// not above it.
template <RandomSource G>
[[nodiscard]] std::int64_t uniform(G& generator, std::int64_t low, std::int64_t high) {
  if (high <= low) return low;
  const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t bits = detail::random_bits(generator);
  const std::uint64_t offset =
      span == std::numeric_limits<std::uint64_t>::max() ? bits : multiply_high(bits, span + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

/// A number of [0, 1).
template <RandomSource G>
[[nodiscard]] double uniform_unit(G& generator) {
  return static_cast<double>(detail::random_bits(generator) >> 11U) * 0x1p-53;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
