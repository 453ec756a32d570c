// A shared future is a future.
// expect: op returns a future or a coroutine.*wait for it inside op, or use try_acquire
#include <fusebox/circuit_breaker.hpp>

#include <future>

inline fusebox::CircuitBreaker<> breaker{"name"};
std::shared_future<int> start();

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() {
  return breaker.execute(start, [] { return std::shared_future<int>{}; });
}
#else
inline auto call() {
  return breaker.execute([] { return start().get(); }, [] { return 0; });
}
#endif
