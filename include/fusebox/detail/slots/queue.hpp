// fusebox/detail/slots/queue.hpp: SlotQueue, the calls that wait for a slot, in the order in which they get
// one.
#pragma once
// IWYU pragma: private

#include <array>
#include <cstddef>

#include <fusebox/call.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The highest priority first, and the longest waiter first within one (K2): a list for each priority. Waiter
/// has `priority`, and `previous` and `next`, which belong to the queue. No step allocates or searches.
template <class Waiter>
class SlotQueue {
 public:
  [[nodiscard]] Waiter* first() const noexcept {
    for (const List& list : lists_) {
      if (list.first != nullptr) return list.first;
    }
    return nullptr;
  }

  /// The waiter that makes room for a call of this priority, if any: the youngest of the lowest priority.
  [[nodiscard]] Waiter* youngest_below(Priority priority) const noexcept {
    const Priority lowest = this->lowest();
    return lowest > priority ? lists_[static_cast<std::size_t>(lowest)].last : nullptr;
  }

  /// The lowest priority that waits; critical if nobody waits.
  [[nodiscard]] Priority lowest() const noexcept {
    for (std::size_t i = priority_count; i-- > 1;) {
      if (lists_[i].first != nullptr) return static_cast<Priority>(i);
    }
    return Priority::critical;
  }

  void link(Waiter& waiter) noexcept {
    List& list = list_of(waiter);
    waiter.previous = list.last;
    (list.last != nullptr ? list.last->next : list.first) = &waiter;
    list.last = &waiter;
  }
  void unlink(Waiter& waiter) noexcept {
    List& list = list_of(waiter);
    (waiter.previous != nullptr ? waiter.previous->next : list.first) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : list.last) = waiter.previous;
  }

  /// Calls `f` with the longest waiter of each priority.
  template <class F>
  void for_each_oldest(F f) const {
    for (const List& list : lists_) {
      if (list.first != nullptr) f(*list.first);
    }
  }

 private:
  struct List {
    Waiter* first = nullptr;  // the longest waiter
    Waiter* last = nullptr;
  };
  [[nodiscard]] List& list_of(const Waiter& waiter) noexcept {
    return lists_[static_cast<std::size_t>(waiter.priority)];
  }

  std::array<List, priority_count> lists_{};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
