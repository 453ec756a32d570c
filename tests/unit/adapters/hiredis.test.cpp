#include <fusebox/adapters/hiredis.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <stop_token>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

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

TEST_CASE("H57 a command without a word is refused", "[H57]") {
  redis::Connection connection{{.host = "no.such.host.invalid"}};
  const auto refused = connection.command({}).failure();
  REQUIRE(refused);
  CHECK(refused->status() == 400);
  CHECK(default_outcome(*refused) == Outcome::success);  // opens no breaker (H59)
  CHECK(connection.context() == nullptr);
  CHECK(redis::command(nullptr, {}).failure()->status() == 400);
}
