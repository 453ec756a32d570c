// fusebox/detail/options.hpp: options that follow op in any order, recognised by their type (C4).
//
// A kind of option is a trait, a class template with a bool `value`. option_or<Kind>(default_value, options…)
// gives the option of that kind, or the default value. is_one_of and count_of check the whole list.
#pragma once
// IWYU pragma: private

#include <type_traits>
#include <utility>

#include <fusebox/clock/concept.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Is T, without const and reference, of one of these kinds?
template <class T, template <class> class... Kinds>
inline constexpr bool is_one_of = (Kinds<std::remove_cvref_t<T>>::value || ...);

/// How many options are of this kind.
template <template <class> class Kind, class... Options>
inline constexpr int count_of = (0 + ... + (Kind<std::remove_cvref_t<Options>>::value ? 1 : 0));

/// The first option of this kind, by reference; the default value if there is no such option.
template <template <class> class Kind, class Default>
[[nodiscard]] constexpr Default& option_or(Default& default_value) noexcept {
  return default_value;
}

template <template <class> class Kind, class Default, class First, class... Rest>
[[nodiscard]] constexpr auto& option_or(Default& default_value, First& first, Rest&... rest) noexcept {
  if constexpr (Kind<std::remove_cvref_t<First>>::value) {
    return first;
  } else {
    return option_or<Kind>(default_value, rest...);
  }
}

/// Is T a Template<...>? False for const T and T&.
template <class T, template <class...> class Template>
inline constexpr bool is_specialization = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_specialization<Template<Args...>, Template> = true;

// The kinds that several policies accept.

template <class T>
struct IsClock : std::bool_constant<TimeSource<T>> {};
template <class T>
struct IsStopToken : std::is_same<T, StopToken> {};
template <class T>
struct IsDeadline : std::is_same<T, Deadline> {};
template <class T>
struct IsPriority : std::is_same<T, Priority> {};

}  // namespace detail

FUSEBOX_END_NAMESPACE
