#include <fusebox/adapters/hiredis/errc.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <set>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using redis::Errc;

namespace {

struct Row {
  const char* text;  // as Redis 7 writes it
  Errc errc;
};

constexpr Row refused[] = {
    {"LOADING Redis is loading the dataset in memory", Errc::loading},
    {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Errc::busy},
    {"TRYAGAIN Multiple keys request during rehashing of slot", Errc::try_again},
    {"CLUSTERDOWN The cluster is down", Errc::cluster_down},
    {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Errc::master_down},
    {"READONLY You can't write against a read only replica.", Errc::read_only},
    {"OOM command not allowed when used memory > 'maxmemory'.", Errc::out_of_memory},
    {"MISCONF Errors writing to the AOF file: No space left on device", Errc::cannot_persist},
    {"NOREPLICAS Not enough good replicas to write.", Errc::no_replicas},
    {"ERR max number of clients reached", Errc::too_many_clients},
    {"ERR max number of clients + cluster connections reached", Errc::too_many_clients},
    {"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
     Errc::unblocked},
    {"EXECABORT Transaction discarded because of: OOM command not allowed when used memory",
     Errc::out_of_memory},
    {"EXECABORT Transaction discarded because of: READONLY You can't write", Errc::read_only},
};

constexpr Row of_callers[] = {
    {"MOVED 3999 127.0.0.1:6381", Errc::moved},
    {"ASK 3999 127.0.0.1:6381", Errc::ask},
    {"NOAUTH Authentication required.", Errc::unauthenticated},
    {"WRONGPASS invalid username-password pair or user is disabled.", Errc::unauthenticated},
    {"NOPERM this user has no permissions to run the 'get' command", Errc::no_permission},
    {"DENIED Redis is running in protected mode", Errc::no_permission},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", Errc::wrong_type},
    {"NOSCRIPT No matching script. Please use EVAL.", Errc::no_script},
    {"EXECABORT Transaction discarded because of previous errors.", Errc::aborted},
    {"BUSYKEY Target key name already exists.", Errc::exists},
    {"BUSYGROUP Consumer Group name already exists", Errc::exists},
    {"NOGROUP No such key 'k' or consumer group 'g'", Errc::no_group},
    {"CROSSSLOT Keys in request don't hash to the same slot", Errc::cross_slot},
    {"UNBLOCKED client unblocked via CLIENT UNBLOCK", Errc::unblocked},
    {"ERR unknown command 'NOSUCH'", Errc::error},
    {"ERR max number of arguments", Errc::error},
    {"LOADINGS of a module", Errc::error},
    {"LOADING", Errc::loading},
    {"no word at all", Errc::error},
    {"", Errc::error},
};

}  // namespace

TEST_CASE("H55 what Redis refuses for now is transient, and safe to repeat", "[H55]") {
  for (const Row& row : refused) {
    CAPTURE(row.text);
    const Failure failure = redis::failure_of_error_reply(row.text);
    CHECK(failure.code() == row.errc);
    CHECK(failure.message() == row.text);
    CHECK(failure.is_transient());
    CHECK(failure.status() == 503);
    CHECK(failure.retry_after() == 0ms);
    CHECK(default_outcome(failure) == Outcome::failure);
  }
}

TEST_CASE("H55 any other error reply is the caller's", "[H55]") {
  for (const Row& row : of_callers) {
    if (row.errc == Errc::loading) continue;
    CAPTURE(row.text);
    const Failure failure = redis::failure_of_error_reply(row.text);
    CHECK(failure.code() == row.errc);
    CHECK_FALSE(failure.is_transient());
    CHECK_FALSE(failure.retry_after());
    CHECK(default_outcome(failure) == Outcome::success);
  }
  CHECK(redis::failure_of_error_reply("LOADING").code() == Errc::loading);  // a word alone is enough
}

TEST_CASE("H55 statuses of the errors that an API may pass on", "[H55]") {
  CHECK(redis::failure_of_error_reply("NOAUTH x").status() == 401);
  CHECK(redis::failure_of_error_reply("NOPERM x").status() == 403);
  CHECK(redis::failure_of_error_reply("NOSCRIPT x").status() == 404);
  CHECK(redis::failure_of_error_reply("BUSYKEY x").status() == 409);
  CHECK(redis::failure_of_error_reply("WRONGTYPE x").status() == 400);
}

TEST_CASE("H55 a script that was refused in its middle may have written", "[H55]") {
  for (const char* text :
       {"OOM command not allowed when used memory > 'maxmemory'. script: 6f, on @user_script:1.",
        "READONLY You can't write against a read only replica. script: 6f, on @user_script:1."}) {
    CAPTURE(text);
    const Failure failure = redis::failure_of_error_reply(text);
    CHECK(failure.is_transient());
    CHECK_FALSE(failure.retry_after());
  }
}

TEST_CASE("H55 the commands whose error replies a script may have made up", "[H55]") {
  using fusebox::detail::is_redis_script;
  for (const char* name : {"EVAL", "eval", "EvalSha", "EVAL_RO", "EVALSHA_RO", "FCALL", "fcall_ro"}) {
    CAPTURE(name);
    CHECK(is_redis_script(name));
  }
  for (const char* name : {"", "GET", "EVA", "EVALS", "EVALXSHA", "EVAL@RO", "FUNCTION"}) {
    CAPTURE(name);
    CHECK_FALSE(is_redis_script(name));
  }
}

TEST_CASE("H55 a command that is not idempotent is repeated only after a refusal", "[H55]") {
  const auto attempts = [](std::string_view text) {
    const test::FakeClock clock;
    int count = 0;
    static_cast<void>(retry_with_backoff(
        [&]() -> std::optional<Failure> {
          ++count;
          return redis::failure_of_error_reply(text);
        },
        {.max_retries = 2, .idempotent = false}, clock));
    return count;
  };
  CHECK(attempts("LOADING Redis is loading the dataset in memory") == 3);
  CHECK(attempts("OOM command not allowed. script: 6f, on @user_script:1.") == 1);
  CHECK(attempts("WRONGTYPE Operation against a key holding the wrong kind of value") == 1);
}

TEST_CASE("H55 the errors of Redis are error codes", "[H55]") {
  const std::error_code code = Errc::loading;
  CHECK(code.category().name() == std::string_view{"redis"});
  CHECK(code.message() == "Redis answered LOADING");
  CHECK(std::error_code{Errc::error}.message() == "Redis answered with an error");
  CHECK(std::error_code{Errc::too_many_clients}.message() == "Redis has too many clients");
  CHECK(&redis::error_category() == &code.category());
}
