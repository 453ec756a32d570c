// fusebox/bulkhead/stats.hpp: BulkheadStats, a bulkhead at one moment, and its events.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// A bulkhead at one moment. `admitted` and `rejected` are since construction and only grow. A cancelled wait
/// is in neither.
struct BulkheadStats {
  int in_use = 0;   ///< slots that are taken; above `limit` for a while after set_limit() lowered it
  int waiting = 0;  ///< calls that wait for a slot
  int limit = 0;    ///< slots in all
  std::uint64_t admitted = 0;                ///< calls that got a slot
  std::uint64_t rejected = 0;                ///< calls that found no slot, or none within their wait
  std::chrono::nanoseconds longest_wait{0};  ///< so far, of a call that waits now too
  std::uint64_t shed = 0;  ///< of the rejected: calls that more important ones pushed out of the queue (P18)
};

/// What has changed in a bulkhead.
enum class BulkheadEventKind : unsigned char {
  saturated,      ///< a call found no free slot: it is rejected or waits
  free,           ///< there is a free slot again, and nobody waits for it
  limit_changed,  ///< by set_limit()
};

[[nodiscard]] constexpr std::string_view to_string(BulkheadEventKind kind) noexcept {
  switch (kind) {
    case BulkheadEventKind::saturated: return "saturated";
    case BulkheadEventKind::free: return "free";
    case BulkheadEventKind::limit_changed: return "limit_changed";
  }
  return "unknown";
}

/// One change of a bulkhead (K10). `saturated` and `free` alternate: between them, further calls without a
/// slot are no events.
struct FUSEBOX_API BulkheadEvent {
  std::string name;  ///< of the bulkhead
  BulkheadEventKind kind = BulkheadEventKind::free;
  int limit = 0;                             ///< after the change
  int previous_limit = 0;                    ///< before it
  std::chrono::system_clock::time_point at;  ///< wall time, by the bulkhead's clock
};

FUSEBOX_END_NAMESPACE
