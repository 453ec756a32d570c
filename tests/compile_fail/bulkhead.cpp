// Bulkheads: their clock, their config, the options of acquire and execute, and callbacks.
#include <fusebox/bulkhead.hpp>

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>

using namespace fusebox;

Bulkhead<> bulkhead{"name"};

// A clock without a time.
// expect: fusebox: Bulkhead<C> needs a C that models fusebox::TimeSource
struct NoClock {};
void bulkhead_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  const Bulkhead<NoClock> other{"name"};
#else
  const Bulkhead<SystemClock> other{"name"};
#endif
}

// A bare number is no duration.
// expect: (could not convert|cannot convert|no viable conversion).*(nanoseconds|duration)
void bulkhead_config_int_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr BulkheadConfig config{.max_wait = 2};
#else
  constexpr BulkheadConfig config{.max_wait = std::chrono::seconds{2}};
#endif
}

// A bulkhead is shared by reference or shared_ptr.
// expect: (use of deleted function|call to deleted constructor).*Bulkhead
void bulkhead_copy() {
#ifdef FUSEBOX_COMPILE_FAIL
  Bulkhead<> copy{bulkhead};
#else
  Bulkhead<>& same = bulkhead;
  static_cast<void>(same);
#endif
}

// How long acquire may wait is a Deadline.
// expect: fusebox: unknown option: acquire accepts a std::stop_token, a Deadline and a Priority
void acquire_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(bulkhead.acquire(std::chrono::seconds{2}));
#else
  static_cast<void>(bulkhead.acquire(Deadline::after(std::chrono::seconds{2})));
#endif
}

// acquire takes one Deadline.
// expect: fusebox: two options of one kind: acquire accepts at most one each
void acquire_two_deadlines() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(bulkhead.acquire(Deadline{}, Deadline{}));
#else
  static_cast<void>(bulkhead.acquire(Deadline{}, StopToken{}));
#endif
}

// execute has no fallback: compose one around the bulkhead.
// expect: fusebox: unknown option: execute accepts, after op, a std::stop_token, a Deadline, failure_if
void execute_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  bulkhead.execute([] { return 1; }, [] { return 2; });
#else
  bulkhead.execute([] { return 1; }, failure_if([](int value) { return value == 0; }));
#endif
}

// A callback that takes something else.
// expect: fusebox: on_event takes a callback\(const BulkheadEvent&\)
void event_callback() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(bulkhead.on_event([](const std::string&) {}));
#else
  static_cast<void>(bulkhead.on_event([](const BulkheadEvent&) {}));
#endif
}
