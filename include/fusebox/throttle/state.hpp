// fusebox/throttle/state.hpp: ThrottleEvent: when a throttle begins to reject calls, and when it ends.
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include <fusebox/detail/edge_events.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What an edge leads to.
enum class ThrottleEventKind : unsigned char {
  free,        ///< a call found that no calls are rejected any more
  throttling,  ///< a call found that a share of the calls is rejected
};

[[nodiscard]] constexpr std::string_view to_string(ThrottleEventKind kind) noexcept {
  switch (kind) {
    case ThrottleEventKind::free: return "free";
    case ThrottleEventKind::throttling: return "throttling";
  }
  return "unknown";
}

/// An edge: the kinds alternate, however many calls are rejected in between (V9).
struct FUSEBOX_API ThrottleEvent {
  std::string name;  ///< of the throttle
  ThrottleEventKind kind = ThrottleEventKind::free;
  std::chrono::system_clock::time_point at;  ///< wall time, by the throttle's clock
};

namespace detail {
template <>
struct FUSEBOX_API EventRecord<ThrottleEvent> : EdgeRecord<ThrottleEvent> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
