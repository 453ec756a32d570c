// fusebox/detail/deliveries.hpp: which callbacks run now, on which call stacks (B14).
//
// A callback may cause events, whose callbacks must wait until it has returned, and may end its own
// subscription, which must not wait for it. Both ask whether they were called by a running callback. The
// answer is kept by the address of the delivery's frame, in the hub that delivers: a stackful fiber that
// suspends in a callback and goes on elsewhere leaves nothing behind on a thread.
#pragma once
// IWYU pragma: private

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <fusebox/detail/call_stack.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class Delivery;

/// A delivery that is due. The function is of the code that asks for it, not of the code that made the hub,
/// which may have been unloaded (G4).
struct FUSEBOX_API DueDelivery {
  std::shared_ptr<Delivery> delivery;
  /// Delivers the queued events, unless another thread does, all of them also if a callback ends the thread.
  /// Sets `postponed`, which is empty, to what their callbacks postponed.
  void (*drain)(Delivery&, std::vector<DueDelivery>& postponed);
};

/// What a hub is delivering; the Deliveries' lock guards its members.
class FUSEBOX_API Delivery {
 public:
  Delivery() = default;
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

 protected:
  ~Delivery() = default;

 private:
  template <class Sync>
  friend class Deliveries;

  const void* frame_ = nullptr;     // of the call that delivers
  const void* running_ = nullptr;   // the subscriber whose callback runs
  bool destroys_callback_ = false;  // that subscriber was stopped from inside its callback
  std::vector<DueDelivery> postponed_;
  Delivery* previous_ = nullptr;
  Delivery* next_ = nullptr;
};

/// The deliveries under way: all of a process.
template <class Sync>
class Deliveries {
 public:
  void begin(Delivery& delivery, const void* frame) noexcept {
    const std::lock_guard lock{mutex_};
    delivery.frame_ = frame;
    delivery.next_ = first_;
    delivery.previous_ = nullptr;
    if (first_ != nullptr) first_->previous_ = &delivery;
    first_ = &delivery;
  }

  /// Returns the deliveries that callbacks have postponed meanwhile.
  [[nodiscard]] std::vector<DueDelivery> end(Delivery& delivery) noexcept {
    const std::lock_guard lock{mutex_};
    (delivery.previous_ != nullptr ? delivery.previous_->next_ : first_) = delivery.next_;
    if (delivery.next_ != nullptr) delivery.next_->previous_ = delivery.previous_;
    delivery.frame_ = nullptr;
    return std::exchange(delivery.postponed_, {});
  }

  void begin_callback(Delivery& delivery, const void* subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    delivery.running_ = subscriber;
    delivery.destroys_callback_ = false;
  }
  /// True if the subscriber was stopped by its own callback, which is to be destroyed now.
  [[nodiscard]] bool end_callback(Delivery& delivery) noexcept {
    const std::lock_guard lock{mutex_};
    delivery.running_ = nullptr;
    return delivery.destroys_callback_;
  }

  /// Leaves `due` to the delivery that called this code, if any; false if none did.
  [[nodiscard]] bool postpone(const DueDelivery& due) noexcept {
    const std::lock_guard lock{mutex_};
    Delivery* const around = innermost([](const Delivery&) { return true; });
    if (around == nullptr) return false;
    FUSEBOX_DETAIL_TRY { around->postponed_.push_back(due); }
    FUSEBOX_DETAIL_CATCH_ALL { return false; }  // out of memory: delivered at once, inside the callback
    return true;
  }

  /// How many callbacks of the subscriber have called this code; the outermost one will destroy it.
  [[nodiscard]] int own_callbacks(const void* subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    const void* const position = stack_position();
    int count = 0;
    Delivery* outermost = nullptr;
    for (Delivery* one = first_; one != nullptr; one = one->next_) {
      if (one->running_ != subscriber || !may_be_caller(one->frame_, position) || !is_caller(one->frame_))
        continue;
      ++count;
      if (outermost == nullptr || one->frame_ > outermost->frame_) outermost = one;
    }
    if (outermost != nullptr) outermost->destroys_callback_ = true;
    return count;
  }

 private:
  template <class Wanted>
  [[nodiscard]] Delivery* innermost(Wanted wanted) const noexcept {
    const void* const position = stack_position();
    Delivery* found = nullptr;
    for (Delivery* one = first_; one != nullptr; one = one->next_) {
      const bool nearer = found == nullptr || one->frame_ < found->frame_;
      if (nearer && wanted(*one) && may_be_caller(one->frame_, position) && is_caller(one->frame_))
        found = one;
    }
    return found;
  }

  typename Sync::Mutex mutex_;
  Delivery* first_ = nullptr;
};

/// Drains each of `left`, then what their callbacks postponed, and so on.
inline void drain_all(std::vector<DueDelivery> left) {
  std::vector<DueDelivery> postponed;
  std::size_t next = 0;
  const auto step = [&] {
    if (!postponed.empty()) {
      std::vector<DueDelivery> more = std::exchange(postponed, {});
      FUSEBOX_DETAIL_TRY {
        left.insert(left.end(), more.begin(), more.end());
        return true;
      }
      FUSEBOX_DETAIL_CATCH_ALL {}  // out of memory: these before the others
      drain_all(std::move(more));
      return true;
    }
    if (next == left.size()) return false;
    const DueDelivery& one = left[next++];
    one.drain(*one.delivery, postponed);
    return true;
  };
  run_to_end(step);
}

/// Drains `due`, then what its callbacks postponed, and so on.
inline void deliver_with_postponed(const DueDelivery& due) {
  std::vector<DueDelivery> postponed;
  bool is_drained = false;
  const auto step = [&] {
    if (!std::exchange(is_drained, true)) {
      due.drain(*due.delivery, postponed);
      return true;
    }
    if (!postponed.empty()) drain_all(std::exchange(postponed, {}));
    return false;
  };
  run_to_end(step);
}

/// Those of StdSync; another Sync has a static deliveries() of its own.
template <class Sync>
[[nodiscard]] Deliveries<Sync>& deliveries_of() noexcept {
  if constexpr (requires { Sync::deliveries(); }) {
    return Sync::deliveries();
  } else {
    static NoDestroy<Deliveries<Sync>> deliveries;
    return *deliveries;
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
