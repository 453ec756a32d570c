// fusebox/detail/call_listeners.hpp: who hears how each call of a policy ended (B18).
//
// Unlike state changes, calls end on many threads at once: each thread runs the callbacks for its own call,
// and nothing is queued.
#pragma once
// IWYU pragma: private

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <fusebox/call/event.hpp>
#include <fusebox/detail/deliveries.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/unwinding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Used under the policy's lock, apart from deliver().
template <class Sync>
class CallListeners {
 public:
  using List = std::vector<std::shared_ptr<Subscriber<Sync>>>;

  /// Drops those that were stopped.
  void add(std::shared_ptr<Subscriber<Sync>> subscriber) {
    auto longer = std::make_shared<List>();
    longer->reserve(list_ ? list_->size() + 1 : 1);
    if (list_) {
      for (const auto& one : *list_) {
        if (one->is_active()) longer->push_back(one);
      }
    }
    longer->push_back(std::move(subscriber));
    list_ = std::move(longer);
  }

  [[nodiscard]] bool has_active() const noexcept {
    if (!list_) return false;
    for (const auto& one : *list_) {
      if (one->is_active()) return true;
    }
    return false;
  }
  /// Null if nobody listens any more.
  [[nodiscard]] std::shared_ptr<const List> active() noexcept {
    if (!has_active()) list_ = nullptr;
    return list_;
  }

  /// Runs the callbacks, outside the lock; all of them, also if one ends the thread.
  static void deliver(const List& list, const CallEvent& event) {
    class : public Delivery {
    } delivery;
    Deliveries<Sync>& deliveries = deliveries_of<Sync>();
    deliveries.begin(delivery, __builtin_frame_address(0));
    std::size_t next = 0;
    bool has_ended = false;
    const auto step = [&] {
      if (next < list.size()) {
        list[next++]->receive(event, delivery);
        return true;
      }
      if (std::exchange(has_ended, true)) return false;
      std::vector<DueDelivery> postponed = deliveries.end(delivery);
      if (!postponed.empty()) drain_all(std::move(postponed));
      return false;
    };
    run_to_end(step);
  }

 private:
  std::shared_ptr<const List> list_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
