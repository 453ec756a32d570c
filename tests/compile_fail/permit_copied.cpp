// A permit is for one call: it is moved, never copied.
// expect: (use of deleted function|implicitly.deleted copy constructor|call to (implicitly-)?deleted).*Permit
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline fusebox::Permit permit = breaker.try_acquire();

#ifdef FUSEBOX_COMPILE_FAIL
inline fusebox::Permit copy = permit;
#else
inline fusebox::Permit moved = std::move(permit);
#endif
