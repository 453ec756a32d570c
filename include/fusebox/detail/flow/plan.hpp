// fusebox/detail/flow/plan.hpp: the plan of a call that a coroutine runs: what lies in its frame.
//
// A plan is made by the caller, and moved into the frame. Its State, made there, refers to it. A plan has
//
//   Task, what        what op returns, and what it takes
//   Returned          what the coroutine gives
//   op
//   State{plan}       with `slot`, `rule` and `flow`, a StepwiseFlow; finish() gives what is returned, or
//   throws
//
// PolicyPlan is that of every policy and pipeline but retry_with_backoff.
#pragma once
// IWYU pragma: private

#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/carry.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/detail/flow/resumable.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/task.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A StepwiseFlow for a coroutine of this kind.
template <class TaskType, Takes what, class Slot, class Parts>
struct CoroutineFlowFor;
template <class TaskType, Takes what, class Slot, class... Parts>
struct CoroutineFlowFor<TaskType, what, Slot, PartTuple<Parts...>> {
  using Flow = detail::Flow<what, Parts...>;
  static constexpr Driver driver =
      TaskFlow<TaskType>::cancels ? Driver::cancelling_coroutine : Driver::coroutine;
  using type = StepwiseFlow<what, driver, Slot, Parts...>;
};
template <class TaskType, Takes what, class Slot, class Parts>
using CoroutineFlow = typename CoroutineFlowFor<TaskType, what, Slot, Parts>::type;

template <class V, class Parts>
struct ResultThroughParts;
template <class V, class... Parts>
struct ResultThroughParts<V, PartTuple<Parts...>> {
  using type = typename ResultOf<V, Parts...>::type;
};

/// The Call from outside, of options that lie in a tuple.
template <class Root, class... Options>
[[nodiscard]] Root root_of(ClockRef clock, std::tuple<Options...>& options) {
  return std::apply([&](auto&... option) { return Root{clock, option...}; }, options);
}

/// The failure_if among them, or a NoRule, which takes no room.
template <class... Options>
struct RuleAmong {
  using type = const RuleOf<Options...>&;
};
template <class... Options>
  requires(count_of<IsFailureIf, Options...> == 0)
struct RuleAmong<Options...> {
  using type = NoRule;
};
template <class... Options>
[[nodiscard]] typename RuleAmong<Options...>::type rule_of(std::tuple<Options...>& options) noexcept {
  if constexpr (count_of<IsFailureIf, Options...> == 0) {
    return {};
  } else {
    return std::apply(
        [](auto&... option) -> const auto& {
          const NoRule no_rule;
          return detail::option_or<IsFailureIf>(no_rule, option...);
        },
        options);
  }
}

template <class V, class... Options>
consteval void check_rule() {
  static_assert(!std::is_void_v<V> || count_of<IsFailureIf, Options...> == 0,
                "fusebox: failure_if judges the value of op, and this op gives none");
}

template <class TaskType, Takes what_op_takes, class Ending, class Op, class Parts, class... Options>
class PolicyPlan {
  using V = Finished<TaskType>;
  using R = typename ResultThroughParts<V, Parts>::type;

  static consteval bool check() {
    check_rule<V, Options...>();
    static_assert(
        exceptions_are_on<V> || carries_any<R> || !std::is_same_v<R, std::remove_cv_t<V>> ||
            !std::is_same_v<Ending, Throwing>,
        "fusebox: without exceptions an error cannot be thrown: let op give a type that can carry it "
        "(expected-like, std::error_code, with failure_traits)");
    return true;
  }
  static_assert(check());

 public:
  using Task = TaskType;
  using Returned = typename Ending::template Returned<R>;
  static constexpr Takes what = what_op_takes;

  template <class GivenOp, class... Given>
  explicit PolicyPlan(Parts&& parts, GivenOp&& given_op, Given&&... given)
      : op(std::forward<GivenOp>(given_op)),
        parts_{std::move(parts)},
        options_{std::forward<Given>(given)...} {}

  class State {
    using Flow = typename CoroutineFlowFor<TaskType, what, Slot<V, R, RuleOf<Options...>>, Parts>::Flow;
    using Root = RootCallOf<what, Parts, Options...>;

   public:
    explicit State(PolicyPlan& plan)
        : rule{detail::rule_of(plan.options_)},
          root_{detail::root_of<Root>(clock_of(plan.parts_), plan.options_)},
          flow{plan.parts_, slot, root_.call()} {
      if constexpr (Root::may_be_stopped) {
        if (root_.is_stopped()) [[unlikely]]
          flow.end(detail::cancel_before_start(failure_, Flow::wall_now(plan.parts_)));
      }
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() = default;

    [[nodiscard]] Returned finish() { return Ending::finish(flow.verdict(), slot); }

   private:
    SlotBase failure_;

   public:
    [[no_unique_address]] typename RuleAmong<Options...>::type rule;
    Slot<V, R, RuleOf<Options...>> slot{failure_};

   private:
    Root root_;

   public:
    CoroutineFlow<TaskType, what, Slot<V, R, RuleOf<Options...>>, Parts> flow;

   private:
    [[nodiscard]] static ClockRef clock_of([[maybe_unused]] Parts& parts) {
      if constexpr (Root::needs_clock) return Flow::clock(parts);
      return {};
    }
  };

  Op op;

 private:
  Parts parts_;
  [[no_unique_address]] std::tuple<Options...> options_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
