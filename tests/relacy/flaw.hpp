// relacy/flaw.hpp: what is wrong in a broken twin, and when: only while the threads of a suite do what is
// checked.
#pragma once

#include <array>
#include <cstddef>

#include <fusebox/detail/totals.hpp>

#include "relacy.hpp"

namespace checks {

enum class Flaw {
  none,
  relaxed,    // no operation on an atomic orders others
  unordered,  // what is to be sequentially consistent only acquires and releases
  split,      // a read-modify-write is a load and a store
  unlocked,   // the mutex keeps nobody out
  unstamped,  // a report is taken for one of the period in which it comes
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

/// Suite::act(thread) is what each thread does; before() and after() run alone.
template <class Suite, int threads>
class ActingSuite : public rl::test_suite<Suite, threads> {
 public:
  void thread(unsigned index) {
    // Relacy gives each thread the same chance of each next step: else a short action is over before a long
    // one.
    for (unsigned steps = rl::rand(2) * rl::rand(80); steps > 0; --steps) rl::ctx().sched();
    fusebox::detail::thread_shard = 0;  // as in a thread that has just begun
    is_acting[index] = true;
    static_cast<Suite*>(this)->act(index);
    is_acting[index] = false;
  }

 protected:
  static_assert(threads <= static_cast<int>(max_threads));
  ActingSuite() {  // what a rejected execution left is undone
    fusebox::detail::thread_shard = 0;
    is_acting.fill(false);
    is_locking.fill(false);
  }
};

}  // namespace checks
