// fusebox/detail/options.hpp: trailing options, in any order, told apart by their type.
//
// A kind of option is a trait (a class template with a bool `value`). pick<Kind>(fallback, options…)
// gives the option of that kind, or the fallback; is_one_of and count check the whole list.
#pragma once

#include <type_traits>
#include <utility>

#include <fusebox/fwd.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

template <class T, template <class> class... Kinds>
inline constexpr bool is_one_of = (Kinds<std::remove_cvref_t<T>>::value || ...);

template <template <class> class Kind, class... Options>
inline constexpr int count = (0 + ... + (Kind<std::remove_cvref_t<Options>>::value ? 1 : 0));

template <template <class> class Kind, class Fallback>
[[nodiscard]] constexpr Fallback& pick(Fallback& fallback) noexcept {
  return fallback;
}

template <template <class> class Kind, class Fallback, class First, class... Rest>
[[nodiscard]] constexpr auto& pick(Fallback& fallback, First& first, Rest&... rest) noexcept {
  if constexpr (Kind<std::remove_cvref_t<First>>::value) {
    return first;
  } else {
    return pick<Kind>(fallback, rest...);
  }
}

template <class T, template <class...> class Template>
inline constexpr bool is_specialization = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_specialization<Template<Args...>, Template> = true;

template <class T>
struct IsClock : std::bool_constant<Clock<T>> {};
template <class T>
struct IsStopToken : std::is_same<T, StopToken> {};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
