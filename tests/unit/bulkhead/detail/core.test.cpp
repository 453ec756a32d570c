#include <fusebox/bulkhead/detail/core.hpp>

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

constexpr std::uint64_t last_admitted = ((std::uint64_t{1} << 31U) - 1) << SlotWord::admitted_shift;

}  // namespace

TEST_CASE("K1 a call with room is one exchange in and one out, without a lock or a clock", "[K1]") {
  Counted<NoClock> bulkhead{{.max_concurrent = 2}};
  const Counters in = counters_of([&] { CHECK(bulkhead.core.try_take()); });
  CHECK(in.exchanges == 1);
  CHECK(in.adds + in.locks == 0);
  const Counters out = counters_of([&] { bulkhead.core.give_back(); });
  CHECK(out.exchanges == 1);
  CHECK(out.adds + out.locks == 0);
}

TEST_CASE("K1 a rejection counts itself, without a lock or a clock", "[K1]") {
  Counted<NoClock> bulkhead{{.max_concurrent = 1}};
  CHECK(bulkhead.core.try_take());
  const Counters rejected = counters_of([&] {
    CHECK_FALSE(bulkhead.core.try_take());
    bulkhead.core.count_rejected();
  });
  CHECK(rejected.adds == 1);
  CHECK(rejected.exchanges + rejected.locks == 0);
  bulkhead.core.give_back();
}

TEST_CASE("K11 admitted calls are counted beyond the 31 bits of the word", "[K11]") {
  Counted<> bulkhead{{.max_concurrent = 2, .max_waiting = 1}};
  CountingSync::word->store(last_admitted);
  CHECK(bulkhead.core.stats().admitted == 0x7FFF'FFFF);
  CHECK(bulkhead.core.try_take());
  CHECK(bulkhead.core.stats().admitted == 0x8000'0000);
  CHECK(bulkhead.core.stats().in_use == 1);
  CHECK(bulkhead.core.try_take());
  CHECK(bulkhead.core.stats().admitted == 0x8000'0001);
  CHECK_FALSE(bulkhead.core.try_take());
  bulkhead.core.give_back();
  bulkhead.core.give_back();
  CHECK(bulkhead.core.is_idle());

  using Core = decltype(bulkhead.core);
  CountingSync::word->store(last_admitted);
  Core::Waiter with_room;
  CHECK(bulkhead.core.enqueue(with_room) == Core::Place::slot);
  CHECK(bulkhead.core.stats().admitted == 0x1'0000'0000);

  CountingSync::word->store(last_admitted + 2);
  Core::Waiter waiter;
  CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
  bulkhead.core.give_back();
  CHECK(bulkhead.core.settle(waiter));
  CHECK(bulkhead.core.stats().admitted == 0x1'8000'0000);
  bulkhead.core.give_back();
  bulkhead.core.give_back();
}

TEST_CASE("K2 the queue takes as many as it may, and enqueue takes a slot if one is free", "[K2]") {
  Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 2}};
  using Core = decltype(bulkhead.core);
  std::vector<Core::Waiter> waiters(4);
  CHECK_FALSE(bulkhead.core.is_queue_full());
  CHECK(bulkhead.core.enqueue(waiters[0]) == Core::Place::slot);
  CHECK_FALSE(bulkhead.core.is_queue_full());
  CHECK(bulkhead.core.enqueue(waiters[1]) == Core::Place::queue);
  CHECK(bulkhead.core.enqueue(waiters[2]) == Core::Place::queue);
  CHECK(bulkhead.core.is_queue_full());
  CHECK(bulkhead.core.enqueue(waiters[3]) == Core::Place::none);
  CHECK_FALSE(bulkhead.core.settle(waiters[1]));
  CHECK_FALSE(bulkhead.core.is_queue_full());
  bulkhead.core.give_back();
  CHECK(waiters[2].wake.stop_requested());
  CHECK_FALSE(waiters[1].wake.stop_requested());
  CHECK(bulkhead.core.settle(waiters[2]));
  CHECK_FALSE(bulkhead.core.is_idle());
  bulkhead.core.give_back();
  CHECK(bulkhead.core.is_idle());
}

TEST_CASE("K3 whichever place in the queue a call leaves, the others keep theirs", "[K3]") {
  for (std::size_t leaver = 0; leaver < 3; ++leaver) {
    Counted<> bulkhead{{.max_concurrent = 1, .max_waiting = 3}};
    using Core = decltype(bulkhead.core);
    CHECK(bulkhead.core.try_take());
    std::vector<Core::Waiter> waiters(3);
    for (Core::Waiter& waiter : waiters) CHECK(bulkhead.core.enqueue(waiter) == Core::Place::queue);
    CHECK_FALSE(bulkhead.core.settle(waiters[leaver]));
    for (std::size_t next = 0; next < 3; ++next) {
      if (next == leaver) continue;
      CHECK_FALSE(waiters[next].wake.stop_requested());
      bulkhead.core.give_back();
      CHECK(waiters[next].wake.stop_requested());
      CHECK(bulkhead.core.settle(waiters[next]));
    }
    bulkhead.core.give_back();
    CHECK(bulkhead.core.is_idle());
  }
}

TEST_CASE("K1 a bulkhead is idle if no slot is taken and nobody waits", "[K1]") {
  Bulkhead bulkhead{"b", {}, test::FakeClock{}};
  CHECK(detail::BulkheadAccess::is_idle(bulkhead));
  Permit permit = bulkhead.try_acquire();
  CHECK_FALSE(detail::BulkheadAccess::is_idle(bulkhead));
  permit.success();
  CHECK(detail::BulkheadAccess::is_idle(bulkhead));
}
