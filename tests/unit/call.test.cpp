#include <fusebox/call.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>
#include <string>
#include <type_traits>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Breaker;

TEST_CASE("P2 a Call of nobody: never ends, cannot be stopped, is the first attempt", "[P2]") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<Call>);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<Call>);
  compose().execute([](const Call& call) {
    CHECK(call.deadline().is_never());
    CHECK_FALSE(call.stop_token().stop_possible());
    CHECK_FALSE(call.stop_requested());
    CHECK(call.attempt() == 1);
    CHECK(call.idempotency_key().size() == 36);
    CHECK(&call.idempotency_key() == &call.idempotency_key());
  });
}

TEST_CASE("P2 a Call says what its caller gave, while it runs", "[P2][T6]") {
  const FakeClock clock;
  Breaker breaker{"b", {}, clock};
  std::stop_source source;
  compose(breaker).execute(
      [&](const Call& call) {
        CHECK(call.deadline().remaining() == 5s);
        clock.advance(2s);
        CHECK(call.deadline().remaining() == 3s);  // by the pipeline's clock
        CHECK(call.stop_token() == source.get_token());
        CHECK_FALSE(call.stop_requested());
        source.request_stop();
        CHECK(call.stop_requested());
        const Call copy = call;
        CHECK(copy.stop_requested());
        CHECK(copy.idempotency_key() == call.idempotency_key());
      },
      source.get_token(), Deadline::after(5s, clock));
}

TEST_CASE("P2 each call has a key of its own", "[P2]") {
  const auto key = [](const Call& call) { return std::string{call.idempotency_key()}; };
  const auto call = compose();
  CHECK(call.execute(key) != call.execute(key));
}
