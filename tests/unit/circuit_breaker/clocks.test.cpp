#include <fusebox/circuit_breaker.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <system_error>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::fail;
using support::succeed;
using test::FakeClock;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

namespace {

int throw_timeout() { throw std::system_error{NetworkErrc::timed_out}; }

/// Without coarse_now().
struct LeastClock {
  static SteadyTime now() { return {}; }
  static WallTime wall_now() { return {}; }
  static bool sleep_for(nanoseconds, const StopToken&) { return true; }
};

/// A clock whose three readings are set by hand, each by itself.
class HandClock {
 public:
  struct Readings {
    nanoseconds fine = 1h;
    nanoseconds coarse = 1000h;
    WallTime wall{100'000h};
  };

  [[nodiscard]] SteadyTime now() const { return SteadyTime{readings_->fine}; }
  [[nodiscard]] SteadyTime coarse_now() const { return SteadyTime{readings_->coarse}; }
  [[nodiscard]] WallTime wall_now() const { return readings_->wall; }
  static bool sleep_for(nanoseconds, const StopToken&) { return true; }

  void advance(nanoseconds duration) const {
    readings_->fine += duration;
    readings_->coarse += duration;
    readings_->wall += std::chrono::duration_cast<WallTime::duration>(duration);
  }
  [[nodiscard]] Readings& readings() const { return *readings_; }

 private:
  std::shared_ptr<Readings> readings_ = std::make_shared<Readings>();
};

HandClock hand_clock(nanoseconds fine, nanoseconds coarse) {
  HandClock clock;
  clock.readings().fine = fine;
  clock.readings().coarse = coarse;
  return clock;
}

/// Takes the place of the system's clocks and counts their readings.
class CountedSystem final : detail::ClockOverride {
 public:
  CountedSystem() : previous_{detail::clock_override.exchange(this)} {}
  CountedSystem(const CountedSystem&) = delete;
  CountedSystem& operator=(const CountedSystem&) = delete;
  ~CountedSystem() { detail::clock_override.store(previous_); }

  [[nodiscard]] int readings() const { return readings_; }

  [[nodiscard]] detail::SteadyTime now() const override { return ++readings_, detail::SteadyTime{}; }
  [[nodiscard]] detail::SteadyTime coarse_now() const override { return ++readings_, detail::SteadyTime{}; }
  [[nodiscard]] WallTime wall_now() const override { return ++readings_, WallTime{}; }
  bool sleep_for(nanoseconds, StopToken) const override { return ++readings_, true; }
  void arm(detail::TimerNode&, detail::SteadyTime) const override { ++readings_; }
  void disarm(detail::TimerNode&) const noexcept override { ++readings_; }

 private:
  mutable std::atomic<int> readings_{0};
  const detail::ClockOverride* previous_;
};

}  // namespace

TEST_CASE("T1 a clock without coarse_now() drives a breaker", "[T1]") {
  CircuitBreaker breaker{"plain", {.failure_threshold = 1}, LeastClock{}};
  fail(breaker);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.retry_after() == 60s);
}

TEST_CASE("T1 coarse and fine readings never meet in one subtraction", "[T1]") {
  // The two timelines are far apart, so that a mixture would show in any wait, window or stamp.
  const nanoseconds coarse = GENERATE(values<nanoseconds>({1ns, 50'000h}));
  const HandClock clock = hand_clock(25'000h, coarse);
  CAPTURE(coarse.count());

  SECTION("waits for a probe and for a silent one") {
    const nanoseconds reset_timeout = GENERATE(values<nanoseconds>({10ms, 999ms, 1s, 60s}));
    const nanoseconds probe_timeout = GENERATE(values<nanoseconds>({0s, 5ms, 2s}));
    CAPTURE(reset_timeout.count(), probe_timeout.count());
    CircuitBreaker breaker{
        "b", {.failure_threshold = 1, .reset_timeout = reset_timeout, .probe_timeout = probe_timeout}, clock};
    fail(breaker);
    CHECK(breaker.retry_after() == reset_timeout);
    clock.advance(reset_timeout - 1ns);
    CHECK_FALSE(breaker.try_acquire());
    CHECK(breaker.retry_after() == 1ns);
    CHECK(breaker.stats().retry_after == 1ns);
    clock.advance(1ns);
    const Permit silent = breaker.try_acquire();
    REQUIRE(silent);
    clock.advance((probe_timeout > 0s ? probe_timeout : reset_timeout) - 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.try_acquire());
  }

  SECTION("windows") {
    const nanoseconds window = GENERATE(values<nanoseconds>({100ms, 10s}));
    CAPTURE(window.count());
    CircuitBreaker breaker{
        "b",
        {.failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = 2, .window = within(window)}},
        clock};
    fail(breaker);
    succeed(breaker);
    CHECK(breaker.stats().failure_rate == 0.5);
    clock.advance(window * 9 / 10 - 1ns);
    CHECK(breaker.stats().failure_rate == 0.5);
    clock.advance(window / 5);
    CHECK(breaker.stats().failure_rate == 0.0);
  }

  SECTION("stamps") {
    CircuitBreaker breaker{"b", {}, clock};
    const auto at = clock.wall_now();
    fail(breaker);
    succeed(breaker);
    clock.advance(90min);
    CHECK(breaker.stats().last_failure_time == at);
    CHECK(breaker.stats().last_success_time == at);
  }

  SECTION("slow and late calls") {
    CircuitBreaker breaker{"b", {.slow_calls = SlowCalls{.slower_than = 2s}}, clock};
    breaker.execute([&] { clock.advance(2s); }, CallOptions{.timeout = 2s});
    CHECK(breaker.stats().slow_count == 0);
    CHECK(breaker.stats().success_count == 1);
    breaker.execute([&] { clock.advance(2s + 1ns); }, CallOptions{.timeout = 2s});
    CHECK(breaker.stats().slow_count == 1);
    CHECK(breaker.stats().failure_count == 1);
  }
}

TEST_CASE("T1 a call is neither slow nor late if the clock went back", "[T1]") {
  const HandClock clock;
  CircuitBreaker breaker{"b", {.slow_calls = SlowCalls{.slower_than = 1ms}}, clock};
  breaker.execute([&] { clock.readings().fine -= 10min; }, CallOptions{.timeout = 1ms});
  CHECK(breaker.stats().slow_count == 0);
  CHECK(breaker.stats().failure_count == 0);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("T3 a breaker and a registry with a clock read no other", "[T3]") {
  const CountedSystem system;
  const FakeClock clock;

  CircuitBreaker breaker{"b",
                         {.failure_threshold = 1,
                          .failure_rate = FailureRate{.window = within(10s)},
                          .slow_calls = SlowCalls{.window = within(500ms)}},
                         clock};
  const auto subscription = breaker.on_state_change([](const StateChange&) {});
  CHECK(breaker.execute([] { return 1; }) == 1);
  CHECK(breaker.execute([](Deadline deadline) { return deadline.is_never(); }, CallOptions{.timeout = 1s}) ==
        false);
  CHECK(breaker.execute(throw_timeout, [](const Failure&) { return 2; }) == 2);
  CHECK_THROWS_AS(breaker.execute([] { return 3; }), CircuitOpenError);
  CHECK(breaker.execute([] { return 3; },
                        [](const Failure& failure) { return static_cast<int>(*failure.status()); }) == 503);
  CHECK(breaker.execute([] { return std::error_code{}; }) == PolicyErrc::circuit_open);
  CHECK(breaker.retry_after() == 60s);
  clock.advance(60s);
  succeed(breaker);
  succeed(breaker);
  CHECK(breaker.stats().state == State::closed);
  breaker.force_open();
  breaker.reset();

  CircuitBreakerRegistry<FakeClock> registry{{.max_breakers = 1}, clock};
  fail(*registry.get("first"));
  fail(*registry.get("second"));
  CHECK(registry.stats().size() == 1);
  registry.reset_all();

  const auto deadline = Deadline::after(1s, clock);
  CHECK(deadline.remaining(clock) == 1s);
  CHECK_FALSE(deadline.expired(clock));

  CHECK(system.readings() == 0);
  CHECK(SystemClock{}.wall_now() == WallTime{});
  CHECK(system.readings() == 1);
}

TEST_CASE("T3 a wall clock that jumps moves no wait, window or timeout", "[T3]") {
  const std::chrono::hours jump = GENERATE(values<std::chrono::hours>({-100'000h, -1h, 1h, 100'000h}));
  CAPTURE(jump.count());
  const FakeClock clock;
  const auto start = clock.wall_now();

  SECTION("a breaker's wait and its windows") {
    CircuitBreaker breaker{
        "b",
        {.failure_threshold = 2, .failure_rate = FailureRate{.minimum_calls = 2, .window = within(10s)}},
        clock};
    fail(breaker);
    clock.set_wall(start + jump);
    fail(breaker);
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().failure_rate == 1.0);
    CHECK(breaker.stats().last_failure_time == start + jump);
    clock.advance(60s - 1ns);
    clock.set_wall(start - jump);
    CHECK(breaker.retry_after() == 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.try_acquire());
  }
  SECTION("a call's timeout") {
    CircuitBreaker breaker{"b", {}, clock};
    breaker.execute(
        [&](Deadline deadline) {
          clock.set_wall(start + jump);
          CHECK(deadline.remaining(clock) == 1s);
        },
        CallOptions{.timeout = 1s});
    CHECK(breaker.stats().success_count == 1);
  }
}
