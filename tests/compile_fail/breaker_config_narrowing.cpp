// A failure rate goes into failure_rate, not into the count failure_threshold.
// expect: (narrowing conversion|type .double. cannot be narrowed)
#include <fusebox/circuit_breaker.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::CircuitBreakerConfig config{.failure_threshold = 0.5};
#else
constexpr fusebox::CircuitBreakerConfig config{.failure_rate = fusebox::FailureRate{.threshold = 0.5}};
#endif
