// A permit is tested, not counted.
// expect: (cannot convert|no viable conversion).*Permit
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};

#ifdef FUSEBOX_COMPILE_FAIL
inline const bool admitted = breaker.try_acquire();
#else
inline const bool admitted{breaker.try_acquire()};
#endif
