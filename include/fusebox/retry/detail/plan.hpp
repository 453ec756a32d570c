// fusebox/retry/detail/plan.hpp: RetryPlan, the call of retry_with_backoff in a coroutine: see
// detail/flow/plan.hpp. It needs no coroutine itself.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/plan.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/task.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/detail/layer.hpp>
#include <fusebox/retry/result.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// As LoneRetry, of a call whose config and options lie in the frame of a coroutine.
template <class... Options>
struct RetryInFrame {
  using Pack = RetryPack<typename Referred<Options>::type...>;
  static constexpr bool leaves_result = true;

  const RetryConfig& kept;
  Pack pack;
  RetryOutcome* outcome;

  [[nodiscard]] const RetryConfig& config() const noexcept { return kept; }
  [[nodiscard]] RetrySteps::Rules rules() noexcept {
    if constexpr (sizeof...(Options) == 0) {
      return {&no_retry_options, nullptr, outcome};
    } else {
      return {&retry_table<Pack>, &pack, outcome};
    }
  }
  [[nodiscard]] const typename ClockAmong<Options...>::type& clock() noexcept { return clock_of<Pack>(pack); }
};

template <class... Options>
struct Layer<RetryInFrame<Options...>> : Layer<LoneRetry<Options...>> {
  template <class Context>
  using Frame = RetryFrame<RetryInFrame<Options...>, Context>;
};

template <class TaskType, Takes what_op_takes, bool throws, class Op, class... Options>
class RetryPlan {
  using V = Finished<TaskType>;
  using R = RetryResult<std::conditional_t<std::is_reference_v<V>, V, std::remove_cv_t<V>>>;
  using Policy = RetryInFrame<std::remove_reference_t<Options>...>;
  using Parts = PartTuple<Policy>;

  static consteval bool check() {
    check_rule<V, Options...>();
    RetryDrive::check_without_exceptions<V, throws, Options...>();
    return true;
  }
  static_assert(check());

 public:
  using Task = TaskType;
  using Returned = R;
  static constexpr Takes what = what_op_takes;

  template <class GivenOp, class... Given>
  RetryPlan(const RetryConfig& config, GivenOp&& given_op, Given&&... given)
      : op(std::forward<GivenOp>(given_op)), config_{config}, options_{std::forward<Given>(given)...} {}

  class State {
    using Flow = typename CoroutineFlowFor<TaskType, what, RetrySlot<R>, Parts>::Flow;
    using Root = RootCallOf<what, Parts, Options...>;

   public:
    explicit State(RetryPlan& plan)
        : rule{detail::rule_of(plan.options_)},
          parts_{std::apply(
              [&](auto&... option) {
                return Parts{Policy{plan.config_, {{option...}}, std::addressof(result_)}};
              },
              plan.options_)},
          root_{detail::root_of<Root>(clock_of(parts_), plan.options_)},
          flow{parts_, slot, root_.call()} {
      if constexpr (Root::may_be_stopped) {
        if (root_.is_stopped()) [[unlikely]] {
          auto& policy = std::get<0>(parts_);
          RetrySteps::cancel_before_first(policy.config(), policy.rules());
          flow.end(Verdict::cancelled);
        }
      }
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() = default;

    /// A reference, so that the frame needs no room for another one.
    [[nodiscard]] R&& finish() {
      if constexpr (throws) {
        if (result_.failed) [[unlikely]]
          RetryDrive::throw_unless_returned(result_, slot.has_value());
      }
      return std::move(result_);
    }

   private:
    SlotBase failure_;
    R result_{typename R::Begun{}};

   public:
    [[no_unique_address]] typename RuleAmong<Options...>::type rule;
    RetrySlot<R> slot{result_, failure_};

   private:
    Parts parts_;
    Root root_;

   public:
    CoroutineFlow<TaskType, what, RetrySlot<R>, Parts> flow;

   private:
    [[nodiscard]] static ClockRef clock_of([[maybe_unused]] Parts& parts) {
      if constexpr (Root::needs_clock) return Flow::clock(parts);
      return {};
    }
  };

  Op op;

 private:
  const RetryConfig config_;
  [[no_unique_address]] std::tuple<Options...> options_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
