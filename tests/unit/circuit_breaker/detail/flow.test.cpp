#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/flow.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::Response;
using support::trip_and_wait;

namespace {

int seven() { return 7; }
[[noreturn]] int throw_unavailable() { throw support::unavailable(); }

}  // namespace

// How op and fallback are called.

TEST_CASE("B24 op may be any callable: const, mutable, move-only, a function, a std::function", "[B24]") {
  Breaker breaker{"b"};
  struct Constant {
    int operator()() const { return 1; }
  };
  struct NonConst {
    int calls = 0;
    int operator()() { return ++calls; }
  };
  const Constant constant;
  CHECK(breaker.execute(constant) == 1);
  NonConst counter;
  breaker.execute(counter);
  breaker.execute(counter);
  CHECK(counter.calls == 2);
  int calls = 0;
  CHECK(breaker.execute([calls]() mutable { return ++calls; }) == 1);
  CHECK(breaker.execute([box = std::make_unique<int>(4)] { return *box; }) == 4);
  CHECK(breaker.execute([box = std::make_unique<int>(4)] { return *box; },
                        [box = std::make_unique<int>(5)] { return *box; }) == 4);
  CHECK(breaker.execute(seven) == 7);
  CHECK(breaker.execute(&seven) == 7);
  int (*const pointer)() = seven;
  CHECK(breaker.execute(pointer, &seven) == 7);
  const std::function<int()> stored = [] { return 8; };
  CHECK(breaker.execute(stored, stored) == 8);
  CHECK(breaker.stats().success_count == 10);
}

TEST_CASE("B24 op and fallback are used in place, neither copied nor moved", "[B24]") {
  struct Fixed {
    explicit Fixed(int number) : value{number} {}
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
    int operator()() const { return value; }
    int value;
  };
  Breaker breaker{"b"};
  CHECK(breaker.execute(Fixed{1}, Fixed{2}) == 1);
  breaker.force_open();
  CHECK(breaker.execute(Fixed{1}, Fixed{2}) == 2);
}

TEST_CASE("B12 an op that can be called with and without a Deadline is called with it", "[B12]") {
  struct Both {
    bool operator()() const { return false; }
    bool operator()(Deadline) const { return true; }
  };
  Breaker breaker{"b"};
  CHECK(breaker.execute(Both{}));
  CHECK(breaker.execute([](auto... arguments) { return sizeof...(arguments); }) == 1);
  CHECK(breaker.execute([](const Deadline& deadline) { return deadline.is_never(); }));
}

TEST_CASE("B24 a breaker may be called inside the op and the fallback of others and of itself", "[B24]") {
  Breaker outer{"outer", {.failure_threshold = 2}};
  Breaker inner{"inner", {.failure_threshold = 1}};
  const auto call = [&] { return outer.execute([&] { return inner.execute(throw_unavailable); }); };
  CHECK_THROWS_AS(call(), ApiError);
  CHECK(counts_of(outer) == Counts{0, 1, 0});
  CHECK(inner.state() == State::open);
  for (int i = 0; i < 10; ++i) CHECK_THROWS_AS(call(), CircuitOpenError);
  CHECK(counts_of(outer) == Counts{0, 1, 10});
  CHECK(outer.state() == State::closed);
  CHECK(inner.execute(seven, [&] { return outer.execute(seven); }) == 7);

  Breaker self{"self"};
  CHECK(self.execute([&] { return self.execute([&] { return self.execute(seven) + 1; }) + 1; }) == 9);
  CHECK(counts_of(self) == Counts{3, 0, 0});
}

// How calls are judged and settled.

TEST_CASE("B12 cancellations and rejections are ignored before classify is asked", "[B12]") {
  Breaker breaker{"b", {.classify = [](const Failure&) { return Outcome::failure; }}};
  CHECK_THROWS_AS(breaker.execute([] { throw CancelledError{}; }), CancelledError);
  CHECK_THROWS_AS(breaker.execute([] { throw RateLimitedError{}; }), RateLimitedError);
  CHECK(counts_of(breaker) == Counts{0, 0, 2});
}

TEST_CASE("B10 what classify throws goes through, and the call is settled as ignored", "[B10]") {
  const auto throws = [](const Failure&) -> Outcome { throw std::domain_error{"classify"}; };
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .classify = throws}};
  const auto fallback = [] { return 0; };
  CHECK_THROWS_AS(breaker.execute(throw_unavailable), std::domain_error);
  CHECK_THROWS_AS(breaker.execute(throw_unavailable, fallback), std::domain_error);
  CHECK_THROWS_AS(breaker.execute([] { return Response{500}; }), std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 0, 3});
  CHECK(breaker.state() == State::closed);

  trip_and_wait(breaker);
  CHECK_THROWS_AS(breaker.execute(throw_unavailable), std::domain_error);
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.execute(seven) == 7);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B10 what failure_if throws goes through, and the call is settled as ignored", "[B10]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  const auto throws = failure_if([](const int&) -> bool { throw std::domain_error{"failure_if"}; });
  CHECK_THROWS_AS(breaker.execute(seven, throws), std::domain_error);
  CHECK_THROWS_AS(breaker.execute(seven, [] { return 0; }, throws), std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 0, 2});
  trip_and_wait(breaker);
  CHECK_THROWS_AS(breaker.execute(seven, throws), std::domain_error);
  CHECK(breaker.execute(seven) == 7);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE(
    "B10 an exception from the conversion of op's value goes through, after the success is recorded once",
    "[B10]") {
  struct Converted {
    Converted() = default;
    Converted(int) { throw std::domain_error{"conversion"}; }  // NOLINT(google-explicit-constructor)
  };
  Breaker breaker{"b"};
  CHECK_THROWS_AS(breaker.execute(seven, [] { return Converted{}; }), std::domain_error);
  CHECK_THROWS_AS(breaker.execute(seven, [](const Failure&) { return Converted{}; }), std::domain_error);
  CHECK(counts_of(breaker) == Counts{2, 0, 0});
}

TEST_CASE("B12 a refused timeout throws before op is called or a slot is taken", "[B12]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  trip_and_wait(breaker);
  int calls = 0;
  const auto op = [&] { return ++calls; };
  for (const auto timeout : {0ns, -1ns}) {
    CHECK_THROWS_AS(breaker.execute(op, {.timeout = timeout}), std::invalid_argument);
    CHECK_THROWS_AS(breaker.execute(op, [] { return 0; }, {.timeout = timeout}), std::invalid_argument);
  }
  CHECK(calls == 0);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.execute(op) == 1);
}

TEST_CASE("B14 a breaker that its callback released is not asked whether the call was late", "[B14]") {
  const auto config = CircuitBreakerConfig{.failure_threshold = 1, .reset_timeout = 1s};
  for (const bool as_probe : {false, true}) {
    CAPTURE(as_probe);
    const test::FakeClock clock;
    auto owner = std::make_shared<Breaker>("b", config, clock);
    Breaker& breaker = *owner;
    if (as_probe) {
      breaker.try_acquire().failure();
      clock.advance(1s);
    }
    const Subscription subscription = breaker.on_state_change([&](const StateChange&) { owner.reset(); });
    const auto op = [] { return make_error_code(std::errc::connection_refused); };
    const auto fallback = [](const Failure&) -> std::error_code { throw std::runtime_error{"no price"}; };
    CHECK_THROWS_WITH(breaker.execute(op, fallback, {.timeout = 10s}), "no price");
    CHECK(owner == nullptr);
  }
}
