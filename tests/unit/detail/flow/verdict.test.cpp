#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/retry.hpp>

#include <any>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using detail::NoRule;
using support::Expected;

namespace shop {

/// Judged by a hidden friend that gives a Failure.
struct AlwaysBad {
  friend Failure failure_of(const AlwaysBad&) { return Failure::from_status(500); }
};

/// Has a failure_of that returns something else.
struct Flagged {
  bool bad = false;
};
[[maybe_unused]] bool failure_of(const Flagged& flagged) { return flagged.bad; }

/// Judged by failure_traits, though each of the other ways would give another verdict.
struct Everything {
  int traits_status = 200;
  [[nodiscard]] bool has_value() const { return false; }
  [[nodiscard]] std::error_code error() const { return make_error_code(ErrorCode::conflict); }
};
[[maybe_unused]] std::optional<Failure> failure_of(const Everything&) { return Failure::from_status(410); }

/// An expected-like type that failure_of judges.
struct Lenient {
  [[nodiscard]] bool has_value() const { return false; }
  [[nodiscard]] std::error_code error() const { return make_error_code(ErrorCode::conflict); }
};
[[maybe_unused]] std::optional<Failure> failure_of(const Lenient&) { return std::nullopt; }

/// Its failure_traits only say what a rejected call returns.
struct Rejectable {
  int status = 200;
};
std::optional<Failure> failure_of(const Rejectable& value) {
  if (value.status < 400) return std::nullopt;
  return Failure::from_status(value.status);
}

struct Derived : support::Response {};

}  // namespace shop

template <>
struct fusebox::failure_traits<shop::Everything> {
  static std::optional<Failure> failure(const shop::Everything& value) {
    if (value.traits_status < 400) return std::nullopt;
    return Failure::from_status(value.traits_status);
  }
};

template <>
struct fusebox::failure_traits<shop::Rejectable> {
  static shop::Rejectable from_rejection(const RejectedError&) { return {503}; }
};

namespace {

/// Expected-like, without a value.
struct Status {
  std::error_code code;
  [[nodiscard]] bool has_value() const { return !code; }
  [[nodiscard]] std::error_code error() const { return code; }
};

struct HasValueOnly {
  [[nodiscard]] bool has_value() const { return false; }
};
struct ErrorOnly {
  [[nodiscard]] int error() const { return 1; }
};
struct ErrorIsVoid {
  [[nodiscard]] bool has_value() const { return false; }
  void error() const {}
};
struct NotConst {
  [[nodiscard]] bool has_value() { return false; }
  [[nodiscard]] int error() { return 1; }
};

struct ConvertsToCode {
  operator std::error_code() const { return make_error_code(ErrorCode::conflict); }  // NOLINT(*-explicit-*)
};
struct DerivedFromCode : std::error_code {};
struct DerivedTimeout : TimeoutError {};

enum class Problem { none, broken };

using BoolRule = FailureIf<bool (*)(const int&)>;

// F1: whether a type can fail is known at compile time.
template <class T>
constexpr bool never_fails = !detail::fails_by_type<T> && !detail::can_fail<T, NoRule>;
template <class T>
constexpr bool may_fail = detail::fails_by_type<T> && detail::can_fail<T, NoRule>;

static_assert(never_fails<int> && never_fails<bool> && never_fails<std::string> && never_fails<void*>);
static_assert(never_fails<std::unique_ptr<int>> && never_fails<std::vector<int>>);
static_assert(never_fails<std::optional<int>> && never_fails<std::any>);
static_assert(never_fails<std::exception_ptr> && never_fails<std::error_condition> && never_fails<std::errc>);
static_assert(never_fails<ApiError> && never_fails<Failure> && never_fails<std::optional<Failure>>);
static_assert(never_fails<ErrorCode> && never_fails<NetworkErrc> && never_fails<PolicyErrc>);
static_assert(never_fails<HasValueOnly> && never_fails<ErrorOnly> && never_fails<ErrorIsVoid> &&
              never_fails<NotConst>);
static_assert(never_fails<ConvertsToCode> && never_fails<DerivedFromCode>);
static_assert(never_fails<shop::Flagged>);

static_assert(may_fail<std::error_code>);
static_assert(may_fail<Expected<int, std::error_code>> && may_fail<Expected<int, std::string>>);
static_assert(may_fail<Status>);
static_assert(may_fail<RetryResult<int>> && may_fail<RetryResult<void>> && may_fail<RetryResult<int&>>);
static_assert(may_fail<RetryResult<Expected<int, std::error_code>>>);
static_assert(may_fail<support::Response> && may_fail<shop::AlwaysBad> && may_fail<shop::Derived>);
static_assert(may_fail<shop::Everything> && may_fail<shop::Lenient> && may_fail<shop::Rejectable>);

static_assert(!detail::can_fail<void, NoRule>);
static_assert(detail::can_fail<int, BoolRule> && detail::can_fail<std::error_code, BoolRule>);

// F1: which of the ways judges.
static_assert(detail::HasFailureTraits<shop::Everything> && !detail::HasFailureTraits<support::Response>);
static_assert(!detail::HasFailureTraits<shop::Rejectable> && !detail::HasFailureTraits<RetryResult<int>>);
static_assert(detail::adl::HasFailureOf<support::Response> && !detail::adl::HasFailureOf<shop::Flagged>);
static_assert(!detail::adl::HasFailureOf<int> && !detail::adl::HasFailureOf<RetryResult<int>>);

// F5: results of operations that go on, and others that look like them.
struct Promise {};
struct Coroutine {
  using promise_type = Promise;
};
struct Awaiter {
  [[nodiscard]] bool await_ready() const { return true; }
  void await_suspend(void*) const {}
  [[nodiscard]] int await_resume() const { return 1; }
};
struct MemberAwaitable {
  Awaiter operator co_await() const { return {}; }
};
struct RvalueAwaitable {
  Awaiter operator co_await() && { return {}; }
};
struct FreeAwaitable {};
[[maybe_unused]] Awaiter operator co_await(FreeAwaitable&&) { return {}; }
struct OwnFuture {
  [[nodiscard]] bool valid() const { return true; }
  void wait() {}
  int get() { return 1; }
};
struct Pointer {
  [[nodiscard]] int get() const { return 1; }
  [[nodiscard]] bool valid() const { return true; }
};

/// The verdict as policies reach it: the cheap test first.
template <class T, class Rule = NoRule>
std::optional<Failure> verdict(const T& value, const Rule& rule = {}) {
  if (!detail::may_be_failure(value, rule)) return std::nullopt;
  return detail::failure_of_value(value, rule);
}

template <class T, class E>
Expected<T, E> failed(E error) {
  return support::Unexpected<E>{std::move(error)};
}

}  // namespace

TEST_CASE("F5 futures, coroutines and awaitables are unfinished", "[F5]") {
  static_assert(detail::unfinished<std::future<int>> && detail::unfinished<std::future<void>>);
  static_assert(detail::unfinished<std::future<int>&> && detail::unfinished<std::shared_future<int>>);
  static_assert(detail::unfinished<const std::shared_future<int>&> && detail::unfinished<OwnFuture>);
  static_assert(detail::unfinished<Coroutine> && detail::unfinished<Awaiter>);
  static_assert(detail::unfinished<MemberAwaitable> && detail::unfinished<RvalueAwaitable> &&
                detail::unfinished<FreeAwaitable> && detail::unfinished<FreeAwaitable&&>);
  static_assert(!detail::unfinished<void> && !detail::unfinished<int> && !detail::unfinished<int&>);
  static_assert(!detail::unfinished<std::unique_ptr<int>> && !detail::unfinished<Pointer>);
  static_assert(!detail::unfinished<std::string> && !detail::unfinished<Expected<int, std::error_code>> &&
                !detail::unfinished<RetryResult<int>>);
  SUCCEED();
}

TEST_CASE("F1 a value of any other type is a success", "[F1]") {
  CHECK_FALSE(detail::failure_of_value(0, NoRule{}));
  CHECK_FALSE(detail::failure_of_value(std::optional<int>{}, NoRule{}));
  CHECK_FALSE(detail::failure_of_value(shop::Flagged{true}, NoRule{}));
}

TEST_CASE("F1 a std::error_code fails if it is set, and that exact type only", "[F1]") {
  CHECK_FALSE(verdict(std::error_code{}));
  const auto failure = verdict(make_error_code(ErrorCode::not_found));
  REQUIRE(failure);
  CHECK(failure->code() == ErrorCode::not_found);
  CHECK(failure->status() == 404);
  CHECK_FALSE(detail::failure_of_value(ConvertsToCode{}, NoRule{}));
  CHECK_FALSE(detail::failure_of_value(DerivedFromCode{make_error_code(ErrorCode::conflict)}, NoRule{}));
}

TEST_CASE("F1 an expected-like value fails with its error", "[F1]") {
  SECTION("no failure if it has a value") {
    CHECK_FALSE(verdict(Expected<int, std::error_code>{1}));
    CHECK_FALSE(verdict(Expected<int, ApiError>{1}));
    CHECK_FALSE(verdict(Status{}));
  }
  SECTION("a std::error_code") {
    const auto failure = verdict(failed<int>(make_error_code(NetworkErrc::connection_reset)));
    REQUIRE(failure);
    CHECK(failure->code() == NetworkErrc::connection_reset);
    CHECK(failure->category() == ErrorCategory::network);
  }
  SECTION("a std::error_code that is not set") {
    const auto failure = verdict(failed<int>(std::error_code{}));
    REQUIRE(failure);
    CHECK_FALSE(failure->code());
  }
  SECTION("an ApiError") {
    const auto failure = verdict(failed<int>(
        ApiError{ErrorCode::service_unavailable, "busy"}.with_retry_after(std::chrono::seconds{8})));
    REQUIRE(failure);
    CHECK(failure->status() == 503);
    CHECK(failure->retry_after() == std::chrono::seconds{8});
    CHECK(failure->message() == "busy");
  }
  SECTION("an error derived from ApiError") {
    CHECK(verdict(failed<int>(TimeoutError{}))->is_timeout());
    CHECK(verdict(failed<int>(DerivedTimeout{}))->is_timeout());
    CHECK(verdict(failed<int>(CircuitOpenError{"b"}))->is_rejection());
    CHECK(verdict(failed<int>(CancelledError{}))->is_cancellation());
  }
  SECTION("a Failure, with its exception") {
    const auto exception = std::make_exception_ptr(42);
    const auto failure = verdict(failed<int>(Failure::from_exception(exception)));
    REQUIRE(failure);
    CHECK(failure->exception() == exception);
  }
  SECTION("anything else: a failure without a code") {
    for (const auto& failure :
         {verdict(failed<int>(Problem::broken)), verdict(failed<int>(std::string{"broken"})),
          verdict(failed<int>(std::make_exception_ptr(TimeoutError{}))), verdict(failed<std::string>(7)),
          verdict(failed<int>(ErrorCode::not_found))}) {
      REQUIRE(failure);
      CHECK_FALSE(failure->code());
      CHECK_FALSE(failure->status());
      CHECK(failure->category() == ErrorCategory::internal);
    }
  }
  SECTION("of a type without values") {
    const auto failure = verdict(Status{make_error_code(ErrorCode::gone)});
    REQUIRE(failure);
    CHECK(failure->status() == 410);
  }
}

TEST_CASE("F1 failure_of is found by argument-dependent lookup", "[F1]") {
  CHECK_FALSE(verdict(support::Response{200}));
  CHECK(verdict(support::Response{503})->status() == 503);
  CHECK(verdict(shop::Derived{{404}})->status() == 404);
  CHECK(verdict(shop::AlwaysBad{})->status() == 500);
}

TEST_CASE("F1 failure_of comes before the defaults", "[F1]") { CHECK_FALSE(verdict(shop::Lenient{})); }

TEST_CASE("F1 failure_traits come before failure_of and the defaults", "[F1]") {
  CHECK_FALSE(verdict(shop::Everything{200}));
  CHECK(verdict(shop::Everything{500})->status() == 500);
}

TEST_CASE("F1 failure_traits without failure() leave the verdict to failure_of", "[F1]") {
  CHECK_FALSE(verdict(shop::Rejectable{200}));
  CHECK(verdict(shop::Rejectable{502})->status() == 502);
}

TEST_CASE("F1 failure_if comes before all of them", "[F1]") {
  const auto always = failure_if([](const auto&) { return true; });
  const auto never = failure_if([](const auto&) { return false; });
  CHECK(verdict(1, always));
  CHECK_FALSE(verdict(1, never));
  CHECK(verdict(support::Response{200}, always));
  CHECK_FALSE(verdict(support::Response{500}, never));
  CHECK(verdict(shop::Everything{200}, always));
  CHECK_FALSE(verdict(shop::Everything{500}, never));
  CHECK(verdict(Expected<int, std::error_code>{1}, always));
  CHECK_FALSE(verdict(failed<int>(make_error_code(ErrorCode::conflict)), never));
  CHECK(verdict(std::error_code{}, always));
  CHECK_FALSE(verdict(make_error_code(ErrorCode::conflict), never));
}

TEST_CASE("F1 failure_if with a bool takes the failure from the value's type, else one without a code",
          "[F1]") {
  const auto always = failure_if([](const auto&) { return true; });
  CHECK(verdict(failed<int>(make_error_code(ErrorCode::gone)), always)->status() == 410);
  CHECK(verdict(support::Response{502}, always)->status() == 502);
  CHECK(verdict(shop::Everything{504}, always)->status() == 504);
  CHECK(verdict(make_error_code(NetworkErrc::timed_out), always)->is_timeout());
  CHECK_FALSE(verdict(7, always)->code());
  CHECK_FALSE(verdict(support::Response{200}, always)->code());
  CHECK_FALSE(verdict(Expected<int, std::error_code>{1}, always)->code());
}

TEST_CASE("F1 failure_if with a std::optional<Failure>, or a Failure, says which", "[F1]") {
  const auto rule = failure_if([](const int& status) -> std::optional<Failure> {
    if (status < 400) return std::nullopt;
    return Failure::from_status(status);
  });
  CHECK_FALSE(verdict(200, rule));
  CHECK(verdict(503, rule)->status() == 503);
  const auto always = failure_if([](int status) { return Failure::from_status(status); });
  CHECK(verdict(404, always)->status() == 404);
}

TEST_CASE("F1 failure_if asks its predicate once for a value", "[F1]") {
  int asked = 0;
  const auto plain = failure_if([&asked](int value) {
    ++asked;
    return value > 1;
  });
  CHECK_FALSE(verdict(1, plain));
  CHECK(asked == 1);
  CHECK(verdict(2, plain));
  CHECK(asked == 2);
  const auto precise = failure_if([&asked](int) -> std::optional<Failure> {
    ++asked;
    return std::nullopt;
  });
  CHECK_FALSE(verdict(1, precise));
  CHECK(asked == 3);
}

TEST_CASE("F1 failure_if takes function pointers, and predicates that give something like a bool", "[F1]") {
  CHECK(verdict(2, failure_if(+[](const int& value) { return value == 2; })));
  CHECK(verdict(std::make_pair(1, 2), failure_if([](const auto& pair) { return pair.first; })));
  CHECK_FALSE(verdict(std::make_pair(0, 2), failure_if([](const auto& pair) { return pair.first; })));
}
