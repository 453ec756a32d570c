// The slots of a bulkhead: never lost, never held twice, and handed over with what their last user wrote (K1
// to K3, K6, K10).
#include <fusebox/bulkhead/detail/core.hpp>

#include <array>
#include <cstddef>
#include <memory>

#include "acting_suite.hpp"
#include "breaker_suite.hpp"
#include "scenario.hpp"

namespace checks {
namespace {

using Kind = fusebox::BulkheadEventKind;

/// Suite::config() is the bulkhead's.
template <class Suite, int threads, Flaw flaw>
class BulkheadSuite : public ActingSuite<Suite, threads, flaw> {
 protected:
  using Core = fusebox::detail::BulkheadCore<ThreadClock, Sync<flaw>>;
  using Place = typename Core::Place;
  using Waiter = typename Core::Waiter;

  /// What the call with the slot does.
  void use_slot() {
    RL_ASSERT(++inside <= limit);
    if (limit == 1) {
      const typename Sync<flaw>::ThreadLocals own;
      written(rl::debug_info{"use_slot", __FILE__, __LINE__}) = ++uses;
    }
    rl::ctx().sched();
    --inside;
    core.give_back();
  }

  /// A call that waits until a slot is handed to it.
  void call() {
    if (core.try_take()) return use_slot();
    const auto waiter = std::make_unique<Waiter>();
    if (core.enqueue(*waiter) == Place::queue) {
      waiter->wake.wait();
      RL_ASSERT(core.settle(*waiter));
    }
    use_slot();
  }

  /// A call whose wait ends at a random moment.
  void call_and_leave() {
    const auto waiter = std::make_unique<Waiter>();
    const Place place = core.enqueue(*waiter);
    if (place == Place::none) return;
    if (place == Place::queue) {
      for (unsigned steps = rl::rand(20); steps > 0; --steps) rl::ctx().sched();
      if (suffers<flaw>(Flaw::deaf)) {
        static_cast<void>(core.settle(*waiter));
        return;
      }
      if (!core.settle(*waiter)) return;
    }
    use_slot();
  }

  /// A call that never waits. True if it was admitted.
  bool call_at_once() {
    if (!core.try_take()) {
      core.count_rejected();
      return false;
    }
    use_slot();
    return true;
  }

  void check_idle() {
    const auto stats = core.stats();
    RL_ASSERT(core.is_idle() && stats.in_use == 0 && stats.waiting == 0);
    RL_ASSERT(core.try_take());
    core.give_back();
  }

 private:
  ThreadClock::Times times_{};

 protected:
  Core core{"b", Suite::config(), ThreadClock{&times_}};
  rl::var<int> written;  // Relacy rejects accesses that nothing orders
  int uses = 0;
  int inside = 0;
  int limit = Suite::config().max_concurrent;
};

/// Three calls for one slot; two may wait.
template <Flaw flaw>
struct HandOver : BulkheadSuite<HandOver<flaw>, 3, flaw> {
  static fusebox::BulkheadConfig config() { return {.max_concurrent = 1, .max_waiting = 2}; }

  void act(unsigned /*thread*/) { this->call(); }
  void after() {
    RL_ASSERT(this->core.stats().admitted == 3);
    this->check_idle();
  }
};

/// A slot comes back while one call gives up waiting, and another one comes.
template <Flaw flaw>
struct Leaving : BulkheadSuite<Leaving<flaw>, 3, flaw> {
  static fusebox::BulkheadConfig config() { return {.max_concurrent = 1, .max_waiting = 1}; }

  void before() { RL_ASSERT(this->core.try_take()); }
  void act(unsigned thread) {
    if (thread == 0) this->core.give_back();
    if (thread == 1) this->call_and_leave();
    if (thread == 2) this->call_at_once();
  }
  void after() { this->check_idle(); }
};

/// Two calls wait, of which one may give up; the slot comes back and the limit rises.
template <Flaw flaw>
struct Rising : BulkheadSuite<Rising<flaw>, 4, flaw> {
  static fusebox::BulkheadConfig config() { return {.max_concurrent = 1, .max_waiting = 2}; }

  void before() {
    RL_ASSERT(this->core.try_take());
    this->limit = 2;
  }
  void act(unsigned thread) {
    if (thread == 0) this->core.give_back();
    if (thread == 1) this->core.set_limit(2);
    if (thread == 2) this->call();
    if (thread == 3) this->call_and_leave();
  }
  void after() {
    RL_ASSERT(this->core.stats().limit == 2);
    this->check_idle();
  }
};

/// Rejections and releases, with a subscriber.
template <Flaw flaw>
struct Edges : BulkheadSuite<Edges<flaw>, 3, flaw> {
  static fusebox::BulkheadConfig config() { return {.max_concurrent = 1, .max_waiting = 1}; }

  Kind last = Kind::free;
  std::array<int, 3> rejected{};

  void before() {
    this->core.subscribe(fusebox::detail::make_subscriber<fusebox::BulkheadEvent, Sync<flaw>>(
        [this](const fusebox::BulkheadEvent& event) {
          RL_ASSERT(event.kind != last);
          last = event.kind;
        }));
  }
  void act(unsigned thread) {
    if (thread == 2) return this->call_and_leave();
    for (int i = 0; i < 2; ++i) rejected[thread] += this->call_at_once() ? 0 : 1;
  }
  void after() {
    RL_ASSERT(last == Kind::free);
    RL_ASSERT(this->core.stats().rejected == static_cast<std::uint64_t>(rejected[0] + rejected[1]));
    this->check_idle();
  }
};

}  // namespace

Scenarios bulkheads() {
  return {
      holds<HandOver<Flaw::none>>("bulkhead: each call gets the slot once, one at a time"),
      broken<HandOver<Flaw::split>>(
          "bulkhead: each call gets the slot once, one at a time, by a load and a store"),
      broken<HandOver<Flaw::relaxed>>("bulkhead: each call gets the slot once, one at a time, in no order"),
      broken<HandOver<Flaw::silent>>("bulkhead: each call gets the slot once, one at a time, nobody woken"),
      holds<Leaving<Flaw::none>>("bulkhead: a call that leaves loses no slot"),
      broken<Leaving<Flaw::deaf>>("bulkhead: a call that leaves loses no slot, which it overlooks"),
      broken<Leaving<Flaw::split>>("bulkhead: a call that leaves loses no slot, by a load and a store"),
      holds<Rising<Flaw::none>>("bulkhead: a limit that rises lets waiting calls in"),
      broken<Rising<Flaw::deaf>>("bulkhead: a limit that rises lets waiting calls in, which overlook it"),
      broken<Rising<Flaw::silent>>("bulkhead: a limit that rises lets waiting calls in, nobody woken"),
      holds<Edges<Flaw::none>>("bulkhead: saturated and free alternate"),
      broken<Edges<Flaw::split>>("bulkhead: saturated and free alternate, by a load and a store"),
  };
}

}  // namespace checks
