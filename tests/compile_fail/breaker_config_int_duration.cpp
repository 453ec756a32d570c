// A bare number is no duration, though the guide has timeoutMs.
// expect: (could not convert|cannot convert|no viable conversion).*(nanoseconds|duration)
#include <fusebox/circuit_breaker.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::CircuitBreakerConfig config{.reset_timeout = 30000};
#else
constexpr fusebox::CircuitBreakerConfig config{.reset_timeout = std::chrono::seconds{30}};
#endif
