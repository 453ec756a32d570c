// fusebox/detail/flow/carry.hpp: an error of the library carried in op's own result (B9, P12).
//
// A result can carry an error if its failure_traits have from_rejection, or if it can be made from the error
// or from its code. Otherwise the error is thrown.
#pragma once
// IWYU pragma: private

#include <concepts>
#include <system_error>
#include <type_traits>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T, class Error>
concept HasFromRejection = requires(const Error& error) {
  { failure_traits<T>::from_rejection(error) } -> std::convertible_to<T>;
};

/// The form of an error that fits: the whole error, an ApiError, otherwise its code; void if none fits.
template <class Error, bool takes_error, bool takes_api_error, bool takes_code>
using FittingForm = std::conditional_t<
    takes_error, Error,
    std::conditional_t<takes_api_error, ApiError, std::conditional_t<takes_code, std::error_code, void>>>;

/// The form that a result's error, of type E, is made from. A Failure is made from the whole error.
template <class E, class Error>
using FormAsError =
    FittingForm<Error, std::is_same_v<E, Failure> || std::is_convertible_v<const Error&, E>,
                std::is_convertible_v<const ApiError&, E>, std::is_convertible_v<std::error_code, E>>;

/// The form that a result of type T is made from.
template <class T, class Error>
using FormAsResult =
    FittingForm<Error, std::is_constructible_v<T, const Error&>, std::is_constructible_v<T, const ApiError&>,
                std::is_constructible_v<T, std::error_code>>;

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

template <class T, class Error>
struct CarriedForm {
  using type = void;
};
template <ExpectedLike T, class Error>
struct CarriedForm<T, Error> {
  using type = FormAsResult<T, Error>;
};
template <ExpectedLike T, class Error>
  requires requires { typename T::unexpected_type; }
struct CarriedForm<T, Error> {
  using type = std::conditional_t<MadeOfUnexpected<T>, FormAsError<ErrorOf<T>, Error>, void>;
};
template <class Error>
struct CarriedForm<std::error_code, Error> {
  using type = std::error_code;
};

/// Can a V carry such an error?
template <class V, class Error>
inline constexpr bool carries =
    HasFromRejection<V, Error> || !std::is_void_v<typename CarriedForm<V, Error>::type>;
template <class Error>
inline constexpr bool carries<void, Error> = false;

/// Can a V carry a breaker's rejection?
template <class V>
inline constexpr bool carries_rejection = carries<V, CircuitOpenError>;

/// The V that carries the error. `make_error()` gives it; it is not called if a code is enough. Throws the
/// error if the V would hold a value.
template <class V, class Error, class Code, class MakeError>
V carry_error(const Code& reason, MakeError make_error) {
  if constexpr (HasFromRejection<V, Error>) {
    return failure_traits<V>::from_rejection(make_error());
  } else {
    using Form = typename CarriedForm<V, Error>::type;
    const auto error = [&]() -> Form {
      if constexpr (std::is_same_v<Form, std::error_code>) {
        return std::error_code{reason};
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

/// As carry_error, or throws the error if a V cannot carry it.
template <class V, class Error>
V carry_or_throw(SlotBase& slot) {
  if constexpr (carries<V, Error>) {
    return detail::carry_error<V, Error>(slot.reason(), [&] { return Error{OwnError::of(slot.failure())}; });
  } else {
    detail::rethrow_or_abort(slot.failure());
  }
}

/// The same of an error that stands for one of op's: it has a code of its own.
template <class V>
FUSEBOX_DETAIL_COLD V carry_stand_in(SlotBase& slot) {
  if constexpr (carries<V, ApiError>) {
    return detail::carry_error<V, ApiError>(slot.failure().code(),
                                            [&] { return OwnError::of(slot.failure()); });
  } else {
    detail::rethrow_or_abort(slot.failure());
  }
}

/// Can a V carry any error of the library?
template <class V>
inline constexpr bool carries_any =
    carries<V, CircuitOpenError> || carries<V, BulkheadFullError> || carries<V, RateLimitedError> ||
    carries<V, ThrottledError> || carries<V, TimeoutError> || carries<V, CancelledError>;

/// Does a V carry every error of the library as a code? Then none is made.
template <class V>
inline constexpr bool carries_codes = false;
template <class V>
  requires(carries_any<V> && !HasFromRejection<V, CircuitOpenError>)
inline constexpr bool carries_codes<V> =
    std::is_same_v<typename CarriedForm<V, CircuitOpenError>::type, std::error_code> &&
    std::is_same_v<typename CarriedForm<V, BulkheadFullError>::type, std::error_code> &&
    std::is_same_v<typename CarriedForm<V, RateLimitedError>::type, std::error_code> &&
    std::is_same_v<typename CarriedForm<V, ThrottledError>::type, std::error_code> &&
    std::is_same_v<typename CarriedForm<V, TimeoutError>::type, std::error_code> &&
    std::is_same_v<typename CarriedForm<V, CancelledError>::type, std::error_code>;

template <class V>
FUSEBOX_DETAIL_INLINE V carry_code(SlotBase& slot) {
  if (slot.stands_for_op()) [[unlikely]]
    return detail::carry_stand_in<V>(slot);
  return detail::carry_error<V, CircuitOpenError>(slot.reason(),
                                                  [&] { return OwnError::of(slot.failure()); });
}

/// The error by which the library ended the call, carried in a V if it can be, else thrown (P12).
template <class V>
FUSEBOX_DETAIL_COLD V carry_own(SlotBase& slot) {
  if (slot.stands_for_op()) return detail::carry_stand_in<V>(slot);
  switch (slot.reason()) {
    case PolicyErrc::circuit_open: return carry_or_throw<V, CircuitOpenError>(slot);
    case PolicyErrc::bulkhead_full: return carry_or_throw<V, BulkheadFullError>(slot);
    case PolicyErrc::rate_limited: return carry_or_throw<V, RateLimitedError>(slot);
    case PolicyErrc::throttled: return carry_or_throw<V, ThrottledError>(slot);
    case PolicyErrc::timed_out: return carry_or_throw<V, TimeoutError>(slot);
    case PolicyErrc::cancelled: return carry_or_throw<V, CancelledError>(slot);
  }
  detail::rethrow_or_abort(slot.failure());
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
