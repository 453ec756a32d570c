// H60 to H63: adapters/libpq.hpp beside a real PostgreSQL, which is restarted, filled, paused and promoted.
#include <fusebox/adapters/libpq.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/timeout.hpp>

#include <barrier>
#include <csignal>
#include <fstream>
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

/// For what may be repeated only if it certainly had no effect.
constexpr RetryConfig careful{
    .max_retries = 200, .base_delay = 5ms, .max_delay = 20ms, .total_timeout = 8s, .idempotent = false};

/// A cluster of databases in a folder of its own. It listens on a socket in that folder alone.
class Cluster {
 public:
  Cluster() {
    folder.give_to(user);
    servers::Process initdb{
        {servers::program("INITDB"), "-D", folder.file("data"), "-U", "test", "--auth=trust", "--no-sync",
         "--no-instructions", "--wal-segsize=1", "-E", "UTF8", "--locale=C"},
        folder.file("log"),
        SIGKILL,
        user};
    INFO(folder.text_of("log"));
    REQUIRE(initdb.wait() == 0);
    start();
  }

  /// On the thread that outlives it: see Process.
  void start() {
    process.emplace(std::vector<std::string>{servers::program("POSTGRES"),
                                             "-D",
                                             folder.file("data"),
                                             "-c",
                                             "listen_addresses=",
                                             "-c",
                                             "unix_socket_directories=" + folder.path(),
                                             "-c",
                                             "fsync=off",
                                             "-c",
                                             "shared_buffers=8MB",
                                             "-c",
                                             "min_wal_size=2MB",
                                             "-c",
                                             "max_connections=9",
                                             "-c",
                                             "deadlock_timeout=10ms",
                                             "-c",
                                             "autovacuum=off",
                                             "-c",
                                             "jit=off"},
                    folder.file("log"), SIGQUIT, user);
    const bool is_up = servers::comes_true([this] { return connection().exec("SELECT 1").ok(); });
    INFO(folder.text_of("log"));
    REQUIRE(is_up);
  }
  /// SIGTERM waits for the sessions, SIGINT ends them, SIGQUIT crashes.
  void end(int signal) {
    process->signal(signal);
    REQUIRE(process->has_ended_within(5s));
    process.reset();
  }

  [[nodiscard]] pq::Connection connection() const { return pq::Connection{config()}; }
  [[nodiscard]] pq::ConnectionConfig config() const {
    return {.conninfo = "host=" + folder.path() + " user=test dbname=postgres", .statement_timeout = 5s};
  }

  servers::Folder folder;
  const passwd* user = servers::unprivileged_user();
  std::optional<servers::Process> process;
};

Cluster& cluster() {
  static Cluster only;
  return only;
}

int number(const pq::Result& result) {
  CAPTURE(result.message());
  REQUIRE(result.ok());
  REQUIRE(result.value(0, 0));
  return std::stoi(std::string{*result.value(0, 0)});
}

void must(const pq::Result& result) {
  CAPTURE(result.message());
  REQUIRE(result.ok());
}

/// For the caller: PostgreSQL is well, and a repetition is of no use.
void check_callers(pq::Connection& connection, const std::string& sql, std::string_view state) {
  CAPTURE(sql);
  auto answer = retry_with_backoff([&] { return connection.exec(sql); }, careful);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.stats.attempts == 1);
  CHECK(answer.error().code() == pq::sql_state(state));
  CHECK(default_outcome(answer.error()) == Outcome::success);
}

/// Refused or rolled back: transient, a failure for a breaker, and safe to repeat for any statement.
void check_undone(const pq::Result& result, std::string_view state) {
  CAPTURE(result.message());
  REQUIRE(result.failure());
  CHECK(result.failure()->code() == pq::sql_state(state));
  CHECK(result.failure()->is_transient());
  CHECK(result.failure()->retry_after() == 0ms);
  CHECK(default_outcome(*result.failure()) == Outcome::failure);
}

/// The pid of a session that runs `sql`, once it does.
int pid_of(pq::Connection& admin, const std::string& sql) {
  std::string pid;
  REQUIRE(servers::comes_true([&] {
    const auto found = admin.exec(
        "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE "
        "$1",
        {sql + "%"});
    pid = found.value(0, 0).value_or("");
    return !pid.empty();
  }));
  return std::stoi(pid);
}

}  // namespace

TEST_CASE("H61 rows, nulls and parameters", "[H61]") {
  auto connection = cluster().connection();
  const auto rows =
      connection.exec("SELECT $1::text || '!', $2::text UNION ALL SELECT 'b', 'c'", {"a", std::nullopt});
  REQUIRE(rows.ok());
  CHECK_FALSE(rows.failure());
  CHECK(rows.message().empty());
  CHECK(rows.rows() == 2);
  CHECK(rows.columns() == 2);
  CHECK(rows.value(0, 0) == "a!");
  CHECK_FALSE(rows.value(0, 1));
  CHECK_FALSE(rows.value(2, 0));
  CHECK(connection.exec("SELECT 1; SELECT 2").value(0, 0) == "2");
  CHECK(connection.exec("SELECT 1; SELECT 1/0; SELECT 2").sql_state() == "22012");
  must(connection.exec("SELECT repeat('x', 3000000)"));
  CHECK(connection.exec("SELECT length($1)", {std::string(3'000'000, 'x')}).value(0, 0) == "3000000");
}

TEST_CASE("H60 what is wrong with a statement or its data is for the caller", "[H60]") {
  auto connection = cluster().connection();
  must(connection.exec("CREATE TEMP TABLE t (id int PRIMARY KEY CHECK (id > 0)); INSERT INTO t VALUES (1)"));
  check_callers(connection, "INSERT INTO t VALUES (1)", "23505");
  check_callers(connection, "INSERT INTO t VALUES (-1)", "23514");
  check_callers(connection, "SELEC 1", "42601");
  check_callers(connection, "SELECT * FROM none", "42P01");
  check_callers(connection, "SELECT 1/0", "22012");
  check_callers(connection, "SELECT 'x'::int", "22P02");
  check_callers(connection, "BEGIN READ ONLY; CREATE TABLE n (id int)", "25006");
  check_callers(connection, "SELECT 1", "25P02");
  must(connection.exec("ROLLBACK"));
  CHECK(connection.exec("SELECT id FROM t").value(0, 0) == "1");  // none of them cost the connection

  const auto failed = connection.exec("INSERT INTO t VALUES (1)");
  const auto error = upstream_error(failed, "db");
  REQUIRE(error);
  CHECK(error->message() == "db: duplicate key value violates unique constraint \"t_pkey\"");
  CHECK(error->code() == ErrorCode::conflict);
  CHECK(error->is_upstream());
  CHECK_FALSE(upstream_error(connection.exec("SELECT 1"), "db"));
}

TEST_CASE("H60 connections that PostgreSQL refuses", "[H60]") {
  pq::ConnectionConfig config = cluster().config();
  config.conninfo += " dbname=none";
  const auto no_database = pq::Connection{config}.exec("SELECT 1");
  CAPTURE(no_database.message());
  CHECK(no_database.sql_state() == "3D000");
  CHECK(no_database.failure()->code() == pq::sql_state("3D000"));
  CHECK_FALSE(no_database.failure()->is_transient());
  CHECK(no_database.message().find("does not exist") != std::string::npos);
  config.conninfo = cluster().config().conninfo + " user=none";
  CHECK(pq::Connection{config}.exec("SELECT 1").sql_state() == "28000");

  std::vector<pq::Connection> all;
  pq::Result refused{std::error_code{}};
  for (int i = 0; i != 10 && refused.sql_state().empty(); ++i) {
    all.push_back(cluster().connection());
    refused = all.back().exec("SELECT 1");
  }
  check_undone(refused, "53300");
}

TEST_CASE("H61 connections that cannot be made", "[H61]") {
  const auto failure_of = [](const std::string& conninfo) {
    const auto result = pq::Connection{{.conninfo = conninfo}}.exec("SELECT 1");
    CAPTURE(result.message());
    CHECK_FALSE(result.message().empty());
    CHECK(result.message().find('\n') == std::string::npos);
    REQUIRE(result.failure());
    return *result.failure();
  };
  CHECK(failure_of("host=127.0.0.1 port=" + std::to_string(servers::free_port())).code() ==
        NetworkErrc::connection_refused);
  CHECK(failure_of("host=/nowhere").code() == NetworkErrc::connection_refused);
  CHECK(failure_of("host=no.such.host.invalid").code() == NetworkErrc::host_not_found);
  const Failure invalid = failure_of("nonsense");
  CHECK(invalid.code().category().name() == std::string{"libpq"});
  CHECK_FALSE(invalid.is_transient());
}

TEST_CASE("H62 a statement ends at its deadline, and the connection stays", "[H62]") {
  auto connection = cluster().connection();
  const int pid = number(connection.exec("SELECT pg_backend_pid()"));
  const auto begin = std::chrono::steady_clock::now();
  const auto late = connection.exec("SELECT pg_sleep(10)", {}, Deadline::after(40ms));
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  REQUIRE(late.failure());
  CHECK(late.failure()->is_timeout());
  CHECK(late.failure()->is_transient());
  CHECK(number(connection.exec("SELECT pg_backend_pid()")) == pid);

  must(connection.exec("SET statement_timeout = " +
                       std::to_string(pq::statement_timeout_of(Deadline::after(20ms)))));
  const auto by_server = connection.exec("SELECT pg_sleep(10)");
  CHECK(by_server.sql_state() == "57014");
  CHECK(by_server.failure()->is_timeout());
  CHECK(by_server.failure()->code() == std::errc::timed_out);
}

TEST_CASE("H62 a lock that is not free in time", "[H62]") {
  auto holder = cluster().connection();
  auto connection = cluster().connection();
  must(holder.exec("SELECT pg_advisory_lock(7)"));
  must(connection.exec("SET lock_timeout = 20"));
  check_undone(connection.exec("SELECT pg_advisory_lock(7)"), "55P03");
}

TEST_CASE("H62 a stop cancels the statement on the server", "[H62]") {
  auto connection = cluster().connection();
  const int pid = number(connection.exec("SELECT pg_backend_pid()"));
  std::stop_source source;
  std::thread stopper{[&] {
    std::this_thread::sleep_for(30ms);
    source.request_stop();
  }};
  const auto result = connection.exec("SELECT pg_sleep(10)", {}, {}, source.get_token());
  stopper.join();
  REQUIRE(result.failure());
  CHECK(result.failure()->is_cancellation());
  CHECK(number(connection.exec("SELECT pg_backend_pid()")) == pid);
  CHECK(connection.exec("SELECT 1", {}, {}, source.get_token()).failure()->is_cancellation());

  CHECK_THROWS_AS(
      static_cast<void>(with_timeout(
          30ms,
          [&](const std::stop_token& stop) { return connection.exec("SELECT pg_sleep(10)", {}, {}, stop); })),
      TimeoutError);
  CHECK(number(connection.exec("SELECT pg_backend_pid()")) == pid);
}

TEST_CASE("H62 a server that hangs costs the connection, and no more time", "[H62]") {
  pq::ConnectionConfig config = cluster().config();
  config.cancel_timeout = 30ms;
  pq::Connection connection{config};
  const int pid = number(connection.exec("SELECT pg_backend_pid()"));
  ::kill(pid, SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  const auto late = connection.exec("SELECT 1", {}, Deadline::after(30ms));
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  ::kill(pid, SIGCONT);
  CHECK(elapsed < 5s);  // statement_timeout
  REQUIRE(late.failure());
  CHECK(late.failure()->code() == NetworkErrc::timed_out);
  CHECK(connection.get() == nullptr);
  CHECK(number(connection.exec("SELECT pg_backend_pid()")) != pid);
}

TEST_CASE("H62 a cancel request that is late never hits the next statement", "[H62]") {
  pq::ConnectionConfig config = cluster().config();
  config.cancel_timeout = 300ms;
  pq::Connection connection{config};
  must(connection.exec("SELECT 1"));
  cluster().process->signal(SIGSTOP);  // it takes the requests; the session runs on
  const auto late = connection.exec("SELECT pg_sleep(0.1)", {}, Deadline::after(20ms));
  CHECK(late.ok());  // it had ended before it was cancelled
  cluster().process->signal(SIGCONT);
  must(connection.exec("SELECT pg_sleep(0.3)"));
}

TEST_CASE("H63 serialization failures are retried as whole transactions", "[H63]") {
  must(
      cluster().connection().exec("CREATE TABLE dots (id int, is_black bool); "
                                  "INSERT INTO dots SELECT i, i % 2 = 0 FROM generate_series(1, 10) i"));
  std::barrier both_have_read{2};
  const auto paint = [&](const char* color) {  // each reads what the other writes
    auto connection = cluster().connection();
    return retry_with_backoff(
        [&](const Attempt& attempt) {
          return connection.transaction([&](pq::Connection& db) {
            auto count = db.exec("SELECT count(*) FROM dots WHERE is_black");
            if (!count.ok()) return count;  // two threads: no assertion of Catch
            if (attempt.number == 1) both_have_read.arrive_and_wait();
            return db.exec(std::string{"UPDATE dots SET is_black = "} + color + " WHERE is_black <> " +
                           color);
          });
        },
        careful);
  };
  auto black = std::async(std::launch::async, paint, "true");
  const auto white = paint("false");
  const auto other = black.get();
  REQUIRE(white.has_value());
  REQUIRE(other.has_value());
  CHECK(white.stats.attempts + other.stats.attempts > 2);
  for (const auto* answer : {&white, &other}) {
    for (const Failure& failure : answer->stats.errors) CHECK(failure.code() == pq::sql_state("40001"));
  }
  // One after the other, in some order: all have one color.
  CHECK(number(cluster().connection().exec("SELECT count(DISTINCT is_black) FROM dots")) == 1);
}

TEST_CASE("H63 a deadlock is broken and retried", "[H63]") {
  must(
      cluster().connection().exec("CREATE TABLE money (id int PRIMARY KEY, amount int); "
                                  "INSERT INTO money VALUES (1, 100), (2, 100)"));
  std::barrier both_hold_one{2};
  const auto transfer = [&](const std::string& from, const std::string& to) {
    auto connection = cluster().connection();
    return retry_with_backoff(
        [&](const Attempt& attempt) {
          return connection.transaction(
              [&](pq::Connection& db) {
                auto taken = db.exec("UPDATE money SET amount = amount - 10 WHERE id = $1", {from});
                if (!taken.ok()) return taken;
                if (attempt.number == 1) both_hold_one.arrive_and_wait();
                return db.exec("UPDATE money SET amount = amount + 10 WHERE id = $1", {to});
              },
              attempt.deadline, attempt.stop_token, "BEGIN");
        },
        careful);
  };
  auto there = std::async(std::launch::async, transfer, "1", "2");
  const auto back = transfer("2", "1");
  const auto other = there.get();
  REQUIRE(back.has_value());
  REQUIRE(other.has_value());
  std::vector<Failure> errors = back.stats.errors;
  errors.insert(errors.end(), other.stats.errors.begin(), other.stats.errors.end());
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code() == pq::sql_state("40P01"));
  CHECK(number(cluster().connection().exec("SELECT count(*) FROM money WHERE amount = 100")) == 2);
}

TEST_CASE("H63 a transaction that fails leaves nothing", "[H63]") {
  auto connection = cluster().connection();
  must(connection.exec("CREATE TEMP TABLE t (id int)"));
  const auto insert = [](pq::Connection& db) { return db.exec("INSERT INTO t VALUES (1)"); };
  const auto count = [&] { return number(connection.exec("SELECT count(*) FROM t")); };

  CHECK(connection
            .transaction([&](pq::Connection& db) {
              must(insert(db));
              return db.exec("SELECT 1/0");
            })
            .sql_state() == "22012");
  CHECK(count() == 0);

  struct Oops {};
  const auto throws = [&](pq::Connection& db) -> pq::Result {
    must(insert(db));
    throw Oops{};
  };
  CHECK_THROWS_AS(static_cast<void>(connection.transaction(throws)), Oops);
  CHECK(count() == 0);

  // PostgreSQL answers COMMIT with ROLLBACK.
  const auto swallowed = connection.transaction([&](pq::Connection& db) {
    auto inserted = insert(db);
    static_cast<void>(db.exec("SELECT 1/0"));
    return inserted;
  });
  CHECK(swallowed.failure()->code() == pq::sql_state("25P02"));
  CHECK(count() == 0);

  // The inner COMMIT would be that of the outer one.
  const auto nested = connection.transaction([&](pq::Connection& db) {
    must(insert(db));
    return db.transaction(insert);
  });
  REQUIRE(nested.failure());
  CHECK(nested.failure()->code().category().name() == std::string{"libpq"});
  CHECK_FALSE(nested.failure()->is_transient());
  CHECK(count() == 0);

  must(connection.transaction(insert));
  CHECK(count() == 1);
}

TEST_CASE("H63 a statement of a transaction that was too late left nothing, and is retried", "[H63]") {
  auto connection = cluster().connection();
  must(connection.exec("CREATE TEMP TABLE t (id int)"));
  int attempts = 0;
  const auto answer = retry_with_backoff(
      [&] {
        return connection.transaction([&](pq::Connection& db) {
          must(db.exec("INSERT INTO t VALUES (1)"));
          ++attempts;
          if (attempts == 1) return db.exec("SET LOCAL statement_timeout = 20; SELECT pg_sleep(10)");
          return db.exec("SELECT pg_sleep($1)", {attempts == 2 ? "10" : "0"},
                         attempts == 2 ? Deadline::after(20ms) : Deadline{});
        });
      },
      careful);
  REQUIRE(answer.has_value());
  REQUIRE(answer.stats.errors.size() == 2);
  for (const Failure& failure : answer.stats.errors) CHECK(failure.code() == pq::sql_state("40000"));
  CHECK(number(connection.exec("SELECT count(*) FROM t")) == 1);
}

TEST_CASE("H63 the limits of a transaction limit each statement of op", "[H63]") {
  auto connection = cluster().connection();
  must(connection.exec("SELECT 1"));  // connected: the deadline below is for the statement alone
  const auto sleep = [](pq::Connection& in) { return in.exec("SELECT pg_sleep(10)"); };
  const auto begin = std::chrono::steady_clock::now();
  check_undone(connection.transaction(sleep, Deadline::after(300ms)), "40000");
  std::stop_source source;
  const auto stop_and_sleep = [&](pq::Connection& in) {
    source.request_stop();
    return sleep(in);
  };
  const auto stopped = connection.transaction(stop_and_sleep, {}, source.get_token());
  CHECK(stopped.failure()->is_cancellation());
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK(number(connection.exec("SELECT 1")) == 1);  // free of those limits
}

TEST_CASE("H63 a session that ends before the COMMIT is retried, and after it is not", "[H63]") {
  auto admin = cluster().connection();
  must(
      admin.exec("CREATE TABLE orders (id int); "
                 "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 "PERFORM pg_sleep(CASE WHEN NEW.id = 2 THEN 5 ELSE 0 END); RETURN NULL; END $$; "
                 "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED "
                 "FOR EACH ROW EXECUTE FUNCTION wait()"));
  auto connection = cluster().connection();
  int attempts = 0;
  auto before = retry_with_backoff(
      [&] {
        return connection.transaction([&](pq::Connection& db) {
          auto inserted = db.exec("INSERT INTO orders VALUES (1)");
          if (++attempts > 2) return inserted;
          const std::string pid = std::to_string(::PQbackendPID(db.get()));
          must(admin.exec("SELECT pg_terminate_backend($1)", {pid}));
          REQUIRE(servers::comes_true([&] { return ::kill(std::stoi(pid), 0) != 0; }));
          if (attempts == 1) return db.exec("SELECT 1");  // on no other connection
          return inserted;                                // lost before the COMMIT is sent
        });
      },
      careful);
  REQUIRE(before.has_value());
  CHECK(attempts == 3);
  CHECK(number(admin.exec("SELECT count(*) FROM orders")) == 1);

  auto committing = std::async(std::launch::async, [&] {
    return retry_with_backoff(
        [&] {
          return connection.transaction(
              [](pq::Connection& db) { return db.exec("INSERT INTO orders VALUES (2)"); });
        },
        careful);
  });
  must(admin.exec("SELECT pg_terminate_backend($1)", {std::to_string(pid_of(admin, "COMMIT"))}));
  const auto during = committing.get();
  REQUIRE_FALSE(during.has_value());
  CHECK(during.stats.attempts == 1);
  CHECK(during.error().code() == pq::sql_state("57P01"));
  CHECK(during.error().is_transient());
}

TEST_CASE("H62 an idle connection that the server closed is replaced before a statement is sent", "[H62]") {
  auto admin = cluster().connection();
  pq::ConnectionConfig config = cluster().config();
  config.on_connect = {"SET application_name = 'shop'"};
  pq::Connection connection{config};
  const int pid = number(connection.exec("SELECT pg_backend_pid()"));
  must(admin.exec("SELECT pg_terminate_backend($1)", {std::to_string(pid)}));
  // Only then is its socket closed: it leaves pg_stat_activity before.
  REQUIRE(servers::comes_true([&] { return ::kill(pid, 0) != 0; }));
  CHECK(connection.exec("SHOW application_name").value(0, 0) == "shop");

  config.on_connect = {"SELECT 1/0"};
  CHECK(pq::Connection{config}.exec("SELECT 1").sql_state() == "22012");
}

TEST_CASE("H60 a restart is transient from its beginning to its end", "[H60]") {
  auto admin = cluster().connection();
  auto sleeper = cluster().connection();
  auto lost = std::async(std::launch::async, [&] { return sleeper.exec("SELECT pg_sleep(10)"); });
  static_cast<void>(pid_of(admin, "SELECT pg_sleep"));

  cluster().process->signal(SIGTERM);  // waits for the sessions
  pq::Result refused{std::error_code{}};
  REQUIRE(servers::comes_true([&] {
    refused = cluster().connection().exec("SELECT 1");
    return !refused.ok();
  }));
  check_undone(refused, "57P03");
  CircuitBreaker breaker{"db", {.failure_threshold = 2, .reset_timeout = 20ms}};
  for (int i = 0; i != 2; ++i) {
    CHECK_FALSE(breaker.execute([] { return cluster().connection().exec("SELECT 1"); }).ok());
  }
  CHECK(breaker.state() == State::open);

  cluster().end(SIGINT);
  const auto shut_down = lost.get();
  CHECK(shut_down.failure()->code() == pq::sql_state("57P01"));
  CHECK(shut_down.failure()->is_transient());
  CHECK_FALSE(shut_down.failure()->retry_after());  // it may have been done
  CHECK(sleeper.get() == nullptr);
  CHECK(sleeper.exec("SELECT 1").failure()->code() == NetworkErrc::connection_refused);

  auto retrying = std::async(std::launch::async, [&] {
    return retry_with_backoff([&] { return sleeper.exec("SELECT 7"); }, careful);
  });
  std::this_thread::sleep_for(30ms);
  cluster().start();
  const auto answer = retrying.get();
  REQUIRE(answer.has_value());
  CHECK(answer.stats.attempts > 1);
  CHECK(answer->value(0, 0) == "7");
}

TEST_CASE("H60 a standby refuses writes until it is promoted", "[H60]") {
  cluster().end(SIGINT);
  std::ofstream{cluster().folder.file("data/standby.signal")};
  cluster().start();
  auto connection = cluster().connection();
  const auto refused = connection.exec("CREATE TABLE later (id int)");
  check_undone(refused, "25006");
  CHECK(connection.get() == nullptr);  // the next statement looks for the primary again
  auto retrying = std::async(std::launch::async, [&] {
    return retry_with_backoff([&] { return connection.exec("CREATE TABLE later (id int)"); }, careful);
  });
  std::this_thread::sleep_for(30ms);
  must(cluster().connection().exec("SELECT pg_promote()"));
  CHECK(retrying.get().has_value());
}
