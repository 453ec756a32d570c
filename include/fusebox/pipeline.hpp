// fusebox/pipeline.hpp: compose(), which puts policies around a call, and Pipeline, what it gives.
//
//   compose, Pipeline             policies in the order in which a call meets them
//   in_this_order                 an order that looks like a mistake and is none
//   pipeline/call_result.hpp      CallResult, what try_execute() returns
//   pipeline/policy_result.hpp    Policy, PolicyResult: for policies of your own
//   pipeline/any_pipeline.hpp     AnyPipeline, a pipeline whose type is forgotten
//   pipeline/stepwise.hpp         PipelineRun, Step: a call driven by hand
//   pipeline/explain.hpp          explain: what the policies do together, in words
//   pipeline/standard.hpp         standard_pipeline, StandardPipelineConfig: the usual policies, by name
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>  // IWYU pragma: export
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/pipeline/any_pipeline.hpp>  // IWYU pragma: export
#include <fusebox/pipeline/call_result.hpp>   // IWYU pragma: export
#include <fusebox/pipeline/detail/parts.hpp>
#include <fusebox/pipeline/explain.hpp>        // IWYU pragma: export
#include <fusebox/pipeline/policy_result.hpp>  // IWYU pragma: export
#include <fusebox/pipeline/standard.hpp>       // IWYU pragma: export
#include <fusebox/pipeline/stepwise.hpp>       // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
template <class... Parts>
consteval void check_step_by_step() {
  static_assert(
      (... && HasLayer<PolicyOf<Parts>>),
      "fusebox: a policy of your own calls op itself, so its pipeline cannot be driven step by step, nor "
      "run an op that returns a coroutine");
}
template <class... Parts>
consteval void check_one_by_one() {
  check_step_by_step<Parts...>();
  static_assert(
      !(... || is_parallel<Parts>),
      "fusebox: a hedge runs several copies of a call at once, and a run is one of them: drive the hedge by "
      "hand, with hedge.start(), and for each copy a run of the pipeline of what is inside it");
}
}  // namespace detail

/// Policies around a call, the outermost first; compose() makes it. Copied if all that it owns can be copied.
/// As thread-safe as its parts: those of the library are.
template <class... Parts>
class Pipeline {
  template <class Op>
  using ResultFor = typename detail::ResultOf<detail::ValueOf<detail::takes<Op>, Op>, Parts...>::type;
  struct Trying {
    template <class R>
    using Returned = CallResult<R>;
    template <class Slot>
    static auto finish(detail::Verdict verdict, Slot& slot) {
      return CallResult<typename Slot::result_type>{verdict, slot};
    }
  };

 public:
  /// Use compose().
  explicit Pipeline(std::tuple<Parts...> parts) : parts_{std::move(parts)} {}

  /// Runs op through the policies (P1 to P13). op takes, by preference, a `const Call&`, a `const Attempt&`,
  /// a std::stop_token, a Deadline, or nothing. It may be followed by a std::stop_token, a Deadline,
  /// failure_if(predicate) and a Priority, each at most once. Returns op's value, or a fallback's; throws
  /// op's exception unchanged, or the error of the policy that ended the call, unless the result can carry it
  /// (P12).
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) const {
    if constexpr (detail::returns_task<Op>()) {
      return start_task<detail::Throwing>(std::forward<Op>(op), std::forward<Options>(options)...);
    } else {
      return detail::drive_parts(parts_, op, options...);
    }
  }

  /// As execute(), but throws nothing of op's or of a policy's: the result says how it ended.
  template <class Op, class... Options>
  [[nodiscard]] FUSEBOX_DETAIL_INLINE auto try_execute(Op&& op, Options&&... options) const {
    if constexpr (detail::returns_task<Op>()) {
      return start_task<Trying>(std::forward<Op>(op), std::forward<Options>(options)...);
    } else {
      constexpr detail::Takes what = detail::takes<Op>;
      detail::check_call_options<Options...>();
      detail::check_operation<what, Op, Options...>();
      detail::SlotBase failure;
      detail::Slot<detail::ValueOf<what, Op>, ResultFor<Op>, detail::RuleOf<Options...>> slot{failure};
      const detail::Verdict verdict = detail::run_flow<what>(parts_, slot, op, options...);
      return CallResult<ResultFor<Op>>{verdict, slot};
    }
  }

  /// One call whose op gives a T, driven step by step by the program's own loop. Options as of execute(). A
  /// policy of your own cannot take part: it calls op itself. The run cannot be moved, and refers to the
  /// pipeline, which therefore must not be a temporary.
  template <class T, class... Options>
  [[nodiscard]] auto start(Options&&... options) const& {
    detail::check_one_by_one<Parts...>();
    detail::check_call_options<Options...>();
    detail::check_value<T, Options...>();
    using Rule = detail::RuleOf<Options...>;
    const detail::NoRule no_rule;
    const StopToken no_token;
    const Deadline never;
    const Priority normal = Priority::normal;
    return PipelineRun<T, Rule, Parts...>{parts_,
                                          Rule{detail::option_or<detail::IsFailureIf>(no_rule, options...)},
                                          detail::option_or<detail::IsStopToken>(no_token, options...),
                                          detail::option_or<detail::IsDeadline>(never, options...),
                                          detail::option_or<detail::IsPriority>(normal, options...)};
  }
  template <class T, class... Options>
  [[nodiscard]] auto start(Options&&... options) const&& {
    static_assert(
        !std::is_same_v<T, T>,
        "fusebox: a run refers to its pipeline, and this one is a temporary: keep the pipeline in a "
        "variable, which must outlive the run");
    return start<T>(std::forward<Options>(options)...);  // so that the static_assert is the only error
  }

 private:
  friend struct detail::PipelineParts;

  template <class Ending, class Op, class... Options>
  [[nodiscard]] auto start_task(Op&& op, Options&&... options) const {
    detail::check_step_by_step<Parts...>();
    detail::check_call_options<Options...>();
    return detail::start_task<detail::Takes::call, Ending>(detail::share_parts(parts_), std::forward<Op>(op),
                                                           std::forward<Options>(options)...);
  }

  mutable std::tuple<Parts...> parts_;  // a call changes what its policies count
};

namespace detail {
template <class... Parts>
inline constexpr bool is_pipeline<Pipeline<Parts...>> = true;
template <class... Parts>
inline constexpr bool is_pipeline<const Pipeline<Parts...>> = true;
}  // namespace detail

/// Puts policies around each other, the outermost first (P1). Lvalues are held by reference and must outlive
/// the pipeline; rvalues are owned; shared_ptr handles are kept alive. A Pipeline as a part is its parts.
///
///     auto call = compose(fallback(cached), total_timeout(30s), retry(retry_presets::standard), breaker,
///                         attempt_timeout(10s));
///     auto order = call.execute(fetch_order);
///
/// Refuses at compile time what is no policy, clocks of two types, and orders that are almost surely a
/// mistake (P14, P16).
template <class... Ps>
[[nodiscard]] auto compose(Ps&&... parts) {
  detail::check_parts<Ps...>(std::make_integer_sequence<int, sizeof...(Ps)>{});
  if constexpr (((Policy<std::remove_cvref_t<Ps>> || detail::is_in_this_order<Ps>) && ...)) {
    if constexpr (sizeof...(Ps) != 0) detail::check_order<decltype(detail::flatten(std::declval<Ps>()))...>();
    auto all = detail::share_inside(std::tuple_cat(detail::flatten(std::forward<Ps>(parts))...));
    using Made = typename detail::PipelineOf<decltype(all)>::type;
    detail::check_clocks(std::type_identity<decltype(all)>{});
    return Made{std::move(all)};
  } else {
    return Pipeline<>{{}};  // so that the static_assert is the only error
  }
}

/// Parts of a compose() whose order is meant, though it looks like a mistake (P16):
/// `compose(in_this_order(attempt_timeout(1s), retry(config)))`.
template <class... Ps>
[[nodiscard]] auto in_this_order(Ps&&... parts) {
  detail::check_parts<Ps...>(std::make_integer_sequence<int, sizeof...(Ps)>{});
  return detail::InThisOrder<Ps...>{std::tuple<Ps...>{std::forward<Ps>(parts)...}};
}

FUSEBOX_END_NAMESPACE
