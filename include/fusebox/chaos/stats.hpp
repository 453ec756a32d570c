// fusebox/chaos/stats.hpp: ChaosStats, what a chaos policy has counted, and ChaosEvent, what it did.
#pragma once
// IWYU pragma: private, include <fusebox/chaos.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a chaos policy and its copies have counted since it was made, while it was enabled (X6). Counts only
/// grow.
struct ChaosStats {
  std::uint64_t calls = 0;   ///< that it could have disturbed
  std::uint64_t faults = 0;  ///< calls that it failed
  std::uint64_t delays = 0;  ///< calls that it delayed; it may have failed them too
  bool enabled = false;      ///< now
  friend bool operator==(const ChaosStats&, const ChaosStats&) = default;
};

/// What a chaos policy did.
enum class ChaosEventKind : unsigned char {
  enabled,   ///< by enable(true)
  disabled,  ///< by enable(false)
  fault,     ///< a call fails
  delay,     ///< a call waits
};

[[nodiscard]] constexpr std::string_view to_string(ChaosEventKind kind) noexcept {
  switch (kind) {
    case ChaosEventKind::enabled: return "enabled";
    case ChaosEventKind::disabled: return "disabled";
    case ChaosEventKind::fault: return "fault";
    case ChaosEventKind::delay: return "delay";
  }
  return "unknown";
}

/// One change of a chaos policy, or one thing that it injected (X7).
struct FUSEBOX_API ChaosEvent {
  std::string name;  ///< of the policy; empty if it has none
  ChaosEventKind kind = ChaosEventKind::disabled;
  std::chrono::nanoseconds delay{0};         ///< of ChaosEventKind::delay: how long the call waits
  std::chrono::system_clock::time_point at;  ///< wall time, by the policy's clock
};

FUSEBOX_END_NAMESPACE
