// A13 F1 Ops that return tasks, and what only looks like one: each refusal has its text. A lambda in each
// use, since clang names its line.
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <coroutine>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <utility>

using namespace fusebox;

template <class T>
struct Task {
  struct promise_type {
    Task get_return_object();
    std::suspend_always initial_suspend() noexcept;
    std::suspend_always final_suspend() noexcept;
    void return_value(T value);
    void unhandled_exception();
  };
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  T await_resume();
};

/// Gives a long, whatever T is.
template <class T>
struct Odd {
  struct promise_type {
    Odd get_return_object();
    std::suspend_always initial_suspend() noexcept;
    std::suspend_always final_suspend() noexcept;
    void return_value(T value);
    void unhandled_exception();
  };
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  long await_resume();
};

/// Nobody can await it.
struct FireAndForget {
  struct promise_type {
    FireAndForget get_return_object();
    std::suspend_never initial_suspend() noexcept;
    std::suspend_never final_suspend() noexcept;
    void return_void();
    void unhandled_exception();
  };
};

template <class T>
struct Generator {
  struct promise_type {
    Generator get_return_object();
    std::suspend_always initial_suspend() noexcept;
    std::suspend_always final_suspend() noexcept;
    std::suspend_always yield_value(T value);
    void return_void();
    void unhandled_exception();
  };
};

struct Sender {
  struct sender_concept {};
};

namespace asio {
template <class Signature>
struct deferred_async_operation {
  int operator()() const;
};
}  // namespace asio

struct Awaitable {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  int await_resume();
};

CircuitBreaker<> breaker{"b"};
Task<int> fetch();
Task<int>& kept_task();
Odd<int> odd();
FireAndForget forget();
Generator<int> generate();
Awaitable await_later();
std::future<int> start_future();
Sender connect_later();
asio::deferred_async_operation<void(int)> read_later();
int value_of(Task<int> task);
const test::AsyncFakeClock async_clock;

// co_await must give the value type.
// expect: what co_await gives is not the first template argument.*specialise fusebox::task_traits
void odd_task() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(breaker.execute([] { return odd(); }));
#else
  static_cast<void>(breaker.execute([] { return fetch(); }));
#endif
}

// A coroutine is awaited once, by one.
// expect: op returns a reference to a coroutine, which can be awaited only once
void reference_to_task() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(breaker.execute([]() -> Task<int>& { return kept_task(); }));
#else
  static_cast<void>(breaker.execute([] { return fetch(); }));
#endif
}

// Nobody can wait for a coroutine that nobody awaits.
// expect: op returns a coroutine that its like cannot await
void fire_and_forget() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return forget(); });
#else
  static_cast<void>(breaker.execute([] { return fetch(); }));
#endif
}

// A generator gives values one by one.
// expect: op returns a coroutine that its like cannot await, such as a generator
void generator() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry_with_backoff([] { return generate(); }, async_clock));
#else
  static_cast<void>(retry_with_backoff([] { return fetch(); }, async_clock));
#endif
}

// A future is no task, with coro.hpp either.
// expect: op returns a future: .*wait for it inside op
void future() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(breaker).execute([] { return start_future(); }));
#else
  static_cast<void>(compose(breaker).execute([] { return fetch(); }));
#endif
}

// Nor is a sender.
// expect: op returns a sender, which has not started: .*let op be a coroutine that awaits it
void sender() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(breaker.execute([] { return connect_later(); }));
#else
  static_cast<void>(breaker.execute([] { return fetch(); }));
#endif
}

// Nor what Asio returns for its token `deferred`.
// expect: op returns a deferred operation of Asio, .*let op be a coroutine that awaits it
void deferred_operation() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(breaker.execute([] { return read_later(); }));
#else
  static_cast<void>(breaker.execute([] { return fetch(); }));
#endif
}

// An awaitable names no kind of coroutine.
// expect: op returns an awaitable that is no coroutine
void plain_awaitable() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return await_later(); });
#else
  static_cast<void>(breaker.execute([] { return fetch(); }));
#endif
}

// The frame owns op.
// expect: the coroutine keeps op, its fallback and its options, and one of them cannot be copied: move it
void op_that_only_moves() {
  auto op = [kept = std::unique_ptr<int>{}] { return fetch(); };
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(breaker.execute(op));
#else
  static_cast<void>(breaker.execute(std::move(op)));
#endif
}

// Nobody awaits what a fallback of a blocking op returns.
// expect: the fallback returns a coroutine, and op returns none
void fallback_of_blocking_op() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return 1; }, [] { return fetch(); });
#else
  static_cast<void>(breaker.execute([] { return fetch(); }, [] { return fetch(); }));
#endif
}

// A wait needs a clock.
// expect: whose waits need an AsyncClock, and there is none
void retry_without_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry_with_backoff([] { return fetch(); }));
#else
  static_cast<void>(retry_with_backoff([] { return fetch(); }, async_clock));
#endif
}

// A clock that blocks would hold up the event loop.
// expect: whose waits need an AsyncClock: this clock would block the thread
void retry_with_blocking_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry_with_backoff([] { return fetch(); }, test::FakeClock{}));
#else
  static_cast<void>(retry_with_backoff([] { return fetch(); }, async_clock));
#endif
}

// A blocking op cannot await a clock.
// expect: op returns no coroutine, so a retry waits on this thread
void blocking_retry_with_async_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry_with_backoff([] { return 1; }, async_clock));
#else
  static_cast<void>(retry_with_backoff([] { return 1; }, SystemClock{}));
#endif
}

// The same for a queue.
// expect: op returns no coroutine, so the queue of a bulkhead or an adaptive limit waits on this thread
void blocking_call_of_async_bulkhead() {
  Bulkhead<test::AsyncFakeClock> bulkhead{"b", {}, async_clock};
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(bulkhead.execute([] { return 1; }));
#else
  static_cast<void>(bulkhead.execute([] { return fetch(); }));
#endif
}

// A pipeline whose type is forgotten knows no kind of coroutine.
// expect: op returns a coroutine, which cannot be awaited here
void any_pipeline() {
#ifdef FUSEBOX_COMPILE_FAIL
  AnyPipeline<int>{compose(breaker)}.execute([] { return fetch(); });
#else
  static_cast<void>(compose(breaker).execute([] { return fetch(); }));
#endif
}
