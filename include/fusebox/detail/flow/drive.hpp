// fusebox/detail/flow/drive.hpp: the blocking driver: runs a call through the layers of its policies.
//
// Flow::run is all of the control flow: a recursion from the outermost layer to op, inlined into the caller.
// drive() is what a policy's execute() does: it reads the options, runs, and returns the result or throws.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/carry.hpp>
#include <fusebox/detail/flow/inside.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/observed.hpp>
#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The parts of a call's policies, the outermost first, as they are held.
template <class... Parts>
using PartTuple = std::tuple<Parts...>;

/// Of the clock of a policy that has one; else void.
template <class P>
struct ClockOf {
  using type = void;
};
template <HasLayer P>
struct ClockOf<P> {
  using type = typename Layer<P>::Clock;
};

/// The result type of a call whose op returns V (P13).
template <class V, class... Parts>
struct ResultOf {
  using type = std::remove_cv_t<V>;
};
template <class V, class Part, class... Inside>
struct ResultOf<V, Part, Inside...> {
  using type = typename ResultThrough<LayerOf<Part>, typename ResultOf<V, Inside...>::type>::type;
};

template <Takes what, class Tuple>
struct FlowOfTuple;

template <Takes what, class... Parts>
struct Flow {
  using Tuple = PartTuple<Parts...>;
  static constexpr std::size_t size = sizeof...(Parts);
  template <std::size_t i>
  using Part = std::tuple_element_t<i, Tuple>;

  /// Does a policy outside the i-th tell a late success from another?
  template <std::size_t i>
  [[nodiscard]] static consteval bool is_watched() noexcept {
    return []<std::size_t... outside>(std::index_sequence<outside...>) {
      return (false || ... || watches_late<Part<outside>>);
    }(std::make_index_sequence<i>{});
  }
  static constexpr bool is_in_copy = runs_in_copy<Parts...>;
  template <std::size_t i>
  using Context = FlowContext<what, is_watched<i>(), true, false, false, is_in_copy>;
  template <std::size_t i>
  using FrameOf = typename FrameFor<Part<i>, Context<i>>::type;

  template <std::size_t i>
  [[nodiscard]] static auto& policy(Tuple& parts) noexcept {
    return HeldPart<std::remove_cvref_t<Part<i>>>::get(std::get<i>(parts));
  }

  /// Runs the call through the layers from the i-th on.
  template <std::size_t i, class Slot, class Op, class Rule>
  FUSEBOX_DETAIL_INLINE static Verdict run([[maybe_unused]] Tuple& parts, Slot& slot, const Call& call,
                                           Op& op, const Rule& rule) {
    if constexpr (i == size) {
      return detail::call_op<what>(slot, call, op, rule);
    } else if constexpr (HasLayer<PolicyOf<Part<i>>>) {
      using Frame = FrameOf<i>;
      typename SideOf<LayerOf<Part<i>>>::type side;
      Frame frame{policy<i>(parts), call, side};
      Verdict verdict = frame.enter(slot.base());
      if constexpr (Waits<Frame>) {
        if (verdict == Verdict::waiting) [[unlikely]]
          verdict = wait(frame, slot.base());
      }
      if (verdict != Verdict::success) [[unlikely]]
        return without_value(verdict);
      for (;;) {
        verdict = run_inside<i>(frame, parts, slot, op, rule);
        if (!frame.again(verdict, slot)) [[likely]]
          return verdict;
        if constexpr (Waits<Frame>) {
          const Verdict after = wait(frame, slot.base());
          if (after != Verdict::success) return without_value(after);
        }
        slot.drop_value();
        slot.base().clear_failure();
      }
    } else {
      const auto inner = [&] { return run<i + 1>(parts, slot, call, op, rule); };
      return ForeignPolicy<PolicyOf<Part<i>>>::run(policy<i>(parts), slot, inner);
    }
  }

  /// The clock of the parts; an empty reference if none has one.
  template <std::size_t i = 0>
  [[nodiscard]] static ClockRef clock([[maybe_unused]] Tuple& parts) {
    if constexpr (i == size) {
      return {};
    } else if constexpr (std::is_void_v<typename ClockOf<PolicyOf<Part<i>>>::type>) {
      return clock<i + 1>(parts);
    } else {
      return ClockRef{policy<i>(parts).clock()};
    }
  }

  /// The wall time by that clock, else by SystemClock.
  template <std::size_t i = 0>
  [[nodiscard]] static std::chrono::system_clock::time_point wall_now([[maybe_unused]] Tuple& parts) {
    if constexpr (i == size) {
      return SystemClock{}.wall_now();
    } else if constexpr (std::is_void_v<typename ClockOf<PolicyOf<Part<i>>>::type>) {
      return wall_now<i + 1>(parts);
    } else {
      return policy<i>(parts).clock().wall_now();
    }
  }

 private:
  template <std::size_t i, class Frame, class Slot, class Op, class Rule>
  FUSEBOX_DETAIL_INLINE static Verdict run_inside(Frame& frame, Tuple& parts, Slot& slot, Op& op,
                                                  const Rule& rule) {
    if constexpr (is_parallel<Part<i>>) {
      using Inside = detail::Inside<is_watched<i + 1>(), i + 1, Tuple>;
      return LayerOf<Part<i>>::template run<typename FlowOfTuple<what, typename Inside::type>::type>(
          policy<i>(parts), Inside::of(parts), slot, frame.call(), op, rule);
    } else if constexpr (Abandons<Frame>) {
      FUSEBOX_DETAIL_TRY { return run<i + 1>(parts, slot, frame.call(), op, rule); }
      FUSEBOX_DETAIL_CATCH_ALL {
        frame.abandon();
        FUSEBOX_DETAIL_RETHROW;
      }
    } else {
      return run<i + 1>(parts, slot, frame.call(), op, rule);
    }
  }

  /// A call that does not go on inside leaves no value: otherwise g++ warns that it may be uninitialised.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Verdict without_value(Verdict verdict) noexcept {
    if (detail::has_value(verdict)) __builtin_unreachable();
    return verdict;
  }

  template <class Frame>
  FUSEBOX_DETAIL_INLINE static Verdict wait(Frame& frame, SlotBase& slot) {
    return frame.waited(frame.sleep(), slot);
  }
};

template <Takes what, class... Parts>
struct FlowOfTuple<what, PartTuple<Parts...>> {
  using type = Flow<what, Parts...>;
};

/// A Call that an op passes on.
template <class T>
struct IsCall : std::is_same<T, Call> {};

/// What the caller gives to the outermost policy: a stop token, a Deadline, a Priority, the Call around; and
/// for an op that sees attempts, a key, unless a retry inside gives it one.
template <bool has_key, class... Options>
class RootCall {
  static constexpr bool has_token = count_of<IsStopToken, Options...> != 0;
  static constexpr bool has_deadline = count_of<IsDeadline, Options...> != 0;
  static constexpr bool has_call = count_of<IsCall, Options...> != 0;
  static constexpr bool has_priority = count_of<IsPriority, Options...> != 0;
  static constexpr bool is_plain = !has_token && !has_deadline && !has_call && !has_priority && !has_key;

  struct Nothing {};
  struct Made {
    Call call = CallAccess::make();
    [[no_unique_address]] std::conditional_t<has_key, std::optional<std::string>, Nothing> key;
  };

 public:
  FUSEBOX_DETAIL_INLINE RootCall([[maybe_unused]] ClockRef clock, Options&... options) {
    int none = 0;
    if constexpr (has_call) {
      made_.call = detail::option_or<IsCall>(none, options...);
      limit(made_.call.deadline(), clock);
    }
    if constexpr (has_key) {
      if (!CallAccess::has_key(made_.call)) CallAccess::set_key(made_.call, made_.key);
    }
    if constexpr (has_token)
      CallAccess::set_token(made_.call, detail::option_or<IsStopToken>(none, options...));
    if constexpr (has_priority)
      CallAccess::set_priority(made_.call, detail::option_or<IsPriority>(none, options...));
    if constexpr (has_deadline && has_call) {
      const Deadline& deadline = detail::option_or<IsDeadline>(none, options...);
      made_.call =
          CallAccess::with_deadline(made_.call, clock ? DeadlineOf::moved_to(deadline, clock) : deadline);
    } else if constexpr (has_deadline) {
      limit(detail::option_or<IsDeadline>(none, options...), clock);
    }
    ((void)options, ...);
  }
  RootCall(const RootCall&) = delete;
  RootCall& operator=(const RootCall&) = delete;

  [[nodiscard]] FUSEBOX_DETAIL_INLINE const Call& call() const noexcept {
    if constexpr (is_plain) {
      return plain_call;
    } else {
      return made_.call;
    }
  }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_stopped() const noexcept {
    if constexpr (has_token || has_call) return made_.call.stop_requested();
    return false;
  }
  /// Must somebody look whether it is stopped (P8), or move its deadline to the clock of the parts?
  static constexpr bool may_be_stopped = has_token || has_call;
  static constexpr bool needs_clock = has_deadline || has_call;

 private:
  FUSEBOX_DETAIL_INLINE void limit(const Deadline& deadline, ClockRef clock) {
    CallAccess::set_deadline(made_.call, clock ? DeadlineOf::moved_to(deadline, clock) : deadline);
  }

  [[no_unique_address]] std::conditional_t<is_plain, Nothing, Made> made_;
};

/// Does a retry among the parts make op's key? Not one inside a hedge, whose copies share the call's (J4).
template <class... Parts>
[[nodiscard]] consteval bool makes_key() noexcept {
  bool makes = false;
  bool is_inside = false;
  ((is_inside = is_inside || is_parallel<Parts>, makes = makes || (sets_attempt<Parts> && !is_inside)), ...);
  return makes;
}

template <Takes what, class Parts, class... Options>
struct RootCallFor;
template <Takes what, class... Parts, class... Options>
struct RootCallFor<what, PartTuple<Parts...>, Options...> {
  using type = RootCall<sees_attempt(what) && !makes_key<Parts...>(), Options...>;
};
template <Takes what, class Parts, class... Options>
using RootCallOf = typename RootCallFor<what, Parts, Options...>::type;

/// P8: nobody counts the call.
FUSEBOX_DETAIL_COLD inline Verdict cancel_before_start(SlotBase& slot,
                                                       std::chrono::system_clock::time_point now) {
  slot.fail_own(Failure{CancelledError{"cancelled before the call", now}});
  return Verdict::cancelled;
}

/// The type of the failure_if among the options, or NoRule.
template <class... Options>
using RuleOf = std::remove_cvref_t<decltype(detail::option_or<IsFailureIf>(std::declval<const NoRule&>(),
                                                                           std::declval<Options&>()...))>;

/// Runs op through the parts, and leaves what comes of it in the slot. Options: failure_if, a stop token, a
/// Deadline. Unless `checks_stop`, the caller has looked whether the token is stopped already (P8).
template <Takes what, bool checks_stop = true, class Slot, class Op, class... Parts, class... Options>
FUSEBOX_DETAIL_INLINE Verdict run_flow(PartTuple<Parts...>& parts, Slot& slot, Op& op, Options&... options) {
  using F = Flow<what, Parts...>;
  const NoRule no_rule;
  const auto& rule = detail::option_or<IsFailureIf>(no_rule, options...);
  using Root = RootCallOf<what, PartTuple<Parts...>, Options...>;
  ClockRef clock;
  if constexpr (Root::needs_clock) clock = F::clock(parts);
  const Root root{clock, options...};
  if constexpr (checks_stop && Root::may_be_stopped) {
    if (root.is_stopped()) [[unlikely]]
      return detail::cancel_before_start(slot.base(), F::wall_now(parts));
  }
  return F::template run<0>(parts, slot, root.call(), op, rule);
}

/// Refuses at compile time a value that no flow can judge.
template <class V, class... Options>
consteval void check_value() {
  check_finished<V>();
  static_assert(!std::is_void_v<V> || count_of<IsFailureIf, Options...> == 0,
                "fusebox: failure_if judges the value of op, and this op returns none");
}

/// Refuses at compile time what no flow can run.
template <Takes what, class Op, class... Options>
consteval void check_operation() {
  static_assert(what != Takes::no_way,
                "fusebox: op must be callable without arguments, or with a const Call&, a const Attempt&, a "
                "std::stop_token or a Deadline");
  check_value<ValueOf<what, Op>, Options...>();
}

template <class... Options>
consteval void check_call_options() {
  static_assert(
      (... && is_one_of<Options, IsStopToken, IsDeadline, IsFailureIf, IsPriority, IsCall>),
      "fusebox: unknown option: execute accepts, after op, a std::stop_token, a Deadline, failure_if and a "
      "Priority, and the Call of an op around");
  static_assert(count_of<IsStopToken, Options...> <= 1 && count_of<IsDeadline, Options...> <= 1 &&
                    count_of<IsFailureIf, Options...> <= 1 && count_of<IsPriority, Options...> <= 1 &&
                    count_of<IsCall, Options...> <= 1,
                "fusebox: two options of one kind: execute accepts at most one each of a std::stop_token, a "
                "Deadline, failure_if and a Priority, and the Call of an op around");
}

/// Throws the failure in the slot. Inlined, so that the exception passes only one frame of the library.
[[noreturn]] FUSEBOX_DETAIL_INLINE void throw_failure(SlotBase& slot) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  std::rethrow_exception(OwnError::exception_of(slot.failure()));
#else
  detail::rethrow_or_abort(slot.failure());
#endif
}

/// What the call returns, or throws: the value; op's failed value; the library's error, in a value that can
/// carry it; or the exception.
template <class Slot, class R = typename Slot::result_type>
FUSEBOX_DETAIL_INLINE R finish(Verdict verdict, Slot& slot) {
  if (!detail::has_value(verdict)) [[unlikely]] {
    SlotBase& failure = slot.base();
    if (!slot.has_value() || failure.is_own()) {
      if constexpr (carries_codes<R>) {
        if (failure.is_own()) return detail::carry_code<R>(failure);
      } else if constexpr (carries_any<R>) {
        if (failure.is_own()) return detail::carry_own<R>(failure);
      }
      detail::throw_failure(failure);
    }
  }
  return slot.take();
}

/// Runs op through the parts.
template <class Op, class... Parts, class... Options>
FUSEBOX_DETAIL_INLINE auto drive_parts(PartTuple<Parts...>& parts, Op& op, Options&... options) ->
    typename ResultOf<ValueOf<takes<Op>, Op>, Parts...>::type {
  constexpr Takes what = takes<Op>;
  check_call_options<Options...>();
  check_operation<what, Op, Options...>();
  using V = ValueOf<what, Op>;
  using R = typename ResultOf<V, Parts...>::type;
  static_assert(exceptions_are_on<V> || carries_any<R> || !std::is_same_v<R, std::remove_cv_t<V>>,
                "fusebox: without exceptions an error cannot be thrown: let op return a type that can carry "
                "it (expected-like, std::error_code, with failure_traits)");
  SlotBase failure;
  Slot<V, R, RuleOf<Options...>> slot{failure};
  return detail::finish(detail::run_flow<what>(parts, slot, op, options...), slot);
}

/// A call returns its result, or throws.
struct Throwing {
  template <class R>
  using Returned = R;
  template <class Slot>
  static typename Slot::result_type finish(Verdict verdict, Slot& slot) {
    return detail::finish(verdict, slot);
  }
};

/// Runs op through policies in a coroutine: the plan of TaskFlow::run(). `Ending` says what the call returns.
template <class Task, Takes what, class Ending, class Op, class Parts, class... Options>
class PolicyPlan;

template <class Kept, class Given>
consteval void check_kept() {
  static_assert(
      std::is_constructible_v<Kept, Given>,
      "fusebox: the coroutine keeps op, its fallback and its options, and one of them cannot be copied: "
      "move it, or pass std::ref of what outlives the coroutine");
}

/// The parts of one call, as its coroutine holds them.
template <class... Parts>
[[nodiscard]] auto keep_parts(PartTuple<Parts...>& parts) {
  return std::apply(
      [](auto&... part) {
        return PartTuple<decltype(detail::keep_part<Parts>(part))...>{keep_part<Parts>(part)...};
      },
      parts);
}
/// Those of a pipeline.
template <class... Parts>
[[nodiscard]] auto share_parts(PartTuple<Parts...>& parts) {
  return std::apply(
      [](auto&... part) {
        return PartTuple<decltype(detail::share_part(part))...>{detail::share_part(part)...};
      },
      parts);
}

/// The coroutine of a call whose op returns a task. Nothing has happened yet if that starts lazily (A2).
template <Takes preferred = Takes::call, class Ending = Throwing, class... Parts, class Op, class... Options>
[[nodiscard]] auto start_task(PartTuple<Parts...>&& parts, Op&& op, Options&&... options) {
  check_kept<std::decay_t<Op>, Op>();
  (check_kept<std::decay_t<Options>, Options>(), ...);
  constexpr Takes what = takes<std::decay_t<Op>, preferred>;
  using Task = KeptValueOf<Op, what>;
  using Plan =
      PolicyPlan<Task, what, Ending, std::decay_t<Op>, PartTuple<Parts...>, std::decay_t<Options>...>;
  return TaskFlow<Task>::run(Plan{std::move(parts), std::forward<Op>(op), std::forward<Options>(options)...});
}

/// A policy's own execute(). Forward op and options: a coroutine keeps them.
template <class... Parts, class Op, class... Options>
FUSEBOX_DETAIL_INLINE decltype(auto) drive(PartTuple<Parts...> parts, Op&& op, Options&&... options) {
  if constexpr (returns_task<Op>()) {
    check_call_options<Options...>();
    return detail::start_task(detail::keep_parts(parts), std::forward<Op>(op),
                              std::forward<Options>(options)...);
  } else {
    return detail::drive_parts(parts, op, options...);
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
