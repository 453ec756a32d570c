// retry_with_backoff: its config, its op and its result.
#include <fusebox/retry.hpp>

#include <chrono>
#include <coroutine>
#include <future>
#include <string>

using namespace fusebox;

int op() { return 1; }
std::string text_op() { return "text"; }
int fetch(const char* url) { return url[0]; }
std::future<int> start_future();

struct Awaitable {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  int await_resume();
};
Awaitable start_awaitable();
int run(Awaitable awaitable);

struct Lazy {
  std::suspend_always operator co_await() &&;
};
Lazy start_lazy();
int run(Lazy lazy);

// A bare number is no duration: it has no unit.
// expect: (could not convert|cannot convert|no viable conversion).*(nanoseconds|duration)
void config_int_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr RetryConfig config{.base_delay = 100};
#else
  constexpr RetryConfig config{.base_delay = std::chrono::milliseconds{100}};
#endif
}

// Counts are ints: half a retry is refused.
// expect: (narrowing conversion|type .double. cannot be narrowed)
void config_narrowing() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr RetryConfig config{.max_retries = 2.5};
#else
  constexpr RetryConfig config{.max_retries = 2};
#endif
}

// The field is max_retries: calls = 1 + max_retries.
// expect: (no non-static data member named .max_attempts|max_attempts.*does not refer to any field)
void config_unknown_field() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr RetryConfig config{.max_attempts = 4};
#else
  constexpr RetryConfig config{.max_retries = 3};
#endif
}

// op takes nothing or a const Attempt&, and captures the rest.
// expect: op must be callable without arguments, or with
void op_not_callable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(fetch);
#else
  const auto result = retry_with_backoff([] { return fetch("/"); });
#endif
}

// An unfinished future cannot be retried.
// expect: op returns a future: .*wait for it inside op
void op_returns_future() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(start_future);
#else
  const auto result = retry_with_backoff([] { return start_future().get(); });
#endif
}

// An awaitable that is not awaited is not a success.
// expect: op returns a coroutine or another awaitable: include <fusebox/coro.hpp>
void op_returns_awaitable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(start_awaitable, retry_presets::quick);
#else
  const auto result = retry_with_backoff([] { return run(start_awaitable()); }, retry_presets::quick);
#endif
}

// A type with an operator co_await is an awaitable.
// expect: op returns a coroutine or another awaitable: include <fusebox/coro.hpp>
void op_returns_co_awaitable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = try_retry_with_backoff(start_lazy);
#else
  const auto result = try_retry_with_backoff([] { return run(start_lazy()); });
#endif
}

// A result has has_value(): as a condition it could mean two things.
// expect: (use of|to use a) deleted function
bool result_as_condition() {
#ifdef FUSEBOX_COMPILE_FAIL
  return try_retry_with_backoff(op) ? true : false;
#else
  return try_retry_with_backoff(op).has_value() ? true : false;
#endif
}

// A named result does not convert to its value: write *result.
// expect: (conversion from|no viable conversion|cannot convert).*RetryResult
void result_lvalue_as_value() {
  const auto result = retry_with_backoff(text_op);
#ifdef FUSEBOX_COMPILE_FAIL
  std::string text = result;
#else
  std::string text = *result;
#endif
}
