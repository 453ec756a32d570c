// failure_if says whether the value is a failure.
// expect: failure_if needs a predicate over .const T&., T being what op returns
#include <fusebox/retry.hpp>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() {
  return fusebox::retry_with_backoff(op, fusebox::failure_if([](int) {}));
}
#else
inline auto call() {
  return fusebox::retry_with_backoff(op, fusebox::failure_if([](int) { return false; }));
}
#endif
