// fusebox/detail/registry/use_counter.hpp: UseCounter, which numbers uses in their order (G3).
//
// One counter that every processor writes would cost most of a get(): its cache line travels at each use. So
// processors that compete for it take a number each per *turn*, a few milliseconds of the clock, and give it
// to all their uses in that turn. A processor on its own, or one of several that take turns, numbers exactly.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <cstdint>

#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Sync>
class UseCounter {
 public:
  /// What one processor knows of the counter. Its lock guards it.
  struct Share {
    std::uint64_t latest = 0;  // the number that it took last
    Tick turn{};               // while it shares that number: in which turn
    int exact_left = exact_uses;
  };

  /// The number of a use: above all that were given out before, or, while processors compete, above all that
  /// were given out before this turn. `used` is the number of the last use of the same object: it is given
  /// again if no other use came in between. `now` gives the coarse time; it is asked only while processors
  /// compete.
  template <class Now>
  [[nodiscard]] std::uint64_t next(Share& share, std::uint64_t used, Now now) noexcept {
    if (share.exact_left == 0) [[unlikely]] {
      const Tick turn = turn_of(now());
      if (turn == share.turn) return share.latest;
      share.exact_left = exact_uses;
    }
    if (used == latest_.load(std::memory_order_relaxed)) return used;
    const std::uint64_t number = next();
    // Did another processor take a number in between?
    if (number != share.latest + 1 && --share.exact_left == 0) share.turn = turn_of(now());
    share.latest = number;
    return number;
  }

  /// The next number, for a writer that has locked all processors out.
  [[nodiscard]] std::uint64_t next() noexcept { return latest_.fetch_add(1, std::memory_order_relaxed) + 1; }

  /// The same writer has added an object: uses that follow are to have larger numbers than it.
  static void end_turn(Share& share) noexcept { share.exact_left = exact_uses; }

 private:
  static constexpr int exact_uses = 16;  // numbers per turn between which others may take theirs
  static constexpr unsigned turn_bits = 22;

  /// Turns are of 2^22 ns, about 4 ms.
  [[nodiscard]] static constexpr Tick turn_of(Tick time) noexcept { return time >> turn_bits; }

  // Relaxed: numbers order objects for eviction and publish nothing.
  typename Sync::template Atomic<std::uint64_t> latest_{0};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
