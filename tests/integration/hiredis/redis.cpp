// H55 to H59: adapters/hiredis.hpp beside a real Redis, which is killed, paused and restarted.
#include <fusebox/adapters/hiredis.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <atomic>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "../server_process.hpp"
#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr RetryConfig quick{.max_retries = 100, .base_delay = 10ms, .max_delay = 20ms, .total_timeout = 5s};

redis::ConnectionConfig at_port(int port) {
  return {.port = port, .connect_timeout = 2s, .command_timeout = 10s};
}

/// redis-server in a folder and on a port of its own, which it keeps over restarts.
class Server {
 public:
  explicit Server(std::vector<std::string> options = {}) { start(std::move(options)); }

  void start(std::vector<std::string> options = {}) {
    std::vector<std::string> command{servers::program("REDIS_SERVER"),
                                     "--port",
                                     std::to_string(port),
                                     "--bind",
                                     "127.0.0.1",
                                     "--dir",
                                     folder.path(),
                                     "--unixsocket",
                                     socket(),
                                     "--save",
                                     "",
                                     "--enable-protected-configs",
                                     "yes",
                                     "--loglevel",
                                     "warning"};
    command.insert(command.end(), options.begin(), options.end());
    process.emplace(std::move(command), folder.file("log"));
    INFO(folder.text_of("log"));
    REQUIRE(servers::comes_true(
        [this] { return redis::Connection{at_port(port)}.command({"PING"}).has_reply(); }));
  }
  void kill() {
    process->signal(SIGKILL);
    static_cast<void>(process->wait());
    process.reset();
  }
  [[nodiscard]] std::string socket() const { return folder.file("socket"); }

  servers::Folder folder;
  int port = servers::free_port();
  std::optional<servers::Process> process;
};

/// What a retry and a breaker make of one result.
struct Judgement {
  explicit Judgement(const redis::Result& result) : failure{result.failure()} {
    if (failure) is_transient = failure->is_transient();
    if (failure) outcome = default_outcome(*failure);
  }
  std::optional<Failure> failure;
  bool is_transient = false;
  Outcome outcome = Outcome::success;
};

/// Refused for now: transient, a failure for a breaker, and safe to repeat for any command.
void check_refused(const redis::Result& result, redis::Errc errc) {
  const Judgement judgement{result};
  CAPTURE(result.message());
  REQUIRE(judgement.failure);
  CHECK(judgement.failure->code() == errc);
  CHECK(judgement.is_transient);
  CHECK(judgement.outcome == Outcome::failure);
  CHECK(judgement.failure->retry_after() == 0ms);
}

/// The caller's fault: Redis is well, and a repetition is of no use.
void check_callers(const redis::Result& result, redis::Errc errc) {
  const Judgement judgement{result};
  CAPTURE(result.message());
  REQUIRE(judgement.failure);
  CHECK(judgement.failure->code() == errc);
  CHECK_FALSE(judgement.is_transient);
  CHECK(judgement.outcome == Outcome::success);
}

}  // namespace

TEST_CASE("H55 errors that Redis answers with are the caller's", "[H55]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  REQUIRE(connection.command({"SET", "text", "a"}).ok());
  check_callers(connection.command({"LPUSH", "text", "b"}), redis::Errc::wrong_type);
  check_callers(connection.command({"NOSUCH"}), redis::Errc::error);
  check_callers(connection.command({"EVALSHA", std::string(40, 'a'), "0"}), redis::Errc::no_script);
  check_callers(connection.command({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "none", ">"}),
                redis::Errc::no_group);
  check_callers(connection.command({"AUTH", "wrong", "wrong"}), redis::Errc::unauthenticated);

  REQUIRE(connection.command({"MULTI"}).ok());
  REQUIRE_FALSE(connection.command({"NOSUCH"}).ok());
  check_callers(connection.command({"EXEC"}), redis::Errc::aborted);

  REQUIRE(connection.command({"CONFIG", "SET", "requirepass", "secret"}).ok());
  check_callers(redis::Connection{at_port(server.port)}.command({"GET", "text"}),
                redis::Errc::unauthenticated);

  // None of them cost the connection.
  CHECK(connection.command({"GET", "text"}).text() == "a");
}

TEST_CASE("H55 what Redis refuses for now is transient", "[H55]") {
  const Server server;
  redis::Connection admin{at_port(server.port)};
  redis::Connection connection{at_port(server.port)};

  REQUIRE(admin.command({"CONFIG", "SET", "maxmemory", "1"}).ok());
  check_refused(connection.command({"SET", "k", "v"}), redis::Errc::out_of_memory);
  REQUIRE(connection.command({"GET", "k"}).is_nil());
  REQUIRE(admin.command({"CONFIG", "SET", "maxmemory", "0"}).ok());
  REQUIRE(connection.command({"MULTI"}).ok());
  REQUIRE(connection.command({"SET", "k", "v"}).ok());
  REQUIRE(admin.command({"CONFIG", "SET", "maxmemory", "1"}).ok());
  check_refused(connection.command({"EXEC"}), redis::Errc::out_of_memory);  // discarded because of it
  REQUIRE(admin.command({"CONFIG", "SET", "maxmemory", "0"}).ok());

  REQUIRE(admin.command({"CONFIG", "SET", "min-replicas-to-write", "1"}).ok());
  check_refused(connection.command({"SET", "k", "v"}), redis::Errc::no_replicas);
  REQUIRE(admin.command({"CONFIG", "SET", "min-replicas-to-write", "0"}).ok());

  std::filesystem::create_directory(server.folder.file("taken"));
  REQUIRE(admin.command({"CONFIG", "SET", "save", "3600 1000"}).ok());
  REQUIRE(admin.command({"CONFIG", "SET", "dbfilename", "taken"}).ok());
  REQUIRE(admin.command({"BGSAVE"}).ok());
  redis::Result refused = connection.command({"SET", "k", "v"});
  REQUIRE(servers::comes_true([&] { return !(refused = connection.command({"SET", "k", "v"})).ok(); }));
  check_refused(refused, redis::Errc::cannot_persist);
  REQUIRE(admin.command({"CONFIG", "SET", "save", ""}).ok());

  REQUIRE(admin.command({"CONFIG", "SET", "busy-reply-threshold", "1"}).ok());
  auto script =
      std::async(std::launch::async, [&] { return connection.command({"EVAL", "while true do end", "0"}); });
  redis::Result busy = admin.command({"PING"});
  CHECK(servers::comes_true([&] { return !(busy = admin.command({"PING"})).ok(); }));
  check_refused(busy, redis::Errc::busy);
  CHECK(admin.command({"SCRIPT", "KILL"}).ok());
  CHECK_FALSE(script.get().ok());

  REQUIRE(admin.command({"REPLICAOF", "127.0.0.1", std::to_string(servers::free_port())}).ok());
  check_refused(connection.command({"SET", "k", "v"}), redis::Errc::read_only);
  CHECK(connection.context() == nullptr);  // the next command looks for the primary again
  REQUIRE(admin.command({"CONFIG", "SET", "replica-serve-stale-data", "no"}).ok());
  check_refused(connection.command({"GET", "k"}), redis::Errc::master_down);
}

TEST_CASE("H55 a script that fails in its middle may have written", "[H55]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  const auto result =
      connection.command({"EVAL", "redis.call('SET', 'a', '1') return redis.call('LPUSH', 'a', '2')", "0"});
  check_callers(result, redis::Errc::wrong_type);
  CHECK(connection.command({"GET", "a"}).text() == "1");
  REQUIRE(connection.command({"CONFIG", "SET", "maxmemory", "1"}).ok());
  const auto full = connection.command({"EVAL", "return redis.call('SET', 'b', '2')", "0"});
  CAPTURE(full.message());
  REQUIRE(full.failure());
  CHECK(full.failure()->code() == redis::Errc::out_of_memory);
  CHECK(full.failure()->is_transient());
  CHECK_FALSE(full.failure()->retry_after());  // so it is not repeated unless it is idempotent
}

TEST_CASE("H55 a script may return an error reply after it has written", "[H55]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  RetryConfig careful = quick;
  careful.idempotent = false;
  const auto answer = retry_with_backoff(
      [&] {
        return connection.command(
            {"eval", "redis.call('INCR', 'n') return redis.error_reply('BUSY try later')", "0"});
      },
      careful);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code() == redis::Errc::busy);
  CHECK(answer.error().is_transient());
  CHECK(connection.command({"GET", "n"}).text() == "1");
}

TEST_CASE("H55 a failover that ends a blocking command is transient, CLIENT UNBLOCK is not", "[H55]") {
  const Server server;
  redis::Connection admin{at_port(server.port)};
  redis::Connection connection{at_port(server.port)};
  REQUIRE(connection.command({"PING"}).ok());
  const auto blocked = [&] {
    auto waiting = std::async(std::launch::async, [&] { return connection.command({"BLPOP", "none", "0"}); });
    REQUIRE(servers::comes_true([&] {
      return admin.command({"CLIENT", "LIST"}).text().value_or("").find("cmd=blpop") !=
             std::string_view::npos;
    }));
    return waiting;
  };
  const auto id = connection.command({"CLIENT", "ID"});
  auto first = blocked();
  REQUIRE(admin.command({"CLIENT", "UNBLOCK", std::to_string(id->integer), "ERROR"}).ok());
  check_callers(first.get(), redis::Errc::unblocked);
  REQUIRE(connection.command({"PING"}).ok());  // no longer the last command of that client
  auto second = blocked();
  REQUIRE(admin.command({"REPLICAOF", "127.0.0.1", std::to_string(servers::free_port())}).ok());
  check_refused(second.get(), redis::Errc::unblocked);
  CHECK(connection.context() == nullptr);
}

TEST_CASE("H55 a cluster without a node for the slot", "[H55]") {
  const Server server{{"--cluster-enabled", "yes", "--cluster-port", std::to_string(servers::free_port())}};
  redis::Connection connection{at_port(server.port)};
  check_refused(connection.command({"GET", "k"}), redis::Errc::cluster_down);
}

TEST_CASE("H55 a server with too many clients refuses the connection", "[H55]") {
  const Server server;
  redis::Connection first{at_port(server.port)};
  REQUIRE(first.command({"CONFIG", "SET", "maxclients", "1"}).ok());
  redis::Connection second{at_port(server.port)};
  const redis::Result result = second.command({"PING"});
  CAPTURE(result.message());
  REQUIRE(result.failure());
  CHECK(result.failure()->is_transient());
  if (result.has_reply()) check_refused(result, redis::Errc::too_many_clients);  // else the reset came first
}

TEST_CASE("H55 a retry waits until a restarted Redis has loaded its data", "[H55]") {
  Server server;
  {
    redis::Connection connection{at_port(server.port)};
    REQUIRE(
        connection.command({"EVAL", "for i = 1, 300 do redis.call('SET', i, string.rep('x', 100)) end", "0"})
            .ok());
    REQUIRE(connection.command({"SAVE"}).ok());
  }
  server.kill();
  server.start({"--key-load-delay", "1500", "--loading-process-events-interval-bytes", "1024"});
  redis::Connection connection{at_port(server.port)};
  check_refused(connection.command({"GET", "7"}), redis::Errc::loading);
  auto answer = retry_with_backoff([&] { return connection.command({"GET", "7"}); }, quick);
  REQUIRE(answer.has_value());
  CHECK(answer.stats.attempts > 1);
  CHECK(answer->text() == std::string(100, 'x'));
}

TEST_CASE("H57 a Redis that is killed in the middle of a command", "[H57]") {
  Server server;
  redis::Connection connection{at_port(server.port)};
  REQUIRE(connection.command({"PING"}).ok());
  auto waiting = std::async(std::launch::async, [&] { return connection.command({"BLPOP", "none", "0"}); });
  redis::Connection other{at_port(server.port)};
  REQUIRE(servers::comes_true([&] {
    return other.command({"CLIENT", "LIST"}).text().value_or("").find("cmd=blpop") != std::string_view::npos;
  }));
  server.kill();
  const redis::Result lost = waiting.get();
  CAPTURE(lost.message());
  CHECK_FALSE(lost.has_reply());
  REQUIRE(lost.failure());
  CHECK(lost.failure()->code() == NetworkErrc::connection_reset);
  CHECK(lost.failure()->is_transient());
  const auto error = upstream_error(lost, "cache");
  REQUIRE(error);
  CHECK(error->message() == "cache: Server closed the connection");
  CHECK(error->is_upstream());

  const redis::Result refused = connection.command({"PING"});
  REQUIRE(refused.failure());
  CHECK(refused.failure()->code() == std::errc::connection_refused);

  // A command that is not idempotent is sent again only if it was certainly not run.
  RetryConfig careful = quick;
  careful.idempotent = false;
  std::atomic<int> attempts{0};
  auto retrying = std::async(std::launch::async, [&] {
    return retry_with_backoff(
        [&] {
          redis::Result result = connection.command({"INCR", "n"});
          ++attempts;
          return result;
        },
        careful);
  });
  REQUIRE(servers::comes_true([&] { return attempts > 0; }));
  server.start();
  const auto count = retrying.get();
  CAPTURE(count.error().message(), to_string(count.stats.stop_reason), count.stats.attempts);
  REQUIRE(count.has_value());
  CHECK(count.stats.attempts > 1);
  CHECK((*count)->integer == 1);
}

TEST_CASE("H57 an idle connection that Redis closed is replaced before a command is sent", "[H57]") {
  Server server;
  redis::Connection connection{at_port(server.port)};
  REQUIRE(connection.command({"PING"}).ok());
  server.kill();
  server.start();
  const redis::Result result = connection.command({"INCR", "n"});
  CAPTURE(result.message());
  REQUIRE(result.ok());
  CHECK(result->integer == 1);
}

TEST_CASE("H57 a reply that a call left unread is not that of the next command", "[H57]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  const auto next = [&] { return std::string{connection.command({"ECHO", "next"}).text().value_or("")}; };
  const auto half_read = [](redisContext* context) {
    redisAppendCommand(context, "PING");
    redisAppendCommand(context, "PING");
    void* reply = nullptr;
    redisGetReply(context, &reply);
    return reply;
  };
  REQUIRE(connection.call(half_read).ok());
  CHECK(next() == "next");
  const auto half_sent = [](redisContext* context) {
    void* const reply = redisCommand(context, "PING");
    redisAppendCommand(context, "PING");
    return reply;
  };
  REQUIRE(connection.call(half_sent).ok());
  CHECK(next() == "next");

  struct Oops {};
  const auto throws = [](redisContext* context) -> redis::Result {
    redisAppendCommand(context, "PING");
    throw Oops{};
  };
  CHECK_THROWS_AS(static_cast<void>(connection.call(throws)), Oops);
  CHECK(connection.context() == nullptr);
  CHECK(next() == "next");
}

TEST_CASE("H57 a call inside a call is refused, and leaves the outer one alone", "[H57]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  const auto outer = [&](redisContext* context) {
    const auto inner = connection.command({"PING"});
    CHECK(inner.failure()->code() == std::errc::device_or_resource_busy);
    connection.disconnect();
    return redisCommand(context, "ECHO outer");
  };
  CHECK(connection.call(outer).text() == "outer");
  CHECK(connection.context() == nullptr);  // disconnected at the end
  CHECK(connection.command({"PING"}).ok());
}

TEST_CASE("H58 a paused Redis is a timeout, and its late reply belongs to nobody", "[H58]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  REQUIRE(connection.command({"SET", "a", "1"}).ok());
  server.process->signal(SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  const redis::Result late = connection.command({"GET", "a"}, Deadline::after(60ms));
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  server.process->signal(SIGCONT);
  CAPTURE(late.message());
  REQUIRE(late.failure());
  CHECK(late.failure()->is_timeout());
  CHECK(elapsed >= 55ms);
  CHECK(elapsed < 5s);
  CHECK(connection.context() == nullptr);
  CHECK(connection.command({"ECHO", "b"}).text() == "b");

  server.process->signal(SIGSTOP);
  redisContext* context = connection.context();
  REQUIRE(redisSetTimeout(context, redis::timeout_of(Deadline::after(20ms))) == REDIS_OK);
  const redis::Result own = redis::result_of(context, redisCommand(context, "GET %s", "a"));
  server.process->signal(SIGCONT);
  REQUIRE(own.failure());
  CHECK(own.failure()->code() == NetworkErrc::timed_out);
  CHECK_FALSE(redis::result_of(context, redisCommand(context, "PING")).ok());  // hiredis refuses to go on
  REQUIRE(redisReconnect(context) == REDIS_OK);
  CHECK(redis::result_of(context, redisCommand(context, "ECHO %s", "c")).text() == "c");
}

TEST_CASE("H58 a stop ends the wait for a reply", "[H58]") {
  const Server server;
  redis::Connection connection{at_port(server.port)};
  REQUIRE(connection.command({"PING"}).ok());
  std::stop_source source;
  std::thread stopper{[&] {
    std::this_thread::sleep_for(30ms);
    source.request_stop();
  }};
  const auto begin = std::chrono::steady_clock::now();
  const redis::Result result = connection.command({"BLPOP", "none", "0"}, {}, source.get_token());
  stopper.join();
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  REQUIRE(result.failure());
  CHECK(result.failure()->is_cancellation());
  CHECK(connection.command({"ECHO", "d"}).text() == "d");

  bool is_timeout = false;
  try {
    static_cast<void>(with_timeout(30ms, [&](const std::stop_token& stop) {
      return connection.command({"BLPOP", "none", "0"}, {}, stop);
    }));
  } catch (const TimeoutError&) {
    is_timeout = true;
  }
  CHECK(is_timeout);
}

TEST_CASE("H56 connections that cannot be made", "[H56]") {
  const int port = servers::free_port();
  CHECK(redis::Connection{at_port(port)}.command({"PING"}).failure()->code() ==
        std::errc::connection_refused);

  const auto unknown = redis::Connection{{.host = "no.such.host.invalid"}}.command({"PING"});
  CAPTURE(unknown.message());
  CHECK(unknown.failure()->code() == NetworkErrc::host_not_found);
  CHECK(unknown.failure()->is_transient());

  const auto no_socket = redis::Connection{{.unix_socket = "/nowhere/redis.sock"}}.command({"PING"});
  CAPTURE(no_socket.message());
  CHECK(no_socket.failure()->code() == NetworkErrc::connection_refused);

  const Server server;
  redis::Connection connection{{.unix_socket = server.socket()}};
  CHECK(connection.command({"ECHO", std::string_view{"\0x", 2}}).text() == std::string_view{"\0x", 2});
}

TEST_CASE("H57 a new connection is prepared first", "[H57]") {
  const Server server{{"--requirepass", "secret"}};
  redis::ConnectionConfig config = at_port(server.port);
  config.on_connect = {{"AUTH", "secret"}, {"SELECT", "2"}};
  redis::Connection connection{config};
  REQUIRE(connection.command({"SET", "k", "v"}).ok());
  connection.disconnect();
  CHECK(connection.command({"GET", "k"}).text() == "v");

  config.on_connect = {{"AUTH", "wrong"}};
  redis::Connection wrong{config};
  check_callers(wrong.command({"GET", "k"}), redis::Errc::unauthenticated);
  CHECK(wrong.context() == nullptr);
}

TEST_CASE("H59 a breaker around Redis opens when it is gone, and not by wrong commands", "[H59]") {
  Server server;
  redis::Connection connection{at_port(server.port)};
  const test::FakeClock clock;
  CircuitBreaker breaker{"redis", {.failure_threshold = 3, .reset_timeout = 50ms}, clock};
  REQUIRE(breaker.execute([&] { return connection.command({"SET", "k", "v"}); }).ok());
  for (int i = 0; i != 5; ++i) {
    CHECK_FALSE(breaker.execute([&] { return connection.command({"INCR", "k"}); }).ok());
  }
  CHECK(breaker.state() == State::closed);
  server.kill();
  for (int i = 0; i != 3; ++i) {
    CHECK_FALSE(breaker.execute([&] { return connection.command({"GET", "k"}); }).ok());
  }
  CHECK(breaker.state() == State::open);
  server.start();
  clock.advance(50ms);
  CHECK(breaker.execute([&] { return connection.command({"PING"}); }).ok());
}
