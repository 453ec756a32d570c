// fusebox/error_code/categories.hpp: the std::error_categories of the error codes, and make_error_code.
//
// Each category is one object per process. It is never destroyed, so that destructors of static objects may
// use it too.
#pragma once
// IWYU pragma: private, include <fusebox/error_code.hpp>

#include <string_view>
#include <system_error>

#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/error_code/codes.hpp>
#include <fusebox/error_code/detail/category_types.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The category of ErrorCode. Its values are HTTP statuses, also those without an enumerator.
[[nodiscard]] FUSEBOX_API inline const std::error_category& http_category() noexcept {
  static const detail::NoDestroy<detail::HttpErrorCategory> category;
  return *category;
}

/// The category of NetworkErrc. Its codes equal their POSIX conditions: `ec == std::errc::timed_out`.
[[nodiscard]] FUSEBOX_API inline const std::error_category& network_error_category() noexcept {
  static const detail::NoDestroy<detail::NetworkErrorCategory> category;
  return *category;
}

/// The category of PolicyErrc. `timed_out` equals std::errc::timed_out, `cancelled` equals
/// std::errc::operation_canceled; a rejection equals no condition of another library.
[[nodiscard]] FUSEBOX_API inline const std::error_category& policy_error_category() noexcept {
  static const detail::NoDestroy<detail::PolicyErrorCategory> category;
  return *category;
}

/// std::error_code calls these; the enums convert by themselves.
[[nodiscard]] inline std::error_code make_error_code(ErrorCode code) noexcept {
  return {static_cast<int>(code), http_category()};
}
[[nodiscard]] inline std::error_code make_error_code(NetworkErrc errc) noexcept {
  return {static_cast<int>(errc), network_error_category()};
}
[[nodiscard]] inline std::error_code make_error_code(PolicyErrc errc) noexcept {
  return {static_cast<int>(errc), policy_error_category()};
}

namespace detail {

/// The code; one of PolicyErrc in its own category. boost::system::error_code before Boost 1.76 gives a
/// std::error_code a category of its own, which is recognised by its name (A12).
[[nodiscard]] inline std::error_code unwrapped(const std::error_code& code) noexcept {
  const std::error_category& category = code.category();
  if (category == policy_error_category() || category == std::generic_category() ||
      category == std::system_category() ||
      std::string_view{category.name()} != policy_error_category().name())
    return code;
  return {code.value(), policy_error_category()};
}

}  // namespace detail

/// Also for a code that has been a boost::system::error_code (A12).
[[nodiscard]] inline bool operator==(const std::error_code& code, PolicyErrc errc) noexcept {
  return detail::unwrapped(code) == make_error_code(errc);
}

FUSEBOX_END_NAMESPACE
