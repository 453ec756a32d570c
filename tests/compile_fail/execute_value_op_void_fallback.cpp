// Where op returns a value its fallback must have one.
// expect: op returns a value, so its fallback must return one too
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
#ifdef FUSEBOX_COMPILE_FAIL

inline int call() {
  return breaker.execute([] { return 1; }, [] {});
}
#else

inline int call() {
  return breaker.execute([] { return 1; }, [] { return 0; });
}
#endif
