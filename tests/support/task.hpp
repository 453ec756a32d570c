// support/task.hpp: Task, a coroutine that starts when it is awaited, and hands control over by symmetric
// transfer; Eager, one of another shape, which starts at once and has an error type before its value type.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace support {

namespace task_detail {

/// How a coroutine's value, or exception, gets to who awaits it.
template <class T>
struct Result {
  std::optional<T> value;
  std::exception_ptr exception;

  template <class U = T>
  void return_value(U&& given) {
    value.emplace(std::forward<U>(given));
  }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};
template <class T>
struct Result<T&> {
  T* value = nullptr;
  std::exception_ptr exception;

  void return_value(T& given) { value = &given; }
  T& take() const {
    if (exception) std::rethrow_exception(exception);
    return *value;
  }
};
template <>
struct Result<void> {
  std::exception_ptr exception;

  void return_void() {}
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

/// What a promise has whose coroutine, at its end, hands control to who awaits it.
template <class T>
struct Promise : Result<T> {
  struct Transfer {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      return self.promise().awaiting;
    }
    void await_resume() noexcept {}
  };

  std::coroutine_handle<> awaiting = std::noop_coroutine();

  Transfer final_suspend() noexcept { return {}; }
  void unhandled_exception() { this->exception = std::current_exception(); }
};

}  // namespace task_detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : task_detail::Promise<T> {
    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
  };

  Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) destroy();
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~Task() { destroy(); }

  // By hand.

  void start() { handle_.resume(); }
  [[nodiscard]] bool is_done() const { return handle_.done(); }
  [[nodiscard]] std::coroutine_handle<> handle() const { return handle_; }
  T result() { return handle_.promise().take(); }
  void destroy() {
    if (auto handle = std::exchange(handle_, nullptr)) handle.destroy();
  }

  auto operator co_await() && {
    struct Awaiter {
      std::coroutine_handle<promise_type> task;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        task.promise().awaiting = awaiting;
        return task;
      }
      T await_resume() { return task.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_{handle} {}

  std::coroutine_handle<promise_type> handle_;
};

/// Runs a task that never suspends, or is resumed by somebody else.
template <class T>
T run(Task<T> task) {
  task.start();
  return task.result();
}

/// Suspends its coroutine until resume(). No awaiter itself: g++ 12 would copy one that is captured by
/// reference.
class Gate {
 public:
  [[nodiscard]] auto operator co_await() noexcept {
    struct Awaiter {
      Gate* gate;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) noexcept { gate->waiting_ = handle; }
      void await_resume() const noexcept {}
    };
    return Awaiter{this};
  }

  [[nodiscard]] bool is_waiting() const { return waiting_ != nullptr; }
  void resume() { std::exchange(waiting_, nullptr).resume(); }

 private:
  std::coroutine_handle<> waiting_;
};

}  // namespace support
