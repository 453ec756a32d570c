#include <fusebox/adapters/libpq.hpp>
#include <fusebox/adapters/libpq/config.hpp>
#include <fusebox/test/fake_clock.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("H62 a deadline becomes a statement_timeout, never 0", "[H62]") {
  test::FakeClock clock;
  const auto after = [&](std::chrono::nanoseconds time) { return Deadline::after(time, clock); };
  CHECK(pq::statement_timeout_of(after(1500ms)) == 1500);
  CHECK(pq::statement_timeout_of(after(1ns)) == 1);
  CHECK(pq::statement_timeout_of(after(1ms + 1ns)) == 2);
  CHECK(pq::statement_timeout_of(after(10s), 2s) == 2000);
  CHECK(pq::statement_timeout_of(Deadline::never()) == 86'400'000);
  const Deadline passed = after(1s);
  clock.advance(2s);
  CHECK(pq::statement_timeout_of(passed) == 1);
}

TEST_CASE("H62 a deadline becomes a connect_timeout, at least libpq's 2 seconds", "[H62]") {
  test::FakeClock clock;
  CHECK(pq::connect_timeout_of(Deadline::after(1ms, clock)) == 2);
  CHECK(pq::connect_timeout_of(Deadline::after(2001ms, clock)) == 3);
  CHECK(pq::connect_timeout_of(Deadline::never(), 5s) == 5);
}

TEST_CASE("C3 what a connection to PostgreSQL accepts", "[C3]") {
  CHECK(validate(pq::ConnectionConfig{}).empty());
  CHECK(validate(pq::ConnectionConfig{.statement_timeout = no_timeout}).empty());
  CHECK(validate(pq::ConnectionConfig{.connect_timeout = 0ns}) ==
        "pq::ConnectionConfig.connect_timeout must be above 0, got 0s");
  CHECK(validate(pq::ConnectionConfig{.statement_timeout = -5s}) ==
        "pq::ConnectionConfig.statement_timeout must be above 0, got -5s");
  CHECK(validate(pq::ConnectionConfig{.cancel_timeout = 0ns}) ==
        "pq::ConnectionConfig.cancel_timeout must be above 0, got 0s");
  CHECK_THROWS_AS(pq::Connection({.connect_timeout = 0ns}), ConfigError);
}
