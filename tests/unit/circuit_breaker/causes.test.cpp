// The failure behind a change, a rejection and the stats (B18), and how a permit reports one (R14).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_fixture.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::BreakerFixture;

namespace {

std::string text(const std::optional<Failure>& failure) { return failure ? failure->message() : "none"; }

/// What a rejection says.
CircuitOpenError rejection(Breaker& breaker) {
  try {
    breaker.execute([] {});
  } catch (const CircuitOpenError& error) {
    return error;
  }
  FAIL("not rejected");
  return CircuitOpenError{};
}

const Failure gateway_timeout = Failure::from_status(504);

}  // namespace

TEST_CASE("B18 a change that opens carries the failure that opened, and no other change does", "[B18]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 2, .success_threshold = 1, .reset_timeout = 10s}, clock};
  std::vector<std::string> causes;
  const auto subscription = breaker.on_state_change([&](const StateChange& change) {
    causes.push_back(std::string{to_string(change.to)} + ": " + text(change.cause));
  });
  CHECK_THROWS(breaker.execute([] { throw std::runtime_error{"first"}; }));
  CHECK_THROWS(breaker.execute([] { throw std::runtime_error{"second"}; }));
  clock.advance(10s);
  breaker.try_acquire().report(gateway_timeout);
  clock.advance(10s);
  breaker.try_acquire().failure();
  clock.advance(10s);
  breaker.execute([] {});
  breaker.force_open();
  breaker.disable();
  breaker.reset();
  CHECK(causes == std::vector<std::string>{"open: second", "half-open: none",
                                           "open: " + gateway_timeout.message(), "half-open: none",
                                           "open: none", "half-open: none", "closed: none",
                                           "forced-open: none", "disabled: none", "closed: none"});
}

TEST_CASE("B18 the cause is a value, an exception, or a call that came too late", "[B18]") {
  BreakerFixture fixture{support::brittle};
  Breaker& breaker = fixture.breaker;
  SECTION("a value") {
    breaker.execute([] { return std::make_error_code(std::errc::connection_refused); });
    CHECK(breaker.stats().last_failure->code() == std::errc::connection_refused);
  }
  SECTION("a value that failure_if judges") {
    breaker.execute([] { return 7; }, failure_if([](int value) { return value == 7; }));
    CHECK(breaker.stats().last_failure.has_value());
  }
  SECTION("an exception") {
    CHECK_THROWS(breaker.execute([] { throw std::system_error{7, std::generic_category()}; }));
    CHECK(breaker.stats().last_failure->code() == std::error_code{7, std::generic_category()});
    CHECK(breaker.stats().last_failure->exception());
  }
  SECTION("a success that came too late") {
    breaker.execute([&] { fixture.clock.advance(3s); }, CallOptions{.timeout = 2s});
    CHECK(breaker.stats().last_failure->is_timeout());
  }
  CHECK(text(fixture.breaker.stats().last_failure) == text(rejection(breaker).cause()));
}

TEST_CASE("B18 a slow success opens without a cause", "[B18]") {
  BreakerFixture fixture{
      {.slow_calls = SlowCalls{.slower_than = 1s, .minimum_calls = 1, .window = last_calls(1)}}};
  fixture.breaker.execute([&] { fixture.clock.advance(2s); });
  CHECK(fixture.breaker.state() == State::open);
  CHECK_FALSE(fixture.breaker.stats().last_failure);
  CHECK_FALSE(rejection(fixture.breaker).cause());
}

TEST_CASE("B18 stats keep the failure of the last opening until reset()", "[B18]") {
  BreakerFixture fixture{{.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s}};
  Breaker& breaker = fixture.breaker;
  CHECK_FALSE(breaker.stats().last_failure);
  breaker.try_acquire().report(gateway_timeout);
  fixture.clock.advance(10s);
  CHECK(breaker.stats().last_failure->status() == 504);
  breaker.execute([] {});
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().last_failure->status() == 504);
  breaker.try_acquire().report(Failure::from_status(500));
  CHECK(breaker.stats().last_failure->status() == 500);
  breaker.reset();
  CHECK_FALSE(breaker.stats().last_failure);
}

TEST_CASE("B18 a rejection says in which state the breaker was, and why it opened", "[B18]") {
  BreakerFixture fixture{support::brittle};
  Breaker& breaker = fixture.breaker;
  breaker.try_acquire().report(gateway_timeout);
  CHECK(rejection(breaker).what() == std::string{"circuit breaker 'b' is open"});
  CHECK(rejection(breaker).cause()->status() == 504);
  fixture.clock.advance(10s);
  {
    const Permit probe = breaker.try_acquire();
    CHECK(rejection(breaker).what() ==
          std::string{"circuit breaker 'b' is half-open and admits no further probe"});
    CHECK(rejection(breaker).cause()->status() == 504);
  }
  breaker.force_open();
  CHECK(rejection(breaker).what() == std::string{"circuit breaker 'b' is forced open"});
  CHECK_FALSE(rejection(breaker).cause());
}

TEST_CASE("B18 every form of a rejection has the cause", "[B18]") {
  BreakerFixture fixture{support::brittle};
  Breaker& breaker = fixture.breaker;
  breaker.try_acquire().report(gateway_timeout);
  const CircuitOpenError thrown = rejection(breaker);
  SECTION("a copy, a sliced copy and one with other fields") {
    const ApiError sliced = thrown;
    CHECK(CircuitOpenError{sliced}.cause()->status() == 504);
    CHECK(thrown.with_path("/a").cause()->status() == 504);
  }
  SECTION("an expected that carries the error") {
    const auto result = breaker.execute([] { return support::Expected<int, CircuitOpenError>{1}; });
    CHECK(result.error().cause()->status() == 504);
  }
  SECTION("the failure that a fallback gets") {
    breaker.execute([] {},
                    [](const Failure& failure) {
                      CHECK_THROWS_AS(failure.rethrow(), CircuitOpenError);
                      try {
                        failure.rethrow();
                      } catch (const CircuitOpenError& error) {
                        CHECK(error.cause()->status() == 504);
                      }
                    });
  }
  SECTION("a rejection of the opening before keeps its own") {
    fixture.clock.advance(10s);
    breaker.try_acquire().report(Failure::from_status(500));
    CHECK(thrown.cause()->status() == 504);
    CHECK(rejection(breaker).cause()->status() == 500);
  }
}

TEST_CASE("B18 a breaker remembers the causes of its last eight openings", "[B18]") {
  BreakerFixture fixture{support::brittle};
  Breaker& breaker = fixture.breaker;
  std::vector<CircuitOpenError> errors;
  for (int opening = 0; opening < 10; ++opening) {
    breaker.try_acquire().report(Failure::from_status(500 + opening));
    errors.push_back(rejection(breaker));
    fixture.clock.advance(10s);
  }
  CHECK_FALSE(errors[0].cause());
  CHECK_FALSE(errors[1].cause());
  for (int opening = 2; opening < 10; ++opening)
    CHECK(errors[static_cast<std::size_t>(opening)].cause()->status() == 500 + opening);
}

TEST_CASE("B18 an error made by hand has no cause", "[B18]") {
  CHECK_FALSE(CircuitOpenError{"b"}.cause());
  CHECK_FALSE(CircuitOpenError{ApiError{ErrorCode::not_found, "x"}}.cause());
}

TEST_CASE("R14 a permit reports a Failure, and the breaker's config says what it means", "[R14][B1]") {
  BreakerFixture fixture{support::brittle};
  struct Row {
    Failure failure;
    support::Counts counts;
  };
  for (const Row& row : {
           Row{Failure::from_status(503), {0, 1, 0}},
           Row{Failure::from_status(404), {1, 0, 0}},
           Row{Failure{make_error_code(PolicyErrc::cancelled)}, {0, 0, 1}},
           Row{Failure{make_error_code(PolicyErrc::circuit_open)}, {0, 0, 1}},
           Row{Failure{make_error_code(std::errc::timed_out)}, {0, 1, 0}},
       }) {
    CAPTURE(row.failure.message());
    Breaker breaker{"b", {}, fixture.clock};
    Permit permit = breaker.try_acquire();
    permit.report(row.failure);
    CHECK(support::counts_of(breaker) == row.counts);
    permit.report(row.failure);  // only the first report counts
    permit.success();
    CHECK(support::counts_of(breaker) == row.counts);
  }
}

TEST_CASE("R14 a classify that throws leaves the call ignored, and the exception passes", "[R14]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.classify = [](const Failure&) -> Outcome { throw 42; }}, clock};
  Permit permit = breaker.try_acquire();
  CHECK_THROWS_AS(permit.report(gateway_timeout), int);
  CHECK(support::counts_of(breaker) == support::Counts{0, 0, 1});
}

TEST_CASE("R14 a refused permit gives its error", "[R14][B1]") {
  BreakerFixture fixture{support::brittle, "payments"};
  Breaker& breaker = fixture.breaker;
  breaker.try_acquire().report(gateway_timeout);
  fixture.clock.advance(4s);
  Permit permit = breaker.try_acquire();
  REQUIRE_FALSE(permit);
  const RejectedError error = permit.rejection();
  CHECK(error.name() == "payments");
  CHECK(error.retry_after() == 6s);
  CHECK(error.reason() == PolicyErrc::circuit_open);
  CHECK(error.timestamp() == fixture.clock.wall_now());
  CHECK(CircuitOpenError{error}.cause()->status() == 504);
  permit.report(gateway_timeout);
  permit.failure();
  CHECK(breaker.stats().failure_count == 1);
  const Permit moved = std::move(permit);
  CHECK(moved.rejection().name() == "payments");
}

TEST_CASE("R14 a refused permit of a shared breaker has its error, also when the breaker is gone",
          "[R14][B1]") {
  const test::FakeClock clock;
  auto breaker = std::make_shared<Breaker>("payments", support::brittle, clock);
  breaker->try_acquire().report(gateway_timeout);
  clock.advance(4s);
  Permit refused = try_acquire(breaker);
  const auto refused_at = clock.wall_now();
  CHECK_FALSE(refused);
  const std::weak_ptr<Breaker> watch = breaker;
  breaker.reset();
  CHECK(watch.expired());
  clock.advance(1s);
  const Permit moved = std::move(refused);
  const RejectedError error = moved.rejection();
  CHECK(error.what() == std::string{"circuit breaker 'payments' is open"});
  CHECK(error.name() == "payments");
  CHECK(error.retry_after() == 6s);
  CHECK(error.timestamp() == refused_at);
  CHECK(CircuitOpenError{error}.cause()->status() == 504);
}

TEST_CASE("R14 a permit that no policy refused has a rejection without a name", "[R14]") {
  CHECK(Permit{}.rejection().name().empty());
  BreakerFixture fixture;
  CHECK(fixture.breaker.try_acquire().rejection().name().empty());
}
