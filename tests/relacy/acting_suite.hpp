// relacy/acting_suite.hpp: a suite of Relacy's whose threads begin at random moments and suffer from its
// flaw.
#pragma once

#include "flaw.hpp"
#include "sync.hpp"

namespace checks {

/// Suite::act(thread) is what each thread does; before() and after() run alone.
template <class Suite, int threads, Flaw flaw>
class ActingSuite : public rl::test_suite<Suite, threads> {
 public:
  void thread(unsigned index) {
    pause();
    Sync<flaw>::begin_thread();
    is_acting[index] = true;
    static_cast<Suite*>(this)->act(index);
    is_acting[index] = false;
  }

 protected:
  /// Relacy gives each thread the same chance of each next step: else a short action is over before a long
  /// one.
  static void pause() {
    for (unsigned steps = rl::rand(2) * rl::rand(80); steps > 0; --steps) rl::ctx().sched();
  }

  static_assert(threads <= static_cast<int>(max_threads));
  ActingSuite() {  // what a rejected execution left is undone
    Sync<flaw>::begin_thread();
    is_acting.fill(false);
    is_locking.fill(false);
    Sync<flaw>::deliveries_of_suite = &deliveries_;
  }

 private:
  typename Sync<flaw>::Deliveries deliveries_;
};

}  // namespace checks
