// fusebox/coro/task_traits.hpp: task_traits, which says of a coroutine type what a policy must know (A1).
#pragma once
// IWYU pragma: private, include <fusebox/coro.hpp>

#include <concepts>
#include <type_traits>

#include <fusebox/clock/concept.hpp>
#include <fusebox/coro/detail/awaits.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a policy must know of a task type Co. Specialise it if the default is wrong:
///
///     template <class E, class T>
///     struct fusebox::task_traits<Task<E, T>> {
///       using value_type = T;               // what co_await gives
///       template <class U>
///       using rebind = Task<E, U>;          // the same kind of task, giving a U
///       using clock_type = MyClock;         // optional: the AsyncClock of calls that name none
///       static Task stopped_by(Task, std::stop_token);   // optional: the same task, cancelled by the token
///       static Task start(Task);   // optional, of T void: awaited, it begins the task, and does not await
///       it
///     };
///
/// With stopped_by, a timeout stops also an op that takes no std::stop_token (A14), and so does a hedge. A
/// hedge starts its copies by start(), on the executor of the coroutine that awaits it; without it, by a
/// coroutine of its own that awaits the task (J12).
///
/// Without a specialisation a task is a type with a promise that co_await takes inside a coroutine of its own
/// kind; its value type is the first argument of a class template whose arguments are all types.
template <class Co>
struct task_traits {};

namespace detail {

/// Co's value type and kind, unless task_traits says otherwise.
template <class Co>
struct DefaultTask {
  static constexpr bool is_known = false;
};
template <template <class...> class Template, class T, class... Rest>
struct DefaultTask<Template<T, Rest...>> {
  static constexpr bool is_known = true;
  using value_type = T;
  template <class U>
  using rebind = Template<U, Rest...>;
};

template <class Co>
concept HasTaskTraits = requires {
  typename task_traits<Co>::value_type;
  // g++ 12 refuses the bare name of a member alias template here.
  typename std::type_identity<
      typename task_traits<Co>::template rebind<typename task_traits<Co>::value_type>>;
};

/// A coroutine that can be awaited in a coroutine of its kind.
template <class Co>
concept AwaitedByItsLike = HasPromise<Co> && AwaitableIn<PromiseOf<Co>, Co>;

template <class Co>
concept DefaultIsRight =
    DefaultTask<Co>::is_known && std::same_as<std::remove_cvref_t<typename DefaultTask<Co>::value_type>,
                                              std::remove_cvref_t<AwaitedIn<PromiseOf<Co>, Co>>>;

template <class Co>
concept Task = HasTaskTraits<Co> || AwaitedByItsLike<Co>;

template <class Co>
struct TaskOf {
  static_assert(
      DefaultIsRight<Co>,
      "fusebox: what co_await gives is not the first template argument of this coroutine type: specialise "
      "fusebox::task_traits for it");
  using value_type = typename DefaultTask<Co>::value_type;
  template <class U>
  using rebind = typename DefaultTask<Co>::template rebind<U>;
};
template <HasTaskTraits Co>
struct TaskOf<Co> : task_traits<Co> {};

/// Co itself if the value type stays.
template <class Co, class U>
struct RebindTask {
  using type = typename TaskOf<Co>::template rebind<U>;
};
template <class Co, std::same_as<typename TaskOf<Co>::value_type> U>
struct RebindTask<Co, U> {
  using type = Co;
};

/// Can a stop cancel such a task from outside?
template <class Co>
concept StoppableTask = requires(Co (*make)(), StopToken token) {
  { task_traits<Co>::stopped_by(make(), token) } -> std::same_as<Co>;
};

template <class Co>
concept HasTaskClock = requires { typename task_traits<Co>::clock_type; };

}  // namespace detail

FUSEBOX_END_NAMESPACE
