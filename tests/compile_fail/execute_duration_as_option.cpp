// A timeout of a call goes into CallOptions.
// expect: what follows op must be a fallback .*, CallOptions or failure_if
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, std::chrono::seconds{10});
#else
const int value = breaker.execute(op, {.timeout = std::chrono::seconds{10}});
#endif
