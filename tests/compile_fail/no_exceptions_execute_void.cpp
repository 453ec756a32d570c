// An op that returns nothing carries no rejection either.
// flags: -fno-exceptions
// expect: without exceptions a rejection cannot be thrown: give execute a fallback
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
#ifdef FUSEBOX_COMPILE_FAIL

inline void call() {
  breaker.execute([] {});
}
#else

inline std::error_code call() {
  return breaker.execute([] { return std::error_code{}; });
}
#endif
