// fusebox/error_code/detail/classify.hpp: what kind of error a std::error_code of any library is (E1).
#pragma once
// IWYU pragma: private, include <fusebox/error_code.hpp>

#include <string>
#include <string_view>
#include <system_error>

#include <fusebox/error_code/categories.hpp>
#include <fusebox/error_code/codes.hpp>
#include <fusebox/error_code/status.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// "Host not found" of Asio and Boost.Asio: HOST_NOT_FOUND (1) and TRY_AGAIN (2) of their netdb category,
/// which is recognised by its name, so that neither library is included.
[[nodiscard]] inline bool is_foreign_host_not_found(const std::error_code& code) noexcept {
  const std::string_view category = code.category().name();
  return (category == "asio.netdb" || category == "boost.asio.netdb") &&
         (code.value() == 1 || code.value() == 2);
}

/// code == condition, without virtual calls if the category's answer is known.
[[nodiscard]] inline bool matches(const std::error_code& code, std::errc condition) noexcept {
  if (code.category() == http_category()) return false;
  if (code.category() == std::generic_category()) return code.value() == static_cast<int>(condition);
  return code == condition;
}

/// Is it a NetworkErrc, its POSIX twin, or another library's code that equals such a twin?
[[nodiscard]] inline bool is_network_error(const std::error_code& code) noexcept {
  if (code.category() == network_error_category()) return true;
  if (code.category() == http_category() || code.category() == policy_error_category()) return false;
  return matches(code, std::errc::connection_reset) || matches(code, std::errc::timed_out) ||
         matches(code, std::errc::connection_refused) || is_foreign_host_not_found(code);
}

/// The category of any error code; `internal` if unknown.
[[nodiscard]] inline ErrorCategory category_of_code(const std::error_code& code) noexcept {
  if (code.category() == http_category()) return category_of(code.value());
  if (code.category() == policy_error_category()) {
    return category_of(error_code_of(static_cast<PolicyErrc>(code.value())));
  }
  return is_network_error(code) ? ErrorCategory::network : ErrorCategory::internal;
}

/// The std::error_category behind `ec == ErrorCategory::...`.
class FUSEBOX_API ErrorCategoryConditions final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.category"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<ErrorCategory>(value))};
  }
  [[nodiscard]] bool equivalent(const std::error_code& code, int condition) const noexcept override {
    if (static_cast<ErrorCategory>(condition) == ErrorCategory::internal) {
      // An unknown code may be of any kind: only an HTTP status is known to be `internal`.
      return code && code.category() == http_category() &&
             category_of(code.value()) == ErrorCategory::internal;
    }
    return code && category_of_code(code) == static_cast<ErrorCategory>(condition);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
