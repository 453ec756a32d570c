// try_retry_with_backoff takes the options of retry_with_backoff and no others.
// expect: unknown option: retry_with_backoff accepts.*a Clock, a std::stop_token, on_retry
#include <fusebox/retry.hpp>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::try_retry_with_backoff(op, {.max_retries = 5}, std::chrono::seconds{10});
#else
const auto result =
    fusebox::try_retry_with_backoff(op, {.max_retries = 5, .total_timeout = std::chrono::seconds{10}});
#endif
