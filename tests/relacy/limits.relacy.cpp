// A limiter's word: threads together take what one would, and no place is used twice (Q2, Q5, Q7).
#include <fusebox/rate_limiter/detail/gcra.hpp>

#include <array>
#include <cstddef>

#include "acting_suite.hpp"
#include "scenario.hpp"

namespace checks {
namespace {

using fusebox::detail::Reservation;
using fusebox::detail::Tick;

/// Permits of 10, three of them saved up.
template <class Suite, Flaw flaw>
struct LimiterSuite : ActingSuite<Suite, 3, flaw> {
  fusebox::detail::Gcra<Sync<flaw>> gcra{10, 3};
};

/// Each thread reads the time 0, then 10: 3 permits and one more.
template <Flaw flaw>
struct Permits : LimiterSuite<Permits<flaw>, flaw> {
  std::array<int, 3> taken{};

  void act(unsigned thread) {
    for (const Tick now : {0, 0, 10}) {
      if (this->gcra.try_take(1, now)) ++taken[thread];
    }
  }
  void after() {
    // A thread that reads 10 first may leave too little for one that still reads 0.
    RL_ASSERT(taken[0] + taken[1] + taken[2] <= 4);
    RL_ASSERT(taken[0] + taken[1] + taken[2] >= 3);
    const int left = this->gcra.try_take(1, 10) ? 1 : 0;
    RL_ASSERT(taken[0] + taken[1] + taken[2] + left == 4);
  }
};

/// Threads reserve, and some of them give up. A twin gives up twice.
template <Flaw flaw, bool gives_back_twice>
struct Places : LimiterSuite<Places<flaw, gives_back_twice>, flaw> {
  std::array<Reservation, 4> used{};

  void before() { RL_ASSERT(this->gcra.try_take(3, 0)); }
  void act(unsigned thread) {
    if (thread == 0) {
      const Reservation given_up = this->gcra.take(1, 0, 1'000);
      this->gcra.give_back(given_up);
      this->pause();
      if (gives_back_twice) this->gcra.give_back(given_up);
    } else if (thread == 1) {
      const Reservation given_up = this->gcra.take(1, 0, 1'000);
      used[1] = this->gcra.take(1, 0, 1'000);
      this->gcra.give_back(given_up);
    } else {
      used[2] = this->gcra.take(1, 0, 1'000);
    }
  }
  void after() {
    used[3] = this->gcra.take(1, 0, 1'000);
    for (std::size_t first = 1; first < used.size(); ++first) {
      for (std::size_t second = first + 1; second < used.size(); ++second)
        RL_ASSERT(used[first].wait != used[second].wait);
    }
    RL_ASSERT(used[3].wait >= 30 && used[3].wait <= 50);
  }
};

/// A server admits two: of six calls two pass, and a wait that is given up makes room for one more.
template <Flaw flaw>
struct Reports : LimiterSuite<Reports<flaw>, flaw> {
  std::array<int, 3> taken{};

  void before() { this->gcra.report(2, 1'000, 100); }
  void act(unsigned thread) {
    for (int calls = 0; calls < 2; ++calls) {
      const Reservation reserved = this->gcra.take(1, 100, 50);
      if (reserved.is_refused()) continue;
      if (thread == 0 && calls == 0) {
        this->gcra.give_back(reserved);
      } else {
        ++taken[thread];
      }
    }
  }
  void after() {
    while (this->gcra.try_take(1, 200)) ++taken[0];
    RL_ASSERT(taken[0] + taken[1] + taken[2] == 2);
    RL_ASSERT(this->gcra.wait_for(1, 200) == 900);
  }
};

}  // namespace

Scenarios limits() {
  return {
      holds<Permits<Flaw::none>>("limits: no permit too many and none too few"),
      broken<Permits<Flaw::split>>("limits: no permit too many and none too few, by a load and a store"),
      holds<Places<Flaw::none, false>>("limits: no place is used twice"),
      broken<Places<Flaw::split, false>>("limits: no place is used twice, by a load and a store"),
      broken<Places<Flaw::none, true>>("limits: no place is used twice, given back twice"),
      holds<Reports<Flaw::none>>("limits: no more than a server admits"),
      broken<Reports<Flaw::unlocked>>("limits: no more than a server admits, without the lock"),
  };
}

}  // namespace checks
