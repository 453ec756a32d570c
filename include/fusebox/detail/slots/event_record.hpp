// fusebox/detail/slots/event_record.hpp: an event of a policy with slots as it waits in the queue of its hub.
#pragma once
// IWYU pragma: private

#include <chrono>

#include <fusebox/detail/event_hub.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The base of the EventRecord of such an event, which has a kind (saturated, free or limit_changed), a
/// limit, a previous_limit and a time.
template <class Event>
struct SlotEventRecord {
  using Kind = decltype(Event::kind);

  Kind kind;
  bool was_saturated;
  bool is_saturated;
  int previous_limit;
  int limit;
  std::chrono::system_clock::time_point at;

  void write_to(Event& event) const noexcept {
    event.kind = kind;
    event.limit = limit;
    event.previous_limit = previous_limit;
    event.at = at;
  }

  /// False if together they change nothing.
  [[nodiscard]] bool merge(const SlotEventRecord& next) noexcept {
    *this = {next.kind, was_saturated, next.is_saturated, previous_limit, next.limit, next.at};
    if (was_saturated != is_saturated) {
      kind = is_saturated ? Kind::saturated : Kind::free;
      return true;
    }
    kind = Kind::limit_changed;
    return limit != previous_limit;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
