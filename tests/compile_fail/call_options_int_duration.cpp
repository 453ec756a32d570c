// The timeout of a call is a duration.
// expect: no matching (member )?function.*execute
#include <fusebox/circuit_breaker.hpp>

inline int op() { return 1; }
inline fusebox::CircuitBreaker<> breaker{"name"};

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(op, {.timeout = 10});
#else
const int value = breaker.execute(op, {.timeout = std::chrono::seconds{10}});
#endif
