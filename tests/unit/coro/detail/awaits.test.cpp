#include <fusebox/coro/detail/awaits.hpp>

#include <coroutine>
#include <type_traits>

#include "catch.hpp"
#include "support/task.hpp"

namespace detail = fusebox::detail;

namespace {

struct Plain {};
struct Awaiter {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  char await_resume();
};
struct ByMember {
  Awaiter operator co_await() &&;
};
struct ByFree {};
[[maybe_unused]] Awaiter operator co_await(const ByFree& awaited) {
  static_cast<void>(awaited);
  return {};
}

struct TakesAll {};
struct TakesInts {
  Awaiter await_transform(int number);
};
struct FinalPromise final {
  Awaiter await_transform(int number);
};

}  // namespace

TEST_CASE("A1 co_await takes awaiters, and what has an operator, member or free", "[A1]") {
  STATIC_REQUIRE(std::is_same_v<detail::AwaitedIn<TakesAll, Awaiter>, char>);
  STATIC_REQUIRE(std::is_same_v<detail::AwaitedIn<TakesAll, Awaiter&>, char>);
  STATIC_REQUIRE(std::is_same_v<detail::AwaitedIn<TakesAll, ByMember>, char>);
  STATIC_REQUIRE_FALSE(detail::AwaitableIn<TakesAll, ByMember&>);
  STATIC_REQUIRE(std::is_same_v<detail::AwaitedIn<TakesAll, ByFree>, char>);
  STATIC_REQUIRE_FALSE(detail::AwaitableIn<TakesAll, Plain>);
  STATIC_REQUIRE_FALSE(detail::AwaitableIn<TakesAll, int>);
}

TEST_CASE("A1 await_transform decides, if the promise has one", "[A1]") {
  STATIC_REQUIRE(std::is_same_v<detail::AwaitedIn<TakesInts, int>, char>);
  STATIC_REQUIRE_FALSE(detail::AwaitableIn<TakesInts, Awaiter>);
  STATIC_REQUIRE(std::is_same_v<detail::AwaitedIn<FinalPromise, int>, char>);
  STATIC_REQUIRE(detail::AwaitableIn<FinalPromise, Awaiter>);  // of a final class only a call can tell
}

TEST_CASE("A1 a coroutine type has a promise", "[A1]") {
  STATIC_REQUIRE(detail::HasPromise<support::Task<int>>);
  STATIC_REQUIRE_FALSE(detail::HasPromise<Awaiter>);
  STATIC_REQUIRE_FALSE(detail::HasPromise<int>);
}
