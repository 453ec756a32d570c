#include <fusebox/adapters/httplib.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// Answers `/status/N` with N, and with the Retry-After of `?after=`, if any.
class Server {
 public:
  Server() {
    server_.Get(R"(/status/(\d+))", [this](const httplib::Request& request, httplib::Response& response) {
      ++requests;
      response.status = std::stoi(request.matches[1]);
      if (request.has_param("after")) response.set_header("Retry-After", request.get_param_value("after"));
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread{[this] { server_.listen_after_bind(); }};
    while (!server_.is_running()) std::this_thread::yield();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    server_.stop();
    thread_.join();
  }

  [[nodiscard]] httplib::Result get(const std::string& path) const {
    httplib::Client client{"127.0.0.1", port_};
    return client.Get(path.c_str());
  }

  std::atomic<int> requests{0};

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

std::optional<Failure> judge(const httplib::Result& result) {
  return failure_traits<httplib::Result>::failure(result);
}

/// A port on which nobody listens: connections to it are refused.
class ClosedPort {
 public:
  ClosedPort() : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<::sockaddr*>(&address);
    REQUIRE(::bind(socket_, generic, size) == 0);
    REQUIRE(::getsockname(socket_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  ~ClosedPort() { ::close(socket_); }
  [[nodiscard]] int number() const { return port_; }

 private:
  int socket_;
  int port_ = 0;
};

/// As in cpp-httplib 0.57, whose last versions brought the second half.
enum class LaterError {
  Success = 0,
  Unknown,
  Connection,
  Read,
  Write,
  Canceled,
  SSLConnection,
  ConnectionTimeout,
  ProxyConnection,
  ConnectionClosed,
  Timeout,
  ResourceExhaustion,
  HTTPParsing,
  UnsupportedContentEncoding,
  WebSocketHandshake,
  SSLPeerCouldBeClosed_,
};

/// As in a version that has none of them.
enum class EarlyError { Success = 0, Unknown, Connection, Read, Write, Canceled };

}  // namespace

TEST_CASE("H8 an answer from 200 to 399 is no failure", "[H8]") {
  const Server server;
  CHECK_FALSE(judge(server.get("/status/200")));
  CHECK_FALSE(judge(server.get("/status/204")));
  CHECK_FALSE(judge(server.get("/status/302")));
}

TEST_CASE("H8 an error status is a failure of that status, with its Retry-After", "[H8]") {
  const Server server;
  for (const int status : {400, 404, 429, 500, 503}) {
    const auto failure = judge(server.get("/status/" + std::to_string(status)));
    REQUIRE(failure);
    CHECK(failure->status() == status);
    CHECK_FALSE(failure->retry_after());
  }
  CHECK(judge(server.get("/status/503?after=7"))->retry_after() == 7s);
  CHECK_FALSE(judge(server.get("/status/503?after=soon"))->retry_after());
}

TEST_CASE("H8 a transport error comes before the response that came with it", "[H8]") {
  const auto failed_after = [](int status, httplib::Error error) {
    auto response = std::make_unique<httplib::Response>();
    response->status = status;
    return httplib::Result{std::move(response), error};
  };
  for (const int status : {200, 302, 404, 407}) {
    CAPTURE(status);
    const auto result = failed_after(status, httplib::Error::Read);
    const auto failure = judge(result);
    REQUIRE(failure);
    CHECK(failure->code() == NetworkErrc::timed_out);
    CHECK_FALSE(failure->status());
    CHECK(upstream_error(result, "orders")->code() == ErrorCode::bad_gateway);
    CHECK(judge(failed_after(status, httplib::Error::Connection))->code() == NetworkErrc::connection_refused);
    CHECK(judge(failed_after(status, httplib::Error::Unknown))->code());
  }
}

TEST_CASE("H8 a status below 200, and no answer at all, is a failure without a status", "[H8]") {
  for (const int status : {-1, 0, 99, 100, 101, 103, 199}) {
    CAPTURE(status);
    auto response = std::make_unique<httplib::Response>();
    response->status = status;
    const httplib::Result result{std::move(response), httplib::Error::Success};
    const auto failure = judge(result);
    REQUIRE(failure);
    CHECK(failure->code());
    CHECK_FALSE(failure->status());
    CHECK(default_outcome(*failure) == Outcome::failure);
    CHECK(upstream_error(result, "orders")->code() == ErrorCode::bad_gateway);
  }
  const auto none = judge(httplib::Result{nullptr, httplib::Error::Success});
  REQUIRE(none);
  CHECK(none->code());
}

TEST_CASE("H8 a refused connection is NetworkErrc::connection_refused", "[H8]") {
  const ClosedPort port;
  httplib::Client client{"127.0.0.1", port.number()};
  const auto failure = judge(client.Get("/"));
  REQUIRE(failure);
  CHECK(failure->code() == NetworkErrc::connection_refused);
  CHECK(failure->category() == ErrorCategory::network);
  CHECK(failure->is_transient());
}

TEST_CASE("H8 every transport error has a name or at least a code", "[H8]") {
  CHECK(detail::httplib_code(httplib::Error::Success) == std::error_code{});
  CHECK(detail::httplib_code(httplib::Error::Connection) == NetworkErrc::connection_refused);
  CHECK(detail::httplib_code(httplib::Error::Read) == NetworkErrc::timed_out);
  CHECK(detail::httplib_code(httplib::Error::Write) == NetworkErrc::connection_reset);
  CHECK(detail::httplib_code(httplib::Error::Canceled) == PolicyErrc::cancelled);
  const std::error_code other = detail::httplib_code(httplib::Error::SSLServerVerification);
  CHECK(other);
  CHECK(other != std::errc::no_child_process);
  CHECK(other.message() == "httplib error: " + httplib::to_string(httplib::Error::SSLServerVerification));
  CHECK(std::string{other.category().name()} == "httplib");
}

TEST_CASE("H35 the errors that later versions distinguish are timeouts and broken connections", "[H35]") {
  CHECK(detail::httplib_code(LaterError::ConnectionTimeout) == NetworkErrc::timed_out);
  CHECK(detail::httplib_code(LaterError::Timeout) == NetworkErrc::timed_out);
  CHECK(detail::httplib_code(LaterError::ConnectionClosed) == NetworkErrc::connection_reset);
  CHECK(detail::httplib_code(LaterError::SSLPeerCouldBeClosed_) == NetworkErrc::connection_reset);
  CHECK(detail::httplib_code(LaterError::Connection) == NetworkErrc::connection_refused);
  CHECK(detail::httplib_code(LaterError::Success) == std::error_code{});
  CHECK(detail::httplib_code(EarlyError::Read) == NetworkErrc::timed_out);
}

TEST_CASE("H35 any other error of a later version keeps its number and is not transient", "[H35]") {
  for (const auto error : {LaterError::Unknown, LaterError::SSLConnection, LaterError::ProxyConnection,
                           LaterError::ResourceExhaustion, LaterError::HTTPParsing,
                           LaterError::UnsupportedContentEncoding, LaterError::WebSocketHandshake}) {
    const Failure failure{detail::httplib_code(error)};
    CAPTURE(static_cast<int>(error));
    CHECK(failure.code().value() == static_cast<int>(error));
    CHECK(std::string{failure.code().category().name()} == "httplib");
    CHECK_FALSE(failure.is_transient());
    CHECK(default_outcome(failure) == Outcome::failure);
  }
  CHECK(detail::httplib_code(EarlyError::Unknown).value() == static_cast<int>(EarlyError::Unknown));
}

TEST_CASE("H8 retry_with_backoff honours a 503 with Retry-After over real HTTP", "[H8]") {
  Server server;
  const test::FakeClock clock;
  const auto result = retry_with_backoff([&] { return server.get("/status/503?after=2"); },
                                         {.max_retries = 2, .jitter = Jitter::none}, clock);
  CHECK_FALSE(result.has_value());
  CHECK(result.error().status() == 503);
  CHECK(result.stats.attempts == 3);
  CHECK(server.requests == 3);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s, 2s});
  CHECK(result.value()->status == 503);
}

TEST_CASE("H8 E7 a Retry-After that no integer holds saturates", "[H8][E7]") {
  const Server server;
  CHECK(judge(server.get("/status/503?after=99999999999999999999999"))->retry_after() ==
        std::chrono::milliseconds::max());
  const auto error = upstream_error(server.get("/status/503?after=99999999999999999999999"), "orders");
  CHECK(error->retry_after() == std::chrono::milliseconds::max());
}

TEST_CASE("H8 a breaker opens on 5xx, not on 404", "[H8]") {
  const Server server;
  CircuitBreaker<> breaker{"upstream", {.failure_threshold = 2}};
  for (int i = 0; i < 5; ++i) (void)breaker.execute([&] { return server.get("/status/404"); });
  CHECK(breaker.state() == State::closed);
  for (int i = 0; i < 2; ++i) (void)breaker.execute([&] { return server.get("/status/500"); });
  CHECK(breaker.state() == State::open);
}

TEST_CASE("H8 E5 the adapter marks its errors as an upstream's", "[H8][E5]") {
  const Server server;
  CHECK_FALSE(upstream_error(server.get("/status/200"), "orders"));
  const auto error = upstream_error(server.get("/status/503?after=9"), "orders");
  REQUIRE(error);
  CHECK(error->is_upstream());
  CHECK(error->upstream() == "orders");
  CHECK(error->code() == ErrorCode::service_unavailable);
  CHECK(error->retry_after() == 9s);
  const ClosedPort port;
  httplib::Client client{"127.0.0.1", port.number()};
  const auto refused = upstream_error(client.Get("/"), "orders");
  REQUIRE(refused);
  CHECK(refused->code() == ErrorCode::bad_gateway);
  CHECK(refused->category() == ErrorCategory::network);
  CHECK(refused->reason() == NetworkErrc::connection_refused);
}
