// fusebox/adaptive_limit/queue.hpp: AdaptiveLimitQueue, what becomes of calls that find no free slot.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <chrono>
#include <string>

#include <fusebox/clock.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What becomes of calls that find no free slot, whatever the limit is, as in BulkheadConfig.
struct AdaptiveLimitQueue {
  int max_waiting = 0;  ///< calls that may wait for a slot, in [0, 65535]; 0: a full limit rejects at once
  std::chrono::nanoseconds max_wait = no_timeout;  ///< of one call; its deadline holds too
  /// The share of the slots that each step of priority below critical leaves free, in [0, 0.3] (P18).
  double headroom = 0;
  friend bool operator==(const AdaptiveLimitQueue&, const AdaptiveLimitQueue&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const AdaptiveLimitQueue& queue) noexcept {
  if (const auto wrong = check_max_waiting(queue.max_waiting)) return wrong;
  if (const auto wrong = check_max_wait(queue.max_wait)) return wrong;
  return check_headroom(queue.headroom);
}

}  // namespace detail

/// Empty if the queue is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const AdaptiveLimitQueue& queue) {
  return detail::to_text("AdaptiveLimitQueue", detail::check(queue));
}

FUSEBOX_END_NAMESPACE
