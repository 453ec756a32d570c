// fusebox/detail/flow/task.hpp: where a call goes whose op returns a task: to <fusebox/coro.hpp>.
//
// A task is a coroutine that somebody awaits for its value. coro.hpp says what one is, by a specialisation of
// TaskFlow; headers of policies ask here, and know nothing of coroutines.
#pragma once
// IWYU pragma: private

#include <type_traits>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// coro.hpp specialises it for tasks, and for what looks like one. A task's has
///
/// - `value_type`, what co_await gives;
/// - `Rebound<U>`, the same kind of task, giving a U;
/// - `cancels`: can a stop cancel one that runs?
/// - `run(plan)`, the coroutine that runs a call, given a plan: see detail/flow/plan.hpp.
template <class T>
struct TaskFlow {
  static constexpr bool is_task = false;
  static constexpr bool knows_tasks = false;
  static constexpr bool has_promise = false;
};

/// A T, or what co_await gives of a task.
template <class T>
struct FinishedType {
  using type = T;
};
template <class T>
  requires TaskFlow<std::remove_cv_t<T>>::is_task
struct FinishedType<T> {
  using type = typename TaskFlow<std::remove_cv_t<T>>::value_type;
};
template <class T>
using Finished = typename FinishedType<T>::type;

/// Is T a task? A reference to one is none.
template <class T>
inline constexpr bool is_task_type = TaskFlow<std::remove_cv_t<T>>::is_task;

}  // namespace detail

FUSEBOX_END_NAMESPACE
