// A window of what? Calls are counted by last_calls, time by within.
// expect: (could not convert|cannot convert|no viable conversion|no matching constructor).*Window
#include <fusebox/circuit_breaker.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::FailureRate rate{.window = 100};
#else
constexpr fusebox::FailureRate rate{.window = fusebox::last_calls(100)};
#endif
