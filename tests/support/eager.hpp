// support/eager.hpp: Eager, a coroutine of another shape than Task: it starts at once, and its error type
// comes before its value type, so that it needs task_traits.
#pragma once

#include <fusebox/coro.hpp>

#include <coroutine>
#include <utility>

#include "support/task.hpp"

namespace support {

struct NoError {};

template <class E, class T>
class [[nodiscard]] Eager {
 public:
  struct promise_type : task_detail::Promise<T> {
    Eager get_return_object() { return Eager{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
  };

  Eager(Eager&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
  Eager& operator=(Eager&&) = delete;
  ~Eager() {
    if (handle_) handle_.destroy();
  }

  [[nodiscard]] bool is_done() const { return handle_.done(); }
  T result() { return handle_.promise().take(); }

  // An awaiter itself.
  bool await_ready() const noexcept { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { handle_.promise().awaiting = awaiting; }
  T await_resume() { return handle_.promise().take(); }

 private:
  explicit Eager(std::coroutine_handle<promise_type> handle) : handle_{handle} {}

  std::coroutine_handle<promise_type> handle_;
};

}  // namespace support

template <class E, class T>
struct fusebox::task_traits<support::Eager<E, T>> {
  using value_type = T;
  template <class U>
  using rebind = support::Eager<E, U>;
};
