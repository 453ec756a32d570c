// storm/timers.hpp: Timers, the events to come of a simulation, in the order in which they are due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace storm {

/// In ns from the beginning of the simulation.
using Tick = std::int64_t;

/// A 4-ary heap of timers that know their place in it, so that any of them can be removed. Of those due at
/// one moment, the urgent ones come first, then those that were set first.
class Timers {
 public:
  using Id = std::uint32_t;

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] Tick next_due() const noexcept { return heap_.front().due; }
  [[nodiscard]] Id next() const noexcept { return heap_.front().id; }
  [[nodiscard]] bool is_set(Id id) const noexcept { return id < places_.size() && places_[id] != none; }
  /// Of one that is set.
  [[nodiscard]] Tick due(Id id) const noexcept { return heap_[places_[id]].due; }

  /// One that is not set.
  void set(Id id, Tick due, bool is_urgent = false) {
    if (id >= places_.size()) places_.resize(id + 1 + places_.size() / 2, none);
    const std::uint64_t order = ++set_ | (is_urgent ? 0 : not_urgent);
    heap_.push_back({due, order, id});
    sift_up(heap_.size() - 1);
  }
  /// No matter if it is not set.
  void cancel(Id id) noexcept {
    if (!is_set(id)) return;
    const std::size_t place = places_[id];
    places_[id] = none;
    const Node last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    heap_[place] = last;
    places_[last.id] = static_cast<std::uint32_t>(place);
    sift_down(place);
    sift_up(places_[last.id]);
  }

 private:
  struct Node {
    Tick due;
    std::uint64_t order;
    Id id;
    [[nodiscard]] bool before(const Node& other) const noexcept {
      return due < other.due || (due == other.due && order < other.order);
    }
  };
  static constexpr std::uint32_t none = 0xffffffffU;
  static constexpr std::uint64_t not_urgent = std::uint64_t{1} << 63U;

  void put(std::size_t place, const Node& node) noexcept {
    heap_[place] = node;
    places_[node.id] = static_cast<std::uint32_t>(place);
  }
  void sift_up(std::size_t place) noexcept {
    const Node node = heap_[place];
    while (place > 0) {
      const std::size_t parent = (place - 1) / 4;
      if (!node.before(heap_[parent])) break;
      put(place, heap_[parent]);
      place = parent;
    }
    put(place, node);
  }
  void sift_down(std::size_t place) noexcept {
    const Node node = heap_[place];
    for (;;) {
      const std::size_t first = 4 * place + 1;
      if (first >= heap_.size()) break;
      const std::size_t end = first + 4 < heap_.size() ? first + 4 : heap_.size();
      std::size_t earliest = first;
      for (std::size_t child = first + 1; child < end; ++child) {
        if (heap_[child].before(heap_[earliest])) earliest = child;
      }
      if (!heap_[earliest].before(node)) break;
      put(place, heap_[earliest]);
      place = earliest;
    }
    put(place, node);
  }

  std::vector<Node> heap_;
  std::vector<std::uint32_t> places_;  // in the heap, by id
  std::uint64_t set_ = 0;
};

}  // namespace storm
