// Priorities of the calls of a bulkhead: who waits first, who is shed, and what headroom keeps free.
#include <fusebox/bulkhead.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/bulkhead.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::BulkheadEvents;
using support::FakeBulkhead;
using support::record;
using support::run_together;
using support::start_waiting;

namespace {

constexpr Priority priorities[] = {Priority::background, Priority::sheddable, Priority::normal,
                                   Priority::critical};

struct Fixture {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 2}, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();

  /// A call that waits on a thread of its own; `ended` becomes what execute() left.
  [[nodiscard]] std::jthread wait(std::error_code& ended, Priority priority) {
    return start_waiting(bulkhead, [this, &ended, priority] {
      ended = bulkhead.execute([] { return std::error_code{}; }, priority);
    });
  }
};

}  // namespace

TEST_CASE("K2 the slot goes to the highest priority, and to the longest waiter within one", "[K2][P18]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 8}, test::FakeClock::manual()};
  Permit held = bulkhead.try_acquire();
  std::vector<std::string> order;
  std::vector<std::jthread> threads;
  for (const char* const turn : {" first", " second"}) {
    for (const Priority priority : priorities) {
      const auto op = [&order, who = std::string{to_string(priority)} + turn] { order.push_back(who); };
      threads.push_back(
          start_waiting(bulkhead, [&bulkhead, op, priority] { bulkhead.execute(op, priority); }));
    }
  }
  held.success();
  threads.clear();
  CHECK(order == std::vector<std::string>{"critical first", "critical second", "normal first",
                                          "normal second", "sheddable first", "sheddable second",
                                          "background first", "background second"});
}

TEST_CASE_METHOD(Fixture, "P18 a full queue sheds the youngest call of the lowest priority", "[P18][K11]") {
  std::error_code older;
  std::error_code younger;
  std::error_code critical;
  std::jthread first = wait(older, Priority::sheddable);
  std::jthread second = wait(younger, Priority::sheddable);
  std::jthread third{
      [&] { critical = bulkhead.execute([] { return std::error_code{}; }, Priority::critical); }};
  second.join();  // no time has passed
  CHECK(younger == PolicyErrc::bulkhead_full);
  CHECK(bulkhead.stats().rejected == 1);
  CHECK(bulkhead.stats().shed == 1);
  CHECK(bulkhead.stats().waiting == 2);
  held.success();
  first.join();
  third.join();
  CHECK_FALSE(older);
  CHECK_FALSE(critical);
  CHECK(bulkhead.stats().admitted == 3);
  CHECK(bulkhead.stats().rejected == 1);
}

TEST_CASE_METHOD(Fixture, "P18 a call that is lowest itself is rejected", "[P18]") {
  std::error_code normal;
  std::error_code critical;
  std::jthread first = wait(normal, Priority::normal);
  std::jthread second = wait(critical, Priority::critical);
  for (const Priority priority : {Priority::normal, Priority::sheddable, Priority::background}) {
    CHECK_THROWS_AS(bulkhead.execute([] {}, priority), BulkheadFullError);
    CHECK_FALSE(bulkhead.acquire(priority));
  }
  CHECK(bulkhead.stats().shed == 0);
  CHECK(bulkhead.stats().rejected == 6);
  CHECK(bulkhead.stats().waiting == 2);
  held.success();
  first.join();
  second.join();
  CHECK_FALSE(normal);
  CHECK_FALSE(critical);
}

TEST_CASE_METHOD(Fixture, "P18 without a queue a full bulkhead rejects calls of every priority", "[P18]") {
  FakeBulkhead full{"full", {.max_concurrent = 1}};
  const Permit permit = full.try_acquire(Priority::background);
  REQUIRE(permit);
  for (const Priority priority : priorities) {
    CHECK_FALSE(full.try_acquire(priority));
    CHECK_THROWS_AS(full.execute([] {}, priority), BulkheadFullError);
  }
}

TEST_CASE_METHOD(Fixture, "P18 a displaced acquire is a refusal", "[P18][K9]") {
  Permit low;
  Permit other;
  Permit high;
  std::jthread first = start_waiting(bulkhead, [&] { low = bulkhead.acquire(Priority::background); });
  std::jthread second = start_waiting(bulkhead, [&] { other = bulkhead.acquire(); });
  std::jthread third{[&] { high = bulkhead.acquire(std::stop_token{}, Priority::normal, Deadline{}); }};
  first.join();
  CHECK_FALSE(low);
  CHECK(low.rejection().what() == std::string{"bulkhead 'b' is full"});
  held.success();
  second.join();
  CHECK(other);
  other.success();
  third.join();
  CHECK(high);
  CHECK(bulkhead.stats().shed == 1);
}

TEST_CASE("P18 a displaced call that is driven by hand is woken by its token, and then rejected", "[P18]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}};
  const auto pipeline = compose(bulkhead);
  Permit held = bulkhead.try_acquire();
  auto low = pipeline.start<int>(Priority::background);
  REQUIRE(low.next().kind == Step::Kind::wait);
  int woken = 0;
  const std::stop_callback listens{low.wait_token(), [&woken] { ++woken; }};
  auto high = pipeline.start<int>();
  REQUIRE(high.next().kind == Step::Kind::wait);
  CHECK(woken == 1);
  CHECK(low.next().kind == Step::Kind::wait);  // until its loop says that the wait is over
  low.waited(false);
  REQUIRE(low.next().kind == Step::Kind::done);
  CHECK_THROWS_AS(low.result(), BulkheadFullError);

  held.success();
  high.waited(false);
  REQUIRE(high.next().kind == Step::Kind::call);
  high.report(7);
  REQUIRE(high.next().kind == Step::Kind::done);
  CHECK(high.result() == 7);
}

TEST_CASE("P18 K10 a displaced call is no event of its own", "[P18][K10]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}};
  BulkheadEvents events;
  Permit held = bulkhead.try_acquire();
  const auto pipeline = compose(bulkhead);
  auto low = pipeline.start<int>(Priority::background);
  REQUIRE(low.next().kind == Step::Kind::wait);
  const Subscription subscription = record(bulkhead, events);
  auto high = pipeline.start<int>();
  REQUIRE(high.next().kind == Step::Kind::wait);
  REQUIRE(events.size() == 1);  // that nobody has heard of yet
  CHECK(events[0].kind == BulkheadEventKind::saturated);
}

TEST_CASE("P19 headroom keeps slots for more important calls", "[P19]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 10, .headroom = 0.1}};
  std::vector<Permit> permits;
  for (const Priority priority : priorities) {
    CAPTURE(to_string(priority));
    while (Permit permit = bulkhead.try_acquire(priority)) permits.push_back(std::move(permit));
    CHECK_THROWS_AS(bulkhead.execute([] {}, priority), BulkheadFullError);
    CHECK(permits.size() == 10 - static_cast<std::size_t>(priority));
  }
  permits.pop_back();
  CHECK_FALSE(bulkhead.try_acquire());
  CHECK(bulkhead.execute([] { return 1; }, Priority::critical) == 1);
  permits.pop_back();
  CHECK_FALSE(bulkhead.try_acquire(Priority::sheddable));
  CHECK(bulkhead.execute([] { return 1; }) == 1);
}

TEST_CASE("P19 K6 set_limit moves what headroom keeps free", "[P19][K6]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .headroom = 0.3}};
  bulkhead.set_limit(10);
  std::vector<Permit> permits;
  while (Permit permit = bulkhead.try_acquire(Priority::background)) permits.push_back(std::move(permit));
  CHECK(permits.size() == 1);
  while (Permit permit = bulkhead.try_acquire(Priority::normal)) permits.push_back(std::move(permit));
  CHECK(permits.size() == 7);
  bulkhead.set_limit(11);
  CHECK_FALSE(bulkhead.try_acquire());
  bulkhead.set_limit(12);
  CHECK(bulkhead.try_acquire());
}

TEST_CASE("P19 K10 free is what a call of any priority may take", "[P19][K10]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 3, .headroom = 0.3}};
  BulkheadEvents events;
  const Subscription subscription = record(bulkhead, events);
  Permit first = bulkhead.try_acquire();
  CHECK(events.empty());
  CHECK_FALSE(bulkhead.try_acquire(Priority::sheddable));
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == BulkheadEventKind::saturated);
  Permit second = bulkhead.try_acquire();
  second.success();
  CHECK(events.size() == 1);
  first.success();
  REQUIRE(events.size() == 2);
  CHECK(events[1].kind == BulkheadEventKind::free);
}

TEST_CASE("P19 explain says what headroom keeps free", "[P19][P16]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 10, .headroom = 0.1}};
  CHECK(
      explain(compose(bulkhead)).find("each step of priority below critical leaves 10 % of the slots free") !=
      std::string::npos);
  FakeBulkhead without{"b", {.max_concurrent = 10}};
  CHECK(explain(compose(without)).find("priority") == std::string::npos);
}

TEST_CASE("P18 K9 a shared bulkhead gives permits by priority", "[P18][K9]") {
  const auto bulkhead =
      std::make_shared<FakeBulkhead>("b", BulkheadConfig{.max_concurrent = 2, .headroom = 0.3});
  const Permit first = try_acquire(bulkhead);
  CHECK(first);
  CHECK_FALSE(try_acquire(bulkhead));
  CHECK(try_acquire(bulkhead, Priority::critical));
}

TEST_CASE("K3 P18 a call whose slot comes while another takes its place has one outcome", "[K3][P18]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, test::FakeClock::manual()};
  for (int round = 0; round < 200; ++round) {
    Permit held = bulkhead.try_acquire();
    REQUIRE(held);
    Permit low;
    bool has_run = false;
    std::jthread waiting = start_waiting(bulkhead, [&] { low = bulkhead.acquire(Priority::background); });
    const BulkheadStats before = bulkhead.stats();
    std::jthread critical;
    run_together(2, [&](int i) {
      if (i == 0) held.success();
      if (i == 1)
        critical = std::jthread{[&] { bulkhead.execute([&] { has_run = true; }, Priority::critical); }};
    });
    waiting.join();
    const bool was_granted = bool{low};
    low = {};  // the critical call gets the slot, if it waits for it
    critical.join();
    REQUIRE(has_run);
    REQUIRE(bulkhead.stats().shed - before.shed == (was_granted ? 0U : 1U));
    REQUIRE(bulkhead.stats().admitted - before.admitted == (was_granted ? 2U : 1U));
    REQUIRE(bulkhead.stats().in_use == 0);
    REQUIRE(bulkhead.stats().waiting == 0);
  }
}

TEST_CASE("K2 K6 while a new limit lets calls in, an equal one does not overtake, and a higher one may",
          "[K2][K6][P18]") {
  for (const Priority priority : priorities) {
    CAPTURE(to_string(priority));
    FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 3}};
    const auto pipeline = compose(bulkhead);
    const Permit held = bulkhead.try_acquire();
    auto first = pipeline.start<int>();
    auto second = pipeline.start<int>();
    REQUIRE(first.next().kind == Step::Kind::wait);
    REQUIRE(second.next().kind == Step::Kind::wait);
    auto between = pipeline.start<int>(priority);
    const std::stop_callback listens{first.wait_token(), [&] { static_cast<void>(between.next()); }};
    bulkhead.set_limit(3);
    CHECK((between.next().kind == Step::Kind::call) == (priority == Priority::critical));
    CHECK(second.wait_token().stop_requested() == (priority != Priority::critical));
    CHECK(bulkhead.stats().in_use == 3);
  }
}

TEST_CASE("P19 K2 try_acquire passes a waiting call of lower priority, and no other", "[P19][K2]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 10, .max_waiting = 1, .headroom = 0.1}};
  const auto pipeline = compose(bulkhead);
  std::vector<Permit> permits;
  for (int i = 0; i < 8; ++i) permits.push_back(bulkhead.try_acquire());
  auto waiting = pipeline.start<int>(Priority::sheddable);
  REQUIRE(waiting.next().kind == Step::Kind::wait);
  CHECK_FALSE(bulkhead.try_acquire(Priority::background));
  CHECK_FALSE(bulkhead.try_acquire(Priority::sheddable));
  const Permit normal = bulkhead.try_acquire();
  CHECK(normal);
  CHECK(bulkhead.execute([] { return 1; }, Priority::critical) == 1);
  CHECK_FALSE(waiting.wait_token().stop_requested());
}
