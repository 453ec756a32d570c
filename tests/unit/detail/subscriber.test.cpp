#include <fusebox/detail/subscriber.hpp>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"

using fusebox::detail::make_subscriber;

TEST_CASE("B14 a callback receives every event until its subscriber is stopped", "[B14]") {
  std::vector<int> seen;
  const auto subscriber = make_subscriber<int>([&](const int& event) { seen.push_back(event); });
  CHECK(subscriber->is_active());
  subscriber->receive(1);
  subscriber->receive(2);
  subscriber->stop();
  CHECK_FALSE(subscriber->is_active());
  subscriber->receive(3);
  subscriber->stop();
  CHECK(seen == std::vector{1, 2});
}

TEST_CASE("B14 a callback may be move-only and may change itself", "[B14]") {
  int seen = 0;
  const auto subscriber = make_subscriber<int>(
      [sum = std::make_unique<int>(0), &seen](int event) mutable { seen = *sum += event; });
  subscriber->receive(1);
  subscriber->receive(2);
  CHECK(seen == 3);
}

TEST_CASE("B14 what a callback throws is dropped, and it goes on receiving", "[B14]") {
  int received = 0;
  const auto subscriber = make_subscriber<int>([&](int) {
    if (++received % 2 == 0) throw 42;
    throw std::runtime_error{"no"};
  });
  for (int i = 0; i < 4; ++i) subscriber->receive(i);
  CHECK(received == 4);
}

TEST_CASE("B14 a callback is destroyed with its subscriber, or as soon as that is stopped", "[B14]") {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = held;
  auto subscriber = make_subscriber<int>([held = std::move(held)](int) {});
  CHECK_FALSE(alive.expired());
  SECTION("with its subscriber") { subscriber.reset(); }
  SECTION("by stop()") { subscriber->stop(); }
  CHECK(alive.expired());
}

TEST_CASE("B14 a callback that stops itself goes on with all it holds until it returns", "[B14]") {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = held;
  std::shared_ptr<fusebox::detail::Subscriber<>> subscriber;
  int calls = 0;
  subscriber = make_subscriber<int>([&, held = std::move(held)](int depth) {
    ++calls;
    if (depth > 0) {
      subscriber->receive(depth - 1);
    } else {
      subscriber->stop();
    }
    CHECK(*held == 1);
  });
  SECTION("called once") {
    subscriber->receive(0);
    CHECK(calls == 1);
  }
  SECTION("called from inside itself") {
    subscriber->receive(2);
    CHECK(calls == 3);
  }
  CHECK(alive.expired());
}

TEST_CASE("B14 stop() inside a callback waits for a run of it on another thread", "[B14]") {
  for (int round = 0; round < 20; ++round) {
    std::latch running{1};
    std::latch stopping{1};
    std::atomic<bool> finished{false};
    bool waited = false;
    std::shared_ptr<fusebox::detail::Subscriber<>> subscriber;
    subscriber = make_subscriber<bool>([&](bool stops) {
      if (stops) {
        stopping.count_down();
        subscriber->stop();
        waited = finished;
      } else {
        running.count_down();
        stopping.wait();
        for (int i = 0; i < 20; ++i) std::this_thread::yield();
        finished = true;
      }
    });
    std::thread other{[&] { subscriber->receive(false); }};
    running.wait();
    subscriber->receive(true);
    other.join();
    REQUIRE(waited);
  }
}
