#include <fusebox/api_error.hpp>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/expected.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Fields = std::vector<ErrorDetails::Field>;
using WallPoint = std::chrono::system_clock::time_point;

namespace {

constexpr WallPoint noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;
const std::string long_text(200, 'x');

/// Calls f with one error of each of the library's types.
template <class F>
void for_each_error(F f) {
  f(ApiError{ErrorCode::not_found, "no such order"});
  f(CircuitOpenError{"payments", 5s});
  f(BulkheadFullError{"payments", 5s});
  f(RateLimitedError{"payments", 5s});
  f(TimeoutError{"too late"});
  f(CancelledError{"no longer wanted"});
  f(RejectedError{CircuitOpenError{"payments", 5s}});
}

/// Would `catch (const Caught&)` catch it, when thrown as what it is?
template <class Caught, class E>
bool catches(const E& error) {
  try {
    throw error;
  } catch (const Caught&) {
    return true;
  } catch (...) {
    return false;
  }
}

void check_same(const ApiError& a, const ApiError& b) {
  CHECK(a.message() == b.message());
  CHECK(a.code() == b.code());
  CHECK(a.category() == b.category());
  CHECK(a.reason() == b.reason());
  CHECK(a.details() == b.details());
  CHECK(a.timestamp() == b.timestamp());
  CHECK(a.request_id() == b.request_id());
  CHECK(a.path() == b.path());
  CHECK(a.retry_after() == b.retry_after());
  CHECK(a.is_upstream() == b.is_upstream());
  CHECK(a.upstream() == b.upstream());
}

}  // namespace

// ApiError.

TEST_CASE("E2 an ApiError has a code and a message, and its category comes from the code") {
  const ApiError error{ErrorCode::rate_limit_exceeded, "slow down"};
  CHECK(error.code() == ErrorCode::rate_limit_exceeded);
  CHECK(error.category() == ErrorCategory::rate_limit);
  CHECK(error.message() == "slow down");
  CHECK(std::string_view{error.what()} == "slow down");
  CHECK(error.reason() == ErrorCode::rate_limit_exceeded);
}

TEST_CASE("E2 what was not given is absent") {
  const ApiError error{ErrorCode::not_found, "no such order"};
  CHECK(error.details().is_absent());
  CHECK(error.request_id().empty());
  CHECK(error.path().empty());
  CHECK_FALSE(error.retry_after());
  CHECK_FALSE(error.is_upstream());
  CHECK(error.upstream().empty());
}

TEST_CASE("E2 without a message the error says its code's name") {
  CHECK(ApiError{ErrorCode::not_found}.message() == "Not Found");
  CHECK(ApiError{ErrorCode::bad_request}.message() == "Bad Request");
  CHECK(ApiError{ErrorCode::not_found, ""}.message().empty());
}

TEST_CASE("E2 a status that ErrorCode does not name is kept") {
  const ApiError error{static_cast<ErrorCode>(418), "teapot"};
  CHECK(static_cast<int>(error.code()) == 418);
  CHECK(error.category() == ErrorCategory::validation);
  CHECK(error.reason() == std::error_code{418, api_error_category()});
}

TEST_CASE("E2 the message may be any string, and is copied") {
  std::string text = "orders: no such order";
  const ApiError from_string{ErrorCode::not_found, text};
  const ApiError from_view{ErrorCode::not_found, std::string_view{text}.substr(8, 7)};
  text.assign(text.size(), '?');
  CHECK(from_string.message() == "orders: no such order");
  CHECK(from_view.message() == "no such");
  CHECK(ApiError{ErrorCode::not_found, long_text}.message() == long_text);
}

TEST_CASE("E2 an adapter gives the identity and the time too") {
  const ApiError error{ErrorCode::bad_gateway, "reset", NetworkErrc::connection_reset, noon};
  CHECK(error.code() == ErrorCode::bad_gateway);
  CHECK(error.category() == ErrorCategory::external_service);
  CHECK(error.reason() == NetworkErrc::connection_reset);
  CHECK(error.reason() == ErrorCategory::network);
  CHECK(error.timestamp() == noon);
}

TEST_CASE("E2 each with_ function changes its own part and no other") {
  const ApiError error{ErrorCode::not_found, "no such order", ErrorCode::not_found, noon};
  CHECK(error.with_category(ErrorCategory::internal).category() == ErrorCategory::internal);
  CHECK(error.with_details("42").details() == ErrorDetails{"42"});
  CHECK(error.with_request_id("req_1").request_id() == "req_1");
  CHECK(error.with_path("/orders/42").path() == "/orders/42");
  CHECK(error.with_retry_after(60s).retry_after() == 60s);
  CHECK(error.with_timestamp(noon + 1h).timestamp() == noon + 1h);

  check_same(error.with_category(ErrorCategory::internal).with_category(ErrorCategory::not_found), error);
  check_same(error.with_details("42").with_details({}), error);
  check_same(error.with_request_id("req_1").with_request_id(""), error);
  check_same(error.with_path("/orders/42").with_path(""), error);
  check_same(error.with_timestamp(noon + 1h).with_timestamp(noon), error);
}

TEST_CASE("E2 a given category leaves code and reason as they are") {
  const auto error = ApiError{ErrorCode::conflict}.with_category(ErrorCategory::external_service);
  CHECK(error.code() == ErrorCode::conflict);
  CHECK(error.reason() == ErrorCode::conflict);
}

TEST_CASE("E2 the later of two with_ calls counts") {
  const auto error = ApiError{ErrorCode::conflict}
                         .with_details("first")
                         .with_path("/first")
                         .with_retry_after(1s)
                         .with_details({{"second", "field"}})
                         .with_path("/second")
                         .with_retry_after(2min);
  CHECK(error.details() == ErrorDetails{{"second", "field"}});
  CHECK(error.path() == "/second");
  CHECK(error.retry_after() == 120s);
}

TEST_CASE("E2 the design's example") {
  const auto error = ApiError{ErrorCode::validation_error, "Invalid request parameters"}
                         .with_details({{"email", "Invalid email format"}})
                         .with_path("/api/auth/register");
  CHECK(error.message() == "Invalid request parameters");
  CHECK(error.category() == ErrorCategory::validation);
  CHECK(error.details().fields() == Fields{{"email", "Invalid email format"}});
  CHECK(error.path() == "/api/auth/register");
}

TEST_CASE("E2 on an lvalue the fluent functions give a copy and leave the original as it was") {
  for_each_error([](const auto& made) {
    auto original = made.with_details("kept").with_path("/kept").with_request_id("kept").with_timestamp(noon);
    const auto before = original;
    const auto changed = original.with_category(ErrorCategory::internal)
                             .with_details({{"a", "b"}})
                             .with_request_id("new")
                             .with_path("/new")
                             .with_retry_after(9s)
                             .with_timestamp(noon + 1s)
                             .from_upstream("elsewhere");
    check_same(original, before);
    CHECK(changed.message() == original.message());
    CHECK(changed.code() == original.code());
    CHECK(changed.reason() == original.reason());
    CHECK(changed.category() == ErrorCategory::internal);
    CHECK(changed.details() == ErrorDetails{{"a", "b"}});
    CHECK(changed.request_id() == "new");
    CHECK(changed.path() == "/new");
    CHECK(changed.retry_after() == 9s);
    CHECK(changed.timestamp() == noon + 1s);
    CHECK(changed.upstream() == "elsewhere");
  });
}

TEST_CASE("E2 two errors built from one do not see each other's changes") {
  const auto common = ApiError{ErrorCode::conflict}.with_request_id("req_1");
  const auto left = common.with_path("/left");
  const auto right = common.with_path("/right");
  CHECK(common.path().empty());
  CHECK(left.path() == "/left");
  CHECK(right.path() == "/right");
  CHECK(left.request_id() == "req_1");
  CHECK(right.request_id() == "req_1");
}

TEST_CASE("E2 on the library's own errors, lvalues and rvalues, the fluent functions return that type") {
  for_each_error([](auto error) {
    using E = decltype(error);
    const auto all_give = [](auto&& e) {
      using V = decltype(e);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).with_category(ErrorCategory::internal)), E>);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).with_details("x")), E>);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).with_request_id("x")), E>);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).with_path("x")), E>);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).with_retry_after(1s)), E>);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).with_timestamp(noon)), E>);
      static_assert(std::is_same_v<decltype(std::forward<V>(e).from_upstream("x")), E>);
    };
    all_give(error);
    all_give(std::as_const(error));
    all_give(std::move(error));
  });
  SUCCEED();
}

TEST_CASE("E2 a fluent chain that is thrown is caught as what it is") {
  const auto throw_it = [] {
    throw CircuitOpenError{"payments", 5s}.with_path("/pay").with_request_id("req_1");
  };
  CHECK_THROWS_AS(throw_it(), CircuitOpenError);
}

TEST_CASE("E2 copying never throws") {
  for_each_error([](const auto& error) {
    using E = std::remove_cvref_t<decltype(error)>;
    static_assert(std::is_nothrow_copy_constructible_v<E>);
    static_assert(std::is_nothrow_copy_assignable_v<E>);
    static_assert(std::is_nothrow_move_constructible_v<E>);
    static_assert(std::is_nothrow_move_assignable_v<E>);
    static_assert(std::is_nothrow_destructible_v<E>);
    static_assert(std::is_nothrow_constructible_v<ApiError, const E&>);
  });
  SUCCEED();
}

TEST_CASE("E2 copying, assigning, slicing and making anew allocate nothing, however much an error says") {
  for_each_error([](const auto& made) {
    using E = std::remove_cvref_t<decltype(made)>;
    const E error = made.with_details({{long_text, long_text}})
                        .with_request_id(long_text)
                        .with_path(long_text)
                        .from_upstream(long_text);
    std::optional<E> copy;
    std::optional<ApiError> sliced;
    E assigned = made;
    CHECK(support::allocations_of([&] { copy.emplace(error); }) == 0);
    CHECK(support::allocations_of([&] { assigned = error; }) == 0);
    CHECK(support::allocations_of([&] { sliced.emplace(error); }) == 0);
    CHECK(&copy->details() == &error.details());
    check_same(*copy, error);
    check_same(assigned, error);
    check_same(*sliced, error);
  });
  const ApiError sliced = CircuitOpenError{long_text};
  std::optional<CircuitOpenError> made_anew;
  CHECK(support::allocations_of([&] { made_anew.emplace(sliced); }) == 0);
  CHECK(made_anew->name() == long_text);
}

TEST_CASE("E2 a copy outlives its original") {
  std::optional<ApiError> original{CircuitOpenError{long_text}.with_details(long_text).with_path(long_text)};
  const ApiError copy = *original;
  original.reset();
  CHECK(copy.details().text() == long_text);
  CHECK(copy.path() == long_text);
  CHECK(copy.message() == "circuit breaker '" + long_text + "' is open");
  CHECK(CircuitOpenError{copy}.name() == long_text);
}

TEST_CASE("E2 a moved-from error can still be asked and assigned to") {
  ApiError from = ApiError{ErrorCode::conflict, "moved"}.with_path("/path").with_details("details");
  const ApiError to = std::move(from);
  CHECK(to.path() == "/path");
  CHECK(from.code() == ErrorCode::conflict);  // NOLINT(bugprone-use-after-move)
  (void)from.message();
  (void)from.details();
  from = to;
  check_same(from, to);
}

TEST_CASE("E2 one error may be read, copied and built on by several threads") {
  const auto error = CircuitOpenError{"payments", 5s}.with_details({{"a", "b"}}).with_path("/pay");
  std::atomic<int> wrong{0};
  support::run_together(4, [&](int i) {
    for (int n = 0; n < 200; ++n) {
      const ApiError copy = error;
      const auto changed = error.with_request_id(std::to_string(i));
      const bool right = copy.path() == "/pay" && changed.request_id() == std::to_string(i) &&
                         changed.details() == error.details() && error.name() == "payments" &&
                         error.request_id().empty();
      if (!right) ++wrong;
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("E2 the timestamp is SystemClock's") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  clock.advance(90s);
  for_each_error([](const auto& error) { CHECK(error.timestamp() == noon + 90s); });
  CHECK(ApiError{ErrorCode::gone}.timestamp() == noon + 90s);
  const ApiError made = CircuitOpenError{};
  clock.advance(1h);
  CHECK(made.with_path("/later").timestamp() == noon + 90s);
  CHECK(TimeoutError{"late", noon}.timestamp() == noon);
  CHECK(CancelledError{"gone", noon}.timestamp() == noon);
}

TEST_CASE("E2 the timestamp is that of the policy's own clock where a policy makes the error") {
  const test::FakeClock clock;
  clock.set_wall(noon + 1000h);
  CircuitBreaker breaker{"payments", {}, clock};
  breaker.force_open();

  SECTION("thrown by a breaker") {
    try {
      breaker.execute([] {});
      FAIL("an open breaker admitted a call");
    } catch (const CircuitOpenError& error) {
      CHECK(error.timestamp() == noon + 1000h);
    }
  }
  SECTION("carried in a result") {
    const auto result = breaker.execute([]() -> support::Expected<int, ApiError> { return 1; });
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().timestamp() == noon + 1000h);
    CHECK(result.error().reason() == PolicyErrc::circuit_open);
  }
  SECTION("made from the Failure that a fallback was given") {
    const auto timestamp = breaker.execute([] { return WallPoint{}; },
                                           [](const Failure& failure) {
                                             try {
                                               failure.rethrow();
                                             } catch (const CircuitOpenError& error) {
                                               return error.timestamp();
                                             }
                                           });
    CHECK(timestamp == noon + 1000h);
  }
  SECTION("thrown by a retry that was cancelled before the first attempt") {
    std::stop_source stopped;
    stopped.request_stop();
    try {
      (void)retry_with_backoff([] { return 1; }, clock, stopped.get_token());
      FAIL("a cancelled retry gave a value");
    } catch (const CancelledError& error) {
      CHECK(error.timestamp() == noon + 1000h);
    }
  }
}

TEST_CASE("E2 slicing loses nothing: reason() and all the rest stay") {
  for_each_error([](const auto& made) {
    const auto error = made.with_category(ErrorCategory::internal)
                           .with_details({{"a", "b"}})
                           .with_request_id("req_1")
                           .with_path("/path")
                           .with_retry_after(7s)
                           .from_upstream("elsewhere");
    const ApiError sliced = error;
    check_same(sliced, error);
  });
  CHECK(ApiError{CircuitOpenError{}}.reason() == PolicyErrc::circuit_open);
  CHECK(ApiError{BulkheadFullError{}}.reason() == PolicyErrc::bulkhead_full);
  CHECK(ApiError{RateLimitedError{}}.reason() == PolicyErrc::rate_limited);
  CHECK(ApiError{TimeoutError{}}.reason() == PolicyErrc::timed_out);
  CHECK(ApiError{CancelledError{}}.reason() == PolicyErrc::cancelled);
}

TEST_CASE("E2 an ApiError is not made by accident") {
  static_assert(!std::is_default_constructible_v<ApiError>);
  static_assert(!std::is_convertible_v<ErrorCode, ApiError>);
  static_assert(!std::is_constructible_v<ApiError, int>);
  static_assert(!std::is_constructible_v<ApiError, std::string>);
  static_assert(!std::is_convertible_v<std::string_view, CircuitOpenError>);
  static_assert(!std::is_convertible_v<std::string_view, TimeoutError>);
  static_assert(!std::is_convertible_v<const ApiError&, RejectedError>);
  static_assert(!std::is_convertible_v<const ApiError&, CircuitOpenError>);
  SUCCEED();
}

TEST_CASE("E2 the getters never throw") {
  const ApiError error{ErrorCode::gone};
  static_assert(noexcept(error.code()));
  static_assert(noexcept(error.category()));
  static_assert(noexcept(error.reason()));
  static_assert(noexcept(error.details()));
  static_assert(noexcept(error.timestamp()));
  static_assert(noexcept(error.retry_after()));
  static_assert(noexcept(error.request_id()));
  static_assert(noexcept(error.path()));
  static_assert(noexcept(error.is_upstream()));
  static_assert(noexcept(error.upstream()));
  static_assert(noexcept(std::declval<const RejectedError&>().name()));
  SUCCEED();
}

// The library's own errors.

TEST_CASE("E4 each of the library's own errors: status, category, reason and text") {
  struct Row {
    ApiError error;
    ErrorCode code;
    ErrorCategory category;
    PolicyErrc reason;
    const char* text;
  };
  const Row rows[] = {
      {CircuitOpenError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::circuit_open, "circuit breaker is open"},
      {CircuitOpenError{"payments"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::circuit_open, "circuit breaker 'payments' is open"},
      {BulkheadFullError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::bulkhead_full, "bulkhead is full"},
      {BulkheadFullError{"db"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::bulkhead_full, "bulkhead 'db' is full"},
      {RateLimitedError{}, ErrorCode::rate_limit_exceeded, ErrorCategory::rate_limit,
       PolicyErrc::rate_limited, "rate limit reached"},
      {RateLimitedError{"api"}, ErrorCode::rate_limit_exceeded, ErrorCategory::rate_limit,
       PolicyErrc::rate_limited, "rate limit 'api' reached"},
      {TimeoutError{}, ErrorCode::gateway_timeout, ErrorCategory::external_service, PolicyErrc::timed_out,
       "timed out"},
      {TimeoutError{"orders: 10s"}, ErrorCode::gateway_timeout, ErrorCategory::external_service,
       PolicyErrc::timed_out, "orders: 10s"},
      {CancelledError{}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::cancelled, "cancelled"},
      {CancelledError{"shutdown"}, ErrorCode::service_unavailable, ErrorCategory::external_service,
       PolicyErrc::cancelled, "shutdown"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(row.error.code() == row.code);
    CHECK(row.error.category() == row.category);
    CHECK(row.error.reason() == row.reason);
    CHECK(row.error.message() == row.text);
    CHECK_FALSE(row.error.retry_after());
    CHECK(row.error.details().is_absent());
    CHECK_FALSE(row.error.is_upstream());
  }
}

TEST_CASE("E4 the statuses are 503, 503, 429, 504 and 503") {
  CHECK(static_cast<int>(CircuitOpenError{}.code()) == 503);
  CHECK(static_cast<int>(BulkheadFullError{}.code()) == 503);
  CHECK(static_cast<int>(RateLimitedError{}.code()) == 429);
  CHECK(static_cast<int>(TimeoutError{}.code()) == 504);
  CHECK(static_cast<int>(CancelledError{}.code()) == 503);
}

TEST_CASE("E4 a rejection carries how long to wait where it was told") {
  CHECK(CircuitOpenError{"payments", 30s}.retry_after() == 30s);
  CHECK(BulkheadFullError{"payments", 1min}.retry_after() == 60s);
  CHECK(RateLimitedError{"payments", 0s}.retry_after() == 0s);
  CHECK(CircuitOpenError{"payments", std::nullopt}.retry_after() == std::nullopt);
}

TEST_CASE("E4 a rejection knows the name of the policy that refused") {
  CHECK(CircuitOpenError{"payments"}.name() == "payments");
  CHECK(BulkheadFullError{"payments"}.name() == "payments");
  CHECK(RateLimitedError{std::string_view{"payments-eu"}.substr(0, 8)}.name() == "payments");
  CHECK(CircuitOpenError{}.name().empty());
  CHECK(BulkheadFullError{}.name().empty());
  CHECK(RateLimitedError{}.name().empty());
  CHECK(CircuitOpenError{"payments"}.with_path("/pay").from_upstream("bank").name() == "payments");
}

TEST_CASE("E4 the name is that of the breaker which rejected the call") {
  CircuitBreaker breaker{"payments", {.failure_threshold = 1, .reset_timeout = 2500ms}, test::FakeClock{}};
  breaker.try_acquire().failure();
  try {
    breaker.execute([] {});
    FAIL("an open breaker admitted a call");
  } catch (const RejectedError& error) {
    CHECK(error.name() == "payments");
    CHECK(error.retry_after() == 3s);
    CHECK(error.message() == "circuit breaker 'payments' is open");
  }
}

TEST_CASE("E4 an error that was sliced can be made anew, with its name and all it said") {
  const auto check = [](const auto& error) {
    using E = std::remove_cvref_t<decltype(error)>;
    const ApiError sliced = error.with_details({{"a", "b"}}).with_path("/path");
    const E again{sliced};
    check_same(again, sliced);
    const auto more = again.with_request_id("req_1");
    static_assert(std::is_same_v<decltype(more), const E>);
    CHECK(more.reason() == error.reason());
    return again;
  };
  CHECK(check(CircuitOpenError{"payments", 5s}).name() == "payments");
  CHECK(check(BulkheadFullError{"payments"}).name() == "payments");
  CHECK(check(RateLimitedError{"payments"}).name() == "payments");
  check(TimeoutError{"late"});
  check(CancelledError{"gone"});
  CHECK(RejectedError{ApiError{CircuitOpenError{"payments"}}}.name() == "payments");
  CHECK(RejectedError{ApiError{ErrorCode::service_unavailable}}.name().empty());
}

TEST_CASE("E4 what catches what") {
  for_each_error([](const auto& error) {
    using E = std::remove_cvref_t<decltype(error)>;
    CAPTURE(error.message());
    constexpr bool rejects = std::is_same_v<E, CircuitOpenError> || std::is_same_v<E, BulkheadFullError> ||
                             std::is_same_v<E, RateLimitedError> || std::is_same_v<E, RejectedError>;
    CHECK(catches<std::exception>(error));
    CHECK(catches<std::runtime_error>(error));
    CHECK(catches<ApiError>(error));
    CHECK(catches<RejectedError>(error) == rejects);
    CHECK(catches<CircuitOpenError>(error) == std::is_same_v<E, CircuitOpenError>);
    CHECK(catches<BulkheadFullError>(error) == std::is_same_v<E, BulkheadFullError>);
    CHECK(catches<RateLimitedError>(error) == std::is_same_v<E, RateLimitedError>);
    CHECK(catches<TimeoutError>(error) == std::is_same_v<E, TimeoutError>);
    CHECK(catches<CancelledError>(error) == std::is_same_v<E, CancelledError>);
    CHECK_FALSE(catches<std::logic_error>(error));
    CHECK_FALSE(catches<std::system_error>(error));
  });
}

TEST_CASE("E4 caught by a base, an error still says what it was") {
  for_each_error([](const auto& made) {
    const auto error = made.with_path("/path");
    try {
      throw error;
    } catch (const ApiError& caught) {
      check_same(caught, error);
    }
    try {
      throw error;
    } catch (const std::exception& caught) {
      CHECK(std::string_view{caught.what()} == made.message());
    }
  });
}

TEST_CASE("E4 an error goes through an exception_ptr unchanged") {
  const auto pointer = std::make_exception_ptr(CircuitOpenError{"payments", 5s}.with_path("/pay"));
  for (int times = 0; times < 2; ++times) {
    try {
      std::rethrow_exception(pointer);
    } catch (const CircuitOpenError& error) {
      CHECK(error.name() == "payments");
      CHECK(error.path() == "/pay");
      CHECK(error.retry_after() == 5s);
    }
  }
}

TEST_CASE("E4 a RejectedError is made by the library's policies only") {
  static_assert(std::is_abstract_v<RejectedError> || !std::is_default_constructible_v<RejectedError>);
  static_assert(!std::is_constructible_v<RejectedError, PolicyErrc>);
  static_assert(!std::is_constructible_v<RejectedError, std::string>);
  static_assert(std::is_default_constructible_v<CircuitOpenError>);
  static_assert(std::is_default_constructible_v<TimeoutError>);
  static_assert(std::is_default_constructible_v<CancelledError>);
  SUCCEED();
}

// Upstream.

TEST_CASE("E5 from_upstream marks an error that tells of somebody else's answer") {
  const auto error = ApiError{ErrorCode::bad_gateway, "orders: HTTP status 502"}.from_upstream("orders");
  CHECK(error.is_upstream());
  CHECK(error.upstream() == "orders");
  CHECK(error.message() == "orders: HTTP status 502");
  CHECK(error.code() == ErrorCode::bad_gateway);
  CHECK(error.reason() == ErrorCode::bad_gateway);
  CHECK(ApiError{ErrorCode::bad_gateway}.from_upstream("").is_upstream());
}

TEST_CASE("E5 the mark stays with copies, further with_ calls and slices") {
  for_each_error([](const auto& made) {
    const auto error = made.from_upstream("orders").with_path("/path").with_details("d").with_category(
        ErrorCategory::internal);
    const ApiError sliced = error;
    CHECK_FALSE(made.is_upstream());
    CHECK(error.is_upstream());
    CHECK(sliced.is_upstream());
    CHECK(sliced.upstream() == "orders");
  });
}

TEST_CASE("E2 the category may be given to the constructor") {
  const ApiError error{ErrorCode::validation_error, ErrorCategory::internal, "odd"};
  CHECK(error.code() == ErrorCode::validation_error);
  CHECK(error.category() == ErrorCategory::internal);
  CHECK(error.message() == "odd");
}

TEST_CASE("E2 and E3 every text may be a string_view") {
  const std::string_view text = "text";
  const auto error =
      ApiError{ErrorCode::gone, text}.with_path(text).with_request_id(text).from_upstream(text);
  CHECK(error.message() == "text");
  CHECK(error.path() == "text");
  CHECK(error.request_id() == "text");
  CHECK(error.upstream() == "text");
  CHECK(ErrorDetails{{"field", text}}.fields().front().second == "text");
  CHECK(ErrorDetails{{text, text}, {text, "other"}}.fields().size() == 2);
  CHECK(ErrorDetails::json(text).text() == "text");
  CHECK(TimeoutError{text}.message() == "text");
}

TEST_CASE("E2 a NUL in a message does not cut it short") {
  using namespace std::string_literals;
  CHECK(ApiError{ErrorCode::gone, "a\0b\0"s}.message() == "a\xEF\xBF\xBD"s + "b\xEF\xBF\xBD");
  CHECK(CircuitOpenError{"a\0b"s}.message() == "circuit breaker 'a\xEF\xBF\xBD"s + "b' is open");
  CHECK(CircuitOpenError{"a\0b"s}.name() == "a\0b"s);
}
