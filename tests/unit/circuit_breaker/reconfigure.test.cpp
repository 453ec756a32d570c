// reconfigure(): another config for a live breaker (B19).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_fixture.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::BreakerFixture;
using support::fail;
using support::succeed;

namespace {

/// Opens at half of the calls, and not by a failure streak.
CircuitBreakerConfig rate_of(Window window) {
  return {.failure_threshold = 0, .failure_rate = FailureRate{.minimum_calls = 4, .window = window}};
}
CircuitBreakerConfig slower_than(std::chrono::nanoseconds limit) {
  return {.failure_threshold = 0,
          .slow_calls = SlowCalls{
              .slower_than = limit, .threshold = 0.5, .minimum_calls = 1, .window = last_calls(10)}};
}

}  // namespace

TEST_CASE("B19 the failure streak stays, and the new threshold holds for the next failure", "[B19]") {
  BreakerFixture fixture{{.failure_threshold = 5}};
  Breaker& breaker = fixture.breaker;
  for (int i = 0; i < 3; ++i) fail(breaker);
  breaker.reconfigure({.failure_threshold = 4});
  CHECK(breaker.config().failure_threshold == 4);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().consecutive_failures == 3);
  CHECK(breaker.stats().failure_count == 3);
  fail(breaker);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("B19 a threshold below the streak opens at the next failure, not at once", "[B19]") {
  BreakerFixture fixture{{.failure_threshold = 5}};
  for (int i = 0; i < 4; ++i) fail(fixture.breaker);
  fixture.breaker.reconfigure({.failure_threshold = 2});
  CHECK(fixture.breaker.state() == State::closed);
  fail(fixture.breaker);
  CHECK(fixture.breaker.state() == State::open);
}

TEST_CASE("B19 every state stays, with its wait and without an event", "[B19]") {
  const State state = GENERATE(from_range(std::begin(support::all_states), std::end(support::all_states)));
  BreakerFixture fixture{support::brittle};
  support::bring_to(fixture.breaker, state);
  if (state == State::open) fixture.clock.advance(4s);
  const auto changes = fixture.changes.size();
  const auto before = fixture.breaker.stats();
  fixture.breaker.reconfigure({.failure_threshold = 9, .reset_timeout = 99s, .half_open_max_calls = 7});
  CHECK(fixture.breaker.state() == state);
  CHECK(fixture.breaker.retry_after() == (state == State::open ? 6s : 0s));
  CHECK(fixture.changes.size() == changes);
  CHECK(fixture.breaker.stats().failure_count == before.failure_count);
  CHECK(fixture.breaker.stats().rejected_count == before.rejected_count);
}

TEST_CASE("B19 the next opening waits by the new config", "[B19]") {
  BreakerFixture fixture{support::brittle};
  fixture.breaker.reconfigure({.failure_threshold = 1, .reset_timeout = 20s});
  fail(fixture.breaker);
  CHECK(fixture.breaker.retry_after() == 20s);
}

TEST_CASE("B19 a refused config changes nothing", "[B19][C2]") {
  BreakerFixture fixture{{.failure_threshold = 5}};
  fail(fixture.breaker);
  try {
    fixture.breaker.reconfigure({.failure_threshold = 3, .half_open_max_calls = 0});
    FAIL("accepted");
  } catch (const ConfigError& error) {
    CHECK(std::string{error.what()}.find("half_open_max_calls") != std::string::npos);
  }
  CHECK(fixture.breaker.config() == CircuitBreakerConfig{.failure_threshold = 5});
  CHECK(fixture.breaker.stats().consecutive_failures == 1);
}

TEST_CASE("B19 a reference from config() stays valid, and says what it said", "[B19]") {
  BreakerFixture fixture{{.failure_threshold = 5}};
  const CircuitBreakerConfig& first = fixture.breaker.config();
  for (int i = 0; i < 40; ++i) fixture.breaker.reconfigure({.failure_threshold = 6 + i});
  CHECK(first.failure_threshold == 5);
  CHECK(fixture.breaker.config().failure_threshold == 45);
}

TEST_CASE("B19 a window of the same kind and size stays, another begins empty", "[B19][B3]") {
  const Window window = GENERATE(last_calls(10), within(10s));
  BreakerFixture fixture{rate_of(window)};
  Breaker& breaker = fixture.breaker;
  for (int i = 0; i < 2; ++i) succeed(breaker);
  fail(breaker);
  SECTION("the same, with another threshold") {
    auto config = rate_of(window);
    config.failure_rate->threshold = 0.4;
    breaker.reconfigure(config);
    CHECK(breaker.stats().window_calls == 3);
    CHECK(breaker.stats().window_failures == 1);
    fail(breaker);
    CHECK(breaker.state() == State::open);
  }
  SECTION("another size") {
    breaker.reconfigure(rate_of(window.is_time() ? within(20s) : last_calls(20)));
    CHECK(breaker.stats().window_calls == 0);
    for (int i = 0; i < 3; ++i) fail(breaker);
    CHECK(breaker.state() == State::closed);  // three of at least four
    CHECK(breaker.stats().window_calls == 3);
    fail(breaker);
    CHECK(breaker.state() == State::open);
  }
  SECTION("another kind") {
    breaker.reconfigure(rate_of(window.is_time() ? last_calls(10) : within(10s)));
    CHECK(breaker.stats().window_calls == 0);
    for (int i = 0; i < 4; ++i) succeed(breaker);
    for (int i = 0; i < 3; ++i) fail(breaker);
    CHECK(breaker.state() == State::closed);
    fail(breaker);
    CHECK(breaker.state() == State::open);
  }
  SECTION("away and back again") {
    breaker.reconfigure({.failure_threshold = 0});
    succeed(breaker);
    breaker.reconfigure(rate_of(window));
    CHECK(breaker.stats().window_calls == 0);
    for (int i = 0; i < 4; ++i) succeed(breaker);
    CHECK(breaker.stats().window_calls == 4);
    CHECK(breaker.stats().window_failures == 0);
  }
}

TEST_CASE("B19 a call under way ends under the config that it began with", "[B19]") {
  SECTION("its threshold") {
    BreakerFixture fixture{{.failure_threshold = 1}};
    Permit permit = fixture.breaker.try_acquire();
    fixture.breaker.reconfigure({.failure_threshold = 9});
    permit.failure();
    CHECK(fixture.breaker.state() == State::open);
  }
  SECTION("its classify") {
    BreakerFixture fixture{
        {.failure_threshold = 1, .classify = [](const Failure&) { return Outcome::ignored; }}};
    CHECK_THROWS(fixture.breaker.execute([&] {
      fixture.breaker.reconfigure({.failure_threshold = 1});
      throw 1;
    }));
    CHECK(support::counts_of(fixture.breaker) == support::Counts{0, 0, 1});
  }
  SECTION("its limit, if the new one is shorter") {
    BreakerFixture fixture{slower_than(10s)};
    Permit permit = fixture.breaker.try_acquire();
    fixture.breaker.reconfigure(slower_than(1s));
    fixture.clock.advance(5s);
    permit.success();
    CHECK(fixture.breaker.stats().slow_count == 0);
  }
  SECTION("no limit, if none was set when it began") {
    BreakerFixture fixture{{.failure_threshold = 0}};
    fixture.clock.advance(1000s);
    Permit permit = fixture.breaker.try_acquire();
    fixture.breaker.reconfigure(slower_than(1s));
    permit.success();
    CHECK(fixture.breaker.stats().slow_count == 0);
    CHECK(fixture.breaker.state() == State::closed);
    CHECK(fixture.breaker.stats().window_calls == 0);
  }
  SECTION("its window, which nobody asks any more") {
    BreakerFixture fixture{rate_of(last_calls(10))};
    std::vector<Permit> permits;
    for (int i = 0; i < 3; ++i) permits.push_back(fixture.breaker.try_acquire());
    fixture.breaker.reconfigure(rate_of(last_calls(20)));
    for (Permit& permit : permits) permit.failure();
    CHECK(fixture.breaker.stats().failure_count == 3);
    CHECK(fixture.breaker.stats().window_calls == 0);
    for (int i = 0; i < 3; ++i) fail(fixture.breaker);
    CHECK(fixture.breaker.stats().window_calls == 3);
    CHECK(fixture.breaker.state() == State::closed);
  }
  SECTION("a probe") {
    BreakerFixture fixture{{.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s}};
    fail(fixture.breaker);
    fixture.clock.advance(10s);
    Permit probe = fixture.breaker.try_acquire();
    fixture.breaker.reconfigure({.failure_threshold = 1, .success_threshold = 3, .reset_timeout = 10s});
    probe.success();
    CHECK(fixture.breaker.state() == State::closed);
  }
}

TEST_CASE("B19 half_open_max_calls holds from the next half-open state on", "[B19]") {
  BreakerFixture fixture{{.failure_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 3}};
  Breaker& breaker = fixture.breaker;
  const auto probes = [&] {
    std::vector<Permit> permits;
    while (Permit permit = breaker.try_acquire()) permits.push_back(std::move(permit));
    return permits;
  };
  fail(breaker);
  fixture.clock.advance(10s);
  auto held = probes();
  CHECK(held.size() == 3);
  breaker.reconfigure({.failure_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 1});
  for (Permit& permit : held) permit.ignore();
  CHECK(probes().size() == 3);
  fail(breaker);
  REQUIRE(breaker.state() == State::open);
  fixture.clock.advance(10s);
  CHECK(probes().size() == 1);
  breaker.reset();
  breaker.reconfigure({.failure_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 2});
  fail(breaker);
  fixture.clock.advance(10s);
  CHECK(probes().size() == 2);
}

TEST_CASE("B19 more configs than the state word has numbers do not mix up calls", "[B19]") {
  BreakerFixture fixture{{.failure_threshold = 100}};
  std::vector<Permit> permits;
  for (int i = 0; i < 15; ++i) {
    permits.push_back(fixture.breaker.try_acquire());
    fixture.breaker.reconfigure({.failure_threshold = 101 + i});
  }
  for (Permit& permit : permits) permit.failure();
  CHECK(fixture.breaker.stats().failure_count == 15);
  CHECK(fixture.breaker.stats().consecutive_failures == 15);
  for (int i = 0; i < 40; ++i) fixture.breaker.reconfigure({.failure_threshold = 200 + i});
  fixture.breaker.reconfigure({.failure_threshold = 16});
  fail(fixture.breaker);
  CHECK(fixture.breaker.state() == State::open);
}

TEST_CASE("B19 slow_calls may come and go", "[B19]") {
  BreakerFixture fixture{{.failure_threshold = 0}};
  const auto call = [&](std::chrono::seconds duration) {
    fixture.breaker.execute([&] { fixture.clock.advance(duration); });
  };
  call(5s);
  fixture.breaker.reconfigure(slower_than(1s));
  call(1s);
  CHECK(fixture.breaker.stats().slow_count == 0);
  call(5s);
  CHECK(fixture.breaker.stats().slow_count == 1);
  CHECK(fixture.breaker.state() == State::open);
  fixture.breaker.reset();
  fixture.breaker.reconfigure({.failure_threshold = 0});
  call(5s);
  CHECK(fixture.breaker.stats().slow_count == 0);
  CHECK(fixture.breaker.stats().window_calls == 0);
}

TEST_CASE("B19 recovery_time may be set on a live breaker, and holds from its next recovery on",
          "[B19][B17]") {
  BreakerFixture fixture{{.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s}};
  fixture.breaker.reconfigure(
      {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s, .recovery_time = 10s});
  CHECK(fixture.breaker.try_acquire());
  fail(fixture.breaker);
  fixture.clock.advance(10s);
  succeed(fixture.breaker);
  CHECK(fixture.breaker.try_acquire());
  const Permit refused = fixture.breaker.try_acquire();
  CHECK_FALSE(refused);
  CHECK(refused.rejection().what() == std::string{"circuit breaker 'b' is recovering"});
}

TEST_CASE("B19 on a clock whose coarse reading differs, a wait keeps its length", "[B19][T1]") {
  struct SkewedClock : test::FakeClock {
    [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const { return now() - 1h; }
  };
  const SkewedClock clock;
  CircuitBreaker<SkewedClock> breaker{"b", {.failure_threshold = 1, .reset_timeout = 10s}, clock};
  fail(breaker);
  clock.advance(4s);
  breaker.reconfigure({.failure_threshold = 1, .reset_timeout = 10ms});  // waits go by the fine clock
  CHECK(breaker.retry_after() == 6s);
  breaker.reconfigure({.failure_threshold = 1, .reset_timeout = 20s});
  CHECK(breaker.retry_after() == 6s);
  clock.advance(6s);
  CHECK(breaker.try_acquire());
}

TEST_CASE("B19 the same config again changes nothing", "[B19]") {
  BreakerFixture fixture{rate_of(last_calls(10))};
  const CircuitBreakerConfig* const before = &fixture.breaker.config();
  fixture.breaker.reconfigure(rate_of(last_calls(10)));
  CHECK(&fixture.breaker.config() == before);
}

TEST_CASE("B19 calls and reconfigurations at once lose no call", "[B19]") {
  CircuitBreaker<> breaker{"b", {.failure_threshold = 0}};
  std::atomic<bool> done{false};
  constexpr int calls = 2000;
  {
    std::jthread reconfiguring{[&] {
      for (int i = 0; !done; ++i) {
        breaker.reconfigure(
            {.failure_threshold = 0,
             .failure_rate =
                 i % 3 == 0 ? std::optional{FailureRate{.threshold = 1.0, .window = last_calls(50 + i % 2)}}
                            : std::nullopt,
             .slow_calls = i % 2 == 0 ? std::optional{SlowCalls{}} : std::nullopt});
        std::this_thread::yield();
      }
    }};
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < calls; ++i) {
          if (Permit permit = breaker.try_acquire()) i % 2 == 0 ? permit.success() : permit.failure();
        }
      });
    }
    threads.clear();
    done = true;
  }
  const auto stats = breaker.stats();
  CHECK(stats.success_count + stats.failure_count + stats.rejected_count == 2U * calls);
}

TEST_CASE("B19 a timed call ends safely after as many reconfigurations as the word has numbers", "[B19]") {
  BreakerFixture fixture{slower_than(1s)};
  Permit permit = fixture.breaker.try_acquire();
  for (int i = 0; i < 16; ++i) fixture.breaker.reconfigure({.failure_threshold = 1 + i});
  fixture.clock.advance(2s);
  permit.success();
  CHECK(fixture.breaker.stats().slow_count == 1);
  CHECK(fixture.breaker.stats().window_calls == 0);
}
