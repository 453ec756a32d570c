// The whole library with exceptions but without RTTI: what is thrown is told, caught and rethrown.
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "reduced/check.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

struct Response {};
HttpResponse written;
void write_response(Response&, const HttpResponse& response) { written = response; }

/// f() throws an Error; its text, or nothing where it throws none of that type.
template <class Error, class F>
std::string thrown_by(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  } catch (...) {
    return {};
  }
  return {};
}

int down() { throw ApiError{ErrorCode::service_unavailable, "busy"}; }

void a_breaker_knows_what_was_thrown() {
  CircuitBreaker breaker{"thrown", {.failure_threshold = 1}, test::FakeClock{}};
  CHECK(thrown_by<ApiError>(
            [&] { breaker.execute([]() -> int { throw ApiError{ErrorCode::not_found, "no"}; }); }) == "no");
  CHECK(breaker.stats().success_count == 1);
  CHECK(thrown_by<ApiError>([&] { breaker.execute(down); }) == "busy");
  CHECK(breaker.state() == State::open);
  CHECK(!thrown_by<CircuitOpenError>([&] { breaker.execute(down); }).empty());
  CHECK(breaker.execute(down, [](const Failure& failure) { return failure.is_rejection() ? 1 : 2; }) == 1);
}

void a_retry_gives_the_last_exception() {
  const test::FakeClock clock;
  int calls = 0;
  const auto flaky = [&] { return ++calls < 3 ? down() : calls; };
  CHECK(retry_with_backoff(flaky, clock).value() == 3);
  CHECK(thrown_by<ApiError>([&] { retry_with_backoff(down, clock); }) == "busy");
  const auto result = try_retry_with_backoff([] { throw 42; }, clock);
  CHECK(result.stats.attempts == 1);
  CHECK(result.error().message() == "unknown exception");
}

void a_failure_sees_through_every_exception() {
  const auto failure_of = [](auto error) { return Failure::from_exception(std::make_exception_ptr(error)); };
  const Failure system = failure_of(std::system_error{make_error_code(std::errc::timed_out)});
  CHECK(system.is_timeout());
  CHECK(failure_of(make_error_code(NetworkErrc::connection_refused)).category() == ErrorCategory::network);
  CHECK(failure_of(TimeoutError{}).is_timeout());
  CHECK(failure_of(std::runtime_error{"odd"}).message() == "odd");
  CHECK(!thrown_by<std::system_error>([&] { system.rethrow(); }).empty());
  CHECK(!thrown_by<TimeoutError>([] { Failure{make_error_code(PolicyErrc::timed_out)}.rethrow(); }).empty());
}

void a_refused_config_is_thrown() {
  CHECK(thrown_by<std::invalid_argument>([] { CircuitBreaker<>{""}; }) ==
        "CircuitBreaker.name must not be empty, got \"\"");
}

void a_callback_that_throws_harms_nobody() {
  CircuitBreaker breaker{"callbacks", {.failure_threshold = 1}, test::FakeClock{}};
  const auto subscription = breaker.on_state_change([](const StateChange&) { throw 1; });
  breaker.try_acquire().failure();
  CHECK(breaker.state() == State::open);
}

void an_exception_is_answered() {
  Response response;
  send_exception(response, std::make_exception_ptr(ApiError{ErrorCode::not_found, "no such order"}));
  CHECK(written.status == 404);
  send_exception(response, std::make_exception_ptr(std::runtime_error{"secret"}));
  CHECK(written.status == 500);
  CHECK(written.body.find("secret") == std::string::npos);
}

}  // namespace

int main() {
  a_breaker_knows_what_was_thrown();
  a_retry_gives_the_last_exception();
  a_failure_sees_through_every_exception();
  a_refused_config_is_thrown();
  a_callback_that_throws_harms_nobody();
  an_exception_is_answered();
  return reduced::report();
}
