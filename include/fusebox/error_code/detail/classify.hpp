// fusebox/error_code/detail/classify.hpp: what kind of error a std::error_code of any library is (E1).
#pragma once
// IWYU pragma: private, include <fusebox/error_code.hpp>

#include <string>
#include <string_view>
#include <system_error>

#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/error_code/categories.hpp>
#include <fusebox/error_code/codes.hpp>
#include <fusebox/error_code/status.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The std::error_category behind `ec == ErrorCategory::...`.
class FUSEBOX_API ErrorCategoryConditions final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.category"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<ErrorCategory>(value))};
  }
  [[nodiscard]] bool equivalent(const std::error_code& code, int condition) const noexcept override;
};

[[nodiscard]] FUSEBOX_API inline const std::error_category& error_category_conditions() noexcept {
  static const NoDestroy<ErrorCategoryConditions> category;
  return *category;
}

/// "Host not found" of Asio and Boost.Asio: HOST_NOT_FOUND (1) and TRY_AGAIN (2) of their netdb category,
/// which is recognised by its name, so that neither library is included.
[[nodiscard]] inline bool is_foreign_host_not_found(const std::error_code& code) noexcept {
  const std::string_view category = code.category().name();
  return (category == "asio.netdb" || category == "boost.asio.netdb") &&
         (code.value() == 1 || code.value() == 2);
}

/// Standalone Asio before 1.38 has a category of its own for the numbers of the operating system, which equal
/// no condition.
[[nodiscard]] inline bool is_asio_system(const std::error_category& category) noexcept {
  return std::string_view{category.name()} == "asio.system";
}

/// The code, if need be in a category that knows what its number means.
[[nodiscard]] inline std::error_code known_code(const std::error_code& code) noexcept {
  return is_asio_system(code.category()) ? std::error_code{code.value(), std::system_category()} : code;
}

/// Is it the code of a policy that refused to make a call?
[[nodiscard]] inline bool is_rejection_code(const std::error_code& code) noexcept {
  if (code.category() != policy_error_category()) return false;
  const auto errc = static_cast<PolicyErrc>(code.value());
  return errc == PolicyErrc::circuit_open || errc == PolicyErrc::bulkhead_full ||
         errc == PolicyErrc::rate_limited || errc == PolicyErrc::throttled;
}

/// The categories whose numbers are those of errno. On Windows std::system_category() has numbers of its own.
struct ErrnoCategories {
  const std::error_category& generic = std::generic_category();
#if defined(_WIN32)
  const std::error_category& system = std::generic_category();
#else
  const std::error_category& system = std::system_category();
#endif
};

/// Kept, since a call into the standard library for each failure would cost more.
[[nodiscard]] inline const ErrnoCategories& errno_categories() noexcept {
  static const ErrnoCategories categories;
  return categories;
}

[[nodiscard]] inline bool has_errno_values(const std::error_category& category) noexcept {
  const ErrnoCategories& known = errno_categories();
  return category == known.generic || category == known.system;
}

/// code == condition, without virtual calls if the category's answer is known.
[[nodiscard]] inline bool matches(const std::error_code& code, std::errc condition) noexcept {
  const std::error_category& category = code.category();
  if (category == http_category()) return false;
  if (has_errno_values(category)) return code.value() == static_cast<int>(condition);
  if (category == policy_error_category()) {
    const auto errc = static_cast<PolicyErrc>(code.value());
    return (errc == PolicyErrc::cancelled && condition == std::errc::operation_canceled) ||
           (errc == PolicyErrc::timed_out && condition == std::errc::timed_out);
  }
  return code == condition || (is_asio_system(category) && known_code(code) == condition);
}

/// Does the code say that the caller ended the call?
[[nodiscard]] inline bool is_cancellation_code(const std::error_code& code) noexcept {
  return code && matches(code, std::errc::operation_canceled);
}

/// The POSIX errors of a network that may work again in a moment. EAGAIN and EINTR are not among them.
inline constexpr std::errc network_conditions[] = {
    std::errc::connection_reset,     std::errc::timed_out,
    std::errc::connection_refused,   std::errc::connection_aborted,
    std::errc::broken_pipe,          std::errc::not_connected,
    std::errc::network_down,         std::errc::network_reset,
    std::errc::network_unreachable,  std::errc::host_unreachable,
    std::errc::address_not_available};

[[nodiscard]] constexpr bool is_network_condition(int errc) noexcept {
  for (const std::errc condition : network_conditions) {
    if (errc == static_cast<int>(condition)) return true;
  }
  return false;
}

/// Is it a NetworkErrc, a POSIX error of the network, or another library's code that equals one of these or
/// ErrorCategory::network?
[[nodiscard]] inline bool is_network_error(const std::error_code& code) noexcept {
  if (code.category() == network_error_category()) return true;
  if (code.category() == http_category() || code.category() == policy_error_category()) return false;
  if (has_errno_values(code.category())) return is_network_condition(code.value());
  const std::error_condition condition = known_code(code).default_error_condition();
  if (condition.category() == std::generic_category() && is_network_condition(condition.value())) return true;
  for (const std::errc network : network_conditions) {
    if (code == network) return true;
  }
  const std::error_condition own{static_cast<int>(ErrorCategory::network), error_category_conditions()};
  return is_foreign_host_not_found(code) || (code && code.category().equivalent(code.value(), own));
}

/// The category of any error code; `internal` if unknown.
[[nodiscard]] inline ErrorCategory category_of_code(const std::error_code& code) noexcept {
  if (code.category() == http_category()) return category_of(code.value());
  if (code.category() == policy_error_category()) {
    return category_of(error_code_of(static_cast<PolicyErrc>(code.value())));
  }
  return is_network_error(code) ? ErrorCategory::network : ErrorCategory::internal;
}

inline bool ErrorCategoryConditions::equivalent(const std::error_code& code, int condition) const noexcept {
  if (static_cast<ErrorCategory>(condition) == ErrorCategory::internal) {
    // An unknown code may be of any kind: only an HTTP status is known to be `internal`.
    return code && code.category() == http_category() && category_of(code.value()) == ErrorCategory::internal;
  }
  return code && category_of_code(code) == static_cast<ErrorCategory>(condition);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
