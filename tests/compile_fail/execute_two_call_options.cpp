// A call has one CallOptions.
// expect: two options of one kind: execute accepts at most one each of CallOptions and failure_if
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }
inline fusebox::CallOptions options;

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, options, options);
#else
const int value = breaker.execute(op, options);
#endif
