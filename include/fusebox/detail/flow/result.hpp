// fusebox/detail/flow/result.hpp: what a call with a fallback returns (B10, B11).
//
// Knows no policy. A policy whose results wrap op's value specialises Unwrapped.
#pragma once
// IWYU pragma: private

#include <type_traits>
#include <utility>

#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Stands for "no fallback was given".
struct NoFallback {};

/// What T wraps; a type that wraps nothing is its own `type`. With a fallback, a call returns the unwrapped
/// value. The specialisation for a wrapper also has
///
///     template <class Result>
///     static decltype(auto) value_of(Result&& result);  // its value; throws if it has none
template <class T>
struct Unwrapped {
  using type = T;
};

template <class T>
inline constexpr bool is_wrapper = !std::is_same_v<typename Unwrapped<T>::type, T>;

/// The common type of op's result and the fallback's; T& only if both are that T&.
template <class A, class B>
struct Common {
  static_assert(!std::is_void_v<A> || std::is_void_v<B>,
                "fusebox: op returns void, so its fallback must return void too");
  static_assert(std::is_void_v<A> || !std::is_void_v<B>,
                "fusebox: op returns a value, so its fallback must return one too");
  static_assert(
      requires { typename std::common_type_t<std::remove_cvref_t<A>, std::remove_cvref_t<B>>; },
      "fusebox: op and its fallback return types that have no common type");
  using type = std::common_type_t<std::remove_cvref_t<A>, std::remove_cvref_t<B>>;
};
template <>
struct Common<void, void> {
  using type = void;
};
template <class T>
struct Common<T&, T&> {
  using type = T&;
};

/// The fallback's value. A fallback that can be called both ways gets the failure.
template <class F>
decltype(auto) invoke_fallback(F& fallback, const Failure& failure) {
  if constexpr (std::is_invocable_v<F&, const Failure&>) {
    return fallback(failure);
  } else {
    return fallback();
  }
}

template <class F>
inline constexpr bool is_fallback = std::is_invocable_v<F&> || std::is_invocable_v<F&, const Failure&>;

template <class V, class F>
struct Guarded {
  static_assert(is_fallback<F>,
                "fusebox: the fallback must be callable with nothing or with a const Failure&");
  using type = typename Common<typename Unwrapped<V>::type,
                               typename Unwrapped<decltype(detail::invoke_fallback(
                                   std::declval<F&>(), std::declval<const Failure&>()))>::type>::type;
};
template <class V>
struct Guarded<V, NoFallback> {
  using type = V;
};

/// What a call returns whose op returns V and whose fallback is an F, or NoFallback.
template <class V, class F>
using GuardedResult = typename Guarded<V, F>::type;

/// op's or the fallback's value as the result R; unwrapped unless R is a wrapper too.
template <class R, class V>
R convert_result(V&& value) {
  using Wrapper = std::remove_cvref_t<V>;
  if constexpr (is_wrapper<Wrapper> && !is_wrapper<std::remove_cvref_t<R>>) {
    return static_cast<R>(Unwrapped<Wrapper>::value_of(std::forward<V>(value)));
  } else {
    return static_cast<R>(std::forward<V>(value));
  }
}

/// f(args…) as the result R.
template <class R, class F, class... Args>
R call_as(F& f, const Args&... args) {
  using V = decltype(f(args...));
  if constexpr (std::is_void_v<V> || std::is_same_v<V, R>) {
    return f(args...);
  } else {
    return detail::convert_result<R>(f(args...));
  }
}

/// As invoke_fallback, as the result R.
template <class R, class F>
R call_fallback(F& fallback, const Failure& failure) {
  if constexpr (std::is_invocable_v<F&, const Failure&>) {
    return detail::call_as<R>(fallback, failure);
  } else {
    return detail::call_as<R>(fallback);
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
