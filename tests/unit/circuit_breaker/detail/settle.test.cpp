#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <system_error>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::bring_to;
using support::fail;
using support::succeed;
using support::trip;
using support::trip_and_wait;

namespace {

constexpr Outcome all_outcomes[] = {Outcome::success, Outcome::failure, Outcome::ignored};

/// Opens at the second failure and closes at the second success.
struct LateReports {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 2, .reset_timeout = 10s}, clock};
};

}  // namespace

TEST_CASE_METHOD(LateReports, "B6 a late failure while open does not extend the wait", "[B6]") {
  Permit late = breaker.try_acquire();
  trip(breaker);
  clock.advance(9s);
  late.failure();
  CHECK(breaker.retry_after() == 1s);
  CHECK(breaker.stats().failure_count == 3);
  CHECK(breaker.stats().opened_count == 1);
  CHECK(breaker.stats().consecutive_failures == 2);
  clock.advance(1s);
  CHECK(breaker.try_acquire());
}

TEST_CASE_METHOD(LateReports, "B6 a late success while open does not close", "[B6]") {
  Permit late = breaker.try_acquire();
  trip(breaker);
  late.success();
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().consecutive_failures == 2);
}

TEST_CASE_METHOD(LateReports, "B6 late reports in half-open are no reports of probes", "[B6]") {
  Permit late[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire(),
                   breaker.try_acquire()};
  trip_and_wait(breaker);
  const Permit probe = breaker.try_acquire();
  late[0].success();
  late[1].success();
  late[2].failure();
  late[3].failure();
  late[4].ignore();
  CHECK(breaker.state() == State::half_open);
  CHECK_FALSE(breaker.try_acquire());
  CHECK(support::counts_of(breaker) == support::Counts{2, 4, 1});
}

TEST_CASE_METHOD(LateReports, "B6 late reports in a later closed generation neither lengthen nor end its run",
                 "[B6]") {
  Permit late_failure = breaker.try_acquire();
  Permit late_success = breaker.try_acquire();
  trip_and_wait(breaker);
  succeed(breaker);
  succeed(breaker);
  REQUIRE(breaker.state() == State::closed);
  fail(breaker);
  late_failure.failure();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().consecutive_failures == 1);
  late_success.success();
  CHECK(breaker.stats().consecutive_failures == 1);
  fail(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B6 a late probe neither moves the next half-open generation nor frees a slot of it", "[B6]") {
  for (const Outcome outcome : all_outcomes) {
    CAPTURE(to_string(outcome));
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .half_open_max_calls = 2}};
    trip_and_wait(breaker);
    Permit late = breaker.try_acquire();
    fail(breaker);
    breaker.clock().advance(breaker.retry_after());
    const Permit probes[] = {breaker.try_acquire(), breaker.try_acquire()};
    REQUIRE(probes[1]);
    late.report(outcome);
    CHECK(breaker.state() == State::half_open);
    CHECK_FALSE(breaker.try_acquire());
  }
}

TEST_CASE("B6 late reports move neither a forced-open nor a disabled breaker, but count", "[B6]") {
  for (const State state : {State::forced_open, State::disabled}) {
    CAPTURE(to_string(state));
    Breaker breaker{"b", {.failure_threshold = 2}};
    Permit late[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire()};
    bring_to(breaker, state);
    late[0].success();
    late[1].failure();
    late[2].failure();
    CHECK(breaker.state() == state);
    CHECK(support::counts_of(breaker) == support::Counts{1, 2, 0});
    CHECK(breaker.stats().consecutive_failures == 0);
  }
}

TEST_CASE("B6 a late slow call is counted as slow", "[B6]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .slow_calls = SlowCalls{.slower_than = 1s}}, clock};
  Permit late = breaker.try_acquire();
  trip(breaker);
  clock.advance(1s + 1ns);
  late.success();
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().slow_count == 1);
}

TEST_CASE("B6 a report from before reset() does not count at all", "[B6]") {
  for (const State state : {State::closed, State::half_open, State::disabled}) {
    for (const Outcome outcome : all_outcomes) {
      CAPTURE(to_string(state), to_string(outcome));
      Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
      bring_to(breaker, state);
      Permit late = breaker.try_acquire();
      REQUIRE(late);
      breaker.reset();
      late.report(outcome);
      CHECK(breaker.state() == State::closed);
      CHECK(support::counts_of(breaker) == support::Counts{});
      CHECK(breaker.stats().consecutive_failures == 0);
      CHECK_FALSE(breaker.stats().last_success_time);
      CHECK_FALSE(breaker.stats().last_failure_time);
    }
  }
}

TEST_CASE("B6 a report from before reset() does not count in later generations either", "[B6]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  Permit before[] = {breaker.try_acquire(), breaker.try_acquire(), breaker.try_acquire()};
  breaker.reset();
  Permit after = breaker.try_acquire();
  trip(breaker);
  before[0].failure();
  after.failure();
  CHECK(breaker.stats().failure_count == 2);
  breaker.clock().advance(breaker.retry_after());
  Permit probe = breaker.try_acquire();
  before[1].success();
  CHECK(breaker.state() == State::half_open);
  probe.success();
  before[2].success();
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("N2 a failure that is no more than a code makes a Failure only if it opens", "[N2][B18]") {
  int made = 0;
  detail::with_failure(std::make_error_code(std::errc::io_error), [&](const Failure* failure) {
    ++made;
    CHECK(failure->code() == std::errc::io_error);
  });
  CHECK(made == 1);
  detail::with_failure(static_cast<const Failure*>(nullptr),
                       [](const Failure* failure) { CHECK(failure == nullptr); });
}
