// fusebox/clock.hpp: where time comes from.
//
//   SystemClock         the clock of production, the default of every policy
//   Deadline            a point in time by which something must be done, or never
//   no_timeout          the timeout of a call that never times out
//   clock/concept.hpp   Clock, what a policy needs of a clock; StopToken
//
// A policy reads the clock that it was given and no other (T3). test::ScopedSystemClock replaces what
// SystemClock reads, so that code that names no clock can be tested too.
#pragma once

#include <chrono>

#if defined(__linux__)
#include <ctime>
#endif

#include <fusebox/clock/concept.hpp>  // IWYU pragma: export
#include <fusebox/clock/detail/time_source.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The timeout of a call that never times out.
inline constexpr std::chrono::nanoseconds no_timeout = std::chrono::nanoseconds::max();

/// The clocks of the system. Stateless and thread-safe.
class FUSEBOX_API SystemClock {
 public:
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::steady_clock::time_point now() const {
    // Relaxed: a hint; replaced_now() acquires.
    if (detail::time_source.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      return replaced_now();
    return system_now();
  }

  /// A cheaper reading that moves in ticks of a few milliseconds (CLOCK_MONOTONIC_COARSE on Linux; elsewhere
  /// the same as now()). It has a timeline of its own: never subtract it from now() (T1).
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::steady_clock::time_point coarse_now() const {
    // Relaxed: a hint; replaced_coarse_now() acquires.
    if (detail::time_source.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      return replaced_coarse_now();
    return system_coarse_now();
  }

  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto* source = detail::current_time_source()) [[unlikely]]
      return source->wall_now();
    return std::chrono::system_clock::now();
  }

  /// Waits for `duration`; returns false as soon as `token` is stopped, also before.
  bool sleep_for(std::chrono::nanoseconds duration, StopToken token = {}) const {
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
  // What std::chrono::steady_clock reads, with one call less.
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

/// A point on a clock's steady timeline by which something must be done, or never. A value: copy it freely.
class Deadline {
 public:
  /// Never.
  constexpr Deadline() noexcept = default;
  constexpr explicit Deadline(std::chrono::steady_clock::time_point time) noexcept : time_{time} {}

  [[nodiscard]] static constexpr Deadline never() noexcept { return {}; }
  [[nodiscard]] static constexpr Deadline at(std::chrono::steady_clock::time_point time) noexcept {
    return Deadline{time};
  }
  /// `timeout` from now on; never for `no_timeout` and for a timeout beyond the timeline.
  template <class C = SystemClock>
  [[nodiscard]] static Deadline after(std::chrono::nanoseconds timeout, const C& clock = {}) {
    static_assert(Clock<C>, "fusebox: Deadline::after takes a Clock");
    if (timeout == no_timeout) return never();
    const detail::Tick end = detail::saturating_add(detail::fine_tick(clock), detail::ticks(timeout));
    return Deadline{std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}};
  }

  [[nodiscard]] constexpr bool is_never() const noexcept { return time_ == end_of_time; }
  [[nodiscard]] constexpr std::chrono::steady_clock::time_point time() const noexcept { return time_; }

  /// The time left: 0 once it has passed, `no_timeout` for never (T5).
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

/// The earlier of two deadlines.
[[nodiscard]] constexpr Deadline earliest(Deadline a, Deadline b) noexcept {
  return a.time() < b.time() ? a : b;
}

static_assert(Clock<SystemClock>);

FUSEBOX_END_NAMESPACE
