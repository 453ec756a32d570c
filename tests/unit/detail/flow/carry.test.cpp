#include <fusebox/detail/flow/carry.hpp>
#include <fusebox/retry.hpp>

#include <any>
#include <chrono>
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
using support::Expected;

namespace {

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

/// Holds an error as a value.
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

/// Calls carry_error, and counts the errors made.
struct Maker {
  int made = 0;
  template <class V>
  V carry() {
    return detail::carry_error<V, CircuitOpenError>(PolicyErrc::circuit_open, [&] {
      ++made;
      return CircuitOpenError{"payments", 30s};
    });
  }
};

}  // namespace

TEST_CASE("B9 a rejection is carried as the whole error if the error type takes it", "[B9]") {
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

TEST_CASE("B9 a rejection carried as a Failure can be rethrown whole", "[B9]") {
  Maker maker;
  const auto carried = maker.carry<Expected<int, Failure>>();
  CHECK(carried.error().is_rejection());
  CHECK(carried.error().retry_after() == 30s);
  CHECK_THROWS_AS(carried.error().rethrow(), CircuitOpenError);
  CHECK_THROWS_WITH(carried.error().rethrow(), "circuit breaker 'payments' is open");
}

TEST_CASE("B9 a rejection is carried as a code if nothing else fits, and then no error is made", "[B9]") {
  Maker maker;
  CHECK(maker.carry<std::error_code>() == PolicyErrc::circuit_open);
  CHECK(maker.carry<Expected<int, std::error_code>>().error() == PolicyErrc::circuit_open);
  CHECK(maker.carry<Expected<int, FromCode>>().error().reason == PolicyErrc::circuit_open);
  CHECK(maker.carry<Result<std::error_code>>().error() == PolicyErrc::circuit_open);
  CHECK(maker.made == 0);
}

TEST_CASE("B9 P12 an error in the place of op's is carried with its own code", "[B9][P12]") {
  const auto carry = []<class V>(std::type_identity<V>) {
    detail::SlotBase slot;
    slot.fail_own(Failure{ApiError{ErrorCode::bad_gateway, "injected"}});
    CHECK(slot.is_own());
    CHECK(slot.stands_for_op());
    if constexpr (detail::carries_codes<V>) {
      return detail::carry_code<V>(slot);
    } else {
      return detail::carry_own<V>(slot);
    }
  };
  CHECK(carry(std::type_identity<std::error_code>{}) == ErrorCode::bad_gateway);
  CHECK(carry(std::type_identity<Expected<int, std::error_code>>{}).error() == ErrorCode::bad_gateway);
  CHECK(carry(std::type_identity<Expected<int, ApiError>>{}).error().message() == "injected");
  CHECK(carry(std::type_identity<Expected<int, Failure>>{}).error().code() == ErrorCode::bad_gateway);
  CHECK_THROWS_AS(carry(std::type_identity<Expected<int, CircuitOpenError>>{}), ApiError);
  detail::SlotBase own;
  own.fail_own(Failure{TimeoutError{}});
  CHECK_FALSE(own.stands_for_op());
}

TEST_CASE("B9 an error type that takes both the error and the code gets the error", "[B9]") {
  Maker maker;
  CHECK(maker.carry<Expected<int, FromAny>>().error().from == "error");
  CHECK(maker.made == 1);
}

TEST_CASE("B9 a result without unexpected_type is made from the error, and holds no value", "[B9]") {
  Maker maker;
  const auto result = maker.carry<Result<ApiError>>();
  CHECK_FALSE(result.has_value());
  CHECK(result.error().reason() == PolicyErrc::circuit_open);
}

TEST_CASE("B9 a result that would hold the error as a value hides no rejection: it is thrown", "[B9]") {
  Maker maker;
  CHECK_THROWS_AS(maker.carry<Anything>(), CircuitOpenError);
}

TEST_CASE("B9 from_rejection comes first, and gets the whole error", "[B9]") {
  Maker maker;
  const Answer answer = maker.carry<Answer>();
  CHECK(answer.status == 503);
  CHECK(answer.text == "payments, 30000");
  CHECK(maker.made == 1);
}
