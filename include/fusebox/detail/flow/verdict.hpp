// fusebox/detail/flow/verdict.hpp: is a returned value a failure, and which (F1).
//
// can_fail<T, Rule> is false where the type alone says that every value is a success, so that the hot
// path has nothing to test; is_suspect(value, rule) asks the cheap question; judge(value, rule) gives the
// verdict on a suspect. NoRule stands for "no failure_if was given".
#pragma once

#include <concepts>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/failure.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

struct NoRule {};

namespace adl {
void failure_of() = delete;  // only argument-dependent lookup may find one

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

/// True where some value of T is a failure by itself.
template <class T>
inline constexpr bool fails_by_type =
    HasFailureTraits<T> || adl::HasFailureOf<T> || ExpectedLike<T> || std::same_as<T, std::error_code>;

template <class T, class Rule>
inline constexpr bool can_fail = !std::same_as<Rule, NoRule> || fails_by_type<T>;

template <>
inline constexpr bool can_fail<void, NoRule> = false;

template <class Rule, class T>
inline constexpr bool is_plain_predicate =
    std::predicate<const Rule&, const T&> &&
    !std::same_as<std::invoke_result_t<const Rule&, const T&>, std::optional<Failure>>;

/// False where the value is surely a success: the cheap question, asked of every value.
template <class T, class Rule>
[[nodiscard]] bool is_suspect([[maybe_unused]] const T& value, [[maybe_unused]] const Rule& rule) {
  if constexpr (!std::same_as<Rule, NoRule>) {
    static_assert(std::is_invocable_v<const Rule&, const T&>,
                  "fusebox: failure_if needs a predicate over `const T&`, T being what op returns, that is "
                  "not mutable");
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

template <class T>
[[nodiscard]] std::optional<Failure> judge_by_type([[maybe_unused]] const T& value) {
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

/// The verdict on a value that is_suspect().
template <class T, class Rule>
[[nodiscard]] std::optional<Failure> judge(const T& value, [[maybe_unused]] const Rule& rule) {
  if constexpr (std::same_as<Rule, NoRule>) {
    return detail::judge_by_type(value);
  } else if constexpr (is_plain_predicate<Rule, T>) {
    auto failure = detail::judge_by_type(value);
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

/// F5: an unfinished operation would count as a success; refuse it until it can be awaited.
template <class T>
inline constexpr bool unfinished =
    FutureLike<std::remove_cvref_t<T>> || CoroutineLike<std::remove_cvref_t<T>>;
template <>
inline constexpr bool unfinished<void> = false;

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
