#include <fusebox/detail/timer/heap.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/timers.hpp"

using namespace fusebox::detail;
using support::node_with_source;

namespace {

std::vector<Tick> drained(TimerHeap& heap) {
  std::vector<Tick> dues;
  while (!heap.empty()) {
    dues.push_back(heap.first().due);
    heap.remove(heap.first());
  }
  return dues;
}

}  // namespace

TEST_CASE("D7 a heap gives its nodes in the order in which they are due", "[D7]") {
  for (std::size_t size = 0; size <= 50; ++size) {
    std::mt19937 random{static_cast<unsigned>(size)};
    std::vector<TimerNode> nodes(size);
    std::vector<Tick> expected;
    TimerHeap heap;
    for (TimerNode& node : nodes) {
      const Tick due = static_cast<Tick>(random() % 20);
      heap.insert(node, due);
      expected.push_back(due);
      CHECK(heap.next_due() == *std::min_element(expected.begin(), expected.end()));
    }
    CHECK(heap.size() == size);
    std::sort(expected.begin(), expected.end());
    CHECK(drained(heap) == expected);
    CHECK(heap.next_due() == tick_max);
  }
}

TEST_CASE("D7 a node is removed from anywhere, and the rest keeps its order", "[D7]") {
  std::mt19937 random{1};
  std::vector<TimerNode> nodes(200);
  std::multiset<Tick> live;
  TimerHeap heap;
  bool agrees = true;
  for (int step = 0; step < 20'000; ++step) {
    TimerNode& node = nodes[random() % nodes.size()];
    if (heap.contains(node)) {
      live.erase(live.find(node.due));
      heap.remove(node);
      agrees = agrees && node.index == TimerNode::nowhere && !heap.contains(node);
    } else {
      heap.insert(node, static_cast<Tick>(random() % 1000));
      live.insert(node.due);
      agrees = agrees && heap.contains(node);
    }
    agrees = agrees && heap.size() == live.size();
    agrees = agrees && heap.next_due() == (live.empty() ? tick_max : *live.begin());
  }
  CHECK(agrees);
  CHECK(drained(heap) == std::vector<Tick>(live.begin(), live.end()));
}

TEST_CASE("D8 nodes of an emptied heap are in no heap", "[D8]") {
  std::vector<TimerNode> nodes(10);
  TimerHeap heap;
  for (TimerNode& node : nodes) heap.insert(node, 1);
  heap.remove_all();
  CHECK(heap.empty());
  CHECK(std::none_of(nodes.begin(), nodes.end(), [&](const TimerNode& node) { return heap.contains(node); }));
  heap.insert(nodes[3], 2);
  CHECK(heap.next_due() == 2);
}

TEST_CASE("D7 what is due is stopped, in order, and nothing else", "[D7]") {
  std::vector<TimerNode> nodes;
  for (int i = 0; i < 100; ++i) nodes.push_back(node_with_source());
  std::vector<int> fired;
  std::vector<std::unique_ptr<support::OnStop>> callbacks;
  for (int i = 0; i < 100; ++i) {
    callbacks.push_back(
        support::on_stop(nodes[static_cast<std::size_t>(i)], [&fired, i] { fired.push_back(i); }));
  }
  TimerHeap heap;
  for (std::size_t i = nodes.size(); i-- > 0;) heap.insert(nodes[i], static_cast<Tick>(i));

  int batches = 0;
  for (DueStops stops;; ++batches) {
    stops.take_from(heap, 69);
    if (stops.empty()) break;
    CHECK(fired.size() == static_cast<std::size_t>(batches) * 32);
    stops.fire();
  }
  CHECK(batches == 3);
  CHECK(fired.size() == 70);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
  CHECK(heap.size() == 30);
  CHECK(heap.next_due() == 70);
  CHECK_FALSE(nodes[70].source.stop_requested());
}

TEST_CASE("D7 a node may be gone when it is fired", "[D7]") {
  TimerHeap heap;
  DueStops stops;
  std::stop_token token;
  {
    TimerNode node = node_with_source();
    token = node.source.get_token();
    heap.insert(node, 1);
    stops.take_from(heap, 1);
  }
  CHECK_FALSE(token.stop_requested());
  stops.fire();
  CHECK(token.stop_requested());
}
