#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {
/// Lets others in, once, when it is asked for the wall time: a transition is decided then, but not made.
struct InterruptedClock {
  test::FakeClock fake;
  std::shared_ptr<std::function<void()>> interrupt = std::make_shared<std::function<void()>>();

  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return fake.now(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto others = std::exchange(*interrupt, nullptr)) others();
    return fake.wall_now();
  }
  bool sleep_for(std::chrono::nanoseconds duration, const StopToken& token = {}) const {
    return fake.sleep_for(duration, token);
  }
};

/// The same, when it is asked for the steady time.
struct SteadilyInterruptedClock : InterruptedClock {
  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    if (const auto others = std::exchange(*interrupt, nullptr)) others();
    return fake.now();
  }
};

/// A breaker whose next change is overtaken by what `meanwhile` is given.
struct Overtaken {
  explicit Overtaken(const CircuitBreakerConfig& config) : breaker{"b", config, clock} {}

  template <class F>
  void meanwhile(F others) {
    *clock.interrupt = others;
  }
  void become_due() {
    support::fail(breaker);
    clock.fake.advance(60s);
  }
  [[nodiscard]] bool was_overtaken() const { return *clock.interrupt == nullptr; }

  InterruptedClock clock;
  CircuitBreaker<InterruptedClock> breaker;
  std::vector<StateChangeReason> reasons;
  Subscription subscription =
      breaker.on_state_change([this](const StateChange& change) { reasons.push_back(change.reason); });
};
}  // namespace

TEST_CASE("B4 a failure that finds the breaker opened by another failure opens nothing", "[B4]") {
  Overtaken test{{.failure_threshold = 1}};
  Permit first = test.breaker.try_acquire();
  Permit second = test.breaker.try_acquire();
  test.meanwhile([&] {
    second.failure();
    test.clock.fake.advance(20s);
  });
  first.failure();
  REQUIRE(test.was_overtaken());
  const CircuitBreakerStats stats = test.breaker.stats();
  CHECK(stats.state == State::open);
  CHECK(stats.opened_count == 1);
  CHECK(stats.failure_count == 2);
  CHECK(stats.retry_after == 40s);
  CHECK(test.reasons == std::vector{StateChangeReason::failure_threshold});
}

TEST_CASE("B2 B4 a failure whose run was ended meanwhile does not open", "[B2][B4]") {
  Overtaken test{{.failure_threshold = 2}};
  test.breaker.try_acquire().failure();
  Permit permit = test.breaker.try_acquire();
  test.meanwhile([&] { test.breaker.try_acquire().success(); });
  permit.failure();
  REQUIRE(test.was_overtaken());
  CHECK(test.breaker.state() == State::closed);
  CHECK(test.breaker.stats().consecutive_failures == 1);
  CHECK(test.breaker.stats().opened_count == 0);
}

TEST_CASE("B6 a failure that would open but is overtaken by reset() opens nothing in the new generation",
          "[B6]") {
  Overtaken test{
      {.failure_threshold = 0,
       .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = last_calls(2)}}};
  test.breaker.try_acquire().failure();
  Permit permit = test.breaker.try_acquire();
  test.meanwhile([&] { test.breaker.reset(); });
  permit.failure();
  REQUIRE(test.was_overtaken());
  CHECK(test.breaker.state() == State::closed);
  CHECK(test.breaker.stats().opened_count == 0);
  CHECK(test.breaker.stats().consecutive_failures == 0);
  CHECK(test.reasons.empty());
}

TEST_CASE("B4 a call that is due but finds the slot taken is rejected", "[B4]") {
  Overtaken test{{.failure_threshold = 1}};
  test.become_due();
  Permit first;
  test.meanwhile([&] { first = test.breaker.try_acquire(); });
  CHECK_FALSE(test.breaker.try_acquire());
  REQUIRE(test.was_overtaken());
  CHECK(first);
  CHECK(test.breaker.stats().rejected_count == 1);
  CHECK(test.reasons.size() == 2);
}

TEST_CASE("B4 a call that is not due but finds another state is treated by that state", "[B4]") {
  const SteadilyInterruptedClock clock;
  CircuitBreaker<SteadilyInterruptedClock> breaker{
      "b", {.failure_threshold = 1, .reset_timeout = 500ms}, clock};
  breaker.try_acquire().failure();
  SECTION("closed: admitted") {
    *clock.interrupt = [&] { breaker.reset(); };
    CHECK(breaker.try_acquire());
    CHECK(breaker.stats().rejected_count == 0);
  }
  SECTION("forced open: rejected, without a known wait") {
    *clock.interrupt = [&] { breaker.force_open(); };
    CHECK_THROWS_AS(breaker.execute([] {}), CircuitOpenError);
    CHECK(breaker.stats().rejected_count == 1);
  }
  REQUIRE(*clock.interrupt == nullptr);
}

TEST_CASE("B4 a call that is due but finds another state is treated by that state", "[B4]") {
  Overtaken test{{.failure_threshold = 1, .success_threshold = 1}};
  test.become_due();
  SECTION("closed by a probe: an ordinary call") {
    test.meanwhile([&] { test.breaker.try_acquire().success(); });
    Permit permit = test.breaker.try_acquire();
    CHECK(permit);
    CHECK(test.breaker.state() == State::closed);
    permit.failure();
    CHECK(test.reasons.back() == StateChangeReason::failure_threshold);
  }
  SECTION("opened again by a probe: rejected for the whole wait") {
    test.meanwhile([&] { test.breaker.try_acquire().failure(); });
    CHECK_FALSE(test.breaker.try_acquire());
    CHECK(test.breaker.state() == State::open);
    CHECK(test.breaker.retry_after() == 60s);
    CHECK(test.breaker.stats().opened_count == 2);
  }
  SECTION("forced open: rejected") {
    test.meanwhile([&] { test.breaker.force_open(); });
    CHECK_FALSE(test.breaker.try_acquire());
    CHECK(test.breaker.state() == State::forced_open);
  }
  SECTION("disabled: admitted") {
    test.meanwhile([&] { test.breaker.disable(); });
    CHECK(test.breaker.try_acquire());
    CHECK(test.breaker.state() == State::disabled);
  }
  CHECK(test.was_overtaken());
}

TEST_CASE("B6 a probe's report whose generation was ended meanwhile counts and moves nothing", "[B6]") {
  Overtaken test{{.failure_threshold = 1, .success_threshold = 1, .half_open_max_calls = 2}};
  test.become_due();
  Permit first = test.breaker.try_acquire();
  Permit second = test.breaker.try_acquire();
  SECTION("by a probe that failed") {
    test.meanwhile([&] { second.failure(); });
    first.success();
    CHECK(test.breaker.state() == State::open);
    CHECK(test.breaker.stats().success_count == 1);
    CHECK(test.breaker.stats().failure_count == 2);
    CHECK(test.breaker.stats().opened_count == 2);
  }
  SECTION("by a probe that succeeded") {
    test.meanwhile([&] { second.success(); });
    first.failure();
    CHECK(test.breaker.state() == State::closed);
    CHECK(test.breaker.stats().failure_count == 2);
    CHECK(test.breaker.stats().consecutive_failures == 0);
    CHECK(test.breaker.stats().opened_count == 1);
  }
  SECTION("by reset(), after which it does not count at all") {
    test.meanwhile([&] { test.breaker.reset(); });
    first.failure();
    CHECK(test.breaker.state() == State::closed);
    CHECK(test.breaker.stats().failure_count == 0);
  }
  CHECK(test.was_overtaken());
  second.ignore();
}

TEST_CASE("B14 a change by hand that somebody made meanwhile causes no second event", "[B14]") {
  Overtaken test{{}};
  test.meanwhile([&] { test.breaker.force_open(); });
  test.breaker.force_open();
  REQUIRE(test.was_overtaken());
  CHECK(test.reasons == std::vector{StateChangeReason::forced});
}

TEST_CASE("B13 retry_after in stats() is never longer than the wait, even if the breaker opens meanwhile",
          "[B13]") {
  const InterruptedClock clock;
  CircuitBreaker<InterruptedClock> breaker{"b", {.failure_threshold = 1}, clock};
  *clock.interrupt = [&] {
    clock.fake.advance(5s);
    breaker.try_acquire().failure();
  };
  const CircuitBreakerStats stats = breaker.stats();
  REQUIRE(stats.state == State::open);
  CHECK(stats.retry_after == 60s);
}
