// A bare number is no duration: of what unit would it be?
// expect: (could not convert|cannot convert|no viable conversion).*(nanoseconds|duration)
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::RetryConfig config{.base_delay = 100};
#else
constexpr fusebox::RetryConfig config{.base_delay = std::chrono::milliseconds{100}};
#endif
