// A subscriber is told a StateChange.
// expect: on_state_change takes a callback.const StateChange&.
#include <fusebox/circuit_breaker.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};

#ifdef FUSEBOX_COMPILE_FAIL
inline const auto subscription =
    breaker.on_state_change([](fusebox::State from, fusebox::State to) { return from == to; });
#else
inline const auto subscription = breaker.on_state_change([](const fusebox::StateChange&) {});
#endif
