// A fallback may read the Failure, not change it.
// expect: what follows op must be a fallback .callable with nothing or with a const Failure&.
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, [](fusebox::Failure&) { return 0; });
#else
const int value = breaker.execute(op, [](fusebox::Failure) { return 0; });
#endif
