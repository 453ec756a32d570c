#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cerrno>
#include <climits>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/error_categories.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::thrown;

namespace {

/// What the library makes of a failure.
struct Verdict {
  Outcome outcome = Outcome::failure;  // by default_outcome
  bool transient = false;
  bool rejection = false;
  bool cancellation = false;
  bool timeout = false;
};

constexpr Verdict answered{.outcome = Outcome::success};
constexpr Verdict permanent{};
constexpr Verdict transient{.transient = true};
constexpr Verdict timed_out{.transient = true, .timeout = true};
constexpr Verdict rejected{.outcome = Outcome::ignored, .rejection = true};
constexpr Verdict cancelled{.outcome = Outcome::ignored, .cancellation = true};

void check(const std::vector<Failure>& failures, const Verdict& expected) {
  for (const Failure& failure : failures) {
    CAPTURE(failure.message());
    CHECK(default_outcome(failure) == expected.outcome);
    CHECK(failure.is_transient() == expected.transient);
    CHECK(failure.is_rejection() == expected.rejection);
    CHECK(failure.is_cancellation() == expected.cancellation);
    CHECK(failure.is_timeout() == expected.timeout);
  }
}

/// A code in every form in which it can arrive.
std::vector<Failure> each_form(std::error_code code) {
  return {Failure{code}, thrown(code), thrown(std::system_error{code}),
          thrown(std::system_error{code, "op"})};
}

std::vector<Failure> each_form(const ApiError& error) { return {Failure{error}, thrown(error)}; }

std::vector<Failure> each_form(int status) {
  std::vector<Failure> forms = each_form(std::error_code{status, http_category()});
  forms.push_back(Failure::from_status(status));
  forms.push_back(Failure::from_status(status, 5s));
  for (const Failure& form : each_form(ApiError{static_cast<ErrorCode>(status), "text"})) {
    forms.push_back(form);
  }
  return forms;
}

template <class E>
std::vector<Failure> whole_and_sliced(const E& error) {
  const ApiError sliced = error;
  return {Failure{error}, Failure{sliced}, thrown(error), thrown(sliced)};
}

/// An ApiError with a reason that is not its code.
std::vector<Failure> because_of(std::error_code reason, ErrorCode code) {
  return each_form(ApiError{code, "text", reason, {}});
}

const support::MappedCategory mapped;
const support::EquivalentCategory equivalent;

/// How often op is called by a retry with two retries.
template <class Op, class... Options>
int calls_of(Op op, Options... options) {
  int calls = 0;
  const auto counted = [&] {
    ++calls;
    op();
  };
  (void)try_retry_with_backoff(counted, {.max_retries = 2}, test::FakeClock{}, options...);
  return calls;
}

}  // namespace

TEST_CASE("F2 F3 what a status is, in every form", "[F2][F3]") {
  for (int status = 100; status <= 599; ++status) {
    CAPTURE(status);
    const bool is_answer = status >= 400 && status < 500 && status != 408 && status != 429;
    check(each_form(status), is_answer ? answered : is_retryable_status(status) ? transient : permanent);
  }
}

TEST_CASE("F2 F3 a number that is no HTTP status is a failure, and not transient", "[F2][F3]") {
  for (const int status : {600, 999, 1408, 65'536, INT_MAX, 99, 1, -1, -404, -503, INT_MIN}) {
    CAPTURE(status);
    check(each_form(status), permanent);
  }
  check({Failure::from_status(0)}, permanent);
}

TEST_CASE("F2 F3 a PolicyErrc is a rejection, a cancellation or a timeout, in every form", "[F2][F3]") {
  check(each_form(make_error_code(PolicyErrc::circuit_open)), rejected);
  check(each_form(make_error_code(PolicyErrc::bulkhead_full)), rejected);
  check(each_form(make_error_code(PolicyErrc::rate_limited)), rejected);
  check(each_form(make_error_code(PolicyErrc::throttled)), rejected);
  check(each_form(make_error_code(PolicyErrc::cancelled)), cancelled);
  check(each_form(make_error_code(PolicyErrc::timed_out)), timed_out);
  check(whole_and_sliced(CircuitOpenError{"b", 5s}), rejected);
  check(whole_and_sliced(BulkheadFullError{"b", 5s}), rejected);
  check(whole_and_sliced(RateLimitedError{"b", 5s}), rejected);
  check(whole_and_sliced(ThrottledError{"b", 5s}), rejected);
  check(whole_and_sliced(CancelledError{}), cancelled);
  check(whole_and_sliced(TimeoutError{}), timed_out);
  check(whole_and_sliced(CircuitOpenError{"b"}.with_category(ErrorCategory::network)), rejected);
  check({detail::CircuitRejection::failure(detail::CircuitRejection::source("b"), 1s, {}, 0)}, rejected);
}

TEST_CASE("F2 F3 a NetworkErrc is a transient failure", "[F2][F3]") {
  check(each_form(make_error_code(NetworkErrc::connection_reset)), transient);
  check(each_form(make_error_code(NetworkErrc::host_not_found)), transient);
  check(each_form(make_error_code(NetworkErrc::connection_refused)), transient);
  check(each_form(make_error_code(NetworkErrc::timed_out)), timed_out);
}

TEST_CASE("F2 F3 of the POSIX errors one is a cancellation, and those of the network are transient",
          "[F2][F3]") {
  const support::NamedCategory asio{"asio.system"};
  for (const auto* category :
       {&std::generic_category(), &std::system_category(), static_cast<const std::error_category*>(&asio)}) {
    CAPTURE(category->name());
    check(each_form({ECANCELED, *category}), cancelled);
    check(each_form({ETIMEDOUT, *category}), timed_out);
    for (const int error : {ECONNRESET, ECONNREFUSED, ECONNABORTED, EPIPE, ENOTCONN, ENETUNREACH,
                            EHOSTUNREACH, ENETDOWN, ENETRESET, EADDRNOTAVAIL}) {
      CAPTURE(error);
      check(each_form({error, *category}), transient);
    }
    for (const int error : {EAGAIN, EINTR, ENOENT, EACCES, EINVAL, ENOMEM, EADDRINUSE}) {
      CAPTURE(error);
      check(each_form({error, *category}), permanent);
    }
  }
}

TEST_CASE("F2 F3 another library's code is what it says it is", "[F2][F3]") {
  for (const auto* category : {static_cast<const std::error_category*>(&mapped),
                               static_cast<const std::error_category*>(&equivalent)}) {
    check(each_form({1, *category}), cancelled);
    check(each_form({2, *category}), timed_out);
    check(each_form({3, *category}), transient);
    check(each_form({4, *category}), transient);
    check(each_form({99, *category}), permanent);
  }
  const support::NamedCategory netdb{"asio.netdb"};
  check(each_form({1, netdb}), transient);
  check(each_form({2, netdb}), transient);
  check(each_form({4, netdb}), permanent);
  check(each_form({77, support::KindCategory{ErrorCategory::network}}), transient);
  check(each_form({77, support::KindCategory{ErrorCategory::internal}}), permanent);
}

TEST_CASE("F2 F3 an ApiError's reason comes before its status", "[F2][F3]") {
  const std::error_code cancellation{1, mapped};
  check(because_of(cancellation, ErrorCode::internal_server_error), cancelled);
  check(because_of(cancellation, ErrorCode::bad_request), cancelled);
  check(because_of({2, mapped}, ErrorCode::bad_request), timed_out);
  check(because_of(std::make_error_code(std::errc::timed_out), ErrorCode::bad_request), timed_out);
  check(because_of(PolicyErrc::timed_out, ErrorCode::bad_request), timed_out);
  check(because_of(PolicyErrc::rate_limited, ErrorCode::internal_server_error), rejected);
  const ApiError unavailable{ErrorCode::service_unavailable, "text", cancellation, {}};
  check(each_form(unavailable.with_category(ErrorCategory::network)), cancelled);
}

TEST_CASE("F2 F3 an ApiError about a network error has no status, since nobody answered", "[F2][F3]") {
  check(because_of(NetworkErrc::connection_refused, ErrorCode::bad_request), transient);
  check(because_of(NetworkErrc::host_not_found, ErrorCode::not_found), transient);
  check(because_of(std::make_error_code(std::errc::connection_reset), ErrorCode::conflict), transient);
  check(because_of(std::make_error_code(std::errc::broken_pipe), ErrorCode::conflict), transient);
  check(because_of(std::make_error_code(std::errc::permission_denied), ErrorCode::conflict), answered);
  check(because_of({99, mapped}, ErrorCode::conflict), answered);
}

TEST_CASE("F2 F3 an ApiError's given category makes it transient, but does not change its outcome",
          "[F2][F3]") {
  const ApiError missing{ErrorCode::not_found, "text"};
  check(each_form(missing.with_category(ErrorCategory::network)),
        {.outcome = Outcome::success, .transient = true});
  check(each_form(missing.with_category(ErrorCategory::external_service)), answered);
  const ApiError broken{ErrorCode::not_implemented, "text"};
  check(each_form(broken.with_category(ErrorCategory::validation)), permanent);
}

TEST_CASE("F2 F3 an unknown exception, or a failure without a code, is a failure, and not transient",
          "[F2][F3]") {
  check({thrown(std::runtime_error{"x"}), thrown(std::bad_alloc{}), thrown(42), thrown(std::string{"x"}),
         thrown(std::errc::timed_out), thrown(ErrorCode::not_found), Failure{std::error_code{}},
         Failure::from_exception(nullptr)},
        permanent);
}

TEST_CASE("F2 the outcome of a code is that of a Failure of it", "[F2]") {
  const support::NamedCategory asio{"asio.system"};
  const support::NamedCategory netdb{"asio.netdb"};
  const support::KindCategory kind{ErrorCategory::network};
  for (const std::error_category* category :
       {&std::generic_category(), &std::system_category(), &std::iostream_category(), &http_category(),
        &network_error_category(), &policy_error_category(), static_cast<const std::error_category*>(&mapped),
        static_cast<const std::error_category*>(&equivalent), static_cast<const std::error_category*>(&asio),
        static_cast<const std::error_category*>(&netdb), static_cast<const std::error_category*>(&kind)}) {
    CAPTURE(category->name());
    for (int value = -2; value <= 600; ++value) {
      const std::error_code code{value, *category};
      if (detail::outcome_of_code(code) == default_outcome(Failure{code})) continue;
      CAPTURE(value);
      CHECK(detail::outcome_of_code(code) == default_outcome(Failure{code}));
    }
  }
  CHECK(detail::outcome_of_code({ECANCELED, std::system_category()}) == Outcome::ignored);
  CHECK(detail::outcome_of_code({ETIMEDOUT, std::system_category()}) == Outcome::failure);
  CHECK(detail::outcome_of_code({404, http_category()}) == Outcome::success);
}

TEST_CASE("F2 is how a breaker classifies failures by default", "[F2]") {
  CHECK(CircuitBreakerConfig{}.classify == default_outcome);
  support::Breaker breaker{"b", {.failure_threshold = 0}};
  const auto call = [&](const auto& error) {
    try {
      breaker.execute([&] { throw error; });
    } catch (...) {
    }
    return support::counts_of(breaker);
  };
  CHECK(call(ApiError{ErrorCode::not_found}) == support::Counts{1, 0, 0});
  CHECK(call(TimeoutError{}) == support::Counts{1, 1, 0});
  CHECK(call(CircuitOpenError{"other"}) == support::Counts{1, 1, 1});
  CHECK(call(42) == support::Counts{1, 2, 1});
}

TEST_CASE("F3 is what a retry retries by default", "[F3]") {
  CHECK(calls_of([] { throw ApiError{ErrorCode::service_unavailable}; }) == 3);
  CHECK(calls_of([] { throw ApiError{ErrorCode::not_implemented}; }) == 1);
  CHECK(calls_of([] { throw TimeoutError{}; }) == 3);
  CHECK(calls_of([] { throw CancelledError{}; }) == 1);
  CHECK(calls_of([] { throw std::system_error{NetworkErrc::connection_refused}; }) == 3);
  CHECK(calls_of([] { throw std::system_error{ENOENT, std::generic_category()}; }) == 1);
}

TEST_CASE("F3 an unknown exception is retried only if retry_if says so", "[F3]") {
  const auto op = [] { throw 42; };
  CHECK(calls_of(op) == 1);
  CHECK(calls_of(op, retry_if([](const Failure&) { return true; })) == 3);
  CHECK(calls_of(op, retry_if([](const Failure&) { return false; })) == 1);
}

TEST_CASE("F3 an open breaker's error is never retried by default, whole, sliced or a bare code", "[F3]") {
  CHECK(calls_of([] { throw CircuitOpenError{"b", 1s}; }) == 1);
  CHECK(calls_of([] { throw ApiError{CircuitOpenError{"b", 1s}}; }) == 1);
  CHECK(calls_of([] { throw make_error_code(PolicyErrc::circuit_open); }) == 1);
  CHECK(calls_of([] { throw std::system_error{PolicyErrc::circuit_open}; }) == 1);

  const test::FakeClock clock;
  support::Breaker breaker{"b", {}, clock};
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
