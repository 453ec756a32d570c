// Without exceptions an op that returns an int never fails.
// flags: -fno-exceptions
// expect: without exceptions op's result must be able to tell of a failure
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL

inline int call() {
  return fusebox::retry_with_backoff([] { return 1; });
}
#else

inline int call() {
  return fusebox::retry_with_backoff([] { return 1; }, fusebox::failure_if([](int n) { return n < 1; }));
}
#endif
