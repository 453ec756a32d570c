#include <fusebox/bulkhead.hpp>
#include <fusebox/call_durations.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;
using Counts = std::vector<std::uint64_t>;

namespace {
std::shared_ptr<CallDurations> make() {
  return std::make_shared<CallDurations>("orders", CallDurationsConfig{.bounds = {10ms, 1s}});
}
}  // namespace

TEST_CASE("M2 a call counts in the first bucket whose bound it does not exceed", "[M2]") {
  const FakeClock clock;
  const auto durations = make();
  auto policy = measured(durations, clock);
  for (const auto time :
       {0ns, std::chrono::nanoseconds{10ms}, 10ms + 1ns, std::chrono::nanoseconds{1s}, 1s + 1ns}) {
    CHECK(policy.execute([&] {
      clock.advance(time);
      return 5;
    }) == 5);
  }
  const auto stats = durations->stats();
  CHECK(stats.bounds == durations->config().bounds);
  CHECK(stats.counts == Counts{2, 2, 1});
  CHECK(stats.count == 5);
  CHECK(stats.sum == 2s + 20ms + 2ns);
}

TEST_CASE("M2 a call counts however it ends: failed, rejected, cancelled", "[M2]") {
  const FakeClock clock;
  const auto durations = make();
  Bulkhead bulkhead{"b", {.max_concurrent = 1}, clock};
  const auto call = compose(measured(durations, clock), bulkhead);
  CHECK_THROWS_AS(call.execute([]() -> int { throw std::runtime_error{"no"}; }), std::runtime_error);
  CHECK_THROWS_AS(call.execute([]() -> int { throw CancelledError{"no"}; }), CancelledError);
  const Permit permit = bulkhead.try_acquire();
  CHECK_THROWS_AS(call.execute([] { return 1; }), BulkheadFullError);
  CHECK(durations->stats().count == 3);
}

TEST_CASE("M2 outermost it measures the logical call, inside a retry each attempt", "[M2]") {
  const FakeClock clock;
  const auto whole = make();
  const auto attempts = make();
  const RetryConfig config{.max_retries = 1, .base_delay = 1s, .jitter = Jitter::none};
  const auto call = compose(measured(whole, clock), retry(config, clock), measured(attempts, clock));
  int calls = 0;
  call.execute([&] {
    clock.advance(1ms);
    if (++calls == 1) throw std::system_error{std::make_error_code(std::errc::timed_out)};
  });
  CHECK(whole->stats().count == 1);
  CHECK(whole->stats().sum == 1s + 2ms);
  CHECK(attempts->stats().count == 2);
  CHECK(attempts->stats().sum == 2ms);
}

TEST_CASE("M2 explain() says what is measured", "[M2]") {
  const auto call = compose(measured(make()), retry(), measured(make()));
  const std::string text = explain(call);
  CHECK(text.find("1. measured 'orders': records how long each logical call takes\n") == 0);
  CHECK(text.find("3. measured 'orders': records how long each attempt takes\n") != std::string::npos);
}

TEST_CASE("M2 a call that is driven by hand is measured too", "[M2]") {
  const FakeClock clock;
  const auto durations = make();
  const auto call = compose(measured(durations, clock));
  auto run = call.start<int>();
  CHECK(run.next().kind == Step::Kind::call);
  clock.advance(20ms);
  run.report(1);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(run.result() == 1);
  CHECK(durations->stats().counts == Counts{0, 1, 0});
}

TEST_CASE("M2 measuring allocates nothing", "[M2]") {
  auto policy = measured(make());
  CHECK(support::allocations_of([&] { policy.execute([] {}); }) == 0);
}

TEST_CASE("M2 durations have a name and a good config", "[M2]") {
  CHECK(CallDurations{"orders"}.name() == "orders");
  CHECK(CallDurations{"orders"}.config() == CallDurationsConfig{});
  CHECK_THROWS_WITH(CallDurations{""}, "CallDurations.name must not be empty, got \"\"");
  CHECK_THROWS_AS((CallDurations{"a", {.bounds = {}}}), ConfigError);
}
