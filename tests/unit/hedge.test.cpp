#include <fusebox/circuit_breaker.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/hedge.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Stage;
using test::FakeClock;

TEST_CASE("J1 a fast primary is the only copy", "[J1][J11]") {
  auto policy = hedge({.delay = 1h});
  CHECK(policy.execute([] { return 7; }) == 7);
  int value = 1;
  CHECK(&policy.execute([&value]() -> int& { return value; }) == &value);
  policy.execute([] {});
  CHECK(policy.execute([] { return std::make_unique<int>(3); }) != nullptr);
  CHECK(policy.stats() == HedgeStats{.won_by_primary = 4, .calls = 4});
}

TEST_CASE("J1 a hedge that is faster wins, and the primary is stopped", "[J1][J2][J4]") {
  const FakeClock clock = FakeClock::manual();
  const auto stage = std::make_shared<Stage>();
  auto policy = hedge({.delay = 2s}, clock);
  std::jthread caller{[&] {
    const int won = policy.execute([stage](std::stop_token token) {
      const int copy = stage->enter();
      if (copy == 0) stage->wait_for_stop(token);
      return copy;
    });
    CHECK(won == 1);
    stage->note("returned");
  }};
  stage->wait_for_copies(1);
  clock.wait_for_sleepers(1);
  CHECK(policy.stats().started == 0);
  clock.advance(1999ms);
  clock.wait_for_sleepers(1);
  clock.advance(1ms);
  stage->wait_for("returned");
  caller.join();
  stage->wait_for_stops(1);
  CHECK(policy.stats() == HedgeStats{.started = 1, .won_by_hedge = 1, .calls = 1});
  CHECK(clock.sleeps().front() == 2s);
}

TEST_CASE("J1 the call does not wait for a loser that nothing stops", "[J1][J7]") {
  const auto stage = std::make_shared<Stage>();
  std::optional policy{hedge({.delay = 1ms})};
  CHECK(policy->execute([stage] {
    const int copy = stage->enter();
    if (copy == 0) stage->wait_for("go");
    if (copy == 0) stage->note("gone");
    return copy;
  }) == 1);
  CHECK_FALSE(stage->has("gone"));
  std::jthread releasing{[&] {
    std::this_thread::sleep_for(20ms);
    stage->note("go");
  }};
  policy.reset();  // J7: waits
  CHECK(stage->has("gone"));
}

TEST_CASE("J2 a failure starts the next copy at once", "[J2]") {
  const auto stage = std::make_shared<Stage>();
  auto policy = hedge({.delay = no_timeout, .max_hedges = 2});
  CHECK(policy.execute([stage] {
    const int copy = stage->enter();
    if (copy < 2) throw std::runtime_error{"copy " + std::to_string(copy)};
    return copy;
  }) == 2);
  CHECK(policy.stats() == HedgeStats{.started = 2, .won_by_hedge = 1, .calls = 1});
}

TEST_CASE("J1 if all copies fail, the first failure is thrown, and is the same object", "[J1]") {
  const auto stage = std::make_shared<Stage>();
  auto policy = hedge({.delay = no_timeout, .max_hedges = 2});
  CHECK_THROWS_WITH(
      policy.execute([stage] { throw std::runtime_error{"copy " + std::to_string(stage->enter())}; }),
      "copy 0");
  CHECK(policy.stats() == HedgeStats{.started = 2, .calls = 1});
}

TEST_CASE("J1 a failed value is a failure, and comes back as it is", "[J1]") {
  const auto stage = std::make_shared<Stage>();
  auto policy = hedge({.delay = no_timeout});
  const auto code = policy.execute([stage] {
    return stage->enter() == 0 ? std::make_error_code(std::errc::timed_out)
                               : std::make_error_code(std::errc::connection_refused);
  });
  CHECK(code == std::errc::timed_out);
  CHECK(policy.execute([] { return 3; }, failure_if([](int value) { return value == 3; })) == 3);
  CHECK(policy.stats() == HedgeStats{.started = 2, .calls = 2});
}

TEST_CASE("J4 the caller's stop ends the call at once, and reaches every copy", "[J4][P8]") {
  const auto stage = std::make_shared<Stage>();
  auto policy = hedge({.delay = 1ms});
  std::stop_source caller;
  const auto op = [stage](std::stop_token token) {
    stage->enter();
    stage->wait_for_stop(token);
    stage->wait_for("let go");
  };
  std::jthread stopping{[&] {
    stage->wait_for_copies(2);
    caller.request_stop();
  }};
  CHECK_THROWS_AS(policy.execute(op, caller.get_token()), CancelledError);
  stage->note("let go");
  stage->wait_for_stops(2);
  CHECK(policy.stats() == HedgeStats{.started = 1, .calls = 1});

  CHECK_THROWS_AS(policy.execute(op, caller.get_token()), CancelledError);  // already stopped
  CHECK(stage->copies() == 2);
}

TEST_CASE("J4 every copy has the deadline, the attempt, the priority and the key of the call", "[J4][P7]") {
  struct Seen {
    std::mutex mutex;
    std::vector<std::string> keys;
    std::vector<std::chrono::nanoseconds> left;
    std::vector<Priority> priorities;
  };
  const auto seen = std::make_shared<Seen>();
  const FakeClock clock;
  auto policy = hedge({.delay = no_timeout}, clock);
  const auto op = [seen](const Call& call) -> int {
    const std::lock_guard lock{seen->mutex};
    seen->keys.push_back(call.idempotency_key());
    seen->left.push_back(call.deadline().remaining());
    seen->priorities.push_back(call.priority());
    throw std::runtime_error{"again"};
  };
  CHECK_THROWS(policy.execute(op, Deadline::after(5s, clock), Priority::critical));
  REQUIRE(seen->keys.size() == 2);
  CHECK(seen->keys[0] == seen->keys[1]);
  CHECK(seen->keys[0].size() == 36);
  CHECK(seen->left == std::vector<std::chrono::nanoseconds>{5s, 5s});
  CHECK(seen->priorities == std::vector{Priority::critical, Priority::critical});
}

TEST_CASE("J4 a retry inside a hedge, or outside it, keeps the key of the call", "[J4][P2]") {
  const auto keys = std::make_shared<std::vector<std::string>>();
  const auto run_here = [](const HedgeTask& task) { task(); };
  const auto copies = hedge({.delay = no_timeout}, run_here);
  const auto again = retry({.max_retries = 1, .base_delay = 1ns});
  const auto fails = [keys](const auto& call) -> int {
    keys->push_back(call.idempotency_key());
    throw std::system_error{std::make_error_code(std::errc::connection_reset)};
  };
  const auto is_one_key = [&] {
    const std::vector<std::string> all = std::exchange(*keys, {});
    return all.size() == 4 && std::count(all.begin(), all.end(), all.front()) == 4;
  };
  CHECK_THROWS(compose(copies, again).execute([fails](const Call& call) { return fails(call); }));
  CHECK(is_one_key());
  CHECK_THROWS(compose(copies, again).execute([fails](const Attempt& attempt) { return fails(attempt); }));
  CHECK(is_one_key());
  CHECK_THROWS(compose(again, copies).execute([fails](const Call& call) { return fails(call); }));
  CHECK(is_one_key());
}

TEST_CASE("J4 a limit around a hedge ends it as ever", "[J4][D2]") {
  const FakeClock clock = FakeClock::manual();
  const auto stage = std::make_shared<Stage>();
  auto call = compose(total_timeout(1s, clock), hedge({.delay = 5s}, clock));
  std::jthread caller{[&] {
    CHECK_THROWS_AS(call.execute([stage](std::stop_token token) {
      stage->enter();
      stage->wait_for_stop(token);
      throw CancelledError{};
    }),
                    TimeoutError);
    stage->note("returned");
  }};
  stage->wait_for_copies(1);
  clock.advance(1s);
  stage->wait_for("returned");
}

TEST_CASE("J3 what failure_if throws in a copy ends the call", "[J3][P11]") {
  auto policy = hedge({.delay = no_timeout, .max_hedges = 3});
  const auto rule = failure_if([](int) -> bool { throw std::logic_error{"rule"}; });
  CHECK_THROWS_WITH(policy.execute([] { return 1; }, rule), "rule");
  CHECK(policy.stats() == HedgeStats{.calls = 1});
  CHECK(policy.execute([] { return 1; }) == 1);
}

TEST_CASE("J3 what a clock throws in a copy ends the call", "[J3][P11]") {
  struct Clock : SystemClock {
    [[nodiscard]] std::chrono::steady_clock::time_point now() const {
      if (*is_broken && std::this_thread::get_id() != caller) throw std::logic_error{"clock"};
      return SystemClock::now();
    }
    std::thread::id caller = std::this_thread::get_id();
    std::shared_ptr<std::atomic<bool>> is_broken = std::make_shared<std::atomic<bool>>(false);
  };
  const Clock clock;
  auto policy = hedge({.delay = no_timeout}, clock);
  const auto op = [clock] {
    *clock.is_broken = true;
    return 1;
  };
  CHECK_THROWS_WITH(policy.execute(op), "clock");
  *clock.is_broken = false;
  CHECK(policy.execute([] { return 1; }) == 1);
}

TEST_CASE("J6 an empty budget never fails a primary", "[J6]") {
  RetryBudget<> budget{{.ratio = 0.1, .min_per_second = 0, .reserve = 0}};
  auto policy = hedge({.delay = 0s}, budget);
  for (int i = 0; i < 5; ++i) {
    CHECK(policy.execute([&policy, i] {
      while (policy.stats().refused <= static_cast<unsigned>(i)) std::this_thread::yield();
      return i;
    }) == i);
  }
  CHECK_THROWS_WITH(policy.execute([] { throw std::runtime_error{"alone"}; }), "alone");
  CHECK(policy.stats().started == 0);
  CHECK(policy.stats().refused == 6);
  CHECK(policy.stats().won_by_primary == 5);
}

TEST_CASE("J6 a budget of a tenth adds at most a tenth when everything is slow", "[J6]") {
  const auto budget =
      std::make_shared<RetryBudget<>>(RetryBudgetConfig{.ratio = 0.1, .min_per_second = 0, .reserve = 0});
  std::atomic<int> copies{0};
  constexpr int calls = 200;
  {
    auto policy = hedge({.delay = 0s, .max_hedges = 3}, budget);
    for (int i = 0; i < calls; ++i) {
      policy.execute([&copies, budget, i] {
        ++copies;
        // Until no more copies start, and all have begun.
        while (budget->stats().refused <= static_cast<unsigned>(i)) std::this_thread::yield();
        while (copies <= i + static_cast<int>(budget->stats().withdrawn)) std::this_thread::yield();
      });
    }
    CHECK(policy.stats().started == calls / 10);
  }
  CHECK(copies == calls + calls / 10);
}

TEST_CASE("J6 what was paid for a hedge that does not start is given back", "[J6][J8]") {
  RetryBudget<> budget{{.ratio = 1, .min_per_second = 0, .reserve = 0}};
  auto policy = hedge({.delay = no_timeout}, budget, [n = 0](HedgeTask task) mutable {
    if (n++ > 0) return false;
    task();
    return true;
  });
  CHECK_THROWS(policy.execute([] { throw std::runtime_error{"x"}; }));
  CHECK(policy.stats() == HedgeStats{.calls = 1, .refused = 1});
  CHECK(budget.stats().balance == 1);
}

TEST_CASE("J7 op lives until its last copy has ended", "[J7]") {
  const auto stage = std::make_shared<Stage>();
  auto policy = hedge({.delay = 0s});
  {
    const auto data = std::make_shared<std::string>("kept alive");
    std::weak_ptr<std::string> watched = data;
    const auto op = [stage, data] {
      const int copy = stage->enter();
      if (copy == 0) {
        stage->wait_for("go");
        stage->note(*data);
      }
      return copy;
    };
    CHECK(policy.execute(op) == 1);
  }
  stage->note("go");
  stage->wait_for("kept alive");
}

TEST_CASE("J7 the policies inside that a pipeline owns outlive the pipeline's call", "[J7]") {
  const auto stage = std::make_shared<Stage>();
  {
    auto call = compose(hedge({.delay = 0s}), attempt_timeout(1h));
    auto copy_of_it = call;
    const int won = copy_of_it.execute([stage](std::stop_token) {
      const int copy = stage->enter();
      if (copy == 0) stage->wait_for("go");
      return copy;
    });
    CHECK(won == 1);
    stage->note("go");
  }
  CHECK(stage->copies() == 2);
}

TEST_CASE("J7 a copy may hold the last owner of its own hedge", "[J7]") {
  const auto stage = std::make_shared<Stage>();
  struct Owned {
    decltype(hedge({.delay = 0s})) policy = hedge({.delay = 0s});
  };
  {
    auto owned = std::make_shared<Owned>();
    auto& policy = owned->policy;
    const int won = policy.execute([stage, owned] {
      const int copy = stage->enter();
      if (copy == 0) stage->wait_for("go");
      return copy;
    });
    CHECK(won == 1);
  }
  stage->note("go");  // the primary's thread destroys the hedge
}

TEST_CASE("J8 an executor runs the copies", "[J8]") {
  std::vector<std::function<void()>> tasks;
  auto policy = hedge({.delay = no_timeout, .max_hedges = 2}, [&](HedgeTask task) {
    tasks.emplace_back(task);
    task();
    task();  // once is enough
  });
  const auto stage = std::make_shared<Stage>();
  const auto id = std::this_thread::get_id();
  CHECK(policy.execute([stage, id] {
    CHECK(std::this_thread::get_id() == id);
    if (stage->enter() < 2) throw std::runtime_error{"x"};
    return 5;
  }) == 5);
  CHECK(tasks.size() == 3);
  tasks.front()();
  CHECK(stage->copies() == 3);
}

TEST_CASE("J8 if nobody takes the primary, it runs on the caller's thread", "[J8]") {
  const auto id = std::this_thread::get_id();
  const auto on_this_thread = [id] { return std::this_thread::get_id() == id; };
  auto refusing = hedge({.delay = 0s}, [](HedgeTask) { return false; });
  CHECK(refusing.execute(on_this_thread));
  auto throwing = hedge({.delay = 0s}, [](const HedgeTask&) -> void { throw std::runtime_error{"full"}; });
  CHECK(throwing.execute(on_this_thread));
  CHECK(throwing.stats() == HedgeStats{.won_by_primary = 1, .calls = 1});
  auto full = hedge({.delay = 0s});
  detail::task_pool().limit_threads(0);
  // Threads that wait may take it all the same.
  const bool has_threads = detail::task_pool().threads() > 0;
  CHECK(full.execute(on_this_thread) == !has_threads);
  detail::task_pool().limit_threads(detail::TaskPool::max_threads);
}

TEST_CASE("J8 nothing comes of a task that is dropped", "[J8]") {
  auto dropping = hedge({.delay = no_timeout}, [](HedgeTask) {});
  CHECK_THROWS_AS(dropping.execute([] { return 1; }), CancelledError);
  CHECK(dropping.stats() == HedgeStats{.calls = 1});
}

TEST_CASE("J9 a loser is ignored by a breaker inside", "[J9][P5]") {
  const FakeClock clock = FakeClock::manual();
  const auto stage = std::make_shared<Stage>();
  CircuitBreaker breaker{"inside", {.failure_threshold = 1}, clock};
  {
    auto call = compose(hedge({.delay = 2s}, clock), breaker);
    std::jthread caller{[&] {
      CHECK(call.execute([stage](std::stop_token token) {
        const int copy = stage->enter();
        if (copy == 0) {
          stage->wait_for_stop(token);
          throw CancelledError{};
        }
        return copy;
      }) == 1);
    }};
    stage->wait_for_copies(1);
    clock.wait_for_sleepers(1);
    clock.advance(2s);
  }
  const auto stats = breaker.stats();
  CHECK(stats.state == State::closed);
  CHECK(stats.success_count == 1);
  CHECK(stats.ignored_count == 1);
}

TEST_CASE("J9 each copy has the policies inside for itself", "[J9]") {
  CircuitBreaker<> breaker{"inside", {.failure_threshold = 2}};
  auto call = compose(hedge({.delay = no_timeout, .max_hedges = 3}), breaker);
  CHECK_THROWS_WITH(call.execute([] { throw std::runtime_error{"down"}; }), "down");
  CHECK(breaker.stats().failure_count == 2);
  CHECK(breaker.stats().rejected_count == 1);  // the third is refused, and starts no fourth
}

TEST_CASE("J9 a rejection starts no hedge", "[J9][J2]") {
  CircuitBreaker<> breaker{"open"};
  breaker.force_open();
  auto call = compose(hedge({.delay = no_timeout, .max_hedges = 3}), breaker);
  CHECK_THROWS_AS(call.execute([] {}), CircuitOpenError);
  CHECK(breaker.stats().rejected_count == 1);
}

TEST_CASE("J11 hedges that got the same counts share them", "[J11]") {
  const auto counts = std::make_shared<HedgeCounts>("reads");
  auto one = hedge({.delay = 1h}, counts);
  auto two = hedge(counts);
  auto three = one;
  one.execute([] {});
  two.execute([] {});
  three.execute([] {});
  CHECK(counts->stats() == HedgeStats{.won_by_primary = 3, .calls = 3});
  CHECK(one.stats() == counts->stats());
  CHECK(counts->name() == "reads");
  CHECK_THROWS_AS(HedgeCounts{""}, ConfigError);
}

TEST_CASE("J5 a hedge refuses a wrong config", "[J5]") {
  CHECK_THROWS_WITH(hedge({.delay = -1s}), "HedgeConfig.delay must be at least 0, got -1s");
  CHECK_THROWS_WITH(hedge({.max_hedges = 32}), "HedgeConfig.max_hedges must be in [0, 31], got 32");
  CHECK(hedge().config() == HedgeConfig{});
}

TEST_CASE("M5 a hedge tells each call once", "[M5]") {
  std::atomic<int> calls{0};
  auto policy = hedge({.delay = no_timeout});
  const auto subscription = policy.on_call([&](const CallEvent& event) {
    CHECK(event.outcome == Outcome::failure);
    ++calls;
  });
  CHECK_THROWS(policy.execute([] { throw std::runtime_error{"x"}; }));
  CHECK(calls == 1);
}
