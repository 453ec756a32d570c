// fusebox/chaos/detail/layer.hpp: a chaos policy as a layer of the flow of a call.
//
// A delay is a wait of the frame, before what is inside. A fault is a failure of enter(): what is inside is
// not called, and what is outside sees a call that failed (X2, X3).
#pragma once
// IWYU pragma: private, include <fusebox/chaos.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/chaos/config.hpp>
#include <fusebox/chaos/detail/core.hpp>
#include <fusebox/chaos/detail/draws.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A call that is delayed. Not initialised: most calls never touch it.
struct ChaosSide {
  std::chrono::nanoseconds wait;
  bool fails;        // after the wait
  bool is_too_long;  // the deadline of the call ends the wait
};

/// What a call meets while chaos is enabled. None returns a Verdict, so that g++ sees that no value comes of
/// it.
template <class C>
struct ChaosSteps {
  using Core = ChaosCore<C>;
  enum class Next : unsigned char { inside, wait, failure, cancellation };

  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE static Next begin(Core& core, const Call& call, ChaosSide& side,
                                                          SlotBase& slot) {
    const ChaosPlan plan = core.begin_call();
    side.fails = plan.fails;
    if (!plan.is_delayed) return go_on(core, side, slot);
    core.count_delay(plan.delay);  // first: its callbacks take time
    const auto left = time_left(core, call);
    side.is_too_long = left != no_timeout && left <= plan.delay;
    side.wait = std::min(left, plan.delay);
    if (side.wait.count() > 0) return Next::wait;
    return side.is_too_long ? end_early(core, call, true, slot) : go_on(core, side, slot);
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD static Next end_wait(Core& core, const Call& call, const ChaosSide& side,
                                                         bool to_its_end, SlotBase& slot) {
    return to_its_end && !side.is_too_long ? go_on(core, side, slot)
                                           : end_early(core, call, to_its_end, slot);
  }

 private:
  [[nodiscard]] static std::chrono::nanoseconds time_left(const Core& core, const Call& call) {
    return DeadlineOf::moved_to(call.deadline(), ClockRef{core.clock()}).remaining();
  }

  [[nodiscard]] static Next go_on(Core& core, const ChaosSide& side, SlotBase& slot) {
    if (!side.fails) return Next::inside;
    slot.fail_own(Failure{core.make_fault()});
    return Next::failure;
  }

  /// As an op that is stopped: a timeout around says what it is (D2); a deadline that is nobody's is over.
  [[nodiscard]] static Next end_early(Core& core, const Call& call, bool to_its_end, SlotBase& slot) {
    const auto now = core.clock().wall_now();
    const bool is_over = to_its_end || time_left(core, call).count() == 0;
    if (!CallAccess::is_held(call) && is_over) {
      slot.fail_own(Failure{TimeoutError{"timed out while " + core.shown_name() + " delayed the call", now}});
      return Next::failure;
    }
    slot.fail_own(Failure{CancelledError{"cancelled while " + core.shown_name() + " delayed the call", now}});
    return Next::cancellation;
  }
};

template <class C>
struct Layer<Chaos<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = C;
  using Side = ChaosSide;

  template <class Explanation>
  static void explain(const Chaos<C>& chaos, Explanation& text) {
    const ChaosConfig& config = chaos.config();
    const bool is_enabled = chaos.is_enabled();
    std::string line = is_enabled ? "is enabled: of each " : "is off; enabled, of each ";
    line.append(text.unit()).append(" it delays ");
    append_number(line, config.latency_rate * 100);
    line.append(" % by ").append(config.latency == no_timeout ? "any time" : duration_text(config.latency));
    if (config.latency_jitter.count() > 0)
      line.append(" more or less ").append(duration_text(config.latency_jitter));
    line.append(", and fails ");
    append_number(line, config.fault_rate * 100);
    line.append(" % with ")
        .append(config.network_fault ? std::string{to_string(*config.network_fault)}
                                     : std::to_string(static_cast<int>(config.fault)));
    text.say("chaos", chaos.name(), line);
    if (is_enabled && config.latency_rate > 0) {
      text.delay(
          std::chrono::nanoseconds{saturating_add(config.latency.count(), config.latency_jitter.count())});
    }
  }

  template <class Context>
  class Frame {
    using Steps = ChaosSteps<C>;
    using Next = typename Steps::Next;

   public:
    FUSEBOX_DETAIL_INLINE Frame(Chaos<C>& chaos, const Call& call, Side& side) noexcept
        : core_{*chaos.core_}, call_{call}, side_{side} {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    FUSEBOX_DETAIL_INLINE ~Frame() = default;

    FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
      if (!core_.is_enabled()) [[likely]]
        return Verdict::success;
      // Constants: from them g++ knows that a call that does not go on inside has no value.
      switch (Steps::begin(core_, call_, side_, slot)) {
        case Next::inside: return Verdict::success;
        case Next::wait: return Verdict::waiting;
        case Next::failure: return Verdict::failure;
        case Next::cancellation: break;
      }
      return Verdict::cancelled;
    }
    [[nodiscard]] const Call& call() const noexcept { return call_; }
    template <class Slot>
    FUSEBOX_DETAIL_INLINE bool again(Verdict&, Slot&) noexcept {
      return false;
    }

    [[nodiscard]] std::chrono::nanoseconds wait_time() const noexcept { return side_.wait; }
    [[nodiscard]] StopToken wait_token() const { return call_.stop_token(); }
    bool sleep() {
      static_assert(fusebox::Clock<C>,
                    "fusebox: op returns no coroutine, so a delay of chaos waits on this thread: it needs a "
                    "clock whose "
                    "sleep_for blocks and returns bool (a Clock)");
      return core_.clock().sleep_for(wait_time(), wait_token());
    }
    Verdict waited(bool to_its_end, SlotBase& slot) {
      switch (Steps::end_wait(core_, call_, side_, to_its_end, slot)) {
        case Next::inside: return Verdict::success;
        case Next::failure: return Verdict::failure;
        default: break;
      }
      return Verdict::cancelled;
    }

   private:
    ChaosCore<C>& core_;
    const Call& call_;
    Side& side_;
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
