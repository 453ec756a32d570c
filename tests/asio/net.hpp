// The same test text for Asio and for Boost.Asio: `net` and `adapter` are the library's namespace and ours.
#pragma once

#if FUSEBOX_TEST_BOOST_ASIO
#include <utility>  // the awaitable.hpp of Boost 1.74 forgets it

#include <boost/asio.hpp>
#if __has_include(<boost/asio/experimental/awaitable_operators.hpp>)
#include <boost/asio/experimental/awaitable_operators.hpp>
#endif

#include <fusebox/adapters/boost_asio.hpp>
#else
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/deferred.hpp>

#include <fusebox/adapters/asio.hpp>
#endif

#include <fusebox/fusebox.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <system_error>

#include "catch.hpp"

namespace support {

#if FUSEBOX_TEST_BOOST_ASIO
namespace net = boost::asio;
namespace adapter = fusebox::boost_asio;
using Code = boost::system::error_code;
using SystemError = boost::system::system_error;
#else
namespace net = asio;
namespace adapter = fusebox;
using Code = asio::error_code;
using SystemError = std::system_error;
#endif

using Executor = net::io_context::executor_type;

/// Runs what the context has to do, within ten seconds.
inline void run(net::io_context& context) {
  context.restart();
  context.run_for(std::chrono::seconds{10});
  REQUIRE(context.stopped());
}

/// Runs the coroutine to its end; throws what it threw.
template <class T>
T run(net::io_context& context, net::awaitable<T> task) {
  std::optional<T> value;
  std::exception_ptr exception;
  net::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T given) {
    exception = thrown;
    value.emplace(std::move(given));
  });
  run(context);
  if (exception) std::rethrow_exception(exception);
  REQUIRE(value.has_value());
  return std::move(*value);
}

}  // namespace support
