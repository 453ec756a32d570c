#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;
using support::start_waiting;

namespace {

constexpr BulkheadConfig queued{.max_concurrent = 1, .max_waiting = 3, .max_wait = 10s};

/// What a call of execute ended in.
enum class End { none, called, full, cancelled };

/// A call of execute that waits on a thread of its own, with the options given.
class WaitingCall {
 public:
  template <class... Options>
  explicit WaitingCall(FakeBulkhead& bulkhead, Options... options)
      : thread_{start_waiting(bulkhead, [this, &bulkhead, options...] { run(bulkhead, options...); })} {}

  [[nodiscard]] End end() {
    thread_.join();
    return end_;
  }

 private:
  template <class... Options>
  void run(FakeBulkhead& bulkhead, const Options&... options) {
    try {
      bulkhead.execute([] {}, options...);
      end_ = End::called;
    } catch (const BulkheadFullError&) {
      end_ = End::full;
    } catch (const CancelledError&) {
      end_ = End::cancelled;
    }
  }

  End end_ = End::none;
  std::jthread thread_;
};

/// A clock whose sleep throws.
struct BrokenClock : test::FakeClock {
  bool sleep_for(std::chrono::nanoseconds /*duration*/, StopToken /*token*/) const {
    throw std::runtime_error{"no sleep"};
  }
};

/// A clock that hands the slot of `held` on, or stops `stop`, in the middle of the sleep, and then says that
/// it slept to the end, or that it did not.
struct MeddlingClock : test::FakeClock {
  struct Plan {
    Permit held;
    std::stop_source stop;
    bool stops = false;
    bool says_to_the_end = false;
    std::chrono::nanoseconds asked{};
    StopToken token;
    std::chrono::nanoseconds passes{};
  };
  std::shared_ptr<Plan> plan = std::make_shared<Plan>();

  bool sleep_for(std::chrono::nanoseconds duration, StopToken token) const {
    plan->asked = duration;
    plan->token = token;
    advance(plan->passes);
    if (plan->stops) plan->stop.request_stop();
    plan->held = {};
    return plan->says_to_the_end;
  }
};

}  // namespace

TEST_CASE("K2 a freed slot goes to the longest waiter", "[K2]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::vector<int> order;  // written by the one that holds the slot
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(start_waiting(bulkhead, [&, i] { bulkhead.execute([&] { order.push_back(i); }); }));
  }
  CHECK(bulkhead.stats().waiting == 3);
  held.success();
  threads.clear();
  CHECK(order == std::vector{0, 1, 2});
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().waiting == 0);
}

TEST_CASE("K2 nobody overtakes: a slot that was handed over is in use", "[K2]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::atomic<bool> may_end{false};
  std::jthread waiter = start_waiting(bulkhead, [&] { bulkhead.execute([&] { may_end.wait(false); }); });
  held.success();
  CHECK_FALSE(bulkhead.try_acquire());
  CHECK(bulkhead.stats().in_use == 1);
  may_end = true;
  may_end.notify_all();
  waiter.join();
  CHECK(bulkhead.try_acquire());
}

TEST_CASE("K2 a call that finds the queue full, or may not wait, is rejected at once", "[K2]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  WaitingCall waiting{bulkhead};
  CHECK_FALSE(bulkhead.acquire());
  CHECK_THROWS_AS(bulkhead.execute([] {}), BulkheadFullError);
  CHECK(bulkhead.stats().waiting == 1);
  CHECK(bulkhead.stats().rejected == 2);
  held.success();
  CHECK(waiting.end() == End::called);

  FakeBulkhead impatient{"b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 0s}};
  const Permit taken = impatient.try_acquire();
  CHECK_FALSE(impatient.acquire());
  CHECK(impatient.clock().sleeps().empty());

  FakeBulkhead late{"b", queued};
  const Permit other = late.try_acquire();
  CHECK_FALSE(late.acquire(Deadline::after(0s, late.clock())));
  CHECK_THROWS_AS(late.execute([] {}, Deadline::after(0s, late.clock())), BulkheadFullError);
  CHECK(late.clock().sleeps().empty());
}

TEST_CASE("K2 try_acquire never waits", "[K2]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  const Permit held = bulkhead.try_acquire();
  CHECK_FALSE(bulkhead.try_acquire());
  CHECK(bulkhead.stats().rejected == 1);
}

TEST_CASE("K3 a call that leaves the middle of the queue does not get a slot, those around it do",
          "[K3][K2]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::stop_source stop;
  WaitingCall first{bulkhead};
  WaitingCall second{bulkhead, stop.get_token()};
  WaitingCall third{bulkhead};
  stop.request_stop();
  CHECK(second.end() == End::cancelled);
  CHECK(bulkhead.stats().waiting == 2);
  held.success();
  CHECK(first.end() == End::called);
  CHECK(third.end() == End::called);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().admitted == 3);
}

TEST_CASE("K3 a slot that is handed over while the wait ends otherwise is taken", "[K3]") {
  for (const bool to_the_end : {false, true}) {
    MeddlingClock clock;
    Bulkhead bulkhead{"b", queued, clock};
    clock.plan->held = bulkhead.try_acquire();
    clock.plan->stops = true;
    clock.plan->says_to_the_end = to_the_end;
    int in_use = 0;
    bulkhead.execute([&] { in_use = bulkhead.stats().in_use; }, clock.plan->stop.get_token());
    CHECK(in_use == 1);
    CHECK(bulkhead.stats().in_use == 0);
    CHECK(bulkhead.stats().waiting == 0);
    CHECK(bulkhead.stats().rejected == 0);
  }
}

TEST_CASE("K3 a call whose sleep throws leaves the queue", "[K3]") {
  Bulkhead bulkhead{"b", queued, BrokenClock{}};
  Permit held = bulkhead.try_acquire();
  CHECK_THROWS_WITH(bulkhead.acquire(), "no sleep");
  CHECK_THROWS_WITH(bulkhead.execute([] {}), "no sleep");
  CHECK(bulkhead.stats().waiting == 0);
  held.success();
  CHECK(bulkhead.try_acquire());
}

TEST_CASE("K4 a wait is one sleep of the bulkhead's clock, with a token of its own", "[K4]") {
  MeddlingClock clock;
  Bulkhead bulkhead{"b", queued, clock};
  clock.plan->held = bulkhead.try_acquire();
  CHECK(bulkhead.acquire(clock.plan->stop.get_token()));
  CHECK(clock.plan->asked == 10s);
  CHECK(clock.plan->token.stop_requested());
  CHECK_FALSE(clock.plan->stop.stop_requested());
}

TEST_CASE("K4 a call waits for the shorter of max_wait and what its deadline leaves", "[K4]") {
  FakeBulkhead bulkhead{"b", queued};
  const test::FakeClock& clock = bulkhead.clock();
  const Permit held = bulkhead.try_acquire();
  CHECK_FALSE(bulkhead.acquire());
  CHECK_FALSE(bulkhead.acquire(Deadline::after(4s, clock)));
  CHECK_FALSE(bulkhead.acquire(Deadline::after(40s, clock)));
  CHECK_THROWS_AS(bulkhead.execute([] {}, Deadline::after(3s, clock)), BulkheadFullError);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{10s, 4s, 10s, 3s});
}

TEST_CASE("K4 a deadline of another clock is moved to the bulkhead's", "[K4]") {
  FakeBulkhead bulkhead{"b", queued};
  test::FakeClock other;
  other.advance(1000h);
  const Permit held = bulkhead.try_acquire();
  CHECK_FALSE(bulkhead.acquire(Deadline::after(4s, other)));
  CHECK(bulkhead.clock().sleeps() == std::vector<std::chrono::nanoseconds>{4s});
}

TEST_CASE("K6 a higher limit lets waiting calls in at once, in their order", "[K6][K2]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::atomic<bool> may_end{false};
  const auto hold = [&] { bulkhead.execute([&] { may_end.wait(false); }); };
  std::jthread first = start_waiting(bulkhead, hold);
  std::jthread second = start_waiting(bulkhead, hold);
  std::jthread third = start_waiting(bulkhead, hold);
  bulkhead.set_limit(3);
  CHECK(bulkhead.stats().in_use == 3);
  CHECK(bulkhead.stats().waiting == 1);
  CHECK_FALSE(bulkhead.try_acquire());
  bulkhead.set_limit(10);
  CHECK(bulkhead.stats().in_use == 4);
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.try_acquire());
  may_end = true;
  may_end.notify_all();
}

TEST_CASE("K6 a lower limit hands no slot over while more are in use", "[K6]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 3, .max_waiting = 1}, test::FakeClock::manual()};
  Permit first = bulkhead.try_acquire();
  Permit second = bulkhead.try_acquire();
  Permit third = bulkhead.try_acquire();
  WaitingCall waiting{bulkhead};
  bulkhead.set_limit(1);
  first.success();
  second.success();
  CHECK(bulkhead.stats().waiting == 1);
  CHECK(bulkhead.stats().in_use == 1);
  third.success();
  CHECK(waiting.end() == End::called);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K8 a wait that max_wait or the deadline ends is a rejection", "[K8]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  const Permit held = bulkhead.try_acquire();
  WaitingCall by_max_wait{bulkhead};
  WaitingCall by_deadline{bulkhead, Deadline::after(4s, bulkhead.clock())};
  bulkhead.clock().advance(4s);
  CHECK(by_deadline.end() == End::full);
  CHECK(bulkhead.stats().waiting == 1);
  bulkhead.clock().advance(6s);
  CHECK(by_max_wait.end() == End::full);
  CHECK(bulkhead.stats().rejected == 2);
}

TEST_CASE("K8 a wait that the token ends is a cancellation, which is not counted", "[K8]") {
  FakeBulkhead bulkhead{"b", queued, test::FakeClock::manual()};
  const Permit held = bulkhead.try_acquire();
  std::stop_source stop;
  WaitingCall call{bulkhead, stop.get_token()};
  bulkhead.clock().advance(1s);
  stop.request_stop();
  CHECK(call.end() == End::cancelled);
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.stats().admitted == 1);
  CHECK(bulkhead.stats().rejected == 0);
}

TEST_CASE("K8 the error of a cancelled wait has the time of the bulkhead's clock", "[K8]") {
  MeddlingClock clock;
  Bulkhead bulkhead{"b", queued, clock};
  const Permit held = bulkhead.try_acquire();
  clock.plan->stops = true;
  clock.plan->passes = 5s;
  try {
    bulkhead.execute([] {}, clock.plan->stop.get_token());
    FAIL("not cancelled");
  } catch (const CancelledError& error) {
    CHECK(std::string{error.what()} == "cancelled while waiting for the bulkhead");
    CHECK(error.timestamp() == clock.wall_now());
  }
}

TEST_CASE("K8 an acquire that is cancelled gives an empty permit", "[K8][K9]") {
  MeddlingClock clock;
  Bulkhead bulkhead{"b", queued, clock};
  const Permit held = bulkhead.try_acquire();
  clock.plan->stops = true;
  const Permit cancelled = bulkhead.acquire(clock.plan->stop.get_token(), Deadline::never());
  CHECK_FALSE(cancelled);
  CHECK(cancelled.rejection().reason() == PolicyErrc::bulkhead_full);
  CHECK(bulkhead.stats().rejected == 0);
}

TEST_CASE("K8 a token that is stopped once the deadline has passed makes it a rejection", "[K8]") {
  MeddlingClock clock;
  Bulkhead bulkhead{"b", queued, clock};
  const Permit held = bulkhead.try_acquire();
  clock.plan->stops = true;
  clock.plan->passes = 4s;
  CHECK_THROWS_AS(bulkhead.execute([] {}, Deadline::after(4s, clock), clock.plan->stop.get_token()),
                  BulkheadFullError);
  CHECK(bulkhead.stats().rejected == 1);
}

TEST_CASE("K8 a sleep that ended by itself is a rejection, also if the token was stopped meanwhile", "[K8]") {
  MeddlingClock clock;
  Bulkhead bulkhead{"b", queued, clock};
  const Permit held = bulkhead.try_acquire();
  clock.plan->stops = true;
  clock.plan->says_to_the_end = true;
  CHECK_THROWS_AS(bulkhead.execute([] {}, clock.plan->stop.get_token()), BulkheadFullError);
}
