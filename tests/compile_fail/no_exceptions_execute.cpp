// Without exceptions a rejection must have a place to go.
// flags: -fno-exceptions
// expect: without exceptions a rejection cannot be thrown: give execute a fallback
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
#ifdef FUSEBOX_COMPILE_FAIL

inline int call() {
  return breaker.execute([] { return 1; });
}
#else

inline int call() {
  return breaker.execute([] { return 1; }, [] { return 2; });
}
#endif
