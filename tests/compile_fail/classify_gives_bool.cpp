// classify gives an Outcome: a bool could not say ignored.
// expect: (could not convert|cannot convert|invalid user-defined conversion|no viable conversion).*Outcome
#include <fusebox/circuit_breaker.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
inline const fusebox::CircuitBreakerConfig config{.classify = [](const fusebox::Failure&) { return true; }};
#else
inline const fusebox::CircuitBreakerConfig config{
    .classify = [](const fusebox::Failure&) { return fusebox::Outcome::failure; }};
#endif
