// Fibers that are destroyed while they are suspended inside op or inside a callback: Boost unwinds their
// stacks by an exception that must reach the bottom (F4, B14).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <boost/context/fiber.hpp>
#include <boost/coroutine2/coroutine.hpp>

#include <functional>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/changes.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Changes;
using support::Counts;
using support::counts_of;

namespace {

/// Runs body(suspend) on a fiber until it suspends, and destroys the fiber. True if its stack was unwound.
using Body = std::function<void(const std::function<void()>&)>;

struct Unwound {
  bool& flag;
  ~Unwound() { flag = true; }
};

bool unwinds_context(const Body& body) {
  bool is_unwound = false;
  bool has_ended = false;
  {
    boost::context::fiber fiber{[&](boost::context::fiber&& resumer) {
      const Unwound unwound{is_unwound};
      body([&] { resumer = std::move(resumer).resume(); });
      has_ended = true;
      return std::move(resumer);
    }};
    fiber = std::move(fiber).resume();
  }
  return is_unwound && !has_ended;
}

bool unwinds_coroutine(const Body& body) {
  using Coroutine = boost::coroutines2::coroutine<void>;
  bool is_unwound = false;
  bool has_ended = false;
  {
    const Coroutine::pull_type coroutine{[&](Coroutine::push_type& yield) {
      const Unwound unwound{is_unwound};
      body([&] { yield(); });
      has_ended = true;
    }};
  }
  return is_unwound && !has_ended;
}

constexpr bool (*all_kinds[])(const Body&) = {unwinds_context, unwinds_coroutine};

constexpr CircuitBreakerConfig opens_at_once{
    .failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s};

}  // namespace

TEST_CASE("F4 a fiber that is destroyed inside op is ignored, and has no fallback", "[F4]") {
  for (const auto unwinds : all_kinds) {
    Breaker breaker{"b", opens_at_once, {}};
    int fallbacks = 0;
    CHECK(unwinds([&](const auto& suspend) { breaker.execute(suspend); }));
    CHECK(unwinds([&](const auto& suspend) { breaker.execute(suspend, [&] { ++fallbacks; }); }));
    CHECK(unwinds(
        [&](const auto& suspend) { breaker.execute(suspend, [&](const Failure&) { ++fallbacks; }); }));
    CHECK(fallbacks == 0);
    CHECK(breaker.state() == State::closed);
    CHECK(counts_of(breaker) == Counts{0, 0, 3});
  }
}

TEST_CASE("F4 a fiber that is destroyed inside the op of a probe frees its slot", "[F4]") {
  for (const auto unwinds : all_kinds) {
    Breaker breaker{"b", opens_at_once, {}};
    support::trip_and_wait(breaker);
    CHECK(unwinds([&](const auto& suspend) { breaker.execute(suspend); }));
    CHECK(unwinds([&](const auto& suspend) {
      const Permit permit = breaker.try_acquire();
      suspend();
    }));
    CHECK(breaker.state() == State::half_open);
    CHECK(counts_of(breaker) == Counts{0, 1, 2});
    CHECK(support::admits(breaker));
  }
}

TEST_CASE("F4 a fiber that is destroyed inside a retry makes no further call and runs no hook", "[F4]") {
  for (const auto unwinds : all_kinds) {
    Breaker breaker{"b", {}, {}};
    const test::FakeClock clock;
    int calls = 0;
    int hooks = 0;
    const auto op = [&](const auto& suspend) {
      return [&] {
        if (++calls % 2 == 0) suspend();
        throw TimeoutError{};
      };
    };
    const auto retry = [&](auto attempt) {
      (void)try_retry_with_backoff(attempt, clock, retry_if([](const Failure&) { return true; }),
                                   on_retry([&](int, const Failure&, auto) { ++hooks; }),
                                   on_give_up([&](const RetryStats&) { ++hooks; }));
    };
    CHECK(unwinds([&](const auto& suspend) { retry(op(suspend)); }));
    CHECK(calls == 2);
    CHECK(unwinds([&](const auto& suspend) { retry([&] { breaker.execute(op(suspend)); }); }));
    CHECK(calls == 4);
    CHECK(hooks == 2);
    CHECK(counts_of(breaker) == Counts{0, 1, 1});
  }
}

TEST_CASE("B14 a fiber that is destroyed inside a callback leaves the breaker usable", "[B14]") {
  for (const auto unwinds : all_kinds) {
    for (const bool by_call : {false, true}) {
      Breaker breaker{"b", opens_at_once, {}};
      Changes changes;
      const std::function<void()>* suspends = nullptr;
      Subscription suspending = breaker.on_state_change([&](const StateChange&) {
        if (suspends != nullptr) (*std::exchange(suspends, nullptr))();
      });
      const Subscription recording = support::record(breaker, changes);
      CHECK(unwinds([&](const auto& suspend) {
        suspends = &suspend;
        if (by_call) {
          breaker.execute([] { throw 1; });
        } else {
          breaker.force_open();
        }
      }));
      CHECK(changes.size() == 1);
      breaker.reset();
      CHECK(changes.size() == 2);
      CHECK(support::is_chain(changes));
      suspending.unsubscribe();
    }
  }
}

TEST_CASE("B14 events that came while the callback was suspended are delivered when its fiber is destroyed",
          "[B14]") {
  Breaker breaker{"b", opens_at_once, {}};
  Changes changes;
  const std::function<void()>* suspends = nullptr;
  const Subscription suspending = breaker.on_state_change([&](const StateChange&) {
    if (suspends != nullptr) (*std::exchange(suspends, nullptr))();
  });
  const Subscription recording = support::record(breaker, changes);
  {
    boost::context::fiber fiber{[&](boost::context::fiber&& resumer) {
      const std::function<void()> suspend = [&] { resumer = std::move(resumer).resume(); };
      suspends = &suspend;
      breaker.force_open();
      return std::move(resumer);
    }};
    fiber = std::move(fiber).resume();
    breaker.disable();
    breaker.reset();
    CHECK(changes.empty());
  }
  CHECK(changes.size() == 3);
  CHECK(support::is_chain(changes));
}
