// op takes nothing or a Deadline; what it needs it captures.
// expect: op must be callable without arguments or with a Deadline
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int fetch(int id) { return id; }

#ifdef FUSEBOX_COMPILE_FAIL
const int value = breaker.execute(fetch);
#else
const int value = breaker.execute([] { return fetch(7); });
#endif
