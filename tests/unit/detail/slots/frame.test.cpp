#include <fusebox/detail/slots/frame.hpp>

#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <stop_token>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::Verdict;
using support::FakeBulkhead;

namespace {

using Core = detail::BulkheadCore<test::FakeClock>::Slots;
using Frame = detail::SlotFrame<Core>;

Call call_of(Priority priority) {
  Call call = detail::CallAccess::make();
  detail::CallAccess::set_priority(call, priority);
  return call;
}

struct Fixture {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s}};
  Core& core = detail::BulkheadAccess::core(bulkhead);
  Call normal_call = call_of(Priority::normal);
  Call critical_call = call_of(Priority::critical);
  detail::SlotBase slot;
  Frame holder{core, normal_call};
  std::optional<Frame> normal{std::in_place, core, normal_call};
  Frame critical{core, critical_call};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "P18 the priority of the Call decides who waits", "[P18]") {
  REQUIRE(holder.enter(slot) == Verdict::success);
  REQUIRE(normal->enter(slot) == Verdict::waiting);
  CHECK_FALSE(normal->wait_token().stop_requested());
  REQUIRE(critical.enter(slot) == Verdict::waiting);
  CHECK(normal->wait_token().stop_requested());
  CHECK(normal->waited(false, slot) == Verdict::rejected);
  CHECK(slot.reason() == PolicyErrc::bulkhead_full);
  CHECK(slot.failure().message() == "bulkhead 'b' is full");

  Verdict verdict = Verdict::success;
  CHECK_FALSE(holder.again(verdict, slot));
  CHECK(critical.waited(false, slot) == Verdict::success);
  CHECK(bulkhead.stats().in_use == 1);
  CHECK_FALSE(critical.again(verdict, slot));
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "P18 a displaced frame that is destroyed gives nothing back", "[P18][K3]") {
  REQUIRE(holder.enter(slot) == Verdict::success);
  REQUIRE(normal->enter(slot) == Verdict::waiting);
  REQUIRE(critical.enter(slot) == Verdict::waiting);
  normal.reset();
  CHECK(bulkhead.stats().in_use == 1);
  CHECK(bulkhead.stats().waiting == 1);
}

TEST_CASE_METHOD(Fixture, "P18 a frame of equal priority is refused, and displaces nobody", "[P18]") {
  REQUIRE(holder.enter(slot) == Verdict::success);
  REQUIRE(normal->enter(slot) == Verdict::waiting);
  Frame other{core, normal_call};
  CHECK(other.enter(slot) == Verdict::rejected);
  CHECK_FALSE(normal->wait_token().stop_requested());
}
