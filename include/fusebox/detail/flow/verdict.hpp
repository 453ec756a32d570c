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
#include <exception>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/error_code.hpp>
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

/// An error as an object: it is a failure whatever it holds.
template <class T>
concept ErrorObject = std::same_as<T, Failure> || std::derived_from<T, ApiError>;

/// An error if there is one: `std::optional<Failure>`, and what upstream_error() returns.
template <class T>
inline constexpr bool is_optional_error = false;
template <ErrorObject E>
inline constexpr bool is_optional_error<std::optional<E>> = true;

/// An enum whose values are error codes, 0 for success.
template <class T>
concept ErrorEnum = std::is_enum_v<T> && (std::same_as<T, std::errc> || std::is_error_code_enum_v<T>);

/// What is plainly an error, or the absence of one.
template <class T>
concept ErrorLike = ErrorObject<T> || is_optional_error<T> || ErrorEnum<T> ||
                    std::same_as<T, std::error_code> || std::same_as<T, std::exception_ptr>;

/// The cheap test of an ErrorLike value.
template <ErrorLike T>
[[nodiscard]] bool is_error([[maybe_unused]] const T& value) noexcept {
  if constexpr (ErrorObject<T>) {
    return true;
  } else if constexpr (ErrorEnum<T>) {
    return value != T{};
  } else {
    return static_cast<bool>(value);
  }
}

/// Does the program or an adapter say what an E stands for? That comes before the defaults.
template <class E>
concept JudgedError = HasFailureTraits<E> || adl::HasFailureOf<E>;

/// An error that may say more than a code does.
template <class E>
concept RichError =
    ErrorObject<E> || is_optional_error<E> || std::same_as<E, std::exception_ptr> || JudgedError<E>;

/// The code of any other error; empty if it has none.
template <class E>
[[nodiscard]] std::error_code code_of_error([[maybe_unused]] const E& error) {
  if constexpr (std::same_as<E, std::errc>) {
    return {static_cast<int>(error), errno_categories().generic};
  } else if constexpr (std::is_convertible_v<const E&, std::error_code>) {
    return error;
  } else {
    return {};
  }
}

/// The Failure that an error stands for: an ErrorLike value, or the error of an expected-like type.
template <class E>
[[nodiscard]] std::optional<Failure> failure_of_error(const E& error) {
  if constexpr (JudgedError<E>) {
    std::optional<Failure> judged;
    if constexpr (HasFailureTraits<E>) {
      judged = failure_traits<E>::failure(error);
    } else {
      judged = adl::call_failure_of(error);
    }
    return judged ? std::move(judged) : Failure{detail::code_of_error(error)};  // no success all the same
  } else if constexpr (std::same_as<E, Failure>) {
    return error;
  } else if constexpr (std::derived_from<E, ApiError>) {
    return std::optional<Failure>{std::in_place, static_cast<const ApiError&>(error)};
  } else if constexpr (is_optional_error<E>) {
    return error ? detail::failure_of_error(*error) : Failure{std::error_code{}};
  } else if constexpr (FUSEBOX_DETAIL_EXCEPTIONS && std::same_as<E, std::exception_ptr>) {
    return Failure::from_exception(error);
  } else {
    return std::optional<Failure>{std::in_place, detail::code_of_error(error)};
  }
}

/// `ok()` and no has_value(): a status, or a result of that kind.
template <class T>
concept OkLike = requires(const T& value) {
  { value.ok() } -> std::same_as<bool>;
} && !requires(const T& value) { value.has_value(); };

/// What an OkLike value gives as its error: code(), error() or itself.
template <class T>
[[nodiscard]] decltype(auto) error_of_status(const T& value) {
  if constexpr (requires {
                  { value.code() } -> std::convertible_to<std::error_code>;
                }) {
    return std::error_code{value.code()};
  } else if constexpr (requires { ErrorOf<T>{value.error()}; }) {
    return value.error();
  } else {
    return (value);
  }
}

/// A result of a policy that says why it ended.
template <class T>
concept SaysWhyItEnded = requires(const T& value) {
  { value.stats.stop_reason == std::remove_cvref_t<decltype(value.stats.stop_reason)>::cancelled };
};

/// The Failure of an expected-like value without a value. A cancelled retry is a cancellation, whatever its
/// last attempt left (F7).
template <class T>
[[nodiscard]] std::optional<Failure> failure_of_expected(const T& value) {
  if constexpr (SaysWhyItEnded<T>) {
    using Reason = std::remove_cvref_t<decltype(value.stats.stop_reason)>;
    if (value.stats.stop_reason == Reason::cancelled) {
      auto failure = detail::failure_of_error(value.error());
      if (failure && failure->is_cancellation()) return failure;
      return std::optional<Failure>{std::in_place, make_error_code(PolicyErrc::cancelled)};
    }
  }
  return detail::failure_of_error(value.error());
}

/// Can a T be a failure without a failure_if?
template <class T>
inline constexpr bool fails_by_type =
    HasFailureTraits<T> || adl::HasFailureOf<T> || ErrorLike<T> || ExpectedLike<T> || OkLike<T>;

/// Is a failed T no more than a code? A breaker that classifies by default then needs no Failure.
template <class T>
[[nodiscard]] consteval bool fails_by_code() noexcept {
  if constexpr (HasFailureTraits<T> || adl::HasFailureOf<T> || SaysWhyItEnded<T>) {
    return false;
  } else if constexpr (ErrorLike<T>) {
    return !RichError<T>;
  } else if constexpr (ExpectedLike<T>) {
    return !RichError<ErrorOf<T>>;
  } else if constexpr (OkLike<T>) {
    return !RichError<std::remove_cvref_t<decltype(detail::error_of_status(std::declval<const T&>()))>>;
  } else {
    return false;
  }
}

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
  } else if constexpr (ErrorLike<T>) {
    return detail::is_error(value);
  } else if constexpr (ExpectedLike<T>) {
    return !value.has_value();
  } else {
    return !value.ok();
  }
}

/// The verdict without a rule: by failure_traits, failure_of or the defaults.
template <class T>
[[nodiscard]] std::optional<Failure> failure_by_type([[maybe_unused]] const T& value) {
  if constexpr (HasFailureTraits<T>) {
    return failure_traits<T>::failure(value);
  } else if constexpr (adl::HasFailureOf<T>) {
    return adl::call_failure_of(value);
  } else if constexpr (ErrorLike<T>) {
    if (!detail::is_error(value)) return std::nullopt;
    return detail::failure_of_error(value);
  } else if constexpr (ExpectedLike<T>) {
    if (value.has_value()) return std::nullopt;
    return detail::failure_of_expected(value);
  } else if constexpr (OkLike<T>) {
    if (value.ok()) return std::nullopt;
    return detail::failure_of_error(detail::error_of_status(value));
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

/// Is the Failure of a T by this rule no more than a code?
template <class T, class Rule>
inline constexpr bool is_judged_by_code = std::same_as<Rule, NoRule> && fails_by_code<T>();
template <class T, class Rule>
  requires(!std::same_as<Rule, NoRule> && is_plain_predicate<Rule, T>)
inline constexpr bool is_judged_by_code<T, Rule> = !fails_by_type<T> || fails_by_code<T>();

/// The code of failure_of_value(value, rule), for a T that is_judged_by_code.
template <class T, class Rule>
[[nodiscard]] std::error_code code_of_value(const T& value) {
  if constexpr (!fails_by_type<T>) {
    return {};
  } else {
    if constexpr (!std::same_as<Rule, NoRule>) {  // a value may fail by the rule alone
      if (!detail::may_be_failure(value, NoRule{})) return {};
    }
    if constexpr (ErrorLike<T>) {
      return detail::code_of_error(value);
    } else if constexpr (ExpectedLike<T>) {
      return detail::code_of_error(value.error());
    } else {
      return detail::code_of_error(detail::error_of_status(value));
    }
  }
}

template <class T>
concept FutureLike = requires(T& value) {
  value.valid();
  value.wait();
} && (requires(T& value) { value.get(); } || requires(T&& value) { std::move(value).get(); });

/// A sender of P2300, or of the libraries that came before it.
template <class T>
concept SenderLike = requires { typename T::sender_concept; } || requires {
  typename T::completion_signatures;
} || requires { typename T::is_sender; } || requires { T::sends_done; };

/// The name of T, as the compiler writes it, and something after it.
template <class T>
[[nodiscard]] consteval std::string_view name_of_type() noexcept {
#if defined(_MSC_VER) && !defined(__clang__)
  const std::string_view text = __FUNCSIG__;
  const auto begin = text.find("name_of_type<") + 13;
  const std::string_view name = text.substr(begin);
  return name.substr(name.starts_with("class ") ? 6 : name.starts_with("struct ") ? 7 : 0);
#else
  const std::string_view text = __PRETTY_FUNCTION__;
  return text.substr(text.find("T = ") + 4);
#endif
}

/// What Asio and Boost.Asio return for the token `deferred`, or as a promise. They are known by their names,
/// so that neither library is included.
template <class T>
[[nodiscard]] consteval bool is_asio_operation() noexcept {
  std::string_view name = name_of_type<T>();
  for (const std::string_view scope : {"boost::", "asio::", "experimental::"}) {
    if (name.starts_with(scope)) name.remove_prefix(scope.size());
  }
  return name.size() != name_of_type<T>().size() &&
         (name.starts_with("deferred_") || name.starts_with("promise<"));
}

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
    FutureLike<std::remove_cvref_t<T>> || CoroutineLike<std::remove_cvref_t<T>> ||
    SenderLike<std::remove_cvref_t<T>> || is_asio_operation<std::remove_cvref_t<T>>();
template <>
inline constexpr bool unfinished<void> = false;

}  // namespace detail

FUSEBOX_END_NAMESPACE
