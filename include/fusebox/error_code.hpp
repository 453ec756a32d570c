// fusebox/error_code.hpp: error codes, error categories, and the rules about HTTP statuses.
//
//   error_code/codes.hpp        ErrorCode (HTTP), NetworkErrc, PolicyErrc, ErrorCategory, and their names
//   error_code/status.hpp       category_of, http_status, is_retryable, reason_phrase
//   error_code/categories.hpp   make_error_code, and the std::error_category of each enum
//
// ErrorCode, NetworkErrc and PolicyErrc make std::error_codes. ErrorCategory makes a std::error_condition:
// `ec == ErrorCategory::network` asks what kind of error a std::error_code of any library is.
// Everything here is constant and thread-safe, and only message(), which allocates, can throw.
#pragma once

#include <system_error>

#include <fusebox/error_code/categories.hpp>  // IWYU pragma: export
#include <fusebox/error_code/codes.hpp>       // IWYU pragma: export
#include <fusebox/error_code/detail/classify.hpp>
#include <fusebox/error_code/status.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// The std::error_category behind `ec == ErrorCategory::network` (E1).
[[nodiscard]] inline const std::error_category& category_condition() noexcept {
  return detail::error_category_conditions();
}

/// std::error_condition calls it; `ErrorCategory` converts by itself.
[[nodiscard]] inline std::error_condition make_error_condition(ErrorCategory category) noexcept {
  return {static_cast<int>(category), category_condition()};
}

FUSEBOX_END_NAMESPACE
