// fusebox/coro/detail/run.hpp: the coroutine of a call: one frame, whatever the number of policies (A2, A10).
//
// It drives a StepwiseFlow, which says what is next: await op, wait, await a fallback, or return. All rules
// are in the frames of the policies, which the blocking driver uses too (A5).
#pragma once
// IWYU pragma: private, include <fusebox/coro.hpp>

#include <chrono>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/coro/clock.hpp>
#include <fusebox/coro/detail/awaits.hpp>
#include <fusebox/coro/detail/copies.hpp>
#include <fusebox/coro/task_traits.hpp>
#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/detail/flow/plan.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/flow/resumable.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/task.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What op gets, alive until what it returned has finished (A3).
template <Takes what, class A = Attempt>
struct OpArgument {
  explicit OpArgument(const Call& call) noexcept : value{call} {}
  template <class Op>
  [[nodiscard]] decltype(auto) give_to(Op& op) {
    return detail::invoke(op, value);
  }
  const Call& value;
};
template <class A>
struct OpArgument<Takes::attempt, A> {
  explicit OpArgument(const Call& call) : value{CallAccess::template attempt<A>(call)} {}
  template <class Op>
  [[nodiscard]] decltype(auto) give_to(Op& op) {
    return detail::invoke(op, std::as_const(value));
  }
  A value;
};
template <class A>
struct OpArgument<Takes::token, A> {
  explicit OpArgument(const Call& call) : value{call.stop_token()} {}
  template <class Op>
  [[nodiscard]] decltype(auto) give_to(Op& op) {
    return op(std::move(value));
  }
  StopToken value;
};
template <class A>
struct OpArgument<Takes::deadline, A> {
  explicit OpArgument(const Call& call) noexcept : value{call.deadline()} {}
  template <class Op>
  [[nodiscard]] decltype(auto) give_to(Op& op) {
    return op(std::move(value));
  }
  Deadline value;
};
template <class A>
struct OpArgument<Takes::nothing, A> {
  explicit OpArgument(const Call& /*call*/) noexcept {}
  template <class Op>
  [[nodiscard]] static decltype(auto) give_to(Op& op) {
    return op();
  }
};

/// Puts into the slot what op's task gave, and what a fallback's task gave.
template <class Slot, class U>
void keep_value(Slot& slot, U&& given) {
  using V = typename Slot::value_type;
  slot.make(
      [&]() -> std::remove_cv_t<V> { return static_cast<std::remove_cv_t<V>>(std::forward<U>(given)); });
}
template <class Slot, class U>
void keep_result(Slot& slot, U&& given) {
  using R = typename Slot::result_type;
  slot.make_result([&]() -> R { return detail::convert_result<R>(std::forward<U>(given)); });
}
inline constexpr auto gives_nothing = [] {};

/// In a handler.
[[nodiscard]] inline Verdict failure_caught_into(SlotBase& slot) {
  const Verdict verdict = detail::catch_into(slot);
  return detail::has_value(verdict) ? Verdict::failure : verdict;
}
/// In a handler: an exception that cancels a wait is a wait that ended early; any other goes on (A7).
FUSEBOX_DETAIL_COLD inline void rethrow_unless_cancelled() {
#if FUSEBOX_DETAIL_EXCEPTIONS
  auto exception = detail::caught_exception();
  if (!exception || !Failure::from_exception(std::move(exception)).is_cancellation()) throw;
#endif
}

/// Which clock waits for a call of Co's kind whose policies have a C: theirs, else that of the kind.
template <class Co, class C>
struct WaitClock {
  static constexpr bool is_policies = AsyncClock<C>;
  static constexpr bool is_tasks = !is_policies && std::is_same_v<C, SystemClock> && HasTaskClock<Co>;
  static_assert(
      is_policies || is_tasks || !std::is_same_v<C, SystemClock>,
      "fusebox: op returns a coroutine, whose waits need an AsyncClock, and there is none: give the retry, "
      "bulkhead, rate limiter or hedge one, or name a clock_type in task_traits");
  static_assert(
      is_policies || is_tasks || std::is_same_v<C, SystemClock>,
      "fusebox: op returns a coroutine, whose waits need an AsyncClock: this clock would block the thread");
};
template <class Co>
struct TaskClock {
  using type = typename task_traits<Co>::clock_type;
};

/// As clock.sleep_for(), for the wait of the flow; a wait that another call ends must not go on on its stack
/// (A14). A function, so that the coroutine's frame keeps only what it returns.
template <class C, class Flow>
[[nodiscard]] auto begin_wait(const C& clock, Flow& flow) {
  const std::chrono::nanoseconds time = flow.wait_time();
  if constexpr (requires { clock.wait_in_queue(time, flow.wait_token(), true); }) {
    return clock.wait_in_queue(time, flow.wait_token(), flow.waits_in_queue());
  } else {
    return clock.sleep_for(time, flow.wait_token());
  }
}

/// Is the call a copy of one, which the hedge around stops if another copy wins?
template <class Plan>
inline constexpr bool may_lose = requires { Plan::may_lose; };

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"  // of the frame of a coroutine whose op is a lambda
#endif
template <Task Co>
struct TaskFlow<Co> {
  static constexpr bool is_task = true;
  static constexpr bool knows_tasks = true;
  static constexpr bool has_promise = HasPromise<Co>;
  static constexpr bool cancels = StoppableTask<Co>;
  using value_type = typename TaskOf<Co>::value_type;
  template <class U>
  using Rebound = typename RebindTask<Co, U>::type;

 private:
  template <class Plan>
  using FlowOf = decltype(std::declval<typename Plan::State&>().flow);

  /// The clock that waits, as a reference or a new object.
  template <class Flow>
  [[nodiscard]] static decltype(auto) clock_of(Flow& flow) {
    using C = typename decltype(Flow::clock_of_waits())::type;
    if constexpr (WaitClock<Co, C>::is_policies) {
      return flow.template wait_clock<C>();
    } else {
      return typename TaskClock<Co>::type{};
    }
  }

  /// That of a hedge.
  template <class Tasks>
  [[nodiscard]] static decltype(auto) clock_of_copies(Tasks& tasks) {
    using C = typename Tasks::Clock;
    if constexpr (WaitClock<Co, C>::is_policies) {
      return tasks.clock();
    } else {
      return typename TaskClock<Co>::type{};
    }
  }

  template <class Plan, class Result>
  static consteval bool check_waits() {
    using Flow = FlowOf<Plan>;
    if constexpr (Flow::may_wait) {
      using C = typename decltype(Flow::clock_of_waits())::type;
      if constexpr (WaitClock<Co, C>::is_policies || WaitClock<Co, C>::is_tasks) {
        using Waiting = std::remove_cvref_t<decltype(clock_of(std::declval<Flow&>()))>;
        static_assert(AsyncClock<Waiting>, "fusebox: clock_type of task_traits is no AsyncClock");
        static_assert(
            AwaitableIn<PromiseOf<Result>, WaitOf<Waiting, Flow>>,
            "fusebox: what the clock's sleep_for returns cannot be awaited in op's kind of coroutine");
      }
    }
    return true;
  }
  template <class C, class Flow>
  using WaitOf = decltype(detail::begin_wait(std::declval<const C&>(), std::declval<Flow&>()));

  template <class Plan, class Result>
  struct Checks {
    static_assert(HasPromise<Result>, "fusebox: the type that task_traits rebinds to is no coroutine type");
    static_assert(
        AwaitableIn<PromiseOf<Result>, Co>,
        "fusebox: op's coroutine cannot be awaited in the coroutine type that task_traits rebinds to");
    static constexpr bool value = check_waits<Plan, Result>();
  };

 public:
  template <class Plan>
  [[nodiscard]] static Rebound<typename Plan::Returned> run(Plan plan) {
    using Result = Rebound<typename Plan::Returned>;
    using Flow = FlowOf<Plan>;
    static_assert(Checks<Plan, Result>::value);
    typename Plan::State state{plan};
    for (;;) {
      const Todo todo = state.flow.next();
      if (todo == Todo::done) break;
      if constexpr (Flow::runs_copies) {
        if (todo == Todo::call) {
          const auto tasks = make_tasks(plan, state);
          using Tasks = typename std::remove_cvref_t<decltype(tasks)>::element_type;
          const typename Tasks::Leaving leaving{*tasks};
          tasks->begin();
          const typename Tasks::OnStop on_stop{*tasks, state.flow.call()};
          for (;;) {
            const auto next = tasks->next_step();
            if (next.what == Tasks::What::done) break;
            if (next.what == Tasks::What::start) {
              typename Tasks::Starting starting{*tasks, next.copy};
              if (starting.copy() == nullptr) continue;
              auto copy = run_copy(OneCopy<Tasks>{tasks, *starting.copy()});
              starting.spend();
              if constexpr (StartsTasks<Rebound<void>>) {
                co_await task_traits<Rebound<void>>::start(std::move(copy));
              } else {
                detail::run_detached(std::move(copy));
              }
              continue;
            }
            bool to_its_end = true;
            FUSEBOX_DETAIL_TRY {
              const auto& clock = clock_of_copies(*tasks);
              using Wait = decltype(clock.sleep_for(next.time(), tasks->wake_token()));
              if constexpr (std::is_void_v<AwaitedIn<PromiseOf<Result>, Wait>>) {
                co_await clock.sleep_for(next.time(), tasks->wake_token());
              } else {
                to_its_end = co_await clock.sleep_for(next.time(), tasks->wake_token());
              }
            }
            FUSEBOX_DETAIL_CATCH_ALL {
              detail::rethrow_unless_cancelled();
              to_its_end = false;
            }
            tasks->woke(to_its_end);
          }
          state.flow.report(tasks->finish(state.slot));
        }
      } else if (todo == Todo::call) {
        Verdict verdict = Verdict::success;
        FUSEBOX_DETAIL_TRY {
          OpArgument<Plan::what> argument{state.flow.call()};
          if constexpr (std::is_void_v<value_type>) {
            co_await start_op<may_lose<Plan>>(argument, plan.op, state.flow);
            state.slot.make(gives_nothing);
          } else {
            detail::keep_value(state.slot, co_await start_op<may_lose<Plan>>(argument, plan.op, state.flow));
          }
        }
        FUSEBOX_DETAIL_CATCH_ALL { verdict = detail::failure_caught_into(state.slot.base()); }
        if (verdict == Verdict::success) verdict = detail::judge(state.slot, state.rule);
        state.flow.report(verdict);
      }
      if constexpr (Flow::may_wait) {
        if (todo == Todo::wait) {
          bool to_its_end = true;
          FUSEBOX_DETAIL_TRY {
            const auto& clock = clock_of(state.flow);
            using Wait = WaitOf<std::remove_cvref_t<decltype(clock)>, Flow>;
            if constexpr (std::is_void_v<AwaitedIn<PromiseOf<Result>, Wait>>) {
              co_await detail::begin_wait(clock, state.flow);
            } else {
              to_its_end = co_await detail::begin_wait(clock, state.flow);
            }
          }
          FUSEBOX_DETAIL_CATCH_ALL {
            detail::rethrow_unless_cancelled();
            to_its_end = false;
          }
          state.flow.waited(to_its_end);
        }
      }
      if constexpr (Flow::may_fall_back) {
        if (todo == Todo::fall_back) {
          using R = typename std::remove_cvref_t<decltype(state.slot)>::result_type;
          Verdict verdict = Verdict::success;
          state.slot.drop_value();  // of op; what the fallback throws replaces it, too (P11)
          FUSEBOX_DETAIL_TRY {
            if constexpr (std::is_void_v<R>) {
              co_await fallback_of<R>(state);
              state.slot.make_result(gives_nothing);
            } else {
              detail::keep_result(state.slot, co_await fallback_of<R>(state));
            }
          }
          FUSEBOX_DETAIL_CATCH_ALL { verdict = detail::failure_caught_into(state.slot.base()); }
          state.flow.fell_back(verdict);
        }
      }
    }
    co_return state.finish();
  }

 private:
  /// The copies of a hedged call.
  template <class Plan, class State>
  [[nodiscard]] static auto make_tasks(Plan& plan, State& state) {
    static_assert(FUSEBOX_DETAIL_STOP_TOKEN == 1,
                  "fusebox: a hedge ends the waits of coroutines by a std::stop_token, which this standard "
                  "library does not have");
    using Flow = FlowOf<Plan>;
    using L = Layer<typename Flow::Innermost>;
    using Tasks = typename L::template Tasks<Co, Plan::what, std::remove_cvref_t<decltype(state.slot)>,
                                             typename Flow::Inside::type, std::decay_t<decltype(plan.op)>,
                                             std::remove_cvref_t<decltype(state.rule)>>;
    return L::template make_tasks<Tasks>(state.flow.innermost(), state.flow.inside(), state.flow.call(),
                                         plan.op, state.rule);
  }
  template <class Tasks>
  [[nodiscard]] static Rebound<void> run_copy(OneCopy<Tasks> one) {
    if (one.is_late()) co_return;
    FUSEBOX_DETAIL_TRY {
      auto task = run(one.plan());
      co_await std::move(task);
    }
    FUSEBOX_DETAIL_CATCH_ALL { one.fail(); }
    one.tell();
  }

  /// What op returns; cancelled by the limit of a timeout if there is one, or when a copy of a call loses, if
  /// such a task can be (A14). An op that takes a stop token ends itself, and is spared the memory.
  template <bool may_lose, Takes what, class A, class Op, class Flow>
  [[nodiscard]] static Co start_op(OpArgument<what, A>& argument, Op& op, [[maybe_unused]] Flow& flow) {
    if constexpr (cancels && what != Takes::token) {
      const Call& call = flow.call();
      if ((may_lose || CallAccess::is_held(call)) && call.stop_token().stop_possible())
        return task_traits<Co>::stopped_by(argument.give_to(op), call.stop_token());
    }
    return argument.give_to(op);
  }

  /// What the fallback returned, or the same kind of task as op's that awaits it.
  template <class R, class State>
  [[nodiscard]] static Rebound<R> fallback_of(State& state) {
    return state.flow.template fall_back<Rebound<R>>([&](auto& fallback) -> Rebound<R> {
      using Given =
          std::remove_cv_t<decltype(detail::invoke_fallback(fallback, state.slot.base().failure()))>;
      static_assert(AwaitableIn<PromiseOf<Rebound<R>>, Given>,
                    "fusebox: op's kind of coroutine cannot await what the fallback returns");
      if constexpr (std::is_same_v<Given, Rebound<R>>) {
        return detail::invoke_fallback(fallback, state.slot.base().failure());
      } else {
        return await_fallback<R>(fallback, state.slot.base());
      }
    });
  }
  template <class R, class F>
  [[nodiscard]] static Rebound<R> await_fallback(F& fallback, SlotBase& slot) {
    if constexpr (std::is_void_v<R>) {
      co_await detail::invoke_fallback(fallback, slot.failure());
    } else {
      co_return detail::convert_result<R>(co_await detail::invoke_fallback(fallback, slot.failure()));
    }
  }
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// What looks like a task, and is none (F5).
template <class T>
  requires(!Task<T> && (HasPromise<T> || CoroutineLike<T>))
struct TaskFlow<T> {
  static constexpr bool is_task = false;
  static constexpr bool knows_tasks = true;
  static constexpr bool has_promise = HasPromise<T>;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
