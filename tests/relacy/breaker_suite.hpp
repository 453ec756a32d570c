// relacy/breaker_suite.hpp: a breaker's core on Relacy's atomics, and a clock that each thread sets for
// itself.
#pragma once

#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>

#include <array>
#include <chrono>
#include <optional>

#include "acting_suite.hpp"

namespace checks {

/// The time is what the asking thread says. Without a coarse reading.
struct ThreadClock {
  using Times = std::array<std::chrono::seconds, max_threads>;
  const Times* times;

  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    return std::chrono::steady_clock::time_point{(*times)[rl::thread_index()]};
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    return std::chrono::system_clock::time_point{(*times)[rl::thread_index()]};
  }
  [[nodiscard]] static bool sleep_for(std::chrono::nanoseconds /*duration*/,
                                      const fusebox::StopToken& /*token*/) {
    return false;
  }
};

/// The word of an admission.
[[nodiscard]] constexpr fusebox::detail::StateWord word_of(fusebox::detail::Admission admission) {
  return fusebox::detail::StateWord{admission};
}

/// Suite::config() is the breaker's.
template <class Suite, int threads, Flaw flaw>
class BreakerSuite : public ActingSuite<Suite, threads, flaw> {
 protected:
  using Admission = fusebox::detail::Admission;
  using Outcome = fusebox::Outcome;
  using State = fusebox::State;

  /// For the thread that asks.
  void set_time(std::chrono::seconds time) { times_[rl::thread_index()] = time; }
  void set_time_of_all(std::chrono::seconds time) { times_.fill(time); }

  [[nodiscard]] Admission admit() { return core.admit(false); }
  void settle(Admission admission, Outcome outcome, const fusebox::Failure* failure = nullptr) {
    if (suffers<flaw>(Flaw::unstamped)) {
      if (word_of(admission).is_half_open()) admission.time = fusebox::detail::fine_tick(core.clock());
      const std::uint64_t generation = core.load().generation();
      admission.word = (admission.word & 0xffff'ffffU) | generation << 32U;
    }
    core.settle(admission, outcome, failure);
  }
  void call(Outcome outcome) {
    if (const Admission admission = admit(); !word_of(admission).is_rejected()) settle(admission, outcome);
  }

 private:
  ThreadClock::Times times_{};

 protected:
  fusebox::detail::BreakerCore<ThreadClock, Sync<flaw>> core{"b", Suite::config(), ThreadClock{&times_}};
};

}  // namespace checks
