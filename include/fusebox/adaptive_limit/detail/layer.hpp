// fusebox/adaptive_limit/detail/layer.hpp: an adaptive limit as a layer of the flow of a call.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <string>

#include <fusebox/adaptive_limit/detail/core.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/slots/frame.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Rule, class C>
struct Layer<AdaptiveLimit<Rule, C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = true;
  static constexpr bool queues = true;
  [[nodiscard]] static CallObservers& observers(AdaptiveLimit<Rule, C>& limit) noexcept {
    return limit.observers_;
  }
  using Clock = C;

  template <class Explanation>
  static void explain(const AdaptiveLimit<Rule, C>& limit, Explanation& text) {
    const Rule& rule = limit.rule();
    std::string line = "admits " + std::to_string(rule.min) + " to " + std::to_string(rule.max) +
                       " at once, as their latency says, now " + std::to_string(limit.stats().limit) +
                       ", and holds a slot for each ";
    line.append(text.unit()).append(" until it has ended; ");
    explain_queue(limit.core_.slot_config(), line, text);
    text.say("adaptive limit", limit.name(), line);
  }

  template <class Context>
  class Frame : public SlotFrame<typename AdaptiveCore<Rule, C>::Slots> {
    using Core = AdaptiveCore<Rule, C>;
    using Base = SlotFrame<typename Core::Slots>;

   public:
    FUSEBOX_DETAIL_INLINE Frame(AdaptiveLimit<Rule, C>& limit, const Call& call, NoSide& /*side*/) noexcept
        : Base{AdaptiveLimitAccess::core(limit), call}, core_{AdaptiveLimitAccess::core(limit)} {}

    FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
      const Verdict verdict = Base::enter(slot);
      if (verdict == Verdict::success) [[likely]]
        admission_ = core_.begin();
      return verdict;
    }
    [[nodiscard]] Verdict waited(bool to_its_end, SlotBase& slot) {
      const Verdict verdict = Base::waited(to_its_end, slot);
      if (verdict == Verdict::success) admission_ = core_.begin();
      return verdict;
    }
    template <class Slot>
    FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
      const bool is_due = core_.record(admission_, kind_of(verdict, slot.base()));
      Base::again(verdict, slot);
      if (is_due) [[unlikely]]
        core_.end_window();
      return false;
    }

   private:
    [[nodiscard]] FUSEBOX_DETAIL_INLINE static SampleKind kind_of(Verdict verdict, SlotBase& slot) {
      if (verdict == Verdict::success) [[likely]]
        return SampleKind::answered;
      if (verdict == Verdict::late) return SampleKind::late;
      return verdict == Verdict::failure && is_overload_in(slot) ? SampleKind::failed : SampleKind::none;
    }
    [[nodiscard]] FUSEBOX_DETAIL_COLD static bool is_overload_in(SlotBase& slot) {
      return is_overload(slot.failure());
    }

    Core& core_;
    Admission admission_;
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
