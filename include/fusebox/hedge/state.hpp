// fusebox/hedge/state.hpp: HedgeEvent: when hedges begin to be refused, and when one starts again.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include <fusebox/detail/edge_events.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What an edge leads to.
enum class HedgeEventKind : unsigned char {
  available,  ///< a hedge started again
  exhausted,  ///< the budget did not pay a hedge, or no thread could run it
};

[[nodiscard]] constexpr std::string_view to_string(HedgeEventKind kind) noexcept {
  switch (kind) {
    case HedgeEventKind::available: return "available";
    case HedgeEventKind::exhausted: return "exhausted";
  }
  return "unknown";
}

/// An edge: the kinds alternate, however many hedges are refused in between (M3).
struct FUSEBOX_API HedgeEvent {
  std::string name;  ///< of the HedgeCounts; empty without them
  HedgeEventKind kind = HedgeEventKind::available;
  std::chrono::system_clock::time_point at;  ///< wall time, by the clock of the hedge that caused it
};

namespace detail {
template <>
struct FUSEBOX_API EventRecord<HedgeEvent> : EdgeRecord<HedgeEvent> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
