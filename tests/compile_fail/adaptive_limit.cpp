// Adaptive limits: their rule, their clock, the options of acquire, and callbacks.
#include <fusebox/adaptive_limit.hpp>

#include <chrono>
#include <string>

using namespace fusebox;

AdaptiveLimit<> limit{"name"};

// A clock without a time.
// expect: fusebox: AdaptiveLimit<Rule, C> needs a C that models fusebox::TimeSource
struct NoClock {};
void limit_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  const AdaptiveLimit<Measured, NoClock> other{"name"};
#else
  const AdaptiveLimit<Measured, SystemClock> other{"name"};
#endif
}

// A rule needs a state. It is asked for one before the rest of the class is read, so compilers say it in
// their own words too.
// expect: (fusebox: AdaptiveLimit<Rule, C> needs a Rule that models fusebox::AdaptiveRule|State)
struct NoRule {
  int initial = 1;
};
void limit_rule() {
#ifdef FUSEBOX_COMPILE_FAIL
  const AdaptiveLimit<NoRule, SystemClock> other{"name"};
#else
  const AdaptiveLimit<Aimd, SystemClock> other{"name"};
#endif
}

// What is called while a window ends must not throw.
// expect: fusebox: State::base\(\) of an AdaptiveRule must be const and noexcept
struct OwnRule {
  int initial = 1;
  int min = 1;
  int max = 10;
  std::chrono::seconds window{1};
  int min_samples = 1;
  friend bool operator==(const OwnRule&, const OwnRule&) = default;
  struct State {
    explicit State(const OwnRule&) {}
    AdaptiveStep next(const OwnRule&, const AdaptiveWindow&) noexcept { return {}; }
#ifdef FUSEBOX_COMPILE_FAIL
    std::chrono::nanoseconds base() const { return {}; }
#else
    std::chrono::nanoseconds base() const noexcept { return {}; }
#endif
  };
};
void limit_base() {
  AdaptiveLimit<OwnRule> other{"name"};
  other.execute([] {});
}

// A limit is shared by reference or shared_ptr.
// expect: (use of deleted function|call to deleted constructor).*AdaptiveLimit
void limit_copy() {
#ifdef FUSEBOX_COMPILE_FAIL
  AdaptiveLimit<> copy{limit};
#else
  AdaptiveLimit<>& same = limit;
  static_cast<void>(same);
#endif
}

// How long acquire may wait is a Deadline.
// expect: fusebox: unknown option: acquire accepts a std::stop_token, a Deadline and a Priority
void limit_acquire_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(limit.acquire(std::chrono::seconds{2}));
#else
  static_cast<void>(limit.acquire(Deadline::after(std::chrono::seconds{2})));
#endif
}

// A callback that takes something else.
// expect: fusebox: on_event takes a callback\(const AdaptiveLimitEvent&\)
void limit_event_callback() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(limit.on_event([](const std::string&) {}));
#else
  static_cast<void>(limit.on_event([](const AdaptiveLimitEvent&) {}));
#endif
}
