// Where op returns nothing a value of the fallback would be lost.
// expect: op returns void, so its fallback must return void too
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
#ifdef FUSEBOX_COMPILE_FAIL

inline void call() {
  breaker.execute([] {}, [] { return 1; });
}
#else

inline void call() {
  breaker.execute([] {}, [] {});
}
#endif
