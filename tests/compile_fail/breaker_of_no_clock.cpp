// A breaker needs all of a Clock.
// expect: CircuitBreaker<C> needs a C that models fusebox::Clock
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

struct NoClock {
  std::chrono::steady_clock::time_point now() const;
};

#ifdef FUSEBOX_COMPILE_FAIL
inline fusebox::CircuitBreaker<NoClock> breaker{"name", {}, NoClock{}};
#else
inline fusebox::CircuitBreaker<fusebox::test::FakeClock> breaker{"name", {}, fusebox::test::FakeClock{}};
#endif
