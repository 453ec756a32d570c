// A future that is not waited for says nothing about how the call ends.
// expect: op returns a future or a coroutine.*wait for it inside op, or use try_acquire
#include <fusebox/circuit_breaker.hpp>

#include <future>

inline fusebox::CircuitBreaker<> breaker{"name"};
std::future<int> start();

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() { return breaker.execute(start); }
#else
inline auto call() {
  return breaker.execute([] { return start().get(); });
}
#endif
