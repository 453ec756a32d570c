#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/retry.hpp>

#include <any>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
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

/// An enum of error codes, as programs register them.
enum class DbErrc { none, gone };
std::error_code make_error_code(DbErrc errc) {
  return {static_cast<int>(errc) + 1000, http_category()};  // of a category that is at hand
}
template <>
struct std::is_error_code_enum<DbErrc> : std::true_type {};

namespace asio {
class any_io_executor {};
struct deferred_t {};
namespace experimental {
template <class Signature>
class deferred_async_operation {};
template <class Signature>
class promise {};
}  // namespace experimental
}  // namespace asio
namespace boost::asio {
template <class Head, class Tail>
class deferred_sequence {};
}  // namespace boost::asio
namespace shop {
template <class T>
class deferred_order {};
}  // namespace shop

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

/// ok() and no has_value(), as the statuses of many libraries.
struct OkStatus {
  bool fine = true;
  [[nodiscard]] bool ok() const { return fine; }
};
/// The same, with a code.
struct CodedStatus : OkStatus {
  [[nodiscard]] std::error_code code() const { return make_error_code(NetworkErrc::connection_reset); }
};
struct NumberedStatus : OkStatus {
  [[nodiscard]] int code() const { return 14; }
};
struct OkWithError : OkStatus {
  [[nodiscard]] std::errc error() const { return std::errc::timed_out; }
};
struct OkThatConverts : OkStatus {
  operator std::error_code() const { return make_error_code(PolicyErrc::cancelled); }  // NOLINT(*-explicit-*)
};
struct OkOfAnotherType {
  [[nodiscard]] std::optional<int> ok() const { return std::nullopt; }
};
struct OkNotConst {
  [[nodiscard]] bool ok() { return false; }
};
struct OkAndHasValue {
  [[nodiscard]] bool ok() const { return false; }
  [[nodiscard]] bool has_value() const { return false; }
};

using BoolRule = FailureIf<bool (*)(const int&)>;

// F1: whether a type can fail is known at compile time.
template <class T>
constexpr bool never_fails = !detail::fails_by_type<T> && !detail::can_fail<T, NoRule>;
template <class T>
constexpr bool may_fail = detail::fails_by_type<T> && detail::can_fail<T, NoRule>;

static_assert(never_fails<int> && never_fails<bool> && never_fails<std::string> && never_fails<void*>);
static_assert(never_fails<std::unique_ptr<int>> && never_fails<std::vector<int>>);
static_assert(never_fails<std::optional<int>> && never_fails<std::any>);
static_assert(never_fails<std::error_condition> && never_fails<ErrorCategory> && never_fails<Problem>);
static_assert(never_fails<std::optional<std::string>> && never_fails<std::runtime_error>);
static_assert(never_fails<OkOfAnotherType> && never_fails<OkNotConst>);
static_assert(never_fails<HasValueOnly> && never_fails<ErrorOnly> && never_fails<ErrorIsVoid> &&
              never_fails<NotConst>);
static_assert(never_fails<ConvertsToCode> && never_fails<DerivedFromCode>);
static_assert(never_fails<shop::Flagged>);

static_assert(may_fail<std::error_code> && may_fail<std::exception_ptr> && may_fail<std::errc>);
static_assert(may_fail<ApiError> && may_fail<TimeoutError> && may_fail<DerivedTimeout>);
static_assert(may_fail<Failure> && may_fail<std::optional<Failure>> && may_fail<std::optional<ApiError>>);
static_assert(may_fail<ErrorCode> && may_fail<NetworkErrc> && may_fail<PolicyErrc>);
static_assert(may_fail<std::future_errc> && may_fail<DbErrc> && may_fail<OkStatus> && may_fail<CodedStatus>);
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

struct MovingFuture {  // as folly::SemiFuture
  [[nodiscard]] bool valid() const { return true; }
  void wait() {}
  int get() && { return 1; }
};
struct Sender {
  struct sender_concept {};
};
struct OlderSender {
  struct completion_signatures {};
};
struct UnifexSender {
  static constexpr bool sends_done = true;
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

TEST_CASE("F1 F5 senders, and what Asio returns for deferred, are unfinished", "[F1][F5]") {
  static_assert(detail::unfinished<MovingFuture>);
  static_assert(detail::unfinished<Sender> && detail::unfinished<const Sender&>);
  static_assert(detail::unfinished<OlderSender> && detail::unfinished<UnifexSender>);
  static_assert(detail::unfinished<asio::experimental::deferred_async_operation<void(int)>>);
  static_assert(detail::unfinished<const asio::experimental::deferred_async_operation<void(int)>&>);
  static_assert(detail::unfinished<boost::asio::deferred_sequence<int, int>>);
  static_assert(detail::unfinished<asio::experimental::promise<void()>>);
  static_assert(!detail::unfinished<asio::any_io_executor> && !detail::unfinished<shop::deferred_order<int>>);
  static_assert(!detail::unfinished<std::vector<asio::experimental::deferred_async_operation<void(int)>>>);
  SUCCEED();
}

TEST_CASE("F1 an error returned as an object is that failure", "[F1]") {
  const auto exception = std::make_exception_ptr(42);
  CHECK(verdict(Failure::from_exception(exception))->exception() == exception);
  CHECK(verdict(Failure::from_status(503))->status() == 503);
  CHECK(verdict(Failure{std::error_code{}}));
  CHECK(verdict(ApiError{ErrorCode::gone})->status() == 410);
  CHECK(verdict(TimeoutError{})->is_timeout());
  CHECK(verdict(DerivedTimeout{})->is_timeout());
  CHECK(verdict(CircuitOpenError{"b"})->is_rejection());
}

TEST_CASE("F1 an optional error fails if it is there", "[F1]") {
  CHECK_FALSE(verdict(std::optional<Failure>{}));
  CHECK(verdict(std::optional<Failure>{Failure::from_status(503)})->status() == 503);
  CHECK_FALSE(verdict(std::optional<ApiError>{}));
  CHECK(verdict(std::optional<ApiError>{CancelledError{}})->is_cancellation());
}

TEST_CASE("F1 a std::exception_ptr fails if it is not null, as the exception does", "[F1]") {
  CHECK_FALSE(verdict(std::exception_ptr{}));
  const auto exception = std::make_exception_ptr(TimeoutError{});
  const auto failure = verdict(exception);
  REQUIRE(failure);
  CHECK(failure->exception() == exception);
  CHECK(failure->is_timeout());
}

TEST_CASE("F1 an enum of error codes fails unless it is 0", "[F1]") {
  CHECK_FALSE(verdict(std::errc{}));
  CHECK(verdict(std::errc::timed_out)->is_timeout());
  CHECK(verdict(std::errc::operation_canceled)->is_cancellation());
  CHECK_FALSE(verdict(NetworkErrc{}));
  CHECK(verdict(NetworkErrc::connection_refused)->is_transient());
  CHECK(verdict(PolicyErrc::circuit_open)->is_rejection());
  CHECK(verdict(ErrorCode::not_found)->status() == 404);
  CHECK_FALSE(verdict(DbErrc::none));
  CHECK(verdict(DbErrc::gone)->code() == std::error_code{1001, http_category()});
  CHECK(verdict(std::future_errc::no_state)->code() == std::future_errc::no_state);
}

TEST_CASE("F1 a type with ok() fails if it is not ok, with its code if it has one", "[F1]") {
  CHECK_FALSE(verdict(OkStatus{true}));
  REQUIRE(verdict(OkStatus{false}));
  CHECK_FALSE(verdict(OkStatus{false})->code());
  CHECK_FALSE(verdict(CodedStatus{{true}}));
  CHECK(verdict(CodedStatus{{false}})->code() == NetworkErrc::connection_reset);
  CHECK_FALSE(verdict(NumberedStatus{{false}})->code());
  CHECK(verdict(OkWithError{{false}})->is_timeout());
  CHECK(verdict(OkThatConverts{{false}})->is_cancellation());
  CHECK_FALSE(verdict(OkThatConverts{{true}}));
  CHECK_FALSE(verdict(OkAndHasValue{}));
}

TEST_CASE("F1 the error of an expected-like value keeps its meaning", "[F1]") {
  CHECK(verdict(failed<int>(NetworkErrc::timed_out))->is_transient());
  CHECK(verdict(failed<int>(PolicyErrc::circuit_open))->is_rejection());
  CHECK(verdict(failed<int>(ErrorCode::not_found))->status() == 404);
  CHECK(verdict(failed<int>(DbErrc::gone))->code() == std::error_code{1001, http_category()});
  CHECK(verdict(failed<int>(std::errc::connection_refused))->is_transient());
  CHECK(verdict(failed<int>(std::errc::operation_canceled))->is_cancellation());
  const auto exception = std::make_exception_ptr(CircuitOpenError{"b"});
  CHECK(verdict(failed<int>(exception))->exception() == exception);
  CHECK(verdict(failed<int>(exception))->is_rejection());
  CHECK(verdict(failed<int>(ConvertsToCode{}))->code() == ErrorCode::conflict);
  CHECK(verdict(failed<int>(std::optional{Failure::from_status(503)}))->status() == 503);
  CHECK(verdict(failed<int>(std::exception_ptr{})));
  CHECK(verdict(failed<int>(std::errc{})));
  CHECK(verdict(failed<int>(std::optional<Failure>{})));
}

TEST_CASE("F1 the error of an expected-like value is judged by its failure_traits or failure_of, if any",
          "[F1]") {
  CHECK(verdict(failed<int>(support::Response{503}))->status() == 503);
  CHECK(verdict(failed<int>(shop::Everything{500}))->status() == 500);
  const auto denied = verdict(failed<int>(support::Response{200}));  // the value is missing all the same
  REQUIRE(denied);
  CHECK_FALSE(denied->code());
  CHECK_FALSE(detail::fails_by_code<Expected<int, support::Response>>());
  CHECK_FALSE(detail::fails_by_code<Expected<int, shop::Everything>>());
}

TEST_CASE("F7 the result of a cancelled retry is a cancellation", "[F7]") {
  struct Result : Expected<int, Failure> {
    Result(StopReason reason, Failure failure)
        : Expected<int, Failure>{support::Unexpected<Failure>{std::move(failure)}} {
      stats.stop_reason = reason;
    }
    RetryStats stats;
  };
  const auto cancelled = verdict(Result{StopReason::cancelled, Failure::from_status(503)});
  REQUIRE(cancelled);
  CHECK(cancelled->is_cancellation());
  CHECK(default_outcome(*cancelled) == Outcome::ignored);
  CHECK(verdict(Result{StopReason::cancelled, Failure{CancelledError{"stopped"}}})->message() == "stopped");
  CHECK(verdict(Result{StopReason::retries_exhausted, Failure::from_status(503)})->status() == 503);
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
          verdict(failed<std::string>(7)), verdict(failed<int>(std::runtime_error{"broken"}))}) {
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
