#include <fusebox/adapters/libpq.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stop_token>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// Takes connections on loopback and never answers.
class Mute {
 public:
  Mute() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool is_up = ::bind(socket_, any, size) == 0 && ::listen(socket_, 5) == 0 &&
                       ::getsockname(socket_, any, &size) == 0;
    REQUIRE(is_up);
    port = ntohs(address.sin_port);
  }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;
  ~Mute() { ::close(socket_); }

  int port = 0;

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
};

}  // namespace

TEST_CASE("H61 a server that never answers a new connection got no statement", "[H61]") {
  const Mute mute;
  pq::Connection connection{
      {.conninfo = "host=127.0.0.1 port=" + std::to_string(mute.port), .connect_timeout = 10ms}};
  const auto answer = retry_with_backoff([&] { return connection.exec("SELECT 1"); },
                                         {.max_retries = 1, .base_delay = 1ms, .idempotent = false});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.stats.attempts == 2);
  CHECK(answer.error().code() == pq::sql_state("08001"));
  CHECK(default_outcome(answer.error()) == Outcome::failure);
}

TEST_CASE("H62 a NUL byte, at which libpq would cut the text, is refused", "[H62]") {
  pq::Connection connection{{.conninfo = "host=/nowhere"}};
  const std::string text{"a\0b", 3};
  CHECK(connection.exec("SELECT $1", {std::nullopt, text}).sql_state() == "22021");
  CHECK(connection.exec(text).sql_state() == "22021");
  CHECK(connection.exec("SELECT $1", {"ab", std::nullopt}).sql_state().empty());
}

TEST_CASE("H62 nothing is sent after the deadline or a stop", "[H62]") {
  test::FakeClock clock;
  pq::Connection connection{{.conninfo = "host=/nowhere"}};
  const Deadline deadline = Deadline::after(1s, clock);
  clock.advance(1s);
  const auto late = connection.exec("SELECT 1", {}, deadline).failure();
  REQUIRE(late);
  CHECK(late->code() == PolicyErrc::timed_out);
  std::stop_source source;
  source.request_stop();
  const auto stopped = connection.exec("SELECT 1", {}, {}, source.get_token()).failure();
  REQUIRE(stopped);
  CHECK(stopped->code() == PolicyErrc::cancelled);
  CHECK(connection.get() == nullptr);
}

TEST_CASE("H63 a transaction that cannot begin never calls its operation", "[H63]") {
  pq::Connection connection{{.conninfo = "host=/nowhere"}};
  bool is_called = false;
  const auto result = connection.transaction([&](pq::Connection& db) {
    is_called = true;
    return db.exec("SELECT 1");
  });
  CHECK_FALSE(is_called);
  REQUIRE(result.failure());
  CHECK(result.failure()->code() == NetworkErrc::connection_refused);
}
