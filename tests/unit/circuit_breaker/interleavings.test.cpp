#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {
/// Calls `after_store` after every store to an atomic, and `before_exchange`, once, before a
/// compare-exchange: a thread that comes in between two of them.
struct SteppingSync {
  static inline std::function<void()> after_store;
  static inline std::function<void()> before_exchange;

  template <class T>
  class Atomic : public std::atomic<T> {
   public:
    using std::atomic<T>::atomic;
    void store(T value, std::memory_order order) {
      std::atomic<T>::store(value, order);
      if (const auto step = std::exchange(after_store, nullptr)) {
        step();
        after_store = step;
      }
    }
    bool compare_exchange_strong(T& seen, T value, std::memory_order stored, std::memory_order failed) {
      if (const auto step = std::exchange(before_exchange, nullptr)) step();
      return std::atomic<T>::compare_exchange_strong(seen, value, stored, failed);
    }
  };
  using Mutex = std::mutex;
};
using SteppingCore = detail::BreakerCore<test::FakeClock, SteppingSync>;

/// Runs f, with `step` between any two of its stores.
template <class F, class Step>
void run_stepwise(F f, Step step) {
  SteppingSync::after_store = step;
  f();
  SteppingSync::after_store = nullptr;
}

/// A clock that lets others in when it is asked for the wall's time.
struct InterruptedClock {
  test::FakeClock fake;
  std::shared_ptr<std::function<void()>> interrupt = std::make_shared<std::function<void()>>();

  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return fake.now(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto others = std::exchange(*interrupt, nullptr)) others();
    return fake.wall_now();
  }
  bool sleep_for(std::chrono::nanoseconds duration, const detail::StopToken& token = {}) const {
    return fake.sleep_for(duration, token);
  }
};

/// The same, when it is asked for the time.
struct SteadilyInterruptedClock : InterruptedClock {
  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    if (const auto others = std::exchange(*interrupt, nullptr)) others();
    return fake.now();
  }
};

/// A breaker whose next change, decided but not yet made, is overtaken by what `meanwhile` is given.
struct Overtaken {
  explicit Overtaken(const CircuitBreakerConfig& config) : breaker{"b", config, clock} {}

  template <class F>
  void meanwhile(F others) {
    *clock.interrupt = others;
  }
  void become_due() {
    breaker.try_acquire().failure();
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

TEST_CASE("B4 a failure that finds the breaker opened by another opens nothing") {
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

TEST_CASE("B2 B4 a failure whose run was ended meanwhile does not open") {
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

TEST_CASE("B2 a failure whose run was ended and begun anew meanwhile is of the new run") {
  const InterruptedClock clock;
  detail::BreakerCore<InterruptedClock, SteppingSync> core{"b", {.failure_threshold = 2}, clock};
  const auto report = [&](Outcome outcome) { core.settle(core.admit(false), outcome); };
  report(Outcome::failure);
  *clock.interrupt = [&] {
    report(Outcome::success);
    SteppingSync::before_exchange = [&] { report(Outcome::failure); };
  };
  report(Outcome::failure);
  REQUIRE_FALSE(SteppingSync::before_exchange);
  const CircuitBreakerStats stats = core.stats();
  CHECK(stats.failure_count == 3);
  CHECK(stats.consecutive_failures == 2);
  CHECK(stats.state == State::open);
}

TEST_CASE("B6 a failure that would open, overtaken by reset(), opens nothing in the new period") {
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

TEST_CASE("B4 a call that is due but finds the probe's slot taken is rejected") {
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

TEST_CASE("B4 a call that is not due but finds another state goes by that") {
  const SteadilyInterruptedClock clock;
  CircuitBreaker<SteadilyInterruptedClock> breaker{
      "b", {.failure_threshold = 1, .reset_timeout = 500ms}, clock};
  breaker.try_acquire().failure();
  SECTION("closed: admitted") {
    *clock.interrupt = [&] { breaker.reset(); };
    CHECK(breaker.try_acquire());
    CHECK(breaker.stats().rejected_count == 0);
  }
  SECTION("forced open: rejected, and nobody can say for how long") {
    *clock.interrupt = [&] { breaker.force_open(); };
    CHECK_THROWS_AS(breaker.execute([] {}), CircuitOpenError);
    CHECK(breaker.stats().rejected_count == 1);
  }
  REQUIRE(*clock.interrupt == nullptr);
}

TEST_CASE("B4 a call that is due but finds another state goes by that") {
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

TEST_CASE("B6 a probe's report whose period was ended meanwhile counts and moves nothing") {
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

TEST_CASE("B14 a change by hand that was made meanwhile is no second event") {
  Overtaken test{{}};
  test.meanwhile([&] { test.breaker.force_open(); });
  test.breaker.force_open();
  REQUIRE(test.was_overtaken());
  CHECK(test.reasons == std::vector{StateChangeReason::forced});
}

TEST_CASE("B13 a failure that comes amid reset() is on one side in all that is counted") {
  SteppingCore core{"b", {.failure_threshold = 1000}, {}};
  core.settle(core.admit(false), Outcome::failure);
  int steps = 0;
  run_stepwise([&] { core.reset(); },
               [&] {
                 ++steps;
                 core.settle(core.admit(false), Outcome::failure);
               });
  REQUIRE(steps > 1);
  const CircuitBreakerStats stats = core.stats();
  CHECK(stats.failure_count >= 1);
  CHECK(stats.consecutive_failures >= 1);
  CHECK(stats.consecutive_failures <= static_cast<int>(stats.failure_count));
  CHECK(stats.last_failure_time.has_value());
}

TEST_CASE("B13 retry_after in stats() is never longer than the wait, though the breaker opens meanwhile") {
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

TEST_CASE("section 8: no reader sees an open state with an old due time") {
  const test::FakeClock clock;
  SteppingCore core{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_backoff = 2.0}, clock};
  std::chrono::nanoseconds wait = 60s;
  int seen_open = 0;
  int wrong = 0;
  const auto look = [&] {
    if (core.state() != State::open) return;
    ++seen_open;
    if (core.retry_after() != wait) ++wrong;
    if (!core.admit(false).is_rejected()) ++wrong;
  };
  run_stepwise([&] { core.settle(core.admit(false), Outcome::failure); }, look);
  REQUIRE(seen_open > 0);
  for (const auto next : {120s, 240s}) {
    clock.advance(wait);
    const detail::Ticket probe = core.admit(false);
    REQUIRE(probe.is_probe());
    wait = next;
    const int before = seen_open;
    run_stepwise([&] { core.settle(probe, Outcome::failure); }, look);
    REQUIRE(seen_open > before);
  }
  CHECK(wrong == 0);
}
