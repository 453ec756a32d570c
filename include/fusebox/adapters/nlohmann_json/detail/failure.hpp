// fusebox/adapters/nlohmann_json/detail/failure.hpp: a Failure as JSON, and what can be read back of one.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <fusebox/adapters/nlohmann_json/detail/members.hpp>
#include <fusebox/adapters/nlohmann_json/detail/value.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

[[nodiscard]] inline bool is_error_status(int status) noexcept { return status >= 400 && status <= 599; }

/// {"message": …, "category": …, "code": {"category": …, "value": …}, "status": …, "retryAfterMs": …}; the
/// last three only if there are any. A status that is no HTTP error is left out: the code says it.
inline void append_failure(std::string& out, const Failure& failure) {
  JsonObject object{out};
  object.text("message", failure.message());
  object.text("category", to_string(failure.category()));
  if (const std::error_code code = failure.code()) {
    JsonObject its{object.member("code")};
    its.text("category", code.category().name());
    its.number("value", code.value());
  }
  if (const auto status = failure.status(); status && is_error_status(*status)) {
    object.number("status", *status);
  }
  if (const auto wait = failure.retry_after()) object.number("retryAfterMs", wait->count());
}

/// The category of that name, of those that every program has; else null.
[[nodiscard]] inline const std::error_category* category_named(std::string_view name) noexcept {
  for (const std::error_category* category :
       {&http_category(), &network_error_category(), &policy_error_category(), &std::generic_category(),
        &std::system_category()}) {
    if (name == category->name()) return category;
  }
  return nullptr;
}

/// With the category, the status, the wait, and the code if its category is one that every program has. With
/// the message, unless it has a code that is no network error, and no status: then the code's message.
[[nodiscard]] inline Failure read_failure(const JsonValue& value) {
  JsonMembers members{value};
  std::string message;
  auto category = ErrorCategory::internal;
  std::error_code code;
  std::optional<int> status;
  std::optional<std::chrono::milliseconds> retry_after;
  members.require("message", message);
  members.read("category", [&](const JsonValue& name) {
    category = static_cast<ErrorCategory>(name.read_name(enum_names<ErrorCategory>()));
  });
  members.read("code", [&](const JsonValue& its) {
    JsonMembers fields{its};
    std::string name;
    int number = 0;
    fields.require("category", name);
    fields.require("value", number);
    if (const auto* known = category_named(name)) code = std::error_code{number, *known};
  });
  members.read("status", [&](const JsonValue& number) {
    number.read(status.emplace());
    if (!is_error_status(*status)) number.fail("must be in [400, 599], got " + std::to_string(*status));
  });
  members.read("retryAfterMs", [&](const JsonValue& wait) {
    using Limits = std::numeric_limits<std::int64_t>;
    retry_after = std::chrono::milliseconds{wait.whole_number(Limits::min(), Limits::max())};
  });
  const bool is_network = detail::is_network_error(code);  // has no status, whatever its ApiError has
  if (!status && code && code.category() == http_category())
    return Failure::from_status(code.value(), retry_after);
  if (!status && code && !is_network) return Failure{code};
#if FUSEBOX_DETAIL_EXCEPTIONS
  if (!status && !is_network)
    return Failure::from_exception(std::make_exception_ptr(std::runtime_error{message}));
#endif
  const auto its_code = static_cast<ErrorCode>(status.value_or(http_status(category)));
  ApiError error{its_code, message, code, SystemClock{}.wall_now()};
  if (retry_after) error = error.with_retry_after(*retry_after);
  return Failure{error.with_category(category)};
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
