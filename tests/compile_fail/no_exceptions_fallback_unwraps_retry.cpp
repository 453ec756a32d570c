// A retry that was cancelled before its first attempt holds no value to hand over.
// flags: -fno-exceptions
// expect: without exceptions a RetryResult, which may hold no value, cannot become one
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

inline fusebox::CircuitBreaker<> breaker{"name"};
inline auto ping() {
  return fusebox::try_retry_with_backoff([] { return std::error_code{}; });
}
#ifdef FUSEBOX_COMPILE_FAIL

inline bool call() {
  return !breaker.execute(ping, [] { return std::error_code{}; });
}
#else

inline bool call() { return breaker.execute(ping).has_value(); }
#endif
