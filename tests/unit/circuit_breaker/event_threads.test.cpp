#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/changes.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Changes;
using support::is_chain;
using support::record;

namespace {

/// A random change by hand, or a call that may cause one.
void stir(Breaker& breaker, std::mt19937& random) {
  switch (random() % 8) {
    case 0: breaker.force_open(); break;
    case 1: breaker.disable(); break;
    case 2: breaker.reset(); break;
    case 3: breaker.clock().advance(breaker.config().reset_timeout); break;
    case 4: support::succeed(breaker); break;
    default: support::fail(breaker);
  }
}

}  // namespace

TEST_CASE("B14 under contention each from is the previous to, and the last to is the state", "[B14]") {
  for (int round = 0; round < 40; ++round) {
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 1ms}};
    Changes changes;
    const Subscription subscription = record(breaker, changes);
    support::run_together(4, [&](int thread) {
      std::mt19937 random{static_cast<unsigned>(10 * round + thread)};
      for (int i = 0; i < 200; ++i) stir(breaker, random);
    });
    REQUIRE(changes.size() > 10);
    REQUIRE(is_chain(changes));
    REQUIRE(changes.front().from == State::closed);
    REQUIRE(changes.back().to == breaker.state());
  }
}

TEST_CASE("B14 when the causing call returns, its event was delivered or another thread is delivering it",
          "[B14]") {
  for (int round = 0; round < 100; ++round) {
    Breaker breaker{"b"};
    int delivered = 0;
    const Subscription subscription = breaker.on_state_change([&](const StateChange&) { ++delivered; });
    support::run_together(4, [&](int i) {
      if (i % 2 == 0) {
        breaker.force_open();
      } else {
        breaker.disable();
      }
    });
    const int before = delivered;
    REQUIRE(before >= 2);
    REQUIRE(before <= 4);
    breaker.reset();
    REQUIRE(delivered == before + 1);
  }
}

TEST_CASE("B14 a call does not wait for another thread that delivers its event", "[B14]") {
  Breaker breaker{"b"};
  std::latch delivering{1};
  std::latch go_on{1};
  Changes changes;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    changes.push_back(change);
    if (change.to != State::forced_open) return;
    delivering.count_down();
    go_on.wait();
  });
  {
    const std::jthread deliverer{[&] { breaker.force_open(); }};
    delivering.wait();
    breaker.disable();
    breaker.reset();
    CHECK(breaker.state() == State::closed);
    go_on.count_down();
  }
  REQUIRE(changes.size() == 3);
  CHECK(is_chain(changes));
  CHECK(changes[2].to == State::closed);
}

TEST_CASE("B14 while a delivery is blocked, neighbouring events merge and the chain holds", "[B14]") {
  constexpr int caused = 500;
  const int extra = GENERATE(0, 1, 2, 3);
  Breaker breaker{"b"};
  std::latch delivering{1};
  std::latch go_on{1};
  Changes changes;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    changes.push_back(change);
    if (changes.size() > 1) return;
    delivering.count_down();
    go_on.wait();
  });
  {
    const std::jthread deliverer{[&] { breaker.force_open(); }};
    delivering.wait();
    for (int i = 0; i < caused + extra; ++i) {
      switch (i % 3) {
        case 0: breaker.disable(); break;
        case 1: breaker.reset(); break;
        default: breaker.force_open();
      }
    }
    go_on.count_down();
  }
  CHECK(changes.size() > 1);
  CHECK(changes.size() < caused);
  CHECK(is_chain(changes));
  CHECK(changes.front().from == State::closed);
  CHECK(changes.back().to == breaker.state());
  const auto before = changes.size();
  breaker.try_acquire().failure();
  breaker.disable();
  breaker.reset();
  CHECK(changes.size() > before);
  CHECK(is_chain(changes));
}

TEST_CASE("B14 callbacks of two breakers that change each other do not deadlock", "[B14]") {
  for (int round = 0; round < 100; ++round) {
    Breaker a{"a"};
    Breaker b{"b"};
    Changes of_a;
    Changes of_b;
    std::array<int, 2> left{20, 20};
    const auto kick = [](Changes& changes, Breaker& other, int& budget) {
      return [&changes, &other, &budget](const StateChange& change) {
        changes.push_back(change);
        if (budget-- <= 0) return;
        if (other.state() == State::closed) {
          other.force_open();
        } else {
          other.reset();
        }
      };
    };
    const Subscription on_a = a.on_state_change(kick(of_a, b, left[0]));
    const Subscription on_b = b.on_state_change(kick(of_b, a, left[1]));
    support::run_together(2, [&](int i) {
      if (i == 0) {
        a.force_open();
      } else {
        b.force_open();
      }
    });
    REQUIRE(is_chain(of_a));
    REQUIRE(is_chain(of_b));
    REQUIRE(of_a.back().to == a.state());
    REQUIRE(of_b.back().to == b.state());
  }
}
