// A fallback takes nothing, or a const Failure&.
// expect: what follows op must be a fallback .callable with nothing or with a const Failure&.
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, [](int last) { return last; });
#else
const int value = breaker.execute(op, [](const fusebox::Failure&) { return 0; });
#endif
