// A Deadline is set and read by a Clock.
// expect: Deadline::after takes a Clock
#include <fusebox/clock.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
inline const auto deadline = fusebox::Deadline::after(std::chrono::seconds{1}, std::chrono::steady_clock{});
#else
inline const auto deadline = fusebox::Deadline::after(std::chrono::seconds{1}, fusebox::SystemClock{});
#endif
