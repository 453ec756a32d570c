// E1: the error codes of Asio's sockets, resolver and timers, as they come from loopback. Built twice: with
// standalone Asio, whose codes are std::error_codes of its own category, and with Boost.Asio, whose codes
// convert.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#if FUSEBOX_TEST_BOOST_ASIO
#include <boost/asio.hpp>
namespace net = boost::asio;
using NetCode = boost::system::error_code;
#else
#include <asio.hpp>
#if __has_include(<asio/experimental/deferred.hpp>)
#include <asio/experimental/deferred.hpp>
#define FUSEBOX_TEST_DEFERRED 1
#endif
namespace net = asio;
using NetCode = asio::error_code;
#endif

#include <array>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using net::ip::tcp;

namespace {

const net::ip::address_v4 loopback = net::ip::address_v4::loopback();

/// A listener on loopback and a connection to it.
struct Connection {
  Connection() {
    client.connect(listener.local_endpoint());
    listener.accept(server);
  }

  /// The server's side ends with a reset; the client has not noticed yet.
  void reset() {
    server.set_option(net::socket_base::linger{true, 0});
    server.close();
  }

  net::io_context context;
  tcp::acceptor listener{context, {loopback, 0}};
  tcp::socket client{context};
  tcp::socket server{context};
  std::array<char, 16> buffer{};
};

std::error_code refused() {
  net::io_context context;
  tcp::acceptor closed{context, tcp::v4()};
  closed.bind({loopback, 0});  // and never listens
  tcp::socket socket{context};
  NetCode code;
  socket.connect(closed.local_endpoint(), code);
  return code;
}

std::error_code reset() {
  Connection connection;
  connection.reset();
  NetCode code;
  connection.client.read_some(net::buffer(connection.buffer), code);
  return code;
}

std::error_code broken_pipe() {
  Connection connection;
  connection.client.shutdown(tcp::socket::shutdown_send);
  NetCode code;
  connection.client.write_some(net::buffer("x", 1), code);
  return code;
}

std::error_code not_connected() {
  net::io_context context;
  tcp::socket socket{context, tcp::v4()};
  NetCode code;
  socket.shutdown(tcp::socket::shutdown_both, code);
  return code;
}

std::error_code address_not_ours() {
  net::io_context context;
  tcp::acceptor acceptor{context, tcp::v4()};
  NetCode code;
  acceptor.bind({net::ip::make_address_v4("203.0.113.1"), 0},
                code);  // an address of no machine; nothing is sent
  return code;
}

std::error_code host_not_found() {
  net::io_context context;
  tcp::resolver resolver{context};
  NetCode code;
  resolver.resolve("no-such-host", "80", tcp::resolver::numeric_host, code);  // asks no name server
  return code;
}

std::error_code aborted_timer() {
  net::io_context context;
  net::steady_timer timer{context, std::chrono::minutes{1}};
  NetCode seen;
  timer.async_wait([&](NetCode code) { seen = code; });
  timer.cancel();
  context.run_for(std::chrono::seconds{5});
  return seen;
}

std::error_code aborted_read() {
  Connection connection;
  NetCode seen;
  connection.client.async_read_some(net::buffer(connection.buffer),
                                    [&](NetCode code, std::size_t) { seen = code; });
  net::post(connection.context, [&] { connection.client.close(); });
  connection.context.run_for(std::chrono::seconds{5});
  return seen;
}

std::error_code would_block() {
  Connection connection;
  connection.client.non_blocking(true);
  NetCode code;
  connection.client.read_some(net::buffer(connection.buffer), code);
  return code;
}

std::error_code in_use() {
  const Connection connection;
  net::io_context context;
  tcp::acceptor second{context, tcp::v4()};
  NetCode code;
  second.bind(connection.listener.local_endpoint(), code);
  return code;
}

/// What the library makes of a code: as a Failure, and as what an operation returns.
struct Judgement {
  explicit Judgement(std::error_code code) : failure{code} {
    (void)breaker.execute([&] { return code; });
    RetryConfig config{.max_retries = 2};
    retry = try_retry_with_backoff([&] { return code; }, config, clock).stats;
  }

  test::FakeClock clock;
  CircuitBreaker<test::FakeClock> breaker{"peer", {}, clock};
  Failure failure;
  RetryStats retry;
};

void check_transient(std::error_code code) {
  CAPTURE(code, code.message());
  REQUIRE(code);
  const Judgement judgement{code};
  CHECK(judgement.failure.category() == ErrorCategory::network);
  CHECK(code == ErrorCategory::network);
  CHECK(judgement.failure.is_transient());
  CHECK_FALSE(judgement.failure.is_cancellation());
  CHECK(judgement.failure.status() == std::nullopt);
  CHECK(judgement.breaker.stats().failure_count == 1);
  CHECK(judgement.retry.attempts == 3);
}

void check_cancelled(std::error_code code) {
  CAPTURE(code, code.message());
  REQUIRE(code);
  const Judgement judgement{code};
  CHECK(judgement.failure.is_cancellation());
  CHECK_FALSE(judgement.failure.is_transient());
  CHECK(judgement.breaker.stats().ignored_count == 1);
  CHECK(judgement.breaker.stats().failure_count == 0);
  CHECK(judgement.retry.attempts == 1);
  CHECK(judgement.retry.stop_reason == StopReason::cancelled);
}

/// A failure that is not retried.
void check_lasting(std::error_code code) {
  CAPTURE(code, code.message());
  REQUIRE(code);
  const Judgement judgement{code};
  CHECK(judgement.failure.category() != ErrorCategory::network);
  CHECK_FALSE(judgement.failure.is_transient());
  CHECK_FALSE(judgement.failure.is_cancellation());
  CHECK(judgement.breaker.stats().failure_count == 1);
  CHECK(judgement.retry.attempts == 1);
}

std::error_code code_of(net::error::basic_errors error) { return NetCode{error}; }

}  // namespace

TEST_CASE("E1 F3 a refused connection is a transient network error", "[E1][F3]") {
  check_transient(refused());
}

TEST_CASE("E1 F3 a connection that the peer reset is a transient network error", "[E1][F3]") {
  check_transient(reset());
}

TEST_CASE("E1 F3 writing to a connection that has ended is a transient network error", "[E1][F3]") {
  check_transient(broken_pipe());
}

TEST_CASE("E1 F3 a socket without a connection is a transient network error", "[E1][F3]") {
  check_transient(not_connected());
}

TEST_CASE("E1 F3 an address that is not ours is a transient network error", "[E1][F3]") {
  check_transient(address_not_ours());
}

TEST_CASE("E1 F3 an unknown host is a transient network error", "[E1][F3]") {
  check_transient(host_not_found());
  check_transient(NetCode{net::error::host_not_found_try_again});
}

TEST_CASE("E1 F3 networks that are down or out of reach are transient network errors", "[E1][F3]") {
  for (const auto error :
       {net::error::network_unreachable, net::error::host_unreachable, net::error::network_down,
        net::error::network_reset, net::error::connection_aborted, net::error::timed_out}) {
    check_transient(code_of(error));
  }
  CHECK(Failure{code_of(net::error::timed_out)}.is_timeout());
}

TEST_CASE("E1 what Asio aborted is a cancellation", "[E1]") {
  check_cancelled(aborted_timer());
  check_cancelled(aborted_read());
}

TEST_CASE("E1 a read that would block, or that a signal interrupted, is not transient", "[E1]") {
  check_lasting(would_block());
  check_lasting(code_of(net::error::interrupted));
}

TEST_CASE("E1 an address in use, or a socket that is not open, is not transient", "[E1]") {
  check_lasting(in_use());
  check_lasting(code_of(net::error::bad_descriptor));
  check_lasting(code_of(net::error::access_denied));
}

TEST_CASE("E1 numbers of Asio's own categories are not read as errno", "[E1]") {
  check_lasting(NetCode{net::error::eof});  // 2 of its category
  check_lasting(NetCode{net::error::fd_set_failure});
  check_lasting(NetCode{net::error::no_recovery});  // of the resolver
}

#ifdef FUSEBOX_TEST_DEFERRED
TEST_CASE("F1 F5 a deferred operation of Asio is unfinished", "[F1][F5]") {
  const auto wait = [](net::steady_timer& timer) { return timer.async_wait(asio::experimental::deferred); };
  static_assert(detail::unfinished<decltype(wait(std::declval<net::steady_timer&>()))>);
  static_assert(!detail::unfinished<std::error_code> && !detail::unfinished<tcp::endpoint>);
  SUCCEED();
}
#endif

#if !FUSEBOX_TEST_BOOST_ASIO
TEST_CASE("E1 the code of an exception that Asio threw is judged alike", "[E1][F3]") {
  const auto connect = [] {
    net::io_context context;
    tcp::acceptor closed{context, tcp::v4()};
    closed.bind({loopback, 0});
    tcp::socket{context}.connect(closed.local_endpoint());
  };
  const test::FakeClock clock;
  CircuitBreaker<test::FakeClock> breaker{"peer", {}, clock};
  CHECK_THROWS_AS(breaker.execute(connect), std::system_error);
  CHECK(breaker.stats().failure_count == 1);
  CHECK(try_retry_with_backoff(connect, {.max_retries = 2}, clock).stats.attempts == 3);

  const auto aborted = [] { throw asio::system_error{asio::error::operation_aborted}; };
  CHECK_THROWS_AS(breaker.execute(aborted), std::system_error);
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(try_retry_with_backoff(aborted, {.max_retries = 2}, clock).stats.attempts == 1);
}
#endif
