// How an open breaker comes back: the wait that a dependency asks for (B15), forgiven probes (B16), and the
// growing share of calls (B17).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/breaker_fixture.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using support::Breaker;
using support::BreakerFixture;
using support::fail;
using support::succeed;

namespace {

void fail_with_retry_after(Breaker& breaker, milliseconds retry_after) {
  breaker.try_acquire().report(Failure::from_status(503, retry_after));
}

/// How many of `calls` calls that succeed at once are admitted.
int admitted(Breaker& breaker, int calls) {
  int count = 0;
  for (int i = 0; i < calls; ++i) {
    if (Permit permit = breaker.try_acquire()) {
      permit.success();
      ++count;
    }
  }
  return count;
}

/// Opens, waits and closes by one probe.
void recover(Breaker& breaker) {
  while (breaker.state() != State::open) fail(breaker);
  breaker.clock().advance(breaker.retry_after());
  succeed(breaker);
}

constexpr CircuitBreakerConfig recovering{
    .failure_threshold = 2, .success_threshold = 1, .reset_timeout = 5s, .recovery_time = 10s};

}  // namespace

TEST_CASE("B15 the wait is at least what the failure that opens asks, at most max_reset_timeout", "[B15]") {
  struct Row {
    nanoseconds reset_timeout;
    nanoseconds max_reset_timeout;
    bool honor_retry_after;
    milliseconds retry_after;
    nanoseconds wait;
  };
  const Row row = GENERATE(values<Row>({
      {10s, 10min, true, 30s, 30s},
      {10s, 10min, true, 10'001ms, 10'001ms},
      {10s, 10min, true, 9'999ms, 10s},
      {10s, 10min, true, 0ms, 10s},
      {10s, 10min, true, 24h, 10min},
      {10s, 10min, true, milliseconds::max(), 10min},
      {10s, 20s, true, 30s, 20s},
      {10s, 5s, true, 30s, 10s},
      {10s, 10min, false, 30s, 10s},
  }));
  CAPTURE(row.retry_after.count());
  BreakerFixture fixture{{.failure_threshold = 2,
                          .reset_timeout = row.reset_timeout,
                          .max_reset_timeout = row.max_reset_timeout,
                          .honor_retry_after = row.honor_retry_after}};
  fail(fixture.breaker);
  fail_with_retry_after(fixture.breaker, row.retry_after);
  CHECK(fixture.breaker.state() == State::open);
  CHECK(fixture.breaker.retry_after() == row.wait);
}

TEST_CASE("B15 only the failure that opens is asked, whichever rule opens", "[B15]") {
  SECTION("an earlier one is not") {
    BreakerFixture fixture{{.failure_threshold = 2, .reset_timeout = 10s}};
    fail_with_retry_after(fixture.breaker, 60s);
    fail(fixture.breaker);
    CHECK(fixture.breaker.retry_after() == 10s);
  }
  SECTION("a rate") {
    BreakerFixture fixture{{.failure_threshold = 0,
                            .reset_timeout = 10s,
                            .failure_rate = FailureRate{.minimum_calls = 2, .window = last_calls(2)}}};
    succeed(fixture.breaker);
    fail_with_retry_after(fixture.breaker, 60s);
    CHECK(fixture.breaker.retry_after() == 60s);
  }
  SECTION("a probe") {
    BreakerFixture fixture{support::brittle};
    fail(fixture.breaker);
    fixture.clock.advance(10s);
    fail_with_retry_after(fixture.breaker, 60s);
    CHECK(fixture.breaker.retry_after() == 60s);
  }
  SECTION("an exception of op") {
    BreakerFixture fixture{support::brittle};
    CHECK_THROWS(fixture.breaker.execute(
        [] { throw ApiError{ErrorCode::service_unavailable, "busy"}.with_retry_after(45s); }));
    CHECK(fixture.breaker.retry_after() == 45s);
  }
}

TEST_CASE("B15 jitter takes nothing off what the failure asks", "[B15]") {
  for (int i = 0; i < 20; ++i) {
    BreakerFixture fixture{{.failure_threshold = 1, .reset_timeout = 10s, .reset_jitter = 0.9}};
    fail_with_retry_after(fixture.breaker, 30s);
    REQUIRE(fixture.breaker.retry_after() == 30s);
  }
}

TEST_CASE("B16 a half-open breaker forgives half_open_max_failures failed probes", "[B16]") {
  const int forgiven = GENERATE(0, 1, 3);
  CAPTURE(forgiven);
  BreakerFixture fixture{{.failure_threshold = 1,
                          .success_threshold = 2,
                          .reset_timeout = 10s,
                          .half_open_max_failures = forgiven}};
  Breaker& breaker = fixture.breaker;
  fail(breaker);
  for (int half_open_state = 0; half_open_state < 2; ++half_open_state) {  // each forgives anew
    fixture.clock.advance(10s);
    for (int i = 0; i < forgiven; ++i) {
      fail(breaker);
      REQUIRE(breaker.state() == State::half_open);
    }
    succeed(breaker);
    REQUIRE((breaker.state() == State::half_open));  // one of two
    fail(breaker);
    REQUIRE(breaker.state() == State::open);
  }
  fixture.clock.advance(10s);
  for (int i = 0; i < forgiven; ++i) fail(breaker);
  succeed(breaker);
  succeed(breaker);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B16 a forgiven probe is counted, frees its slot and causes no event", "[B16]") {
  BreakerFixture fixture{{.failure_threshold = 1, .reset_timeout = 10s, .half_open_max_failures = 1}};
  fail(fixture.breaker);
  fixture.clock.advance(10s);
  fixture.changes.clear();
  fail(fixture.breaker);
  CHECK(fixture.breaker.stats().failure_count == 2);
  CHECK(fixture.changes.size() == 1);  // to half-open
  CHECK(fixture.breaker.try_acquire());
}

TEST_CASE("B16 a slow probe is one of those that are forgiven", "[B16]") {
  BreakerFixture fixture{{.failure_threshold = 1,
                          .success_threshold = 1,
                          .reset_timeout = 10s,
                          .half_open_max_failures = 1,
                          .slow_calls = SlowCalls{.slower_than = 1s}}};
  const auto slow_probe = [&] {
    Permit permit = fixture.breaker.try_acquire();
    fixture.clock.advance(2s);
    permit.success();
  };
  fail(fixture.breaker);
  fixture.clock.advance(10s);
  slow_probe();
  CHECK(fixture.breaker.state() == State::half_open);
  slow_probe();
  CHECK(fixture.breaker.state() == State::open);
}

TEST_CASE("B17 after probes closed it, a breaker admits a share that grows from 1/10 to all", "[B17]") {
  BreakerFixture fixture{recovering};
  recover(fixture.breaker);
  REQUIRE(fixture.breaker.state() == State::closed);
  struct Row {
    nanoseconds after;
    int of_thousand;
  };
  nanoseconds now{0};
  for (const Row& row : {Row{0s, 100}, Row{1s, 190}, Row{5s, 550}, Row{9s, 910}, Row{10s - 1ns, 999},
                         Row{10s, 1000}, Row{11s, 1000}}) {
    fixture.clock.advance(row.after - now);
    now = row.after;
    CAPTURE(now.count());
    const int count = admitted(fixture.breaker, 1000);
    CHECK(count >= row.of_thousand - 1);
    CHECK(count <= row.of_thousand + 1);
  }
}

TEST_CASE("B17 the first call of a recovery is admitted", "[B17]") {
  BreakerFixture fixture{recovering};
  for (int i = 0; i < 3; ++i) {
    recover(fixture.breaker);
    CHECK(admitted(fixture.breaker, 1) == 1);
    CHECK(admitted(fixture.breaker, 9) == 0);
    CHECK(admitted(fixture.breaker, 1) == 1);
  }
}

TEST_CASE("B17 a call beyond the share is rejected, counted, and says that the breaker is recovering",
          "[B17]") {
  BreakerFixture fixture{recovering};
  recover(fixture.breaker);
  succeed(fixture.breaker);
  const auto rejected = fixture.breaker.stats().rejected_count;
  try {
    fixture.breaker.execute([] { FAIL("called"); });
    FAIL("not rejected");
  } catch (const CircuitOpenError& error) {
    CHECK(error.what() == std::string{"circuit breaker 'b' is recovering"});
    CHECK(error.retry_after() == 0s);
  }
  CHECK(fixture.breaker.stats().rejected_count == rejected + 1);
  CHECK(fixture.breaker.execute([] { return 1; }, [] { return 2; }) == 2);
  CHECK(fixture.breaker.state() == State::closed);
}

TEST_CASE("B17 a recovering breaker opens by its rules, and the next recovery begins anew", "[B17]") {
  BreakerFixture fixture{recovering};
  recover(fixture.breaker);
  fixture.clock.advance(9s);
  while (fixture.breaker.state() == State::closed) fail(fixture.breaker);
  CHECK(fixture.breaker.stats().consecutive_failures == 2);
  fixture.clock.advance(5s);
  succeed(fixture.breaker);
  CHECK(admitted(fixture.breaker, 100) <= 11);
}

TEST_CASE("B17 a success ends the failure streak of a recovering breaker", "[B17]") {
  BreakerFixture fixture{recovering};
  recover(fixture.breaker);
  fixture.clock.advance(9s);
  for (int i = 0; i < 20; ++i) {
    if (Permit permit = fixture.breaker.try_acquire()) permit.failure();
    admitted(fixture.breaker, 3);
  }
  CHECK(fixture.breaker.state() == State::closed);
}

TEST_CASE("B17 reset() closes without a recovery, and without recovery_time there is none", "[B17]") {
  SECTION("reset") {
    BreakerFixture fixture{recovering};
    recover(fixture.breaker);
    fixture.breaker.reset();
  }
  SECTION("reset of an open breaker") {
    BreakerFixture fixture{recovering};
    support::trip(fixture.breaker);
    fixture.breaker.reset();
    CHECK(admitted(fixture.breaker, 100) == 100);
  }
  SECTION("no recovery_time") {
    auto config = recovering;
    config.recovery_time = 0s;
    BreakerFixture fixture{config};
    recover(fixture.breaker);
    CHECK(admitted(fixture.breaker, 100) == 100);
  }
}

TEST_CASE("B17 a recovery of a fraction of a second goes by the fine clock", "[B17]") {
  auto config = recovering;
  config.recovery_time = 100ms;
  BreakerFixture fixture{config};
  recover(fixture.breaker);
  fixture.clock.advance(50ms);
  const int count = admitted(fixture.breaker, 100);
  CHECK(count >= 54);
  CHECK(count <= 56);
  fixture.clock.advance(50ms);
  CHECK(admitted(fixture.breaker, 100) == 100);
}

TEST_CASE("B17 a recovery as long as time goes does no harm", "[B17]") {
  auto config = recovering;
  config.recovery_time = nanoseconds::max();
  BreakerFixture fixture{config};
  recover(fixture.breaker);
  fixture.clock.advance(std::chrono::hours{24 * 365});
  CHECK(admitted(fixture.breaker, 1000) <= 105);
}
