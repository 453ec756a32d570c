// fusebox/bulkhead/detail/slot_word.hpp: SlotWord, the state of a bulkhead in one atomic word.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <cstdint>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The word of a bulkhead. A call that gets a slot counts itself by the exchange that takes the slot.
///
///     63        33         32        31     16 15      0
///     +-----------+---------+---------+--------+
///     | admitted  |saturated| waiting | in use |
///     +-----------+---------+---------+--------+
///
/// `admitted` is modulo 2^31; the core counts its carries. `saturated`: subscribers were told that no slot is
/// free, and not yet that one is again.
struct SlotWord {
  static constexpr std::uint64_t one_slot = 1;
  static constexpr std::uint64_t one_waiting = std::uint64_t{1} << 16U;
  static constexpr std::uint64_t saturated = std::uint64_t{1} << 32U;
  static constexpr unsigned admitted_shift = 33;
  static constexpr std::uint64_t one_admitted = std::uint64_t{1} << admitted_shift;
  static constexpr std::uint64_t taken = one_admitted + one_slot;

  [[nodiscard]] static constexpr std::uint32_t in_use(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word & 0xFFFFU);
  }
  [[nodiscard]] static constexpr std::uint32_t waiting(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 16U) & 0xFFFFU);
  }
  [[nodiscard]] static constexpr std::uint64_t admitted(std::uint64_t word) noexcept {
    return word >> admitted_shift;
  }
  /// Nobody waits, and there is room below `limit`: both in one comparison.
  [[nodiscard]] static constexpr bool admits(std::uint64_t word, std::uint32_t limit) noexcept {
    return static_cast<std::uint32_t>(word) < limit;
  }
  /// Nobody waits, and no subscriber wants to know of a free slot.
  [[nodiscard]] static constexpr bool releases_at_once(std::uint64_t word) noexcept {
    return ((word >> 16U) & 0x1FFFFU) == 0;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
