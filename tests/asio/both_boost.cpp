#include "both.hpp"

#include <utility>  // the awaitable.hpp of Boost 1.74 forgets it

#include <boost/asio.hpp>

#include <fusebox/adapters/boost_asio.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <exception>

#include "support/failures.hpp"

namespace net = boost::asio;

int value_with_boost(fusebox::CircuitBreaker<>& breaker, const fusebox::RetryConfig& config) {
  int calls = 0;
  auto op = [&]() -> net::awaitable<int> {
    if (++calls == 1) throw support::unavailable();
    co_return calls;
  };
  auto pipeline = compose(fusebox::retry(config), breaker);
  net::io_context context;
  int given = 0;
  net::co_spawn(context, pipeline.execute(op),
                [&](std::exception_ptr exception, int value) { given = exception ? 1000 : value; });
  context.run_for(std::chrono::seconds{10});
  return given;
}

std::error_code code_with_boost(fusebox::CircuitBreaker<>& breaker) {
  net::io_context context;
  std::error_code given;
  fusebox::boost_asio::async_execute<void(boost::system::error_code)>(
      breaker, context.get_executor(), [](auto handler) { handler(boost::system::error_code{}); },
      [&](boost::system::error_code code) { given = code; });
  context.run_for(std::chrono::seconds{10});
  return given;
}
