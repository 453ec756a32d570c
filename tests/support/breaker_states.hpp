// support/breaker_states.hpp: a breaker on a fake clock, its reports, the ways into its states, and its
// counts.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstdint>
#include <ostream>

namespace support {

using Breaker = fusebox::CircuitBreaker<fusebox::test::FakeClock>;

inline constexpr fusebox::State all_states[] = {fusebox::State::closed, fusebox::State::open,
                                                fusebox::State::half_open, fusebox::State::forced_open,
                                                fusebox::State::disabled};

/// Opens at the first failure.
inline constexpr fusebox::CircuitBreakerConfig brittle{.failure_threshold = 1,
                                                       .reset_timeout = std::chrono::seconds{10}};

template <class C>
void fail(fusebox::CircuitBreaker<C>& breaker) {
  breaker.try_acquire().failure();
}
template <class C>
void succeed(fusebox::CircuitBreaker<C>& breaker) {
  breaker.try_acquire().success();
}

/// Closed to open, by failures in a row.
inline void trip(Breaker& breaker) {
  for (int i = 0; i < breaker.config().failure_threshold; ++i) fail(breaker);
}

/// Closed to open, and on to the moment at which the next call is the first probe.
inline void trip_and_wait(Breaker& breaker) {
  trip(breaker);
  breaker.clock().advance(breaker.retry_after());
}

/// From closed; half_open has all its slots free.
inline void bring_to(Breaker& breaker, fusebox::State state) {
  switch (state) {
    case fusebox::State::closed: return;
    case fusebox::State::open: return trip(breaker);
    case fusebox::State::half_open:
      trip_and_wait(breaker);
      breaker.try_acquire().ignore();
      return;
    case fusebox::State::forced_open: return breaker.force_open();
    case fusebox::State::disabled: return breaker.disable();
  }
}

/// The reports of a breaker, by how they ended.
struct Counts {
  std::uint64_t success = 0;
  std::uint64_t failure = 0;
  std::uint64_t ignored = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Counts& counts) {
    return out << counts.success << '/' << counts.failure << '/' << counts.ignored;
  }
};

template <class C>
Counts counts_of(const fusebox::CircuitBreaker<C>& breaker) {
  const auto stats = breaker.stats();
  return {stats.success_count, stats.failure_count, stats.ignored_count};
}

/// Does a call get in? It is counted as ignored, or as rejected.
inline bool admits(Breaker& breaker) { return static_cast<bool>(breaker.try_acquire()); }

}  // namespace support
