// Counts are ints: half a retry is refused.
// expect: (narrowing conversion|type .double. cannot be narrowed)
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::RetryConfig config{.max_retries = 2.5};
#else
constexpr fusebox::RetryConfig config{.max_retries = 2};
#endif
