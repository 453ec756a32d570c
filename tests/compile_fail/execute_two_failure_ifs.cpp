// A value is judged by one failure_if.
// expect: two options of one kind: execute accepts at most one each of CallOptions and failure_if
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }
inline bool is_zero(int value) { return value == 0; }
inline bool is_one(int value) { return value == 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, fusebox::failure_if(is_zero), fusebox::failure_if(is_one));
#else
const int value = breaker.execute(op, fusebox::failure_if(is_zero));
#endif
