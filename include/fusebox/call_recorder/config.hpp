// fusebox/call_recorder/config.hpp: CallRecorderConfig and its check.
#pragma once
// IWYU pragma: private, include <fusebox/call_recorder.hpp>

#include <string>

#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How much a recorder keeps. validate() says what is accepted (C3).
struct CallRecorderConfig {
  int capacity = 100'000;  ///< calls that it keeps; each takes 32 bytes. At least 1
  friend bool operator==(const CallRecorderConfig&, const CallRecorderConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const CallRecorderConfig& config) noexcept {
  if (config.capacity < 1) return problem("capacity", "at least 1", static_cast<long long>(config.capacity));
  return {};
}

}  // namespace detail

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const CallRecorderConfig& config) {
  return detail::to_text("CallRecorderConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
