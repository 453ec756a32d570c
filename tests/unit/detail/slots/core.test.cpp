#include <fusebox/detail/slots/core.hpp>

#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/counting_sync.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::SlotWord;

namespace {

using support::CountingSync;
using Counters = support::SyncCounters;
Counters& counters = CountingSync::counters;

/// Fails to tell the time.
struct NoClock : test::FakeClock {
  [[noreturn]] std::chrono::steady_clock::time_point now() const { throw std::logic_error{"reads the time"}; }
  [[noreturn]] std::chrono::steady_clock::time_point coarse_now() const {
    throw std::logic_error{"reads the time"};
  }
};

template <class C = test::FakeClock>
struct Counted {
  explicit Counted(const BulkheadConfig& config, C clock = {}) : core{before(), config, clock} {}
  static const char* before() {
    CountingSync::word = nullptr;
    return "b";
  }
  detail::BulkheadCore<C, CountingSync> core;
};

template <class F>
Counters counters_of(F f) {
  counters = {};
  f();
  return counters;
}

constexpr std::uint64_t last_admitted = ((std::uint64_t{1} << 29U) - 1) << SlotWord::admitted_shift;

}  // namespace

TEST_CASE("K1 a call with room is one exchange in and one out, without a lock or a clock", "[K1]") {
  Counted<NoClock> bulkhead{{.max_concurrent = 2}};
  const Counters in = counters_of([&] { CHECK(bulkhead.core.try_take(Priority::normal)); });
  CHECK(in.exchanges == 1);
  CHECK(in.adds + in.locks == 0);
  const Counters out = counters_of([&] { bulkhead.core.give_back(); });
  CHECK(out.exchanges == 1);
  CHECK(out.adds + out.locks == 0);
}

TEST_CASE("K1 a rejection counts itself, without a lock or a clock", "[K1]") {
  Counted<NoClock> bulkhead{{.max_concurrent = 1}};
  CHECK(bulkhead.core.try_take(Priority::normal));
  const Counters rejected = counters_of([&] {
    CHECK_FALSE(bulkhead.core.try_take(Priority::normal));
    bulkhead.core.count_rejected(Priority::normal);
  });
  CHECK(rejected.adds == 1);
  CHECK(rejected.exchanges + rejected.locks == 0);
  bulkhead.core.give_back();
}

TEST_CASE("K11 admitted calls are counted beyond the 29 bits of the word", "[K11]") {
  Counted<> bulkhead{{.max_concurrent = 2, .max_waiting = 1}};
  CountingSync::word->store(last_admitted);
  CHECK(bulkhead.core.stats().admitted == 0x1FFF'FFFF);
  CHECK(bulkhead.core.try_take(Priority::normal));
  CHECK(bulkhead.core.stats().admitted == 0x2000'0000);
  CHECK(bulkhead.core.stats().in_use == 1);
  CHECK(bulkhead.core.try_take(Priority::normal));
  CHECK(bulkhead.core.stats().admitted == 0x2000'0001);
  CHECK_FALSE(bulkhead.core.try_take(Priority::normal));
  bulkhead.core.give_back();
  bulkhead.core.give_back();
  CHECK(bulkhead.core.is_idle());

  using Core = decltype(bulkhead.core);
  CountingSync::word->store(last_admitted);
  Core::Waiter with_room;
  CHECK(bulkhead.core.enqueue(with_room) == Core::Place::slot);
  CHECK(bulkhead.core.stats().admitted == 0x4000'0000);

  CountingSync::word->store(last_admitted + 2);
  Core::Waiter waiter;
  CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
  bulkhead.core.give_back();
  CHECK(bulkhead.core.settle(waiter) == Core::Fate::granted);
  CHECK(bulkhead.core.stats().admitted == 0x6000'0000);
  bulkhead.core.give_back();
  bulkhead.core.give_back();
}

TEST_CASE("K2 the queue takes as many as it may, and enqueue takes a slot if one is free", "[K2]") {
  Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 2}};
  using Core = decltype(bulkhead.core);
  std::vector<Core::Waiter> waiters(4);
  CHECK_FALSE(bulkhead.core.is_queue_full(Priority::normal));
  CHECK(bulkhead.core.enqueue(waiters[0]) == Core::Place::slot);
  CHECK_FALSE(bulkhead.core.is_queue_full(Priority::normal));
  CHECK(bulkhead.core.enqueue(waiters[1]) == Core::Place::queue);
  CHECK(bulkhead.core.enqueue(waiters[2]) == Core::Place::queue);
  CHECK(bulkhead.core.is_queue_full(Priority::normal));
  CHECK(bulkhead.core.enqueue(waiters[3]) == Core::Place::none);
  CHECK(bulkhead.core.settle(waiters[1]) == Core::Fate::none);
  CHECK_FALSE(bulkhead.core.is_queue_full(Priority::normal));
  bulkhead.core.give_back();
  CHECK(waiters[2].wake.stop_requested());
  CHECK_FALSE(waiters[1].wake.stop_requested());
  CHECK(bulkhead.core.settle(waiters[2]) == Core::Fate::granted);
  CHECK_FALSE(bulkhead.core.is_idle());
  bulkhead.core.give_back();
  CHECK(bulkhead.core.is_idle());
}

TEST_CASE("K3 whichever place in the queue a call leaves, the others keep theirs", "[K3]") {
  for (std::size_t leaver = 0; leaver < 3; ++leaver) {
    Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 3}};
    using Core = decltype(bulkhead.core);
    CHECK(bulkhead.core.try_take(Priority::normal));
    std::vector<Core::Waiter> waiters(3);
    for (Core::Waiter& waiter : waiters) CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
    CHECK(bulkhead.core.settle(waiters[leaver]) == Core::Fate::none);
    for (std::size_t next = 0; next < 3; ++next) {
      if (next == leaver) continue;
      CHECK_FALSE(waiters[next].wake.stop_requested());
      bulkhead.core.give_back();
      CHECK(waiters[next].wake.stop_requested());
      CHECK(bulkhead.core.settle(waiters[next]) == Core::Fate::granted);
    }
    bulkhead.core.give_back();
    CHECK(bulkhead.core.is_idle());
  }
}

TEST_CASE("P18 a call takes the place of the youngest waiter of the lowest priority", "[P18]") {
  Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 3}};
  using Core = decltype(bulkhead.core);
  CHECK(bulkhead.core.try_take(Priority::background));
  std::vector<Core::Waiter> waiters(7);
  const auto enqueue = [&](std::size_t which, Priority priority) {
    waiters[which].priority = priority;
    return bulkhead.core.enqueue(waiters[which]);
  };
  CHECK(enqueue(0, Priority::sheddable) == Core::Place::queue);
  CHECK(enqueue(1, Priority::sheddable) == Core::Place::queue);
  CHECK(enqueue(2, Priority::normal) == Core::Place::queue);
  CHECK(bulkhead.core.is_queue_full(Priority::sheddable));
  CHECK_FALSE(bulkhead.core.is_queue_full(Priority::normal));
  CHECK(enqueue(3, Priority::background) == Core::Place::none);
  CHECK(enqueue(3, Priority::sheddable) == Core::Place::none);
  CHECK_FALSE(waiters[1].wake.stop_requested());

  CHECK(enqueue(4, Priority::normal) == Core::Place::queue);
  CHECK(waiters[1].wake.stop_requested());
  CHECK_FALSE(waiters[0].wake.stop_requested());
  CHECK(bulkhead.core.stats().waiting == 3);
  CHECK(bulkhead.core.stats().shed == 1);
  CHECK(bulkhead.core.stats().rejected == 1);  // before the displaced call has looked
  CHECK(bulkhead.core.settle(waiters[1]) == Core::Fate::shed);
  CHECK(bulkhead.core.stats().waiting == 3);
  CHECK(enqueue(5, Priority::critical) == Core::Place::queue);
  CHECK(bulkhead.core.settle(waiters[0]) == Core::Fate::shed);
  CHECK(bulkhead.core.is_queue_full(Priority::normal));
  CHECK_FALSE(bulkhead.core.is_queue_full(Priority::critical));
  CHECK(enqueue(6, Priority::normal) == Core::Place::none);

  for (const std::size_t next : {5U, 2U, 4U}) {
    bulkhead.core.give_back();
    CHECK(waiters[next].wake.stop_requested());
    CHECK(bulkhead.core.settle(waiters[next]) == Core::Fate::granted);
  }
  bulkhead.core.give_back();
  CHECK(bulkhead.core.is_idle());
  CHECK(bulkhead.core.stats().shed == 2);
}

TEST_CASE("P18 a full queue refuses without a lock what displaces nobody", "[P18][K2]") {
  Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 1}};
  using Core = decltype(bulkhead.core);
  CHECK(bulkhead.core.try_take(Priority::normal));
  Core::Waiter waiter;
  CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
  const Counters looks = counters_of([&] {
    CHECK_FALSE(bulkhead.core.try_pass(Priority::critical));
    CHECK(bulkhead.core.is_queue_full(Priority::normal));
  });
  CHECK(looks.locks + looks.exchanges == 0);
  CHECK(bulkhead.core.settle(waiter) == Core::Fate::none);
  bulkhead.core.give_back();
}

TEST_CASE("K3 whoever leaves or is displaced, the word says which priority waits", "[K3][P18]") {
  Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 2}};
  using Core = decltype(bulkhead.core);
  CHECK(bulkhead.core.try_take(Priority::normal));
  std::vector<Core::Waiter> waiters(3);
  waiters[0].priority = Priority::background;
  waiters[1].priority = Priority::sheddable;
  waiters[2].priority = Priority::critical;
  const auto lowest = [] { return SlotWord::lowest(CountingSync::word->load()); };
  CHECK(bulkhead.core.enqueue(waiters[0]) == Core::Place::queue);
  CHECK(bulkhead.core.enqueue(waiters[1]) == Core::Place::queue);
  CHECK(lowest() == Priority::background);
  CHECK(bulkhead.core.enqueue(waiters[2]) == Core::Place::queue);
  CHECK(lowest() == Priority::sheddable);
  CHECK(bulkhead.core.settle(waiters[0]) == Core::Fate::shed);
  CHECK(bulkhead.core.settle(waiters[1]) == Core::Fate::none);
  CHECK(lowest() == Priority::critical);
  waiters[1] = {};
  CHECK(bulkhead.core.enqueue(waiters[1]) == Core::Place::queue);
  CHECK(lowest() == Priority::normal);
  bulkhead.core.give_back();
  CHECK(bulkhead.core.settle(waiters[2]) == Core::Fate::granted);
  CHECK(lowest() == Priority::normal);
  bulkhead.core.give_back();
  CHECK(bulkhead.core.settle(waiters[1]) == Core::Fate::granted);
  CHECK(lowest() == Priority::critical);
  bulkhead.core.give_back();
}

TEST_CASE("P19 each priority has a limit of its own", "[P19]") {
  Counted<NoClock> bulkhead{{.max_concurrent = 10, .headroom = 0.2}};
  int taken = 0;
  for (const Priority priority :
       {Priority::background, Priority::sheddable, Priority::normal, Priority::critical}) {
    while (bulkhead.core.try_take(priority)) ++taken;
    CHECK(taken == static_cast<int>(detail::slots_for(priority, 10, 0.2)));
    CHECK(bulkhead.core.in_use() == static_cast<unsigned>(taken));
  }
  CHECK(taken == 10);
  CHECK(bulkhead.core.limit() == 10);
  while (taken-- > 0) bulkhead.core.give_back();
}

TEST_CASE("P19 a call takes a slot that a less important waiting call must leave free", "[P19][K2]") {
  Counted<> bulkhead{{.max_concurrent = 10, .max_waiting = 1, .headroom = 0.1}};
  using Core = decltype(bulkhead.core);
  for (int i = 0; i < 8; ++i) CHECK(bulkhead.core.try_take(Priority::critical));
  Core::Waiter waiter;
  waiter.priority = Priority::sheddable;
  CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
  CHECK_FALSE(bulkhead.core.try_take(Priority::normal));
  CHECK_FALSE(bulkhead.core.try_pass(Priority::sheddable));
  CHECK(bulkhead.core.try_pass(Priority::normal));
  CHECK_FALSE(bulkhead.core.try_pass(Priority::normal));
  Core::Waiter critical;
  critical.priority = Priority::critical;
  CHECK(bulkhead.core.enqueue(critical) == Core::Place::slot);
  CHECK_FALSE(bulkhead.core.try_pass(Priority::critical));
  CHECK(bulkhead.core.stats().in_use == 10);
  for (int in_use = 9; in_use >= 8; --in_use) {
    bulkhead.core.give_back();
    CHECK(bulkhead.core.stats().in_use == in_use);
    CHECK_FALSE(waiter.wake.stop_requested());
  }
  bulkhead.core.give_back();  // the eighth slot is one of those that it may have
  CHECK(waiter.wake.stop_requested());
  CHECK(bulkhead.core.settle(waiter) == Core::Fate::granted);
  CHECK(bulkhead.core.stats().in_use == 8);
  for (int i = 0; i < 8; ++i) bulkhead.core.give_back();
  CHECK(bulkhead.core.is_idle());
}

TEST_CASE("P19 K6 a new limit moves that of each priority, and lets in whom it may", "[P19][K6]") {
  Counted<> bulkhead{{.max_concurrent = 2, .max_waiting = 3, .headroom = 0.1}};
  using Core = decltype(bulkhead.core);
  CHECK(bulkhead.core.try_take(Priority::normal));
  std::vector<Core::Waiter> waiters(3);
  waiters[0].priority = Priority::background;
  waiters[1].priority = Priority::normal;
  waiters[2].priority = Priority::normal;
  for (Core::Waiter& waiter : waiters) CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
  bulkhead.core.set_limit(3);
  CHECK(bulkhead.core.stats().in_use == 2);
  CHECK(waiters[1].wake.stop_requested());
  CHECK_FALSE(waiters[2].wake.stop_requested());
  bulkhead.core.set_limit(5);
  CHECK(bulkhead.core.stats().in_use == 3);  // three of five are a background call's
  CHECK(waiters[2].wake.stop_requested());
  CHECK_FALSE(waiters[0].wake.stop_requested());
  bulkhead.core.set_limit(6);
  CHECK(bulkhead.core.stats().in_use == 4);
  CHECK(waiters[0].wake.stop_requested());
  for (Core::Waiter& waiter : waiters) CHECK(bulkhead.core.settle(waiter) == Core::Fate::granted);
  for (int i = 0; i < 4; ++i) bulkhead.core.give_back();
}

TEST_CASE("K11 the longest wait is that of a waiting call of any priority", "[K11]") {
  test::FakeClock clock;
  Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 2}, clock};
  using Core = decltype(bulkhead.core);
  CHECK(bulkhead.core.try_take(Priority::normal));
  std::vector<Core::Waiter> waiters(2);
  waiters[0].priority = Priority::background;
  CHECK(bulkhead.core.enqueue(waiters[0]) == Core::Place::queue);
  clock.advance(3s);
  CHECK(bulkhead.core.enqueue(waiters[1]) == Core::Place::queue);
  clock.advance(1s);
  CHECK(bulkhead.core.stats().longest_wait == 4s);
  for (Core::Waiter& waiter : waiters) CHECK(bulkhead.core.settle(waiter) == Core::Fate::none);
  bulkhead.core.give_back();
}
