// What has an operator co_await is an awaitable.
// expect: op returns a future or a coroutine.*wait for it inside op
#include <fusebox/retry.hpp>

#include <coroutine>

struct Lazy {
  std::suspend_always operator co_await() &&;
};
Lazy start();
int run(Lazy lazy);

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() { return fusebox::try_retry_with_backoff(start); }
#else
inline auto call() {
  return fusebox::try_retry_with_backoff([] { return run(start()); });
}
#endif
