// H20 to H27: adapters/curl.hpp on answers of real servers. run_curl.py starts them and says where they are.
#include <fusebox/adapters/curl.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

/// What run_curl.py passes on.
std::string told(const char* variable) {
  const char* const text = std::getenv(variable);
  INFO(variable << " is missing: run_curl.py runs this program");
  REQUIRE(text != nullptr);
  return text;
}
std::string url(const char* server, const std::string& path) {
  return "http://127.0.0.1:" + told(server) + path;
}

/// A GET request with its own handle.
struct Get {
  explicit Get(const std::string& address) {
    curl_easy_setopt(easy.get(), CURLOPT_URL, address.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
    curl::write_to(easy, body);
  }
  Get(const char* server, const std::string& path) : Get{url(server, path)} {}

  /// With a limit, so that a defect cannot hang the test.
  curl::Result operator()() { return easy.perform(Deadline::after(5s)); }

  curl::Handle easy;
  std::string body;
};

/// What the library makes of a transfer, by each of the ways in which it can be asked.
struct Judgement {
  explicit Judgement(const curl::Result& transfer) : result{transfer} {
    CircuitBreaker<test::FakeClock> breaker{"upstream", {}, clock};
    (void)breaker.execute([&] { return transfer; });
    stats = breaker.stats();
    failure = failure_traits<curl::Result>::failure(transfer);
    error = upstream_error(transfer, "stock");
  }
  explicit Judgement(Get get) : Judgement{get()} {}

  curl::Result result;
  test::FakeClock clock;
  CircuitBreakerStats stats;
  std::optional<Failure> failure;
  std::optional<ApiError> error;
};

Judgement nginx(const std::string& path) { return Judgement{Get{"SERVERS_NGINX", path}}; }
Judgement raw(const std::string& path) { return Judgement{Get{"SERVERS_RAW", path}}; }

void check_success(const Judgement& judgement) {
  CHECK_FALSE(judgement.failure);
  CHECK_FALSE(judgement.error);
  CHECK(judgement.stats.success_count == 1);
}

/// Nobody gave a final answer: a failure without a status, and a 502 or 504 for our own client.
void check_no_answer(const Judgement& judgement, curl::ErrorKind kind) {
  CAPTURE(judgement.result.code());
  CHECK(curl::kind_of(judgement.result.code()) == kind);
  CHECK(judgement.stats.failure_count == 1);
  CHECK(judgement.failure);
  CHECK(judgement.error);
  if (!judgement.failure || !judgement.error) return;
  CHECK(judgement.failure->code());
  CHECK(judgement.failure->status() == std::nullopt);
  CHECK(judgement.failure->is_transient() ==
        (kind == curl::ErrorKind::network || kind == curl::ErrorKind::timeout));
  CHECK(judgement.error->is_upstream());
  CHECK(static_cast<int>(judgement.error->code()) >= 500);
}

std::chrono::nanoseconds time_of(auto&& action) {
  const auto begin = SteadyClock::now();
  action();
  return SteadyClock::now() - begin;
}

}  // namespace

TEST_CASE("H20 nginx's answers below 400 are successes", "[H20]") {
  for (const char* path : {"/200", "/302"}) {
    CAPTURE(path);
    check_success(nginx(path));
  }
  Get get{"SERVERS_NGINX", "/200"};
  CHECK(get().status() == 200);
  CHECK(get.body == "fine");
}

TEST_CASE("H20 nginx's error statuses are failures of that status", "[H20]") {
  for (const int status : {404, 429, 500, 503}) {
    CAPTURE(status);
    const Judgement judgement = nginx("/" + std::to_string(status));
    REQUIRE(judgement.failure);
    CHECK(judgement.failure->status() == status);
    CHECK(judgement.failure->is_transient() == (status != 404));
    CHECK(judgement.stats.failure_count == (status == 404 ? 0 : 1));
    REQUIRE(judgement.error);
    CHECK(static_cast<int>(judgement.error->code()) == status);
  }
}

TEST_CASE("H20 CURLOPT_FAILONERROR changes nothing", "[H20]") {
  Get get{"SERVERS_NGINX", "/503/seconds"};
  curl_easy_setopt(get.easy.get(), CURLOPT_FAILONERROR, 1L);
  const Judgement judgement{get()};
  CHECK(judgement.result.code() == CURLE_HTTP_RETURNED_ERROR);
  REQUIRE(judgement.failure);
  CHECK(judgement.failure->status() == 503);
  CHECK(judgement.failure->retry_after() == 7s);
}

TEST_CASE("H22 nginx's Retry-After is read as seconds and as a date", "[H22][H1]") {
  CHECK(nginx("/429").failure->retry_after() == 2s);
  CHECK(nginx("/503/seconds").failure->retry_after() == 7s);
  CHECK(nginx("/503/past").failure->retry_after() == 0s);
  CHECK_FALSE(nginx("/503/words").failure->retry_after());
  CHECK_FALSE(nginx("/503").failure->retry_after());
  const auto until = nginx("/503/date").failure->retry_after();
  REQUIRE(until);
  CHECK(*until > 3500s);
  CHECK(*until <= 3600s);
}

TEST_CASE("H22 libcurl's own reading of Retry-After is the same", "[H22]") {
  const auto asked = [](const char* path) {
    Get get{"SERVERS_NGINX", path};
    (void)get();
    return detail::curl_retry_after_info(get.easy);
  };
  CHECK(asked("/429") == 2s);
  CHECK_FALSE(asked("/503/words"));
  CHECK_FALSE(asked("/503"));
  const auto until = asked("/503/date");
  REQUIRE(until);
  CHECK(*until > 3500s);
  CHECK(*until <= 3600s);
}

TEST_CASE("H22 the Retry-After of a redirect is not that of the answer behind it", "[H22]") {
  Get get{"SERVERS_NGINX", "/busy-redirect"};
  CHECK(get().retry_after() == 9s);
  curl_easy_setopt(get.easy.get(), CURLOPT_FOLLOWLOCATION, 1L);
  const auto followed = get();
  CHECK(followed.status() == 503);
  CHECK_FALSE(followed.retry_after());
}

TEST_CASE("H22 R5 a retry waits as long as nginx asks", "[H22][R5]") {
  const test::FakeClock clock;
  Get get{"SERVERS_NGINX", "/503/seconds"};
  const auto result =
      try_retry_with_backoff([&] { return get(); }, {.max_retries = 1, .jitter = Jitter::none}, clock);
  CHECK_FALSE(result.has_value());
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{7s});
}

TEST_CASE("H20 the answer after 100 Continue counts; a status below 200 is no answer", "[H20]") {
  const Judgement busy = raw("/100-then-503");
  REQUIRE(busy.failure);
  CHECK(busy.failure->status() == 503);
  CHECK(busy.failure->retry_after() == 7s);
  for (const char* path : {"/103", "/099"}) {
    CAPTURE(path);
    const Judgement judgement = raw(path);
    REQUIRE(judgement.failure);
    CHECK_FALSE(judgement.failure->status());
    CHECK(judgement.stats.failure_count == 1);
  }
}

TEST_CASE("H20 an answer that breaks off or says nothing is a broken connection", "[H20]") {
  for (const char* path : {"/truncated", "/truncated-chunk", "/empty", "/reset"}) {
    CAPTURE(path);
    const Judgement judgement = raw(path);
    check_no_answer(judgement, curl::ErrorKind::network);
    CHECK(judgement.failure->code() == NetworkErrc::connection_reset);
  }
}

TEST_CASE("H20 an answer that is no HTTP is a failure that no retry repeats", "[H20]") {
  const Judgement garbage = raw("/garbage");
  REQUIRE(garbage.failure);
  CHECK_FALSE(garbage.failure->is_config_error());
  CHECK_FALSE(garbage.failure->is_transient());
  CHECK_FALSE(garbage.failure->status());
  CHECK(garbage.stats.failure_count == 1);
  Get get{"SERVERS_RAW", "/bad-encoding"};
  curl_easy_setopt(get.easy.get(), CURLOPT_ACCEPT_ENCODING, "");
  check_no_answer(Judgement{get()}, curl::ErrorKind::answer);
}

TEST_CASE("H21 redirects that lead nowhere are the failures of who sent them", "[H21]") {
  for (const char* path : {"/redirect-loop", "/redirect-to-nothing"}) {
    CAPTURE(path);
    Get get{"SERVERS_RAW", path};
    curl_easy_setopt(get.easy.get(), CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(get.easy.get(), CURLOPT_MAXREDIRS, 5L);
    const Judgement judgement{get()};
    REQUIRE(judgement.failure);
    CHECK_FALSE(judgement.failure->is_config_error());
    CHECK(judgement.stats.failure_count == 1);
  }
}

TEST_CASE("H21 a refused connection is a transient network error", "[H21][F3]") {
  const Judgement judgement{Get{"SERVERS_CLOSED", "/"}};
  check_no_answer(judgement, curl::ErrorKind::network);
  CHECK(judgement.failure->code() == NetworkErrc::connection_refused);
}

TEST_CASE("H21 R7 a POST that was answered is not sent again because the target of its redirect refuses",
          "[H21][R7]") {
  for (const char* path : {"/redirect-to-closed", "/redirect-to-nobody"}) {
    CAPTURE(path);
    Get post{"SERVERS_RAW", path};
    curl_easy_setopt(post.easy.get(), CURLOPT_POSTFIELDS, "order");
    curl_easy_setopt(post.easy.get(), CURLOPT_FOLLOWLOCATION, 1L);
    const Judgement judgement{post()};
    check_no_answer(judgement, curl::ErrorKind::network);
    CHECK(judgement.failure->code() == NetworkErrc::connection_reset);
    int attempts = 0;
    const auto once = [&] {
      ++attempts;
      return judgement.result;
    };
    (void)try_retry_with_backoff(once, {.max_retries = 1, .idempotent = false}, test::FakeClock{});
    CHECK(attempts == 1);

    // The next transfer of the handle has sent nothing.
    curl_easy_setopt(post.easy.get(), CURLOPT_URL, url("SERVERS_CLOSED", "/").c_str());
    CHECK(Judgement{post()}.failure->code() == NetworkErrc::connection_refused);
  }
}

TEST_CASE("H21 R7 a request that a kept connection took is not one that was refused", "[H21][R7]") {
  Get get{"SERVERS_DYING", "/"};
  REQUIRE(get().status() == 200);
  const Judgement judgement{get()};  // libcurl connects once more by itself, and is refused
  CHECK(judgement.result.code() == CURLE_COULDNT_CONNECT);
  check_no_answer(judgement, curl::ErrorKind::network);
  CHECK(judgement.failure->code() == NetworkErrc::connection_reset);
}

TEST_CASE("H21 a name that does not resolve is a transient network error", "[H21][F3]") {
  const Judgement judgement{Get{"http://no-such-host.invalid/"}};
  check_no_answer(judgement, curl::ErrorKind::network);
  CHECK(judgement.failure->code() == NetworkErrc::host_not_found);
}

TEST_CASE("H21 a certificate that nobody vouches for, or of another host, is an error of TLS", "[H21]") {
  const std::string port = told("SERVERS_TLS");
  Get get{"https://127.0.0.1:" + port + "/"};
  check_no_answer(Judgement{get()}, curl::ErrorKind::tls);
  curl_easy_setopt(get.easy.get(), CURLOPT_CAINFO, told("SERVERS_CERTIFICATE").c_str());
  check_success(Judgement{get()});

  Get other{"https://shop.example:" + port + "/"};
  const std::string resolved = "shop.example:" + port + ":127.0.0.1";
  curl_slist* const hosts = curl_slist_append(nullptr, resolved.c_str());
  curl_easy_setopt(other.easy.get(), CURLOPT_RESOLVE, hosts);
  curl_easy_setopt(other.easy.get(), CURLOPT_CAINFO, told("SERVERS_CERTIFICATE").c_str());
  check_no_answer(Judgement{other()}, curl::ErrorKind::tls);
  curl_slist_free_all(hosts);
}

TEST_CASE("H21 TLS to a server that speaks none is an error of TLS", "[H21]") {
  check_no_answer(Judgement{Get{"https://127.0.0.1:" + told("SERVERS_NGINX") + "/"}}, curl::ErrorKind::tls);
}

TEST_CASE("H27 a proxy that refuses CONNECT is not asked again, one that is busy is", "[H27]") {
  const auto through = [](const char* proxy) {
    Get get{"https://127.0.0.1:" + told("SERVERS_TLS") + "/"};
    curl_easy_setopt(get.easy.get(), CURLOPT_NOPROXY, "");
    curl_easy_setopt(get.easy.get(), CURLOPT_PROXY, url(proxy, "").c_str());
    return Judgement{get()};
  };
  check_no_answer(through("SERVERS_PROXY_403"), curl::ErrorKind::answer);
  check_no_answer(through("SERVERS_PROXY_503"), curl::ErrorKind::network);
  check_no_answer(through("SERVERS_CLOSED"), curl::ErrorKind::network);
}

#if LIBCURL_VERSION_NUM >= 0x074900  // 7.73
TEST_CASE("H27 what a SOCKS proxy says of its target is an error of the network", "[H27]") {
  const auto through = [](int reply) {
    Get get{"http://127.0.0.1:" + std::to_string(1000 + reply) + "/"};
    curl_easy_setopt(get.easy.get(), CURLOPT_NOPROXY, "");
    curl_easy_setopt(get.easy.get(), CURLOPT_PROXY, ("socks5://127.0.0.1:" + told("SERVERS_SOCKS")).c_str());
    return Judgement{get()};
  };
  for (const int no_way : {3, 4, 5, 6}) {  // no network, no host, refused, too far
    CAPTURE(no_way);
    const Judgement judgement = through(no_way);
    check_no_answer(judgement, curl::ErrorKind::network);
    CHECK(judgement.failure->code() == NetworkErrc::connection_refused);
  }
  const Judgement closed = through(0);
  check_no_answer(closed, curl::ErrorKind::network);
  CHECK(closed.failure->code() == NetworkErrc::connection_reset);
  check_no_answer(through(2), curl::ErrorKind::answer);  // not allowed
}
#endif

TEST_CASE("H23 a deadline ends a transfer that takes too long", "[H23]") {
  for (const bool by_handle : {false, true}) {
    CAPTURE(by_handle);
    Get get{"SERVERS_RAW", "/silent"};
    std::optional<Judgement> judgement;
    const auto taken = time_of([&] {
      const Deadline deadline = Deadline::after(150ms);
      judgement.emplace(by_handle ? get.easy.perform(deadline) : curl::perform(get.easy, deadline));
    });
    check_no_answer(*judgement, curl::ErrorKind::timeout);
    CHECK(judgement->failure->is_timeout());
    CHECK(taken >= 150ms);
    CHECK(taken < 5s);
  }
}

TEST_CASE("H23 without a deadline the handle's own limit holds", "[H23]") {
  Get get{"SERVERS_RAW", "/silent"};
  curl_easy_setopt(get.easy, CURLOPT_TIMEOUT_MS, 50L);
  CHECK(get.easy.perform().code() == CURLE_OPERATION_TIMEDOUT);
}

TEST_CASE("H23 the limit of one transfer is not that of the next", "[H23]") {
  for (const bool by_handle : {false, true}) {
    CAPTURE(by_handle);
    Get get{"SERVERS_RAW", "/silent-briefly"};
    const Deadline deadline = Deadline::after(30ms);
    const curl::Result first = by_handle ? get.easy.perform(deadline) : curl::perform(get.easy, deadline);
    CHECK(first.code() == CURLE_OPERATION_TIMEDOUT);
    const curl::Result next = by_handle ? get.easy.perform() : curl::perform(get.easy);
    CHECK(next.code() == CURLE_GOT_NOTHING);
  }
}

TEST_CASE("H23 D2 an attempt timeout is the limit of each transfer", "[H23][D2]") {
  Get get{"SERVERS_RAW", "/silent"};
  int attempts = 0;
  const auto pipeline = compose(retry({.max_retries = 1, .base_delay = 1ms}), attempt_timeout(100ms));
  const auto taken = time_of([&] {
    const auto result = pipeline.try_execute([&](const Call& call) {
      ++attempts;
      return get.easy.perform(call);
    });
    CHECK_FALSE(result.has_value());
    CHECK(result.error().is_timeout());
  });
  CHECK(attempts == 2);
  CHECK(taken < 5s);
}

TEST_CASE("H24 a stop in the middle ends a transfer: at once with a Handle, within a second without",
          "[H24]") {
  for (const bool by_handle : {false, true}) {
    CAPTURE(by_handle);
    Get get{"SERVERS_RAW", "/silent"};
    std::stop_source stop;
    const auto begin = SteadyClock::now();
    const std::jthread stopper{[&] {
      std::this_thread::sleep_for(300ms);  // libcurl looks by itself after 0.2 s and 1.2 s
      stop.request_stop();
    }};
    const Deadline deadline = Deadline::after(8s);
    const curl::Result result = by_handle ? get.easy.perform(deadline, stop.get_token())
                                          : curl::perform(get.easy, deadline, stop.get_token());
    const auto taken = SteadyClock::now() - begin;
    CHECK(failure_traits<curl::Result>::failure(result)->is_cancellation());
    CHECK(taken >= 300ms);
    CHECK(taken < (by_handle ? 900ms : 4s));
    curl_easy_setopt(get.easy.get(), CURLOPT_URL, url("SERVERS_NGINX", "/200").c_str());
    CHECK(get().status() == 200);  // the handle is as good as before
  }
}

TEST_CASE("H25 a Handle keeps its connection from one transfer to the next", "[H25]") {
  Get get{"SERVERS_NGINX", "/200"};
  const auto new_connections = [&] {
    (void)get();
    long number = -1;
    curl_easy_getinfo(get.easy.get(), CURLINFO_NUM_CONNECTS, &number);
    return number;
  };
  CHECK(new_connections() == 1);
  CHECK(new_connections() == 0);
}

TEST_CASE("H25 Headers go with a request; an idempotency key is the same for each attempt", "[H25]") {
  std::string keys[2];
  int attempt = 0;
  (void)retry_with_backoff(
      [&](const Attempt& info) {
        Get get{"SERVERS_NGINX", "/key"};
        curl::Headers headers;
        headers.add("Idempotency-Key: " + info.idempotency_key()).apply(get.easy);
        CHECK(get.easy.perform(info.deadline, info.stop_token).status() == 200);
        keys[attempt++] = get.body;
        return attempt == 1 ? curl::Result{CURLE_GOT_NOTHING} : curl::Result{CURLE_OK, 200};
      },
      {.max_retries = 1, .base_delay = 1ms});
  CHECK(keys[0].size() == 36);
  CHECK(keys[0] == keys[1]);
}

TEST_CASE("H20 nginx killed in the middle of an answer, and started again", "[H20]") {
  const auto remote = [](const char* action) { CHECK(Get{"SERVERS_REMOTE", action}().status() == 200); };
  Get get{"SERVERS_VICTIM", "/large"};
  struct Killer {
    decltype(remote) tell;
    bool killed = false;
    static std::size_t write(char*, std::size_t, std::size_t size, Killer* self) {
      if (!std::exchange(self->killed, true)) self->tell("/kill");
      return size;
    }
  } killer{remote};
  curl_easy_setopt(get.easy.get(), CURLOPT_WRITEFUNCTION, &Killer::write);
  curl_easy_setopt(get.easy.get(), CURLOPT_WRITEDATA, &killer);
  const Judgement killed{get()};
  CHECK(killer.killed);
  CHECK(killed.result.status() == 200);
  check_no_answer(killed, curl::ErrorKind::network);

  Get small{"SERVERS_VICTIM", "/small"};
  const Judgement down{small()};
  check_no_answer(down, curl::ErrorKind::network);
  CHECK(down.failure->code() == NetworkErrc::connection_refused);

  // The second attempt finds it up again.
  int attempts = 0;
  const auto answer = retry_with_backoff(
      [&] {
        if (++attempts == 2) remote("/start");
        return small();
      },
      {.max_retries = 3, .base_delay = 1ms});
  REQUIRE(answer.has_value());
  CHECK(attempts == 2);
  CHECK(small.body == "small");
}
