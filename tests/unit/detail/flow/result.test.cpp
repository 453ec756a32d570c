#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using detail::NoFallback;

namespace {

struct Base {};
struct Derived : Base {};

/// What a call returns whose op returns V, and whose fallback returns B.
template <class V, class B>
using Of = detail::GuardedResult<V, B (*)()>;
template <class V, class B>
using OfFailure = detail::GuardedResult<V, B (*)(const Failure&)>;
template <class V>
using Alone = detail::GuardedResult<V, NoFallback>;

template <class A, class B>
constexpr bool same = std::is_same_v<A, B>;

// B11: without a fallback it is op's own type.
static_assert(same<Alone<int>, int> && same<Alone<void>, void> && same<Alone<int&>, int&>);
static_assert(same<Alone<const int&>, const int&> && same<Alone<std::unique_ptr<int>>, std::unique_ptr<int>>);
static_assert(same<Alone<RetryResult<int>>, RetryResult<int>>);
static_assert(same<Alone<RetryResult<void>>, RetryResult<void>>);

// B11: with one it is the common type of both.
static_assert(same<Of<int, int>, int> && same<Of<void, void>, void>);
static_assert(same<Of<int, double>, double> && same<Of<double, int>, double>);
static_assert(same<Of<std::string, const char*>, std::string> &&
              same<Of<const char*, std::string>, std::string>);
static_assert(same<Of<std::optional<int>, std::nullopt_t>, std::optional<int>>);
static_assert(same<Of<std::unique_ptr<int>, std::nullptr_t>, std::unique_ptr<int>>);
static_assert(same<Of<std::unique_ptr<int>, std::unique_ptr<int>>, std::unique_ptr<int>>);
static_assert(same<Of<Derived*, Base*>, Base*> && same<Of<Base, Derived>, Base>);

// B11: T& only if both are that T&.
static_assert(same<Of<int&, int&>, int&> && same<Of<const int&, const int&>, const int&>);
static_assert(same<Of<int&, int>, int> && same<Of<int, int&>, int>);
static_assert(same<Of<int&, const int&>, int> && same<Of<const int&, int&>, int>);
static_assert(same<Of<int&, long&>, long> && same<Of<Base&, Derived&>, Base>);
static_assert(same<Of<int&&, int&&>, int> && same<Of<const std::string&, const char*>, std::string>);

// B11: a RetryResult is unwrapped.
static_assert(same<Of<RetryResult<int>, int>, int> && same<Of<int, RetryResult<int>>, int>);
static_assert(same<Of<RetryResult<int>, RetryResult<int>>, int> &&
              same<Of<RetryResult<int>, double>, double>);
static_assert(same<Of<RetryResult<void>, void>, void> && same<Of<void, RetryResult<void>>, void>);
static_assert(same<Of<RetryResult<void>, RetryResult<void>>, void>);
static_assert(same<Of<RetryResult<int&>, int&>, int&> && same<Of<RetryResult<int&>, int>, int>);

// The result type of a fallback that takes the failure counts too.
static_assert(same<OfFailure<int, double>, double> && same<OfFailure<void, void>, void>);
static_assert(same<OfFailure<int&, int&>, int&>);

struct Both {
  int operator()() const { return 1; }
  double operator()(const Failure&) const { return 2.5; }
};
static_assert(same<detail::GuardedResult<int, Both>, double>);

static_assert(detail::is_fallback<int (*)()> && detail::is_fallback<int (*)(const Failure&)>);
static_assert(detail::is_fallback<int (*)(Failure)> && detail::is_fallback<Both>);
static_assert(!detail::is_fallback<int (*)(int)> && !detail::is_fallback<int (*)(Failure&)>);
static_assert(!detail::is_fallback<int> && !detail::is_fallback<CallOptions>);

template <class R>
RetryResult<R> retried(R value) {
  return retry_with_backoff([&] { return value; });
}

}  // namespace

TEST_CASE("B10 a fallback that takes a Failure is preferred over one that takes nothing", "[B10]") {
  Both both;
  CHECK(detail::invoke_fallback(both, Failure::from_status(503)) == 2.5);
  int calls = 0;
  auto plain = [&] { return ++calls; };
  CHECK(detail::invoke_fallback(plain, Failure::from_status(503)) == 1);
  auto with_failure = [](const Failure& failure) { return failure.status(); };
  CHECK(detail::invoke_fallback(with_failure, Failure::from_status(503)) == 503);
}

TEST_CASE("B11 the fallback's value is converted to the result type", "[B11]") {
  const Failure failure = Failure::from_status(503);
  auto whole = [] { return 2; };
  CHECK(detail::call_fallback<double>(whole, failure) == 2.0);
  auto text = [] { return "text"; };
  CHECK(detail::call_fallback<std::string>(text, failure) == "text");
  auto nothing = [] {};
  static_assert(std::is_void_v<decltype(detail::call_fallback<void>(nothing, failure))>);
  auto retry = [] { return retried(5); };
  CHECK(detail::call_fallback<int>(retry, failure) == 5);
  auto moved = [] { return std::make_unique<int>(3); };
  CHECK(*detail::call_fallback<std::unique_ptr<int>>(moved, failure) == 3);

  int kept = 1;
  auto reference = [&]() -> int& { return kept; };
  CHECK(&detail::call_fallback<int&>(reference, failure) == &kept);
}

TEST_CASE("B11 the value that op returned is moved, and copied if op returned a reference", "[B11]") {
  auto pointer = std::make_unique<int>(7);
  CHECK(*detail::convert_result<std::unique_ptr<int>>(std::move(pointer)) == 7);

  std::string text = "a text that is too long for the small buffer of a string";
  const std::string copy = text;
  CHECK(detail::convert_result<std::string>(text) == copy);
  CHECK(text == copy);
  CHECK(&detail::convert_result<std::string&>(text) == &text);
}

TEST_CASE("B11 a RetryResult is unwrapped, unless the result is one", "[B11]") {
  CHECK(detail::convert_result<int>(retried(5)) == 5);
  CHECK(detail::convert_result<double>(retried(5)) == 5.0);
  CHECK(detail::convert_result<RetryResult<int>>(retried(5)).stats.attempts == 1);

  auto moved = retry_with_backoff([] { return std::make_unique<int>(3); });
  CHECK(*detail::convert_result<std::unique_ptr<int>>(std::move(moved)) == 3);
}

TEST_CASE("B11 a RetryResult keeps its value if op returned a reference to it", "[B11]") {
  const std::string text = "a text that is too long for the small buffer of a string";
  auto result = retried(text);
  CHECK(detail::convert_result<std::string>(result) == text);
  CHECK(result.value() == text);

  CircuitBreaker breaker{"b", {}, test::FakeClock{}};
  const auto op = [&]() -> RetryResult<std::string>& { return result; };
  CHECK(breaker.execute(op, [] { return std::string{"fallback"}; }) == text);
  CHECK(result.value() == text);
}
