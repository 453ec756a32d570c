#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <any>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "catch.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::carries_rejection;
using detail::NoFallback;
using support::Expected;

namespace {

struct Base {};
struct Derived : Base {};

/// What a call gives whose op returns V, and whose fallback returns B.
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

// B11: T& only where both are that T&.
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

// A fallback may take the failure, and then the result goes by what it returns.
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

// What can carry a rejection.

struct FromError {
  FromError(const ApiError& error) : reason{error.reason()} {}  // NOLINT(*-explicit-*)
  std::error_code reason;
};
struct FromCode {
  FromCode(std::error_code error) : reason{error} {}  // NOLINT(*-explicit-*)
  std::error_code reason;
};
struct FromAny {
  FromAny(const ApiError& error) : from{"error"}, reason{error.reason()} {}  // NOLINT(*-explicit-*)
  FromAny(std::error_code error) : from{"code"}, reason{error} {}            // NOLINT(*-explicit-*)
  std::string from;
  std::error_code reason;
};
enum class Problem { broken };

/// Expected-like without unexpected_type, made from its error.
template <class E>
class Result {
 public:
  using value_type = int;
  Result(int value) : value_{value} {}           // NOLINT(*-explicit-*)
  Result(E error) : error_{std::move(error)} {}  // NOLINT(*-explicit-*)
  [[nodiscard]] bool has_value() const { return value_.has_value(); }
  [[nodiscard]] const E& error() const { return error_.value(); }

 private:
  std::optional<int> value_;
  std::optional<E> error_;
};

/// Takes an error for a value.
struct Anything {
  template <class T>
  Anything(const T& anything) : value{anything} {}  // NOLINT(*-explicit-*)
  [[nodiscard]] bool has_value() const { return value.has_value(); }
  [[nodiscard]] int error() const { return 0; }
  std::any value;
};

/// Says itself what a rejected call returns, though it could carry the code too.
struct Answer {
  int status = 0;
  std::string text;
  [[nodiscard]] bool has_value() const { return status == 200; }
  [[nodiscard]] std::error_code error() const { return {}; }
};

}  // namespace

template <>
struct fusebox::failure_traits<Answer> {
  static Answer from_rejection(const RejectedError& error) {
    return {static_cast<int>(error.code()),
            error.name() + ", " + std::to_string(error.retry_after()->count())};
  }
};

namespace {

static_assert(carries_rejection<std::error_code> && carries_rejection<Answer>);
static_assert(carries_rejection<Expected<int, CircuitOpenError>> &&
              carries_rejection<Expected<int, RejectedError>>);
static_assert(carries_rejection<Expected<int, ApiError>> &&
              carries_rejection<Expected<int, std::error_code>>);
static_assert(carries_rejection<Expected<int, Failure>>);
static_assert(carries_rejection<Expected<int, FromError>> && carries_rejection<Expected<int, FromCode>>);
static_assert(carries_rejection<Expected<int, std::variant<int, ApiError>>>);
static_assert(carries_rejection<Result<ApiError>> && carries_rejection<Result<std::error_code>>);
static_assert(carries_rejection<RetryResult<int>> && carries_rejection<RetryResult<void>> &&
              carries_rejection<RetryResult<std::unique_ptr<int>>> && carries_rejection<RetryResult<int&>>);

static_assert(!carries_rejection<void> && !carries_rejection<int> && !carries_rejection<bool>);
static_assert(!carries_rejection<std::string> && !carries_rejection<std::optional<int>>);
static_assert(!carries_rejection<ApiError> && !carries_rejection<CircuitOpenError>);
static_assert(!carries_rejection<FromError> && !carries_rejection<FromCode> && !carries_rejection<std::any>);
static_assert(!carries_rejection<Expected<int, Problem>> && !carries_rejection<Expected<int, std::string>>);
static_assert(!carries_rejection<Expected<int, int>> &&
              !carries_rejection<Expected<int, std::exception_ptr>>);
static_assert(!carries_rejection<Expected<int, TimeoutError>> &&
              !carries_rejection<Expected<int, std::errc>>);
static_assert(!carries_rejection<Result<std::string>>);
static_assert(!carries_rejection<std::error_code&> && !carries_rejection<Expected<int, std::error_code>&>);

/// carry_rejection, and how often it had the error made.
struct Maker {
  int made = 0;
  template <class V>
  V carry() {
    return detail::carry_rejection<V>([&] {
      ++made;
      return CircuitOpenError{"payments", 30s};
    });
  }
};

template <class R>
RetryResult<R> retried(R value) {
  return retry_with_backoff([&] { return value; });
}

}  // namespace

TEST_CASE("B9 a rejection is carried as the whole error where the error type takes it") {
  Maker maker;
  const auto whole = maker.carry<Expected<int, CircuitOpenError>>();
  CHECK_FALSE(whole.has_value());
  CHECK(whole.error().name() == "payments");
  CHECK(whole.error().retry_after() == 30s);

  const auto rejected = maker.carry<Expected<int, RejectedError>>();
  CHECK(rejected.error().name() == "payments");

  const auto sliced = maker.carry<Expected<int, ApiError>>();
  CHECK(sliced.error().reason() == PolicyErrc::circuit_open);
  CHECK(sliced.error().retry_after() == 30s);
  CHECK(sliced.error().message() == "circuit breaker 'payments' is open");

  const auto converted = maker.carry<Expected<int, FromError>>();
  CHECK(converted.error().reason == PolicyErrc::circuit_open);

  const auto one_of = maker.carry<Expected<int, std::variant<int, ApiError>>>();
  CHECK(std::get<ApiError>(one_of.error()).reason() == PolicyErrc::circuit_open);
  CHECK(maker.made == 5);
}

TEST_CASE("B9 a rejection carried as a Failure can be rethrown whole") {
  Maker maker;
  const auto carried = maker.carry<Expected<int, Failure>>();
  CHECK(carried.error().is_rejection());
  CHECK(carried.error().retry_after() == 30s);
  CHECK_THROWS_AS(carried.error().rethrow(), CircuitOpenError);
  CHECK_THROWS_WITH(carried.error().rethrow(), "circuit breaker 'payments' is open");
}

TEST_CASE("B9 a rejection is carried as a code where that is all that fits, and then no error is made") {
  Maker maker;
  CHECK(maker.carry<std::error_code>() == PolicyErrc::circuit_open);
  CHECK(maker.carry<Expected<int, std::error_code>>().error() == PolicyErrc::circuit_open);
  CHECK(maker.carry<Expected<int, FromCode>>().error().reason == PolicyErrc::circuit_open);
  CHECK(maker.carry<Result<std::error_code>>().error() == PolicyErrc::circuit_open);
  CHECK(maker.made == 0);
}

TEST_CASE("B9 an error type that takes both the error and the code gets the error") {
  Maker maker;
  CHECK(maker.carry<Expected<int, FromAny>>().error().from == "error");
  CHECK(maker.made == 1);
}

TEST_CASE("B9 a result without unexpected_type is made from the error, and holds no value") {
  Maker maker;
  const auto result = maker.carry<Result<ApiError>>();
  CHECK_FALSE(result.has_value());
  CHECK(result.error().reason() == PolicyErrc::circuit_open);
}

TEST_CASE("B9 a result that takes the error for a value does not hide the rejection: it is thrown") {
  Maker maker;
  CHECK_THROWS_AS(maker.carry<Anything>(), CircuitOpenError);
}

TEST_CASE("B9 from_rejection comes first, and is told everything") {
  Maker maker;
  const Answer answer = maker.carry<Answer>();
  CHECK(answer.status == 503);
  CHECK(answer.text == "payments, 30");
  CHECK(maker.made == 1);
}

TEST_CASE("B9 a RetryResult carries the rejection with attempts 0") {
  Maker maker;
  auto result = maker.carry<RetryResult<int>>();
  CHECK_FALSE(result.has_value());
  CHECK(result.stats.attempts == 0);
  CHECK(result.stats.errors.empty());
  CHECK(result.error().is_rejection());
  CHECK(result.error().retry_after() == 30s);
  CHECK_THROWS_AS(result.value(), CircuitOpenError);
  CHECK_THROWS_AS(static_cast<int>(std::move(result)), CircuitOpenError);
}

TEST_CASE("B10 a fallback that takes a Failure is preferred over one that takes nothing") {
  Both both;
  CHECK(detail::invoke_fallback(both, Failure::from_status(503)) == 2.5);
  int calls = 0;
  auto plain = [&] { return ++calls; };
  CHECK(detail::invoke_fallback(plain, Failure::from_status(503)) == 1);
  auto telling = [](const Failure& failure) { return failure.status(); };
  CHECK(detail::invoke_fallback(telling, Failure::from_status(503)) == 503);
}

TEST_CASE("B11 the fallback's value is handed over as the result type") {
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

TEST_CASE("B11 handing over moves what op gave, and copies what it only refers to") {
  auto pointer = std::make_unique<int>(7);
  CHECK(*detail::hand_over<std::unique_ptr<int>>(std::move(pointer)) == 7);

  std::string text = "a text that is too long for the small buffer of a string";
  const std::string copy = text;
  CHECK(detail::hand_over<std::string>(text) == copy);
  CHECK(text == copy);
  CHECK(&detail::hand_over<std::string&>(text) == &text);
}

TEST_CASE("B11 handing over unwraps a RetryResult, unless the result is one") {
  CHECK(detail::hand_over<int>(retried(5)) == 5);
  CHECK(detail::hand_over<double>(retried(5)) == 5.0);
  CHECK(detail::hand_over<RetryResult<int>>(retried(5)).stats.attempts == 1);

  auto moved = retry_with_backoff([] { return std::make_unique<int>(3); });
  CHECK(*detail::hand_over<std::unique_ptr<int>>(std::move(moved)) == 3);
}

TEST_CASE("B11 a RetryResult that op only refers to keeps its value") {
  const std::string text = "a text that is too long for the small buffer of a string";
  auto result = retried(text);
  CHECK(detail::hand_over<std::string>(result) == text);
  CHECK(result.value() == text);

  CircuitBreaker breaker{"b", {}, test::FakeClock{}};
  const auto op = [&]() -> RetryResult<std::string>& { return result; };
  CHECK(breaker.execute(op, [] { return std::string{"fallback"}; }) == text);
  CHECK(result.value() == text);
}
