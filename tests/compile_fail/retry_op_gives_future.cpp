// A future that is not waited for cannot be retried.
// expect: op returns a future or a coroutine.*wait for it inside op
#include <fusebox/retry.hpp>

#include <future>

std::future<int> start();

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() { return fusebox::retry_with_backoff(start); }
#else
inline auto call() {
  return fusebox::retry_with_backoff([] { return start().get(); });
}
#endif
