#include <fusebox/detail/flow/fallback.hpp>

#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using detail::FallbackPolicy;
using detail::FallsBack;
using detail::Verdict;

namespace {

using Context = detail::FlowContext<detail::Takes::nothing, false>;

/// What the frame of a policy makes of a verdict.
template <class Policy, class Slot>
Verdict end(Policy& policy, Slot& slot, Verdict verdict) {
  detail::NoSide side;
  typename detail::Layer<Policy>::template Frame<Context> frame{policy, detail::plain_call, side};
  CHECK(frame.enter(slot.base()) == Verdict::success);
  CHECK(&frame.call() == &detail::plain_call);
  const bool again = frame.again(verdict, slot);
  CHECK_FALSE(again);
  return verdict;
}

struct Slots {
  detail::SlotBase failure;
  detail::Slot<int, int> slot{failure};
};

}  // namespace

TEST_CASE("P5 which verdicts get a fallback", "[P5]") {
  int calls = 0;
  const auto answer = [&calls] { return ++calls; };
  FallbackPolicy<decltype(answer)> all{answer};
  FallbackPolicy<decltype(answer), FallsBack::when_rejected> rejected{answer};
  for (const auto verdict : {Verdict::success, Verdict::late, Verdict::cancelled, Verdict::config_error}) {
    Slots slots;
    slots.slot.make([] { return 7; });
    CHECK(end(all, slots.slot, verdict) == verdict);
    CHECK(end(rejected, slots.slot, verdict) == verdict);
  }
  CHECK(calls == 0);
  Slots slots;
  slots.failure.fail(Failure{support::unavailable()});
  CHECK(end(rejected, slots.slot, Verdict::failure) == Verdict::failure);
  CHECK(end(all, slots.slot, Verdict::failure) == Verdict::success);
  CHECK(end(rejected, slots.slot, Verdict::rejected) == Verdict::success);
  CHECK(calls == 2);
  CHECK(slots.slot.take() == 2);
}

TEST_CASE("P11 what a fallback throws replaces the failure, unless nobody is outside", "[P11]") {
  const auto broken = []() -> int { throw CancelledError{}; };
  FallbackPolicy<decltype(broken)> judged{broken};
  Slots slots;
  slots.failure.fail(Failure{support::unavailable()});
  CHECK(end(judged, slots.slot, Verdict::failure) == Verdict::cancelled);
  CHECK(slots.failure.failure().is_cancellation());
  FallbackPolicy<decltype(broken), FallsBack::when_failed, true> passing{broken};
  CHECK_THROWS_AS(end(passing, slots.slot, Verdict::failure), CancelledError);
}
