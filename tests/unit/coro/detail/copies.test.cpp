#include <fusebox/coro.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <chrono>
#include <coroutine>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/task.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::AsyncFakeClock;

namespace {

/// A task whose framework keeps what is started until it is told to run it, or to forget it.
template <class T = void>
struct Posted {
  struct promise_type : support::task_detail::Promise<T> {
    Posted get_return_object() { return Posted{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
  };

  explicit Posted(std::coroutine_handle<promise_type> given) : handle{given} {}
  Posted(Posted&& other) noexcept : handle{std::exchange(other.handle, nullptr)} {}
  Posted& operator=(Posted&&) = delete;
  ~Posted() {
    if (handle) handle.destroy();
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
    return Awaiter{handle};
  }

  std::coroutine_handle<promise_type> handle;
};

std::vector<Posted<>> posted;

}  // namespace

template <class T>
struct fusebox::task_traits<Posted<T>> {
  using value_type = T;
  template <class U>
  using rebind = Posted<U>;
  static std::suspend_never start(Posted<T> task)
    requires(std::is_void_v<T>)
  {
    posted.push_back(std::move(task));
    return {};
  }
};

TEST_CASE("J12 copies start as the framework says", "[J12]") {
  const AsyncFakeClock clock;
  auto policy = hedge({.delay = 2s}, clock);
  int calls = 0;
  const auto op = [&calls]() -> Posted<int> { co_return ++calls; };
  auto call = policy.execute(op);
  call.handle.resume();
  REQUIRE(posted.size() == 1);
  CHECK(calls == 0);
  posted.front().handle.resume();
  CHECK(calls == 1);
  REQUIRE(call.handle.done());
  CHECK(call.handle.promise().take() == 1);
  posted.clear();
}

TEST_CASE("J12 a copy that begins when the call has been decided does not call op", "[J12][J8]") {
  const AsyncFakeClock clock;
  auto policy = hedge({.delay = 0s}, clock);
  int calls = 0;
  const auto op = [&calls]() -> Posted<int> { co_return ++calls; };
  auto call = policy.execute(op);
  call.handle.resume();
  REQUIRE(posted.size() == 2);
  posted.back().handle.resume();
  REQUIRE(call.handle.done());
  CHECK(call.handle.promise().take() == 1);
  posted.front().handle.resume();
  CHECK(calls == 1);
  posted.clear();
}

TEST_CASE("J12 nothing comes of a copy that never starts", "[J12][J8]") {
  const AsyncFakeClock clock;
  auto policy = hedge({.delay = 2s}, clock);
  const auto op = []() -> Posted<int> { co_return 1; };
  auto call = policy.execute(op);
  call.handle.resume();
  posted.clear();
  REQUIRE(call.handle.done());
  CHECK_THROWS_AS(call.handle.promise().take(), CancelledError);
}
