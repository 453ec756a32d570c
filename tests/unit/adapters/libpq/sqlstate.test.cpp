#include <fusebox/adapters/libpq/sqlstate.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

Failure failure_of(std::string_view state) { return pq::failure_of_sql_state(state, "text"); }

}  // namespace

TEST_CASE("H60 what was refused or rolled back is transient, and safe to repeat", "[H60]") {
  for (const char* state : {"40001", "40P01", "40000", "53000", "53100", "53200", "53300", "53400", "55P03",
                            "55006", "57P03", "57P05", "25P03", "72000"}) {
    CAPTURE(state);
    const Failure failure = failure_of(state);
    CHECK(failure.is_transient());
    CHECK(failure.retry_after() == 0ms);
    CHECK(default_outcome(failure) == Outcome::failure);
    CHECK(failure.code() == pq::sql_state(state));
    CHECK(failure.message() == "text");
  }
}

TEST_CASE("H60 what may have happened is transient, and repeated only if it is idempotent", "[H60]") {
  for (const char* state : {"08000", "08001", "08003", "08004", "08006", "08007", "40003", "57000", "57P01",
                            "57P02", "58000", "58030"}) {
    CAPTURE(state);
    const Failure failure = failure_of(state);
    CHECK(failure.is_transient());
    CHECK_FALSE(failure.retry_after());
    CHECK(default_outcome(failure) == Outcome::failure);
  }
}

TEST_CASE("H60 a cancelled query is a timeout", "[H60]") {
  const Failure failure = failure_of("57014");
  CHECK(failure.is_timeout());
  CHECK(failure.is_transient());
  CHECK_FALSE(failure.is_cancellation());
  CHECK_FALSE(failure.status());  // nobody answered with one: it is a timeout
  CHECK(failure.code() == std::errc::timed_out);
  CHECK_FALSE(pq::sql_state("57013") == std::errc::timed_out);
}

TEST_CASE("H60 statements and data that are wrong are for the caller", "[H60]") {
  struct Row {
    const char* state;
    int status;
  };
  for (const Row& row : {Row{"23505", 409}, {"23503", 409}, {"23P01", 409}, {"40002", 409}, {"22012", 400},
                         {"42601", 400},    {"42P01", 400}, {"42501", 403}, {"28000", 401}, {"28P01", 401},
                         {"3D000", 404},    {"57P04", 404}, {"25006", 400}, {"25P02", 400}, {"0A000", 400},
                         {"08P01", 400},    {"54001", 400}, {"55000", 400}, {"P0001", 400}, {"99999", 400}}) {
    CAPTURE(row.state);
    const Failure failure = failure_of(row.state);
    CHECK_FALSE(failure.is_transient());
    CHECK(failure.status() == row.status);
    CHECK(default_outcome(failure) == Outcome::success);
    CHECK_FALSE(failure.retry_after());
  }
}

TEST_CASE("H60 an error inside the server is as a status of 500", "[H60]") {
  for (const char* state : {"XX000", "XX001", "58P01", "58P02", "F0000", "HV000"}) {
    CAPTURE(state);
    CHECK(failure_of(state).status() == 500);
    CHECK_FALSE(failure_of(state).retry_after());  // so it is repeated only if it is idempotent
    CHECK(default_outcome(failure_of(state)) == Outcome::failure);
  }
}

TEST_CASE("H60 an SQLSTATE is an error code", "[H60]") {
  CHECK(pq::sql_state("40P01").message() == "SQLSTATE 40P01");
  CHECK(pq::sql_state("XX000").message() == "SQLSTATE XX000");
  CHECK(pq::sql_state("00000").message() == "SQLSTATE 00000");
  CHECK(pq::sql_state("40P01") != pq::sql_state("40001"));
  CHECK(pq::sql_state("40001").category().name() == std::string_view{"sqlstate"});
  CHECK(&pq::sql_state_category() == &pq::sql_state("40001").category());
  for (const char* none : {"", "4000", "400011", "40p01", "4000-"}) {
    CAPTURE(none);
    CHECK_FALSE(pq::sql_state(none));
  }
}

TEST_CASE("H63 a transaction is repeated only if it certainly had no effect", "[H63]") {
  const auto attempts = [](std::string_view state) {
    const test::FakeClock clock;
    int count = 0;
    static_cast<void>(retry_with_backoff(
        [&]() -> std::optional<Failure> {
          ++count;
          return failure_of(state);
        },
        {.max_retries = 2, .idempotent = false}, clock));
    return count;
  };
  CHECK(attempts("40001") == 3);
  CHECK(attempts("57P01") == 1);
  CHECK(attempts("23505") == 1);
}

TEST_CASE("H60 a text that is no SQLSTATE says nothing of what happened", "[H60]") {
  for (const std::string_view text :
       {"", "40", "40junk", "4000", "400011", "53 disk full", "4000\xff", "57p03"}) {
    CAPTURE(text);
    const Failure failure = failure_of(text);
    CHECK_FALSE(failure.is_transient());
    CHECK_FALSE(failure.retry_after());
    CHECK(failure.status() == 400);
  }
}
