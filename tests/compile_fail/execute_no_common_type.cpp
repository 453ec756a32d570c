// The results of op and fallback must have something in common.
// expect: op and its fallback return types that have no common type
#include <fusebox/circuit_breaker.hpp>

#include <string>

inline fusebox::CircuitBreaker<> breaker{"name"};
#ifdef FUSEBOX_COMPILE_FAIL

inline std::string call() {
  return breaker.execute([] { return std::string{"text"}; }, [] { return 404; });
}
#else

inline std::string call() {
  return breaker.execute([] { return std::string{"text"}; }, [] { return "404"; });
}
#endif
