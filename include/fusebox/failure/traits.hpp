// fusebox/failure/traits.hpp: how a program says which returned values are failures (F1).
//
//   failure_traits<T>       specialise it for a type
//   failure_if(predicate)   pass it to one call
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include <fusebox/detail/invoke.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Says which values of T are failures. A specialisation has one or both of
///
///     static std::optional<Failure> failure(const T& value);    // std::nullopt for a success
///     static T from_rejection(const RejectedError& error);      // what a rejected call returns
///
/// The primary template has neither: failure_of or the defaults then judge a T.
template <class T>
struct failure_traits {};

/// Judges the value of one call, in place of what its type says:
///
///     failure_if([](const Response& r) -> std::optional<Failure> {
///       if (r.status < 500) return std::nullopt;
///       return Failure::from_status(r.status);
///     })
///
/// The predicate may also return a bool. For true the Failure is then the one that the value's type gives
/// by itself, else one without a code. The latter is not transient: a retry stops at it unless retry_if
/// accepts it.
template <class Predicate>
class FailureIf {
 public:
  constexpr explicit FailureIf(Predicate predicate) : predicate_{std::move(predicate)} {}

  template <class T>
    requires std::predicate<const Predicate&, const T&> ||
             std::is_invocable_r_v<std::optional<Failure>, const Predicate&, const T&>
  [[nodiscard]] decltype(auto) operator()(const T& value) const {
    return detail::invoke(predicate_, value);
  }

 private:
  [[no_unique_address]] Predicate predicate_;
};

/// An option of `execute` and of retries; the predicate is called once for each returned value.
template <class Predicate>
[[nodiscard]] constexpr auto failure_if(Predicate predicate) {
  return FailureIf<Predicate>{std::move(predicate)};
}

namespace detail {
/// The kind of this option: see detail/options.hpp.
template <class T>
struct IsFailureIf : std::bool_constant<is_specialization<T, FailureIf>> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
