// fusebox/adaptive_limit/stats.hpp: AdaptiveLimitStats, an adaptive limit at one moment, and its events.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// An adaptive limit at one moment. Counts are since construction and only grow. A cancelled wait is neither
/// admitted nor rejected.
struct AdaptiveLimitStats {
  int limit = 0;               ///< slots in all, now
  int in_use = 0;              ///< slots that are taken; above `limit` for a while after it was lowered
  int waiting = 0;             ///< calls that wait for a slot
  std::uint64_t admitted = 0;  ///< calls that got a slot
  std::uint64_t rejected = 0;  ///< calls that found no slot, or none within their wait
  std::uint64_t shed = 0;  ///< of the rejected: calls that more important ones pushed out of the queue (P18)
  std::chrono::nanoseconds longest_wait{0};  ///< so far, of a call that waits now too
  std::uint64_t windows = 0;                 ///< windows that have ended
  std::uint64_t dropped = 0;                 ///< calls in them that were dropped (W4)
  std::chrono::nanoseconds latency{0};       ///< the mean of the last window that had one
  std::chrono::nanoseconds base_latency{0};  ///< without load, as the rule has it; 0: not known
  bool measuring = false;                    ///< is the limit low to measure that?
};

/// What has changed in an adaptive limit.
enum class AdaptiveLimitEventKind : unsigned char {
  saturated,      ///< a call found no free slot: it is rejected or waits
  free,           ///< there is a free slot again, and nobody waits for it
  limit_changed,  ///< by the rule
};

[[nodiscard]] constexpr std::string_view to_string(AdaptiveLimitEventKind kind) noexcept {
  switch (kind) {
    case AdaptiveLimitEventKind::saturated: return "saturated";
    case AdaptiveLimitEventKind::free: return "free";
    case AdaptiveLimitEventKind::limit_changed: return "limit_changed";
  }
  return "unknown";
}

/// One change of an adaptive limit (W10). `saturated` and `free` alternate: between them, further calls
/// without a slot are no events.
struct FUSEBOX_API AdaptiveLimitEvent {
  std::string name;  ///< of the limit
  AdaptiveLimitEventKind kind = AdaptiveLimitEventKind::free;
  int limit = 0;                             ///< after the change
  int previous_limit = 0;                    ///< before it
  std::chrono::system_clock::time_point at;  ///< wall time, by the limit's clock
};

FUSEBOX_END_NAMESPACE
