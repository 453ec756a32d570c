#include <fusebox/call.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
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

TEST_CASE("P17 the priority of a call reaches op, and is normal unless the caller says so", "[P17]") {
  const FakeClock clock;
  Breaker breaker{"b", {}, clock};
  const auto priority = [](const Call& call) { return call.priority(); };
  const auto pipeline = compose(retry(RetryConfig{}, clock), breaker);
  CHECK(pipeline.execute(priority) == Priority::normal);
  CHECK(pipeline.execute(priority, Priority::background) == Priority::background);
  CHECK(pipeline.try_execute(priority, Priority::critical).value() == Priority::critical);
  CHECK(breaker.execute(priority, Priority::sheddable) == Priority::sheddable);
  const AnyPipeline<Priority> any = pipeline;
  CHECK(any.execute(priority) == Priority::normal);
  CHECK(any.execute(priority, Priority::critical) == Priority::critical);
  CHECK(any.try_execute(priority, Priority::critical).value() == Priority::critical);
  auto run = pipeline.start<int>(Priority::background);
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().priority() == Priority::background);
}

TEST_CASE("P17 a Call that is passed on keeps its priority, unless the inner call says another", "[P17]") {
  const auto priority = [](const Call& call) { return call.priority(); };
  const auto inner = compose();
  compose().execute(
      [&](const Call& call) {
        CHECK(inner.execute(priority, call) == Priority::sheddable);
        CHECK(inner.execute(priority, call, Priority::critical) == Priority::critical);
        CHECK(inner.execute(priority) == Priority::normal);
      },
      Priority::sheddable);
}
