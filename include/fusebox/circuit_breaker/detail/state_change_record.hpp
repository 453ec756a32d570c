// fusebox/circuit_breaker/detail/state_change_record.hpp: a StateChange as it waits in the queue of its hub.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <optional>

#include <fusebox/circuit_breaker/detail/rejection_sources.hpp>
#include <fusebox/circuit_breaker/state.hpp>
#include <fusebox/detail/event_hub.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <>
struct FUSEBOX_API EventRecord<StateChange> {
  State from;
  State to;
  StateChangeReason reason;
  std::chrono::system_clock::time_point at;
  Cause cause;

  void write_to(StateChange& change) const noexcept {
    change.from = from;
    change.to = to;
    change.at = at;
    change.reason = reason;
    change.cause = cause ? *cause : std::nullopt;
  }

  /// From the first state to the last; false if they are the same.
  [[nodiscard]] bool merge(const EventRecord& next) noexcept {
    *this = {from, next.to, next.reason, next.at, next.cause};
    return from != to;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
