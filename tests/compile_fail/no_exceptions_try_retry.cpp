// Without exceptions an op that returns nothing never fails.
// flags: -fno-exceptions
// expect: without exceptions op's result must be able to tell of a failure
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL

inline bool call() {
  return fusebox::try_retry_with_backoff([] {}).has_value();
}
#else

inline bool call() {
  return fusebox::try_retry_with_backoff([] { return std::error_code{}; }).has_value();
}
#endif
