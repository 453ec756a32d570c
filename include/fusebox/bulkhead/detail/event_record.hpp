// fusebox/bulkhead/detail/event_record.hpp: a BulkheadEvent as it waits in the queue of its hub.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <chrono>

#include <fusebox/bulkhead/stats.hpp>
#include <fusebox/detail/event_hub.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <>
struct FUSEBOX_API EventRecord<BulkheadEvent> {
  BulkheadEventKind kind;
  bool was_saturated;
  bool is_saturated;
  int previous_limit;
  int limit;
  std::chrono::system_clock::time_point at;

  void write_to(BulkheadEvent& event) const noexcept {
    event.kind = kind;
    event.limit = limit;
    event.previous_limit = previous_limit;
    event.at = at;
  }

  /// False if together they change nothing.
  [[nodiscard]] bool merge(const EventRecord& next) noexcept {
    *this = {next.kind, was_saturated, next.is_saturated, previous_limit, next.limit, next.at};
    if (was_saturated != is_saturated) {
      kind = is_saturated ? BulkheadEventKind::saturated : BulkheadEventKind::free;
      return true;
    }
    kind = BulkheadEventKind::limit_changed;
    return limit != previous_limit;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
