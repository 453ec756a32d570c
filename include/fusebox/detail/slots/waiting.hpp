// fusebox/detail/slots/waiting.hpp: SlotWait, one call that waits for a slot (K2 to K4, K8, P18).
//
// acquire() of a policy and its frame in the flow share it: begin(), then somebody waits wait_time() with
// wait_token() by the bulkhead's clock, then finish().
#pragma once
// IWYU pragma: private

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/slots/wake.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// `Core` is a SlotCore.
template <class Core>
class SlotWait {
 public:
  using Clock = typename Core::Clock;
  using Queued = std::unique_ptr<SlotWait>;

  /// How far a call is that found no free slot.
  enum class Stage : unsigned char { queued, admitted, rejected, cancelled };

  /// The call takes a slot, or a place in the queue, which `wait` then stands for, or is rejected, and
  /// counted. `token` may be null; it must outlive the wait.
  [[nodiscard]] FUSEBOX_DETAIL_COLD static Stage begin(Core& core, Priority priority,
                                                       const Deadline& deadline, const StopToken* token,
                                                       Queued& wait) {
    if (core.try_pass(priority)) return Stage::admitted;
    const auto longest =
        core.is_queue_full(priority) ? std::chrono::nanoseconds::zero() : time_left(core, deadline);
    if (longest <= std::chrono::nanoseconds::zero()) return reject(core, priority);
    wait.reset(new SlotWait{core, priority, deadline, longest});
    switch (core.enqueue(wait->waiter_)) {
      case Core::Place::queue: break;
      case Core::Place::slot: return Stage::admitted;
      case Core::Place::none: return reject(core, priority);
    }
    wait->is_queued_ = true;
    wait->listen(token);
    core.deliver_events();
    return Stage::queued;
  }

  SlotWait(const SlotWait&) = delete;
  SlotWait& operator=(const SlotWait&) = delete;
  /// If nobody waits any more, such as when a coroutine is destroyed: leaves the queue, and gives back a slot
  /// that came meanwhile.
  ~SlotWait() {
    if (is_queued_ && settle() == Core::Fate::granted) core_.give_back();
  }

  [[nodiscard]] std::chrono::nanoseconds wait_time() const noexcept { return longest_; }
  [[nodiscard]] StopToken wait_token() const { return waiter_.wake.get_token(); }
  /// Has a slot come, or a stop? Also where a StopToken cannot say so.
  [[nodiscard]] bool is_over() const noexcept { return waiter_.wake.stop_requested(); }

  /// Waits on this thread; true if to the end.
  [[nodiscard]] FUSEBOX_DETAIL_COLD bool sleep() const {
    static_assert(
        fusebox::Clock<Clock>,
        "fusebox: op returns no coroutine, so the queue of a bulkhead or an adaptive limit waits on this "
        "thread: it needs a clock whose sleep_for blocks and returns bool (a Clock)");
#if FUSEBOX_DETAIL_STOP_TOKEN
    return core_.clock().sleep_for(longest_, wait_token());
#else  // nothing ends a sleep early: look now and then
    constexpr std::chrono::nanoseconds look = std::chrono::milliseconds{1};
    for (auto left = longest_; left > left.zero(); left -= std::min(left, look)) {
      if (waiter_.wake.stop_requested()) return false;
      if (!core_.clock().sleep_for(std::min(left, look), StopToken{})) return false;
    }
    return true;
#endif
  }

  /// After the wait. A slot that came while the wait ended otherwise is taken all the same (K3).
  [[nodiscard]] Stage finish(bool to_its_end) {
    const auto fate = settle();
    if (fate == Core::Fate::granted) return Stage::admitted;
    if (fate == Core::Fate::shed) return Stage::rejected;  // and counted
    // Relaxed: what stopped the wait has synchronised with its end. A wait that ended by neither was
    // cancelled by the framework of a coroutine (A7).
    if (!to_its_end && (is_stopped_.load(std::memory_order_relaxed) || !waiter_.wake.stop_requested()))
      return Stage::cancelled;
    return reject(core_, waiter_.priority);
  }

 private:
  SlotWait(Core& core, Priority priority, const Deadline& deadline, std::chrono::nanoseconds longest)
      : core_{core}, deadline_{deadline}, longest_{longest} {
    waiter_.priority = priority;
  }

  [[nodiscard]] static Stage reject(Core& core, Priority priority) {
    core.count_rejected(priority);
    return Stage::rejected;
  }

  /// How long a call may wait that begins to wait now.
  [[nodiscard]] static std::chrono::nanoseconds time_left(const Core& core, const Deadline& deadline) {
    return std::min(core.slot_config().max_wait, left_until(deadline, core));
  }
  [[nodiscard]] static std::chrono::nanoseconds left_until(const Deadline& deadline, const Core& core) {
    return DeadlineOf::moved_to(deadline, ClockRef{core.clock()}).remaining();
  }

  [[nodiscard]] typename Core::Fate settle() noexcept {
#if FUSEBOX_DETAIL_STOP_TOKEN
    on_stop_.reset();  // first: afterwards nobody writes is_stopped_
#endif
    is_queued_ = false;
    return core_.settle(waiter_);
  }

  void listen([[maybe_unused]] const StopToken* token) {
#if FUSEBOX_DETAIL_STOP_TOKEN
    if (token != nullptr && token->stop_possible()) on_stop_.emplace(*token, OnStop{*this});
#endif
  }

  /// The call is stopped. A limit around it stops it too, at the deadline: that is no cancellation (K8).
  void stop() noexcept {
    if (left_until(deadline_, core_) > std::chrono::nanoseconds::zero())
      is_stopped_.store(true, std::memory_order_relaxed);
    waiter_.wake.request_stop();
  }

  struct OnStop {
    SlotWait& wait;
    void operator()() const noexcept { wait.stop(); }
  };

  Core& core_;
  const Deadline deadline_;
  const std::chrono::nanoseconds longest_;
  typename Core::Waiter waiter_;
  std::atomic<bool> is_stopped_{false};  // by the caller
  bool is_queued_ = false;
#if FUSEBOX_DETAIL_STOP_TOKEN
  std::optional<std::stop_callback<OnStop>> on_stop_;
#endif
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
