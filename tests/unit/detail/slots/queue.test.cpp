#include <fusebox/detail/slots/queue.hpp>

#include <array>
#include <vector>

#include "catch.hpp"

using namespace fusebox;

namespace {

struct Waiter {
  Priority priority = Priority::normal;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
};

struct Fixture {
  detail::SlotQueue<Waiter> queue;
  std::array<Waiter, 7> waiters{{{Priority::sheddable},
                                 {Priority::normal},
                                 {Priority::background},
                                 {Priority::normal},
                                 {Priority::critical},
                                 {Priority::background},
                                 {Priority::sheddable}}};

  void link_all() {
    for (Waiter& waiter : waiters) queue.link(waiter);
  }
  [[nodiscard]] int place_of(const Waiter* waiter) const {
    return waiter == nullptr ? -1 : static_cast<int>(waiter - waiters.data());
  }
  [[nodiscard]] std::vector<int> drain() {
    std::vector<int> order;
    while (Waiter* const first = queue.first()) {
      order.push_back(place_of(first));
      queue.unlink(*first);
    }
    return order;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "K2 the highest priority is first, and the longest waiter within one", "[K2]") {
  CHECK(queue.first() == nullptr);
  link_all();
  CHECK(drain() == std::vector{4, 1, 3, 0, 6, 2, 5});
  CHECK(queue.first() == nullptr);
}

TEST_CASE_METHOD(Fixture, "K3 whoever leaves, the others keep their order", "[K3]") {
  const std::vector<int> order{4, 1, 3, 0, 6, 2, 5};
  for (const int leaver : order) {
    link_all();
    queue.unlink(waiters[static_cast<std::size_t>(leaver)]);
    auto left = order;
    std::erase(left, leaver);
    CHECK(drain() == left);
  }
}

TEST_CASE_METHOD(Fixture, "P18 the youngest of the lowest priority makes room, for a higher one alone",
                 "[P18]") {
  CHECK(queue.youngest_below(Priority::critical) == nullptr);
  CHECK(queue.lowest() == Priority::critical);
  link_all();
  const std::vector<int> displaced{5, 2, 6, 0, 3, 1};
  for (const int next : displaced) {
    Waiter& youngest = waiters[static_cast<std::size_t>(next)];
    CHECK(queue.lowest() == youngest.priority);
    CHECK(queue.youngest_below(youngest.priority) == nullptr);
    CHECK(queue.youngest_below(Priority::background) == nullptr);
    REQUIRE(place_of(queue.youngest_below(Priority::critical)) == next);
    queue.unlink(youngest);
  }
  CHECK(queue.youngest_below(Priority::critical) == nullptr);
  CHECK(place_of(queue.first()) == 4);
}

TEST_CASE_METHOD(Fixture, "K11 the longest waiter of each priority", "[K11]") {
  link_all();
  std::vector<int> oldest;
  queue.for_each_oldest([&](const Waiter& waiter) { oldest.push_back(place_of(&waiter)); });
  CHECK(oldest == std::vector{4, 1, 0, 2});
}
