// fusebox/hedge.hpp: Hedge, which calls a slow dependency once more, and takes the answer that comes first.
//
//   hedge                a Hedge, as a part of a pipeline or by itself
//   hedge/config.hpp     HedgeConfig
//   hedge/counts.hpp     HedgeCounts: the counts of several hedges, by name
//   hedge/executor.hpp   HedgeTask: for an executor of your own
//   hedge/run.hpp        HedgeRun, HedgeStep: a hedged call that is driven by hand
//   hedge/state.hpp      HedgeEvent, HedgeEventKind
//   hedge/stats.hpp      HedgeStats
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/budget.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/hedge/config.hpp>  // IWYU pragma: export
#include <fusebox/hedge/counts.hpp>  // IWYU pragma: export
#include <fusebox/hedge/detail/budget.hpp>
#include <fusebox/hedge/detail/layer.hpp>
#include <fusebox/hedge/detail/state.hpp>
#include <fusebox/hedge/detail/tasks.hpp>
#include <fusebox/hedge/detail/threads.hpp>
#include <fusebox/hedge/executor.hpp>  // IWYU pragma: export
#include <fusebox/hedge/run.hpp>       // IWYU pragma: export
#include <fusebox/hedge/state.hpp>     // IWYU pragma: export
#include <fusebox/hedge/stats.hpp>     // IWYU pragma: export
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Starts further copies of a call that is slow or has failed; the first success wins, and the other copies
/// are stopped (rules J1 to J12 in docs/rules.md). Made by hedge(). For calls that may be made twice: reads,
/// and writes that the idempotency key of the Call makes safe.
///
/// Copies run on a pool of threads, or on an executor of yours; the caller waits. They share op, a copy of
/// which lives until the last of them has ended, and what is inside the hedge in a pipeline.
///
/// Every member is thread-safe. Copies of a hedge share its state, and the last of them, when it is
/// destroyed, waits for the copies of calls that still run. So what these use by reference must outlive the
/// hedge.
template <class C, class Budget, class Executor>
class Hedge {
  static_assert(TimeSource<C>, "fusebox: Hedge<C> needs a C that models fusebox::TimeSource");

 public:
  /// Use hedge().
  Hedge(const HedgeConfig& config, const std::shared_ptr<HedgeCounts>& counts, Budget budget,
        Executor executor, C clock)
      : clock_{std::move(clock)},
        budget_{static_cast<Budget&&>(budget)},
        executor_{std::move(executor)},
        owner_{std::make_shared<detail::HedgeOwner>(
            std::make_shared<detail::HedgeState>(config, totals_of(counts)))},
        name_{counts == nullptr ? std::string{} : counts->name()} {}

  /// Calls op, and once more if that is slow; returns what the first copy that succeeds returns. op is
  /// copied, and must be callable as const, since its copies run at once. Options follow in any order, each
  /// at most once: a std::stop_token, a Deadline, failure_if, a Priority. If all copies fail, throws what the
  /// first that failed threw; CancelledError if the token is stopped.
  template <class Op, class... Options>
  decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<Hedge&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  /// One call whose copies the program starts and waits for itself. No hedge starts from `deadline` on. The
  /// budget must outlive it; the clock and the counts it keeps.
  [[nodiscard]] HedgeRun<C, Budget> start(const Deadline& deadline = {}) {
    return HedgeRun<C, Budget>{owner_->state(), clock_, budget_, deadline};
  }

  [[nodiscard]] const HedgeConfig& config() const noexcept { return owner_->state()->config; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] HedgeStats stats() const noexcept { return owner_->state()->counts->stats(); }
  /// How long a call that begins now waits before its first hedge: the percentile, if that is known.
  [[nodiscard]] std::chrono::nanoseconds delay() const noexcept {
    return std::chrono::nanoseconds{owner_->state()->delay()};
  }

  /// Calls `callback(const HedgeEvent&)` when hedges begin to be refused, and when one starts again: on the
  /// thread of that call and outside every lock. Hedges that share counts, copies among them, share the
  /// edges. What the callback throws is dropped (M3).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const HedgeEvent&>,
                  "fusebox: on_event takes a callback(const HedgeEvent&)");
    return owner_->state()->counts->events().subscribe(name_, std::forward<F>(callback));
  }

  /// Calls `callback(const CallEvent&)` after each call of this hedge or of a copy, on the thread of the
  /// call; so several threads may run it at once.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    return owner_->state()->observers.subscribe(std::forward<F>(callback));
  }

 private:
  template <class P>
  friend struct detail::Layer;
  template <class Policy>
  friend class detail::HedgeFrame;

  [[nodiscard]] static std::shared_ptr<detail::HedgeTotals> totals_of(
      const std::shared_ptr<HedgeCounts>& counts) {
    if (counts == nullptr) return std::make_shared<detail::HedgeTotals>();
    return {counts, &counts->counts_};
  }
  void count_call() noexcept { owner_->state()->counts->count_call(); }

  [[no_unique_address]] C clock_;
  [[no_unique_address]] detail::HedgeBudget<Budget> budget_;
  [[no_unique_address]] Executor executor_;
  std::shared_ptr<detail::HedgeOwner> owner_;
  std::string name_;  // of the counts
};

namespace detail {

template <class C, class Budget, class Executor>
struct Layer<Hedge<C, Budget, Executor>> {
  using Policy = Hedge<C, Budget, Executor>;
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  static constexpr bool is_parallel = true;
  using Clock = C;
  template <class Context>
  using Frame = HedgeFrame<Policy>;
  [[nodiscard]] static CallObservers& observers(Policy& hedge) noexcept {
    return hedge.owner_->state()->observers;
  }

  /// The blocking driver.
  template <class Flow, class Slot, class Op, class Rule>
  static Verdict run(Policy& hedge, typename Flow::Tuple inside, Slot& slot, const Call& call, Op& op,
                     const Rule& rule) {
    check_hedged_op<Op, typename Slot::value_type>();
    using Threads = HedgeThreads<C, Budget, Flow, Slot, std::decay_t<Op>, Rule>;
    const auto threads = std::make_shared<Threads>(hedge.owner_->state(), hedge.clock_, hedge.budget_,
                                                   std::move(inside), call, op, rule);
    return Threads::run(threads, hedge.executor_, call, slot);
  }

  /// That of coroutines.
  template <class Task, Takes what, class Slot, class Inside, class Op, class Rule>
  using Tasks = HedgeTasks<C, Budget, Task, what, Slot, Inside, Op, Rule>;
  template <class Tasks, class Inside, class Op, class Rule>
  [[nodiscard]] static std::shared_ptr<Tasks> make_tasks(Policy& hedge, Inside&& inside, const Call& call,
                                                         const Op& op, const Rule& rule) {
    check_hedged_op<Op, void>();
    return std::make_shared<Tasks>(hedge.owner_->state(), hedge.clock_, hedge.budget_, std::move(inside),
                                   call, op, rule);
  }

  template <class Explanation>
  static void explain(const Policy& hedge, Explanation& text) {
    const HedgeConfig& config = hedge.config();
    const bool is_fixed = config.percentile == 0;
    std::string line = "starts at most " + std::to_string(config.max_hedges) + " more of each ";
    line.append(text.unit());
    if (is_fixed && config.delay == no_timeout) {
      line.append(", after a failure; ");
    } else {
      line.append(", ")
          .append(is_fixed ? duration_text(config.delay) : std::string{"a percentile of past calls"})
          .append(" after the one before, or after its failure; ");
    }
    line.append("the first success wins");
    if constexpr (!std::is_same_v<Budget, NoHedgeBudget>) line.append("; its budget pays for them");
    text.say("hedge", "", line);
    const auto once = text.time();
    text.repeat(static_cast<std::uint64_t>(config.max_hedges) + 1, std::chrono::nanoseconds::zero());
    if (is_fixed && config.delay != no_timeout && once != no_timeout) {
      const Tick waits = config.delay.count() > tick_max / (config.max_hedges + 1)
                             ? tick_max
                             : config.delay.count() * config.max_hedges;
      text.limit(std::chrono::nanoseconds{saturating_add(once.count(), waits)});
    }
  }
};

// Options.

template <class T>
struct IsExecutor
    : std::bool_constant<is_executor<T> && !TimeSource<T> && !BudgetLike<T> && !IsSharedBudget<T>::value> {};

/// What a hedge keeps of a budget: a reference, or a handle.
template <class Option>
struct HedgeBudgetKept {
  using type = Option;
};
template <class B>
struct HedgeBudgetKept<std::shared_ptr<B>> {
  using type = SharedBudget<B>;
};

template <class T>
struct IsAnyBudget : std::bool_constant<IsBudget<T>::value || IsSharedBudget<T>::value> {};

template <class... Options>
consteval void check_hedge_options() {
  static_assert((... && !is_one_of<Options, IsStopToken, IsDeadline>),
                "fusebox: a std::stop_token and a Deadline belong to a call: give them to execute(), not to "
                "hedge()");
  static_assert(
      (... && is_one_of<Options, IsClock, IsAnyBudget, IsExecutor, IsHedgeCounts>),
      "fusebox: unknown option: hedge accepts, after an optional HedgeConfig, a Clock, a retry budget, "
      "an executor, which is callable with a HedgeTask, and a shared_ptr<HedgeCounts>");
  static_assert(
      count_of<IsClock, Options...> <= 1 && count_of<IsAnyBudget, Options...> <= 1 &&
          count_of<IsExecutor, Options...> <= 1 && count_of<IsHedgeCounts, Options...> <= 1,
      "fusebox: two options of one kind: hedge accepts at most one each of a Clock, a retry budget, "
      "an executor and a shared_ptr<HedgeCounts>");
  static_assert((... && (!is_one_of<Options, IsBudget> || std::is_lvalue_reference_v<Options>)),
                "fusebox: a budget is shared by calls: pass it as an lvalue or a std::shared_ptr");
}

/// The option's type, kept by value; or the default's.
template <template <class> class Kind, class Default, class... Options>
using HedgeOption = std::remove_cvref_t<decltype(detail::option_or<Kind>(std::declval<Default&>(),
                                                                         std::declval<Options&>()...))>;

template <class Kept, class Given>
[[nodiscard]] constexpr decltype(auto) budget_as(Given& given) {
  if constexpr (std::is_same_v<Kept, Given&> || std::is_same_v<Kept, Given>) {
    return (given);
  } else {
    return Kept{given};
  }
}

}  // namespace detail

/// A hedge as a part of a pipeline, or by itself. Options follow in any order, each at most once:
///
/// - a budget (RetryBudgetLike), by lvalue or std::shared_ptr: it pays for hedges, never for the primary;
/// - an executor: callable with a HedgeTask, which it runs on a thread of its choice; if it gives false or
///   throws, it has not taken the task. Copied; calls may use it on several threads at once;
/// - a std::shared_ptr<HedgeCounts>, which must not be null;
/// - a Clock.
///
/// Throws ConfigError for a config that validate() refuses.
///
///     auto call = compose(total_timeout(2s), hedge({.delay = 50ms}, budget), breaker);
template <class... Options>
[[nodiscard]] auto hedge(const HedgeConfig& config, Options&&... options) {
  detail::check_hedge_options<Options...>();
  detail::throw_if("HedgeConfig", detail::check(config));
  detail::NoHedgeBudget no_budget;
  detail::PoolExecutor pool;
  const std::shared_ptr<HedgeCounts> no_counts;
  const SystemClock system_clock;
  auto& budget = detail::option_or<detail::IsAnyBudget>(no_budget, options...);
  using GivenBudget = std::remove_reference_t<decltype(budget)>;
  using Budget = std::conditional_t<
      std::is_same_v<GivenBudget, detail::NoHedgeBudget>, detail::NoHedgeBudget,
      typename std::conditional_t<detail::IsSharedBudget<std::remove_cv_t<GivenBudget>>::value,
                                  detail::HedgeBudgetKept<std::remove_cv_t<GivenBudget>>,
                                  detail::HedgeBudgetKept<GivenBudget&>>::type>;
  using Executor = detail::HedgeOption<detail::IsExecutor, detail::PoolExecutor, Options...>;
  using C = detail::HedgeOption<detail::IsClock, const SystemClock, Options...>;
  return Hedge<C, Budget, Executor>{config, detail::option_or<detail::IsHedgeCounts>(no_counts, options...),
                                    detail::budget_as<Budget>(budget),
                                    detail::option_or<detail::IsExecutor>(pool, options...),
                                    detail::option_or<detail::IsClock>(system_clock, options...)};
}
template <class... Options>
  requires(sizeof...(Options) == 0 ||
           !(std::is_same_v<std::remove_cvref_t<Options>, HedgeConfig> || ... || false))
[[nodiscard]] auto hedge(Options&&... options) {
  return hedge(HedgeConfig{}, std::forward<Options>(options)...);
}

FUSEBOX_END_NAMESPACE
