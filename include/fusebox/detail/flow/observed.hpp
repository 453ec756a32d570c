// fusebox/detail/flow/observed.hpp: a frame whose policy tells how its calls end (M5).
//
// A policy whose Layer has `observers(policy)` gets on_call() by it. A rejected call is none, and so is one
// through which an exception of a hook passes.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class P>
concept Observable = requires(P& policy) { Layer<P>::observers(policy); };

[[nodiscard]] constexpr Outcome outcome_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::success: return Outcome::success;
    case Verdict::late:
    case Verdict::failure: return Outcome::failure;
    default: return Outcome::ignored;
  }
}

template <class P>
[[nodiscard]] std::string name_of([[maybe_unused]] const P& policy) {
  if constexpr (requires { policy.name(); }) {
    return std::string{policy.name()};
  } else {
    return {};
  }
}

/// What the call leaves is told after the policy has settled it.
template <class P, class Frame>
class ObservedFrame {
 public:
  template <class Side>
  FUSEBOX_DETAIL_INLINE ObservedFrame(P& policy, const Call& call, Side& side)
      : policy_{policy}, frame_{policy, call, side} {}
  ObservedFrame(const ObservedFrame&) = delete;
  ObservedFrame& operator=(const ObservedFrame&) = delete;
  FUSEBOX_DETAIL_INLINE ~ObservedFrame() = default;

  FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
    const Verdict verdict = frame_.enter(slot);
    if (verdict == Verdict::success) begin();
    return verdict;
  }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE const Call& call() const noexcept { return frame_.call(); }

  template <class Slot>
  FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
    if (frame_.again(verdict, slot)) [[unlikely]]
      return true;
    if (is_observed_) [[unlikely]]
      end(policy_, start_, verdict, slot.base());
    return false;
  }

  [[nodiscard]] std::chrono::nanoseconds wait_time() const
    requires Waits<Frame>
  {
    return frame_.wait_time();
  }
  [[nodiscard]] StopToken wait_token() const
    requires Waits<Frame>
  {
    return frame_.wait_token();
  }
  [[nodiscard]] bool wait_is_over() const
    requires EndsWaits<Frame>
  {
    return frame_.wait_is_over();
  }
  FUSEBOX_DETAIL_INLINE bool sleep()
    requires Waits<Frame>
  {
    return frame_.sleep();
  }
  FUSEBOX_DETAIL_INLINE Verdict waited(bool to_its_end, SlotBase& slot)
    requires Waits<Frame>
  {
    const Verdict verdict = frame_.waited(to_its_end, slot);
    if (verdict == Verdict::success) {
      begin();
    } else if (is_observed_) {
      end(policy_, start_, verdict, slot);
    }
    return verdict;
  }
  void abandon()
    requires Abandons<Frame>
  {
    frame_.abandon();
  }

 private:
  FUSEBOX_DETAIL_INLINE void begin() {
    if (Layer<P>::observers(policy_).is_observed() && !is_observed_) [[unlikely]] {
      start_ = now(policy_);
      is_observed_ = true;
    }
  }
  [[nodiscard]] FUSEBOX_DETAIL_COLD static Tick now(const P& policy) {
    return detail::fine_tick(policy.clock());
  }
  FUSEBOX_DETAIL_COLD static void end(P& policy, Tick start, Verdict verdict, SlotBase& slot) {
    const std::chrono::nanoseconds duration{elapsed(start, now(policy))};
    if (verdict == Verdict::late) {
      const Failure late{make_error_code(PolicyErrc::timed_out)};
      Layer<P>::observers(policy).deliver(name_of(policy), Outcome::failure, duration, &late);
    } else {
      Layer<P>::observers(policy).deliver(name_of(policy), outcome_of(verdict), duration,
                                          detail::has_value(verdict) ? nullptr : &slot.failure());
    }
  }

  P& policy_;
  Frame frame_;
  Tick start_ = 0;  // known if is_observed_
  bool is_observed_ = false;
};

/// The frame of a part in its place.
template <class Part, class Context>
struct FrameFor {
  using type = typename LayerOf<Part>::template Frame<Context>;
};
template <class Part, class Context>
  requires Observable<PolicyOf<Part>>
struct FrameFor<Part, Context> {
  using type = ObservedFrame<PolicyOf<Part>, typename LayerOf<Part>::template Frame<Context>>;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
