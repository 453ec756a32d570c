// on_call(): how each call ended (B18), and the calls under way (B20).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_fixture.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::Breaker;
using support::BreakerFixture;

namespace {

struct EndedCall {
  Outcome outcome;
  nanoseconds duration;
  std::string failure;
  friend bool operator==(const EndedCall&, const EndedCall&) = default;
};

Subscription record_calls(Breaker& breaker, std::vector<EndedCall>& calls) {
  return breaker.on_call([&](const CallEvent& event) {
    CHECK(event.name == breaker.name());
    calls.push_back({event.outcome, event.duration.value_or(-1ns),
                     event.failure != nullptr ? event.failure->message() : "none"});
  });
}

}  // namespace

TEST_CASE("B18 on_call hears each admitted call once: its outcome, its duration and its failure", "[B18]") {
  BreakerFixture fixture{{.failure_threshold = 3}};
  Breaker& breaker = fixture.breaker;
  std::vector<EndedCall> calls;
  const auto subscription = record_calls(breaker, calls);
  breaker.execute([&] { fixture.clock.advance(1s); });
  CHECK_THROWS(breaker.execute([&] {
    fixture.clock.advance(2s);
    throw std::runtime_error{"boom"};
  }));
  CHECK_THROWS(breaker.execute([] { throw CancelledError{}; }));
  breaker.try_acquire().success();
  breaker.try_acquire().failure();
  {
    const Permit dropped = breaker.try_acquire();
  }
  breaker.execute([] { return 1; }, [](const Failure&) { return 2; }, failure_if([](int) { return true; }));
  const Failure by_value = Failure::from_status(500);
  breaker.try_acquire().report(by_value);
  CHECK(calls.size() == 8);
  CHECK(calls[0] == EndedCall{Outcome::success, 1s, "none"});
  CHECK(calls[1] == EndedCall{Outcome::failure, 2s, "boom"});
  CHECK(calls[2] == EndedCall{Outcome::ignored, 0s, "cancelled"});
  CHECK(calls[3] == EndedCall{Outcome::success, 0s, "none"});
  CHECK(calls[4] == EndedCall{Outcome::failure, 0s, "none"});
  CHECK(calls[5] == EndedCall{Outcome::ignored, 0s, "none"});
  CHECK(calls[6].outcome == Outcome::failure);
  CHECK(calls[7] == EndedCall{Outcome::failure, 0s, by_value.message()});
}

TEST_CASE("B18 on_call hears probes and calls of a disabled breaker, but no rejection and no nested call",
          "[B18]") {
  BreakerFixture fixture{support::brittle};
  Breaker& breaker = fixture.breaker;
  std::vector<EndedCall> calls;
  const auto subscription = record_calls(breaker, calls);
  support::fail(breaker);
  CHECK(calls.size() == 1);
  CHECK_FALSE(breaker.try_acquire());
  breaker.execute([] {}, [] {});
  CHECK(calls.size() == 1);
  fixture.clock.advance(10s);
  breaker.execute([&] {
    breaker.execute([] {});  // part of the probe (B7)
    fixture.clock.advance(1s);
  });
  CHECK(calls.size() == 2);
  CHECK(calls[1] == EndedCall{Outcome::success, 1s, "none"});
  breaker.disable();
  breaker.execute([] {});
  CHECK(calls.size() == 3);
}

TEST_CASE("B18 a call is counted, and has moved the state, when on_call hears of it", "[B18]") {
  BreakerFixture fixture{support::brittle};
  State state = State::closed;
  std::uint64_t failures = 0;
  const auto subscription = fixture.breaker.on_call([&](const CallEvent&) {
    state = fixture.breaker.state();
    failures = fixture.breaker.stats().failure_count;
  });
  support::fail(fixture.breaker);
  CHECK(state == State::open);
  CHECK(failures == 1);
}

TEST_CASE("B18 a call that began before the subscription is not heard", "[B18]") {
  BreakerFixture fixture;
  std::vector<EndedCall> calls;
  Permit before = fixture.breaker.try_acquire();
  const auto subscription = record_calls(fixture.breaker, calls);
  Permit after = fixture.breaker.try_acquire();
  before.success();
  CHECK(calls.empty());
  after.success();
  CHECK(calls.size() == 1);
}

TEST_CASE("B18 no callback runs after its subscription has ended, and then calls cost nothing again",
          "[B18]") {
  BreakerFixture fixture;
  std::vector<EndedCall> calls;
  auto subscription = record_calls(fixture.breaker, calls);
  Permit open_call = fixture.breaker.try_acquire();
  subscription.unsubscribe();
  CHECK(fixture.breaker.stats().in_flight == std::nullopt);
  open_call.success();
  CHECK(calls.empty());
  CHECK(fixture.breaker.stats().in_flight == std::nullopt);
  CHECK(fixture.breaker.stats().success_count == 1);
}

TEST_CASE("B18 of several subscribers each hears every call, and one may end itself or another", "[B18]") {
  BreakerFixture fixture;
  int first = 0;
  int second = 0;
  std::optional<Subscription> itself;
  itself = fixture.breaker.on_call([&](const CallEvent&) {
    ++first;
    itself.reset();
  });
  const auto other = fixture.breaker.on_call([&](const CallEvent&) { ++second; });
  for (int i = 0; i < 3; ++i) support::succeed(fixture.breaker);
  CHECK(first == 1);
  CHECK(second == 3);
}

TEST_CASE("B18 a callback of on_call may throw, call the breaker and release it", "[B18]") {
  const test::FakeClock clock;
  auto breaker = std::make_shared<Breaker>("b", support::brittle, clock);
  int heard = 0;
  auto subscription = breaker->on_call([&](const CallEvent& event) {
    ++heard;
    if (event.outcome == Outcome::failure) {
      CHECK_FALSE(breaker->try_acquire());
      breaker.reset();
    }
    throw 42;
  });
  breaker->execute([] {});
  Permit permit = try_acquire(breaker);
  permit.failure();
  CHECK(heard == 2);
  CHECK(breaker == nullptr);
}

TEST_CASE("B14 a change that a callback of on_call causes is delivered after it has returned", "[B14][B18]") {
  BreakerFixture fixture;
  std::string log;
  const auto calls = fixture.breaker.on_call([&](const CallEvent&) {
    log += '<';
    fixture.breaker.force_open();
    log += '>';
  });
  const auto changes = fixture.breaker.on_state_change([&](const StateChange&) { log += '!'; });
  support::succeed(fixture.breaker);
  CHECK(log == "<>!");
}

TEST_CASE("B18 a slow call is timed for slow_calls and for on_call alike", "[B18]") {
  BreakerFixture fixture{{.slow_calls = SlowCalls{.slower_than = 1s, .window = within(10s)}}};
  std::vector<EndedCall> calls;
  const auto subscription = record_calls(fixture.breaker, calls);
  fixture.breaker.execute([&] { fixture.clock.advance(2s); });
  CHECK(calls == std::vector<EndedCall>{{Outcome::success, 2s, "none"}});
  CHECK(fixture.breaker.stats().slow_count == 1);
}

TEST_CASE("B20 the calls under way are known while somebody listens, and the probes while half-open",
          "[B20]") {
  BreakerFixture fixture{{.failure_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 2}};
  Breaker& breaker = fixture.breaker;
  CHECK(breaker.stats().in_flight == std::nullopt);
  {
    const auto subscription = breaker.on_call([](const CallEvent&) {});
    CHECK(breaker.stats().in_flight == 0U);
    Permit permit = breaker.try_acquire();
    breaker.execute([&] { CHECK(breaker.stats().in_flight == 2U); });
    CHECK(breaker.stats().in_flight == 1U);
    permit.ignore();
    CHECK(breaker.stats().in_flight == 0U);
  }
  support::fail(breaker);
  CHECK(breaker.stats().in_flight == std::nullopt);
  fixture.clock.advance(10s);
  const Permit first = breaker.try_acquire();
  CHECK(breaker.stats().in_flight == 1U);
  {
    const Permit second = breaker.try_acquire();
    CHECK(breaker.stats().in_flight == 2U);
  }
  CHECK(breaker.stats().in_flight == 1U);
}

TEST_CASE("B18 many threads hear their own calls", "[B18]") {
  CircuitBreaker<> breaker{"b"};
  std::atomic<int> heard{0};
  const auto subscription = breaker.on_call([&](const CallEvent& event) {
    if (event.duration) ++heard;
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int call = 0; call < 500; ++call) breaker.execute([] {});
      });
    }
  }
  CHECK(heard == 2000);
  CHECK(breaker.stats().in_flight == 0U);
}
