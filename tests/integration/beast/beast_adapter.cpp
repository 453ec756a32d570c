// H30 to H34: adapters/beast.hpp on answers of real servers. run_beast.py starts them and says where they
// are.
#include <fusebox/adapters/beast.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/error_response.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/dynamic_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "catch.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
namespace bh = boost::beast::http;
using boost::asio::ip::tcp;
using boost::beast::error_code;

namespace {

using Response = bh::response<bh::string_body>;
using Result = support::Expected<Response, error_code>;

/// A number that run_beast.py passes on.
int number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  INFO(variable << " is missing: run_beast.py runs this program");
  REQUIRE(text != nullptr);
  return std::stoi(text);
}

tcp::endpoint at(const char* server) {
  return {boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(number_of(server))};
}

bh::request<bh::empty_body> request(const std::string& path) {
  bh::request<bh::empty_body> request{bh::verb::get, path, 11};
  request.set(bh::field::host, "127.0.0.1");
  return request;
}

/// Exactly as the library sees it: the error, or the response. The read ends at the deadline.
Result get(const char* server, const std::string& path, const Deadline& deadline = Deadline::after(10s)) {
  boost::asio::io_context context;
  boost::beast::tcp_stream stream{context};
  error_code code;
  stream.connect(at(server), code);
  if (code) return support::Unexpected<error_code>{code};
  bh::write(stream, request(path), code);
  if (code) return support::Unexpected<error_code>{code};
  set_deadline(stream, deadline);
  boost::beast::flat_buffer buffer;
  Response response;
  bh::async_read(stream, buffer, response, [&](const error_code& error, std::size_t) { code = error; });
  context.run();
  if (code) return support::Unexpected<error_code>{code};
  return response;
}

std::optional<Failure> judge(const Result& result) { return failure_traits<Result>::failure(result); }
std::optional<Failure> nginx(const std::string& path) { return judge(get("SERVERS_NGINX", path)); }
std::optional<Failure> raw(const std::string& path) { return judge(get("SERVERS_RAW", path)); }

}  // namespace

TEST_CASE("H30 answers of nginx from 200 to 399 are no failures", "[H30]") {
  for (const char* path : {"/200", "/204", "/302"}) CHECK_FALSE(nginx(path));
}

TEST_CASE("H30 error statuses of nginx are failures, with Retry-After in both forms", "[H30]") {
  CHECK(nginx("/404")->status() == 404);
  CHECK(default_outcome(*nginx("/404")) == Outcome::success);
  CHECK(nginx("/429")->retry_after() == 2s);
  CHECK(nginx("/429")->is_transient());
  CHECK_FALSE(nginx("/503")->retry_after());
  CHECK_FALSE(nginx("/503/words")->retry_after());
  CHECK(nginx("/503/seconds")->retry_after() == 7s);
  const auto date = nginx("/503/date")->retry_after();
  REQUIRE(date);
  CHECK(*date > 3500s);
  CHECK(*date <= 3600s);
  const test::FakeClock clock;
  (void)retry_with_backoff([] { return get("SERVERS_NGINX", "/429"); },
                           {.max_retries = 1, .jitter = Jitter::none}, clock);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s});
}

TEST_CASE("H30 an early hint without an answer is a failure without a status", "[H30]") {
  const auto failure = raw("/103");
  REQUIRE(failure);
  CHECK_FALSE(failure->status());
}

TEST_CASE("H31 an answer that is cut short, or that never came, is a reset connection", "[H31]") {
  for (const char* path : {"/truncated", "/truncated-chunk", "/truncated-head", "/empty"}) {
    CAPTURE(path);
    const auto failure = raw(path);
    REQUIRE(failure);
    CHECK(failure->code() == NetworkErrc::connection_reset);
    CHECK(failure->is_transient());
    CHECK_FALSE(failure->status());
  }
  const auto reset = raw("/reset");
  REQUIRE(reset);
  CHECK(reset->code() == std::errc::connection_reset);
  CHECK(reset->is_transient());
}

TEST_CASE("H31 an answer that is no HTTP is a failure that is not retried", "[H31]") {
  for (const char* path : {"/garbage", "/bad-length"}) {
    CAPTURE(path);
    int calls = 0;
    const auto result = retry_with_backoff([&] { return ++calls, get("SERVERS_RAW", path); },
                                           {.max_retries = 2}, test::FakeClock{});
    CHECK(calls == 1);
    REQUIRE_FALSE(result.has_value());
    CHECK(std::string{result.error().code().category().name()} == "beast.http");
    CHECK(default_outcome(result.error()) == Outcome::failure);
  }
}

TEST_CASE("H31 a refused connection is a transient network error", "[H31]") {
  const auto failure = judge(get("SERVERS_CLOSED", "/"));
  REQUIRE(failure);
  CHECK(failure->code() == std::errc::connection_refused);
  CHECK(failure->category() == ErrorCategory::network);
}

TEST_CASE("H33 a silent server is a timeout at the deadline of the call", "[H33][H31]") {
  const auto begin = std::chrono::steady_clock::now();
  CircuitBreaker<> breaker{"silent", {.failure_threshold = 1}};
  const auto result = breaker.execute([] { return get("SERVERS_RAW", "/silent", Deadline::after(100ms)); });
  REQUIRE(judge(result));
  CHECK(judge(result)->code() == NetworkErrc::timed_out);
  CHECK(breaker.state() == State::open);
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 95ms);
  CHECK(took < 5s);
}

TEST_CASE(
    "H31 H30 nginx killed in the middle of an answer is a reset connection; the retry reaches the next one",
    "[H30][H31]") {
  boost::asio::io_context context;
  boost::beast::tcp_stream stream{context};
  stream.connect(at("SERVERS_VICTIM"));
  bh::write(stream, request("/large"));
  boost::beast::flat_buffer buffer;
  bh::response_parser<bh::string_body> parser;
  parser.body_limit(10'000'000);
  bh::read_header(stream, buffer, parser);
  error_code code;
  bh::read_some(stream, buffer, parser, code);
  REQUIRE_FALSE(code);
  ::kill(number_of("SERVERS_VICTIM_PID"), SIGKILL);
  bh::read(stream, buffer, parser, code);
  const auto failure = failure_traits<error_code>::failure(code);
  REQUIRE(failure);
  CHECK(failure->is_transient());
  CHECK(failure->category() == ErrorCategory::network);

  const RetryConfig config{.max_retries = 100, .base_delay = 50ms, .max_delay = 50ms};
  const auto result = retry_with_backoff([] { return get("SERVERS_VICTIM", "/200"); }, config);
  CHECK(result.has_value());
  CHECK(result.stats.attempts > 1);
  CHECK(result.stats.attempts < 101);
}

namespace {

template <class Body>
void answer(tcp::socket& socket, const bh::request<bh::string_body>& asked) {
  bh::response<Body> response{bh::status::ok, asked.version()};
  response.keep_alive(asked.keep_alive());
  response.set(bh::field::etag, "old");
  const std::string path{asked.target().data(), asked.target().size()};
  if (path == "/missing") {
    send_not_found_error(response, "no such page", {.path = path});
  } else if (path == "/busy") {
    send_rate_limit_error(response, 1500ms);
  } else if (path == "/open") {
    send_exception(response, std::make_exception_ptr(CircuitOpenError{"secret"}));
  } else if (path == "/broken") {
    send_exception(response, std::make_exception_ptr(std::runtime_error{"secret"}));
  } else if (path == "/dynamic") {
    send_forbidden_error(response);
  } else if (path == "/vector") {
    send_validation_error(response, {{"email", "is missing"}});
  } else if constexpr (std::is_same_v<Body, bh::string_body>) {
    response.body() = "fine";
    response.prepare_payload();
  }
  bh::write(socket, response);
}

}  // namespace

TEST_CASE("H34 serves, until its input ends", "[.serve]") {
  boost::asio::io_context context;
  tcp::acceptor acceptor{context, {boost::asio::ip::address_v4::loopback(), 0}};
  std::cout << acceptor.local_endpoint().port() << std::endl;
  std::thread{[] {
    char byte = 0;
    while (::read(0, &byte, 1) > 0) {
    }
    std::_Exit(0);
  }}.detach();
  for (;;) {
    tcp::socket socket = acceptor.accept();
    boost::beast::flat_buffer buffer;
    bh::request<bh::string_body> asked;
    error_code code;
    bh::read(socket, buffer, asked, code);
    if (code) continue;
    if (asked.target() == "/dynamic") {
      answer<bh::dynamic_body>(socket, asked);
    } else if (asked.target() == "/vector") {
      answer<bh::vector_body<char>>(socket, asked);
    } else {
      answer<bh::string_body>(socket, asked);
    }
  }
}
