#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cerrno>
#include <climits>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Breaker = CircuitBreaker<test::FakeClock>;

template <class E>
Failure thrown(const E& error) {
  try {
    throw error;
  } catch (...) {
    return Failure::from_current_exception();
  }
}

/// Every way in which a failure can tell of this code.
std::vector<Failure> each_way(std::error_code code) {
  return {Failure{code}, thrown(code), thrown(std::system_error{code}),
          thrown(std::system_error{code, "op"})};
}

std::vector<Failure> each_way(const ApiError& error) { return {Failure{error}, thrown(error)}; }

template <class E>
std::vector<Failure> whole_and_sliced(const E& error) {
  const ApiError sliced = error;
  return {Failure{error}, Failure{sliced}, thrown(error), thrown(sliced)};
}

std::vector<Failure> each_way(int status) {
  std::vector<Failure> ways = each_way(std::error_code{status, api_error_category()});
  ways.push_back(Failure::from_status(status));
  ways.push_back(Failure::from_status(status, 5s));
  for (const Failure& way : each_way(ApiError{static_cast<ErrorCode>(status), "text"})) ways.push_back(way);
  return ways;
}

std::vector<Failure> unknown_exceptions() {
  return {thrown(std::runtime_error{"x"}), thrown(std::bad_alloc{}),        thrown(42),
          thrown(std::string{"x"}),        thrown(std::errc::timed_out),    thrown(ErrorCode::not_found),
          Failure{std::error_code{}},      Failure::from_exception(nullptr)};
}

/// Another library's codes: 1 is its cancellation, 2 its timeout, 3 its refused connection.
class ForeignCategory : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "foreign"; }
  [[nodiscard]] std::string message(int) const override { return "foreign"; }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (value) {
      case 1: return std::errc::operation_canceled;
      case 2: return std::errc::timed_out;
      case 3: return std::errc::connection_refused;
      case 4: return std::errc::connection_reset;
      default: return {value, *this};
    }
  }
};

/// The same, said by equivalent().
class EquivalentCategory : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "equivalent"; }
  [[nodiscard]] std::string message(int) const override { return "equivalent"; }
  [[nodiscard]] bool equivalent(int value, const std::error_condition& condition) const noexcept override {
    return (value == 1 && condition == std::errc::operation_canceled) ||
           (value == 2 && condition == std::errc::timed_out) ||
           (value == 3 && condition == std::errc::connection_refused) ||
           (value == 4 && condition == std::errc::connection_reset);
  }
};

/// Asio's resolver errors go by this name.
class ResolverCategory : public std::error_category {
 public:
  explicit ResolverCategory(const char* name) : name_{name} {}
  [[nodiscard]] const char* name() const noexcept override { return name_; }
  [[nodiscard]] std::string message(int) const override { return "resolver"; }

 private:
  const char* name_;
};

const ForeignCategory foreign;
const EquivalentCategory equivalent;
const ResolverCategory asio_netdb{"asio.netdb"};
const ResolverCategory boost_netdb{"boost.asio.netdb"};

void check_outcome(const std::vector<Failure>& failures, Outcome expected) {
  for (const Failure& failure : failures) {
    CAPTURE(failure.message());
    CHECK(default_outcome(failure) == expected);
  }
}

void check_transient(const std::vector<Failure>& failures, bool expected) {
  for (const Failure& failure : failures) {
    CAPTURE(failure.message());
    CHECK(failure.is_transient() == expected);
  }
}

void check_rejection(const std::vector<Failure>& failures, bool expected) {
  for (const Failure& failure : failures) {
    CAPTURE(failure.message());
    CHECK(failure.is_rejection() == expected);
  }
}

void check_cancellation(const std::vector<Failure>& failures, bool expected) {
  for (const Failure& failure : failures) {
    CAPTURE(failure.message());
    CHECK(failure.is_cancellation() == expected);
  }
}

/// How often op is called by a retry with two retries.
template <class Op, class... Options>
int calls_of(Op op, Options... options) {
  const test::FakeClock clock;
  int calls = 0;
  const auto counted = [&] {
    ++calls;
    op();
  };
  (void)try_retry_with_backoff(counted, {.max_retries = 2}, clock, options...);
  return calls;
}

}  // namespace

TEST_CASE("F2 a status of 408, 429 or 500 up is a failure, another 4xx a success, however it is told") {
  for (int status = 100; status <= 599; ++status) {
    const bool answered = status >= 400 && status < 500 && status != 408 && status != 429;
    CAPTURE(status);
    check_outcome(each_way(status), answered ? Outcome::success : Outcome::failure);
  }
}

TEST_CASE("F2 a number that is no HTTP status is a failure") {
  for (const int status : {600, 999, 65'536, INT_MAX, 99, 1, -1, -404, INT_MIN}) {
    CAPTURE(status);
    check_outcome(each_way(status), Outcome::failure);
  }
  CHECK(default_outcome(Failure::from_status(0)) == Outcome::failure);
}

TEST_CASE("F2 a Retry-After does not change what a status is") {
  CHECK(default_outcome(Failure::from_status(404, 60s)) == Outcome::success);
  CHECK(default_outcome(Failure::from_status(429, 60s)) == Outcome::failure);
}

TEST_CASE("F2 a verdict of the library is ignored, but a timeout is a failure") {
  struct Row {
    PolicyErrc errc;
    Outcome outcome;
  };
  for (const Row& row :
       {Row{PolicyErrc::circuit_open, Outcome::ignored}, Row{PolicyErrc::bulkhead_full, Outcome::ignored},
        Row{PolicyErrc::rate_limited, Outcome::ignored}, Row{PolicyErrc::cancelled, Outcome::ignored},
        Row{PolicyErrc::timed_out, Outcome::failure}}) {
    check_outcome(each_way(make_error_code(row.errc)), row.outcome);
  }
  check_outcome(whole_and_sliced(CircuitOpenError{"b", 5s}), Outcome::ignored);
  check_outcome(whole_and_sliced(BulkheadFullError{"b"}), Outcome::ignored);
  check_outcome(whole_and_sliced(RateLimitedError{"b", 5s}), Outcome::ignored);
  check_outcome(whole_and_sliced(CancelledError{}), Outcome::ignored);
  check_outcome(whole_and_sliced(TimeoutError{}), Outcome::failure);
  check_outcome({Failure::from_rejection(CircuitOpenError::origin_for("b"), 1s, {})}, Outcome::ignored);
}

TEST_CASE("F2 a network error is a failure") {
  for (const NetworkErrc errc : {NetworkErrc::connection_reset, NetworkErrc::timed_out,
                                 NetworkErrc::host_not_found, NetworkErrc::connection_refused}) {
    check_outcome(each_way(make_error_code(errc)), Outcome::failure);
  }
}

TEST_CASE("F2 of the POSIX errors only operation_canceled is ignored; all others are failures") {
  for (const auto* category : {&std::generic_category(), &std::system_category()}) {
    check_outcome(each_way({ECANCELED, *category}), Outcome::ignored);
    for (const int error : {ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPIPE, EAGAIN,
                            EINTR, ENOENT, EACCES, EINVAL, ENOMEM, EPERM}) {
      CAPTURE(error);
      check_outcome(each_way({error, *category}), Outcome::failure);
    }
  }
}

TEST_CASE("F2 operation_canceled of any category is ignored, any category's timeout is a failure") {
  for (const std::error_category* category : {static_cast<const std::error_category*>(&foreign),
                                              static_cast<const std::error_category*>(&equivalent)}) {
    check_outcome(each_way({1, *category}), Outcome::ignored);
    check_outcome(each_way({2, *category}), Outcome::failure);
    check_outcome(each_way({3, *category}), Outcome::failure);
    check_outcome(each_way({99, *category}), Outcome::failure);
  }
}

TEST_CASE("F2 an ApiError's reason comes before its status") {
  const auto error = [](ErrorCode code, std::error_code reason) {
    return each_way(ApiError{code, "text", reason, {}});
  };
  check_outcome(error(ErrorCode::internal_server_error, {1, foreign}), Outcome::ignored);
  check_outcome(error(ErrorCode::bad_request, {1, foreign}), Outcome::ignored);
  check_outcome(error(ErrorCode::bad_request, {2, foreign}), Outcome::failure);
  check_outcome(error(ErrorCode::bad_request, std::make_error_code(std::errc::timed_out)), Outcome::failure);
  check_outcome(error(ErrorCode::bad_request, make_error_code(PolicyErrc::timed_out)), Outcome::failure);
  check_outcome(error(ErrorCode::internal_server_error, make_error_code(PolicyErrc::rate_limited)),
                Outcome::ignored);
}

TEST_CASE("F2 an ApiError about a network error is a failure: no dependency answered with its status") {
  check_outcome(each_way(ApiError{ErrorCode::bad_request, "x", NetworkErrc::connection_refused, {}}),
                Outcome::failure);
  check_outcome(each_way(ApiError{ErrorCode::not_found, "x", NetworkErrc::host_not_found, {}}),
                Outcome::failure);
}

TEST_CASE("F2 an ApiError's given category does not count, its status does") {
  const ApiError missing{ErrorCode::not_found, "text"};
  check_outcome(each_way(missing.with_category(ErrorCategory::network)), Outcome::success);
  const ApiError broken{ErrorCode::internal_server_error, "text"};
  check_outcome(each_way(broken.with_category(ErrorCategory::validation)), Outcome::failure);
}

TEST_CASE("F2 an exception of unknown type, and a failure without a code, is a failure") {
  check_outcome(unknown_exceptions(), Outcome::failure);
}

TEST_CASE("F2 is how a breaker judges unless its config says otherwise") {
  CHECK(CircuitBreakerConfig{}.classify == default_outcome);
  const test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 0}, clock};
  const auto call = [&](const auto& error) {
    try {
      breaker.execute([&] { throw error; });
    } catch (...) {
    }
  };
  const auto counts = [&] {
    const CircuitBreakerStats stats = breaker.stats();
    return std::vector<std::uint64_t>{static_cast<std::uint64_t>(stats.success_count),
                                      static_cast<std::uint64_t>(stats.failure_count),
                                      static_cast<std::uint64_t>(stats.ignored_count)};
  };
  using Counts = std::vector<std::uint64_t>;
  call(ApiError{ErrorCode::not_found});
  CHECK(counts() == Counts{1, 0, 0});
  call(ApiError{ErrorCode::request_timeout});
  CHECK(counts() == Counts{1, 1, 0});
  call(CircuitOpenError{"other"});
  CHECK(counts() == Counts{1, 1, 1});
  call(CancelledError{});
  CHECK(counts() == Counts{1, 1, 2});
  call(TimeoutError{});
  CHECK(counts() == Counts{1, 2, 2});
  call(std::system_error{std::make_error_code(std::errc::operation_canceled)});
  CHECK(counts() == Counts{1, 2, 3});
  call(std::error_code{1, foreign});
  CHECK(counts() == Counts{1, 2, 4});
  call(42);
  CHECK(counts() == Counts{1, 3, 4});
}

TEST_CASE("F3 of the statuses exactly 408, 429, 500, 502, 503 and 504 are transient, however told") {
  const std::set<int> retryable{408, 429, 500, 502, 503, 504};
  for (int status = 100; status <= 599; ++status) {
    CAPTURE(status);
    check_transient(each_way(status), retryable.count(status) == 1);
  }
  for (const int status : {600, 1408, INT_MAX, 0, -1, -503, INT_MIN}) {
    CAPTURE(status);
    CHECK_FALSE(Failure::from_status(status).is_transient());
  }
}

TEST_CASE("F3 a rejection or a cancellation is not transient, whatever its status; a timeout is") {
  for (const PolicyErrc errc : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited,
                                PolicyErrc::cancelled}) {
    check_transient(each_way(make_error_code(errc)), false);
  }
  check_transient(each_way(make_error_code(PolicyErrc::timed_out)), true);
  check_transient(whole_and_sliced(CircuitOpenError{"b", 5s}), false);
  check_transient(whole_and_sliced(BulkheadFullError{"b", 5s}), false);
  check_transient(whole_and_sliced(RateLimitedError{"b", 5s}), false);
  check_transient(whole_and_sliced(CancelledError{}), false);
  check_transient(whole_and_sliced(TimeoutError{}), true);
  check_transient({Failure::from_rejection(CircuitOpenError::origin_for("b"), 1s, {})}, false);
}

TEST_CASE("F3 a rejection that somebody made look like a network error is still not transient") {
  const CircuitOpenError error = CircuitOpenError{"b"}.with_category(ErrorCategory::network);
  check_transient(whole_and_sliced(error), false);
}

TEST_CASE("F3 a network error and its POSIX twin are transient") {
  for (const NetworkErrc errc : {NetworkErrc::connection_reset, NetworkErrc::timed_out,
                                 NetworkErrc::host_not_found, NetworkErrc::connection_refused}) {
    check_transient(each_way(make_error_code(errc)), true);
  }
  for (const auto* category : {&std::generic_category(), &std::system_category()}) {
    for (const int error : {ECONNRESET, ETIMEDOUT, ECONNREFUSED}) {
      CAPTURE(error);
      check_transient(each_way({error, *category}), true);
    }
    for (const int error : {ECANCELED, EHOSTUNREACH, ENETUNREACH, EPIPE, EAGAIN, ENOENT, EACCES, EINVAL}) {
      CAPTURE(error);
      check_transient(each_way({error, *category}), false);
    }
  }
}

TEST_CASE("F3 another library's code is transient where it says that it is such an error") {
  for (const std::error_category* category : {static_cast<const std::error_category*>(&foreign),
                                              static_cast<const std::error_category*>(&equivalent)}) {
    check_transient(each_way({1, *category}), false);
    check_transient(each_way({2, *category}), true);
    check_transient(each_way({3, *category}), true);
    check_transient(each_way({4, *category}), true);
    check_transient(each_way({99, *category}), false);
  }
  for (const ResolverCategory* category : {&asio_netdb, &boost_netdb}) {
    check_transient(each_way({1, *category}), true);
    check_transient(each_way({4, *category}), false);
  }
}

TEST_CASE("F3 an ApiError is transient by its status, its category network, or its reason") {
  const ApiError conflict{ErrorCode::conflict, "text"};
  check_transient(each_way(conflict), false);
  check_transient(each_way(conflict.with_category(ErrorCategory::network)), true);
  check_transient(each_way(conflict.with_category(ErrorCategory::external_service)), false);
  const auto because = [](std::error_code reason) {
    return each_way(ApiError{ErrorCode::conflict, "text", reason, {}});
  };
  check_transient(because(make_error_code(NetworkErrc::host_not_found)), true);
  check_transient(because(std::make_error_code(std::errc::connection_reset)), true);
  check_transient(because({2, foreign}), true);
  check_transient(because(std::make_error_code(std::errc::broken_pipe)), false);
  const ApiError unavailable{ErrorCode::service_unavailable, "text", {1, foreign}, {}};
  check_transient(each_way(unavailable), false);
  check_transient(each_way(unavailable.with_category(ErrorCategory::network)), false);
}

TEST_CASE("F3 an unknown exception is not transient, nor is a failure without a code") {
  check_transient(unknown_exceptions(), false);
}

TEST_CASE("F3 an unknown exception is retried only where retry_if says so") {
  const auto op = [] { throw 42; };
  CHECK(calls_of(op) == 1);
  CHECK(calls_of(op, retry_if([](const Failure&) { return true; })) == 3);
  CHECK(calls_of(op, retry_if([](const Failure&) { return false; })) == 1);
}

TEST_CASE("F3 is what a retry goes by: one call of what is not transient, all of what is") {
  CHECK(calls_of([] { throw ApiError{ErrorCode::service_unavailable}; }) == 3);
  CHECK(calls_of([] { throw ApiError{ErrorCode::not_implemented}; }) == 1);
  CHECK(calls_of([] { throw TimeoutError{}; }) == 3);
  CHECK(calls_of([] { throw CancelledError{}; }) == 1);
  CHECK(calls_of([] { throw std::system_error{NetworkErrc::connection_refused}; }) == 3);
  CHECK(calls_of([] { throw std::system_error{ENOENT, std::generic_category()}; }) == 1);
}

TEST_CASE("F3 an open breaker's error is never retried by default, whole, sliced or a bare code") {
  CHECK(calls_of([] { throw CircuitOpenError{"b", 1s}; }) == 1);
  CHECK(calls_of([] { throw ApiError{CircuitOpenError{"b", 1s}}; }) == 1);
  CHECK(calls_of([] { throw make_error_code(PolicyErrc::circuit_open); }) == 1);
  CHECK(calls_of([] { throw std::system_error{PolicyErrc::circuit_open}; }) == 1);

  const test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  breaker.force_open();
  int reached = 0;
  const auto calls = [&](auto op) {
    const auto result = try_retry_with_backoff([&] { return breaker.execute(op); }, clock);
    CHECK(result.error().is_rejection());
    return result.stats.attempts;
  };
  CHECK(calls([&] { return ++reached; }) == 1);
  CHECK(calls([&]() -> std::error_code {
          ++reached;
          return {};
        }) == 1);
  CHECK(reached == 0);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("A rejection is PolicyErrc's circuit_open, bulkhead_full and rate_limited, in every form") {
  for (const PolicyErrc errc :
       {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited}) {
    check_rejection(each_way(make_error_code(errc)), true);
  }
  check_rejection(whole_and_sliced(CircuitOpenError{"b"}), true);
  check_rejection(whole_and_sliced(BulkheadFullError{"b"}), true);
  check_rejection(whole_and_sliced(RateLimitedError{"b"}), true);

  for (const PolicyErrc errc : {PolicyErrc::timed_out, PolicyErrc::cancelled}) {
    check_rejection(each_way(make_error_code(errc)), false);
  }
  check_rejection(whole_and_sliced(TimeoutError{}), false);
  check_rejection(whole_and_sliced(CancelledError{}), false);
  check_rejection(each_way(503), false);
  check_rejection(each_way(429), false);
  check_rejection(each_way(std::error_code{1, foreign}), false);
  check_rejection(unknown_exceptions(), false);
}

TEST_CASE("A cancellation is CancelledError, its code, and operation_canceled of any category") {
  check_cancellation(whole_and_sliced(CancelledError{}), true);
  check_cancellation(whole_and_sliced(CancelledError{"the user left"}), true);
  check_cancellation(each_way(make_error_code(PolicyErrc::cancelled)), true);
  check_cancellation(each_way(std::make_error_code(std::errc::operation_canceled)), true);
  check_cancellation(each_way(std::error_code{ECANCELED, std::system_category()}), true);
  check_cancellation(each_way(std::error_code{1, foreign}), true);
  check_cancellation(each_way(std::error_code{1, equivalent}), true);

  for (const PolicyErrc errc : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited,
                                PolicyErrc::timed_out}) {
    check_cancellation(each_way(make_error_code(errc)), false);
  }
  check_cancellation(each_way(std::make_error_code(std::errc::interrupted)), false);
  check_cancellation(each_way(std::error_code{2, foreign}), false);
  check_cancellation(each_way(503), false);
  check_cancellation(each_way(ECANCELED), false);
  check_cancellation(unknown_exceptions(), false);
}

TEST_CASE("A timeout is TimeoutError, its code, NetworkErrc's, and timed_out of any category") {
  const auto check = [](const std::vector<Failure>& failures, bool expected) {
    for (const Failure& failure : failures) {
      CAPTURE(failure.message());
      CHECK(failure.is_timeout() == expected);
    }
  };
  check(whole_and_sliced(TimeoutError{"too slow"}), true);
  check(each_way(make_error_code(PolicyErrc::timed_out)), true);
  check(each_way(make_error_code(NetworkErrc::timed_out)), true);
  check(each_way(std::make_error_code(std::errc::timed_out)), true);
  check(each_way(std::error_code{2, foreign}), true);
  check(each_way(std::error_code{2, equivalent}), true);
  check(whole_and_sliced(CancelledError{}), false);
  check(each_way(make_error_code(NetworkErrc::connection_reset)), false);
  check(each_way(504), false);
  check(unknown_exceptions(), false);
}
