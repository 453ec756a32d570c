// fusebox/clock.hpp: SystemClock, the clock of production, Deadline, and no_timeout.
//
// Every policy takes a clock (the Clock concept in fwd.hpp) and reads no other. SystemClock is the
// default; test::ScopedSystemClock makes it read a fake one, so that code which names no clock, and
// the process-wide registry, can be tested without a change.
#pragma once

#include <atomic>
#include <chrono>
#include <semaphore>

#if defined(__linux__)
#include <ctime>
#endif

#include <fusebox/detail/ticks.hpp>
#include <fusebox/fwd.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// The timeout of what never times out.
inline constexpr std::chrono::nanoseconds no_timeout = std::chrono::nanoseconds::max();

namespace detail {

/// What SystemClock reads instead of the system while a test::ScopedSystemClock lives.
class FUSEBOX_API TimeSource {
 public:
  [[nodiscard]] virtual SteadyTime now() const = 0;
  [[nodiscard]] virtual SteadyTime coarse_now() const = 0;
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall_now() const = 0;
  virtual bool sleep_for(std::chrono::nanoseconds duration, StopToken token) const = 0;

 protected:
  ~TimeSource() = default;
};

FUSEBOX_API inline constinit std::atomic<const TimeSource*> time_source{nullptr};

/// The source in force, or null. The acquire load is paid only where a relaxed one found a source.
[[nodiscard]] inline const TimeSource* current_time_source() noexcept {
  if (time_source.load(std::memory_order_relaxed) == nullptr) [[likely]]
    return nullptr;
  return time_source.load(std::memory_order_acquire);
}

/// Waits on the steady clock; false as soon as the token is stopped.
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
    // Waits are cut to a day: no arithmetic inside the standard library can overflow.
    constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
    if (wake.try_acquire_for(left < ticks(longest) ? std::chrono::nanoseconds{left} : longest)) return false;
  }
}

}  // namespace detail

/// The system's clocks. Stateless; safe to use from any number of threads.
class FUSEBOX_API SystemClock {
 public:
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::steady_clock::time_point now() const {
    if (detail::time_source.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      return replaced_now();
    return system_now();
  }

  /// A cheaper reading that moves in ticks of a few milliseconds (CLOCK_MONOTONIC_COARSE), on a
  /// timeline of its own: never subtract it from `now()`.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::steady_clock::time_point coarse_now() const {
    if (detail::time_source.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      return replaced_coarse_now();
    return system_coarse_now();
  }

  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto* source = detail::current_time_source()) [[unlikely]]
      return source->wall_now();
    return std::chrono::system_clock::now();
  }

  /// Waits for `duration`; returns false at once when `token` is stopped, before or meanwhile.
  bool sleep_for(std::chrono::nanoseconds duration, detail::StopToken token = {}) const {
    if (const auto* source = detail::current_time_source()) [[unlikely]]
      return source->sleep_for(duration, token);
    return detail::system_sleep(duration, token);
  }

 private:
#if defined(__linux__)
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static detail::SteadyTime read(::clockid_t clock) {
    ::timespec time;
    ::clock_gettime(clock, &time);
    return detail::SteadyTime{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
  }
  // What std::chrono::steady_clock reads, with one call less on the way.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static detail::SteadyTime system_now() { return read(CLOCK_MONOTONIC); }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static detail::SteadyTime system_coarse_now() {
    return read(CLOCK_MONOTONIC_COARSE);
  }
#else
  [[nodiscard]] static detail::SteadyTime system_now() { return std::chrono::steady_clock::now(); }
  [[nodiscard]] static detail::SteadyTime system_coarse_now() { return std::chrono::steady_clock::now(); }
#endif
  [[nodiscard]] FUSEBOX_DETAIL_COLD static detail::SteadyTime replaced_now() {
    const auto* source = detail::current_time_source();
    return source != nullptr ? source->now() : system_now();
  }
  [[nodiscard]] FUSEBOX_DETAIL_COLD static detail::SteadyTime replaced_coarse_now() {
    const auto* source = detail::current_time_source();
    return source != nullptr ? source->coarse_now() : system_coarse_now();
  }
};

/// A point on the steady timeline by which something must be done, or never.
class Deadline {
 public:
  /// Never.
  constexpr Deadline() noexcept = default;
  constexpr explicit Deadline(std::chrono::steady_clock::time_point time) noexcept : time_{time} {}

  [[nodiscard]] static constexpr Deadline never() noexcept { return {}; }
  [[nodiscard]] static constexpr Deadline at(std::chrono::steady_clock::time_point time) noexcept {
    return Deadline{time};
  }
  /// `timeout` from now on; never for `no_timeout` and for what no timeline can hold.
  template <class C = SystemClock>
  [[nodiscard]] static Deadline after(std::chrono::nanoseconds timeout, const C& clock = {}) {
    static_assert(Clock<C>, "fusebox: Deadline::after takes a Clock");
    if (timeout == no_timeout) return never();
    const detail::Tick end = detail::saturating_add(detail::fine_tick(clock), detail::ticks(timeout));
    return Deadline{std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}};
  }

  [[nodiscard]] constexpr bool is_never() const noexcept { return time_ == end_of_time; }
  [[nodiscard]] constexpr std::chrono::steady_clock::time_point time() const noexcept { return time_; }

  /// What is left, 0 once it has passed; `no_timeout` for never.
  template <class C = SystemClock>
  [[nodiscard]] std::chrono::nanoseconds remaining(const C& clock = {}) const {
    static_assert(Clock<C>, "fusebox: Deadline::remaining takes a Clock");
    if (is_never()) return no_timeout;
    return std::chrono::nanoseconds{detail::elapsed(detail::fine_tick(clock), detail::ticks(time_))};
  }

  template <class C = SystemClock>
  [[nodiscard]] bool expired(const C& clock = {}) const {
    return remaining(clock) == std::chrono::nanoseconds::zero();
  }

  friend constexpr bool operator==(Deadline, Deadline) noexcept = default;

 private:
  static constexpr auto end_of_time = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point time_ = end_of_time;
};

[[nodiscard]] constexpr Deadline earliest(Deadline a, Deadline b) noexcept {
  return a.time() < b.time() ? a : b;
}

static_assert(Clock<SystemClock>);

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
