#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/coro/task_traits.hpp>
#include <fusebox/retry.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/eager.hpp"
#include "support/task.hpp"

namespace detail = fusebox::detail;
using support::Task;

namespace {

template <class T>
struct PromiseOf {
  std::suspend_always initial_suspend() noexcept;
  std::suspend_always final_suspend() noexcept;
  void unhandled_exception();
};

/// Cannot be awaited.
template <class T>
struct Generator {
  struct promise_type : PromiseOf<T> {
    Generator get_return_object();
    std::suspend_always yield_value(T value);
    void return_void();
  };
};

/// Gives something else than its first argument.
template <class T>
struct Counting {
  struct promise_type : PromiseOf<T> {
    Counting get_return_object();
    void return_value(T value);
  };
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  long await_resume();
};

/// Its promise lets only its own kind through, as that of Asio does.
template <class T>
struct Strict {
  struct promise_type : PromiseOf<T> {
    Strict get_return_object();
    void return_value(T value);
    template <class U>
    auto await_transform(Strict<U> other);
  };
  struct Awaiter {
    bool await_ready();
    void await_suspend(std::coroutine_handle<> handle);
    T await_resume();
  };
};
template <class T>
template <class U>
auto Strict<T>::promise_type::await_transform(Strict<U>) {
  return typename Strict<U>::Awaiter{};
}

/// Final, and with a free operator, as some of folly are.
template <class T>
struct Free {
  struct promise_type final : PromiseOf<T> {
    Free get_return_object();
    void return_value(T value);
  };
};
template <class T>
struct FreeAwaiter {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  T&& await_resume();
};
template <class T>
[[maybe_unused]] FreeAwaiter<T> operator co_await(Free<T>&& task);

/// Not the instance of a template.
struct Plain {
  struct promise_type : PromiseOf<int> {
    Plain get_return_object();
    void return_value(int value);
  };
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  int await_resume();
};

struct Awaitable {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  int await_resume();
};

}  // namespace

// What the coroutine types of frameworks look like from outside: how the promise is found, what it lets
// through, how a task is awaited, and what that gives.
namespace shapes {

/// What they share: they start at once, never suspend, and leave what they gave.
template <class T>
using Left = std::shared_ptr<support::task_detail::Result<T>>;
template <class T>
struct Returns {
  Left<T> left = std::make_shared<support::task_detail::Result<T>>();
  void return_value(T value) { left->return_value(std::move(value)); }
};
template <>
struct Returns<void> {
  Left<void> left = std::make_shared<support::task_detail::Result<void>>();
  void return_void() {}
};
template <class Co, class T>
struct Promise : Returns<T> {
  Co get_return_object() {
    Co task;
    task.left = this->left;
    return task;
  }
  std::suspend_never initial_suspend() noexcept { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; }
  void unhandled_exception() { this->left->exception = std::current_exception(); }
};
template <class T>
struct Awaiter {
  Left<std::remove_reference_t<T>> left;
  [[nodiscard]] bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<> /*handle*/) const noexcept {}
  T await_resume() const {
    if constexpr (std::is_reference_v<T>) {
      if (left->exception) std::rethrow_exception(left->exception);
      return static_cast<T>(*left->value);
    } else {
      return left->take();
    }
  }
};

/// cppcoro::task: a member operator for each kind of value.
template <class T = void>
struct Cppcoro {
  struct promise_type final : Promise<Cppcoro, T> {};
  Awaiter<std::add_lvalue_reference_t<T>> operator co_await() const& noexcept { return {left}; }
  Awaiter<std::add_rvalue_reference_t<T>> operator co_await() const&& noexcept { return {left}; }
  Left<T> left = {};
};

/// folly::coro::Task: a final promise, all of whose operands go through a function found by their type.
template <class T>
struct Folly {
  struct promise_type;
  Left<T> left = {};
};
template <class T>
Awaiter<T> co_viaIfAsync(int /*executor*/, Folly<T>&& task) noexcept {
  return {task.left};
}
template <class T>
struct Folly<T>::promise_type final : Promise<Folly<T>, T> {
  template <class A>
  auto await_transform(A&& awaitable) -> decltype(co_viaIfAsync(0, static_cast<A&&>(awaitable))) {
    return co_viaIfAsync(0, static_cast<A&&>(awaitable));
  }
  std::suspend_never await_transform(std::nullptr_t executor) noexcept;
};

/// seastar::future: its promise comes from coroutine_traits, it is awaited by value, and it has get().
template <class T = void>
struct [[nodiscard]] Seastar {
  T get() { return left->take(); }
  void wait() noexcept {}
  [[nodiscard]] bool available() const noexcept { return true; }
  Left<T> left = {};
};
template <class T>
Awaiter<T> operator co_await(Seastar<T> future) noexcept {
  return {future.left};
}

/// boost::cobalt::promise: its promise inherits several await_transform.
template <class Promise>
struct LetsThrough {
  template <class A>
    requires requires(A&& awaitable) { static_cast<A&&>(awaitable).operator co_await(); }
  A&& await_transform(A&& awaitable) {
    return static_cast<A&&>(awaitable);
  }
};
struct LetsCancel {
  std::suspend_never await_transform(std::nullptr_t filter) noexcept;
};
template <class T>
struct [[nodiscard]] Cobalt {
  struct promise_type : Promise<Cobalt, T>, LetsCancel, LetsThrough<promise_type> {
    using LetsCancel::await_transform;
    using LetsThrough<promise_type>::await_transform;
  };
  Awaiter<T> operator co_await() && { return {left}; }
  Left<T> left = {};
};

/// exec::task of stdexec: an alias that repeats T in its context. It is a sender, too.
template <class T>
struct TaskContext {};
template <class T, class Context>
struct BasicTask {
  using sender_concept = int;
  struct promise_type final : Promise<BasicTask, T> {
    template <class A>
      requires requires(A&& task) { static_cast<A&&>(task).as_awaitable(0); }
    auto await_transform(A&& task) {
      return static_cast<A&&>(task).as_awaitable(0);
    }
  };
  Awaiter<T> as_awaitable(int /*promise*/) && { return {left}; }
  Left<T> left = {};
};
template <class T>
using Stdexec = BasicTask<T, TaskContext<T>>;

/// QCoro::Task: the promise lets through its own kind, by reference, and what has a member operator.
template <class T = void>
struct QCoro {
  struct promise_type : Promise<QCoro, T> {
    template <class U>
    auto await_transform(QCoro<U>&& task) {
      return static_cast<QCoro<U>&&>(task);
    }
    template <class U>
    auto& await_transform(QCoro<U>& task) {
      return task;
    }
  };
  auto operator co_await() const noexcept { return Awaiter<T>{left}; }
  Left<T> left = {};
};

/// A class inside the template that says the type.
template <class T>
struct Calls {
  struct Task : Awaiter<T> {
    using Value = T;
    template <class U>
    using Other = typename Calls<U>::Task;
    struct promise_type : Promise<Task, T> {};
  };
};
template <class T>
using Nested = typename Calls<T>::Task;
template <class Co>
concept IsNested = requires {
  typename Co::Value;
  typename Co::template Other<int>;
};

template <class Sleep>
struct ClockOf {
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::chrono::system_clock::time_point wall_now() { return {}; }
  static Sleep sleep_for(std::chrono::nanoseconds /*time*/, const fusebox::StopToken& /*token*/) {
    co_return true;
  }
};

/// Through a breaker, and through a retry that waits: does op's kind of coroutine come out, with its value?
template <template <class...> class Task>
bool runs() {
  using fusebox::RetryResult;
  using Clock = ClockOf<Task<bool>>;
  fusebox::CircuitBreaker<> breaker{"b"};
  const auto op = []() -> Task<int> { co_return 7; };
  const auto nothing = []() -> Task<void> { co_return; };
  int calls = 0;
  const auto flaky = [&calls]() -> Task<int> {
    if (++calls < 3) throw fusebox::TimeoutError{};
    co_return calls;
  };
  auto executed = breaker.execute(op);
  auto finished = breaker.execute(nothing);
  auto retried = fusebox::retry_with_backoff(flaky, Clock{});
  static_assert(std::is_same_v<decltype(executed), Task<int>>);
  static_assert(std::is_same_v<decltype(finished), Task<void>>);
  static_assert(std::is_same_v<decltype(retried), Task<RetryResult<int>>>);
  return executed.left->take() == 7 && retried.left->take().value() == 3 && !finished.left->exception &&
         breaker.stats().success_count == 2;
}

}  // namespace shapes

template <class T, class... Args>
struct std::coroutine_traits<shapes::Seastar<T>, Args...> {
  struct promise_type : shapes::Promise<shapes::Seastar<T>, T> {};
};
template <class T>
struct fusebox::task_traits<shapes::Stdexec<T>> {
  using value_type = T;
  template <class U>
  using rebind = shapes::Stdexec<U>;
};
template <shapes::IsNested Co>
struct fusebox::task_traits<Co> {
  using value_type = typename Co::Value;
  template <class U>
  using rebind = typename Co::template Other<U>;
};

TEST_CASE("A1 the coroutine types of frameworks are tasks", "[A1]") {
  CHECK(shapes::runs<shapes::Cppcoro>());
  CHECK(shapes::runs<shapes::Folly>());
  CHECK(shapes::runs<shapes::Seastar>());
  CHECK(shapes::runs<shapes::Cobalt>());
  CHECK(shapes::runs<shapes::QCoro>());
}

TEST_CASE("A1 with task_traits so are an alias that repeats its type, and a nested class", "[A1]") {
  CHECK(shapes::runs<shapes::Stdexec>());
  CHECK(shapes::runs<shapes::Nested>());
}

TEST_CASE("A1 a task is what co_await takes in a coroutine of its kind", "[A1]") {
  STATIC_REQUIRE(detail::is_task_type<Task<int>>);
  STATIC_REQUIRE(detail::is_task_type<Task<void>>);
  STATIC_REQUIRE(detail::is_task_type<const Task<int>>);
  STATIC_REQUIRE(detail::is_task_type<Strict<int>>);
  STATIC_REQUIRE(detail::is_task_type<Free<int>>);
  STATIC_REQUIRE(detail::Task<Counting<int>>);
  STATIC_REQUIRE(detail::Task<Plain>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<Task<int>&>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<Generator<int>>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<Awaitable>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<std::future<int>>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<std::vector<int>>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<int>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<void>);
}

TEST_CASE("A1 the value is the first argument of a class template, if that is what co_await gives", "[A1]") {
  STATIC_REQUIRE(std::is_same_v<detail::Finished<Task<int>>, int>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<Task<int&>>, int&>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<Strict<int>>, int>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<Free<int>>, int>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<int>, int>);
  STATIC_REQUIRE(detail::DefaultIsRight<Free<int>>);
  STATIC_REQUIRE_FALSE(detail::DefaultIsRight<Counting<int>>);
  STATIC_REQUIRE_FALSE(detail::DefaultIsRight<Plain>);
}

TEST_CASE("A1 task_traits comes first", "[A1]") {
  using Eager = support::Eager<support::NoError, int>;
  STATIC_REQUIRE(detail::is_task_type<Eager>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<Eager>, int>);
  STATIC_REQUIRE(
      std::is_same_v<detail::TaskFlow<Eager>::Rebound<long>, support::Eager<support::NoError, long>>);
  STATIC_REQUIRE(std::is_same_v<detail::TaskFlow<Task<int>>::Rebound<int>, Task<int>>);
}

TEST_CASE("A1 a task that needs task_traits runs with its own kind", "[A1]") {
  fusebox::CircuitBreaker<> breaker{"b"};
  const auto op = []() -> support::Eager<support::NoError, int> { co_return 3; };
  auto task = breaker.execute(op, [] { return 4L; });
  STATIC_REQUIRE(std::is_same_v<decltype(task), support::Eager<support::NoError, long>>);
  CHECK(task.result() == 3);
}
