#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::trip_and_wait;

namespace {

using Expected = support::Expected<int, std::error_code>;

/// An op that takes this long and gives 7.
auto slow_op(const test::FakeClock& clock, std::chrono::nanoseconds duration) {
  return [clock, duration] {
    clock.advance(duration);
    return 7;
  };
}

template <class Error>
auto slow_throw(const test::FakeClock& clock, std::chrono::nanoseconds duration, Error error) {
  return [clock, duration, error]() -> int {
    clock.advance(duration);
    throw error;
  };
}

}  // namespace

TEST_CASE("B12 call options are accepted in every written form", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 0}, clock};
  const auto op = slow_op(clock, 10s + 1ns);
  const auto fallback = [] { return 0; };
  const auto rule = failure_if([](const int&) { return false; });
  const CallOptions constant{.timeout = 10s};
  CallOptions changing{.timeout = 10s};

  CHECK(breaker.execute(op, {.timeout = 10s}) == 7);
  CHECK(breaker.execute(op, fallback, {.timeout = 10s}) == 7);
  CHECK(breaker.execute(op, CallOptions{.timeout = 10s}) == 7);
  CHECK(breaker.execute(op, fallback, CallOptions{.timeout = 10s}) == 7);
  CHECK(breaker.execute(op, constant) == 7);
  CHECK(breaker.execute(op, changing) == 7);
  CHECK(breaker.execute(op, fallback, constant) == 7);
  CHECK(breaker.execute(op, fallback, changing) == 7);
  CHECK(breaker.execute(op, rule, {.timeout = 10s}) == 7);
  CHECK(breaker.execute(op, rule, constant) == 7);
  CHECK(breaker.execute(op, constant, rule) == 7);
  CHECK(breaker.execute(op, {.timeout = 10s}, rule) == 7);
  CHECK(breaker.execute(op, fallback, rule, constant) == 7);
  CHECK(breaker.execute(op, fallback, constant, rule) == 7);
  CHECK(breaker.execute(op, fallback, {.timeout = 10s}, rule) == 7);
  CHECK(breaker.stats().failure_count == 15);
  CHECK(breaker.stats().success_count == 0);
}

TEST_CASE("B12 op may take the Deadline, which is the start plus the timeout", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  std::vector<Deadline> seen;
  const auto op = [&](Deadline deadline) {
    seen.push_back(deadline);
    return deadline.remaining(clock);
  };
  clock.advance(123ns);
  CHECK(breaker.execute(op, {.timeout = 10s}) == 10s);
  CHECK(breaker.execute(op, [] { return 0ns; }, {.timeout = 1ns}) == 1ns);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == Deadline{clock.now() + 10s});
  CHECK(seen[1] == Deadline{clock.now() + 1ns});
}

TEST_CASE("T6 B12 the Deadline that op takes knows the breaker's clock", "[T6][B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  const auto op = [&](Deadline deadline) {
    CHECK(deadline.remaining() == 2s);
    clock.advance(500ms);
    CHECK(deadline.remaining() == 1500ms);
    CHECK_FALSE(deadline.expired());
    return earliest(deadline, Deadline::never()).remaining();
  };
  CHECK(breaker.execute(op, {.timeout = 2s}) == 1500ms);
  CHECK(breaker.execute([](Deadline deadline) { return deadline.remaining(); }) == no_timeout);
}

TEST_CASE("B12 without a timeout the Deadline is never, and no call is late", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  const auto op = [&](Deadline deadline) {
    clock.advance(24h * 365 * 50);
    return deadline.is_never();
  };
  CHECK(breaker.execute(op));
  CHECK(breaker.execute(op, CallOptions{}));
  CHECK(breaker.execute(op, {.timeout = no_timeout}));
  CHECK(breaker.stats().success_count == 3);
}

TEST_CASE("B12 a timeout beyond the end of the timeline is never late", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  CHECK(
      breaker.execute([](Deadline deadline) { return deadline.is_never(); }, {.timeout = no_timeout - 1ns}));
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("B12 a late value is returned and counted as a failure", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  SECTION("at the timeout a call is not late") {
    CHECK(breaker.execute(slow_op(clock, 10s), {.timeout = 10s}) == 7);
    CHECK(breaker.stats().success_count == 1);
    CHECK(breaker.stats().failure_count == 0);
    CHECK(breaker.state() == State::closed);
  }
  SECTION("one nanosecond after it is") {
    CHECK(breaker.execute(slow_op(clock, 10s + 1ns), {.timeout = 10s}) == 7);
    CHECK(breaker.stats().success_count == 0);
    CHECK(breaker.stats().failure_count == 1);
    CHECK(breaker.state() == State::open);
  }
  SECTION("also with a fallback") {
    CHECK(breaker.execute(slow_op(clock, 1h), [] { return 0; }, {.timeout = 10s}) == 7);
    CHECK(breaker.stats().failure_count == 1);
  }
  SECTION("a void call") {
    breaker.execute([&] { clock.advance(1h); }, {.timeout = 10s});
    CHECK(breaker.stats().failure_count == 1);
  }
  SECTION("a reference and a move-only value") {
    int object = 0;
    CHECK(&breaker.execute(
              [&]() -> int& {
                clock.advance(1h);
                return object;
              },
              {.timeout = 10s}) == &object);
    breaker.reset();
    CHECK(*breaker.execute(
              [&] {
                clock.advance(1h);
                return std::make_unique<int>(3);
              },
              {.timeout = 10s}) == 3);
    CHECK(breaker.stats().failure_count == 1);
  }
}

TEST_CASE("B12 T1 lateness is measured on the fine clock, whatever the coarse one says", "[B12][T1]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  Breaker breaker{"b", {}, clock};
  breaker.execute(slow_op(clock, 10s), {.timeout = 10s});
  CHECK(breaker.stats().failure_count == 0);
  breaker.execute(slow_op(clock, 10s + 1ns), {.timeout = 10s});
  CHECK(breaker.stats().failure_count == 1);
}

TEST_CASE("B12 a late exception goes through and is a failure, whatever classify would say", "[B12]") {
  test::FakeClock clock;
  const auto fine = [](const Failure&) { return Outcome::success; };
  Breaker breaker{"b", {.classify = fine}, clock};
  CHECK_THROWS_AS(breaker.execute(slow_throw(clock, 10s, ApiError{ErrorCode::not_found}), {.timeout = 10s}),
                  ApiError);
  CHECK(breaker.stats().success_count == 1);
  CHECK_THROWS_AS(
      breaker.execute(slow_throw(clock, 10s + 1ns, ApiError{ErrorCode::not_found}), {.timeout = 10s}),
      ApiError);
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().failure_count == 1);
  CHECK(breaker.execute(slow_throw(clock, 1h, 42), [] { return 0; }, {.timeout = 10s}) == 0);
  CHECK(breaker.stats().failure_count == 2);
}

TEST_CASE("B12 a late failed value is a failure, whatever classify would say", "[B12]") {
  test::FakeClock clock;
  const auto mine = [](const Failure&) { return Outcome::ignored; };
  Breaker breaker{"b", {.classify = mine}, clock};
  const auto op = [&] {
    clock.advance(1h);
    return Expected{support::Unexpected{make_error_code(ErrorCode::not_found)}};
  };
  CHECK(breaker.execute(op).error() == ErrorCode::not_found);
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(breaker.execute(op, {.timeout = 1min}).error() == ErrorCode::not_found);
  CHECK(breaker.execute(op, [] { return Expected{1}; }, {.timeout = 1min}).value() == 1);
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(breaker.stats().failure_count == 2);
}

TEST_CASE("B12 classify is not asked about a late call", "[B12]") {
  test::FakeClock clock;
  const auto throws = [](const Failure&) -> Outcome { throw std::domain_error{"classify"}; };
  Breaker breaker{"b", {.classify = throws}, clock};
  CHECK_THROWS_AS(breaker.execute(slow_throw(clock, 2s, 42), {.timeout = 1s}), int);
  CHECK_THROWS_AS(breaker.execute(slow_throw(clock, 1s, 42), {.timeout = 1s}), std::domain_error);
  CHECK(breaker.stats().failure_count == 1);
  CHECK(breaker.stats().ignored_count == 1);
}

TEST_CASE("B12 a cancellation or a rejection is ignored, however late", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  CHECK_THROWS_AS(breaker.execute(slow_throw(clock, 1h, CancelledError{}), {.timeout = 1s}), CancelledError);
  CHECK_THROWS_AS(breaker.execute(slow_throw(clock, 1h, BulkheadFullError{}), {.timeout = 1s}),
                  BulkheadFullError);
  const auto cancelled = [&] {
    clock.advance(1h);
    return std::make_error_code(std::errc::operation_canceled);
  };
  CHECK(breaker.execute(cancelled, [] { return std::error_code{}; }, {.timeout = 1s}) ==
        std::errc::operation_canceled);
  CHECK(breaker.stats().ignored_count == 3);
  CHECK(breaker.stats().failure_count == 0);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B12 a late probe is a failed one", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 30s}, clock};
  std::vector<StateChangeReason> reasons;
  const auto subscription =
      breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
  trip_and_wait(breaker);
  CHECK(breaker.execute(slow_op(clock, 1s + 1ns), {.timeout = 1s}) == 7);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.retry_after() == 30s);
  CHECK(reasons.back() == StateChangeReason::probe_failed);
  clock.advance(30s);
  CHECK(breaker.execute(slow_op(clock, 1s), {.timeout = 1s}) == 7);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B7 B12 a nested call has its own Deadline and reports nothing, even if late", "[B7][B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}, clock};
  trip_and_wait(breaker);
  const auto before = breaker.stats();
  std::optional<Deadline> seen;
  const auto inner = [&](Deadline deadline) {
    seen = deadline;
    clock.advance(5s);
    return 1;
  };
  const auto start = clock.now();
  CHECK(breaker.execute([&] { return breaker.execute(inner, {.timeout = 1s}); }) == 1);
  CHECK(seen == Deadline{start + 1s});
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_count == before.failure_count);
  CHECK(breaker.stats().success_count == before.success_count + 1);
}

TEST_CASE("B12 a rejected call is never late", "[B12]") {
  Breaker breaker{"b"};
  breaker.force_open();
  CHECK_THROWS_AS(breaker.execute([] {}, {.timeout = 1ns}), CircuitOpenError);
  CHECK(breaker.execute([] { return 1; }, [] { return 2; }, {.timeout = 1ns}) == 2);
  CHECK(breaker.stats().failure_count == 0);
}

TEST_CASE("B12 a retry may be late as a whole", "[B12]") {
  test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  int calls = 0;
  const auto flaky = [&] {
    if (++calls < 3) throw ApiError{ErrorCode::service_unavailable};
    return calls;
  };
  const RetryConfig config{.max_retries = 3, .base_delay = 2s, .jitter = Jitter::none};
  auto result = breaker.execute([&] { return retry_with_backoff(flaky, config, clock); }, {.timeout = 5s});
  CHECK(result.value() == 3);
  CHECK(result.stats.total_delay == 6s);
  CHECK(breaker.stats().failure_count == 1);
}
