// fusebox/circuit_breaker/detail/state_word.hpp: StateWord, a breaker's state in 64 bits.
//
//  63                            32 31 28 27 26 25 24 23 22 21 20 19 18   16 15                         0
// +--------------------------------+-----+--+--+--+--+--+--+--+--+--+-------+----------------------------+
// |           generation           | cfg |ob|rc|ra|fw|wi|ti|ne|re| 0| state |  failure streak, or the    |
// |                                |     |  |  |  |  |  |  |  |  |  |       |  slot of an admitted probe |
// +--------------------------------+-----+--+--+--+--+--+--+--+--+--+-------+----------------------------+
//
// generation   every transition and every reset increments it
// cfg          which config is in force: reconfigure() counts it on, modulo 16
// ra fw wi ti  what that config asks for: rated, waits_finely, windowed, timed
// ob rc        observed: somebody listens by on_call(); recovering: closed, and admits a share of the calls
// ne re        marks of an admission, never in the breaker's own word: nested, rejected
//
// One comparison with the word at admission tells whether anything changed since. The most frequent
// questions are one mask and one comparison, which is why they have functions of their own here.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <cstdint>

#include <fusebox/circuit_breaker/state.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class StateWord {
 public:
  constexpr explicit StateWord(std::uint64_t bits) noexcept : bits_{bits} {}
  constexpr explicit StateWord(Admission admission) noexcept : bits_{admission.word} {}
  constexpr StateWord(State state, std::uint32_t generation, std::uint32_t low) noexcept
      : bits_{(std::uint64_t{generation} << 32U) | bits_of(state) | low} {}

  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] constexpr State state() const noexcept {
    return static_cast<State>((bits_ & state_mask) >> state_shift);
  }
  [[nodiscard]] constexpr std::uint32_t generation() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 32U);
  }
  /// Failures in a row, up to 65535; while open, the streak that opened the breaker.
  [[nodiscard]] constexpr std::uint32_t failure_streak() const noexcept { return low(); }
  /// Of an admitted probe: its slot.
  [[nodiscard]] constexpr std::uint32_t probe_slot() const noexcept { return low(); }

  [[nodiscard]] constexpr bool is_closed() const noexcept { return (bits_ & state_mask) == 0; }
  /// Closed, and a call may pass at once: nobody measures how long it takes, and all are admitted.
  [[nodiscard]] constexpr bool admits_at_once() const noexcept {
    return (bits_ & (state_mask | timed | observed | recovering)) == 0;
  }
  /// Closed and not recovering, and the start of a call is wanted.
  [[nodiscard]] constexpr bool is_closed_and_timed() const noexcept {
    return (bits_ & (state_mask | recovering | observed)) == 0;
  }
  /// Does anybody want to know when the call began?
  [[nodiscard]] constexpr bool needs_start() const noexcept { return (bits_ & (timed | observed)) != 0; }
  /// Closed, the failure streak is the only rule, and nobody listens.
  [[nodiscard]] constexpr bool is_closed_without_rates() const noexcept {
    return (bits_ & (state_mask | timed | rated | observed)) == 0;
  }
  /// Open, and the wait is measured on the coarse clock.
  [[nodiscard]] constexpr bool is_open_coarse() const noexcept {
    return (bits_ & (state_mask | waits_finely)) == bits_of(State::open);
  }
  /// Closed without a failure streak, and no window or clock wants to know of a success: it has only to be
  /// counted.
  [[nodiscard]] constexpr bool success_only_counts() const noexcept {
    return (bits_ & (low_half & ~(rated | waits_finely | config_mask))) == 0;
  }
  /// The same with time windows or slow_calls: a success has only to be counted and to enter them.
  [[nodiscard]] constexpr bool success_only_enters_windows() const noexcept {
    const std::uint64_t marks = bits_ & (low_half & ~(rated | waits_finely | config_mask));
    return marks == windowed || marks == timed || marks == (windowed | timed);
  }
  [[nodiscard]] constexpr bool is_timed() const noexcept { return (bits_ & timed) != 0; }
  [[nodiscard]] constexpr bool is_waiting_finely() const noexcept { return (bits_ & waits_finely) != 0; }
  [[nodiscard]] constexpr bool is_observed() const noexcept { return (bits_ & observed) != 0; }
  [[nodiscard]] constexpr bool is_recovering() const noexcept { return (bits_ & recovering) != 0; }
  /// What the word says of the config in force.
  [[nodiscard]] constexpr std::uint64_t config_bits() const noexcept {
    return bits_ & (config_marks | config_mask);
  }
  /// The number of the config in force, modulo config_numbers.
  [[nodiscard]] constexpr std::uint32_t config_number() const noexcept {
    return static_cast<std::uint32_t>((bits_ & config_mask) >> config_shift);
  }

  // Of an admission.
  [[nodiscard]] constexpr bool is_rejected() const noexcept { return (bits_ & rejected) != 0; }
  [[nodiscard]] constexpr bool is_nested() const noexcept { return (bits_ & nested) != 0; }
  [[nodiscard]] constexpr bool is_half_open() const noexcept { return state() == State::half_open; }
  /// Admitted as a probe with a slot of its own.
  [[nodiscard]] constexpr bool is_probe() const noexcept {
    return (bits_ & (state_mask | rejected | nested)) == bits_of(State::half_open);
  }

  /// The word after a transition to `state`.
  [[nodiscard]] constexpr StateWord next(State state, std::uint32_t failure_streak) const noexcept {
    constexpr std::uint64_t kept = config_marks | config_mask | observed;
    return StateWord{StateWord{state, generation() + 1, failure_streak}.bits_ | (bits_ & kept)};
  }
  /// The word with another config in force: its marks, and its number modulo config_numbers.
  [[nodiscard]] constexpr StateWord with_config(std::uint64_t marks, std::uint32_t number) const noexcept {
    return with_config(marks | (std::uint64_t{number} << config_shift & config_mask));
  }
  [[nodiscard]] constexpr StateWord with_config(std::uint64_t config_bits) const noexcept {
    return StateWord{(bits_ & ~(config_marks | config_mask)) | config_bits};
  }
  /// The streak stays at 65535 once it is there.
  [[nodiscard]] constexpr StateWord with_failure_streak(std::uint32_t streak) const noexcept {
    return StateWord{(bits_ & ~low_mask) | (streak < low_mask ? streak : low_mask)};
  }
  [[nodiscard]] constexpr StateWord with_probe_slot(std::uint32_t slot) const noexcept {
    return with_failure_streak(slot);
  }
  [[nodiscard]] constexpr StateWord marked(std::uint64_t mark) const noexcept {
    return StateWord{bits_ | mark};
  }
  [[nodiscard]] constexpr StateWord without(std::uint64_t mark) const noexcept {
    return StateWord{bits_ & ~mark};
  }
  [[nodiscard]] constexpr bool is_but_for_streak(StateWord other) const noexcept {
    return ((bits_ ^ other.bits_) & ~low_mask) == 0;
  }
  friend constexpr bool operator==(StateWord, StateWord) noexcept = default;

  static constexpr std::uint64_t rejected = std::uint64_t{1} << 20U;
  static constexpr std::uint64_t nested = std::uint64_t{1} << 21U;
  static constexpr std::uint64_t timed = std::uint64_t{1} << 22U;     // slow_calls is set
  static constexpr std::uint64_t windowed = std::uint64_t{1} << 23U;  // failure_rate is set, within a time
  static constexpr std::uint64_t waits_finely = std::uint64_t{1} << 24U;  // waits below one second
  static constexpr std::uint64_t rated = std::uint64_t{1} << 25U;         // failure_rate is set
  static constexpr std::uint64_t recovering = std::uint64_t{1} << 26U;
  static constexpr std::uint64_t observed = std::uint64_t{1} << 27U;
  static constexpr std::uint64_t low_mask = 0xffff;
  static constexpr std::uint32_t config_numbers = 16;

 private:
  static constexpr unsigned state_shift = 16;
  static constexpr std::uint64_t state_mask = std::uint64_t{7} << state_shift;
  static constexpr std::uint64_t low_half = 0xffff'ffff;
  static constexpr unsigned config_shift = 28;
  static constexpr std::uint64_t config_mask = std::uint64_t{config_numbers - 1} << config_shift;
  static constexpr std::uint64_t config_marks = timed | windowed | waits_finely | rated;

  [[nodiscard]] static constexpr std::uint64_t bits_of(State state) noexcept {
    return std::uint64_t{static_cast<unsigned char>(state)} << state_shift;
  }
  [[nodiscard]] constexpr std::uint32_t low() const noexcept { return bits_ & low_mask; }

  std::uint64_t bits_;
};

// The masks rely on it.
static_assert(static_cast<unsigned char>(State::closed) == 0);

}  // namespace detail

FUSEBOX_END_NAMESPACE
