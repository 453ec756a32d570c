// fusebox/circuit_breaker/detail/rejection.hpp: a rejection carried in op's own result (B9).
//
// A result can carry a rejection if its failure_traits have from_rejection, or if it can be made from the
// CircuitOpenError or from its code. Otherwise the rejection is thrown.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <concepts>
#include <system_error>
#include <type_traits>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T>
concept HasFromRejection = requires(const RejectedError& error) {
  { failure_traits<T>::from_rejection(error) } -> std::convertible_to<T>;
};

/// The form of a rejection that fits: the whole error, otherwise its code; void if neither fits.
template <bool TakesCircuitOpenError, bool TakesApiError, bool TakesCode>
using FittingForm = std::conditional_t<
    TakesCircuitOpenError, CircuitOpenError,
    std::conditional_t<TakesApiError, ApiError, std::conditional_t<TakesCode, std::error_code, void>>>;

/// The form that a result's error, of type E, is made from.
template <class E>
using RejectionAsError =
    FittingForm<std::is_same_v<E, Failure> || std::is_convertible_v<const CircuitOpenError&, E>,
                std::is_convertible_v<const ApiError&, E>, std::is_convertible_v<std::error_code, E>>;

/// The form that a result of type T is made from.
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

/// Can a V be made from an error through its unexpected_type?
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

/// Can a V carry a rejection?
template <class V>
inline constexpr bool carries_rejection =
    HasFromRejection<V> || !std::is_void_v<typename RejectionForm<V>::type>;
template <>
inline constexpr bool carries_rejection<void> = false;

/// The V that carries the rejection. `make_error()` gives the CircuitOpenError; it is not called if a code is
/// enough. Throws that error if the V would hold a value.
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
      } else {  // an aggregate: clang below 16 initialises it by braces only
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

}  // namespace detail

FUSEBOX_END_NAMESPACE
