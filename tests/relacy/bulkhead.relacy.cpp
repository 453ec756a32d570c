// The slots of a bulkhead: never lost, never held twice, and handed over with what their last user wrote (K1
// to K3, K6, K10); and waiting calls that more important ones displace or pass (P18, P19).
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
using fusebox::Priority;

/// Suite::config() is the bulkhead's.
template <class Suite, int threads, Flaw flaw>
class BulkheadSuite : public ActingSuite<Suite, threads, flaw> {
 protected:
  using Core = fusebox::detail::BulkheadCore<ThreadClock, Sync<flaw>>;
  using Place = typename Core::Place;
  using Fate = typename Core::Fate;
  using Waiter = typename Core::Waiter;

  /// Of a call that goes on.
  void take() {
    RL_ASSERT(core.try_take(Priority::normal));
    ++admitted;
  }

  /// What the call with the slot does.
  void use_slot() {
    ++admitted;
    RL_ASSERT(++inside <= limit);
    if (limit == 1) {
      const typename Sync<flaw>::ThreadLocals own;
      written(rl::debug_info{"use_slot", __FILE__, __LINE__}) = ++uses;
    }
    rl::ctx().sched();
    --inside;
    core.give_back();
  }

  /// A call that waits until a slot is handed to it, or it is displaced.
  void call(Priority priority = Priority::normal) {
    if (core.try_take(priority)) return use_slot();
    const auto waiter = std::make_unique<Waiter>();
    waiter->priority = priority;
    const Place place = core.enqueue(*waiter);
    if (place == Place::none) return;
    if (place == Place::queue) {
      waiter->wake.wait();
      const Fate fate = core.settle(*waiter);
      RL_ASSERT(fate != Fate::none);
      if (fate == Fate::shed) return static_cast<void>(++shed);
    }
    use_slot();
  }

  /// A call whose wait ends at a random moment.
  void call_and_leave(Priority priority = Priority::normal) {
    const auto waiter = std::make_unique<Waiter>();
    waiter->priority = priority;
    const Place place = core.enqueue(*waiter);
    if (place == Place::none) return;
    if (place == Place::queue) {
      for (unsigned steps = rl::rand(20); steps > 0; --steps) rl::ctx().sched();
      if (suffers<flaw>(Flaw::deaf)) {
        static_cast<void>(core.settle(*waiter));
        return;
      }
      const Fate fate = core.settle(*waiter);
      if (fate == Fate::shed) ++shed;
      if (fate != Fate::granted) return;
    }
    use_slot();
  }

  /// A call that never waits. True if it was admitted.
  bool call_at_once() {
    if (!core.try_take(Priority::normal)) {
      core.count_rejected(Priority::normal);
      return false;
    }
    use_slot();
    return true;
  }

  void check_idle() {
    const auto stats = core.stats();
    RL_ASSERT(core.is_idle() && stats.in_use == 0 && stats.waiting == 0);
    RL_ASSERT(stats.admitted == static_cast<std::uint64_t>(admitted));
    RL_ASSERT(stats.shed == static_cast<std::uint64_t>(shed));
    RL_ASSERT(core.try_take(Priority::normal));
    core.give_back();
  }

 private:
  ThreadClock::Times times_{};

 protected:
  Core core{"b", Suite::config(), ThreadClock{&times_}};
  rl::var<int> written;  // Relacy rejects accesses that nothing orders
  int uses = 0;
  int inside = 0;
  int admitted = 0;
  int shed = 0;
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

  void before() { this->take(); }
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
    this->take();
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

/// A slot comes back while one call takes the place of another, which gives up waiting.
template <Flaw flaw>
struct Displacing : BulkheadSuite<Displacing<flaw>, 4, flaw> {
  static fusebox::BulkheadConfig config() { return {.max_concurrent = 1, .max_waiting = 1}; }

  bool is_served = false;  // the call that nobody displaces

  void before() { this->take(); }
  void act(unsigned thread) {
    if (thread == 0) this->core.give_back();
    if (thread == 1) this->call_and_leave(Priority::background);
    if (thread == 2) this->call(Priority::sheddable);
    if (thread == 3) {
      this->call(Priority::critical);
      is_served = true;
    }
  }
  void after() {
    RL_ASSERT(is_served);
    this->check_idle();
  }
};

/// One of two slots is kept for critical calls, which take it past the call that waits.
template <Flaw flaw>
struct Passing : BulkheadSuite<Passing<flaw>, 4, flaw> {
  static fusebox::BulkheadConfig config() { return {.max_concurrent = 2, .max_waiting = 1, .headroom = 0.3}; }

  bool is_served = false;  // the call that waits

  void before() { this->take(); }
  void act(unsigned thread) {
    if (thread == 0) this->core.give_back();
    if (thread == 1) {
      this->call();
      is_served = true;
    }
    if (thread > 1 && (this->core.try_take(Priority::critical) || this->core.try_pass(Priority::critical)))
      this->use_slot();
  }
  void after() {
    RL_ASSERT(is_served);
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
      holds<Displacing<Flaw::none>>("bulkhead: a call is displaced or gets its slot"),
      broken<Displacing<Flaw::deaf>>("bulkhead: a call is displaced or gets its slot, which it overlooks"),
      broken<Displacing<Flaw::silent>>("bulkhead: a call is displaced or gets its slot, nobody woken"),
      broken<Displacing<Flaw::unlocked>>("bulkhead: a call is displaced or gets its slot, without the lock"),
      holds<Passing<Flaw::none>>("bulkhead: a critical call passes one that waits"),
      broken<Passing<Flaw::silent>>("bulkhead: a critical call passes one that waits, nobody woken"),
      broken<Passing<Flaw::split>>("bulkhead: a critical call passes one that waits, by a load and a store"),
      holds<Edges<Flaw::none>>("bulkhead: saturated and free alternate"),
      broken<Edges<Flaw::split>>("bulkhead: saturated and free alternate, by a load and a store"),
  };
}

}  // namespace checks
