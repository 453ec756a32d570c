// A number is no option of execute.
// expect: unknown option: execute accepts, after op and an optional fallback, CallOptions and failure_if
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }
inline int fallback() { return 0; }

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, fallback, 5);
#else
const int value = breaker.execute(op, fallback);
#endif
