#include <fusebox/detail/subscriber.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"

using fusebox::detail::make_subscriber;

namespace {

using Subscriber = fusebox::detail::Subscriber<>;

/// Hands one event to one subscriber, as a hub does.
void deliver(const std::shared_ptr<Subscriber>& subscriber, int event) {
  class : public fusebox::detail::Delivery {
  } delivery;
  auto& deliveries = fusebox::detail::deliveries_of<fusebox::detail::StdSync>();
  deliveries.begin(delivery, __builtin_frame_address(0));
  subscriber->receive(event, delivery);
  CHECK(deliveries.end(delivery).empty());
}

}  // namespace

TEST_CASE("B14 a callback receives every event until its subscriber is stopped", "[B14]") {
  std::vector<int> seen;
  const auto subscriber = make_subscriber<int>([&](const int& event) { seen.push_back(event); });
  CHECK(subscriber->is_active());
  deliver(subscriber, 1);
  deliver(subscriber, 2);
  subscriber->stop();
  CHECK_FALSE(subscriber->is_active());
  deliver(subscriber, 3);
  subscriber->stop();
  CHECK(seen == std::vector{1, 2});
}

TEST_CASE("B14 a callback may be move-only and may change itself", "[B14]") {
  int seen = 0;
  const auto subscriber = make_subscriber<int>(
      [sum = std::make_unique<int>(0), &seen](int event) mutable { seen = *sum += event; });
  deliver(subscriber, 1);
  deliver(subscriber, 2);
  CHECK(seen == 3);
}

TEST_CASE("B14 what a callback throws is dropped, and it goes on receiving", "[B14]") {
  int received = 0;
  const auto subscriber = make_subscriber<int>([&](int) {
    if (++received % 2 == 0) throw 42;
    throw std::runtime_error{"no"};
  });
  for (int i = 0; i < 4; ++i) deliver(subscriber, i);
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
  std::shared_ptr<Subscriber> subscriber;
  int calls = 0;
  subscriber = make_subscriber<int>([&, held = std::move(held)](int depth) {
    ++calls;
    if (depth > 0) {
      deliver(subscriber, depth - 1);
    } else {
      subscriber->stop();
    }
    CHECK(*held == 1);
  });
  SECTION("called once") {
    deliver(subscriber, 0);
    CHECK(calls == 1);
  }
  SECTION("called from inside itself") {
    deliver(subscriber, 2);
    CHECK(calls == 3);
  }
  CHECK(alive.expired());
}

TEST_CASE("B14 stop() waits for a callback that runs on another thread, and then destroys it", "[B14]") {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = held;
  std::promise<void> began;
  std::atomic<bool> ended{false};
  const auto subscriber = make_subscriber<int>([&, held = std::move(held)](int) {
    began.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    ended = *held == 1;
  });
  std::jthread thread{[&] { deliver(subscriber, 1); }};
  began.get_future().wait();
  subscriber->stop();
  CHECK(ended);
  CHECK(alive.expired());
}

TEST_CASE("B14 a callback stopped from inside on one thread waits for its run on another", "[B14]") {
  std::promise<void> began;
  std::atomic<int> running{0};
  std::atomic<int> after_stop{-1};
  std::shared_ptr<Subscriber> subscriber;
  subscriber = make_subscriber<int>([&](int event) {
    ++running;
    if (event == 1) {
      began.set_value();
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    } else {
      subscriber->stop();
      after_stop = running.load();
    }
    --running;
  });
  std::jthread thread{[&] { deliver(subscriber, 1); }};
  began.get_future().wait();
  deliver(subscriber, 2);
  CHECK(after_stop == 1);
}
