// fusebox/clock/concept.hpp: TimeSource and Clock, the concepts that policies take their time from;
// StopToken.
#pragma once
// IWYU pragma: private, include <fusebox/clock.hpp>

#include <chrono>
#include <concepts>

#include <fusebox/detail/macros.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

FUSEBOX_BEGIN_NAMESPACE

#if FUSEBOX_DETAIL_STOP_TOKEN
/// std::stop_token, or a stand-in that is never stopped if the standard library has none.
using StopToken = std::stop_token;
#else
struct StopToken {
  [[nodiscard]] static constexpr bool stop_requested() noexcept { return false; }
  [[nodiscard]] static constexpr bool stop_possible() noexcept { return false; }
};
#endif

/// Where time comes from. Copyable; on a const object:
/// - `now()` gives a std::chrono::steady_clock::time_point and drives every timeout and window;
/// - `wall_now()` gives a std::chrono::system_clock::time_point, for people and HTTP dates only.
///
/// It may also offer `coarse_now()`: a cheaper reading on a timeline of its own.
/// All members must be safe to call from several threads at once; those that tell the time must not throw.
template <class C>
concept TimeSource = std::copy_constructible<C> && requires(const C& clock) {
  { clock.now() } -> std::same_as<std::chrono::steady_clock::time_point>;
  { clock.wall_now() } -> std::same_as<std::chrono::system_clock::time_point>;
};

/// A TimeSource that can also wait: `sleep_for(nanoseconds, std::stop_token)`, on a const object, blocks the
/// calling thread and returns false when the token ended the wait.
template <class C>
concept Clock =
    TimeSource<C> && requires(const C& clock, std::chrono::nanoseconds duration, StopToken token) {
      { clock.sleep_for(duration, token) } -> std::same_as<bool>;
    };

FUSEBOX_END_NAMESPACE
