// fusebox/permit.hpp: Permit, the leave to make one call, and the Ticket inside it (B1).
//
// Public through circuit_breaker.hpp. A Ticket is what the core needs to place a report: 16 bytes, in
// registers. A Permit wraps one for callbacks and other control flow; one type serves all clocks.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

namespace detail {

/// A breaker's state in 64 bits: the run of failures (16), the state (3), two marks that only tickets
/// carry, what the config asks of a call (3), which never changes, and the generation (32), which every
/// transition and reset moves on.
class Word {
 public:
  constexpr explicit Word(std::uint64_t bits) noexcept : bits_{bits} {}
  constexpr Word(State state, std::uint32_t generation, std::uint32_t run) noexcept
      : bits_{(std::uint64_t{generation} << 32U) | (std::uint64_t{static_cast<unsigned char>(state)} << 16U) |
              run} {}

  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] constexpr State state() const noexcept { return static_cast<State>((bits_ >> 16U) & 7U); }
  [[nodiscard]] constexpr std::uint32_t generation() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 32U);
  }
  [[nodiscard]] constexpr std::uint32_t run() const noexcept { return bits_ & 0xffffU; }
  [[nodiscard]] constexpr bool is_closed() const noexcept { return (bits_ & state_mask) == 0; }
  /// Open, and the wait is measured on the coarse clock.
  [[nodiscard]] constexpr bool is_open_coarse() const noexcept {
    return (bits_ & (state_mask | waits_finely)) == std::uint64_t{1} << 16U;
  }
  /// Closed, and nobody will ask when the call began.
  [[nodiscard]] constexpr bool is_closed_untimed() const noexcept {
    return (bits_ & (state_mask | timed)) == 0;
  }
  /// Closed, and only the run of failures counts.
  [[nodiscard]] constexpr bool is_closed_unwatched() const noexcept {
    return (bits_ & (state_mask | timed | windowed)) == 0;
  }
  [[nodiscard]] constexpr bool is_timed() const noexcept { return (bits_ & timed) != 0; }
  /// Closed, without a run of failures, and a success has nothing to do but count.
  [[nodiscard]] constexpr bool is_plain() const noexcept {
    return (bits_ & (0xffff'ffffU & ~waits_finely)) == 0;
  }
  /// As is_plain(), but a success goes into windows too.
  [[nodiscard]] constexpr bool is_plain_but_windowed() const noexcept {
    return (bits_ & (0xffff'ffffU & ~(timed | waits_finely))) == windowed;
  }
  /// The word of the next period: the rules stay.
  [[nodiscard]] constexpr Word next(State state, std::uint32_t run) const noexcept {
    return Word{Word{state, generation() + 1, run}.bits_ | (bits_ & (timed | windowed | waits_finely))};
  }
  [[nodiscard]] constexpr Word with_run(std::uint32_t run) const noexcept {
    return Word{(bits_ & ~std::uint64_t{0xffff}) | (run < 0xffffU ? run : 0xffffU)};
  }
  friend constexpr bool operator==(Word, Word) noexcept = default;
  [[nodiscard]] constexpr bool is_rejected() const noexcept { return (bits_ & rejected) != 0; }
  [[nodiscard]] constexpr bool is_nested() const noexcept { return (bits_ & nested) != 0; }
  [[nodiscard]] constexpr bool is_probe() const noexcept { return state() == State::half_open; }
  /// A probe of its own, not part of one.
  [[nodiscard]] constexpr bool is_running_probe() const noexcept {
    return (bits_ & (state_mask | rejected | nested)) == std::uint64_t{2} << 16U;
  }
  [[nodiscard]] constexpr Word marked(std::uint64_t mark) const noexcept { return Word{bits_ | mark}; }

  static constexpr std::uint64_t rejected = std::uint64_t{1} << 20U;
  static constexpr std::uint64_t nested = std::uint64_t{1} << 21U;
  static constexpr std::uint64_t timed = std::uint64_t{1} << 22U;
  static constexpr std::uint64_t windowed = std::uint64_t{1} << 23U;
  static constexpr std::uint64_t waits_finely = std::uint64_t{1} << 24U;

 private:
  static constexpr std::uint64_t state_mask = std::uint64_t{7} << 16U;
  std::uint64_t bits_;
};

static_assert(static_cast<unsigned char>(State::closed) == 0 &&
              static_cast<unsigned char>(State::open) == 1 &&
              static_cast<unsigned char>(State::half_open) == 2);

struct Ticket {
  Word word{0};  // as it was at admission; a probe's run field is its slot
  Tick start =
      0;  // of a probe fine; 0 where nobody will ask. Of a rejection: the time until a probe may pass

  [[nodiscard]] constexpr bool is_rejected() const noexcept { return word.is_rejected(); }
  [[nodiscard]] constexpr bool is_nested() const noexcept { return word.is_nested(); }
  [[nodiscard]] constexpr bool is_probe() const noexcept { return word.is_probe(); }
  friend constexpr bool operator==(const Ticket&, const Ticket&) noexcept = default;
};

/// Where a Permit reports to.
class FUSEBOX_API PermitTarget {
 public:
  virtual void report_permit(Ticket ticket, Outcome outcome) noexcept = 0;

 protected:
  PermitTarget() = default;
  ~PermitTarget() = default;
};

}  // namespace detail

/// The leave to make one call, or the refusal: test it. Report how the call ended; a Permit that is
/// destroyed without a report counts as ignored and gives its place back. Only the first report counts.
/// It must not outlive its breaker (debug builds assert); `try_acquire(shared_ptr)` gives one that keeps
/// it alive. One thread at a time may use a Permit; it may be another than the one that acquired it.
class [[nodiscard]] Permit {
 public:
  Permit() noexcept = default;
  Permit(Permit&& other) noexcept
      : target_{std::exchange(other.target_, nullptr)},
        ticket_{other.ticket_},
        admitted_{std::exchange(other.admitted_, false)},
        keep_alive_{std::move(other.keep_alive_)} {}
  Permit& operator=(Permit&& other) noexcept {
    Permit taken{std::move(other)};
    std::swap(target_, taken.target_);
    std::swap(ticket_, taken.ticket_);
    std::swap(admitted_, taken.admitted_);
    std::swap(keep_alive_, taken.keep_alive_);
    return *this;
  }
  ~Permit() { ignore(); }

  /// Whether the call may be made; stays what it was after a report.
  [[nodiscard]] explicit operator bool() const noexcept { return admitted_; }

  void success() noexcept { report(Outcome::success); }
  void failure() noexcept { report(Outcome::failure); }
  void ignore() noexcept { report(Outcome::ignored); }
  void report(Outcome outcome) noexcept {
    if (auto* target = std::exchange(target_, nullptr)) target->report_permit(ticket_, outcome);
  }

 private:
  template <class C>
  friend class CircuitBreaker;
  template <class C>
  friend Permit try_acquire(std::shared_ptr<CircuitBreaker<C>> breaker) noexcept;

  Permit(detail::PermitTarget& target, detail::Ticket ticket) noexcept
      : target_{&target}, ticket_{ticket}, admitted_{true} {}

  detail::PermitTarget* target_ = nullptr;
  detail::Ticket ticket_;
  bool admitted_ = false;
  std::shared_ptr<void> keep_alive_;
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
