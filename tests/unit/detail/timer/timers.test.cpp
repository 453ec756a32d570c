#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/timer/timers.hpp>

#include <mutex>
#include <vector>

#include "catch.hpp"
#include "support/timers.hpp"

using namespace fusebox::detail;
using support::node_with_source;

namespace {

/// Remembers the sleeps, and ends each at once.
struct RecordingSync : StdSync {
  struct Condition {
    static inline std::vector<Tick> sleeps;
    static inline int notified = 0;
    static void wait_until(std::unique_lock<std::mutex>& lock, Tick until) {
      CHECK(lock.owns_lock());
      sleeps.push_back(until);
    }
    static void notify() { ++notified; }
    static void start_anew() noexcept {}
  };
  RecordingSync() = delete;
};

struct Fixture {
  Fixture() {
    RecordingSync::Condition::sleeps.clear();
    RecordingSync::Condition::notified = 0;
  }
  [[nodiscard]] static const std::vector<Tick>& sleeps() { return RecordingSync::Condition::sleeps; }

  Timers<RecordingSync> timers;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "D7 an arm wakes the thread only if it would sleep beyond the limit", "[D7]") {
  auto first = node_with_source();
  auto later = node_with_source();
  auto earlier = node_with_source();
  CHECK(timers.arm(first, 100));  // there is no thread yet
  timers.sleep(timers.fire(0));
  CHECK_FALSE(timers.arm(later, 150));
  CHECK(timers.arm(earlier, 50));
  CHECK(timers.size() == 3);
  timers.sleep(timers.fire(0));
  CHECK(sleeps() == std::vector<Tick>{100, 50});
  timers.start_anew();
}

TEST_CASE_METHOD(Fixture, "D7 a limit that is armed before the thread sleeps is not slept through", "[D7]") {
  auto node = node_with_source();
  const Tick next = timers.fire(0);
  CHECK(next == tick_max);
  CHECK_FALSE(timers.arm(node, 5));  // the thread is awake
  timers.sleep(next);
  CHECK(sleeps().empty());
  timers.sleep(timers.fire(0));
  CHECK(sleeps() == std::vector<Tick>{5});
  timers.start_anew();
}

TEST_CASE_METHOD(Fixture, "D7 a wake ends the sleep that follows, and no other", "[D7]") {
  const Tick next = timers.fire(0);
  timers.wake();
  CHECK(RecordingSync::Condition::notified == 1);
  timers.sleep(next);
  CHECK(sleeps().empty());
  timers.sleep(next);
  CHECK(sleeps() == std::vector<Tick>{tick_max});
}

TEST_CASE_METHOD(Fixture, "D7 limits end when they are due, not before", "[D7]") {
  std::vector<TimerNode> nodes;
  for (int i = 0; i < 100; ++i) nodes.push_back(node_with_source());
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(timers.arm(nodes[i], static_cast<Tick>(i)));
  CHECK(timers.fire(49) == 50);
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(nodes[i].source.stop_requested() == (i < 50));
  CHECK(timers.size() == 50);
  CHECK(timers.fire(99) == tick_max);
  CHECK(timers.size() == 0);
}

TEST_CASE_METHOD(Fixture, "D7 a disarmed limit does not end, and wakes the thread once at most", "[D7]") {
  auto node = node_with_source();
  auto later = node_with_source();
  CHECK(timers.arm(node, 10));
  CHECK(timers.arm(later, 20));
  timers.disarm(node);
  CHECK(timers.size() == 1);
  CHECK(timers.fire(0) <= 20);
  CHECK(timers.fire(10) == 20);
  CHECK_FALSE(node.source.stop_requested());
  timers.disarm(node);  // again: nothing happens
  timers.disarm(later);
  CHECK(timers.fire(30) == tick_max);
  CHECK_FALSE(later.source.stop_requested());
}

TEST_CASE_METHOD(Fixture, "D7 a stop may arm and disarm limits", "[D7]") {
  auto node = node_with_source();
  auto other = node_with_source();
  const auto arms = support::on_stop(node, [&] {
    static_cast<void>(timers.arm(other, 20));
    timers.wake();
  });
  CHECK(timers.arm(node, 10));
  const Tick next = timers.fire(10);
  timers.sleep(next);
  CHECK(sleeps().empty());
  CHECK(timers.fire(15) == 20);
  timers.disarm(other);
}

TEST_CASE_METHOD(Fixture, "D8 after a fork nothing is armed, and the next limit starts a thread", "[D8]") {
  auto node = node_with_source();
  auto other = node_with_source();
  CHECK(timers.arm(node, 10));
  timers.sleep(timers.fire(0));
  timers.lock_all();
  timers.start_anew();
  timers.unlock_all();
  CHECK(timers.size() == 0);
  timers.disarm(node);  // not there
  CHECK(timers.arm(other, 20));
  timers.disarm(other);
}
