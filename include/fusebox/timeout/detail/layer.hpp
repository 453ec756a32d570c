// fusebox/timeout/detail/layer.hpp: a timeout as a layer of the flow of a call (D1 to D6).
//
// The frame shortens the deadline of the Call. If op can be stopped, and no limit around ends earlier, it
// arms a timer, whose stop op receives. After a failure it asks whether the limit is what ended op.
#pragma once
// IWYU pragma: private, include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/timer/node.hpp>
#include <fusebox/detail/timer/thread.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/timeout/detail/totals.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a call whose op is stopped has of a timeout beside the hot fields of its frame.
class TimeoutSide {
 public:
  TimeoutSide() noexcept {}  // NOLINT(*-use-equals-default)
  TimeoutSide(const TimeoutSide&) = delete;
  TimeoutSide& operator=(const TimeoutSide&) = delete;
  FUSEBOX_DETAIL_INLINE ~TimeoutSide() {
    if (is_made_) std::destroy_at(&stop_);
  }

  /// Makes the token of the layers inside, which a stop from outside stops too.
  void make_token(const StopToken* outside) {
    std::construct_at(&stop_);
    is_made_ = true;
#if FUSEBOX_DETAIL_STOP_TOKEN
    if (outside != nullptr && outside->stop_possible())
      stop_.from_outside.emplace(*outside, Forward{stop_.node.source});
#else
    static_cast<void>(outside);
#endif
  }
  [[nodiscard]] TimerNode& node() noexcept { return stop_.node; }
  [[nodiscard]] const StopToken& token() const noexcept { return stop_.token; }

 private:
#if FUSEBOX_DETAIL_STOP_TOKEN
  struct Forward {
    StopSource& to;
    void operator()() const noexcept { to.request_stop(); }
  };
#endif
  struct Stop {
    TimerNode node{.source = StopSource{}};
    StopToken token = node.source.get_token();
#if FUSEBOX_DETAIL_STOP_TOKEN
    std::optional<std::stop_callback<Forward>> from_outside;  // destroyed first: it refers to the node
#endif
  };

  union {
    Stop stop_;  // NOLINT(readability-identifier-naming)
  };
  bool is_made_ = false;
};

/// What is rare, for all timeouts.
struct TimeoutSteps {
  // None returns a Verdict, so that g++ sees that no value comes of it.

  /// The limit was over before the call began, or the caller has stopped it (D5, P8). Returns whether to the
  /// policies outside it is a cancellation.
  template <class Policy>
  [[nodiscard]] FUSEBOX_DETAIL_COLD static bool refuse(Policy& policy, const Call& outer, SlotBase& slot) {
    const auto wall_now = policy.clock().wall_now();
    if (outer.stop_requested() || CallAccess::is_held(outer)) {  // who holds it says TimeoutError
      slot.fail_own(Failure{CancelledError{"cancelled before the call", wall_now}});
      return true;
    }
    policy.counts().count_call();
    policy.counts().count_timed_out();
    slot.fail_own(Failure{TimeoutError{"timed out before the call", wall_now}});
    return false;
  }

  /// What becomes of a failure after the limit.
  enum class Ending : unsigned char { unchanged, timed_out, cancelled };

  /// A failure after the limit. Is it because of the limit (D2 to D4)?
  template <class Policy>
  [[nodiscard]] FUSEBOX_DETAIL_COLD static Ending end(Policy& policy, const Call& outer, bool is_ours,
                                                      bool is_own, Verdict verdict, SlotBase& slot) {
    if (verdict != Verdict::cancelled &&
        !(verdict == Verdict::failure && looks_stopped(slot.failure().code())))
      return Ending::unchanged;
    if (outer.stop_requested() || !is_ours) {
      cancel(policy.clock().wall_now(), slot);
      return Ending::cancelled;
    }
    policy.counts().count_timed_out();
    // A deadline that nobody else answers for ends the call before the limit does.
    const std::string text = is_own ? "timed out after " + detail::duration_text(policy.limit())
                                    : "timed out at the deadline of the call";
    slot.fail_own(Failure{TimeoutError{text, policy.clock().wall_now()}});
    return Ending::timed_out;
  }

 private:
  /// What an op that is stopped looks like if it reports no cancellation: its connection was closed under it.
  [[nodiscard]] static bool looks_stopped(const std::error_code& code) noexcept {
    return code && (detail::is_network_error(code) || detail::matches(code, std::errc::bad_file_descriptor) ||
                    detail::matches(code, std::errc::interrupted));
  }

  /// The caller's stop wins, or the limit of a policy further out: what ended op is not for us to name.
  static void cancel(std::chrono::system_clock::time_point now, SlotBase& slot) {
    const Failure& cause = slot.failure();
    if (cause.code() == make_error_code(PolicyErrc::cancelled)) return;
    slot.fail_own(Failure{CancelledError{"cancelled", now, Failure{cause}}});
  }
};

/// A Policy has limit(), clock() and counts().
template <class Policy, class Context>
class TimeoutFrame {
  using C = std::remove_cvref_t<decltype(std::declval<Policy&>().clock())>;
  static constexpr bool stops_op = Context::interruptible && FUSEBOX_DETAIL_STOP_TOKEN == 1;
  static_assert(
      !stops_op || TimerClock<C>,
      "fusebox: this clock cannot stop an op that takes a std::stop_token, a const Call& or a const "
      "Attempt&, since it has no arm(node, due) and disarm(node): let op take a Deadline or nothing, or "
      "forward both to SystemClock or FakeClock");

 public:
  FUSEBOX_DETAIL_INLINE TimeoutFrame(Policy& policy, const Call& call, TimeoutSide& side) noexcept
      : policy_{policy}, outer_{call}, side_{side}, call_{call} {}
  TimeoutFrame(const TimeoutFrame&) = delete;
  TimeoutFrame& operator=(const TimeoutFrame&) = delete;
  FUSEBOX_DETAIL_INLINE ~TimeoutFrame() { disarm(); }

  FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
    const Tick now = detail::fine_tick(policy_.clock());
    const Tick outer_due = ticks(outer_.deadline().time());
    if (now >= outer_due || outer_.stop_requested()) [[unlikely]]
      return TimeoutSteps::refuse(policy_, outer_, slot) ? Verdict::cancelled : Verdict::failure;
    policy_.counts().count_call();
    own_due_ = saturating_add(now, ticks(policy_.limit()));
    is_ours_ = own_due_ < outer_due || !CallAccess::is_held(outer_);
    due_ = own_due_ < outer_due ? own_due_ : outer_due;
    call_ = CallAccess::with_deadline(outer_, DeadlineOf::at(own_due_, ClockRef{policy_.clock()}));
    CallAccess::hold(call_);
    if constexpr (stops_op) {
      if (is_ours_ && due_ != tick_max) arm();
    }
    return Verdict::success;
  }
  [[nodiscard]] const Call& call() const noexcept { return call_; }

  template <class Slot>
  FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
    disarm();
    if (has_value(verdict)) [[likely]] {
      if ((Context::watched || is_stopped()) && is_over(own_due_)) [[unlikely]] {
        policy_.counts().count_late();
        verdict = Verdict::late;
      }
    } else if (is_over(due_)) {
      const auto ending =
          TimeoutSteps::end(policy_, outer_, is_ours_, due_ == own_due_, verdict, slot.base());
      if (ending == TimeoutSteps::Ending::timed_out) verdict = Verdict::failure;
      if (ending == TimeoutSteps::Ending::cancelled) verdict = Verdict::cancelled;
    }
    return false;
  }

 private:
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_over(Tick due) const {
    return detail::fine_tick(policy_.clock()) >= due;
  }

  /// What it throws, such as std::system_error without a thread, leaves execute(): op is not called (D8).
  FUSEBOX_DETAIL_NOINLINE void arm() {
    side_.make_token(CallAccess::token(outer_));
    policy_.clock().arm(side_.node(), SteadyTime{std::chrono::nanoseconds{due_}});
    is_armed_ = true;
    CallAccess::set_token(call_, side_.token());
  }

  FUSEBOX_DETAIL_INLINE void disarm() noexcept {
    if constexpr (stops_op) {
      if (is_armed_) {
        is_armed_ = false;
        policy_.clock().disarm(side_.node());
      }
    }
  }

  /// Has op received a stop? Then a value may be late, also if nobody outside asks for that (P6).
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_stopped() const noexcept {
    return stops_op && call_.stop_requested();
  }

  Policy& policy_;
  const Call& outer_;
  TimeoutSide& side_;
  Call call_;
  Tick own_due_ = tick_max;  // a value after it is late; the limits of others are theirs to watch (P6)
  Tick due_ = tick_max;
  bool is_ours_ = false;  // else the deadline is that of a timeout around, which holds
  bool is_armed_ = false;
};

/// The timeout of one call of with_timeout. C may be a reference.
template <class C>
class LoneTimeout {
 public:
  LoneTimeout(std::chrono::nanoseconds limit, const std::remove_reference_t<C>& clock)
      : limit_{limit}, clock_{clock} {}

  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }
  [[nodiscard]] const std::remove_reference_t<C>& clock() const noexcept { return clock_; }
  [[nodiscard]] static NoTimeoutTotals counts() noexcept { return {}; }

 private:
  std::chrono::nanoseconds limit_;
  C clock_;
};

template <class Policy, class C>
struct TimeoutLayer {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = C;
  using Side = TimeoutSide;
  template <class Context>
  using Frame = TimeoutFrame<Policy, Context>;
};
template <class C>
struct Layer<LoneTimeout<C>> : TimeoutLayer<LoneTimeout<C>, std::remove_cvref_t<C>> {};

inline void check_limit(std::chrono::nanoseconds limit) {
  if (!is_positive_duration(limit)) [[unlikely]]
    throw_if("Timeout", problem("limit", positive_duration_rule, limit));
}

template <class... Options>
consteval void check_timeout_options() {
  static_assert(
      (... && is_one_of<Options, IsClock, IsStopToken, IsDeadline, IsFailureIf>),
      "fusebox: unknown option: with_timeout accepts, after op, a clock, a std::stop_token, a Deadline "
      "and failure_if");
  static_assert(count_of<IsClock, Options...> <= 1 && count_of<IsStopToken, Options...> <= 1 &&
                    count_of<IsDeadline, Options...> <= 1 && count_of<IsFailureIf, Options...> <= 1,
                "fusebox: two options of one kind: with_timeout accepts at most one each of a clock, a "
                "std::stop_token, a Deadline and failure_if");
}

/// The same in a coroutine, which keeps a copy of the clock.
template <class Op, class... Options>
[[nodiscard]] auto start_with_timeout(std::chrono::nanoseconds limit, Op&& op, Options&&... options) {
  check_limit(limit);
  const SystemClock by_default;
  const auto& clock = detail::option_or<IsClock>(by_default, options...);
  using Policy = LoneTimeout<std::remove_cvref_t<decltype(clock)>>;
  return detail::start_task(PartTuple<Policy>{Policy{limit, clock}}, std::forward<Op>(op),
                            std::forward<Options>(options)...);
}

/// with_timeout, once its options are checked.
template <class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto drive_with_timeout(std::chrono::nanoseconds limit, Op& op, Options&... options)
    -> std::remove_cv_t<ValueOf<takes<Op>, Op>> {
  constexpr Takes what = takes<Op>;
  check_operation<what, Op, Options...>();
  using V = ValueOf<what, Op>;
  using R = std::remove_cv_t<V>;
  static_assert(
      exceptions_are_on<V> || carries_any<R>,
      "fusebox: without exceptions an error cannot be thrown: let op return a type that can carry it "
      "(expected-like, std::error_code, with failure_traits)");
  check_limit(limit);
  const SystemClock by_default;
  const auto& clock = detail::option_or<IsClock>(by_default, options...);
  using Policy = LoneTimeout<const std::remove_cvref_t<decltype(clock)>&>;
  PartTuple<Policy> parts{Policy{limit, clock}};
  SlotBase failure;
  Slot<V, R, RuleOf<Options...>> slot{failure};
  return detail::finish(detail::run_flow<what>(parts, slot, op, options...), slot);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
