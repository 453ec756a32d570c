#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::FakeClock;
using test::ScopedSystemClock;
using Waits = std::vector<nanoseconds>;
using WallPoint = std::chrono::system_clock::time_point;

namespace {

constexpr WallPoint noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

int fail_with_timeout() { throw std::system_error{NetworkErrc::timed_out}; }

}  // namespace

TEST_CASE("T4 every SystemClock reads the fake while the guard lives, and the system's clocks afterwards",
          "[T4]") {
  const FakeClock fake;
  fake.set_coarse_tick(4ms);
  fake.advance(3ms);
  const SystemClock before;
  {
    const ScopedSystemClock guard{fake};
    const SystemClock made_inside;
    for (const SystemClock& clock : {before, made_inside}) {
      CHECK(clock.now() == fake.now());
      CHECK(clock.coarse_now() == fake.coarse_now());
      CHECK(clock.coarse_now() != fake.now());
      CHECK(clock.wall_now() == noon + 3ms);
    }
    fake.advance(1h);
    fake.set_wall(noon + 24h);
    CHECK(before.now() == fake.now());
    CHECK(before.wall_now() == noon + 24h);
  }
  const auto steady_before = std::chrono::steady_clock::now();
  const auto wall_before = std::chrono::system_clock::now();
  const auto steady = before.now();
  const auto wall = before.wall_now();
  CHECK(steady_before <= steady);
  CHECK(steady <= std::chrono::steady_clock::now());
  CHECK(wall_before <= wall);
  CHECK(wall <= std::chrono::system_clock::now());
}

TEST_CASE("T4 a sleep of SystemClock is a sleep of the fake", "[T4]") {
  const FakeClock fake;
  const auto start = fake.now();
  const ScopedSystemClock guard{fake};
  CHECK(SystemClock{}.sleep_for(1000h));
  CHECK(fake.now() == start + 1000h);
  std::stop_source stopped;
  stopped.request_stop();
  CHECK_FALSE(SystemClock{}.sleep_for(2h, stopped.get_token()));
  CHECK(fake.now() == start + 1000h);
  CHECK(fake.sleeps() == Waits{1000h, 2h});
}

TEST_CASE("T4 in manual mode a sleep of SystemClock waits for advance, and can be stopped", "[T4]") {
  const auto fake = FakeClock::manual();
  const ScopedSystemClock guard{fake};
  std::atomic<bool> slept_on{false};
  {
    std::jthread sleeper{[&] { slept_on = SystemClock{}.sleep_for(10s); }};
    fake.wait_for_sleepers(1);
    CHECK(fake.advance(10s) == 1);
  }
  CHECK(slept_on);
  {
    std::jthread sleeper{[&](std::stop_token token) { slept_on = SystemClock{}.sleep_for(10s, token); }};
    fake.wait_for_sleepers(1);
    sleeper.request_stop();
  }
  CHECK_FALSE(slept_on);
}

TEST_CASE("T4 guards nest: the innermost counts, and after its end the outer one again", "[T4]") {
  const FakeClock outer;
  const FakeClock inner;
  outer.set_wall(noon + 1h);
  inner.set_wall(noon + 2h);
  const SystemClock clock;
  {
    const ScopedSystemClock outer_guard{outer};
    CHECK(clock.wall_now() == noon + 1h);
    {
      const ScopedSystemClock inner_guard{inner};
      CHECK(clock.wall_now() == noon + 2h);
      {
        const ScopedSystemClock outer_again{outer};
        CHECK(clock.wall_now() == noon + 1h);
      }
      CHECK(clock.wall_now() == noon + 2h);
    }
    CHECK(clock.wall_now() == noon + 1h);
    clock.sleep_for(1s);
  }
  CHECK(outer.sleeps() == Waits{1s});
  CHECK(inner.sleeps().empty());
}

TEST_CASE("T4 a guard keeps its clock alive, and is neither copied nor moved", "[T4]") {
  STATIC_REQUIRE(!std::is_copy_constructible_v<ScopedSystemClock>);
  STATIC_REQUIRE(!std::is_move_constructible_v<ScopedSystemClock>);
  STATIC_REQUIRE(!std::is_copy_assignable_v<ScopedSystemClock>);
  STATIC_REQUIRE(!std::is_move_assignable_v<ScopedSystemClock>);
  const ScopedSystemClock guard{FakeClock{}};
  CHECK(SystemClock{}.wall_now() == noon);
  CHECK(SystemClock{}.sleep_for(1h));
  CHECK(SystemClock{}.wall_now() == noon + 1h);
}

TEST_CASE("T4 all threads of the process read the fake", "[T4]") {
  const FakeClock fake;
  const ScopedSystemClock guard{fake};
  const auto start = fake.now();
  std::atomic<int> astray{0};
  support::run_together(4, [&](int) {
    for (int n = 0; n < 100; ++n) {
      SystemClock{}.sleep_for(1s);
      const auto now = SystemClock{}.now();
      if (now < start + 1s || now > start + 400s) ++astray;
    }
  });
  CHECK(astray == 0);
  CHECK(SystemClock{}.now() == start + 400s);
}

TEST_CASE("T4 a guard may begin while other threads read the clock", "[T4]") {
  const FakeClock outer;
  const FakeClock inner;
  inner.set_wall(noon + 1h);
  const ScopedSystemClock outer_guard{outer};
  std::optional<ScopedSystemClock> inner_guard;
  std::atomic<int> astray{0};
  support::run_together(3, [&](int i) {
    if (i == 0) {
      inner_guard.emplace(inner);
    } else {
      for (int n = 0; n < 1000; ++n) {
        const auto wall = SystemClock{}.wall_now();
        if (wall != noon && wall != noon + 1h) ++astray;
      }
    }
  });
  CHECK(astray == 0);
  CHECK(SystemClock{}.wall_now() == noon + 1h);
}

TEST_CASE("T4 G4 the process-wide registry, and code that uses it, is tested without a change", "[T4][G4]") {
  const auto fetch = [](bool up) {
    const auto breaker = get_circuit_breaker("scoped-orders", {.failure_threshold = 2, .reset_timeout = 30s});
    return breaker->execute(
        [&] { return up ? std::string{"fresh"} : throw ApiError{ErrorCode::bad_gateway}; },
        [](const Failure& failure) { return failure.is_rejection() ? "rejected" : "failed"; });
  };
  const auto state = [] { return get_all_circuit_breaker_stats().at("scoped-orders").state; };

  const FakeClock fake;
  const ScopedSystemClock guard{fake};
  CHECK(fetch(true) == "fresh");
  CHECK(fetch(false) == "failed");
  CHECK(fetch(false) == "failed");
  CHECK(get_all_circuit_breaker_stats().at("scoped-orders").last_failure_time == noon);
  CHECK(fetch(true) == "rejected");
  fake.advance(30s - 1ns);
  CHECK(fetch(true) == "rejected");
  CHECK(state() == State::open);
  fake.advance(1ns);
  CHECK(fetch(true) == "fresh");
  CHECK(state() == State::half_open);
  CHECK(fetch(true) == "fresh");
  CHECK(state() == State::closed);
  CHECK(get_all_circuit_breaker_stats().at("scoped-orders").last_success_time == noon + 30s);
  CHECK(default_registry().remove("scoped-orders"));
}

TEST_CASE("T4 a breaker made before the guard reads the fake too", "[T4]") {
  CircuitBreaker<> breaker{"older", {.failure_threshold = 1, .reset_timeout = 30s}};
  const FakeClock fake;
  const ScopedSystemClock guard{fake};
  breaker.try_acquire().failure();
  CHECK(breaker.retry_after() == 30s);
  CHECK(breaker.stats().last_failure_time == noon);
  fake.advance(30s);
  CHECK(breaker.try_acquire());
}

TEST_CASE("T4 a retry without a clock waits on the fake", "[T4]") {
  const FakeClock fake;
  const ScopedSystemClock guard{fake};
  const auto result = try_retry_with_backoff(fail_with_timeout, {.max_retries = 3, .jitter = Jitter::none});
  CHECK(result.stats.attempts == 4);
  CHECK(fake.sleeps() == Waits{1s, 2s, 4s});
}
