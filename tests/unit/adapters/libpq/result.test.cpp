#include <fusebox/adapters/libpq.hpp>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("H61 a result that is no error is a success", "[H61]") {
  for (const ExecStatusType status : {PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY,
                                      PGRES_SINGLE_TUPLE, PGRES_COPY_IN, PGRES_COPY_OUT}) {
    CAPTURE(PQresStatus(status));
    const pq::Result result = pq::result_of(nullptr, PQmakeEmptyPGresult(nullptr, status));
    CHECK(result.ok());
    CHECK_FALSE(result.failure());
    CHECK_FALSE(result.needs_reconnect());
    CHECK(result.message().empty());
    CHECK_FALSE(upstream_error(result, "db"));
    CHECK_FALSE(result.value(0, 0));
  }
  CHECK_FALSE(pq::result_of(nullptr, PQmakeEmptyPGresult(nullptr, PGRES_BAD_RESPONSE)).ok());
}

TEST_CASE("H61 without a connection there was no memory for one", "[H61]") {
  const pq::Result result = pq::result_of(nullptr, nullptr);
  REQUIRE(result.failure());
  CHECK(result.failure()->code() == std::errc::not_enough_memory);
  CHECK(result.needs_reconnect());
}

TEST_CASE("H61 a connection that could not be made, by libpq's own calls", "[H61]") {
  PGconn* const connection = PQconnectdb("host=/nowhere");
  const pq::Result result = pq::result_of(connection, PQexec(connection, "SELECT 1"));
  PQfinish(connection);
  REQUIRE(result.failure());
  CHECK(result.failure()->code() ==
        NetworkErrc::connection_reset);  // only pq::Connection knows that nothing was sent
  CHECK(result.needs_reconnect());
  CHECK(result.sql_state().empty());
  const auto error = upstream_error(result, "db");
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::bad_gateway);
  CHECK(error->upstream() == "db");
}

TEST_CASE("H61 the SQLSTATE in the text of a refused connection", "[H61]") {
  using fusebox::detail::sql_state_in;
  CHECK(sql_state_in(
            "connection to server on socket \"/run/.s.PGSQL.5432\" failed: FATAL:  57P03: the database "
            "system is starting up\nLOCATION:  ProcessStartupPacket, postmaster.c:2354\n") == "57P03");
  CHECK(sql_state_in("FATAL:  53300: sorry, too many clients already") == "53300");
  CHECK(sql_state_in("a failed: FATAL:  28P01: x\nb failed: FATAL:  57P03: y\n") ==
        "57P03");  // the last host
  CHECK(sql_state_in("connection to server at \"127.0.0.1\", port 1 failed: Connection refused").empty());
  CHECK(sql_state_in("FATAL:  the database system is starting up").empty());
  CHECK(sql_state_in("FATAL:  57p03: x").empty());
  CHECK(sql_state_in(":  ").empty());
  CHECK(sql_state_in("").empty());
}

TEST_CASE("H61 why a connection could not be made", "[H61]") {
  using fusebox::detail::libpq_connect_code;
  const auto text = [](int number) {
    return "connection failed: " + std::generic_category().message(number);
  };
  CHECK(libpq_connect_code(text(ECONNREFUSED)) == NetworkErrc::connection_refused);
  CHECK(libpq_connect_code(text(ENOENT)) == NetworkErrc::connection_refused);
  CHECK(libpq_connect_code(text(ETIMEDOUT)) == NetworkErrc::timed_out);
  CHECK(libpq_connect_code(std::string{"could not translate host name: "} + gai_strerror(EAI_NONAME)) ==
        NetworkErrc::host_not_found);
  CHECK(libpq_connect_code("server closed the connection unexpectedly") == NetworkErrc::connection_refused);
}
