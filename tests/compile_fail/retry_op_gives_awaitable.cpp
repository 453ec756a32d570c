// An awaitable that is not awaited is not a success.
// expect: op returns a future or a coroutine.*wait for it inside op
#include <fusebox/retry.hpp>

#include <coroutine>

struct Awaitable {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  int await_resume();
};
Awaitable start();
int run(Awaitable awaitable);

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() { return fusebox::retry_with_backoff(start, fusebox::retry_presets::quick); }
#else
inline auto call() {
  return fusebox::retry_with_backoff([] { return run(start()); }, fusebox::retry_presets::quick);
}
#endif
