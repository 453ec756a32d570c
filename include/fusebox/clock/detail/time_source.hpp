// fusebox/clock/detail/time_source.hpp: what SystemClock reads, and how it waits.
#pragma once
// IWYU pragma: private, include <fusebox/clock.hpp>

#include <atomic>
#include <chrono>
#include <semaphore>

#include <fusebox/clock/concept.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct TimerNode;

/// What SystemClock reads instead of the system while a test::ScopedSystemClock lives.
class FUSEBOX_API ClockOverride {
 public:
  [[nodiscard]] virtual SteadyTime now() const = 0;
  [[nodiscard]] virtual SteadyTime coarse_now() const = 0;
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall_now() const = 0;
  virtual bool sleep_for(std::chrono::nanoseconds duration, StopToken token) const = 0;
  /// As those of a TimerClock. The node keeps the source alive from then on.
  virtual void arm(TimerNode& node, SteadyTime due) const = 0;
  virtual void disarm(TimerNode& node) const noexcept = 0;

 protected:
  ~ClockOverride() = default;
};

FUSEBOX_API inline constinit std::atomic<const ClockOverride*> clock_override{nullptr};

/// The source in force, or null. Relaxed first: only if that finds a source is the acquire load paid, which
/// pairs with the exchange in ScopedSystemClock.
[[nodiscard]] inline const ClockOverride* current_clock_override() noexcept {
  if (clock_override.load(std::memory_order_relaxed) == nullptr) [[likely]]
    return nullptr;
  return clock_override.load(std::memory_order_acquire);
}

/// Waits on the steady clock; returns false as soon as the token is stopped.
inline bool system_sleep(std::chrono::nanoseconds duration, [[maybe_unused]] const StopToken& token) {
  if (token.stop_requested()) return false;
  const Tick end = saturating_add(ticks(std::chrono::steady_clock::now()), ticks(duration));
  std::binary_semaphore wake{0};
#if FUSEBOX_DETAIL_STOP_TOKEN
  const std::stop_callback on_stop{token, [&wake] { wake.release(); }};
#endif
  for (;;) {
    const Tick left = elapsed(ticks(std::chrono::steady_clock::now()), end);
    if (left == 0) return true;
    // At most a day at once, so that no arithmetic inside the standard library overflows.
    constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
    if (wake.try_acquire_for(left < ticks(longest) ? std::chrono::nanoseconds{left} : longest)) return false;
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
