#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/flow/resumable.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::Todo;
using detail::Verdict;
using fusebox::test::FakeClock;
using support::Breaker;
using support::Counts;
using support::counts_of;

namespace {

/// A retry in a breaker.
struct Bench {
  using Retry = decltype(retry(RetryConfig{}, FakeClock{}));
  using Slot = detail::Slot<int, int>;

  FakeClock clock;
  Breaker breaker{"b", {}, clock};
  detail::PartTuple<Breaker&, Retry> parts{
      breaker, retry(RetryConfig{.max_retries = 1, .jitter = Jitter::none}, clock)};
  detail::SlotBase failure;
  Slot slot{failure};
  std::optional<std::string> key;
  Call root = [this] {
    Call call = detail::CallAccess::make();
    detail::CallAccess::set_key(call, key);
    return call;
  }();
  using Flow = detail::StepwiseFlow<detail::Takes::call, detail::Driver::loop, Slot, Breaker&, Retry>;
};

}  // namespace

TEST_CASE("P1 the resumable driver: in, call, wait, call, out", "[P1]") {
  Bench bench;
  {
    Bench::Flow flow{bench.parts, bench.slot, bench.root};
    CHECK_FALSE(flow.expects_report());
    REQUIRE(flow.next() == Todo::call);
    CHECK(flow.expects_report());
    CHECK_FALSE(flow.waits());
    CHECK(flow.call().attempt() == 1);
    bench.failure.fail(Failure{support::unavailable()});
    flow.report(Verdict::failure);
    CHECK_FALSE(flow.expects_report());
    REQUIRE(flow.next() == Todo::wait);
    CHECK(flow.waits());
    CHECK(flow.wait_time() == 1s);
    CHECK_FALSE(flow.wait_token().stop_possible());
    flow.waited(true);
    CHECK_FALSE(bench.failure.has_failure());
    REQUIRE(flow.next() == Todo::call);
    CHECK(flow.call().attempt() == 2);
    bench.slot.make([] { return 7; });
    flow.report(Verdict::success);
    REQUIRE(flow.next() == Todo::done);
    CHECK(flow.verdict() == Verdict::success);
  }
  CHECK(bench.slot.take() == 7);
  CHECK(counts_of(bench.breaker) == Counts{1, 0, 0});
}

TEST_CASE("P11 the resumable driver destroys the frames that are left", "[P11]") {
  Bench bench;
  {
    Bench::Flow flow{bench.parts, bench.slot, bench.root};
    REQUIRE(flow.next() == Todo::call);
  }
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 1});
  {
    const Bench::Flow never_begun{bench.parts, bench.slot, bench.root};
  }
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 1});
}

TEST_CASE("P8 a call that ends before its first step builds no frame", "[P8]") {
  Bench bench;
  Bench::Flow flow{bench.parts, bench.slot, bench.root};
  flow.end(Verdict::cancelled);
  CHECK(flow.next() == Todo::done);
  CHECK(flow.verdict() == Verdict::cancelled);
  CHECK(counts_of(bench.breaker) == Counts{});
}

TEST_CASE("P9 a refusal on the way in ends the call there", "[P9]") {
  Bench bench;
  bench.breaker.force_open();
  Bench::Flow flow{bench.parts, bench.slot, bench.root};
  CHECK(flow.next() == Todo::done);
  CHECK(flow.verdict() == Verdict::rejected);
  CHECK(bench.failure.is_refusal());
}
