// A coroutine that is not awaited is not a success.
// expect: op returns a future or a coroutine.*wait for it inside op, or use try_acquire
#include <fusebox/circuit_breaker.hpp>

#include <coroutine>

inline fusebox::CircuitBreaker<> breaker{"name"};
struct Task {
  struct promise_type {
    Task get_return_object();
    std::suspend_always initial_suspend() noexcept;
    std::suspend_always final_suspend() noexcept;
    void return_void();
    void unhandled_exception();
  };
};
Task start();
void run(Task task);

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() { return breaker.execute(start); }
#else
inline void call() {
  breaker.execute([] { run(start()); });
}
#endif
