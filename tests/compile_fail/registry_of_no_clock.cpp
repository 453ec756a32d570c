// A registry needs all of a Clock.
// expect: CircuitBreakerRegistry<C> needs a C that models fusebox::Clock
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

struct NoClock {
  std::chrono::steady_clock::time_point now() const;
};

#ifdef FUSEBOX_COMPILE_FAIL
inline fusebox::CircuitBreakerRegistry<NoClock> registry;
#else
inline fusebox::CircuitBreakerRegistry<fusebox::test::FakeClock> registry;
#endif
