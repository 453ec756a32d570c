// fusebox/detail/slots/word.hpp: SlotWord, the state of a policy with slots in one atomic word.
#pragma once
// IWYU pragma: private

#include <cstdint>

#include <fusebox/call.hpp>
#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A call that gets a slot counts itself by the exchange that takes the slot.
///
///     63        35   34    33         32         31     16 15      0
///     +-----------+--------+-----------+---------+--------+
///     | admitted  | lowest | saturated | waiting | in use |
///     +-----------+--------+-----------+---------+--------+
///
/// `admitted` is modulo 2^29; the core counts its carries. `lowest` is the lowest priority that waits, 0 if
/// nobody does. `saturated`: subscribers were told that no slot is free, and not yet that one is again.
struct SlotWord {
  static constexpr std::uint64_t one_slot = 1;
  static constexpr std::uint64_t one_waiting = std::uint64_t{1} << 16U;
  static constexpr std::uint64_t saturated = std::uint64_t{1} << 32U;
  static constexpr unsigned lowest_shift = 33;
  static constexpr unsigned admitted_shift = 35;
  static constexpr std::uint64_t one_admitted = std::uint64_t{1} << admitted_shift;
  static constexpr std::uint64_t taken = one_admitted + one_slot;

  [[nodiscard]] static constexpr std::uint32_t in_use(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word & 0xFFFFU);
  }
  [[nodiscard]] static constexpr std::uint32_t waiting(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 16U) & 0xFFFFU);
  }
  [[nodiscard]] static constexpr Priority lowest(std::uint64_t word) noexcept {
    return static_cast<Priority>((word >> lowest_shift) & 3U);
  }
  [[nodiscard]] static constexpr std::uint64_t with_lowest(std::uint64_t word, Priority lowest) noexcept {
    constexpr std::uint64_t mask = std::uint64_t{3} << lowest_shift;
    return (word & ~mask) | (static_cast<std::uint64_t>(lowest) << lowest_shift);
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
