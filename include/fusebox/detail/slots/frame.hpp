// fusebox/detail/slots/frame.hpp: what one call has of a policy with slots.
//
// The frame holds a slot from enter() until what is inside has ended, however that happens (K5). A call that
// finds none waits as a SlotWait, which only such a call allocates.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/slots/waiting.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// How a call gets in if there is no free slot. The functions get values, not the frame: its address would
/// keep it in memory. `Core` is a SlotCore.
template <class Core>
struct SlotSteps {
  using Wait = SlotWait<Core>;

  /// A slot, a place in the queue, or neither.
  struct Entered {
    bool has_slot;
    Wait* wait;
  };

  /// Not cold, which would optimise it for size: a full bulkhead comes here with each call.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE static Entered enter_full(Core& core, const Call& call,
                                                                  SlotBase& slot) {
    if (core.slot_config().max_waiting != 0) return queue(core, call, slot);
    if (core.add_rejected()) [[unlikely]]
      core.report_saturated(call.priority());
    refuse(core, slot);
    return {false, nullptr};
  }

  /// How the wait ended, which is over then.
  [[nodiscard]] FUSEBOX_DETAIL_COLD static Verdict finish(Core& core, Wait* wait, bool to_its_end,
                                                          SlotBase& slot) {
    const typename Wait::Queued owned{wait};
    return verdict_of_stage(core, owned->finish(to_its_end), slot);
  }

  FUSEBOX_DETAIL_NOINLINE static void give_back(Core& core) { core.give_back(); }
  FUSEBOX_DETAIL_COLD static void abandon(Wait* wait) noexcept { delete wait; }

 private:
  [[nodiscard]] FUSEBOX_DETAIL_COLD static Entered queue(Core& core, const Call& call, SlotBase& slot) {
    typename Wait::Queued wait;
    const auto stage = Wait::begin(core, call.priority(), call.deadline(), CallAccess::token(call), wait);
    if (stage == Wait::Stage::queued) return {false, wait.release()};
    return {verdict_of_stage(core, stage, slot) == Verdict::success, nullptr};
  }

  [[nodiscard]] static Verdict verdict_of_stage(Core& core, typename Wait::Stage stage, SlotBase& slot) {
    switch (stage) {
      case Wait::Stage::admitted: return Verdict::success;
      case Wait::Stage::rejected: refuse(core, slot); return Verdict::rejected;
      default: break;
    }
    slot.fail_own(Failure{CancelledError{Core::Policy::cancelled, core.clock().wall_now()}});
    return Verdict::cancelled;
  }

  static void refuse(Core& core, SlotBase& slot) noexcept {
    slot.refuse(Core::Policy::errc, &Core::make_rejection, &core, Admission{0, unknown_wait});
  }
};

/// The steps of the frame. A policy that does more with a call derives its frame from it.
template <class Core>
class SlotFrame {
  using Steps = SlotSteps<Core>;

 public:
  FUSEBOX_DETAIL_INLINE SlotFrame(Core& core, const Call& call) noexcept : core_{core}, call_{call} {}
  SlotFrame(const SlotFrame&) = delete;
  SlotFrame& operator=(const SlotFrame&) = delete;
  FUSEBOX_DETAIL_INLINE ~SlotFrame() {
    if (holds_slot_) [[unlikely]]
      core_.give_back();
    if (wait_ != nullptr) [[unlikely]]
      Steps::abandon(wait_);
  }

  FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
    if (core_.try_take(call_.priority())) [[likely]] {
      holds_slot_ = true;
      return Verdict::success;
    }
    const auto entered = Steps::enter_full(core_, call_, slot);
    // Spelled out, so that the compiler sees which verdicts come from here, and what the frame then holds.
    if (entered.has_slot) {
      holds_slot_ = true;
      return Verdict::success;
    }
    if (entered.wait == nullptr) return Verdict::rejected;
    wait_ = entered.wait;
    return Verdict::waiting;
  }
  [[nodiscard]] const Call& call() const noexcept { return call_; }

  template <class Slot>
  FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& /*slot*/) {
    holds_slot_ = false;
    // The same twice: g++ then sees which calls left a value, and does not warn of one that is not there.
    if (verdict == Verdict::success) [[likely]] {
      core_.give_back();
    } else {
      Steps::give_back(core_);
    }
    return false;
  }

  [[nodiscard]] std::chrono::nanoseconds wait_time() const noexcept { return wait_->wait_time(); }
  [[nodiscard]] StopToken wait_token() const { return wait_->wait_token(); }
  [[nodiscard]] bool wait_is_over() const noexcept { return wait_->is_over(); }
  [[nodiscard]] bool sleep() const { return wait_->sleep(); }
  [[nodiscard]] Verdict waited(bool to_its_end, SlotBase& slot) {
    const Verdict verdict = Steps::finish(core_, std::exchange(wait_, nullptr), to_its_end, slot);
    if (verdict == Verdict::success) {  // spelled out as in enter()
      holds_slot_ = true;
      return Verdict::success;
    }
    return verdict == Verdict::cancelled ? Verdict::cancelled : Verdict::rejected;
  }

 private:
  Core& core_;
  const Call& call_;
  typename Steps::Wait* wait_ = nullptr;
  bool holds_slot_ = false;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
