#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::trip;
using support::trip_and_wait;

namespace {

/// Expected-like without an unexpected_type, made from a code by an explicit constructor.
class ExplicitResult {
 public:
  explicit ExplicitResult(std::error_code error) : error_{error} {}
  [[nodiscard]] bool has_value() const { return !error_; }
  [[nodiscard]] std::error_code error() const { return error_; }

 private:
  std::error_code error_;
};

/// Its unexpected_type is an aggregate, as hand-written ones often are.
struct AggregateUnexpected {
  struct unexpected_type {
    std::error_code error;
  };
  AggregateUnexpected(int number) : value{number} {}                             // NOLINT(*-explicit-*)
  AggregateUnexpected(unexpected_type unexpected) : failed{unexpected.error} {}  // NOLINT(*-explicit-*)
  [[nodiscard]] bool has_value() const { return !failed; }
  [[nodiscard]] std::error_code error() const { return failed; }
  int value = 0;
  std::error_code failed;
};

/// Its unexpected_type cannot be made from its error.
struct OddUnexpected {
  struct unexpected_type {};
  OddUnexpected(int) {}  // NOLINT(*-explicit-*)
  [[nodiscard]] static bool has_value() { return true; }
  [[nodiscard]] static std::error_code error() { return {}; }
};

template <class E>
using Expected = support::Expected<int, E>;

template <class T>
T never_called() {
  throw std::logic_error{"op was called"};
}

/// Opened `ago` before, with 30 s to wait.
std::unique_ptr<Breaker> open_breaker(std::chrono::nanoseconds ago = 0s) {
  auto breaker = std::make_unique<Breaker>(
      "payments", CircuitBreakerConfig{.failure_threshold = 1, .reset_timeout = 30s});
  trip(*breaker);
  breaker->clock().advance(ago);
  return breaker;
}

}  // namespace

TEST_CASE("B9 a rejected call is not made and throws CircuitOpenError", "[B9]") {
  const auto breaker = open_breaker();
  int calls = 0;
  CHECK_THROWS_AS(breaker->execute([&] { ++calls; }), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute([&] { return ++calls; }), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute([&]() -> int& { return ++calls; }), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute([&] { return std::make_unique<int>(++calls); }), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute([&] { return ++calls; }, failure_if([](const int&) { return true; })),
                  CircuitOpenError);
  CHECK(calls == 0);
  CHECK(breaker->stats().rejected_count == 5);
}

TEST_CASE("B9 CircuitOpenError carries the name, the message, retry_after and the breaker's time", "[B9]") {
  const auto breaker = open_breaker(10s);
  const auto wall = std::chrono::system_clock::time_point{1'234'567'890s};
  breaker->clock().set_wall(wall);
  try {
    breaker->execute([] {});
    FAIL("nothing was thrown");
  } catch (const CircuitOpenError& error) {
    CHECK(error.name() == "payments");
    CHECK(error.what() == std::string{"circuit breaker 'payments' is open"});
    CHECK(error.message() == "circuit breaker 'payments' is open");
    CHECK(error.code() == ErrorCode::service_unavailable);
    CHECK(error.category() == ErrorCategory::external_service);
    CHECK(error.reason() == PolicyErrc::circuit_open);
    CHECK(error.retry_after() == 20s);
    CHECK(error.timestamp() == wall);
    CHECK_FALSE(error.is_upstream());
  }
}

TEST_CASE("B9 CircuitOpenError is caught as what it derives from", "[B9]") {
  const auto breaker = open_breaker();
  CHECK_THROWS_AS(breaker->execute([] {}), RejectedError);
  CHECK_THROWS_AS(breaker->execute([] {}), ApiError);
  CHECK_THROWS_AS(breaker->execute([] {}), std::runtime_error);
}

TEST_CASE("B9 retry_after is rounded up to whole seconds", "[B9]") {
  struct Row {
    std::chrono::nanoseconds ago;
    std::chrono::seconds retry_after;
  };
  for (const auto& [ago, retry_after] :
       {Row{0s, 30s}, Row{1ns, 30s}, Row{1s - 1ns, 30s}, Row{1s, 29s}, Row{1s + 1ns, 29s}, Row{29s - 1ns, 2s},
        Row{29s, 1s}, Row{30s - 1ns, 1s}}) {
    CAPTURE(ago.count());
    const auto breaker = open_breaker(ago);
    try {
      breaker->execute([] {});
      FAIL("nothing was thrown");
    } catch (const CircuitOpenError& error) {
      CHECK(error.retry_after() == retry_after);
    }
    CHECK(breaker->execute(never_called<int>, [](const Failure& failure) {
      return static_cast<int>(failure.retry_after().value() / 1ms);
    }) == retry_after / 1ms);
    CHECK(breaker->retry_after() == 30s - ago);
  }
}

TEST_CASE("B9 in half-open and in forced-open a rejection's retry_after is 0", "[B9]") {
  Breaker breaker{"payments", {.failure_threshold = 1}};
  const auto rejected = [&] {
    try {
      breaker.execute([] {});
    } catch (const CircuitOpenError& error) {
      CHECK(error.name() == "payments");
      return error.retry_after();
    }
    return std::optional<std::chrono::milliseconds>{};
  };
  trip_and_wait(breaker);
  {
    const Permit probe = breaker.try_acquire();
    CHECK(rejected() == 0s);
    CHECK(breaker.execute(never_called<std::error_code>) == PolicyErrc::circuit_open);
    CHECK(breaker.execute(never_called<int>, [] { return 5; }) == 5);
    CHECK(breaker.state() == State::half_open);
  }
  breaker.force_open();
  CHECK(rejected() == 0s);
  CHECK(breaker.execute(never_called<std::error_code>) == PolicyErrc::circuit_open);
  CHECK(breaker.execute(never_called<int>, [] { return 6; }) == 6);
}

TEST_CASE("B9 a rejection records no outcome, whatever form it takes", "[B9]") {
  const auto breaker = open_breaker();
  const auto before = breaker->stats();
  breaker->clock().advance(1s);
  CHECK_THROWS_AS(breaker->execute([] {}), CircuitOpenError);
  (void)breaker->execute(never_called<std::error_code>);
  (void)breaker->execute(never_called<int>, [] { return 0; });
  (void)breaker->try_acquire();
  const auto after = breaker->stats();
  CHECK(after.rejected_count == 4);
  CHECK(after.failure_count == before.failure_count);
  CHECK(after.success_count == before.success_count);
  CHECK(after.ignored_count == before.ignored_count);
  CHECK(after.consecutive_failures == before.consecutive_failures);
  CHECK(after.failure_rate == before.failure_rate);
  CHECK(after.last_failure_time == before.last_failure_time);
  CHECK(after.last_success_time == before.last_success_time);
  CHECK(after.retry_after == 29s);
}

TEST_CASE("B9 the value of the fallback comes before a result that could carry the rejection", "[B9]") {
  const auto breaker = open_breaker();
  CHECK(breaker->execute(never_called<std::error_code>, [] { return std::error_code{}; }) ==
        std::error_code{});
  CHECK(breaker->execute(never_called<Expected<std::error_code>>, [] { return 3; }).value() == 3);
}

TEST_CASE("B9 a result type that can carry the rejection does, and the error is the breaker's", "[B9]") {
  const auto breaker = open_breaker(1ns);
  CHECK(breaker->execute(never_called<std::error_code>) == PolicyErrc::circuit_open);
  CHECK(breaker->execute(never_called<Expected<std::error_code>>).error() == PolicyErrc::circuit_open);
  CHECK(breaker->execute(never_called<ExplicitResult>).error() == PolicyErrc::circuit_open);
  CHECK(breaker->execute(never_called<AggregateUnexpected>).error() == PolicyErrc::circuit_open);
  CHECK(breaker->execute(never_called<Expected<Failure>>).error().retry_after() == 30s);

  const auto whole = breaker->execute(never_called<Expected<CircuitOpenError>>);
  CHECK_FALSE(whole.has_value());
  CHECK(whole.error().name() == "payments");
  CHECK(whole.error().message() == "circuit breaker 'payments' is open");
  CHECK(whole.error().retry_after() == 30s);
  CHECK(whole.error().timestamp() == breaker->clock().wall_now());

  breaker->reset();
  CHECK(breaker->execute([] { return AggregateUnexpected{1}; }).value == 1);
}

TEST_CASE("B9 a result type that cannot carry the rejection, or a reference, gets it thrown", "[B9]") {
  const auto breaker = open_breaker();
  CHECK_THROWS_AS(breaker->execute(never_called<Expected<int>>), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute(never_called<Expected<std::string>>), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute(never_called<OddUnexpected>), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute(never_called<std::error_code&>), CircuitOpenError);
  CHECK_THROWS_AS(breaker->execute(never_called<Expected<std::error_code>&>), CircuitOpenError);
}

TEST_CASE("B9 R19 a RetryResult carries the rejection with 0 attempts, and its value() rethrows it",
          "[B9][R19]") {
  const auto breaker = open_breaker(500ms);
  auto result = breaker->execute([] { return retry_with_backoff([] { return 1; }); });
  static_assert(std::is_same_v<decltype(result), RetryResult<int>>);
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 0);
  CHECK(result.stats.total_delay == 0ns);
  CHECK(result.stats.errors.empty());
  CHECK(result.stats.stop_reason == StopReason::not_retryable);
  CHECK(result.error().is_rejection());
  CHECK(result.error().code() == PolicyErrc::circuit_open);
  CHECK(result.error().retry_after() == 30s);
  CHECK(result.error().message() == "circuit breaker 'payments' is open");
  CHECK_THROWS_AS(result.value(), CircuitOpenError);
  CHECK_THROWS_AS(std::as_const(result).value(), CircuitOpenError);
  CHECK_THROWS_AS(*result, CircuitOpenError);
  CHECK_THROWS_AS(std::move(result).value(), CircuitOpenError);
  const auto convert = [&] {
    const int value = breaker->execute([] { return retry_with_backoff([] { return 1; }); });
    return value;
  };
  CHECK_THROWS_AS(convert(), CircuitOpenError);
  try {
    (void)convert();
  } catch (const CircuitOpenError& error) {
    CHECK(error.name() == "payments");
    CHECK(error.retry_after() == 30s);
    CHECK(error.timestamp() == breaker->clock().wall_now());
  }
}

TEST_CASE("B9 RetryResults of void, references, move-only and expected types carry the rejection", "[B9]") {
  const auto breaker = open_breaker();
  const auto check = [](auto result) {
    CHECK_FALSE(result.has_value());
    CHECK(result.stats.attempts == 0);
    CHECK(result.error().code() == PolicyErrc::circuit_open);
    CHECK_THROWS_AS(result.value(), CircuitOpenError);
  };
  check(breaker->execute([] { return retry_with_backoff([] {}); }));
  check(breaker->execute([] { return retry_with_backoff(never_called<int&>); }));
  check(breaker->execute([] { return retry_with_backoff(never_called<std::unique_ptr<int>>); }));
  check(breaker->execute([] { return retry_with_backoff(never_called<Expected<std::error_code>>); }));
  check(breaker->execute([] { return try_retry_with_backoff([] { return 1; }); }));
}

TEST_CASE("B9 F2 a rejection inside op is ignored by the outer breaker, thrown or carried in a value",
          "[B9][F2]") {
  const auto inner = open_breaker();
  Breaker outer{"outer", {.failure_threshold = 1}};
  CHECK_THROWS_AS(outer.execute([&] { inner->execute([] {}); }), CircuitOpenError);
  (void)outer.execute([&] { return inner->execute(never_called<std::error_code>); });
  (void)outer.execute([&] { return inner->execute(never_called<Expected<ApiError>>); });
  (void)outer.execute([&] { return inner->execute([] { return retry_with_backoff([] { return 1; }); }); });
  CHECK(outer.stats().ignored_count == 4);
  CHECK(outer.state() == State::closed);
}

TEST_CASE("B9 B21 a slow probe counts as a success and as slow, and opens again with the reason slow_calls",
          "[B9][B21]") {
  test::FakeClock clock;
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = 1,
                   .reset_timeout = 30s,
                   .reset_backoff = 2.0,
                   .slow_calls = SlowCalls{.slower_than = 2s}},
                  clock};
  std::optional<StateChange> last;
  const auto subscription = breaker.on_state_change([&](const StateChange& change) { last = change; });
  trip_and_wait(breaker);
  breaker.execute([&] { clock.advance(2s + 1ns); });
  CHECK(breaker.state() == State::open);
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().failure_count == 1);
  CHECK(breaker.stats().slow_count == 1);
  CHECK(breaker.stats().opened_count == 2);
  CHECK(breaker.retry_after() == 60s);
  REQUIRE(last);
  CHECK(last->reason == StateChangeReason::slow_calls);

  clock.advance(60s);
  breaker.execute([&] { clock.advance(2s); });
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().slow_count == 1);
}

TEST_CASE("B9 B21 a slow probe that failed counts as both, and opens again with the reason probe_failed",
          "[B9][B21]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .slow_calls = SlowCalls{.slower_than = 2s}}, clock};
  std::optional<StateChange> last;
  const auto subscription = breaker.on_state_change([&](const StateChange& change) { last = change; });
  trip_and_wait(breaker);
  Permit probe = breaker.try_acquire();
  clock.advance(2s + 1ns);
  probe.failure();
  CHECK(breaker.stats().failure_count == 2);
  CHECK(breaker.stats().success_count == 0);
  CHECK(breaker.stats().slow_count == 1);
  REQUIRE(last);
  CHECK(last->reason == StateChangeReason::probe_failed);
}

TEST_CASE("B3 a slow probe that is ignored is not slow", "[B3]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .slow_calls = SlowCalls{.slower_than = 2s}}, clock};
  trip_and_wait(breaker);
  Permit probe = breaker.try_acquire();
  clock.advance(1h);
  probe.ignore();
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.stats().slow_count == 0);
}
