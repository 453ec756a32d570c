#include <fusebox/detail/flow/task.hpp>

#include <coroutine>
#include <string>
#include <type_traits>

#include "catch.hpp"

namespace detail = fusebox::detail;

namespace {

/// A task that is one only by a specialisation of TaskFlow.
template <class T>
struct Pretended {};

}  // namespace

template <class T>
struct fusebox::detail::TaskFlow<Pretended<T>> {
  static constexpr bool is_task = true;
  using value_type = T;
};

TEST_CASE("A1 without coro.hpp nothing is a task, and every type is what it gives", "[A1]") {
  struct Coroutine {
    struct promise_type {};
  };
  STATIC_REQUIRE_FALSE(detail::is_task_type<Coroutine>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<void>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<std::string>, std::string>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<int&>, int&>);
  STATIC_REQUIRE(std::is_void_v<detail::Finished<void>>);
}

TEST_CASE("A1 what TaskFlow knows is a task, and gives its value type", "[A1]") {
  STATIC_REQUIRE(detail::is_task_type<Pretended<int>>);
  STATIC_REQUIRE(detail::is_task_type<const Pretended<int>>);
  STATIC_REQUIRE_FALSE(detail::is_task_type<Pretended<int>&>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<Pretended<int>>, int>);
  STATIC_REQUIRE(std::is_same_v<detail::Finished<const Pretended<int>>, int>);
}
