// fusebox/error_code/detail/category_types.hpp: the types behind the functions of error_code/categories.hpp.
#pragma once
// IWYU pragma: private, include <fusebox/error_code.hpp>

#include <string>
#include <system_error>

#include <fusebox/error_code/codes.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class FUSEBOX_API HttpErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.http"; }
  [[nodiscard]] std::string message(int status) const override {
    std::string message = "HTTP status " + std::to_string(status);
    const auto text = to_string(static_cast<ErrorCode>(status));
    if (text != "unknown") message.append(" (").append(text).append(")");
    return message;
  }
};

class FUSEBOX_API NetworkErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.network"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<NetworkErrc>(value))};
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<NetworkErrc>(value)) {
      case NetworkErrc::connection_reset: return std::errc::connection_reset;
      case NetworkErrc::timed_out: return std::errc::timed_out;
      case NetworkErrc::connection_refused: return std::errc::connection_refused;
      case NetworkErrc::host_not_found: break;
    }
    return {value, *this};
  }
};

class FUSEBOX_API PolicyErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "fusebox.policy"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{to_string(static_cast<PolicyErrc>(value))};
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<PolicyErrc>(value)) {
      case PolicyErrc::timed_out: return std::errc::timed_out;
      case PolicyErrc::cancelled: return std::errc::operation_canceled;
      default: return {value, *this};
    }
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
