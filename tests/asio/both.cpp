// A11, A12: Asio and Boost.Asio in one program.
#include "both.hpp"

#include <asio.hpp>

#include <fusebox/adapters/asio.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <exception>
#include <system_error>

#include "catch.hpp"
#include "support/failures.hpp"

using namespace std::chrono_literals;
using namespace fusebox;

TEST_CASE("A11 A12 coroutines and operations of both libraries share one breaker", "[A11][A12]") {
  constexpr RetryConfig once{.max_retries = 1, .base_delay = 1ms, .jitter = Jitter::none};
  CircuitBreaker<> breaker{"b", {.failure_threshold = 10}};
  int calls = 0;
  auto op = [&]() -> asio::awaitable<int> {
    if (++calls == 1) throw support::unavailable();
    co_return calls;
  };
  auto pipeline = compose(retry(once), breaker);
  asio::io_context context;
  int given = 0;
  asio::co_spawn(context, pipeline.execute(op),
                 [&](std::exception_ptr exception, int value) { given = exception ? 1000 : value; });
  context.run_for(10s);
  CHECK(given == 2);
  CHECK(value_with_boost(breaker, once) == 2);
  CHECK(breaker.stats().success_count == 2);
  CHECK(breaker.stats().failure_count == 2);

  breaker.force_open();
  std::error_code code;
  context.restart();
  async_execute<void(asio::error_code)>(
      breaker, context.get_executor(), [](auto handler) { handler(asio::error_code{}); },
      [&](asio::error_code rejected) { code = rejected; });
  context.run_for(10s);
  CHECK(code == PolicyErrc::circuit_open);
  CHECK(code_with_boost(breaker) == PolicyErrc::circuit_open);
}
