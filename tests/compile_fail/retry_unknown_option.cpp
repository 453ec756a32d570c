// A number is no option of a retry: how often to retry is said in a RetryConfig.
// expect: unknown option: retry_with_backoff accepts.*with_random and a retry budget
#include <fusebox/retry.hpp>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, 5);
#else
const auto result = fusebox::retry_with_backoff(op, {.max_retries = 5});
#endif
