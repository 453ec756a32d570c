// failure_if takes what op returns.
// expect: failure_if needs a predicate over .const T&., T being what op returns
#include <fusebox/circuit_breaker.hpp>

#include <string>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
inline int call() {
  return breaker.execute(op, fusebox::failure_if([](const std::string& text) { return text.empty(); }));
}
#else
inline int call() {
  return breaker.execute(op, fusebox::failure_if([](int value) { return value == 0; }));
}
#endif
