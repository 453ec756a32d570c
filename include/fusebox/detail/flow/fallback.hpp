// fusebox/detail/flow/fallback.hpp: the layer of a fallback: another value in place of a failure.
#pragma once
// IWYU pragma: private

#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/flow/slot.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Which calls get the fallback's value.
enum class FallsBack : unsigned char { when_failed, when_rejected };

/// The policy; F may be a reference. `passes_exceptions`: what the fallback throws needs no verdict, since
/// no policy is outside.
template <class F, FallsBack when = FallsBack::when_failed, bool passes_exceptions = false>
struct FallbackPolicy {
  // A constructor: g++ 12 destroys a temporary aggregate twice if its statement awaits something.
  template <class Given>
    requires std::is_constructible_v<F, Given>
  explicit constexpr FallbackPolicy(Given&& given) : fallback(std::forward<Given>(given)) {}
  F fallback;
};

/// What the fallback returns: a value, or a task.
template <class F>
using FallbackGives = decltype(detail::invoke_fallback(std::declval<std::remove_reference_t<F>&>(),
                                                       std::declval<const Failure&>()));

template <class Fallback>
inline constexpr bool takes_failure = std::is_invocable_v<Fallback&, const Failure&>;

template <class F, FallsBack when, bool passes_exceptions>
struct Layer<FallbackPolicy<F, when, passes_exceptions>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  static constexpr LayerKind kind = LayerKind::fallback;
  using Clock = void;
  using Policy = FallbackPolicy<F, when, passes_exceptions>;
  template <class R>
  using Result = GuardedResult<R, std::remove_reference_t<F>>;
  static constexpr bool gives_task = is_task_type<FallbackGives<F>>;

  template <class Explanation>
  static void explain(const Policy& /*policy*/, Explanation& text) {
    constexpr bool all = when == FallsBack::when_failed;
    text.say("fallback", "",
             std::string{"gives another value for each "} + text.unit() +
                 (all ? " that failed or was rejected, not for a cancelled one"
                      : " that a policy inside it rejected"));
  }

  template <class Context>
  class Frame {
   public:
    FUSEBOX_DETAIL_INLINE Frame(Policy& policy, const Call& call, NoSide& /*side*/) noexcept
        : policy_{policy}, call_{call} {}

    FUSEBOX_DETAIL_INLINE static Verdict enter(SlotBase& /*slot*/) noexcept { return Verdict::success; }
    [[nodiscard]] const Call& call() const noexcept { return call_; }

    template <class Slot>
    FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
      static_assert(
          !gives_task || Context::awaits,
          "fusebox: the fallback returns a coroutine, and op returns none: nobody could await it; let op "
          "be a coroutine too");
      if (detail::has_value(verdict)) [[likely]]
        return false;
      if (detail::is_nobodys(verdict)) return false;
      if (when == FallsBack::when_rejected && verdict != Verdict::rejected) return false;
      if constexpr (gives_task) {
        return true;
      } else {
        verdict = fall_back(policy_, slot);
        return false;
      }
    }

    /// Of one that gives a task: whoever awaits it puts its value into the slot.
    [[nodiscard]] auto& fallback() noexcept
      requires gives_task
    {
      return policy_.fallback;
    }

   private:
    /// The value of a fallback that takes the failure. Not part of fall_back(), so that the slot stays out of
    /// memory.
    template <class R>
    FUSEBOX_DETAIL_NOINLINE static R value_for(Policy& policy, SlotBase& slot) {
      // Nobody else asks for the error of a refusal: it need not go into the slot.
      if (slot.is_refusal()) return detail::call_fallback<R>(policy.fallback, slot.make_refusal());
      return detail::call_fallback<R>(policy.fallback, slot.failure());
    }
    template <class R>
    FUSEBOX_DETAIL_INLINE static R value_of(Policy& policy, [[maybe_unused]] SlotBase& slot) {
      if constexpr (takes_failure<std::remove_reference_t<F>>) {
        return value_for<R>(policy, slot);
      } else {
        return detail::call_as<R>(policy.fallback);
      }
    }

    template <class Slot>
    FUSEBOX_DETAIL_INLINE static Verdict fall_back(Policy& policy, Slot& slot) {
      const auto call = [&]() -> decltype(auto) {
        return value_of<typename Slot::result_type>(policy, slot.base());
      };
      if constexpr (passes_exceptions) {
        slot.make_result(call);
      } else {
        FUSEBOX_DETAIL_TRY { slot.make_result(call); }
        FUSEBOX_DETAIL_CATCH_ALL { return detail::catch_into(slot.base()); }  // replaces the failure (P11)
      }
      return Verdict::success;
    }

    Policy& policy_;
    const Call& call_;
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
