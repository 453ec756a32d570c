// Threads and fibers that end inside a call.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include "catch.hpp"
#include "support/boost_unwinding.hpp"
#include "support/breaker_states.hpp"
#include "support/forced_unwinding.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;

#if FUSEBOX_DETAIL_CXXABI
TEMPLATE_TEST_CASE(
    "F4 the exception that unwinds a fiber of Boost passes through breakers: ignored, no fallback", "[F4]",
    boost::context::detail::forced_unwind, boost::coroutines::detail::forced_unwind) {
  Breaker breaker{"b", {.failure_threshold = 1}, test::FakeClock{}};
  int fallbacks = 0;
  const auto op = []() -> int { throw TestType{}; };
  CHECK_THROWS_AS(breaker.execute(op), TestType);
  CHECK_THROWS_AS(breaker.execute(op, [&] { return ++fallbacks; }), TestType);
  CHECK_THROWS_AS(breaker.execute(op, [&](const Failure&) { return ++fallbacks; }, {.timeout = 1s}),
                  TestType);
  CHECK_THROWS_AS(breaker.execute([] { return 1; }, failure_if([](int) -> bool { throw TestType{}; })),
                  TestType);
  CHECK(fallbacks == 0);
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{0, 0, 4});
  support::trip_and_wait(breaker);
  CHECK_THROWS_AS(breaker.execute(op), TestType);
  CHECK(breaker.state() == State::half_open);
  CHECK(support::admits(breaker));
}

TEMPLATE_TEST_CASE("F4 the exception that unwinds a fiber of Boost ends a retry: no further call, no hook",
                   "[F4]", boost::context::detail::forced_unwind, boost::coroutines::detail::forced_unwind) {
  for (const int last : {1, 2}) {
    const test::FakeClock clock;
    int calls = 0;
    int retried = 0;
    int given_up = 0;
    const auto op = [&] {
      if (++calls < last) throw TimeoutError{};
      throw TestType{};
    };
    CHECK_THROWS_AS(try_retry_with_backoff(op, clock, retry_if([](const Failure&) { return true; }),
                                           on_retry([&](int, const Failure&, auto) { ++retried; }),
                                           on_give_up([&](const RetryStats&) { ++given_up; })),
                    TestType);
    CHECK(calls == last);
    CHECK(retried == last - 1);
    CHECK(given_up == 0);
  }
}

TEMPLATE_TEST_CASE("F4 B14 the exception that unwinds a fiber of Boost passes through callbacks", "[F4][B14]",
                   boost::context::detail::forced_unwind, boost::coroutines::detail::forced_unwind) {
  Breaker breaker{"b", {.failure_threshold = 1}, test::FakeClock{}};
  int heard = 0;
  const Subscription first = breaker.on_state_change([&](const StateChange&) {
    if (++heard == 1) throw TestType{};
  });
  const Subscription second = breaker.on_state_change([&](const StateChange&) { ++heard; });
  CHECK_THROWS_AS(breaker.execute([] { throw 1; }, [&] { heard = 0; }), TestType);
  CHECK(breaker.state() == State::open);
  CHECK(heard == 2);
  breaker.reset();
  CHECK(heard == 4);
}
#endif

#if HAS_FORCED_UNWINDING
using support::all_ends;
using support::end_by_exit;
using support::returns;

TEST_CASE("F4 forced unwinding through a breaker is a cancellation: ignored, and no fallback", "[F4]") {
  for (const auto end : all_ends) {
    Breaker breaker{"b", {.failure_threshold = 1}, test::FakeClock{}};
    int fallbacks = 0;
    const auto op = [&] {
      end();
      return 1;
    };
    CHECK_FALSE(returns([&] { breaker.execute(op); }));
    CHECK_FALSE(returns([&] { breaker.execute(op, [&] { return ++fallbacks; }); }));
    CHECK_FALSE(returns([&] { breaker.execute(op, [&](const Failure&) { return ++fallbacks; }); }));
    CHECK_FALSE(returns([&] { breaker.execute([&] { end(); }, [&] { ++fallbacks; }, {.timeout = 1s}); }));
    CHECK(fallbacks == 0);
    CHECK(breaker.state() == State::closed);
    CHECK(counts_of(breaker) == Counts{0, 0, 4});
  }
}

TEST_CASE("F4 forced unwinding through a probe gives its slot back", "[F4]") {
  for (const auto end : all_ends) {
    const test::FakeClock clock;
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}, clock};
    support::trip_and_wait(breaker);
    for (int i = 0; i < 3; ++i) {
      CHECK_FALSE(returns([&] { breaker.execute([&] { end(); }); }));
      CHECK(breaker.state() == State::half_open);
    }
    CHECK(breaker.stats().ignored_count == 3);
    CHECK(breaker.stats().rejected_count == 0);
    CHECK(breaker.stats().opened_count == 1);
    breaker.execute([] {});
    CHECK(breaker.state() == State::closed);
  }
}

TEST_CASE("F4 forced unwinding through a Permit's scope gives the slot back", "[F4]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}, test::FakeClock{}};
  support::trip_and_wait(breaker);
  CHECK_FALSE(returns([&] {
    const Permit permit = breaker.try_acquire();
    end_by_exit();
  }));
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(support::admits(breaker));
}

TEST_CASE("F4 forced unwinding from a fallback, from failure_if and from an outer call goes on", "[F4]") {
  Breaker breaker{"b", {.failure_threshold = 0}, test::FakeClock{}};
  const auto failing = []() -> int { throw TimeoutError{}; };
  CHECK_FALSE(returns([&] {
    breaker.execute(failing, [] {
      end_by_exit();
      return 1;
    });
  }));
  CHECK(breaker.stats().failure_count == 1);

  const auto ending = failure_if([](int) {
    end_by_exit();
    return true;
  });
  CHECK_FALSE(returns([&] { breaker.execute([] { return 1; }, ending); }));
  CHECK(breaker.stats().ignored_count == 1);

  Breaker outer{"outer", {}, test::FakeClock{}};
  CHECK_FALSE(returns([&] { outer.execute([&] { breaker.execute(end_by_exit); }); }));
  CHECK(outer.stats().ignored_count == 1);
  CHECK(breaker.stats().ignored_count == 2);
}

TEST_CASE("F4 forced unwinding through a retry ends it: no further call, no wait, no hook", "[F4]") {
  for (const auto end : all_ends) {
    const test::FakeClock clock;
    int calls = 0;
    int hooks = 0;
    const auto retry = [&](auto op) {
      (void)try_retry_with_backoff(op, clock, on_retry([&](int, const Failure&, auto) { ++hooks; }),
                                   on_give_up([&](const RetryStats&) { ++hooks; }),
                                   retry_if([](const Failure&) { return true; }));
    };
    const auto op = [&] {
      ++calls;
      end();
      return 1;
    };
    CHECK_FALSE(returns([&] { retry(op); }));
    CHECK(calls == 1);
    CHECK_FALSE(returns([&] {
      retry([&](const Attempt&) {
        ++calls;
        end();
      });
    }));
    CHECK(calls == 2);
    CHECK(hooks == 0);
    CHECK(clock.sleeps().empty());
  }
}

TEST_CASE("F4 forced unwinding at the second attempt, and through a breaker inside a retry, ends both",
          "[F4]") {
  const test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  int calls = 0;
  const auto op = [&] {
    if (++calls == 2) end_by_exit();
    throw TimeoutError{};
  };
  CHECK_FALSE(returns([&] { retry_with_backoff([&] { breaker.execute(op); }, clock); }));
  CHECK(calls == 2);
  CHECK(clock.sleeps().size() == 1);
  CHECK(breaker.stats().failure_count == 1);
  CHECK(breaker.stats().ignored_count == 1);
}

#else
TEST_CASE("F4 no thread ends by unwinding its stack here", "[F4]") { SUCCEED(); }
#endif
