#include <fusebox/adapters/hiredis.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <stop_token>

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

TEST_CASE("H58 nothing is sent after the deadline or a stop", "[H58]") {
  test::FakeClock clock;
  redis::Connection connection{{.host = "no.such.host.invalid"}};
  const Deadline deadline = Deadline::after(1s, clock);
  clock.advance(1s);
  const auto late = connection.command({"PING"}, deadline).failure();
  REQUIRE(late);
  CHECK(late->code() == PolicyErrc::timed_out);
  std::stop_source source;
  source.request_stop();
  const auto stopped = connection.command({"PING"}, {}, source.get_token()).failure();
  REQUIRE(stopped);
  CHECK(stopped->code() == PolicyErrc::cancelled);
  CHECK(connection.context() == nullptr);
}
