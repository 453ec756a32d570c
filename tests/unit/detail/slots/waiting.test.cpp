#include <fusebox/detail/slots/waiting.hpp>

#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;
using Wait = detail::SlotWait<detail::BulkheadCore<test::FakeClock>::Slots>;
using Stage = Wait::Stage;

namespace {

struct Fixture {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s}};
  detail::BulkheadCore<test::FakeClock>& core = detail::BulkheadAccess::core(bulkhead);
  Permit held = bulkhead.try_acquire();
  std::stop_source stop;
  StopToken token = stop.get_token();
  Wait::Queued wait;

  Stage begin(const Deadline& deadline = {}) {
    return Wait::begin(core, Priority::normal, deadline, &token, wait);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "K4 a wait that has begun says how long, and with which token", "[K4]") {
  REQUIRE(begin(Deadline::after(3s, bulkhead.clock())) == Stage::queued);
  CHECK(wait->wait_time() == 3s);
  CHECK_FALSE(wait->wait_token().stop_requested());
  CHECK(bulkhead.stats().waiting == 1);
  held.success();
  CHECK(wait->wait_token().stop_requested());
  CHECK(wait->finish(false) == Stage::admitted);
  CHECK(bulkhead.stats().in_use == 1);
  core.give_back();
}

TEST_CASE_METHOD(Fixture, "K3 a wait that is abandoned leaves the queue", "[K3]") {
  REQUIRE(begin() == Stage::queued);
  wait.reset();
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.stats().in_use == 1);
  held.success();
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K3 a wait that is abandoned with a slot gives it back", "[K3]") {
  REQUIRE(begin() == Stage::queued);
  held.success();
  CHECK(bulkhead.stats().in_use == 1);
  wait.reset();
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.try_acquire());
}

TEST_CASE_METHOD(Fixture, "K3 a wait that has ended holds nothing", "[K3]") {
  REQUIRE(begin() == Stage::queued);
  held.success();
  REQUIRE(wait->finish(false) == Stage::admitted);
  wait.reset();
  CHECK(bulkhead.stats().in_use == 1);
  core.give_back();
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K2 a call that finds a slot after all takes it", "[K2]") {
  held.success();
  CHECK(begin() == Stage::admitted);
  CHECK(bulkhead.stats().in_use == 1);
  wait.reset();
  CHECK(bulkhead.stats().in_use == 1);
  core.give_back();
}

TEST_CASE_METHOD(Fixture, "K2 a call that may not wait is rejected before it is queued", "[K2]") {
  CHECK(begin(Deadline::after(0s, bulkhead.clock())) == Stage::rejected);
  CHECK_FALSE(wait);
  REQUIRE(begin() == Stage::queued);
  Wait::Queued other;
  CHECK(Wait::begin(core, Priority::normal, {}, nullptr, other) == Stage::rejected);
  CHECK_FALSE(other);
  CHECK(bulkhead.stats().rejected == 2);
}

TEST_CASE_METHOD(Fixture, "K8 a stop ends the wait, unless the deadline has passed before it", "[K8]") {
  REQUIRE(begin(Deadline::after(3s, bulkhead.clock())) == Stage::queued);
  bulkhead.clock().advance(2s);
  stop.request_stop();
  CHECK(wait->wait_token().stop_requested());
  bulkhead.clock().advance(2s);  // the stop came first
  CHECK(wait->finish(false) == Stage::cancelled);
  CHECK(bulkhead.stats().rejected == 0);

  Fixture late;
  REQUIRE(late.begin(Deadline::after(3s, late.bulkhead.clock())) == Stage::queued);
  late.bulkhead.clock().advance(3s);
  late.stop.request_stop();
  CHECK(late.wait->wait_token().stop_requested());
  CHECK(late.wait->finish(false) == Stage::rejected);
  CHECK(late.bulkhead.stats().rejected == 1);
}

TEST_CASE_METHOD(Fixture, "K8 a token that is stopped between the look and the wait ends the wait", "[K8]") {
  stop.request_stop();
  REQUIRE(begin() == Stage::queued);
  CHECK(wait->wait_token().stop_requested());
  CHECK_FALSE(wait->sleep());
  CHECK(wait->finish(false) == Stage::cancelled);
}

TEST_CASE_METHOD(Fixture, "A7 a wait that ended early, though nobody stopped it, was cancelled", "[A7]") {
  REQUIRE(begin() == Stage::queued);
  CHECK(wait->finish(false) == Stage::cancelled);
  CHECK(bulkhead.stats().rejected == 0);
}

TEST_CASE_METHOD(Fixture, "P18 a displaced call is woken, and rejected however its wait is said to end",
                 "[P18][K8]") {
  for (const bool to_its_end : {false, true}) {
    for (const bool is_stopped : {false, true}) {
      CAPTURE(to_its_end, is_stopped);
      Fixture fresh;
      REQUIRE(fresh.begin() == Stage::queued);
      Wait::Queued critical;
      REQUIRE(Wait::begin(fresh.core, Priority::critical, {}, nullptr, critical) == Stage::queued);
      CHECK(fresh.wait->wait_token().stop_requested());
      CHECK_FALSE(critical->wait_token().stop_requested());
      if (is_stopped) fresh.stop.request_stop();
      CHECK(fresh.bulkhead.stats().rejected == 1);
      CHECK(fresh.wait->finish(to_its_end) == Stage::rejected);
      CHECK(fresh.bulkhead.stats().rejected == 1);
      CHECK(fresh.bulkhead.stats().shed == 1);
      CHECK(fresh.bulkhead.stats().waiting == 1);
      fresh.held.success();
      CHECK(critical->finish(false) == Stage::admitted);
      fresh.core.give_back();
    }
  }
}

TEST_CASE_METHOD(Fixture, "P18 a displaced call that is abandoned takes nothing with it", "[P18][K3]") {
  REQUIRE(begin() == Stage::queued);
  Wait::Queued critical;
  REQUIRE(Wait::begin(core, Priority::critical, {}, nullptr, critical) == Stage::queued);
  wait.reset();
  CHECK(bulkhead.stats().in_use == 1);
  CHECK(bulkhead.stats().waiting == 1);
  held.success();
  CHECK(critical->finish(false) == Stage::admitted);
  core.give_back();
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K3 P18 a call that has its slot is displaced no more", "[K3][P18]") {
  REQUIRE(begin() == Stage::queued);
  held.success();
  Wait::Queued first;
  Wait::Queued second;
  REQUIRE(Wait::begin(core, Priority::critical, {}, nullptr, first) == Stage::queued);
  CHECK(Wait::begin(core, Priority::critical, {}, nullptr, second) == Stage::rejected);
  CHECK(wait->finish(true) == Stage::admitted);
  CHECK(bulkhead.stats().shed == 0);
  core.give_back();
}

TEST_CASE_METHOD(Fixture, "P18 a call that may not wait displaces nobody", "[P18][K2]") {
  REQUIRE(begin() == Stage::queued);
  Wait::Queued critical;
  const auto passed = Deadline::after(0s, bulkhead.clock());
  CHECK(Wait::begin(core, Priority::critical, passed, nullptr, critical) == Stage::rejected);
  CHECK_FALSE(wait->wait_token().stop_requested());
  CHECK(bulkhead.stats().waiting == 1);
  CHECK(bulkhead.stats().shed == 0);
}

TEST_CASE("P19 a call that may not wait takes a slot that a waiting call must leave free", "[P19]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 2, .max_waiting = 1, .headroom = 0.3}};
  auto& core = detail::BulkheadAccess::core(bulkhead);
  const Permit held = bulkhead.try_acquire();
  Wait::Queued normal;
  Wait::Queued critical;
  REQUIRE(Wait::begin(core, Priority::normal, {}, nullptr, normal) == Stage::queued);
  const auto passed = Deadline::after(0s, bulkhead.clock());
  CHECK(Wait::begin(core, Priority::critical, passed, nullptr, critical) == Stage::admitted);
  CHECK(bulkhead.stats().in_use == 2);
  CHECK(bulkhead.stats().waiting == 1);
  core.give_back();
}
