// A callable is no option by itself: on_retry says which hook it is.
// expect: unknown option: retry_with_backoff accepts.*on_retry, on_give_up, retry_if, failure_if
#include <fusebox/retry.hpp>

inline int op() { return 1; }
inline void hook(int, const fusebox::Failure&, std::chrono::nanoseconds) {}

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, hook);
#else
const auto result = fusebox::retry_with_backoff(op, fusebox::on_retry(hook));
#endif
