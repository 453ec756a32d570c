// H8: adapters/httplib.hpp on answers of real servers. run_httplib.py starts them and says where they are.
#include <fusebox/adapters/httplib.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/error_response.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// A number that run_httplib.py passes on.
int number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  INFO(variable << " is missing: run_httplib.py runs this program");
  REQUIRE(text != nullptr);
  return std::stoi(text);
}

httplib::Client client_to(const std::string& host, int port, std::chrono::milliseconds timeout = 5s) {
  httplib::Client client{host, port};
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  client.set_write_timeout(timeout);
  return client;
}

httplib::Result get(const char* server, const std::string& path) {
  return client_to("127.0.0.1", number_of(server)).Get(path);
}

/// What the library makes of a result, by each of the ways in which it can be asked.
struct Judgement {
  template <class Request>
  explicit Judgement(const Request& request) {
    CircuitBreaker<test::FakeClock> breaker{"upstream", {}, clock};
    const httplib::Result result = breaker.execute([&] { return request(); });
    stats = breaker.stats();
    failure = failure_traits<httplib::Result>::failure(result);
    error = upstream_error(result, "stock");
  }

  test::FakeClock clock;
  CircuitBreakerStats stats;
  std::optional<Failure> failure;
  std::optional<ApiError> error;
};

Judgement nginx(const std::string& path) {
  return Judgement{[&] { return get("SERVERS_NGINX", path); }};
}
Judgement raw(const std::string& path) {
  return Judgement{[&] { return get("SERVERS_RAW", path); }};
}

void check_success(const Judgement& judgement) {
  CHECK_FALSE(judgement.failure);
  CHECK_FALSE(judgement.error);
  CHECK(judgement.stats.success_count == 1);
}

/// Nobody gave a final answer: a failure without a status, and a 502 or 504 for our own client.
void check_no_answer(const Judgement& judgement) {
  CHECK(judgement.stats.failure_count == 1);
  CHECK(judgement.failure);
  CHECK(judgement.error);
  if (!judgement.failure || !judgement.error) return;
  CHECK(judgement.failure->code());
  CHECK(judgement.failure->status() == std::nullopt);
  CHECK(judgement.error->is_upstream());
  CHECK(static_cast<int>(judgement.error->code()) >= 500);
}

}  // namespace

TEST_CASE("H8 nginx's answers below 400 are successes", "[H8]") {
  for (const char* path : {"/200", "/204", "/302"}) {
    CAPTURE(path);
    check_success(nginx(path));
  }
}

TEST_CASE("H8 nginx's error statuses are failures of that status", "[H8]") {
  for (const int status : {400, 404, 429, 500, 503}) {
    CAPTURE(status);
    const Judgement judgement = nginx("/" + std::to_string(status));
    REQUIRE(judgement.failure);
    CHECK(judgement.failure->status() == status);
    CHECK(judgement.failure->is_transient() == (status == 429 || status >= 500));
    const bool answered = status == 400 || status == 404;
    CHECK(judgement.stats.success_count == (answered ? 1 : 0));
    CHECK(judgement.stats.failure_count == (answered ? 0 : 1));
    REQUIRE(judgement.error);
    CHECK(judgement.error->is_upstream());
  }
}

TEST_CASE("H8 nginx's Retry-After is read as seconds and as a date", "[H8][H1]") {
  CHECK(nginx("/429").failure->retry_after() == 2s);
  CHECK(nginx("/503/seconds").failure->retry_after() == 7s);
  CHECK_FALSE(nginx("/503/words").failure->retry_after());
  CHECK_FALSE(nginx("/503").failure->retry_after());
  const auto until = nginx("/503/date").failure->retry_after();
  REQUIRE(until);
  CHECK(*until > 3500s);
  CHECK(*until <= 3600s);
}

TEST_CASE("H8 a retry waits as long as nginx asks", "[H8][R5]") {
  const test::FakeClock clock;
  const auto result = try_retry_with_backoff([] { return get("SERVERS_NGINX", "/503/seconds"); },
                                             {.max_retries = 1, .jitter = Jitter::none}, clock);
  CHECK_FALSE(result.has_value());
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{7s});
}

TEST_CASE("H8 a status below 200 is a failure", "[H8]") {
  for (const char* path : {"/103-then-503", "/103", "/101", "/099", "/000"}) {
    CAPTURE(path);
    const Judgement judgement = raw(path);
    CHECK(judgement.failure);
    CHECK(judgement.error);
    CHECK(judgement.stats.failure_count == 1);
    const test::FakeClock clock;
    const auto retried = try_retry_with_backoff([&] { return get("SERVERS_RAW", path); },
                                                {.max_retries = 1, .jitter = Jitter::none}, clock);
    CHECK_FALSE(retried.has_value());
  }
}

TEST_CASE("H8 a status below 200 is a failure behind nginx too", "[H8]") {
  for (const char* path : {"/103-then-503", "/103", "/099", "/000"}) {
    CAPTURE(path);
    const Judgement judgement = nginx("/through" + std::string{path});
    CHECK(judgement.failure);
    CHECK(judgement.error);
    CHECK(judgement.stats.failure_count == 1);
  }
}

TEST_CASE("H8 the answer after 100 Continue counts", "[H8]") {
  for (const Judgement& judgement : {raw("/100-then-503"), nginx("/through/100-then-503")}) {
    REQUIRE(judgement.failure);
    CHECK(judgement.stats.failure_count == 1);
  }
  CHECK(raw("/100-then-503").failure->status() == 503);
  CHECK(raw("/100-then-503").failure->retry_after() == 7s);
}

TEST_CASE("H8 an answer that breaks off, says nothing or is no HTTP has no status", "[H8]") {
  for (const char* path :
       {"/truncated", "/truncated-chunk", "/truncated-head", "/garbage", "/empty", "/reset"}) {
    CAPTURE(path);
    check_no_answer(raw(path));
  }
}

TEST_CASE("H8 an answer that takes too long is a timeout", "[H8]") {
  const Judgement judgement{
      [] { return client_to("127.0.0.1", number_of("SERVERS_RAW"), 500ms).Get("/silent"); }};
  check_no_answer(judgement);
  CHECK(judgement.failure->is_timeout());
  CHECK(judgement.failure->is_transient());
}

TEST_CASE("H8 a broken answer behind nginx is nginx's 502 or an answer that breaks off", "[H8]") {
  for (const char* path : {"/empty", "/reset"}) {
    CAPTURE(path);
    CHECK(nginx("/through" + std::string{path}).failure->status() == 502);
  }
  for (const char* path : {"/truncated", "/truncated-chunk"}) {
    CAPTURE(path);
    check_no_answer(nginx("/through" + std::string{path}));
  }
}

TEST_CASE("H8 nginx killed in the middle of an answer is a failure without a status", "[H8]") {
  const Judgement judgement{[] {
    bool killed = false;
    return client_to("127.0.0.1", number_of("SERVERS_VICTIM")).Get("/large", [&](const char*, std::size_t) {
      if (!std::exchange(killed, true)) ::kill(number_of("SERVERS_VICTIM_PID"), SIGKILL);
      return true;
    });
  }};
  check_no_answer(judgement);
}

TEST_CASE("H8 a refused connection is a transient network error", "[H8][F3]") {
  const Judgement judgement{[] { return get("SERVERS_CLOSED", "/"); }};
  check_no_answer(judgement);
  CHECK(judgement.failure->code() == NetworkErrc::connection_refused);
  CHECK(judgement.failure->category() == ErrorCategory::network);
  CHECK(judgement.failure->is_transient());
}

TEST_CASE("H8 a name that does not resolve is a transient network error", "[H8][F3]") {
  // A resolver refuses this one without asking a name server.
  const Judgement judgement{[] { return client_to("no such host", 80).Get("/"); }};
  check_no_answer(judgement);
  CHECK(judgement.failure->category() == ErrorCategory::network);
  CHECK(judgement.failure->is_transient());
}

TEST_CASE("H8 a cancelled request is a cancellation", "[H8]") {
  const Judgement judgement{[] {
    return client_to("127.0.0.1", number_of("SERVERS_NGINX")).Get("/200", [](const char*, std::size_t) {
      return false;
    });
  }};
  REQUIRE(judgement.failure);
  CHECK(judgement.failure->is_cancellation());
  CHECK(judgement.stats.ignored_count == 1);
}

TEST_CASE("H8 redirects that lead nowhere are failures", "[H8]") {
  for (const char* path : {"/redirect-to-nowhere", "/redirect-loop"}) {
    CAPTURE(path);
    const Judgement judgement{[&] {
      auto client = client_to("127.0.0.1", number_of("SERVERS_RAW"));
      client.set_follow_location(true);
      return client.Get(path);
    }};
    CHECK(judgement.failure);
    CHECK(judgement.error);
    CHECK(judgement.stats.failure_count == 1);
  }
}

TEST_CASE("H8 a response beside a transport error is no answer of the service", "[H8]") {
  // What cpp-httplib gives from 0.14 on if a proxy refuses CONNECT: the proxy's response, and an error.
  for (const int status : {200, 302, 403, 404, 503}) {
    for (const auto error : {httplib::Error::Read, httplib::Error::SSLConnection, httplib::Error::Unknown}) {
      CAPTURE(status, httplib::to_string(error));
      check_no_answer(Judgement{[&] {
        auto response = std::make_unique<httplib::Response>();
        response->status = status;
        return httplib::Result{std::move(response), error};
      }});
    }
  }
}

TEST_CASE("H8 a response beside Canceled is a cancellation", "[H8]") {
  const Judgement judgement{[] {
    auto response = std::make_unique<httplib::Response>();
    response->status = 200;
    return httplib::Result{std::move(response), httplib::Error::Canceled};
  }};
  REQUIRE(judgement.failure);
  CHECK(judgement.failure->is_cancellation());
  CHECK(judgement.stats.ignored_count == 1);
}

#ifdef CPPHTTPLIB_OPENSSL_SUPPORT

namespace {

httplib::Result get_by_tls(const char* proxy) {
  [[maybe_unused]] static const auto before = std::signal(SIGPIPE, SIG_IGN);  // OpenSSL raises it
  httplib::SSLClient client{"127.0.0.1", number_of("SERVERS_TLS")};
  client.set_connection_timeout(5s);
  client.set_read_timeout(5s);
  if (proxy != nullptr) client.set_proxy("127.0.0.1", number_of(proxy));
  return client.Get("/");
}

}  // namespace

TEST_CASE("H8 a proxy that refuses CONNECT is a transport failure", "[H8]") {
  for (const char* proxy : {"SERVERS_PROXY_302", "SERVERS_PROXY_403", "SERVERS_CLOSED"}) {
    CAPTURE(proxy);
    check_no_answer(Judgement{[&] { return get_by_tls(proxy); }});
  }
}

TEST_CASE("H8 a certificate that nobody vouches for is a failure without a status", "[H8]") {
  check_no_answer(Judgement{[] { return get_by_tls(nullptr); }});
}

TEST_CASE("H4 a client does not learn why TLS to the service behind us failed", "[H4]") {
  const test::FakeClock clock;
  const auto answer = retry_with_backoff([] { return get_by_tls(nullptr); }, {.max_retries = 1}, clock);
  REQUIRE_FALSE(answer.has_value());
  httplib::Response response;
  try {
    answer.error().rethrow();
  } catch (...) {
    send_exception(response, std::current_exception());
  }
  CAPTURE(response.body);
  CHECK(response.status == 502);
  CHECK(response.body.find("An upstream service failed") != std::string::npos);
  CHECK(response.body.find("httplib") == std::string::npos);
  CHECK(response.body.find("SSL") == std::string::npos);
}

#endif
