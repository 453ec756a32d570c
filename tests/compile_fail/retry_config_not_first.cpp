// The config of a retry comes first, before its other options.
// expect: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig
#include <fusebox/retry.hpp>

inline int op() { return 1; }
inline void hook(int, const fusebox::Failure&, std::chrono::nanoseconds) {}

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, fusebox::on_retry(hook), fusebox::RetryConfig{});
#else
const auto result = fusebox::retry_with_backoff(op, fusebox::RetryConfig{}, fusebox::on_retry(hook));
#endif
