#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <memory>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

TEST_CASE("M2 timeouts with the same counts count together", "[M2]") {
  FakeClock clock;
  const auto counts = std::make_shared<TimeoutCounts>("orders");
  auto total = total_timeout(1s, counts, clock);
  auto attempt = attempt_timeout(2s, counts, clock);
  const auto too_long = [&](std::stop_token stop) {
    clock.advance(3s);
    if (stop.stop_requested()) throw CancelledError{"stopped"};
  };
  CHECK_THROWS_AS(total.execute(too_long), TimeoutError);
  CHECK_THROWS_AS(attempt.execute(too_long), TimeoutError);
  attempt.execute([] {});
  CHECK(attempt.execute([&](std::stop_token) {
    clock.advance(3s);
    return 7;
  }) == 7);
  CHECK(counts->stats().calls == 4);
  CHECK(counts->stats().timed_out == 2);
  CHECK(counts->stats().late == 1);
  CHECK(total.stats().calls == 4);
  CHECK(counts->name() == "orders");
}

TEST_CASE("M2 a timeout keeps its counts alive, and without any counts by itself", "[M2]") {
  auto counts = std::make_shared<TimeoutCounts>("orders");
  auto timeout = total_timeout(1s, counts);
  const std::weak_ptr<TimeoutCounts> watched = counts;
  counts = nullptr;
  CHECK_FALSE(watched.expired());
  timeout.execute([] {});
  CHECK(watched.lock()->stats().calls == 1);
  auto alone = total_timeout(1s);
  alone.execute([] {});
  CHECK(alone.stats().calls == 1);
}

TEST_CASE("M2 a bad limit is refused, with counts too", "[M2]") {
  const auto counts = std::make_shared<TimeoutCounts>("orders");
  CHECK_THROWS_WITH(total_timeout(0s, counts), "Timeout.limit must be above 0, got 0s");
  CHECK_THROWS_WITH(attempt_timeout(-1s, counts), "Timeout.limit must be above 0, got -1s");
}

TEST_CASE("M2 counts of timeouts have a name", "[M2]") {
  CHECK_THROWS_WITH(TimeoutCounts{""}, "TimeoutCounts.name must not be empty, got \"\"");
  CHECK_THROWS_WITH(TimeoutCounts{std::string(513, 'n')},
                    "TimeoutCounts.name must be at most 512 bytes, got 513");
}
