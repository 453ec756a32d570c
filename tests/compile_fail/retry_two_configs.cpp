// One call of a retry has one config.
// expect: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig
#include <fusebox/retry.hpp>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const auto result =
    fusebox::retry_with_backoff(op, fusebox::retry_presets::quick, fusebox::RetryConfig{.max_retries = 5});
#else
const auto result = fusebox::retry_with_backoff(op, fusebox::retry_presets::quick);
#endif
