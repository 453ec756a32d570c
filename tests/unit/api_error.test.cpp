// What holds for every error of the library, and for those that its policies make.
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
#include <system_error>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/api_errors.hpp"
#include "support/expected.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::for_each_error;
using support::same;
using WallPoint = std::chrono::system_clock::time_point;

namespace {

constexpr WallPoint noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;
const std::string long_text(200, 'x');

/// Would `catch (const Caught&)` catch it, if thrown as what it is?
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

}  // namespace

TEST_CASE("E2 the with_ functions return a changed copy and leave the original as it was", "[E2]") {
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
    CHECK(same(original, before));
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

TEST_CASE("E2 copying, assigning, slicing and making anew allocate nothing, however much an error says",
          "[E2]") {
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
    CHECK(same(*copy, error));
    CHECK(same(assigned, error));
  });
  const ApiError sliced = CircuitOpenError{long_text};
  std::optional<CircuitOpenError> made_anew;
  CHECK(support::allocations_of([&] { made_anew.emplace(sliced); }) == 0);
  CHECK(made_anew->name() == long_text);
}

TEST_CASE("E2 a copy outlives its original", "[E2]") {
  std::optional<ApiError> original{CircuitOpenError{long_text}.with_details(long_text).with_path(long_text)};
  const ApiError copy = *original;
  original.reset();
  CHECK(copy.details().text() == long_text);
  CHECK(copy.path() == long_text);
  CHECK(copy.message() == "circuit breaker '" + long_text + "' is open");
  CHECK(CircuitOpenError{copy}.name() == long_text);
}

TEST_CASE("E2 a moved-from error can still be read and assigned to", "[E2]") {
  ApiError from = ApiError{ErrorCode::conflict, "moved"}.with_path("/path").with_details("details");
  const ApiError to = std::move(from);
  CHECK(to.path() == "/path");
  CHECK(from.code() == ErrorCode::conflict);  // NOLINT(bugprone-use-after-move)
  (void)from.message();
  (void)from.details();
  from = to;
  CHECK(same(from, to));
}

TEST_CASE("E2 slicing loses nothing", "[E2]") {
  for_each_error([](const auto& made) {
    const auto error = made.with_category(ErrorCategory::internal)
                           .with_details({{"a", "b"}})
                           .with_request_id("req_1")
                           .with_path("/path")
                           .with_retry_after(7s)
                           .from_upstream("elsewhere");
    const ApiError sliced = error;
    CHECK(same(sliced, error));
  });
}

TEST_CASE("E2 several threads may read, copy and change one error", "[E2]") {
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

TEST_CASE("E2 the timestamp is SystemClock's", "[E2]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  clock.advance(90s);
  for_each_error([](const auto& error) { CHECK(error.timestamp() == noon + 90s); });
  const ApiError made = CircuitOpenError{};
  clock.advance(1h);
  CHECK(made.with_path("/later").timestamp() == noon + 90s);
  CHECK(TimeoutError{"late", noon}.timestamp() == noon);
  CHECK(CancelledError{"gone", noon}.timestamp() == noon);
}

TEST_CASE("E2 if a policy makes the error, the timestamp is that of the policy's own clock", "[E2]") {
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
  SECTION("made from the Failure that a fallback received") {
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

TEST_CASE("E4 what catches what", "[E4]") {
  for_each_error([](const auto& error) {
    using E = std::remove_cvref_t<decltype(error)>;
    CAPTURE(error.message());
    constexpr bool rejects = std::is_same_v<E, CircuitOpenError> || std::is_same_v<E, BulkheadFullError> ||
                             std::is_same_v<E, RateLimitedError> || std::is_same_v<E, ThrottledError> ||
                             std::is_same_v<E, RejectedError>;
    CHECK(catches<std::runtime_error>(error));
    CHECK(catches<ApiError>(error));
    CHECK(catches<RejectedError>(error) == rejects);
    CHECK(catches<CircuitOpenError>(error) == std::is_same_v<E, CircuitOpenError>);
    CHECK(catches<BulkheadFullError>(error) == std::is_same_v<E, BulkheadFullError>);
    CHECK(catches<RateLimitedError>(error) == std::is_same_v<E, RateLimitedError>);
    CHECK(catches<ThrottledError>(error) == std::is_same_v<E, ThrottledError>);
    CHECK(catches<TimeoutError>(error) == std::is_same_v<E, TimeoutError>);
    CHECK(catches<CancelledError>(error) == std::is_same_v<E, CancelledError>);
    CHECK_FALSE(catches<std::logic_error>(error));
    CHECK_FALSE(catches<std::system_error>(error));
  });
}

TEST_CASE("E5 the mark of an upstream stays with copies, further with_ calls and slices", "[E5]") {
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
