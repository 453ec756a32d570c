#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/throttle.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeThrottle;
using test::FakeClock;

TEST_CASE("V1 a throttle has a name, a config and a clock", "[V1]") {
  const FakeClock clock;
  const FakeThrottle throttle{"search", {.k = 1.5}, clock};
  CHECK(throttle.name() == "search");
  CHECK(throttle.config() == ThrottleConfig{.k = 1.5});
  clock.advance(1s);
  CHECK(throttle.clock().now() == clock.now());
  Throttle by_default{"n"};
  Throttle with_config{"n", {.k = 3}};
  Throttle with_clock{"n", {.k = 3}, clock};
  STATIC_REQUIRE(std::is_same_v<decltype(by_default), Throttle<SystemClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(with_config), Throttle<>>);
  STATIC_REQUIRE(std::is_same_v<decltype(with_clock), FakeThrottle>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<FakeThrottle>);
}

TEST_CASE("C2 C3 a refused config and a refused name are ConfigErrors of a throttle", "[C2][C3]") {
  CHECK_THROWS_AS((FakeThrottle{"t", {.k = 0.5}}), ConfigError);
  CHECK_THROWS_WITH((FakeThrottle{"t", {.window = 0s}}), "ThrottleConfig.window must be above 0, got 0s");
  CHECK_THROWS_WITH(FakeThrottle{""}, "Throttle.name must not be empty, got \"\"");
  CHECK_NOTHROW(FakeThrottle{std::string(512, 'n')});
  CHECK_THROWS_WITH(FakeThrottle{std::string(513, 'n')}, "Throttle.name must be at most 512 bytes, got 513");
}

TEST_CASE("V8 the stats of a throttle", "[V8]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {.max_rejection = 0.9, .seed = 3}, clock};
  support::count(throttle, 10, 30);
  CHECK(throttle.stats() == ThrottleStats{.requests = 40,
                                          .accepts = 10,
                                          .rejection_ratio = 20.0 / 41,
                                          .rejected = 0,
                                          .total_requests = 40,
                                          .total_accepts = 10});
  int rejected = 0;
  for (int call = 0; call < 100; ++call) {
    Permit permit = throttle.try_acquire();
    if (!permit) ++rejected;
  }
  CHECK(rejected > 40);
  const ThrottleStats stats = throttle.stats();
  CHECK(stats.rejected == static_cast<std::uint64_t>(rejected));
  CHECK(stats.requests == 40 + stats.rejected);
  CHECK(stats.total_requests == stats.requests);
  CHECK(throttle.rejection_ratio() == stats.rejection_ratio);
  clock.advance(1h);
  CHECK(throttle.stats() == ThrottleStats{.rejected = stats.rejected,
                                          .total_requests = stats.total_requests,
                                          .total_accepts = 10});
}

TEST_CASE("V10 what a permit reports", "[V10]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {}, clock};
  const auto counts = [&](std::uint64_t requests, std::uint64_t accepts) {
    const ThrottleStats stats = throttle.stats();
    return stats.requests == requests && stats.accepts == accepts;
  };
  throttle.try_acquire().success();
  CHECK(counts(1, 1));
  throttle.try_acquire().failure();
  CHECK(counts(2, 1));
  throttle.try_acquire().ignore();
  CHECK(counts(2, 1));
  static_cast<void>(throttle.try_acquire());
  CHECK(counts(2, 1));
  throttle.try_acquire().report(Failure::from_status(404));
  CHECK(counts(3, 2));
  throttle.try_acquire().report(Failure::from_status(503));
  CHECK(counts(4, 2));
  throttle.try_acquire().report(Failure{make_error_code(PolicyErrc::cancelled)});
  CHECK(counts(4, 2));
  // In the step of its admission.
  Permit permit = throttle.try_acquire(Priority::background);
  clock.advance(60s);
  permit.success();
  clock.advance(59s);
  CHECK(counts(5, 3));
  clock.advance(1s);
  CHECK(counts(0, 0));
}

TEST_CASE("V10 a permit has the priority that it was asked for with", "[V10][V4]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1}, clock};
  support::count(throttle, 0, 100'000, Priority::sheddable);
  CHECK_FALSE(throttle.try_acquire(Priority::sheddable));
  CHECK(throttle.try_acquire(Priority::normal));
  CHECK_FALSE(throttle.try_acquire(Priority::background));
}

TEST_CASE("V10 a refusal restores ThrottledError", "[V10]") {
  const FakeClock clock;
  FakeThrottle throttle{"search", {.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1}, clock};
  support::count(throttle, 0, 100'000);
  const Permit refused = throttle.try_acquire();
  CHECK_FALSE(refused);
  CHECK(refused.rejection().reason() == PolicyErrc::throttled);
  CHECK(refused.rejection().name() == "search");
  CHECK_FALSE(refused.rejection().retry_after());
}

TEST_CASE("V10 a permit of a shared throttle keeps it alive, a refusal does not", "[V10]") {
  const FakeClock clock;
  auto throttle = std::make_shared<FakeThrottle>(
      "search", ThrottleConfig{.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1}, clock);
  const std::weak_ptr<FakeThrottle> watch = throttle;
  {
    Permit permit = try_acquire(throttle);
    CHECK(permit);
    CHECK(throttle.use_count() == 2);
    permit.success();
  }
  support::count(*throttle, 0, 100'000);
  const Permit refused = try_acquire(throttle, Priority::background);
  CHECK_FALSE(refused);
  throttle.reset();
  CHECK(watch.expired());
  CHECK(refused.rejection().reason() == PolicyErrc::throttled);
  CHECK(refused.rejection().name() == "search");
  CHECK_FALSE(try_acquire(std::shared_ptr<FakeThrottle>{}));
}

TEST_CASE("V9 the events of a throttle", "[V9][M3]") {
  const FakeClock clock;
  FakeThrottle throttle{"search", {.window = 12s}, clock};
  support::ThrottleEvents events;
  Subscription subscription = support::record(throttle, events);
  support::count(throttle, 0, 100);
  CHECK(events.empty());
  clock.set_wall(std::chrono::system_clock::time_point{5h});
  for (int call = 0; call < 50; ++call) static_cast<void>(throttle.try_acquire());
  REQUIRE(events.size() == 1);
  CHECK(events[0].name == "search");
  CHECK(events[0].kind == ThrottleEventKind::throttling);
  CHECK(events[0].at == std::chrono::system_clock::time_point{5h});
  clock.advance(12s);
  throttle.execute([] {});
  REQUIRE(events.size() == 2);
  CHECK(events[1].kind == ThrottleEventKind::free);
  subscription.unsubscribe();
  support::count(throttle, 0, 100);
  static_cast<void>(throttle.try_acquire());
  CHECK(events.size() == 2);
}

TEST_CASE("M5 a throttle tells how its calls end, rejections are none", "[M5]") {
  const FakeClock clock;
  FakeThrottle throttle{"search", {.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1}, clock};
  std::vector<CallEvent> events;
  const Subscription subscription =
      throttle.on_call([&](const CallEvent& event) { events.push_back(event); });
  throttle.execute([&] { clock.advance(3s); });
  REQUIRE(events.size() == 1);
  CHECK(events[0].name == "search");
  CHECK(events[0].outcome == Outcome::success);
  CHECK(events[0].duration == 3s);
  support::count(throttle, 0, 100'000);
  CHECK_THROWS_AS(throttle.execute([] {}), ThrottledError);
  CHECK(events.size() == 1);
}
