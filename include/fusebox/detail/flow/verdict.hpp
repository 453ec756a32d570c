// fusebox/detail/flow/verdict.hpp: whether a returned value is a failure, and which (F1, F5).
//
// can_fail<T, Rule>               can a T be a failure? If not, the hot path has nothing to test
// may_be_failure(value, rule)     the cheap test, made for every value of such a T
// failure_of_value(value, rule)   the verdict on a value that passed it
//
// The rule is the failure_if of the call, or NoRule.
#pragma once
// IWYU pragma: private

#include <concepts>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Stands for "no failure_if was given".
struct NoRule {};

namespace adl {
void failure_of() = delete;  // hides others: argument-dependent lookup alone finds those of the user

template <class T>
concept HasFailureOf = requires(const T& value) {
  { failure_of(value) } -> std::convertible_to<std::optional<Failure>>;
};

template <class T>
[[nodiscard]] std::optional<Failure> call_failure_of(const T& value) {
  return failure_of(value);
}
}  // namespace adl

template <class T>
concept HasFailureTraits = requires(const T& value) {
  { failure_traits<T>::failure(value) } -> std::convertible_to<std::optional<Failure>>;
};

/// std::expected, tl::expected and kin.
template <class T>
concept ExpectedLike = requires(const T& value) {
  { value.has_value() } -> std::convertible_to<bool>;
  value.error();
} && !std::is_void_v<decltype(std::declval<const T&>().error())>;

template <class T>
using ErrorOf = std::remove_cvref_t<decltype(std::declval<const T&>().error())>;

/// The Failure of an expected-like type's error.
template <class E>
[[nodiscard]] std::optional<Failure> failure_of_error(const E& error) {
  if constexpr (std::same_as<E, Failure>) {
    return error;
  } else if constexpr (std::derived_from<E, ApiError>) {
    return std::optional<Failure>{std::in_place, static_cast<const ApiError&>(error)};
  } else if constexpr (std::same_as<E, std::error_code>) {
    return std::optional<Failure>{std::in_place, error};
  } else {
    return std::optional<Failure>{std::in_place, std::error_code{}};
  }
}

/// Can a T be a failure without a failure_if?
template <class T>
inline constexpr bool fails_by_type =
    HasFailureTraits<T> || adl::HasFailureOf<T> || ExpectedLike<T> || std::same_as<T, std::error_code>;

/// Can a T be a failure? Decided at compile time.
template <class T, class Rule>
inline constexpr bool can_fail = !std::same_as<Rule, NoRule> || fails_by_type<T>;

template <>
inline constexpr bool can_fail<void, NoRule> = false;

/// Does the rule give a bool, rather than the Failure itself?
template <class Rule, class T>
inline constexpr bool is_plain_predicate =
    std::predicate<const Rule&, const T&> &&
    !std::same_as<std::invoke_result_t<const Rule&, const T&>, std::optional<Failure>>;

/// False if the value is certainly a success. A predicate that gives a bool is called here, any other rule in
/// failure_of_value(): once for each value.
template <class T, class Rule>
[[nodiscard]] bool may_be_failure([[maybe_unused]] const T& value, [[maybe_unused]] const Rule& rule) {
  if constexpr (!std::same_as<Rule, NoRule>) {
    static_assert(std::is_invocable_v<const Rule&, const T&>,
                  "fusebox: failure_if needs a predicate over `const T&`, where T is what op returns; the "
                  "predicate may not be mutable");
    if constexpr (is_plain_predicate<Rule, T>) {
      return static_cast<bool>(rule(value));
    } else {
      return true;
    }
  } else if constexpr (HasFailureTraits<T> || adl::HasFailureOf<T>) {
    return true;
  } else if constexpr (ExpectedLike<T>) {
    return !value.has_value();
  } else {
    return static_cast<bool>(value);  // a std::error_code
  }
}

/// The verdict without a rule: by failure_traits, failure_of or the defaults.
template <class T>
[[nodiscard]] std::optional<Failure> failure_by_type([[maybe_unused]] const T& value) {
  if constexpr (HasFailureTraits<T>) {
    return failure_traits<T>::failure(value);
  } else if constexpr (adl::HasFailureOf<T>) {
    return adl::call_failure_of(value);
  } else if constexpr (ExpectedLike<T>) {
    if (value.has_value()) return std::nullopt;
    return detail::failure_of_error(value.error());
  } else if constexpr (std::same_as<T, std::error_code>) {
    return std::optional<Failure>{std::in_place, value};
  } else {
    return std::nullopt;
  }
}

/// The verdict on a value for which may_be_failure() is true.
template <class T, class Rule>
[[nodiscard]] std::optional<Failure> failure_of_value(const T& value, [[maybe_unused]] const Rule& rule) {
  if constexpr (std::same_as<Rule, NoRule>) {
    return detail::failure_by_type(value);
  } else if constexpr (is_plain_predicate<Rule, T>) {
    auto failure = detail::failure_by_type(value);
    return failure ? std::move(failure) : std::optional<Failure>{Failure{std::error_code{}}};
  } else {
    return rule(value);
  }
}

template <class T>
concept FutureLike = requires(T& value) {
  value.valid();
  value.wait();
  value.get();
};

template <class T>
concept CoroutineLike = requires { typename T::promise_type; } || requires(T& value) {
  value.await_ready();
  value.await_resume();
} || requires(T&& value) { std::move(value).operator co_await(); } || requires(T&& value) {
  operator co_await(std::move(value));
};

/// Is T the result of an operation that goes on? It would count as a success, so policies refuse it (F5).
template <class T>
inline constexpr bool unfinished =
    FutureLike<std::remove_cvref_t<T>> || CoroutineLike<std::remove_cvref_t<T>>;
template <>
inline constexpr bool unfinished<void> = false;

}  // namespace detail

FUSEBOX_END_NAMESPACE
