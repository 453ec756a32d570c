// fusebox/detail/permit.hpp: Permit, the leave to make one call, and the Ticket inside it (B1).
//
// Public through circuit_breaker.hpp. A Ticket is what the core needs to place a report: 16 bytes, in
// registers. A Permit wraps one for callbacks and other control flow; one type serves all clocks.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <fusebox/detail/events.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

namespace detail {

/// A breaker's state in 64 bits: the run of failures (16), the state (3), two marks that only tickets
/// carry, and the generation (32), which every transition and reset moves on.
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
  [[nodiscard]] constexpr bool is_closed() const noexcept { return (bits_ & (std::uint64_t{7} << 16U)) == 0; }
  [[nodiscard]] constexpr Word with_run(std::uint32_t run) const noexcept {
    return Word{(bits_ & ~std::uint64_t{0xffff}) | (run < 0xffffU ? run : 0xffffU)};
  }
  friend constexpr bool operator==(Word, Word) noexcept = default;
  [[nodiscard]] constexpr bool is_marked(std::uint64_t mark) const noexcept { return (bits_ & mark) != 0; }
  [[nodiscard]] constexpr Word marked(std::uint64_t mark) const noexcept { return Word{bits_ | mark}; }

  static constexpr std::uint64_t rejected = std::uint64_t{1} << 20U;
  static constexpr std::uint64_t nested = std::uint64_t{1} << 21U;

 private:
  std::uint64_t bits_;
};

static_assert(static_cast<unsigned char>(State::closed) == 0);

struct Ticket {
  Word word{0};    // as it was at admission; a probe's run field is its slot
  Tick start = 0;  // fine; 0 where nobody will ask. Of a rejection: the time until a probe may pass

  [[nodiscard]] constexpr bool is_rejected() const noexcept { return word.is_marked(Word::rejected); }
  [[nodiscard]] constexpr bool is_nested() const noexcept { return word.is_marked(Word::nested); }
  [[nodiscard]] constexpr bool is_probe() const noexcept { return word.state() == State::half_open; }
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
