// A breaker is shared by reference or by std::shared_ptr, never copied.
// expect: (use of deleted function|call to deleted constructor).*CircuitBreaker
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
#ifdef FUSEBOX_COMPILE_FAIL
inline fusebox::CircuitBreaker<> copy = breaker;
#else
inline fusebox::CircuitBreaker<>& same = breaker;
#endif
