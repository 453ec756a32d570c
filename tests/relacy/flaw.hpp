// relacy/flaw.hpp: what is wrong in a broken twin, and when: only while the threads of a suite do what is
// checked.
#pragma once

#include <array>
#include <cstddef>

#include "relacy.hpp"

namespace checks {

enum class Flaw {
  none,
  relaxed,    // no operation on an atomic orders others
  unordered,  // what is to be sequentially consistent only acquires and releases
  split,      // a read-modify-write is a load and a store
  unlocked,   // the mutex keeps nobody out
  silent,     // nobody who waits for an atomic is woken
  unstamped,  // a report is taken for one of the generation in which it comes
  deaf,       // a call whose wait ended otherwise overlooks that a slot was handed to it
  unchecked,  // under the lock an atomic is what its thread saw last, not what it is
};

inline constexpr std::size_t max_threads = 4;

/// Which threads hold a lock, and which do what is checked: what comes before and after is without flaws.
inline std::array<bool, max_threads> is_locking{};
inline std::array<bool, max_threads> is_acting{};

/// Is the asking thread to suffer from `flaw`, where the twin has it?
template <Flaw of_twin>
[[nodiscard]] bool suffers(Flaw flaw) {
  return of_twin == flaw && is_acting[rl::thread_index()];
}

}  // namespace checks
