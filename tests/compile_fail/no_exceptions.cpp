// Without exceptions, a call that could only throw does not compile.
// flags: -fno-exceptions
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/error_response.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>

#include <exception>
#include <string>
#include <system_error>

using namespace fusebox;

using StopToken = decltype(Attempt::stop_token);  // std::stop_token, if the standard library has it

CircuitBreaker<> breaker{"name"};
std::error_code ping() { return {}; }
auto retried_ping() { return try_retry_with_backoff(ping); }

struct Response {};
void write_response(Response&, const HttpResponse&) {}

// A rejection is reported by the fallback's value.
// expect: without exceptions a rejection cannot be thrown.*execute a fallback
int execute() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; });
#else
  return breaker.execute([] { return 1; }, [] { return 2; });
#endif
}

// An op that returns nothing cannot report a rejection either.
// expect: without exceptions a rejection cannot be thrown.*execute a fallback
void execute_void() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] {});
#else
  const auto error = breaker.execute([] { return std::error_code{}; });
#endif
}

// A retry that was cancelled before its first attempt holds no value to return.
// expect: without exceptions a RetryResult.*cannot become
bool fallback_unwraps_retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  return !breaker.execute(retried_ping, [] { return std::error_code{}; });
#else
  return breaker.execute(retried_ping).has_value();
#endif
}

// An op that returns an int never fails.
// expect: without exceptions op's result must
int retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  return retry_with_backoff([] { return 1; });
#else
  return retry_with_backoff([] { return 1; }, failure_if([](int value) { return value < 1; }));
#endif
}

// An op that returns nothing never fails.
// expect: without exceptions op's result must
bool try_retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  return try_retry_with_backoff([] {}).has_value();
#else
  return try_retry_with_backoff([] { return std::error_code{}; }).has_value();
#endif
}

// A call that is cancelled before its first attempt could only throw CancelledError.
// expect: without exceptions retry_with_backoff cannot throw CancelledError
bool retry_stop_token(const StopToken& token) {
#ifdef FUSEBOX_COMPILE_FAIL
  return retry_with_backoff(ping, token).has_value();
#else
  return try_retry_with_backoff(ping, token).has_value();
#endif
}

// No exception is ever current.
// expect: Failure::from_current_exception needs exceptions
Failure from_current_exception() {
#ifdef FUSEBOX_COMPILE_FAIL
  return Failure::from_current_exception();
#else
  return Failure::from_status(503);
#endif
}

// Only code that can catch an exception can read it.
// expect: Failure::from_exception needs exceptions
Failure from_exception(const std::exception_ptr& exception, std::error_code code) {
#ifdef FUSEBOX_COMPILE_FAIL
  return Failure::from_exception(exception);
#else
  return Failure{code};
#endif
}

// A failure is read, not thrown.
// expect: Failure::rethrow needs exceptions
std::string rethrow(const Failure& failure) {
#ifdef FUSEBOX_COMPILE_FAIL
  failure.rethrow();
#else
  return failure.message();
#endif
}

// An error response is made from an ApiError.
// expect: send_exception needs exceptions
void send_exception(Response& response, const std::exception_ptr& exception, const ApiError& error) {
#ifdef FUSEBOX_COMPILE_FAIL
  fusebox::send_exception(response, exception);
#else
  send_api_error(response, error);
#endif
}
