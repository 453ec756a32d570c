#include <fusebox/adaptive_limit.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"
#include "support/allocations.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::allocations_of;
using support::make_calls;
using Limit = support::FakeAdaptiveLimit<>;

namespace {

/// One that ends a window with a step, as the test says, and tells what it saw.
struct Scripted {
  struct Script {
    std::vector<AdaptiveStep> steps;
    std::vector<AdaptiveWindow> seen;
  };

  int initial = 20;
  int min = 1;
  int max = 200;
  Script* script = nullptr;
  std::chrono::nanoseconds window = 1s;
  int min_samples = 10;
  bool operator==(const Scripted&) const = default;

  class State {
   public:
    explicit State(const Scripted& rule) noexcept : last_{rule.initial, false} {}
    [[nodiscard]] AdaptiveStep next(const Scripted& rule, const AdaptiveWindow& now) noexcept {
      const std::size_t number = rule.script->seen.size();
      rule.script->seen.push_back(now);
      if (number < rule.script->steps.size()) last_ = rule.script->steps[number];
      return last_;
    }

   private:
    AdaptiveStep last_;
  };
};
static_assert(AdaptiveRule<Scripted>);
using ScriptedLimit = support::FakeAdaptiveLimit<Scripted>;

}  // namespace

TEST_CASE("W1 an adaptive limit is neither copied nor moved; Measured and SystemClock are its defaults",
          "[W1]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Limit> || std::is_move_constructible_v<Limit>);
  STATIC_REQUIRE(std::is_same_v<decltype(fusebox::AdaptiveLimit{"a"}), AdaptiveLimit<Measured, SystemClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(fusebox::AdaptiveLimit{"a", Aimd{}}), AdaptiveLimit<Aimd>>);
  STATIC_REQUIRE(std::is_same_v<decltype(fusebox::AdaptiveLimit{"a", Measured{}, test::FakeClock{}}), Limit>);
  STATIC_REQUIRE(
      std::is_same_v<
          decltype(fusebox::AdaptiveLimit{"a", Measured{}, AdaptiveLimitQueue{}, test::FakeClock{}}), Limit>);
}

TEST_CASE("W1 an adaptive limit knows its name, rule, queue and clock, and begins with the initial limit",
          "[W1]") {
  const test::FakeClock clock;
  const Limit limit{"search", Measured{.initial = 7}, AdaptiveLimitQueue{.max_waiting = 3}, clock};
  clock.advance(1s);
  CHECK(limit.name() == "search");
  CHECK(limit.rule() == Measured{.initial = 7});
  CHECK(limit.queue() == AdaptiveLimitQueue{.max_waiting = 3});
  CHECK(limit.clock().now() == clock.now());
  CHECK(limit.stats().limit == 7);
}

TEST_CASE("C2 C3 the constructor refuses a bad name, rule and queue", "[C2][C3]") {
  CHECK_THROWS_WITH(Limit{""}, "AdaptiveLimit.name must not be empty, got \"\"");
  CHECK_THROWS_WITH((Limit{"a", Measured{.initial = 0}}), "Measured.initial must be in [min, max], got 0");
  CHECK_THROWS_WITH((support::FakeAdaptiveLimit<Aimd>{"a", Aimd{.backoff = 1}}),
                    "Aimd.backoff must be in [0.5, 1), got 1");
  CHECK_THROWS_WITH((Limit{"a", Measured{}, AdaptiveLimitQueue{.max_waiting = -1}}),
                    "AdaptiveLimitQueue.max_waiting must be in [0, 65535], got -1");
  CHECK_THROWS_WITH((ScriptedLimit{"a", Scripted{.min = 0}}),
                    "AdaptiveLimit rule.min must be in [1, 65535], got 0");
}

TEST_CASE("W1 as many calls pass as the limit says; a further one is rejected without calling op", "[W1]") {
  Limit limit{"a", Measured{.initial = 2}};
  CHECK(limit.execute([&] { return limit.execute([&] { return limit.stats().in_use; }); }) == 2);
  const Permit one = limit.try_acquire();
  const Permit two = limit.acquire();
  bool called = false;
  try {
    limit.execute([&] { called = true; });
    FAIL("a full limit admitted a call");
  } catch (const BulkheadFullError& error) {
    CHECK(error.name() == "a");
    CHECK_FALSE(error.retry_after().has_value());
  }
  CHECK_FALSE(called);
  const Permit refused = limit.try_acquire();
  CHECK_FALSE(refused);
  CHECK(refused.rejection().name() == "a");
  CHECK(limit.stats().rejected == 2);
  CHECK(limit.stats().admitted == 4);
}

TEST_CASE("W1 neither an admitted nor a rejected call allocates, nor does the end of a window", "[W1]") {
  Limit limit{"a", Measured{.initial = 10}};
  CHECK(allocations_of([&] {
          for (int i = 0; i < 100; ++i) {
            limit.execute([&] { limit.clock().advance(50ms); });
          }
        }) == 0);
  CHECK(limit.stats().windows > 1);
  const Permit all = limit.try_acquire();
}

TEST_CASE("W1 a call waits for a slot, and a more important one first", "[W1][P18]") {
  const auto clock = test::FakeClock::manual();
  Limit limit{"a", Measured{.initial = 1}, AdaptiveLimitQueue{.max_waiting = 1}, clock};
  Permit held = limit.try_acquire();
  auto calls = compose(limit);
  auto waiting = calls.start<int>(Priority::background);
  CHECK(waiting.next().kind == Step::Kind::wait);
  auto important = calls.start<int>(Priority::critical);
  CHECK(important.next().kind == Step::Kind::wait);
  CHECK(limit.stats().shed == 1);
  held.success();
  CHECK(limit.stats().in_use == 1);
  important.waited(false);
  CHECK(important.next().kind == Step::Kind::call);
  waiting.waited(false);
  CHECK(waiting.next().kind == Step::Kind::done);
  important.report(1);
  CHECK(important.result() == 1);
}

TEST_CASE("W2 a window ends with a call, once it is long enough and has enough of them", "[W2]") {
  Scripted::Script script;
  script.steps = {{30, false}};
  ScriptedLimit limit{"a", Scripted{.script = &script}};
  make_calls(limit, 9, 100ms);
  limit.clock().advance(5s);
  make_calls(limit, 0, 0ms);
  CHECK(script.seen.empty());  // time alone ends none
  make_calls(limit, 1, 200ms);
  REQUIRE(script.seen.size() == 1);
  CHECK(script.seen[0].samples == 10);
  CHECK(script.seen[0].calls == 10);
  CHECK(script.seen[0].latency == 110ms);
  CHECK(script.seen[0].in_flight == 9);
  CHECK(limit.stats().limit == 30);
  CHECK(limit.stats().windows == 1);
  CHECK(limit.stats().latency == 110ms);

  make_calls(limit, 20, 999ms);  // many calls, too early
  CHECK(script.seen.size() == 1);
  make_calls(limit, 1, 1ms);
  REQUIRE(script.seen.size() == 2);
  CHECK(script.seen[1].samples == 21);
  CHECK(limit.stats().limit == 30);
}

TEST_CASE("W2 the step's limit is moved into the range of the rule", "[W2]") {
  Scripted::Script script;
  script.steps = {{1000, false}, {-1, false}};
  ScriptedLimit limit{"a", Scripted{.min = 5, .script = &script}};
  make_calls(limit, 10, 1s);
  CHECK(limit.stats().limit == 200);
  make_calls(limit, 10, 1s);
  CHECK(limit.stats().limit == 5);
}

TEST_CASE("W4 rejected, cancelled and ignored calls, and failures of another kind, are no samples", "[W4]") {
  Scripted::Script script;
  ScriptedLimit limit{"a", Scripted{.script = &script}};
  const auto fail_with = [&](auto error) {
    CHECK_THROWS(limit.execute([&] {
      limit.clock().advance(500ms);
      throw error;
    }));
  };
  for (int i = 0; i < 5; ++i) {
    fail_with(CircuitOpenError{});
    fail_with(CancelledError{"stopped"});
    fail_with(ApiError{ErrorCode::not_found, "no such thing"});
    fail_with(ApiError{ErrorCode::internal_server_error, "a bug"});
    fail_with(std::runtime_error{"no code"});
    limit.try_acquire().ignore();
    limit.try_acquire().report(Failure::from_status(404));
    static_cast<void>(limit.try_acquire());
  }
  CHECK(script.seen.empty());
  CHECK(limit.stats().in_use == 0);
  make_calls(limit, 9, 100ms);
  CHECK(script.seen.empty());
  make_calls(limit, 1, 100ms);
  REQUIRE(script.seen.size() == 1);
  CHECK(script.seen[0].calls == 10);
  CHECK(script.seen[0].dropped == 0);
}

TEST_CASE("W4 late calls and failures of a dependency without room are dropped", "[W4][P6]") {
  Scripted::Script script;
  ScriptedLimit limit{"a", Scripted{.script = &script}};
  const auto& clock = limit.clock();
  const auto fail_with = [&](auto error) { CHECK_THROWS(limit.execute([&] { throw error; })); };
  fail_with(TimeoutError{"too slow"});
  fail_with(ApiError{ErrorCode::rate_limit_exceeded, "slower"});
  fail_with(ApiError{ErrorCode::service_unavailable, "busy"});
  fail_with(ApiError{ErrorCode::gateway_timeout, "busy"});
  fail_with(std::system_error{make_error_code(NetworkErrc::connection_refused)});
  limit.try_acquire().failure();
  limit.try_acquire().report(Failure::from_status(503));
  auto late = compose(limit, total_timeout(50ms, clock));
  for (int i = 0; i < 2; ++i) {
    CHECK(late.execute([&] {
      clock.advance(100ms);
      return 1;
    }) == 1);
  }
  CHECK(script.seen.empty());
  make_calls(limit, 1, 1s);
  REQUIRE(script.seen.size() == 1);
  CHECK(script.seen[0].calls == 10);
  CHECK(script.seen[0].samples == 3);
  CHECK(script.seen[0].dropped == 9);
  CHECK(script.seen[0].latency == 400ms);
  CHECK(limit.stats().dropped == 9);
}

TEST_CASE("W5 in a measuring window only calls count that began in it; it may go on", "[W5]") {
  Scripted::Script script;
  script.steps = {{3, true}, {3, true}, {20, false}, {20, false}};
  ScriptedLimit limit{"a", Scripted{.script = &script}};
  std::vector<Permit> before;
  for (int i = 0; i < 15; ++i) before.push_back(limit.try_acquire());
  make_calls(limit, 5, 1s);
  CHECK(script.seen.empty());
  for (int i = 0; i < 5; ++i) {
    before.back().success();
    before.pop_back();
  }
  REQUIRE(script.seen.size() == 1);
  CHECK(limit.stats().limit == 3);
  CHECK(limit.stats().measuring);
  limit.clock().advance(10s);
  for (Permit& permit : before) permit.success();
  for (int i = 0; i < 3; ++i) make_calls(limit, 3, 100ms);
  CHECK(script.seen.size() == 1);
  make_calls(limit, 1, 1s);
  REQUIRE(script.seen.size() == 2);
  CHECK(script.seen[1].samples == 10);
  CHECK(script.seen[1].latency == 190ms);
  CHECK(script.seen[1].error == 90ms);  // one of ten is 900 ms away from the others
  CHECK(script.seen[1].in_flight == 3);

  CHECK(limit.stats().measuring);  // it goes on, with the samples that it has
  make_calls(limit, 2, 500ms);
  make_calls(limit, 1, 500ms);
  REQUIRE(script.seen.size() == 3);
  CHECK(script.seen[2].samples == 13);
  CHECK(limit.stats().limit == 20);
  CHECK_FALSE(limit.stats().measuring);

  make_calls(limit, 10, 1s);  // an ordinary window begins empty
  REQUIRE(script.seen.size() == 4);
  CHECK(script.seen[3].samples == 10);
  CHECK(script.seen[3].error == 0ms);
}

TEST_CASE("W1 a permit of a shared limit has a priority", "[W1][P19]") {
  const auto limit =
      std::make_shared<Limit>("a", Measured{.initial = 10}, AdaptiveLimitQueue{.headroom = 0.3});
  const Permit one = try_acquire(limit, Priority::background);  // of one slot in ten
  CHECK(one);
  CHECK_FALSE(try_acquire(limit, Priority::background));
  CHECK(try_acquire(limit, Priority::critical));
}

TEST_CASE("W1 a permit of a shared limit keeps it alive, a refusal does not but has its error", "[W1]") {
  auto limit = std::make_shared<Limit>("a", Measured{.initial = 1});
  const std::weak_ptr<Limit> watch = limit;
  Permit permit = try_acquire(limit);
  const Permit refused = try_acquire(limit);
  CHECK_FALSE(refused);
  limit.reset();
  CHECK_FALSE(watch.expired());
  permit.success();
  permit = {};
  CHECK(watch.expired());
  CHECK(refused.rejection().name() == "a");
  CHECK_FALSE(try_acquire(std::shared_ptr<Limit>{}));
}

TEST_CASE("W1 the slot comes back however op ends", "[W1]") {
  Limit limit{"a"};
  CHECK_THROWS_AS(limit.execute([] { throw 1; }), int);
  CHECK(limit.stats().in_use == 0);
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(limit.execute([] {}, source.get_token()), CancelledError);
  CHECK(limit.stats().admitted == 1);
}

TEST_CASE("W10 changes of the limit, and saturated and free, are events", "[W10]") {
  Scripted::Script script;
  script.steps = {{2, false}, {2, false}, {4, false}};
  ScriptedLimit limit{"a", Scripted{.script = &script}};
  std::vector<AdaptiveLimitEvent> events;
  const Subscription subscription =
      limit.on_event([&](const AdaptiveLimitEvent& event) { events.push_back(event); });
  make_calls(limit, 10, 1s);
  make_calls(limit, 2, 1s);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == AdaptiveLimitEventKind::limit_changed);
  CHECK(events[0].name == "a");
  CHECK(events[0].limit == 2);
  CHECK(events[0].previous_limit == 20);
  make_calls(limit, 3, 1s);  // one is refused
  REQUIRE(events.size() == 3);
  CHECK(events[1].kind == AdaptiveLimitEventKind::saturated);
  CHECK(events[2].kind == AdaptiveLimitEventKind::free);
}

TEST_CASE("W10 a callback may call the limit that changed", "[W10]") {
  Scripted::Script script;
  script.steps = {{30, false}, {40, false}, {50, false}};
  ScriptedLimit called{"a", Scripted{.script = &script, .window = 1ns, .min_samples = 1}};
  int calls = 0;
  const Subscription subscription = called.on_event([&](const AdaptiveLimitEvent&) {
    if (++calls < 10) called.execute([&] { called.clock().advance(1s); });
  });
  called.execute([&] { called.clock().advance(1s); });
  CHECK(calls == 1);  // the call of the callback ended while the window did, and ends none
  CHECK(called.stats().in_use == 0);
  called.execute([&] { called.clock().advance(1s); });
  CHECK(called.stats().limit == 40);
}

TEST_CASE("M5 on_call tells how each call ended", "[M5]") {
  Limit limit{"a"};
  std::vector<CallEvent> calls;
  const Subscription subscription = limit.on_call([&](const CallEvent& call) { calls.push_back(call); });
  limit.execute([&] { limit.clock().advance(1s); });
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].name == "a");
  CHECK(calls[0].duration == 1s);
}
