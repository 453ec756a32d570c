// fusebox/bulkhead/config.hpp: BulkheadConfig, how many calls at once and how many may wait.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <chrono>
#include <string>

#include <fusebox/clock.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How many calls pass a bulkhead at once, and what becomes of the others. `validate` names the values that
/// the constructor refuses.
struct BulkheadConfig {
  int max_concurrent = 25;  ///< calls under way at once, in [1, 65535]; set_limit() changes it
  int max_waiting = 0;  ///< calls that may wait for a slot, in [0, 65535]; 0: a full bulkhead rejects at once
  std::chrono::nanoseconds max_wait = no_timeout;  ///< of one call; its deadline holds too
  /// The share of the slots that stays free for more important calls, in [0, 0.3] (P18): normal calls may
  /// take all slots but this share, sheddable ones all but twice, background ones all but three times as
  /// much, and critical ones all. 0: calls of every priority may take every slot.
  double headroom = 0;
  friend bool operator==(const BulkheadConfig&, const BulkheadConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const BulkheadConfig& config) noexcept {
  if (const auto wrong = check_limit("max_concurrent", config.max_concurrent)) return wrong;
  if (const auto wrong = check_max_waiting(config.max_waiting)) return wrong;
  if (const auto wrong = check_max_wait(config.max_wait)) return wrong;
  return check_headroom(config.headroom);
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const BulkheadConfig& config) {
  return detail::to_text("BulkheadConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
