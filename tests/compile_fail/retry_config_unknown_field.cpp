// The field is max_retries: calls = 1 + max_retries.
// expect: (no non-static data member named .max_attempts|max_attempts.*does not refer to any field)
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::RetryConfig config{.max_attempts = 4};
#else
constexpr fusebox::RetryConfig config{.max_retries = 3};
#endif
