#include <fusebox/bulkhead/detail/layer.hpp>

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

using Layer = detail::Layer<FakeBulkhead>;
using Frame = Layer::Frame<detail::FlowContext<detail::Takes::nothing, false>>;

struct Fixture {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s}};
  std::stop_source stop;
  StopToken token = stop.get_token();
  Call call = call_with(token);
  detail::NoSide side;
  detail::SlotBase slot;
  std::optional<Frame> outer;
  std::optional<Frame> inner;

  static Call call_with(const StopToken& token) {
    Call call = detail::CallAccess::make();
    detail::CallAccess::set_token(call, token);
    return call;
  }
  static Frame& make(std::optional<Frame>& frame, Fixture& fixture) {
    return frame.emplace(fixture.bulkhead, fixture.call, fixture.side);
  }
  Fixture() {
    make(outer, *this);
    make(inner, *this);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() = default;
};

}  // namespace

TEST_CASE("K5 the layer of a bulkhead has its clock, waits, and tells no late success from another", "[K5]") {
  STATIC_REQUIRE(Layer::is_layer);
  STATIC_REQUIRE(std::is_same_v<Layer::Clock, test::FakeClock>);
  STATIC_REQUIRE_FALSE(Layer::watches_late);
  STATIC_REQUIRE(detail::Waits<Frame>);
}

TEST_CASE_METHOD(Fixture, "K5 a frame holds its slot from enter to again, whatever the verdict", "[K5]") {
  for (const Verdict left : {Verdict::success, Verdict::late, Verdict::failure, Verdict::cancelled}) {
    Frame& frame = make(outer, *this);
    REQUIRE(frame.enter(slot) == Verdict::success);
    CHECK(&frame.call() == &call);
    CHECK(bulkhead.stats().in_use == 1);
    Verdict verdict = left;
    CHECK_FALSE(frame.again(verdict, slot));
    CHECK(verdict == left);
    CHECK(bulkhead.stats().in_use == 0);
    outer.reset();
    CHECK(bulkhead.stats().in_use == 0);
  }
}

TEST_CASE_METHOD(Fixture, "K5 a frame that is destroyed before again gives its slot back", "[K5]") {
  REQUIRE(outer->enter(slot) == Verdict::success);
  outer.reset();
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K4 a frame that waits is woken by the slot", "[K4]") {
  REQUIRE(outer->enter(slot) == Verdict::success);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  CHECK(inner->wait_time() == 10s);
  CHECK_FALSE(inner->wait_token().stop_requested());
  Verdict verdict = Verdict::success;
  CHECK_FALSE(outer->again(verdict, slot));
  CHECK(inner->wait_token().stop_requested());
  CHECK(inner->waited(false, slot) == Verdict::success);
  CHECK(bulkhead.stats().in_use == 1);
  CHECK_FALSE(inner->again(verdict, slot));
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K8 a frame whose wait ends by the time is refused", "[K8]") {
  REQUIRE(outer->enter(slot) == Verdict::success);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  CHECK(inner->sleep());
  CHECK(inner->waited(true, slot) == Verdict::rejected);
  CHECK(slot.reason() == PolicyErrc::bulkhead_full);
  CHECK(slot.failure().is_rejection());
  CHECK_FALSE(slot.failure().retry_after());
  inner.reset();
  CHECK(bulkhead.stats().in_use == 1);
  CHECK(bulkhead.stats().rejected == 1);
}

TEST_CASE_METHOD(Fixture, "K8 a frame whose wait the token ends is cancelled", "[K8]") {
  REQUIRE(outer->enter(slot) == Verdict::success);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  stop.request_stop();
  CHECK_FALSE(inner->sleep());
  CHECK(inner->waited(false, slot) == Verdict::cancelled);
  CHECK(slot.is_own());
  CHECK(slot.reason() == PolicyErrc::cancelled);
  CHECK(bulkhead.stats().waiting == 0);
}

TEST_CASE_METHOD(Fixture, "K3 a frame that is destroyed while it waits leaves, with or without a slot",
                 "[K3]") {
  REQUIRE(outer->enter(slot) == Verdict::success);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  inner.reset();
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.stats().in_use == 1);

  make(inner, *this);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  outer.reset();
  CHECK(bulkhead.stats().in_use == 1);
  inner.reset();
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K5 a frame that got its slot by waiting gives it back if it is destroyed",
                 "[K5]") {
  REQUIRE(outer->enter(slot) == Verdict::success);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  outer.reset();
  REQUIRE(inner->waited(false, slot) == Verdict::success);
  CHECK(bulkhead.stats().in_use == 1);
  inner.reset();
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE_METHOD(Fixture, "K1 a frame that finds the queue full is refused", "[K1][K2]") {
  std::optional<Frame> third;
  REQUIRE(outer->enter(slot) == Verdict::success);
  REQUIRE(inner->enter(slot) == Verdict::waiting);
  CHECK(make(third, *this).enter(slot) == Verdict::rejected);
  CHECK(slot.failure().message() == "bulkhead 'b' is full");
}
