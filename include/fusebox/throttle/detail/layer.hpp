// fusebox/throttle/detail/layer.hpp: a throttle as a layer of the flow of a call.
//
// The frame keeps the bucket of its admission. It holds nothing that would have to be given back: a call that
// is abandoned, cancelled or rejected inside was never counted (V2).
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <string>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/throttle/config.hpp>
#include <fusebox/throttle/detail/core.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C>
struct Layer<Throttle<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = true;
  using Clock = C;
  using Core = ThrottleCore<C>;
  [[nodiscard]] static CallObservers& observers(Throttle<C>& throttle) noexcept {
    return throttle.observers_;
  }

  template <class Explanation>
  static void explain(const Throttle<C>& throttle, Explanation& text) {
    const ThrottleConfig& config = throttle.config();
    std::string line{"rejects a share of the "};
    line.append(text.unit()).append("s, of the lowest priority first, once more than ");
    append_number(line, config.k);
    line.append(" were made for each that was accepted within ").append(duration_text(config.window));
    line.append("; the share is at most ");
    append_number(line, config.max_rejection);
    text.say("throttle", throttle.name(), line);
  }

  template <class Context>
  class Frame {
   public:
    FUSEBOX_DETAIL_INLINE Frame(Throttle<C>& throttle, const Call& call, NoSide& /*side*/) noexcept
        : core_{throttle.core_}, call_{call} {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    FUSEBOX_DETAIL_INLINE ~Frame() = default;

    FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
      number_ = core_.number();
      if (core_.admit(number_, call_.priority())) [[likely]]
        return Verdict::success;
      slot.refuse(PolicyErrc::throttled, &Core::make_rejection, &core_, Admission{0, unknown_wait});
      return Verdict::rejected;
    }
    [[nodiscard]] const Call& call() const noexcept { return call_; }

    template <class Slot>
    FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
      if (verdict == Verdict::success) [[likely]] {
        core_.settle(number_, call_.priority(), true);
      } else {
        settle_failed(core_, number_, call_.priority(), verdict, slot.base());
      }
      return false;
    }

   private:
    Core& core_;
    const Call& call_;
    Tick number_ = 0;
  };

 private:
  FUSEBOX_DETAIL_NOINLINE static void settle_failed(Core& core, Tick number, Priority priority,
                                                    Verdict verdict, SlotBase& slot) {
    if (verdict == Verdict::late) return core.settle(number, priority, false);
    if (verdict != Verdict::failure) return;  // it is nobody's: as if it had not been made
    const Outcome outcome =
        slot.is_code() ? detail::outcome_of_code(slot.code()) : default_outcome(slot.failure());
    if (outcome != Outcome::ignored) core.settle(number, priority, outcome == Outcome::success);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
