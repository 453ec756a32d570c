// fusebox/detail/flow/result.hpp: what a guarded call gives: op's own result, the fallback's, or a
// rejection carried in a value (B9 to B11).
//
// Shared by every policy that can refuse a call. Nothing here knows of breakers.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

struct NoFallback {};

/// A RetryResult's value, any other type itself. With a fallback, results are handed over so.
template <class T>
struct Unwrapped {
  using type = T;
};
template <class T>
struct Unwrapped<RetryResult<T>> {
  using type = T;
};

/// The common type of op's result and the fallback's; T& only where both are that T&.
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

/// What a call of an op that returns V gives, with a fallback F or NoFallback.
template <class V, class F>
using GuardedResult = typename Guarded<V, F>::type;

/// op's or the fallback's value as the result R.
template <class R, class V>
R hand_over(V&& value) {
  if constexpr (is_specialization<std::remove_cvref_t<V>, RetryResult> &&
                !is_specialization<std::remove_cvref_t<R>, RetryResult>) {
    static_assert(exceptions_are_on<V>,
                  "fusebox: without exceptions a RetryResult, which may hold no value, cannot become one: "
                  "give no fallback, and look at has_value()");
    return static_cast<R>(std::forward<V>(value).value());
  } else {
    return static_cast<R>(std::forward<V>(value));
  }
}

/// f(args…) as the result R.
template <class R, class F, class... Args>
R hand_over_call(F& f, const Args&... args) {
  using V = decltype(f(args...));
  if constexpr (std::is_void_v<V> || std::is_same_v<V, R>) {
    return f(args...);
  } else {
    return detail::hand_over<R>(f(args...));
  }
}

template <class R, class F>
R call_fallback(F& fallback, const Failure& failure) {
  if constexpr (std::is_invocable_v<F&, const Failure&>) {
    return detail::hand_over_call<R>(fallback, failure);
  } else {
    return detail::hand_over_call<R>(fallback);
  }
}

// A rejection inside a value.

template <class T>
concept HasFromRejection = requires(const RejectedError& error) {
  { failure_traits<T>::from_rejection(error) } -> std::convertible_to<T>;
};

/// The form of a rejection that fits: the whole error, else its code; void where neither does.
template <bool TakesCircuitOpenError, bool TakesApiError, bool TakesCode>
using FittingForm = std::conditional_t<
    TakesCircuitOpenError, CircuitOpenError,
    std::conditional_t<TakesApiError, ApiError, std::conditional_t<TakesCode, std::error_code, void>>>;

/// The form that an error of type E takes.
template <class E>
using RejectionAsError =
    FittingForm<std::is_same_v<E, Failure> || std::is_convertible_v<const CircuitOpenError&, E>,
                std::is_convertible_v<const ApiError&, E>, std::is_convertible_v<std::error_code, E>>;

/// The form from which a result of type T is made.
template <class T>
using RejectionAsResult =
    FittingForm<std::is_constructible_v<T, const CircuitOpenError&>,
                std::is_constructible_v<T, const ApiError&>, std::is_constructible_v<T, std::error_code>>;

template <class T>
struct UnexpectedOf {
  using type = void;
};
template <class T>
  requires requires { typename T::unexpected_type; }
struct UnexpectedOf<T> {
  using type = typename T::unexpected_type;
};

/// Can a V be made from an error by its unexpected_type?
template <class V, class E = ErrorOf<V>>
concept MadeOfUnexpected = requires(E error) { V(typename V::unexpected_type{static_cast<E&&>(error)}); };

template <class T>
struct RejectionForm {
  using type = void;
};
template <ExpectedLike T>
struct RejectionForm<T> {
  using type = RejectionAsResult<T>;
};
template <ExpectedLike T>
  requires requires { typename T::unexpected_type; }
struct RejectionForm<T> {
  using type = std::conditional_t<MadeOfUnexpected<T>, RejectionAsError<ErrorOf<T>>, void>;
};
template <>
struct RejectionForm<std::error_code> {
  using type = std::error_code;
};

/// Can a V say by itself that the call was rejected?
template <class V>
inline constexpr bool carries_rejection =
    HasFromRejection<V> || !std::is_void_v<typename RejectionForm<V>::type>;
template <>
inline constexpr bool carries_rejection<void> = false;

/// The V that says so. `make_error()` gives the CircuitOpenError; it is not called where a code is enough.
template <class V, class MakeError>
V carry_rejection(MakeError make_error) {
  if constexpr (HasFromRejection<V>) {
    return failure_traits<V>::from_rejection(make_error());
  } else {
    using Form = typename RejectionForm<V>::type;
    const auto error = [&]() -> Form {
      if constexpr (std::is_same_v<Form, std::error_code>) {
        return make_error_code(PolicyErrc::circuit_open);
      } else {
        return make_error();
      }
    };
    if constexpr (!std::is_void_v<typename UnexpectedOf<V>::type>) {
      using E = ErrorOf<V>;
      using Unexpected = typename UnexpectedOf<V>::type;
      if constexpr (std::is_constructible_v<Unexpected, E>) {
        return V(Unexpected(static_cast<E>(error())));
      } else {  // an aggregate, which clang below 16 makes by braces only
        return V(Unexpected{static_cast<E>(error())});
      }
    } else {
      V value(error());
      if constexpr (ExpectedLike<V>) {
        if (value.has_value()) throw_error(make_error());
      }
      return value;
    }
  }
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
