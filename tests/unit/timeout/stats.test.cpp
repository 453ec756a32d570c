#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <type_traits>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

TEST_CASE("D10 stats count calls, timeouts and late values, and copies share them", "[D10]") {
  const FakeClock clock;
  auto timeout = attempt_timeout(10s, clock);
  auto copy = timeout;
  CHECK(timeout.execute([] { return 1; }) == 1);
  CHECK_THROWS_AS(copy.execute([&](std::stop_token token) {
    clock.sleep_for(1h, token);
    throw CancelledError{};
  }),
                  TimeoutError);
  CHECK_THROWS_AS(copy.execute([] { throw std::runtime_error{"down"}; }), std::runtime_error);
  CHECK(copy.execute([&](std::stop_token token) { return clock.sleep_for(1h, token) ? 1 : 2; }) == 2);
  const TimeoutStats stats = timeout.stats();
  CHECK(stats.calls == 4);
  CHECK(stats.timed_out == 1);
  CHECK(stats.late == 1);
  CHECK(copy.stats().calls == 4);
  CHECK(timeout.limit() == 10s);
}

TEST_CASE("D10 counts of threads add up", "[D10]") {
  const FakeClock clock;
  auto timeout = total_timeout(10s, clock);
  support::run_together(4, [&](int) {
    for (int n = 0; n < 500; ++n) {
      timeout.execute([](std::stop_token) {});
      clock.advance(1ms);
    }
  });
  CHECK(timeout.stats().calls == 2000);
}

TEST_CASE("D10 a stop of the caller's makes no value late, and a value in time is not late", "[D10]") {
  const FakeClock clock;
  auto timeout = attempt_timeout(10s, clock);
  std::stop_source caller;
  CHECK(timeout.execute(
            [&](std::stop_token token) {
              caller.request_stop();
              CHECK(token.stop_requested());
              return 3;
            },
            caller.get_token()) == 3);
  CHECK(timeout.execute([&](std::stop_token) { return clock.sleep_for(9s); }));
  CHECK(timeout.stats().late == 0);
}

TEST_CASE("D10 new stats are all 0", "[D10]") {
  STATIC_REQUIRE(std::is_aggregate_v<TimeoutStats>);
  const TimeoutStats stats = total_timeout(1s).stats();
  CHECK(stats.calls == 0);
  CHECK(stats.timed_out == 0);
  CHECK(stats.late == 0);
}
