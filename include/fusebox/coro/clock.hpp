// fusebox/coro/clock.hpp: AsyncClock, a clock whose sleep is awaited (A6).
#pragma once
// IWYU pragma: private, include <fusebox/coro.hpp>

#include <chrono>

#include <fusebox/clock.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// A TimeSource that blocks no thread: on a const object, `sleep_for(nanoseconds, std::stop_token)` gives
/// what op's kind of coroutine can await. That gives true at the end of the wait, false if the token ended it
/// early; one that gives nothing counts as true. It must resume the coroutine on the coroutine's own
/// executor, not in request_stop(): a bulkhead hands its slots over by that token (A14).
template <class C>
concept AsyncClock = TimeSource<C> && !Clock<C> &&
                     requires(const C& clock, std::chrono::nanoseconds duration, StopToken token) {
                       clock.sleep_for(duration, token);
                     };

FUSEBOX_END_NAMESPACE
