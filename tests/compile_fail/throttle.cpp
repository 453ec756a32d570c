// Throttles: their clock, their config, the options of execute, and callbacks.
#include <fusebox/throttle.hpp>

#include <chrono>
#include <string>

using namespace fusebox;

Throttle<> throttle{"name"};

// A clock without a time.
// expect: fusebox: Throttle<C> needs a C that models fusebox::TimeSource
struct NoClock {};
void throttle_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  const Throttle<NoClock> other{"name"};
#else
  const Throttle<SystemClock> other{"name"};
#endif
}

// A bare number is no duration.
// expect: (could not convert|cannot convert|no viable conversion).*(nanoseconds|duration)
void throttle_config_int_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr ThrottleConfig config{.window = 2};
#else
  constexpr ThrottleConfig config{.window = std::chrono::minutes{2}};
#endif
}

// A throttle is shared by reference or shared_ptr.
// expect: (use of deleted function|call to deleted constructor).*Throttle
void throttle_copy() {
#ifdef FUSEBOX_COMPILE_FAIL
  Throttle<> copy{throttle};
#else
  Throttle<>& same = throttle;
  static_cast<void>(same);
#endif
}

// execute has no fallback: compose one around the throttle.
// expect: fusebox: unknown option: execute accepts, after op,
void throttle_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  throttle.execute([] { return 1; }, [] { return 2; });
#else
  throttle.execute([] { return 1; }, failure_if([](int value) { return value == 0; }));
#endif
}

// A callback that takes something else.
// expect: fusebox: on_event takes a callback\(const ThrottleEvent&\)
void throttle_event_callback() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(throttle.on_event([](const std::string&) {}));
#else
  static_cast<void>(throttle.on_event([](const ThrottleEvent&) {}));
#endif
}
