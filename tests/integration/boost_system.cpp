// F6, H65: adapters/boost_system.hpp keeps the codes that Boost.Asio throws and returns on loopback.
#include <fusebox/adapters/boost_system.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <boost/asio.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <system_error>

#include "catch.hpp"

using namespace fusebox;
using boost::asio::ip::tcp;

namespace {

void connect_where_nobody_listens() {
  boost::asio::io_context context;
  tcp::acceptor closed{context, tcp::v4()};
  closed.bind({boost::asio::ip::address_v4::loopback(), 0});
  tcp::socket{context}.connect(closed.local_endpoint());
}

void resolve_no_name() {
  boost::asio::io_context context;
  tcp::resolver{context}.resolve("no-such-host", "80", tcp::resolver::numeric_host);
}

void wait_for_a_cancelled_timer() {
  boost::asio::io_context context;
  boost::asio::steady_timer timer{context, std::chrono::minutes{1}};
  std::future<void> done = timer.async_wait(boost::asio::use_future);
  timer.cancel();
  context.run_for(std::chrono::seconds{5});
  done.get();
}

void time_out() {
  throw boost::system::system_error{make_error_code(boost::system::errc::timed_out), "reading the stock"};
}

void refuse_permission() {
  throw boost::system::system_error{make_error_code(boost::system::errc::permission_denied)};
}

template <class Op>
Failure failure_of_op(Op op) {
  try {
    op();
  } catch (...) {
    return Failure::from_current_exception();
  }
  throw std::logic_error{"the operation did not fail"};
}

template <class Op>
int attempts(Op op) {
  return try_retry_with_backoff(op, {.max_retries = 2}, test::FakeClock{}).stats.attempts;
}

template <class Op>
CircuitBreakerStats stats_after(Op op) {
  CircuitBreaker<test::FakeClock> breaker{"peer", {}, test::FakeClock{}};
  CHECK_THROWS_AS(breaker.execute(op), boost::system::system_error);
  return breaker.stats();
}

}  // namespace

TEST_CASE("F6 the code of a boost::system::system_error is kept", "[F6]") {
  CHECK(failure_of_op(connect_where_nobody_listens).code() == std::errc::connection_refused);
  CHECK(failure_of_op(time_out).code() == std::errc::timed_out);
  CHECK(failure_of_op(time_out).is_timeout());
  CHECK(failure_of_op(time_out).message().find("reading the stock") != std::string::npos);
  CHECK(failure_of_op(refuse_permission).code() == std::errc::permission_denied);
}

TEST_CASE("F6 a network error thrown by Boost.Asio is retried", "[F6][F3]") {
  for (const auto op : {connect_where_nobody_listens, resolve_no_name, time_out}) {
    CHECK(failure_of_op(op).is_transient());
    CHECK(attempts(op) == 3);
    CHECK(stats_after(op).failure_count == 1);
  }
  CHECK(failure_of_op(resolve_no_name).category() == ErrorCategory::network);
  CHECK(attempts(refuse_permission) == 1);
}

TEST_CASE("F6 an operation that Boost.Asio aborted is a cancellation", "[F6]") {
  CHECK(failure_of_op(wait_for_a_cancelled_timer).is_cancellation());
  CHECK(attempts(wait_for_a_cancelled_timer) == 1);
  const CircuitBreakerStats stats = stats_after(wait_for_a_cancelled_timer);
  CHECK(stats.ignored_count == 1);
  CHECK(stats.failure_count == 0);
}

TEST_CASE("F6 rethrow throws the exception of Boost itself", "[F6]") {
  CHECK_THROWS_AS(failure_of_op(connect_where_nobody_listens).rethrow(), boost::system::system_error);
}

TEST_CASE("F6 the code inside a nested exception is found", "[F6]") {
  const Failure failure = failure_of_op([] {
    try {
      connect_where_nobody_listens();
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"the stock cannot be read"});
    }
  });
  CHECK(failure.code() == std::errc::connection_refused);
  CHECK(failure.is_transient());
  CHECK(failure.message().find("the stock cannot be read") != std::string::npos);
}

TEST_CASE("H65 a code that Boost.Asio returned is judged", "[H65]") {
  boost::asio::io_context context;
  tcp::acceptor closed{context, tcp::v4()};
  closed.bind({boost::asio::ip::address_v4::loopback(), 0});
  const auto connect = [&] {
    boost::system::error_code code;
    tcp::socket{context}.connect(closed.local_endpoint(), code);
    return code;
  };
  const auto refused = retry_with_backoff(connect, {.max_retries = 2}, test::FakeClock{});
  CHECK(refused.stats.attempts == 3);
  CHECK(refused.error().code() == std::errc::connection_refused);
  closed.listen();
  CHECK(retry_with_backoff(connect, {.max_retries = 2}, test::FakeClock{}).stats.attempts == 1);
  closed.accept();

  // The peer's reset, as a read sees it.
  tcp::socket client{context};
  client.connect(closed.local_endpoint());
  tcp::socket server = closed.accept();
  server.set_option(boost::asio::socket_base::linger{true, 0});
  server.close();
  boost::system::error_code code;
  std::array<char, 1> byte{};
  boost::asio::read(client, boost::asio::buffer(byte), code);
  const auto reset = failure_traits<boost::system::error_code>::failure(code);
  REQUIRE(reset);
  CHECK(reset->code() == std::errc::connection_reset);
  CHECK(reset->is_transient());
}
