#include <fusebox/adapters/hiredis.hpp>
#include <fusebox/adapters/hiredis/config.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

bool is(const timeval& time, long seconds, long microseconds) {
  return time.tv_sec == seconds && time.tv_usec == microseconds;
}

}  // namespace

TEST_CASE("H58 a deadline becomes a timeout of hiredis, never 0", "[H58]") {
  test::FakeClock clock;
  const auto after = [&](std::chrono::nanoseconds time) { return Deadline::after(time, clock); };
  CHECK(is(redis::timeout_of(after(1500ms)), 1, 500'000));
  CHECK(is(redis::timeout_of(after(1ns)), 0, 1));
  CHECK(is(redis::timeout_of(after(1500ns)), 0, 2));
  CHECK(is(redis::timeout_of(after(10s), 2s), 2, 0));
  CHECK(is(redis::timeout_of(after(1s), 2s), 1, 0));
  CHECK(is(redis::timeout_of(Deadline::never()), 86'400, 0));
  const Deadline passed = after(1s);
  clock.advance(2s);
  CHECK(is(redis::timeout_of(passed), 0, 1));
}

TEST_CASE("C3 what a connection to Redis accepts", "[C3]") {
  CHECK(validate(redis::ConnectionConfig{}).empty());
  CHECK(validate(redis::ConnectionConfig{.port = 65'535, .connect_timeout = no_timeout}).empty());
  CHECK(validate(redis::ConnectionConfig{.port = 0, .unix_socket = "/run/redis.sock"}).empty());
  for (const int port : {-1, 0, 65'536, 91'935}) {
    CHECK(validate(redis::ConnectionConfig{.port = port}) ==
          "redis::ConnectionConfig.port must be in [1, 65535], got " + std::to_string(port));
  }
  CHECK(validate(redis::ConnectionConfig{.connect_timeout = 0ns}) ==
        "redis::ConnectionConfig.connect_timeout must be above 0, got 0s");
  CHECK(validate(redis::ConnectionConfig{.command_timeout = -5ns}) ==
        "redis::ConnectionConfig.command_timeout must be above 0, got -5ns");
  CHECK(validate(redis::ConnectionConfig{.on_connect = {{"SELECT", "2"}, {}}}) ==
        "redis::ConnectionConfig.on_connect must be commands of at least one word, got a command of none");
  CHECK_THROWS_AS(redis::Connection({.port = 0}), ConfigError);
}
