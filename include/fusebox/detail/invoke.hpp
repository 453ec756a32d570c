// fusebox/detail/invoke.hpp: calls what std::is_invocable accepts, pointers to members too.
#pragma once
// IWYU pragma: private

#include <type_traits>
#include <utility>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// f(first, rest…); a pointer to a member is applied to `first`, which is an object. std::invoke would need
/// <functional>.
template <class F, class First, class... Rest>
constexpr decltype(auto) invoke(F& f, First&& first, Rest&&... rest) {
  if constexpr (std::is_member_function_pointer_v<std::remove_const_t<F>>) {
    return (std::forward<First>(first).*f)(std::forward<Rest>(rest)...);
  } else if constexpr (std::is_member_object_pointer_v<std::remove_const_t<F>>) {
    return (std::forward<First>(first).*f);
  } else {
    return f(std::forward<First>(first), std::forward<Rest>(rest)...);
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
