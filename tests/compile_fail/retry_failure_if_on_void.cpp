// failure_if judges a value, and op returns none.
// expect: failure_if judges the value of op, and this op returns none
#include <fusebox/retry.hpp>

inline bool is_zero(int value) { return value == 0; }

#ifdef FUSEBOX_COMPILE_FAIL
inline void call() {
  fusebox::retry_with_backoff([] {}, fusebox::failure_if(is_zero));
}
#else
inline auto call() {
  return fusebox::retry_with_backoff([] { return 1; }, fusebox::failure_if(is_zero));
}
#endif
