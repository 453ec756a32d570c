#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;

namespace {

/// Two changes: closed to forced_open and back.
void flip(Breaker& breaker) {
  breaker.force_open();
  breaker.reset();
}

Subscription count_into(Breaker& breaker, int& count) {
  return breaker.on_state_change([&count](const StateChange&) { ++count; });
}

/// Runs f when it is destroyed.
template <class F>
class AtEnd {
 public:
  explicit AtEnd(F f) : f_{std::move(f)} {}
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;
  ~AtEnd() { f_(); }

 private:
  F f_;
};
template <class F>
std::shared_ptr<AtEnd<F>> at_end(F f) {
  return std::make_shared<AtEnd<F>>(std::move(f));
}

/// Whether f ends. If it deadlocks, its thread is left behind, so what f uses must be its own.
template <class F>
bool ends(F f) {
  std::packaged_task<void()> task{std::move(f)};
  auto done = task.get_future();
  std::thread{std::move(task)}.detach();
  return done.wait_for(5s) == std::future_status::ready;
}

}  // namespace

TEST_CASE("B14 a Subscription is moved, never copied", "[B14]") {
  STATIC_REQUIRE(std::is_nothrow_default_constructible_v<Subscription>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Subscription>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<Subscription>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Subscription>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Subscription>);
}

TEST_CASE("B14 after a Subscription is gone no event arrives", "[B14]") {
  Breaker breaker{"b"};
  int count = 0;
  SECTION("by its end") {
    {
      const Subscription subscription = count_into(breaker, count);
    }
    flip(breaker);
    CHECK(count == 0);
  }
  SECTION("by unsubscribe, which may be repeated") {
    Subscription subscription = count_into(breaker, count);
    flip(breaker);
    subscription.unsubscribe();
    subscription.unsubscribe();
    flip(breaker);
    CHECK(count == 2);
  }
  SECTION("by assigning an empty one") {
    Subscription subscription = count_into(breaker, count);
    subscription = Subscription{};
    flip(breaker);
    CHECK(count == 0);
  }
}

TEST_CASE("B14 a moved Subscription goes on", "[B14]") {
  Breaker breaker{"b"};
  int count = 0;
  Subscription first = count_into(breaker, count);
  std::optional<Subscription> second{std::move(first)};
  first.unsubscribe();
  flip(breaker);
  CHECK(count == 2);
  first = std::move(*second);
  second.reset();
  flip(breaker);
  CHECK(count == 4);
  first.unsubscribe();
  flip(breaker);
  CHECK(count == 4);
}

TEST_CASE("B14 assignment to a Subscription ends the one that it held", "[B14]") {
  Breaker breaker{"b"};
  Breaker other{"other"};
  int a = 0;
  int b = 0;
  Subscription subscription = count_into(breaker, a);
  subscription = count_into(other, b);
  flip(breaker);
  flip(other);
  CHECK(a == 0);
  CHECK(b == 2);
  Subscription& same = subscription;
  subscription = std::move(same);
  flip(other);
  CHECK(b == 4);
}

TEST_CASE("B14 a Subscription may outlive its breaker", "[B14]") {
  int count = 0;
  auto breaker = std::make_unique<Breaker>("b");
  Subscription kept = count_into(*breaker, count);
  Subscription assigned = count_into(*breaker, count);
  Subscription unsubscribed = count_into(*breaker, count);
  flip(*breaker);
  breaker.reset();
  CHECK(count == 6);
  unsubscribed.unsubscribe();
  const Subscription moved = std::move(kept);
  assigned = {};
}

TEST_CASE("B14 a callback may end its own subscription", "[B14]") {
  Breaker breaker{"b"};
  int count = 0;
  Subscription subscription;
  subscription = breaker.on_state_change([&](const StateChange&) {
    ++count;
    subscription.unsubscribe();
  });
  flip(breaker);
  flip(breaker);
  CHECK(count == 1);
}

TEST_CASE("B14 a breaker whose callback held it and ended itself is released", "[B14]") {
  auto breaker = std::make_shared<Breaker>("b");
  const std::weak_ptr<Breaker> alive = breaker;
  Subscription subscription;
  subscription =
      breaker->on_state_change([breaker, &subscription](const StateChange&) { subscription.unsubscribe(); });
  breaker->force_open();
  breaker.reset();
  CHECK(alive.expired());
}

TEST_CASE("B14 a callback may end another subscription, which then receives not even the present event",
          "[B14]") {
  Breaker breaker{"b"};
  int count = 0;
  Subscription second;
  const Subscription first = breaker.on_state_change([&](const StateChange&) { second.unsubscribe(); });
  second = count_into(breaker, count);
  flip(breaker);
  CHECK(count == 0);
}

TEST_CASE("B14 a callback that replaces its own subscription receives later events through the new one",
          "[B14]") {
  Breaker breaker{"b"};
  int first = 0;
  int second = 0;
  Subscription subscription;
  subscription = breaker.on_state_change([&](const StateChange&) {
    ++first;
    subscription = count_into(breaker, second);
  });
  flip(breaker);
  CHECK(first == 1);
  CHECK(second == 1);
}

TEST_CASE("B14 ending a subscription waits for its running callback", "[B14]") {
  for (int round = 0; round < 200; ++round) {
    Breaker breaker{"b"};
    std::latch running{1};
    std::latch ending{1};
    bool finished = false;
    Subscription subscription = breaker.on_state_change([&](const StateChange&) {
      running.count_down();
      ending.wait();
      for (int i = 0; i < 20; ++i) std::this_thread::yield();
      finished = true;
    });
    const std::jthread deliverer{[&] { breaker.force_open(); }};
    running.wait();
    ending.count_down();
    subscription.unsubscribe();
    REQUIRE(finished);
  }
}

TEST_CASE("B14 ending a subscription does not wait for the callbacks of others", "[B14]") {
  Breaker breaker{"b"};
  std::latch running{1};
  std::latch go_on{1};
  int count = 0;
  const Subscription blocked = breaker.on_state_change([&](const StateChange&) {
    running.count_down();
    go_on.wait();
  });
  Subscription other = count_into(breaker, count);
  {
    const std::jthread deliverer{[&] { breaker.force_open(); }};
    running.wait();
    other.unsubscribe();
    go_on.count_down();
  }
  CHECK(count == 0);
}

TEST_CASE("B14 no event arrives after the end, even in a storm of events", "[B14]") {
  for (int round = 0; round < 100; ++round) {
    Breaker breaker{"b"};
    std::atomic<bool> gone{false};
    std::atomic<int> too_late{0};
    Subscription subscription = breaker.on_state_change([&](const StateChange&) {
      if (gone.load()) too_late.fetch_add(1);
    });
    support::run_together(3, [&](int i) {
      if (i == 0) {
        subscription.unsubscribe();
        gone.store(true);
      } else {
        for (int k = 0; k < 20; ++k) flip(breaker);
      }
    });
    REQUIRE(too_late == 0);
  }
}

TEST_CASE("B14 subscribers that come and go on many threads miss no event in between", "[B14]") {
  for (int round = 0; round < 50; ++round) {
    Breaker breaker{"b"};
    int steady = 0;
    const Subscription always = count_into(breaker, steady);
    std::atomic<int> broken{0};
    support::run_together(4, [&](int i) {
      for (int k = 0; k < 10; ++k) {
        if (i == 0) {
          breaker.force_open();
          continue;
        }
        std::optional<State> last;
        const Subscription brief = breaker.on_state_change([&](const StateChange& change) {
          if (last && *last != change.from) broken.fetch_add(1);
          last = change.to;
        });
        if (i == 1) breaker.reset();
      }
    });
    REQUIRE(broken == 0);
    const int before = steady;
    breaker.disable();
    REQUIRE(steady == before + 1);
  }
}

TEST_CASE("B14 what a callback holds is destroyed outside every lock", "[B14]") {
  SECTION("when somebody subscribes after a callback ended itself") {
    CHECK(ends([] {
      Breaker breaker{"b"};
      int count = 0;
      Subscription own;
      own = breaker.on_state_change(
          [&own, held = at_end([&] { flip(breaker); })](const StateChange&) { own.unsubscribe(); });
      breaker.force_open();
      const Subscription next = count_into(breaker, count);
      breaker.reset();
    }));
  }
  SECTION("when a callback replaces itself") {
    CHECK(ends([] {
      Breaker breaker{"b"};
      int count = 0;
      Subscription own;
      own = breaker.on_state_change([&, held = at_end([&] { flip(breaker); })](const StateChange&) {
        own.unsubscribe();
        own = count_into(breaker, count);
      });
      breaker.force_open();
    }));
  }
  SECTION("when its subscription ends from outside") {
    CHECK(ends([] {
      Breaker breaker{"b"};
      Subscription own =
          breaker.on_state_change([held = at_end([&] { flip(breaker); })](const StateChange&) {});
      own.unsubscribe();
    }));
  }
}
