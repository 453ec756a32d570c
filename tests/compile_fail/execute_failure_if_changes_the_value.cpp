// failure_if may read the value, not change it.
// expect: failure_if needs a predicate over .const T&., T being what op returns
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
inline int call() {
  return breaker.execute(op, fusebox::failure_if([](int& value) { return value-- == 0; }));
}
#else
inline int call() {
  return breaker.execute(op, fusebox::failure_if([](const int& value) { return value == 0; }));
}
#endif
