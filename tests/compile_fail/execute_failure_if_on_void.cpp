// failure_if judges a value, and op returns none.
// expect: failure_if judges the value of op, and this op returns none
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline bool is_zero(int value) { return value == 0; }

#ifdef FUSEBOX_COMPILE_FAIL
inline void call() {
  breaker.execute([] {}, fusebox::failure_if(is_zero));
}
#else
inline void call() {
  breaker.execute([] { return 1; }, fusebox::failure_if(is_zero));
}
#endif
