// Limits that are armed while the thread that ends them goes to sleep: none is lost (D7).
#include <fusebox/detail/timer/timers.hpp>

#include <array>
#include <mutex>

#include "acting_suite.hpp"
#include "scenario.hpp"

namespace checks {
namespace {

using fusebox::detail::Tick;
using fusebox::detail::TimerNode;
using fusebox::detail::Timers;

/// Adds the sleep of the thread. No time passes in it, so only a wake() ends it: if one is missing, the
/// thread sleeps for ever, which Relacy reports.
template <Flaw flaw>
struct TimerSync : Sync<flaw> {
  class Condition {
   public:
    Condition() { condition_.init(false, Place{}.info); }
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;
    ~Condition() { condition_.deinit(Place{}.info); }

    void wait_until(std::unique_lock<Mutex<flaw>>& lock, Tick /*until*/) {
      const typename Sync<flaw>::ThreadLocals own;
      Unplaced mutex{*lock.mutex()};
      condition_.wait(mutex, false, Place{}.info);
    }
    void notify() {
      const typename Sync<flaw>::ThreadLocals own;
      if (!suffers<flaw>(Flaw::silent)) condition_.notify_one(Place{}.info);
    }

   private:
    /// The mutex as Relacy's condition takes it.
    struct Unplaced {
      Mutex<flaw>& mutex;
      void lock(rl::debug_info_param /*info*/) { mutex.lock(); }
      void unlock(rl::debug_info_param /*info*/) { mutex.unlock(); }
    };

    rl::condvar<rl::condvar_tag_std> condition_;
  };
};

/// It is 10. One limit is far away; others, which are over, are armed while the thread looks for something to
/// do and goes to sleep.
template <Flaw flaw, int armers>
struct Arming : ActingSuite<Arming<flaw, armers>, armers + 1, flaw> {
  Timers<TimerSync<flaw>> timers;
  std::array<TimerNode, armers> nodes;
  TimerNode far;

  void before() {
    for (TimerNode& node : nodes) node.source = std::stop_source{};
    far.source = std::stop_source{};
    RL_ASSERT(timers.arm(far, 100));
  }
  void act(unsigned thread) {
    if (thread < armers) {
      if (timers.arm(nodes[thread], 5 + static_cast<Tick>(thread))) timers.wake();
      return;
    }
    for (;;) {
      const Tick next = timers.fire(10);
      if (all_stopped()) break;
      timers.sleep(next);
    }
  }
  void after() {
    RL_ASSERT(!far.source.stop_requested());
    timers.disarm(far);
    RL_ASSERT(timers.size() == 0);
  }

  [[nodiscard]] bool all_stopped() const {
    bool all = true;
    for (const TimerNode& node : nodes) all = all && node.source.stop_requested();
    return all;
  }
};

/// Two threads arm and disarm while the thread ends limits: a node is fired or disarmed, and never touched
/// after that.
template <Flaw flaw>
struct Disarming : ActingSuite<Disarming<flaw>, 3, flaw> {
  Timers<TimerSync<flaw>> timers;

  void act(unsigned thread) {
    if (thread == 2) {
      for (int rounds = 0; rounds < 3; ++rounds) static_cast<void>(timers.fire(10));
      return;
    }
    for (int calls = 0; calls < 2; ++calls) {
      TimerNode node;
      node.source = std::stop_source{};
      static_cast<void>(timers.arm(node, 5));
      timers.disarm(node);
      RL_ASSERT(node.index == TimerNode::nowhere);
    }
  }
  void after() { RL_ASSERT(timers.size() == 0); }
};

}  // namespace

Scenarios timers() {
  return {
      holds<Arming<Flaw::none, 1>>("timers: an arm while the thread goes to sleep"),
      broken<Arming<Flaw::unordered, 1>>(
          "timers: an arm while the thread goes to sleep, without a total order"),
      broken<Arming<Flaw::silent, 1>>("timers: an arm while the thread goes to sleep, waking nobody"),
      holds<Arming<Flaw::none, 3>>("timers: three arms while the thread goes to sleep"),
      broken<Arming<Flaw::unordered, 3>>(
          "timers: three arms while the thread goes to sleep, without a total order"),
      holds<Disarming<Flaw::none>>("timers: arms and disarms while limits end"),
  };
}

}  // namespace checks
