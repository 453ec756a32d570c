#include <fusebox/circuit_breaker/detail/state_change_record.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/subscription.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/changes.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using EventHub = detail::EventHub<StateChange>;

namespace {
constexpr std::size_t capacity = 64;
using support::Changes;
using support::is_chain;

struct Hub {
  explicit Hub(std::string name = "b") : hub{std::make_shared<EventHub>(std::move(name))} {}

  template <class F>
  Subscription subscribe(F callback) const {
    auto subscriber = detail::make_subscriber<StateChange>(std::move(callback));
    hub->subscribe(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }
  Subscription record(Changes& changes) const {
    return subscribe([&changes](const StateChange& change) { changes.push_back(change); });
  }
  void push(State from, State to, StateChangeReason reason = StateChangeReason::forced) const {
    hub->push({from, to, reason, std::chrono::system_clock::time_point{1h}, nullptr});
  }
  void deliver() const { EventHub::deliver(hub); }

  std::shared_ptr<EventHub> hub;
};

/// Pushes a change for each step of the way; gives where it ends.
State walk(const Hub& hub, State from, std::size_t steps) {
  for (std::size_t i = 0; i < steps; ++i) {
    const auto to = static_cast<State>((static_cast<int>(from) + 1) % 5);
    hub.push(from, to);
    from = to;
  }
  return from;
}
}  // namespace

TEST_CASE("B14 a queued change is delivered as it is", "[B14]") {
  const Hub hub{"payments"};
  Changes changes;
  const Subscription subscription = hub.record(changes);
  hub.push(State::open, State::half_open, StateChangeReason::probe_admitted);
  CHECK(changes.empty());
  hub.deliver();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].name == "payments");
  CHECK(changes[0].from == State::open);
  CHECK(changes[0].to == State::half_open);
  CHECK(changes[0].at == std::chrono::system_clock::time_point{1h});
  CHECK(changes[0].reason == StateChangeReason::probe_admitted);
  hub.deliver();
  CHECK(changes.size() == 1);
}

TEST_CASE("B14 changes without a subscriber are not kept", "[B14]") {
  const Hub hub;
  walk(hub, State::closed, 3);
  Changes changes;
  const Subscription subscription = hub.record(changes);
  hub.deliver();
  CHECK(changes.empty());
}

TEST_CASE("B14 a late subscriber receives only later changes, even if earlier ones are still queued",
          "[B14]") {
  const Hub hub;
  Changes early;
  Changes late;
  const Subscription first = hub.record(early);
  hub.push(State::closed, State::open);
  const Subscription second = hub.record(late);
  hub.push(State::open, State::half_open);
  hub.deliver();
  CHECK(early.size() == 2);
  REQUIRE(late.size() == 1);
  CHECK(late[0].from == State::open);
}

TEST_CASE("B14 a queue that is just full delivers every change", "[B14]") {
  const Hub hub;
  Changes changes;
  const Subscription subscription = hub.record(changes);
  const State last = walk(hub, State::closed, capacity);
  hub.deliver();
  CHECK(changes.size() == capacity);
  CHECK(is_chain(changes));
  CHECK(changes.back().to == last);
}

TEST_CASE("B14 in a full queue the newest changes merge into one, from the first state to the last",
          "[B14]") {
  const Hub hub;
  Changes changes;
  const Subscription subscription = hub.record(changes);
  const State full = walk(hub, State::closed, capacity);
  hub.push(full, State::closed, StateChangeReason::reset);
  hub.deliver();
  REQUIRE(changes.size() == capacity);
  CHECK(is_chain(changes));
  CHECK(changes.back().from == static_cast<State>((capacity - 1) % 5));
  CHECK(changes.back().to == State::closed);
  CHECK(changes.back().reason == StateChangeReason::reset);
}

TEST_CASE("B14 merged changes that end where they began leave no event, and the chain holds", "[B14]") {
  const Hub hub;
  Changes changes;
  const Subscription subscription = hub.record(changes);
  const State full = walk(hub, State::closed, capacity);
  const auto before = static_cast<State>((capacity - 1) % 5);
  hub.push(full, before);
  SECTION("the last change") {
    hub.deliver();
    CHECK(changes.size() == capacity - 1);
  }
  SECTION("and room for another") {
    hub.push(before, State::open);
    hub.deliver();
    REQUIRE(changes.size() == capacity);
    CHECK(changes.back().from == before);
    CHECK(changes.back().to == State::open);
  }
  CHECK(is_chain(changes));
}

TEST_CASE("B14 a subscriber to a full queue receives all that comes afterwards and nothing of before",
          "[B14]") {
  const Hub hub;
  Changes early;
  Changes late;
  const Subscription first = hub.record(early);
  State state = walk(hub, State::closed, capacity);
  const State subscribed_in = state;
  SECTION("the next change") { state = walk(hub, state, 0); }
  SECTION("after changes that were merged") { state = walk(hub, state, 3); }
  const State then = state;
  const Subscription second = hub.record(late);
  SECTION("one change") {
    hub.push(then, State::closed, StateChangeReason::reset);
    state = State::closed;
  }
  SECTION("many, which are merged into one") { state = walk(hub, then, 8); }
  SECTION("many, and a third subscriber") {
    state = walk(hub, then, 4);
    Changes latest;
    const Subscription third = hub.record(latest);
    const State middle = state;
    state = walk(hub, state, 2);
    hub.deliver();
    REQUIRE(latest.size() == 1);
    CHECK(latest[0].from == middle);
    CHECK(latest[0].to == state);
    REQUIRE(late.size() == 2);
    CHECK(late[0].from == then);
    CHECK(late[0].to == middle);
  }
  hub.deliver();
  if (then == state) {
    CHECK(late.empty());
  } else {
    REQUIRE_FALSE(late.empty());
    CHECK(late.front().from == then);
    CHECK(late.back().to == state);
  }
  CHECK(is_chain(late));
  CHECK(is_chain(early));
  CHECK(early.back().to == state);
  CHECK(subscribed_in == static_cast<State>(capacity % 5));
}

TEST_CASE("B14 a subscriber to a full queue hears nothing of changes that end where they began", "[B14]") {
  const Hub hub;
  Changes early;
  Changes late;
  const Subscription first = hub.record(early);
  const State full = walk(hub, State::closed, capacity);
  const Subscription second = hub.record(late);
  hub.push(full, State::disabled);
  hub.push(State::disabled, full);
  hub.push(full, State::closed);
  hub.deliver();
  CHECK(early.size() == capacity + 1);
  REQUIRE(late.size() == 1);
  CHECK(late[0].from == full);
  CHECK(late[0].to == State::closed);
}

TEST_CASE("B14 a queue that a new subscriber lengthened wraps around like any other", "[B14]") {
  const Hub hub;
  Changes early;
  const Subscription first = hub.record(early);
  State state = walk(hub, State::closed, 40);
  hub.deliver();
  state = walk(hub, state, capacity);  // from the middle of the ring
  Changes late;
  const Subscription second = hub.record(late);
  state = walk(hub, state, 1);
  hub.deliver();
  CHECK(early.size() == 40 + capacity + 1);
  for (int i = 0; i < 10; ++i) {
    state = walk(hub, state, capacity + 1);
    hub.deliver();
  }
  CHECK(early.size() == 40 + 11 * (capacity + 1));
  CHECK(late.size() == 1 + 10 * (capacity + 1));
  CHECK(is_chain(early));
  CHECK(is_chain(late));
}

TEST_CASE("B14 the chain holds over random pushes and deliveries", "[B14]") {
  std::mt19937 random{11};
  const Hub hub;
  Changes changes;
  const Subscription subscription = hub.record(changes);
  State state = State::closed;
  for (int i = 0; i < 5000; ++i) {
    const auto to = static_cast<State>(random() % 5);
    if (to != state) hub.push(state, to);
    state = to;
    if (random() % 150 == 0) hub.deliver();
  }
  hub.deliver();
  CHECK(is_chain(changes));
  CHECK(changes.front().from == State::closed);
  CHECK(changes.back().to == state);
}

TEST_CASE("B14 the queue wraps around: many deliveries lose nothing", "[B14]") {
  const Hub hub;
  Changes changes;
  const Subscription subscription = hub.record(changes);
  State state = State::closed;
  for (std::size_t steps = 1; steps <= 20; ++steps) {
    state = walk(hub, state, steps);
    hub.deliver();
  }
  CHECK(changes.size() == 210);
  CHECK(is_chain(changes));
}

TEST_CASE("B14 a change pushed inside a callback is delivered after it returns", "[B14]") {
  const Hub hub;
  Changes changes;
  int depth = 0;
  int deepest = 0;
  const Subscription subscription = hub.subscribe([&](const StateChange& change) {
    deepest = std::max(deepest, ++depth);
    changes.push_back(change);
    if (changes.size() < 5) {
      walk(hub, change.to, 1);
      hub.deliver();
      CHECK(changes.size() <= 5);
    }
    --depth;
  });
  hub.push(State::closed, State::open);
  hub.deliver();
  CHECK(changes.size() == 5);
  CHECK(is_chain(changes));
  CHECK(deepest == 1);
}

TEST_CASE("B14 a change of another hub inside a callback is delivered after it returns", "[B14]") {
  const Hub a{"a"};
  const Hub b{"b"};
  std::vector<std::string> log;
  const auto forward = [&log](const Hub& to) {
    return [&log, &to](const StateChange& change) {
      log.push_back("> " + change.name);
      if (log.size() < 8) {
        to.push(State::closed, State::open);
        to.deliver();
      }
      log.push_back("< " + change.name);
    };
  };
  const Subscription on_a = a.subscribe(forward(b));
  const Subscription on_b = b.subscribe(forward(a));
  a.push(State::closed, State::open);
  a.deliver();
  CHECK(log ==
        std::vector<std::string>{"> a", "< a", "> b", "< b", "> a", "< a", "> b", "< b", "> a", "< a"});
}

TEST_CASE("B14 a postponed change keeps its hub alive until it is delivered", "[B14]") {
  const Hub a{"a"};
  std::optional<Hub> b{"b"};
  int delivered = 0;
  const Subscription on_b = b->subscribe([&](const StateChange&) { ++delivered; });
  const std::weak_ptr<EventHub> alive = b->hub;
  const Subscription on_a = a.subscribe([&](const StateChange&) {
    b->push(State::closed, State::open);
    b->deliver();
    b.reset();
    CHECK_FALSE(alive.expired());
  });
  a.push(State::closed, State::open);
  a.deliver();
  CHECK(delivered == 1);
  CHECK(alive.expired());
}

TEST_CASE("B14 one callback postpones several hubs, each of which is delivered once", "[B14]") {
  const Hub first{"first"};
  std::vector<Hub> others;
  Changes changes;
  std::vector<Subscription> subscriptions;
  for (const char* name : {"x", "y", "z"}) {
    others.emplace_back(name);
    subscriptions.push_back(others.back().record(changes));
  }
  const Subscription subscription = first.subscribe([&](const StateChange&) {
    for (int twice = 0; twice < 2; ++twice) {
      for (const Hub& other : others) {
        walk(other, twice == 0 ? State::closed : State::open, 1);
        other.deliver();
      }
    }
    CHECK(changes.empty());
  });
  first.push(State::closed, State::open);
  first.deliver();
  CHECK(changes.size() == 6);
  for (const std::string name : {"x", "y", "z"}) {
    Changes of_one = changes;
    std::erase_if(of_one, [&](const StateChange& change) { return change.name != name; });
    CHECK(of_one.size() == 2);
    CHECK(is_chain(of_one));
  }
}

TEST_CASE("B14 every subscriber receives every change, in the order of subscribing", "[B14]") {
  const Hub hub;
  std::string log;
  const auto writes = [&log](char letter) { return [&log, letter](const StateChange&) { log += letter; }; };
  const Subscription a = hub.subscribe(writes('a'));
  Subscription b = hub.subscribe(writes('b'));
  const Subscription c = hub.subscribe(writes('c'));
  walk(hub, State::closed, 2);
  hub.deliver();
  CHECK(log == "abcabc");
  b = {};
  walk(hub, State::closed, 1);
  hub.deliver();
  CHECK(log == "abcabcac");
}

TEST_CASE("B14 a hub releases unsubscribed and stopped subscribers", "[B14]") {
  const Hub hub;
  Changes changes;
  auto subscriber =
      detail::make_subscriber<StateChange>([&](const StateChange& change) { changes.push_back(change); });
  hub.hub->subscribe(subscriber);
  hub.hub->unsubscribe(*subscriber);
  CHECK(subscriber.use_count() == 1);
  hub.hub->subscribe(subscriber);
  subscriber->stop();
  Changes others;
  const Subscription other = hub.record(others);
  CHECK(subscriber.use_count() == 1);
  walk(hub, State::closed, 1);
  hub.deliver();
  CHECK(changes.empty());
  CHECK(others.size() == 1);
}
