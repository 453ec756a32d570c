#include <fusebox/adapters/grpc.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using grpc::StatusCode;

namespace {

std::optional<Failure> judge(const grpc::Status& status) {
  return failure_traits<grpc::Status>::failure(status);
}
std::optional<Failure> judge(const GrpcResult& result) { return failure_traits<GrpcResult>::failure(result); }

/// A status with a RetryInfo.
grpc::Status asks_for(std::chrono::milliseconds delay, StatusCode code = StatusCode::UNAVAILABLE) {
  return {code, "busy", detail::write_rpc_status(code, "busy", delay)};
}

std::error_code code(int value) { return {value, grpc_category()}; }

struct Row {
  StatusCode code;
  Outcome outcome;
  bool is_transient;
  std::optional<int> status;
};

}  // namespace

TEST_CASE("H50 each status code has its meaning", "[H50]") {
  CHECK_FALSE(judge(grpc::Status::OK));
  const Row rows[] = {
      {StatusCode::CANCELLED, Outcome::ignored, false, 503},
      {StatusCode::UNKNOWN, Outcome::failure, false, {}},
      {StatusCode::INVALID_ARGUMENT, Outcome::success, false, 400},
      {StatusCode::DEADLINE_EXCEEDED, Outcome::failure, true, {}},
      {StatusCode::NOT_FOUND, Outcome::success, false, 404},
      {StatusCode::ALREADY_EXISTS, Outcome::success, false, 409},
      {StatusCode::PERMISSION_DENIED, Outcome::success, false, 403},
      {StatusCode::RESOURCE_EXHAUSTED, Outcome::failure, true, 429},
      {StatusCode::FAILED_PRECONDITION, Outcome::success, false, 400},
      {StatusCode::ABORTED, Outcome::success, false, 409},
      {StatusCode::OUT_OF_RANGE, Outcome::success, false, 400},
      {StatusCode::UNIMPLEMENTED, Outcome::failure, false, 501},
      {StatusCode::INTERNAL, Outcome::failure, false, {}},
      {StatusCode::UNAVAILABLE, Outcome::failure, true, 503},
      {StatusCode::DATA_LOSS, Outcome::failure, false, {}},
      {StatusCode::UNAUTHENTICATED, Outcome::success, false, 401},
      {static_cast<StatusCode>(17), Outcome::failure, false, {}},
      {static_cast<StatusCode>(-1), Outcome::failure, false, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    const auto failure = judge(grpc::Status{row.code, "why"});
    REQUIRE(failure);
    CHECK(default_outcome(*failure) == row.outcome);
    CHECK(failure->is_transient() == row.is_transient);
    CHECK(failure->status() == row.status);
    CHECK_FALSE(failure->retry_after());
  }
}

TEST_CASE("H50 a message above a size limit is not sent again: its call may have been executed", "[H50]") {
  for (const char* text :
       {"Received message larger than max (5000004 vs. 4194304)",
        "CLIENT: Received message larger than max (9 vs. 4)", "Sent message larger than max (9 vs. 4)"}) {
    CAPTURE(text);
    const grpc::Status status{StatusCode::RESOURCE_EXHAUSTED, text};
    for (const auto& failure : {judge(status), judge(GrpcResult{status, 5ms})}) {
      REQUIRE(failure);
      CHECK_FALSE(failure->is_transient());
      CHECK_FALSE(failure->status());
      CHECK_FALSE(failure->retry_after());
      CHECK(default_outcome(*failure) == Outcome::failure);
      CHECK(failure->message() == "gRPC RESOURCE_EXHAUSTED (no retry helps)");
    }
    for (const bool idempotent : {false, true}) {
      const auto result = retry_with_backoff([&] { return status; },
                                             {.max_retries = 2, .idempotent = idempotent}, test::FakeClock{});
      CHECK(result.stats.attempts == 1);
    }
  }
  CHECK(judge(grpc::Status{StatusCode::UNAVAILABLE, "message larger than max"})->is_transient());
}

TEST_CASE("H50 the code and the text of the status are kept", "[H50]") {
  const auto failure = judge(grpc::Status{StatusCode::NOT_FOUND, "no such order"});
  CHECK(failure->code() == code(StatusCode::NOT_FOUND));
  CHECK(failure->message() == "gRPC NOT_FOUND: no such order");
  CHECK(failure->category() == ErrorCategory::not_found);
  CHECK(judge(grpc::Status{StatusCode::UNAVAILABLE, ""})->message() == "gRPC UNAVAILABLE");
  const auto internal = judge(grpc::Status{StatusCode::INTERNAL, "null"});
  CHECK(internal->code() == code(StatusCode::INTERNAL));
  CHECK(internal->message() == "gRPC INTERNAL");
  CHECK(code(99).message() == "gRPC UNKNOWN");
  CHECK(judge(grpc::Status{StatusCode::DEADLINE_EXCEEDED, ""})->is_timeout());
  CHECK(code(StatusCode::CANCELLED) == std::errc::operation_canceled);
  CHECK(code(StatusCode::DEADLINE_EXCEEDED) == std::errc::timed_out);
  CHECK(code(StatusCode::ABORTED) != std::errc::timed_out);
  CHECK(judge(grpc::Status{StatusCode::CANCELLED, ""})->code() == PolicyErrc::cancelled);
}

TEST_CASE("H50 a status may also be the error of an expected-like result", "[H50][F1]") {
  using Reply = support::Expected<int, grpc::Status>;
  int calls = 0;
  const auto result = retry_with_backoff(
      [&] {
        ++calls;
        return Reply{support::Unexpected<grpc::Status>{grpc::Status{StatusCode::UNAVAILABLE, ""}}};
      },
      {.max_retries = 2}, test::FakeClock{});
  CHECK(calls == 3);
  CHECK(result.error().status() == 503);
}

TEST_CASE("H50 what is rethrown is marked as an upstream's", "[H50][E5]") {
  try {
    judge(grpc::Status{StatusCode::PERMISSION_DENIED, "secret"})->rethrow();
    FAIL("nothing was thrown");
  } catch (const ApiError& error) {
    CHECK(error.is_upstream());
    CHECK(error.code() == ErrorCode::forbidden);
  }
}

TEST_CASE("H51 the pushback is the wait before the next attempt", "[H51]") {
  CHECK(judge(GrpcResult{{StatusCode::UNAVAILABLE, ""}, 250ms})->retry_after() == 250ms);
  CHECK_FALSE(judge(GrpcResult{{StatusCode::UNAVAILABLE, ""}, {}})->retry_after());
  CHECK_FALSE(judge(GrpcResult{grpc::Status::OK, 250ms}));
  const test::FakeClock clock;
  (void)retry_with_backoff([] { return GrpcResult{{StatusCode::RESOURCE_EXHAUSTED, ""}, 2500ms}; },
                           {.max_retries = 2, .jitter = Jitter::none}, clock);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2500ms, 2500ms});
}

TEST_CASE("H51 after a negative pushback nothing is retried, and the dependency has failed all the same",
          "[H51]") {
  for (const auto transient :
       {StatusCode::UNAVAILABLE, StatusCode::RESOURCE_EXHAUSTED, StatusCode::DEADLINE_EXCEEDED}) {
    const GrpcResult result{{transient, "closing"}, -1ms};
    const auto failure = judge(result);
    REQUIRE(failure);
    CHECK_FALSE(failure->is_transient());
    CHECK_FALSE(failure->retry_after());
    CHECK(default_outcome(*failure) == Outcome::failure);
    CHECK(failure->code().value() == transient);
    CHECK(failure->message().find("no retry helps") != std::string::npos);
    CHECK(retry_with_backoff([&] { return result; }, {.max_retries = 2}, test::FakeClock{}).stats.attempts ==
          1);
  }
  const auto own = judge(GrpcResult{{StatusCode::NOT_FOUND, ""}, -1ms});
  CHECK(own->status() == 404);
  CHECK_FALSE(own->retry_after());
  CHECK_FALSE(judge(GrpcResult{{StatusCode::INTERNAL, ""}, 5ms})->is_transient());
}

TEST_CASE("H52 the delay of a RetryInfo is the Retry-After", "[H52]") {
  CHECK(judge(asks_for(1500ms))->retry_after() == 1500ms);
  CHECK(judge(asks_for(0ms))->retry_after() == 0ms);
  CHECK(judge(asks_for(5s, StatusCode::ABORTED))->retry_after() == 5s);
  CHECK_FALSE(judge(asks_for(5s, StatusCode::ABORTED))->is_transient());
  CHECK_FALSE(judge(grpc::Status{StatusCode::UNAVAILABLE, "", "\x08"})->retry_after());
  CHECK(judge(GrpcResult{asks_for(1500ms), 2s})->retry_after() == 2s);
  CHECK(judge(GrpcResult{asks_for(1500ms), 1s})->retry_after() == 1500ms);
}

TEST_CASE("H53 a server answers an ApiError with the code in place of its status", "[H53]") {
  const std::pair<ErrorCode, StatusCode> rows[] = {
      {ErrorCode::bad_request, StatusCode::INVALID_ARGUMENT},
      {ErrorCode::unauthorized, StatusCode::UNAUTHENTICATED},
      {ErrorCode::forbidden, StatusCode::PERMISSION_DENIED},
      {ErrorCode::not_found, StatusCode::NOT_FOUND},
      {ErrorCode::method_not_allowed, StatusCode::UNIMPLEMENTED},
      {ErrorCode::request_timeout, StatusCode::DEADLINE_EXCEEDED},
      {ErrorCode::conflict, StatusCode::ABORTED},
      {ErrorCode::gone, StatusCode::NOT_FOUND},
      {ErrorCode::unprocessable_content, StatusCode::INVALID_ARGUMENT},
      {ErrorCode::rate_limit_exceeded, StatusCode::RESOURCE_EXHAUSTED},
      {ErrorCode::internal_server_error, StatusCode::INTERNAL},
      {ErrorCode::not_implemented, StatusCode::UNIMPLEMENTED},
      {ErrorCode::bad_gateway, StatusCode::UNAVAILABLE},
      {ErrorCode::service_unavailable, StatusCode::UNAVAILABLE},
      {ErrorCode::gateway_timeout, StatusCode::DEADLINE_EXCEEDED},
      {static_cast<ErrorCode>(200), StatusCode::INTERNAL},
  };
  for (const auto& [error, expected] : rows) {
    const grpc::Status status = to_grpc_status(ApiError{error, "why"});
    CAPTURE(static_cast<int>(error));
    CHECK(status.error_code() == expected);
    CHECK(status.error_message() == "why");
    CHECK(status.error_details().empty());
  }
}

TEST_CASE("H53 a Retry-After is sent as a RetryInfo", "[H53][H52]") {
  const auto status =
      to_grpc_status(ApiError{ErrorCode::service_unavailable, "busy"}.with_retry_after(1500ms));
  CHECK(judge(status)->retry_after() == 1500ms);
  CHECK(judge(to_grpc_status(ApiError{ErrorCode::service_unavailable, "busy"}.with_retry_after(-5s)))
            ->retry_after() == 0ms);
}

TEST_CASE("H53 H4 what is not the server's own error is answered without its text", "[H53][H4]") {
  const auto upstream = ApiError{ErrorCode::forbidden, "secret"}.from_upstream("orders");
  CHECK(to_grpc_status(upstream).error_code() == StatusCode::UNAVAILABLE);
  const auto thrown = [](const auto& error) { return to_grpc_status(std::make_exception_ptr(error)); };
  CHECK(thrown(upstream).error_message().find("secret") == std::string::npos);
  CHECK(thrown(std::runtime_error{"secret"}).error_code() == StatusCode::INTERNAL);
  CHECK(thrown(std::runtime_error{"secret"}).error_message() == "Internal server error");
  CHECK(thrown(ApiError{ErrorCode::not_found, "no such order"}).error_message() == "no such order");
  const auto open = thrown(CircuitOpenError{"orders"});
  CHECK(open.error_code() == StatusCode::UNAVAILABLE);
  CHECK(open.error_message() == "Service temporarily unavailable");
  CHECK(judge(open)->retry_after() == 1s);
  CHECK(to_grpc_status(std::exception_ptr{}).error_code() == StatusCode::INTERNAL);
}

TEST_CASE("H53 a Failure is answered as its exception; one of a value generically", "[H53]") {
  const auto own =
      Failure::from_exception(std::make_exception_ptr(ApiError{ErrorCode::not_found, "no such order"}));
  CHECK(to_grpc_status(own).error_message() == "no such order");
  const auto status = to_grpc_status(Failure::from_status(404));
  CHECK(status.error_code() == StatusCode::UNAVAILABLE);
  CHECK(status.error_message() == "An upstream service failed");
  CHECK(to_grpc_status(Failure{make_error_code(NetworkErrc::timed_out)}).error_code() ==
        StatusCode::DEADLINE_EXCEEDED);
  CHECK(judge(to_grpc_status(Failure::from_status(503, 3s)))->retry_after() == 3s);
}

TEST_CASE("H53 a server asks for a wait by its trailers", "[H53][H51]") {
  struct Context {
    std::multimap<std::string, std::string> trailers;
    void AddTrailingMetadata(const std::string& name, const std::string& value) {
      trailers.emplace(name, value);
    }
  };
  const auto sent = [](auto wait) {
    Context context;
    add_retry_pushback(context, wait);
    REQUIRE(context.trailers.size() == 1);
    return context.trailers.find("grpc-retry-pushback-ms")->second;
  };
  CHECK(sent(250ms) == "250");
  CHECK(sent(1us) == "1");
  CHECK(sent(-1us) == "-1");
  CHECK(sent(-5s) == "-1");
  CHECK(sent(std::chrono::hours{10'000}) == "2147483647");
  CHECK(sent(std::chrono::duration<double>{0.25}) == "250");
}

TEST_CASE("H54 set_deadline gives a context what is left of a Deadline", "[H54]") {
  const test::FakeClock clock;
  const Deadline deadline = Deadline::after(60s, clock);
  clock.advance(20s);
  grpc::ClientContext context;
  const auto before = std::chrono::system_clock::now();
  set_deadline(context, deadline);
  CHECK(context.deadline() >= before + 39s);
  CHECK(context.deadline() <= std::chrono::system_clock::now() + 41s);
  clock.advance(60s);
  grpc::ClientContext late;
  set_deadline(late, deadline);
  CHECK(late.deadline() < std::chrono::system_clock::now());
  grpc::ClientContext unlimited;
  const auto none = unlimited.deadline();
  set_deadline(unlimited, Deadline::never());
  CHECK(unlimited.deadline() == none);
}
