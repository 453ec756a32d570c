// fusebox/bulkhead/config.hpp: BulkheadConfig, how many calls at once and how many may wait.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <chrono>
#include <string>

#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How many calls pass a bulkhead at once, and what becomes of the others. `validate` names the values that
/// the constructor refuses.
struct BulkheadConfig {
  int max_concurrent = 25;  ///< calls under way at once, in [1, 65535]; set_limit() changes it
  int max_waiting = 0;  ///< calls that may wait for a slot, in [0, 65535]; 0: a full bulkhead rejects at once
  std::chrono::nanoseconds max_wait = no_timeout;  ///< of one call; its deadline holds too
  friend bool operator==(const BulkheadConfig&, const BulkheadConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check_limit(const char* field, int limit) noexcept {
  if (is_positive_count(limit)) return {};
  return problem(field, positive_count_rule, static_cast<long long>(limit));
}

[[nodiscard]] constexpr Problem check(const BulkheadConfig& config) noexcept {
  if (const auto wrong = check_limit("max_concurrent", config.max_concurrent)) return wrong;
  if (!is_count(config.max_waiting)) {
    return problem("max_waiting", count_rule, static_cast<long long>(config.max_waiting));
  }
  if (!is_duration(config.max_wait)) return problem("max_wait", "at least 0", config.max_wait);
  return {};
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const BulkheadConfig& config) {
  return detail::to_text("BulkheadConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
