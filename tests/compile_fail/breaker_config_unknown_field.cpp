// The wait of an open breaker is reset_timeout; timeout is a word of CallOptions.
// expect: (no non-static data member named .timeout|timeout.*does not refer to any field)
#include <fusebox/circuit_breaker.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::CircuitBreakerConfig config{.timeout = std::chrono::seconds{30}};
#else
constexpr fusebox::CircuitBreakerConfig config{.reset_timeout = std::chrono::seconds{30}};
#endif
