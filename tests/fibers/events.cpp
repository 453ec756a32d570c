// Callbacks that suspend, move to another thread, and return in any order (B14). The test schedules.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "fibers/fiber.hpp"
#include "fibers/stacks.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fibers::Fiber;
using fibers::Stacks;
using fibers::Worker;

namespace {

using Breaker = CircuitBreaker<test::FakeClock>;
using States = std::vector<State>;

/// Where each change that a subscription received led to.
[[nodiscard]] Subscription record_states(Breaker& breaker, States& states) {
  return breaker.on_state_change([&states](const StateChange& change) { states.push_back(change.to); });
}

/// Two workers, and a fiber that the first begins: it forces `breaker` open, whose callback suspends.
struct Suspended {
  Suspended() {
    first.run([this] { fiber.resume(); });
  }

  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Breaker breaker{"suspended"};
  States states;
  Subscription subscription = breaker.on_state_change([this](const StateChange& change) {
    if (change.to == State::forced_open) fiber.suspend();
    states.push_back(change.to);
  });
  Fiber fiber{stacks, [this](Fiber&) { breaker.force_open(); }};
};

}  // namespace

TEST_CASE("B14 after a callback has moved on, events of its first thread are delivered", "[B14]") {
  Suspended suspended;
  Breaker other{"other"};
  States states;
  const Subscription subscription = record_states(other, states);
  suspended.second.run([&] { suspended.fiber.resume(); });
  REQUIRE(suspended.fiber.is_done());
  CHECK(suspended.states == States{State::forced_open});
  for (Worker* worker : {&suspended.first, &suspended.second}) {
    states.clear();
    worker->run([&] { other.force_open(); });
    CHECK(states == States{State::forced_open});
    worker->run([&] { other.reset(); });
    CHECK(states == States{State::forced_open, State::closed});
    suspended.states.clear();
    worker->run([&] { suspended.breaker.disable(); });
    worker->run([&] { suspended.breaker.reset(); });
    CHECK(suspended.states == States{State::disabled, State::closed});
  }
}

TEST_CASE("B14 while a callback is suspended, events of other breakers are delivered at once", "[B14]") {
  Suspended suspended;
  Breaker other{"other"};
  States states;
  const Subscription subscription = record_states(other, states);
  suspended.first.run([&] { other.force_open(); });
  CHECK(states == States{State::forced_open});
  Fiber neighbour{suspended.stacks, [&](Fiber&) { other.reset(); }};
  suspended.first.run([&] { neighbour.resume(); });
  CHECK(states == States{State::forced_open, State::closed});
  suspended.second.run([&] { other.disable(); });
  CHECK(states == States{State::forced_open, State::closed, State::disabled});
  suspended.second.run([&] { suspended.fiber.resume(); });
  CHECK(suspended.states == States{State::forced_open});
}

TEST_CASE("B14 while a callback is suspended, later events of its breaker wait and keep their order",
          "[B14]") {
  Suspended suspended;
  suspended.first.run([&] { suspended.breaker.reset(); });
  suspended.second.run([&] { suspended.breaker.disable(); });
  CHECK(suspended.states.empty());
  suspended.second.run([&] { suspended.fiber.resume(); });
  CHECK(suspended.states == States{State::forced_open, State::closed, State::disabled});
}

TEST_CASE("B14 a callback may return on another thread after its first one is gone", "[B14]") {
  Suspended suspended;
  Breaker other{"other"};
  States states;
  const Subscription subscription = record_states(other, states);
  suspended.first.end();
  suspended.second.run([&] { suspended.fiber.resume(); });
  CHECK(suspended.states == States{State::forced_open});
  suspended.second.run([&] { other.force_open(); });
  CHECK(states == States{State::forced_open});
  suspended.second.run([&] { suspended.breaker.reset(); });
  CHECK(suspended.states == States{State::forced_open, State::closed});
}

TEST_CASE("B14 what a callback causes after it has moved on is delivered once it has returned", "[B14]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Breaker breaker{"b"};
  Breaker other{"other"};
  std::vector<std::string> steps;
  const Subscription of_other =
      other.on_state_change([&](const StateChange&) { steps.push_back("other's callback"); });
  Fiber* current = nullptr;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    if (change.to == State::closed) return steps.push_back("the second callback");
    current->suspend();
    breaker.reset();
    other.force_open();
    current->suspend();
    steps.push_back("the first callback ends");
  });
  Fiber fiber{stacks, [&](Fiber& self) {
                current = &self;
                breaker.force_open();
                steps.push_back("the call returns");
              }};
  first.run([&] { fiber.resume(); });
  second.run([&] { fiber.resume(); });
  CHECK(steps.empty());
  first.run([&] { fiber.resume(); });
  CHECK(steps == std::vector<std::string>{"the first callback ends", "the second callback",
                                          "other's callback", "the call returns"});
}

TEST_CASE("B14 a callback that has moved on may end its own subscription, and goes on with all it holds",
          "[B14]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Breaker breaker{"b"};
  Subscription subscription;
  const auto held = std::make_shared<int>(7);
  Fiber* current = nullptr;
  int calls = 0;
  int seen = 0;
  bool ends_before_it_moves = false;
  SECTION("on the second thread") {}
  SECTION("on the first thread, and returns on the second") { ends_before_it_moves = true; }
  subscription = breaker.on_state_change([&, held](const StateChange&) {
    ++calls;
    if (!ends_before_it_moves) current->suspend();
    subscription.unsubscribe();
    if (ends_before_it_moves) current->suspend();
    seen = *held;
  });
  REQUIRE(held.use_count() == 2);
  Fiber fiber{stacks, [&](Fiber& self) {
                current = &self;
                breaker.force_open();
              }};
  first.run([&] { fiber.resume(); });
  CHECK(held.use_count() == 2);
  second.run([&] { fiber.resume(); });
  REQUIRE(fiber.is_done());
  CHECK(seen == 7);
  CHECK(held.use_count() == 1);
  for (Worker* worker : {&first, &second}) worker->run([&] { breaker.reset(); });
  CHECK(calls == 1);
}

TEST_CASE("B14 to end a subscription waits for its callback on a fiber that began on the same thread",
          "[B14]") {
  Suspended suspended;
  std::atomic<bool> is_ending{false};
  std::atomic<bool> has_ended{false};
  bool callback_had_returned = false;
  suspended.first.start([&] {
    is_ending.store(true);
    suspended.subscription.unsubscribe();
    has_ended.store(true);
    callback_had_returned = !suspended.states.empty();
  });
  suspended.second.run([&] {
    while (!is_ending.load()) std::this_thread::yield();
    for (int i = 0; i < 20 && !has_ended.load(); ++i) std::this_thread::sleep_for(100us);
    suspended.fiber.resume();
  });
  suspended.first.wait();
  CHECK(callback_had_returned);
  suspended.first.run([&] { suspended.breaker.reset(); });
  CHECK(suspended.states == States{State::forced_open});
}

TEST_CASE("B14 a subscription ends on a thread from which a callback has moved on", "[B14]") {
  Suspended suspended;
  Breaker other{"other"};
  States states;
  Subscription subscription = record_states(other, states);
  SECTION("its own") {
    suspended.second.run([&] { suspended.fiber.resume(); });
    suspended.first.run([&] { suspended.subscription.unsubscribe(); });
  }
  SECTION("another one, while the callback is suspended") {
    suspended.first.run([&] { subscription.unsubscribe(); });
    suspended.second.run([&] { suspended.fiber.resume(); });
  }
  SECTION("another one, after the callback has returned") {
    suspended.second.run([&] { suspended.fiber.resume(); });
    suspended.first.run([&] { subscription.unsubscribe(); });
  }
  REQUIRE(suspended.fiber.is_done());
  CHECK(suspended.states == States{State::forced_open});
  suspended.first.run([&] { suspended.subscription.unsubscribe(); });
  suspended.first.run([&] { subscription.unsubscribe(); });
  suspended.first.run([&] { suspended.breaker.reset(); });
  suspended.first.run([&] { other.force_open(); });
  CHECK(suspended.states == States{State::forced_open});
  CHECK(states.empty());
}

TEST_CASE("B14 the callbacks of several breakers may return in any order, each with its stack", "[B14]") {
  constexpr std::size_t count = 4;
  std::array<std::size_t, count> order{0, 1, 2, 3};
  do {
    CAPTURE(order);
    Stacks stacks;
    Worker worker{stacks};
    std::deque<Breaker> breakers;
    std::deque<Subscription> subscriptions;
    std::deque<Fiber> all;
    std::array<States, count> states;
    std::size_t suspended = 0;
    bool may_suspend = true;
    for (std::size_t i = 0; i < count; ++i) {
      breakers.emplace_back("b");
      all.emplace_back(stacks, [&, i](Fiber&) { breakers[i].force_open(); });
      subscriptions.push_back(breakers[i].on_state_change([&, i](const StateChange& change) {
        if (change.to == State::forced_open && may_suspend) all[i].suspend();
        states[i].push_back(change.to);
      }));
    }
    worker.run([&] {
      for (Fiber& fiber : all) fiber.resume();
      for (const Fiber& fiber : all) suspended += fiber.is_done() ? 0 : 1;
      may_suspend = false;
      for (const std::size_t i : order) {
        if (!all[i].is_done()) all[i].resume();
      }
      for (Breaker& breaker : breakers) breaker.reset();
      for (Subscription& subscription : subscriptions) subscription.unsubscribe();
    });
    REQUIRE(suspended == count);
    for (const States& each : states) CHECK(each == States{State::forced_open, State::closed});
  } while (std::next_permutation(order.begin(), order.end()));
}
