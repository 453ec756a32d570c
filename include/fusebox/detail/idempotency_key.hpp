// fusebox/detail/idempotency_key.hpp: the random key of one call (R18).
#pragma once
// IWYU pragma: private

#include <cstdint>
#include <string>

#include <fusebox/detail/random.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A random UUID: 32 hexadecimal digits and four dashes, version 4 (RFC 9562 §5.4). Thread-safe.
[[nodiscard]] FUSEBOX_DETAIL_COLD inline std::string make_idempotency_key() {
  const EntropySource entropy;
  const std::uint64_t high = (entropy() & ~std::uint64_t{0xf000}) | 0x4000U;
  const std::uint64_t low = (entropy() & ~(std::uint64_t{0xc} << 60U)) | (std::uint64_t{0x8} << 60U);
  std::string key;
  key.reserve(36);
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) key.push_back('-');
    const std::uint64_t half = digit < 16 ? high : low;
    key.push_back("0123456789abcdef"[(half >> (60 - 4 * (digit % 16))) & 0xfU]);
  }
  return key;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
