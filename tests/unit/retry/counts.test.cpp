#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/allocations.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {
[[noreturn]] void time_out() { throw std::system_error{std::make_error_code(std::errc::timed_out)}; }
}  // namespace

TEST_CASE("M2 each attempt counts once, by how it ended", "[M2]") {
  const auto counts = std::make_shared<RetryCounts>("orders");
  auto twice = retry({.max_retries = 2}, counts, FakeClock{});
  int calls = 0;
  CHECK(twice.execute([&] {
    if (++calls < 3) time_out();
    return calls;
  }) == 3);
  CHECK(counts->stats() == RetryCountsStats{.calls = 1, .succeeded = 1, .failed = 2, .ignored = 0});
  CHECK_THROWS_AS(twice.execute([] { time_out(); }), std::system_error);
  CHECK(counts->stats() == RetryCountsStats{.calls = 2, .succeeded = 1, .failed = 5, .ignored = 0});
  CHECK_THROWS_AS(twice.execute([] { throw CancelledError{"enough"}; }), CancelledError);
  CHECK(counts->stats() == RetryCountsStats{.calls = 3, .succeeded = 1, .failed = 5, .ignored = 1});
}

TEST_CASE("M2 an attempt that a policy inside rejects, or that a refused config ends, is ignored", "[M2]") {
  const FakeClock clock;
  const auto counts = std::make_shared<RetryCounts>("orders");
  CircuitBreaker breaker{"b", {}, clock};
  breaker.force_open();
  const auto call = compose(retry({.max_retries = 2}, clock, counts), breaker);
  CHECK_THROWS_AS(call.execute([] { return 1; }), CircuitOpenError);
  CHECK(counts->stats() == RetryCountsStats{.calls = 1, .succeeded = 0, .failed = 0, .ignored = 1});
  breaker.reset();
  CHECK_THROWS_AS(call.execute([] { throw ConfigError{"bad"}; }), ConfigError);
  CHECK(counts->stats().ignored == 2);
}

TEST_CASE("M2 retries with the same counts count together, and copies too", "[M2]") {
  const auto counts = std::make_shared<RetryCounts>("orders");
  auto one = retry(counts);
  auto copy = one;
  auto other = retry(retry_presets::quick, counts);
  one.execute([] {});
  copy.execute([] {});
  other.execute([] {});
  CHECK(counts->stats().succeeded == 3);
  CHECK(counts->name() == "orders");
}

TEST_CASE("M2 counting allocates nothing", "[M2]") {
  const auto counts = std::make_shared<RetryCounts>("orders");
  auto policy = retry(counts);
  CHECK(support::allocations_of([&] { policy.execute([] {}); }) == 0);
}

TEST_CASE("M2 counts have a name", "[M2]") {
  CHECK_THROWS_WITH(RetryCounts{""}, "RetryCounts.name must not be empty, got \"\"");
  CHECK_THROWS_WITH(RetryCounts{std::string(513, 'n')},
                    "RetryCounts.name must be at most 512 bytes, got 513");
}
