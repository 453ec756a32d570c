#include <fusebox/adapters/curl.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <set>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using curl::ErrorKind;

namespace {

std::optional<Failure> judge(const curl::Result& result) {
  return failure_traits<curl::Result>::failure(result);
}
CURLcode code_of(int number) { return static_cast<CURLcode>(number); }

/// The kinds other than `answer`, by the numbers of libcurl 7.88.
struct Row {
  ErrorKind kind;
  std::set<int> codes;
};
const std::vector<Row> rows = {
    {ErrorKind::none, {0}},
    {ErrorKind::network, {5, 6, 7, 16, 18, 52, 55, 56, 80, 81, 89, 92, 95, 96}},
    {ErrorKind::timeout, {12, 28}},
    {ErrorKind::cancelled, {42}},
    {ErrorKind::tls, {35, 53, 54, 58, 59, 60, 64, 66, 77, 82, 83, 90, 91, 98}},
    {ErrorKind::local, {2, 23, 26, 27, 37, 45, 65, 88, 99}},
    {ErrorKind::usage, {1, 3, 4, 34, 41, 43, 48, 49, 93}},
};
ErrorKind expected_kind(int code) {
  for (const Row& row : rows) {
    if (row.codes.contains(code)) return row.kind;
  }
  return ErrorKind::answer;
}

}  // namespace

TEST_CASE("H21 every code of libcurl has a kind", "[H21]") {
  for (int code = 0; code <= 99; ++code) {
    CAPTURE(code, curl_easy_strerror(code_of(code)));
    CHECK(curl::kind_of(code_of(code)) == expected_kind(code));
  }
  CHECK(curl::kind_of(code_of(100)) == ErrorKind::local);
  CHECK(curl::kind_of(code_of(101)) == ErrorKind::tls);
  CHECK(curl::kind_of(code_of(1000)) == ErrorKind::answer);
}

TEST_CASE("H21 a kind decides whether a retry repeats a transfer and what a breaker counts", "[H21]") {
  for (int code = 1; code <= 99; ++code) {
    if (code == CURLE_HTTP_RETURNED_ERROR) continue;  // its status decides
    const ErrorKind kind = expected_kind(code);
    CAPTURE(code, curl::to_string(kind));
    const auto failure = judge(curl::Result{code_of(code)});
    REQUIRE(failure);
    CHECK(failure->status().has_value() == (kind == ErrorKind::cancelled));  // that of PolicyErrc::cancelled
    CHECK(failure->is_transient() == (kind == ErrorKind::network || kind == ErrorKind::timeout));
    CHECK(failure->is_timeout() == (kind == ErrorKind::timeout));
    CHECK(failure->is_cancellation() == (kind == ErrorKind::cancelled));
    CHECK(failure->is_config_error() == (kind == ErrorKind::usage));
    const bool is_ignored = kind == ErrorKind::cancelled || kind == ErrorKind::usage;
    CHECK(default_outcome(*failure) == (is_ignored ? Outcome::ignored : Outcome::failure));
  }
}

TEST_CASE("H21 network errors say what happened", "[H21]") {
  const auto code = [](CURLcode ended) { return judge(curl::Result{ended})->code(); };
  CHECK(code(CURLE_COULDNT_RESOLVE_HOST) == NetworkErrc::host_not_found);
  CHECK(code(CURLE_COULDNT_RESOLVE_PROXY) == NetworkErrc::host_not_found);
  CHECK(code(CURLE_COULDNT_CONNECT) == NetworkErrc::connection_refused);
  CHECK(code(CURLE_OPERATION_TIMEDOUT) == NetworkErrc::timed_out);
  CHECK(code(CURLE_ABORTED_BY_CALLBACK) == PolicyErrc::cancelled);
  for (const CURLcode broken : {CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE}) {
    CHECK(code(broken) == NetworkErrc::connection_reset);
  }
}

TEST_CASE(
    "H21 R7 once a request was sent, a refused connection or an unknown host does not mean that nothing was",
    "[H21][R7]") {
  for (const CURLcode broken : {CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST,
                                CURLE_COULDNT_CONNECT, CURLE_NO_CONNECTION_AVAILABLE, CURLE_GOT_NOTHING}) {
    CHECK(detail::curl_code(broken, true) == NetworkErrc::connection_reset);
  }
  CHECK(detail::curl_code(CURLE_OPERATION_TIMEDOUT, true) == NetworkErrc::timed_out);
  CHECK(detail::curl_code(CURLE_ABORTED_BY_CALLBACK, true) == PolicyErrc::cancelled);
  CHECK(detail::curl_code(CURLE_PEER_FAILED_VERIFICATION, true).value() == CURLE_PEER_FAILED_VERIFICATION);
}

TEST_CASE("H21 a code of no other name keeps libcurl's number and text", "[H21]") {
  const auto failure = judge(curl::Result{CURLE_PEER_FAILED_VERIFICATION});
  REQUIRE(failure);
  CHECK(failure->code().value() == CURLE_PEER_FAILED_VERIFICATION);
  CHECK(std::string{failure->code().category().name()} == "curl");
  CHECK(failure->message() == std::string{"curl: "} + curl_easy_strerror(CURLE_PEER_FAILED_VERIFICATION));
}

TEST_CASE("H21 H11 each kind has a name", "[H21][H11]") {
  CHECK(curl::to_string(ErrorKind::none) == "none");
  CHECK(curl::to_string(ErrorKind::network) == "network");
  CHECK(curl::to_string(ErrorKind::timeout) == "timeout");
  CHECK(curl::to_string(ErrorKind::cancelled) == "cancelled");
  CHECK(curl::to_string(ErrorKind::tls) == "tls");
  CHECK(curl::to_string(ErrorKind::answer) == "answer");
  CHECK(curl::to_string(ErrorKind::local) == "local");
  CHECK(curl::to_string(ErrorKind::usage) == "usage");
  CHECK(curl::to_string(static_cast<ErrorKind>(99)) == "unknown");
}

TEST_CASE("H20 an answer from 200 to 399, and a success without a status, is no failure", "[H20]") {
  for (const int status : {200, 204, 302, 399}) CHECK_FALSE(judge(curl::Result{CURLE_OK, status}));
  CHECK_FALSE(judge(curl::Result{CURLE_OK}));
}

TEST_CASE("H20 an error status is a failure of that status, with its Retry-After", "[H20]") {
  for (const CURLcode code : {CURLE_OK, CURLE_HTTP_RETURNED_ERROR}) {
    for (const int status : {400, 404, 429, 500, 503, 599}) {
      CAPTURE(code, status);
      const auto failure = judge(curl::Result{code, status, 7s});
      REQUIRE(failure);
      CHECK(failure->status() == status);
      CHECK(failure->retry_after() == 7s);
    }
  }
  CHECK_FALSE(judge(curl::Result{CURLE_OK, 503})->retry_after());
}

TEST_CASE("H20 a transfer that broke off is a failure without the status of its answer", "[H20]") {
  for (const int status : {200, 404, 503}) {
    CAPTURE(status);
    const auto failure = judge(curl::Result{CURLE_PARTIAL_FILE, status, 7s});
    REQUIRE(failure);
    CHECK(failure->code() == NetworkErrc::connection_reset);
    CHECK_FALSE(failure->status());
  }
}

TEST_CASE("H20 a status below 200 is a failure without a status", "[H20]") {
  for (const int status : {1, 99, 100, 103, 199}) {
    CAPTURE(status);
    const auto failure = judge(curl::Result{CURLE_OK, status});
    REQUIRE(failure);
    CHECK_FALSE(failure->status());
    CHECK_FALSE(failure->is_transient());
    CHECK(default_outcome(*failure) == Outcome::failure);
  }
}

TEST_CASE("H20 R5 a retry waits as long as the answer asks", "[H20][R5]") {
  const test::FakeClock clock;
  const auto result = try_retry_with_backoff([] { return curl::Result{CURLE_OK, 503, 3s}; },
                                             {.max_retries = 2, .jitter = Jitter::none}, clock);
  CHECK_FALSE(result.has_value());
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{3s, 3s});
}

TEST_CASE("H21 E6 a usage error is nobody's failure", "[H21][E6]") {
  CircuitBreaker<> breaker{"upstream", {.failure_threshold = 1}};
  int calls = 0;
  const auto refused = [&] {
    ++calls;
    return curl::Result{CURLE_URL_MALFORMAT};
  };
  CHECK(breaker.execute(refused).code() == CURLE_URL_MALFORMAT);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().ignored_count == 1);
  const test::FakeClock clock;
  const auto result = try_retry_with_backoff(refused, {.max_retries = 2}, clock);
  CHECK_FALSE(result.has_value());
  CHECK(calls == 2);
}

TEST_CASE("H26 E5 the adapter marks its errors as an upstream's", "[H26][E5]") {
  CHECK_FALSE(upstream_error(curl::Result{CURLE_OK, 200}, "orders"));
  const auto busy = upstream_error(curl::Result{CURLE_OK, 503, 9s}, "orders");
  REQUIRE(busy);
  CHECK(busy->is_upstream());
  CHECK(busy->upstream() == "orders");
  CHECK(busy->code() == ErrorCode::service_unavailable);
  CHECK(busy->retry_after() == 9s);
  const auto refused = upstream_error(curl::Result{CURLE_COULDNT_CONNECT}, "orders");
  REQUIRE(refused);
  CHECK(refused->is_upstream());
  CHECK(refused->code() == ErrorCode::bad_gateway);
  CHECK(refused->category() == ErrorCategory::network);
  CHECK(refused->reason() == NetworkErrc::connection_refused);
  CHECK(upstream_error(curl::Result{CURLE_PEER_FAILED_VERIFICATION}, "orders")->code() ==
        ErrorCode::bad_gateway);
}
