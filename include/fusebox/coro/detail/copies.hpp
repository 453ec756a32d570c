// fusebox/coro/detail/copies.hpp: the copies of a hedged call that are coroutines: how one starts, and how it
// tells that it has ended (J12).
#pragma once
// IWYU pragma: private, include <fusebox/coro.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

#include <fusebox/coro/detail/awaits.hpp>
#include <fusebox/coro/task_traits.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Can task_traits start a task that nobody awaits?
template <class Co>
concept StartsTasks = requires(Co (*make)()) { task_traits<Co>::start(make()); };

/// A coroutine that nobody awaits; its frame ends with it.
struct Detached {
  struct promise_type {  // NOLINT(readability-identifier-naming): the name that the language looks for
    [[nodiscard]] static Detached get_return_object() noexcept { return {}; }
    [[nodiscard]] static std::suspend_never initial_suspend() noexcept { return {}; }
    [[nodiscard]] static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }
  };
};

/// Runs a task that throws nothing, on this thread, up to its first suspension.
template <class Co>
Detached run_detached(Co task) {
  static_assert(
      AwaitableIn<Detached::promise_type, Co>,
      "fusebox: a hedge starts copies that nobody awaits, and does not know how to with op's kind of "
      "coroutine: give its task_traits a start(task)");
  co_await std::move(task);
}

/// One copy, in the frame of its coroutine. Nothing comes of one whose frame is destroyed before it has told.
template <class Tasks>
class OneCopy {
  using Copy = typename Tasks::Copy;

 public:
  OneCopy(std::shared_ptr<Tasks> tasks, Copy& copy) noexcept : tasks_{std::move(tasks)}, copy_{&copy} {}
  OneCopy(OneCopy&& other) noexcept
      : tasks_{std::move(other.tasks_)}, copy_{std::exchange(other.copy_, nullptr)} {}
  OneCopy& operator=(OneCopy&&) = delete;
  ~OneCopy() {
    if (copy_ != nullptr) tasks_->drop(*copy_);
  }

  /// Has the call been decided before the copy began?
  [[nodiscard]] bool is_late() const { return tasks_->is_over(); }
  [[nodiscard]] typename Tasks::CopyPlan plan() const { return {tasks_, *copy_}; }
  /// In a handler: what a hook threw.
  void fail() {
    copy_->exception = detail::caught_exception();
    if (!copy_->exception) FUSEBOX_DETAIL_RETHROW;
  }
  void tell() {
    Copy& copy = *std::exchange(copy_, nullptr);
    tasks_->end(copy);
  }

 private:
  std::shared_ptr<Tasks> tasks_;
  Copy* copy_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
