// fusebox/coro/detail/awaits.hpp: what co_await gives, asked at compile time ([expr.await]).
#pragma once
// IWYU pragma: private, include <fusebox/coro.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Is a function that returns a T a coroutine if it awaits something?
template <class T>
concept HasPromise = requires { typename std::coroutine_traits<T>::promise_type; };
template <class T>
using PromiseOf = typename std::coroutine_traits<T>::promise_type;

struct AwaitTransformName {
  void await_transform();
};
template <class P>
struct AmbiguousIfNamed : P, AwaitTransformName {};
template <class P, class A>
concept CallsTransform = requires(P& promise) { promise.await_transform(std::declval<A>()); };

/// Has the promise a member of this name, callable or not? Then every operand passes through it. Of a final
/// class only a call can tell.
template <class P, class A>
[[nodiscard]] consteval bool transforms_await() noexcept {
  if constexpr (std::is_class_v<P> && !std::is_final_v<P>) {
    return !requires { &AmbiguousIfNamed<P>::await_transform; };
  } else {
    return CallsTransform<P, A>;
  }
}
template <class P, class A>
concept PassesTransform = !transforms_await<P, A>() || CallsTransform<P, A>;

template <class P, class A, bool is_transformed>
struct OperandType {
  using type = A&&;
};
template <class P, class A>
struct OperandType<P, A, true> {
  using type = decltype(std::declval<P&>().await_transform(std::declval<A>()));
};
template <class P, class A>
using OperandOf = typename OperandType<P, A, transforms_await<P, A>()>::type;

template <class A>
concept Awaiter = requires(std::remove_reference_t<A>& awaiter) {
  { awaiter.await_ready() } -> std::convertible_to<bool>;
  awaiter.await_resume();
};
template <class A>
concept MemberAwait = requires(A&& a) { std::forward<A>(a).operator co_await(); };
template <class A>
concept FreeAwait = requires(A&& a) { operator co_await(std::forward<A>(a)); };

template <class A>
[[nodiscard]] consteval auto awaiter_type() noexcept {
  if constexpr (MemberAwait<A>) {
    return std::type_identity<decltype(std::declval<A>().operator co_await())>{};
  } else if constexpr (FreeAwait<A>) {
    return std::type_identity<decltype(operator co_await(std::declval<A>()))>{};
  } else {
    return std::type_identity<A>{};
  }
}
template <class A>
concept HasAwaiter = MemberAwait<A> || FreeAwait<A> || Awaiter<A>;
template <HasAwaiter A>
using AwaiterOf = typename decltype(awaiter_type<A>())::type;

/// What `co_await a` gives in a coroutine whose promise is a P.
template <class P, class A>
using AwaitedIn =
    decltype(std::declval<std::remove_reference_t<AwaiterOf<OperandOf<P, A>>>&>().await_resume());
template <class P, class A>
concept AwaitableIn = PassesTransform<P, A> && requires { typename AwaitedIn<P, A>; };

}  // namespace detail

FUSEBOX_END_NAMESPACE
