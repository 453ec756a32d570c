// fusebox/bulkhead/detail/layer.hpp: a bulkhead as a layer of the flow of a call.
//
// The frame holds a slot from enter() until what is inside has ended, however that happens (K5). A call that
// finds none waits as a BulkheadWait, which only such a call allocates.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <chrono>
#include <string>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/bulkhead/config.hpp>
#include <fusebox/bulkhead/detail/core.hpp>
#include <fusebox/bulkhead/detail/waiting.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// How a call gets into a bulkhead that has no free slot. The functions get values, not the frame: its
/// address would keep it in memory.
template <class C>
struct BulkheadSteps {
  using Core = BulkheadCore<C>;
  using Wait = BulkheadWait<C>;

  /// A slot, a place in the queue, or neither.
  struct Entered {
    bool has_slot;
    Wait* wait;
  };

  /// Not cold, which would optimise it for size: a full bulkhead comes here with each call.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE static Entered enter_full(Core& core, const Call& call,
                                                                  SlotBase& slot) {
    if (core.config().max_waiting != 0) return queue(core, call, slot);
    core.count_rejected();
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
    const auto stage = Wait::begin(core, call.deadline(), CallAccess::token(call), wait);
    if (stage == Wait::Stage::queued) return {false, wait.release()};
    return {verdict_of_stage(core, stage, slot) == Verdict::success, nullptr};
  }

  [[nodiscard]] static Verdict verdict_of_stage(Core& core, typename Wait::Stage stage, SlotBase& slot) {
    switch (stage) {
      case Wait::Stage::admitted: return Verdict::success;
      case Wait::Stage::rejected: refuse(core, slot); return Verdict::rejected;
      default: break;
    }
    slot.fail_own(
        Failure{CancelledError{"cancelled while waiting for the bulkhead", core.clock().wall_now()}});
    return Verdict::cancelled;
  }

  static void refuse(Core& core, SlotBase& slot) noexcept {
    slot.refuse(PolicyErrc::bulkhead_full, &Core::make_rejection, &core, Admission{0, unknown_wait});
  }
};

template <class C>
struct Layer<Bulkhead<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  static constexpr bool queues = true;
  [[nodiscard]] static CallObservers& observers(Bulkhead<C>& bulkhead) noexcept {
    return bulkhead.observers_;
  }
  using Clock = C;

  template <class Explanation>
  static void explain(const Bulkhead<C>& bulkhead, Explanation& text) {
    const BulkheadConfig& config = bulkhead.config();
    std::string line =
        "admits " + std::to_string(bulkhead.stats().limit) + " at once, and holds a slot for each ";
    line.append(text.unit()).append(" until it has ended; ");
    if (config.max_waiting == 0) {
      line.append("a full one rejects at once");
    } else {
      line.append(std::to_string(config.max_waiting)).append(" more wait");
      if (config.max_wait != no_timeout)
        line.append(", at most ").append(duration_text(config.max_wait)).append(" each");
      text.delay(config.max_wait);
    }
    text.say("bulkhead", bulkhead.name(), line);
  }

  template <class Context>
  class Frame {
    using Steps = BulkheadSteps<C>;
    using Core = typename Steps::Core;

   public:
    FUSEBOX_DETAIL_INLINE Frame(Bulkhead<C>& bulkhead, const Call& call, NoSide& /*side*/) noexcept
        : core_{BulkheadAccess::core(bulkhead)}, call_{call} {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    FUSEBOX_DETAIL_INLINE ~Frame() {
      if (holds_slot_) [[unlikely]]
        core_.give_back();
      if (wait_ != nullptr) [[unlikely]]
        Steps::abandon(wait_);
    }

    FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
      if (core_.try_take()) [[likely]] {
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
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
