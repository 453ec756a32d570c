#include <fusebox/adapters/beast.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/error_response.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/multi_buffer.hpp>
#include <boost/beast/http/dynamic_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/vector_body.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
namespace beast_http = boost::beast::http;
using boost::beast::error_code;

namespace {

using Response = beast_http::response<beast_http::string_body>;

Response answer(unsigned status, std::string_view retry_after = {}) {
  Response response;
  response.result(status);
  if (!retry_after.empty()) {
    response.set(beast_http::field::retry_after, {retry_after.data(), retry_after.size()});
  }
  return response;
}

template <class T>
std::optional<Failure> judge(const T& value) {
  return failure_traits<T>::failure(value);
}

error_code code(beast_http::error error) { return make_error_code(error); }

/// What Beast's parser makes of an answer that ends after `text`.
error_code read(std::string_view text) {
  beast_http::response_parser<beast_http::string_body> parser;
  parser.eager(true);
  error_code error;
  parser.put(boost::asio::buffer(text.data(), text.size()), error);
  if (error == beast_http::error::need_more) error = {};
  if (!error && !parser.is_done()) parser.put_eof(error);
  return error;
}

}  // namespace

TEST_CASE("H30 an answer from 200 to 399 is no failure, whatever its body", "[H30]") {
  for (const unsigned status : {200U, 204U, 302U, 304U, 399U}) CHECK_FALSE(judge(answer(status)));
  CHECK_FALSE(judge(beast_http::response<beast_http::dynamic_body>{}));
  CHECK_FALSE(judge(beast_http::response<beast_http::empty_body>{}));
}

TEST_CASE("H30 an error status is a failure of that status, with its Retry-After", "[H30]") {
  for (const unsigned status : {400U, 404U, 429U, 500U, 503U, 599U, 999U}) {
    const auto failure = judge(answer(status));
    REQUIRE(failure);
    CHECK(failure->status() == static_cast<int>(status));
    CHECK_FALSE(failure->retry_after());
  }
  CHECK(judge(answer(503, "7"))->retry_after() == 7s);
  CHECK(judge(answer(429, "7"))->is_transient());
  CHECK_FALSE(judge(answer(503, "soon"))->retry_after());
  const test::FakeClock clock;
  const test::ScopedSystemClock system{clock};
  clock.set_wall(std::chrono::sys_days{std::chrono::year{2026} / 11 / 29} + 10h);
  CHECK(judge(answer(503, "Sun, 29 Nov 2026 10:00:30 GMT"))->retry_after() == 30s);
}

TEST_CASE("H30 a status below 200 is a failure without a status", "[H30]") {
  for (const unsigned status : {0U, 100U, 101U, 103U, 199U}) {
    CAPTURE(status);
    const auto failure = judge(answer(status));
    REQUIRE(failure);
    CHECK_FALSE(failure->status());
    CHECK(failure->code() == std::error_code{code(beast_http::error::bad_status)});
    CHECK(default_outcome(*failure) == Outcome::failure);
    CHECK_FALSE(failure->is_transient());
  }
}

TEST_CASE("H31 an answer that ends too early is a reset connection", "[H31]") {
  for (const std::string_view text :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nten",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes."}) {
    CAPTURE(text);
    const error_code error = text.empty() ? code(beast_http::error::end_of_stream) : read(text);
    if (!text.empty()) CHECK(error == beast_http::error::partial_message);
    const auto failure = judge(error);
    REQUIRE(failure);
    CHECK(failure->code() == NetworkErrc::connection_reset);
    CHECK(failure->is_transient());
    CHECK(default_outcome(*failure) == Outcome::failure);
  }
  CHECK_FALSE(judge(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nten")));
}

TEST_CASE("H31 an answer that is no HTTP is a failure that is not retried", "[H31]") {
  for (const std::string_view text : {"\x01\x02 this is no HTTP at all\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"}) {
    CAPTURE(text);
    const error_code error = read(text);
    const auto failure = judge(error);
    REQUIRE(failure);
    CHECK(failure->code() == std::error_code{error});
    CHECK(failure->message() == error.message());
    CHECK_FALSE(failure->is_transient());
    CHECK(default_outcome(*failure) == Outcome::failure);
  }
}

TEST_CASE("H31 a timeout of a Beast stream is a timeout", "[H31]") {
  const error_code timeout = boost::beast::error::timeout;
  REQUIRE(judge(timeout));
  CHECK(judge(timeout)->code() == NetworkErrc::timed_out);
  CHECK(judge(timeout)->is_timeout());
  CHECK(judge(timeout)->is_transient());
}

TEST_CASE("H31 Beast's requests to go on are no failures", "[H31]") {
  CHECK_FALSE(judge(error_code{}));
  CHECK_FALSE(judge(code(beast_http::error::need_buffer)));
  CHECK_FALSE(judge(code(beast_http::error::end_of_chunk)));
  CHECK(judge(code(beast_http::error::body_limit)));
  CHECK(judge(code(beast_http::error::stale_parser)));
}

TEST_CASE("H31 the codes of Beast mean the same when they are thrown", "[H31][F6]") {
  const auto thrown = [](const error_code& error) {
    try {
      throw boost::beast::system_error{error};
    } catch (...) {
      return Failure::from_current_exception();
    }
  };
  CHECK(thrown(boost::beast::error::timeout).code() == NetworkErrc::timed_out);
  CHECK(thrown(code(beast_http::error::end_of_stream)).code() == NetworkErrc::connection_reset);
  CHECK(thrown(code(beast_http::error::partial_message)).is_transient());
  CHECK_FALSE(thrown(code(beast_http::error::bad_version)).is_transient());
}

TEST_CASE("H30 H31 of an expected-like result, the response and the error are judged", "[H30][H31][F1]") {
  using Result = support::Expected<Response, error_code>;
  CHECK_FALSE(judge(Result{answer(200)}));
  CHECK(judge(Result{answer(503, "4")})->retry_after() == 4s);
  const Result closed{support::Unexpected<error_code>{code(beast_http::error::end_of_stream)}};
  CHECK(judge(closed)->code() == NetworkErrc::connection_reset);
  CHECK(judge(Result{support::Unexpected<error_code>{error_code{}}}));
  CHECK(retry_with_backoff([&] { return closed; }, {.max_retries = 1}, test::FakeClock{}).stats.attempts ==
        2);
  CircuitBreaker<test::FakeClock> breaker{"peer", {.failure_threshold = 2}, test::FakeClock{}};
  (void)breaker.execute([] { return Result{answer(503)}; });
  (void)breaker.execute([&] { return closed; });
  CHECK(breaker.state() == State::open);
  using CountOrCode = support::Expected<int, error_code>;
  CHECK(retry_with_backoff(
            [] { return CountOrCode{support::Unexpected<error_code>{boost::beast::error::timeout}}; },
            {.max_retries = 1}, test::FakeClock{})
            .error()
            .is_timeout());
}

TEST_CASE("H30 retry_with_backoff honours a 503 with Retry-After", "[H30]") {
  const test::FakeClock clock;
  const auto result =
      retry_with_backoff([] { return answer(503, "2"); }, {.max_retries = 2, .jitter = Jitter::none}, clock);
  CHECK(result.error().status() == 503);
  CHECK(result.stats.attempts == 3);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s, 2s});
}

TEST_CASE("H32 E5 upstream_error gives an error that is marked as an upstream's", "[H32][E5]") {
  CHECK_FALSE(upstream_error(answer(200), "orders"));
  CHECK_FALSE(upstream_error(error_code{}, "orders"));
  const auto busy = upstream_error(answer(503, "9"), "orders");
  REQUIRE(busy);
  CHECK(busy->code() == ErrorCode::service_unavailable);
  CHECK(busy->upstream() == "orders");
  CHECK(busy->retry_after() == 9s);
  const auto refused = upstream_error(make_error_code(boost::system::errc::connection_refused), "orders");
  REQUIRE(refused);
  CHECK(refused->code() == ErrorCode::bad_gateway);
  CHECK(refused->category() == ErrorCategory::network);
  CHECK(refused->reason() == std::errc::connection_refused);
  CHECK(refused->is_upstream());
}

namespace {

struct Stream {  // as beast::tcp_stream
  std::chrono::nanoseconds limit = 0ns;
  bool is_limited = true;
  void expires_after(std::chrono::nanoseconds time) { limit = time; }
  void expires_never() { is_limited = false; }
};

}  // namespace

TEST_CASE("H33 set_deadline gives a stream what is left of a Deadline", "[H33]") {
  const test::FakeClock clock;
  Stream stream;
  const Deadline deadline = Deadline::after(5s, clock);
  clock.advance(2s);
  set_deadline(stream, deadline);
  CHECK(stream.limit == 3s);
  clock.advance(10s);
  set_deadline(stream, deadline);
  CHECK(stream.limit == 0s);
  CHECK(stream.is_limited);
  set_deadline(stream, Deadline::never());
  CHECK_FALSE(stream.is_limited);
}

TEST_CASE("H34 send_…_error fills a Beast response", "[H34]") {
  Response response{beast_http::status::ok, 11};
  response.set(beast_http::field::etag, "old");
  response.set("X-Frame-Options", "DENY");
  response.chunked(true);
  response.body() = "begun";
  send_rate_limit_error(response, 1500ms);
  CHECK(response.result_int() == 429);
  CHECK(response[beast_http::field::retry_after] == "2");
  CHECK(response[beast_http::field::content_type] == "application/json");
  CHECK(response[beast_http::field::content_length] == std::to_string(response.body().size()));
  CHECK_FALSE(response.chunked());
  CHECK(response.count(beast_http::field::etag) == 0);
  CHECK(response["X-Frame-Options"] == "DENY");
  CHECK(response.body().find("Please wait 2 seconds") != std::string::npos);
  send_not_found_error(response, "no such order");
  CHECK(response.result() == beast_http::status::not_found);
  CHECK(response.count(beast_http::field::retry_after) == 0);
}

TEST_CASE("H34 its body may also be a dynamic buffer or a vector", "[H34]") {
  beast_http::response<beast_http::dynamic_body> dynamic;
  const std::string old(3000, 'x');
  for (int i = 0; i < 2; ++i) send_forbidden_error(dynamic, old);
  const std::string text = boost::beast::buffers_to_string(dynamic.body().data());
  CHECK(text.find(old) != std::string::npos);
  CHECK(dynamic[beast_http::field::content_length] == std::to_string(text.size()));
  CHECK(text.size() < 4000);
  beast_http::response<beast_http::vector_body<unsigned char>> bytes;
  send_forbidden_error(bytes, "not yours");
  CHECK(std::string(bytes.body().begin(), bytes.body().end()).find("not yours") != std::string::npos);
  STATIC_REQUIRE_FALSE(detail::BeastLike<beast_http::response<beast_http::span_body<const char>>>);
  STATIC_REQUIRE_FALSE(detail::BeastLike<beast_http::response<beast_http::empty_body>>);
}
