// A throttle's window: a step that begins loses no call and shows no old one, and no mark of calm outlives a
// call that is not accepted (V3, V8).
#include <fusebox/throttle/detail/request_window.hpp>

#include <chrono>
#include <cstdint>

#include "acting_suite.hpp"
#include "scenario.hpp"

namespace checks {
namespace {

using fusebox::Priority;
using fusebox::detail::CallCounts;
using fusebox::detail::Shedding;
using fusebox::detail::WindowCounts;

template <class Suite, int threads, Flaw flaw>
struct ThrottleSuite : ActingSuite<Suite, threads, flaw> {
  fusebox::detail::RequestWindow<Sync<flaw>> window{std::chrono::seconds{12}, 0};

  void record(int calls, fusebox::detail::Tick step, bool is_accepted) {
    for (int call = 0; call < calls; ++call) window.record(step, Priority::normal, is_accepted);
  }
};

/// Step 16 lies where step 0 was. Two threads count in it, a late call still counts in step 0, and one looks.
template <Flaw flaw>
struct Beginnings : ThrottleSuite<Beginnings<flaw>, 4, flaw> {
  void before() { this->record(6, 0, true); }
  void act(unsigned thread) {
    if (thread == 3) {
      for (int look = 0; look < 3; ++look) {
        const CallCounts calls = this->window.counts(16).whole;
        RL_ASSERT(calls.all_requests() <= 5);  // of step 16, and the late call at most
        RL_ASSERT(calls.accepts <= calls.all_requests());
        this->pause();
      }
    } else if (thread == 2) {
      this->record(1, 0, true);
    } else {
      this->record(2, 16, thread == 0);
    }
  }
  void after() {
    const CallCounts calls = this->window.counts(16).whole;
    RL_ASSERT(calls.all_requests() >= 4 && calls.all_requests() <= 5);
    RL_ASSERT(calls.accepts == calls.all_requests() - 2);
    const CallCounts totals = this->window.totals();
    RL_ASSERT(totals.all_requests() == 11);
    RL_ASSERT(totals.accepts == 9);
  }
};

/// One thread finds calm while others count calls that are not accepted.
template <Flaw flaw>
struct Calm : ThrottleSuite<Calm<flaw>, 3, flaw> {
  static constexpr fusebox::ThrottleConfig config{.k = 2, .minimum_calls = 1};

  void before() { this->record(2, 1, true); }
  void act(unsigned thread) {
    if (thread > 0) return this->record(2, 1, false);
    for (int call = 0; call < 4; ++call) {
      const std::uint32_t version = this->window.version();
      if (Shedding::of(this->window.counts(1), config).is_calm) this->window.set_calm(1, version);
      this->pause();
    }
  }
  void after() {
    RL_ASSERT(!Shedding::of(this->window.counts(1), config).is_calm);
    RL_ASSERT(!this->window.is_calm(1));
  }
};

}  // namespace

Scenarios throttles() {
  return {
      holds<Beginnings<Flaw::none>>("throttles: a step that begins loses no call and shows no old one"),
      broken<Beginnings<Flaw::relaxed>>("throttles: a step that begins, without an order"),
      broken<Beginnings<Flaw::unlocked>>("throttles: a step that begins, without the lock"),
      broken<Beginnings<Flaw::split>>("throttles: a step that begins, by a load and a store"),
      holds<Calm<Flaw::none>>("throttles: no calm after a call that is not accepted"),
      broken<Calm<Flaw::relaxed>>("throttles: no calm after a call that is not accepted, without an order"),
  };
}

}  // namespace checks
