// fusebox/rate_limiter/state.hpp: RateLimiterEvent: when a limiter begins to refuse and when it admits again.
#pragma once
// IWYU pragma: private, include <fusebox/rate_limiter.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include <fusebox/detail/edge_events.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What an edge leads to.
enum class RateLimiterEventKind : unsigned char {
  available,  ///< the first call that was admitted after a refusal
  exhausted,  ///< the first call that was refused
};

[[nodiscard]] constexpr std::string_view to_string(RateLimiterEventKind kind) noexcept {
  switch (kind) {
    case RateLimiterEventKind::available: return "available";
    case RateLimiterEventKind::exhausted: return "exhausted";
  }
  return "unknown";
}

/// An edge: the kinds alternate, however many calls are refused in between (M3).
struct FUSEBOX_API RateLimiterEvent {
  std::string name;  ///< of the limiter
  RateLimiterEventKind kind = RateLimiterEventKind::available;
  std::chrono::system_clock::time_point at;  ///< wall time, by the limiter's clock
};

namespace detail {
template <>
struct FUSEBOX_API EventRecord<RateLimiterEvent> : EdgeRecord<RateLimiterEvent> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
