// fusebox/detail/timer/node.hpp: TimerNode, one limit of one call, and TimerClock, a clock that stops ops.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstddef>
#include <memory>

#include <fusebox/clock/concept.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class ClockOverride;

#if FUSEBOX_DETAIL_STOP_TOKEN
using StopSource = std::stop_source;
#else
/// A stand-in, as StopToken.
struct StopSource {
  [[nodiscard]] static constexpr StopToken get_token() noexcept { return {}; }
  [[nodiscard]] static constexpr bool stop_requested() noexcept { return false; }
  static constexpr bool request_stop() noexcept { return false; }
};
#endif

/// One limit of one call; it lies in the frame of the call. While it is armed, it belongs to the lock of the
/// heap that it is in. Whoever fires it copies `source`, which outlives the node.
struct TimerNode {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  Tick due = 0;
  std::size_t index = nowhere;  // in its heap
  unsigned shard = 0;           // whose heap it is
#if FUSEBOX_DETAIL_STOP_TOKEN
  StopSource source{std::nostopstate};
#else
  StopSource source;
#endif
  /// Where SystemClock armed it, if that was not the timer thread (D9).
  std::shared_ptr<const ClockOverride> armed_on = nullptr;
};

/// A clock that can stop what runs too long, on its own timeline. `arm` has `node.source` stopped once the
/// timeline reaches `due`, never before. After `disarm` the clock does not touch the node any more; a stop
/// that is under way may still arrive. Both may be called from several threads at once. `arm` may throw, and
/// the node is then not armed.
template <class C>
concept TimerClock = requires(const C& clock, TimerNode& node, SteadyTime due) {
  clock.arm(node, due);
  clock.disarm(node);
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
