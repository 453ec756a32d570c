// Coroutines without exceptions: failures are values.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <chrono>
#include <coroutine>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

#include "reduced/check.hpp"

using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;

namespace {

template <class T>
class Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> awaiting = std::noop_coroutine();
    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Transfer {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().awaiting;
        }
        void await_resume() noexcept {}
      };
      return Transfer{};
    }
    void return_value(T given) { value.emplace(std::move(given)); }
    void unhandled_exception() { std::terminate(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_{handle} {}
  Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
  ~Task() {
    if (handle_) handle_.destroy();
  }
  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().awaiting = awaiting;
    return handle_;
  }
  T await_resume() { return std::move(*handle_.promise().value); }

  T run() {
    handle_.resume();
    return await_resume();
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

Task<std::error_code> answer(int number) {
  co_return number < 3 ? make_error_code(fusebox::NetworkErrc::connection_reset) : std::error_code{};
}

}  // namespace

int main() {
  const AsyncFakeClock clock{fusebox::test::FakeClock{}};
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{"b", {.failure_threshold = 100}, clock};
  int calls = 0;
  auto op = [&] { return answer(++calls); };
  auto result = fusebox::retry_with_backoff(op, {.max_retries = 3}, clock).run();
  CHECK(result.has_value());
  CHECK(result.stats.attempts == 3);

  calls = 0;
  auto pipeline = compose(fusebox::retry({.max_retries = 1}, clock), breaker);
  CHECK(pipeline.execute(op).run() == fusebox::NetworkErrc::connection_reset);
  CHECK(breaker.stats().failure_count == 2);
  breaker.force_open();
  CHECK(breaker.execute(op).run() == fusebox::PolicyErrc::circuit_open);
  return reduced::report();
}
