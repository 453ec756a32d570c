// fusebox/detail/timer/heap.hpp: TimerHeap, the armed limits of one lock, by the time at which they are due.
//
// A heap in which each node has four children, so that it is half as deep as a binary one, and the children
// of a node lie in at most two cache lines. Each node knows its place: a limit is removed without a search.
#pragma once
// IWYU pragma: private

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include <fusebox/detail/timer/node.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class TimerHeap {
 public:
  /// Throws std::bad_alloc, and then nothing has changed.
  void insert(TimerNode& node, Tick due) {
    nodes_.push_back(&node);
    node.due = due;
    node.index = nodes_.size() - 1;
    move_up(node.index);
  }

  /// The node must be in this heap.
  void remove(TimerNode& node) noexcept {
    const std::size_t hole = node.index;
    TimerNode* const last = nodes_.back();
    nodes_.pop_back();
    node.index = TimerNode::nowhere;
    if (last == &node) return;
    put(hole, last);
    if (!move_up(hole)) move_down(hole);
  }

  /// The nodes forget where they were.
  void remove_all() noexcept {
    for (TimerNode* node : nodes_) node->index = TimerNode::nowhere;
    nodes_.clear();
  }

  [[nodiscard]] bool contains(const TimerNode& node) const noexcept {
    return node.index < nodes_.size() && nodes_[node.index] == &node;
  }
  [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// The earliest; the heap must not be empty.
  [[nodiscard]] TimerNode& first() const noexcept { return *nodes_.front(); }
  /// When the earliest is due; tick_max if the heap is empty.
  [[nodiscard]] Tick next_due() const noexcept { return nodes_.empty() ? tick_max : nodes_.front()->due; }

 private:
  static constexpr std::size_t arity = 4;

  void put(std::size_t at, TimerNode* node) noexcept {
    nodes_[at] = node;
    node->index = at;
  }

  /// Returns whether it moved.
  bool move_up(std::size_t at) noexcept {
    TimerNode* const node = nodes_[at];
    const std::size_t from = at;
    while (at > 0) {
      const std::size_t parent = (at - 1) / arity;
      if (nodes_[parent]->due <= node->due) break;
      put(at, nodes_[parent]);
      at = parent;
    }
    put(at, node);
    return at != from;
  }

  void move_down(std::size_t at) noexcept {
    TimerNode* const node = nodes_[at];
    for (;;) {
      const std::size_t first_child = at * arity + 1;
      if (first_child >= nodes_.size()) break;
      const std::size_t most = first_child + arity;
      const std::size_t end = most < nodes_.size() ? most : nodes_.size();
      std::size_t earliest = first_child;
      for (std::size_t child = first_child + 1; child < end; ++child) {
        if (nodes_[child]->due < nodes_[earliest]->due) earliest = child;
      }
      if (nodes_[earliest]->due >= node->due) break;
      put(at, nodes_[earliest]);
      at = earliest;
    }
    put(at, node);
  }

  std::vector<TimerNode*> nodes_;
};

/// Stop sources of limits that are over, taken out of a heap under its lock, to be stopped after it is
/// released: a stop runs callbacks of the user's. Needs no memory.
class DueStops {
 public:
  /// Removes from the heap what is due by `now`, as much as there is room for.
  void take_from(TimerHeap& heap, Tick now) noexcept {
    while (count_ < most && !heap.empty() && heap.first().due <= now) {
      TimerNode& node = heap.first();
      heap.remove(node);
      sources_[count_++].emplace(node.source);
    }
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] bool full() const noexcept { return count_ == most; }

  /// In the order in which they were taken.
  void fire() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      sources_[i]->request_stop();
      sources_[i].reset();
    }
    count_ = 0;
  }

 private:
  static constexpr std::size_t most = 32;

  std::array<std::optional<StopSource>, most> sources_;
  std::size_t count_ = 0;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
