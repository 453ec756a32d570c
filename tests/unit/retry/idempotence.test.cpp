#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/error_categories.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

const auto retry_all = retry_if([](const Failure&) { return true; });

template <class... Options>
RetryStats stats_of(const std::function<void()>& op, Options&&... options) {
  return try_retry_with_backoff(op, {.max_retries = 1, .max_delay = 10s, .idempotent = false},
                                test::FakeClock{}, options...)
      .stats;
}

std::function<void()> throws(std::error_code code) {
  return [code] { throw std::system_error{code}; };
}

struct Row {
  std::string what;
  std::function<void()> op;
  bool retried;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const RetryStats stats = stats_of(row.op, retry_all);
    CHECK(stats.attempts == (row.retried ? 2 : 1));
    CHECK(stats.stop_reason == (row.retried ? StopReason::retries_exhausted : StopReason::not_retryable));
  }
}

}  // namespace

TEST_CASE("R7 not idempotent: of the network errors only those that came before the request", "[R7]") {
  check({
      {"NetworkErrc::connection_refused", throws(NetworkErrc::connection_refused), true},
      {"NetworkErrc::host_not_found", throws(NetworkErrc::host_not_found), true},
      {"NetworkErrc::connection_reset", throws(NetworkErrc::connection_reset), false},
      {"NetworkErrc::timed_out", throws(NetworkErrc::timed_out), false},
      {"ECONNREFUSED", throws({ECONNREFUSED, std::system_category()}), true},
      {"ECONNREFUSED, generic", throws(std::make_error_code(std::errc::connection_refused)), true},
      {"ECONNRESET", throws({ECONNRESET, std::system_category()}), false},
      {"ETIMEDOUT", throws({ETIMEDOUT, std::generic_category()}), false},
      {"EPIPE", throws(std::make_error_code(std::errc::broken_pipe)), false},
      {"EHOSTUNREACH", throws(std::make_error_code(std::errc::host_unreachable)), false},
      {"a bare error_code", [] { throw make_error_code(NetworkErrc::connection_refused); }, true},
      {"an ApiError with that reason",
       [] {
         throw ApiError{ErrorCode::bad_gateway, "refused", NetworkErrc::connection_refused,
                        std::chrono::system_clock::time_point{}};
       },
       true},
      {"an ApiError of category network",
       [] { throw ApiError{ErrorCode::bad_gateway}.with_category(ErrorCategory::network); }, false},
  });
}

TEST_CASE("R7 not idempotent: errors of other libraries are recognised", "[R7]") {
  static const support::NamedCategory asio{"asio.netdb"};
  static const support::NamedCategory boost{"boost.asio.netdb"};
  static const support::NamedCategory other{"other.netdb"};
  static const support::MappedCategory mapped;
  check({
      {"asio host_not_found", throws({1, asio}), true},
      {"boost.asio host_not_found", throws({1, boost}), true},
      {"asio no_recovery", throws({3, asio}), false},
      {"a category of another name", throws({1, other}), false},
      {"a category that maps to connection_refused", throws({3, mapped}), true},
      {"a category that maps to connection_reset", throws({4, mapped}), false},
  });
}

TEST_CASE("R7 E1 not idempotent: a refused connection of standalone Asio's own category is retried",
          "[R7][E1]") {
  const support::NamedCategory asio{"asio.system"};
  check({
      {"ECONNREFUSED", throws({ECONNREFUSED, asio}), true},
      {"ECONNRESET", throws({ECONNRESET, asio}), false},
      {"EHOSTUNREACH", throws({EHOSTUNREACH, asio}), false},
  });
}

TEST_CASE("R7 not idempotent: of the statuses only 429, and 503 that carries Retry-After", "[R7]") {
  for (int status = 400; status < 600; ++status) {
    CAPTURE(status);
    for (const auto& retry_after : std::vector<std::optional<std::chrono::seconds>>{std::nullopt, 0s, 5s}) {
      const auto result = try_retry_with_backoff(
          [] { return 0; }, {.max_retries = 1, .idempotent = false}, test::FakeClock{}, retry_all,
          failure_if([&](int) { return std::optional{Failure::from_status(status, retry_after)}; }));
      const bool retried = status == 429 || (status == 503 && retry_after);
      CHECK(result.stats.attempts == (retried ? 2 : 1));
    }
  }
}

TEST_CASE("R7 not idempotent: statuses that come as exceptions and as codes", "[R7]") {
  check({
      {"ApiError 429", [] { throw ApiError{ErrorCode::rate_limit_exceeded}; }, true},
      {"ApiError 503", [] { throw ApiError{ErrorCode::service_unavailable}; }, false},
      {"ApiError 503, Retry-After",
       [] { throw ApiError{ErrorCode::service_unavailable}.with_retry_after(2s); }, true},
      {"ApiError 502, Retry-After", [] { throw ApiError{ErrorCode::bad_gateway}.with_retry_after(2s); },
       false},
      {"ApiError 500", [] { throw ApiError{ErrorCode::internal_server_error}; }, false},
      {"ApiError 408", [] { throw ApiError{ErrorCode::request_timeout}; }, false},
      {"ApiError 400", [] { throw ApiError{ErrorCode::validation_error}; }, false},
      {"code 429", throws(ErrorCode::rate_limit_exceeded), true},
      {"code 503", throws(ErrorCode::service_unavailable), false},
  });
}

TEST_CASE("R7 not idempotent: the library's own verdicts and unknown exceptions", "[R7]") {
  check({
      {"TimeoutError", [] { throw TimeoutError{}; }, false},
      {"PolicyErrc::timed_out", throws(PolicyErrc::timed_out), false},
      {"RateLimitedError, a 429", [] { throw RateLimitedError{}; }, true},
      {"CircuitOpenError, a 503 with Retry-After", [] { throw CircuitOpenError{"b", 5s}; }, true},
      {"CircuitOpenError, a 503 without", [] { throw CircuitOpenError{"b"}; }, false},
      {"BulkheadFullError, a 503 without", [] { throw BulkheadFullError{}; }, false},
      {"PolicyErrc::circuit_open", throws(PolicyErrc::circuit_open), false},
      {"std::runtime_error", [] { throw std::runtime_error{"unknown"}; }, false},
      {"int", [] { throw 42; }, false},
  });
}

TEST_CASE("R7 not idempotent: a cancellation stays one", "[R7]") {
  for (const auto& op : std::vector<std::function<void()>>{
           [] { throw CancelledError{}; },
           [] { throw CancelledError{}.with_retry_after(1s); },
           throws(std::make_error_code(std::errc::operation_canceled)),
       }) {
    const RetryStats stats = stats_of(op, retry_all);
    CHECK(stats.attempts == 1);
    CHECK(stats.stop_reason == StopReason::cancelled);
  }
}

TEST_CASE("R7 not idempotent: returned errors are judged alike", "[R7]") {
  using Result = support::Expected<int, ApiError>;
  const auto attempts = [](const auto& error) {
    return try_retry_with_backoff([&] { return error; }, {.max_retries = 1, .idempotent = false},
                                  test::FakeClock{}, retry_all)
        .stats.attempts;
  };
  CHECK(attempts(make_error_code(NetworkErrc::connection_refused)) == 2);
  CHECK(attempts(make_error_code(NetworkErrc::connection_reset)) == 1);
  CHECK(attempts(Result{support::Unexpected{ApiError{ErrorCode::rate_limit_exceeded}}}) == 2);
  CHECK(attempts(Result{support::Unexpected{ApiError{ErrorCode::gateway_timeout}}}) == 1);
  CHECK(attempts(
            Result{support::Unexpected{ApiError{ErrorCode::service_unavailable}.with_retry_after(1s)}}) == 2);
}

TEST_CASE("R7 not idempotent: retry_if still decides about the rest", "[R7]") {
  const auto none = retry_if([](const Failure&) { return false; });
  CHECK(stats_of(throws(NetworkErrc::connection_refused), none).attempts == 1);
  CHECK(stats_of([] { throw ApiError{ErrorCode::rate_limit_exceeded}; }, none).attempts == 1);
}

TEST_CASE("R7 not idempotent: without retry_if the default still refuses rejections", "[R7]") {
  CHECK(stats_of(throws(NetworkErrc::connection_refused)).attempts == 2);
  CHECK(stats_of(throws(NetworkErrc::host_not_found)).attempts == 2);
  CHECK(stats_of([] { throw ApiError{ErrorCode::rate_limit_exceeded}; }).attempts == 2);
  CHECK(stats_of([] { throw ApiError{ErrorCode::service_unavailable}.with_retry_after(2s); }).attempts == 2);
  CHECK(stats_of([] { throw CircuitOpenError{"b", 5s}; }).attempts == 1);
  CHECK(stats_of([] { throw RateLimitedError{}; }).attempts == 1);
  CHECK(stats_of([] { throw TimeoutError{}; }).attempts == 1);
}

TEST_CASE("R7 not idempotent: a 503 counts by its Retry-After even if that is not honoured", "[R7]") {
  const auto op = [] { throw ApiError{ErrorCode::service_unavailable}.with_retry_after(5s); };
  test::FakeClock clock;
  const RetryConfig config{
      .max_retries = 1, .jitter = Jitter::none, .honor_retry_after = false, .idempotent = false};
  CHECK(try_retry_with_backoff(op, config, clock).stats.attempts == 2);
  CHECK(clock.sleeps() == support::Delays{1s});
}

TEST_CASE("R7 not idempotent: the other limits hold as always", "[R7]") {
  const auto busy = [](std::chrono::seconds retry_after) {
    return [=] { throw ApiError{ErrorCode::service_unavailable}.with_retry_after(retry_after); };
  };
  CHECK(stats_of(busy(11s)).stop_reason == StopReason::retry_after_too_long);
  support::Budget budget;
  CHECK(stats_of(busy(1s), budget).stop_reason == StopReason::budget_exhausted);
  CHECK(stats_of(throws(NetworkErrc::connection_reset), budget).stop_reason == StopReason::not_retryable);
  CHECK(budget.asked == 1);
}

TEST_CASE("R7 idempotent calls retry what may have been processed", "[R7]") {
  const RetryConfig config{.max_retries = 1};
  CHECK(config.idempotent);
  for (const auto errc : {NetworkErrc::connection_reset, NetworkErrc::timed_out}) {
    CHECK(try_retry_with_backoff(throws(errc), config, test::FakeClock{}).stats.attempts == 2);
  }
}
