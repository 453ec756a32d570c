#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>
#include <system_error>
#include <type_traits>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::PartTuple;
using fusebox::test::FakeClock;
using support::Breaker;

TEST_CASE("P14 the clock of a call is that of its first part that has one", "[P14][T6]") {
  const FakeClock clock;
  Breaker breaker{"b", {}, clock};
  PartTuple<Breaker&> parts{breaker};
  using F = detail::Flow<detail::Takes::call, Breaker&>;
  clock.advance(3s);
  CHECK(F::clock(parts).now() == detail::ticks(clock.now()));
  CHECK(F::wall_now(parts) == clock.wall_now());
  PartTuple<> none;
  using Nothing = detail::Flow<detail::Takes::call>;
  CHECK_FALSE(static_cast<bool>(Nothing::clock(none)));
}

TEST_CASE("P6 a part is watched if a breaker is outside it", "[P6]") {
  using Retry = decltype(retry(FakeClock{}));
  using F = detail::Flow<detail::Takes::nothing, Retry, Breaker&, Retry>;
  STATIC_REQUIRE_FALSE(F::is_watched<0>());
  STATIC_REQUIRE_FALSE(F::is_watched<1>());
  STATIC_REQUIRE(F::is_watched<2>());
}

TEST_CASE("P2 a call without options and without asking ops shares one Call", "[P2]") {
  const detail::RootCall<false> plain{detail::ClockRef{}};
  CHECK(&plain.call() == &detail::plain_call);
  std::stop_source source;
  auto token = source.get_token();
  const detail::RootCall<true, std::stop_token> stoppable{detail::ClockRef{}, token};
  CHECK_FALSE(stoppable.is_stopped());
  source.request_stop();
  CHECK(stoppable.is_stopped());
  CHECK(stoppable.call().idempotency_key().size() == 36);
}

TEST_CASE("P12 how a call comes out of its slot", "[P12][P4]") {
  using Expected = support::Expected<int, std::error_code>;
  detail::SlotBase failure;
  detail::Slot<Expected, Expected> slot{failure};
  slot.make([] { return Expected{support::Unexpected{make_error_code(std::errc::io_error)}}; });
  failure.fail_by_code(make_error_code(std::errc::io_error));
  CHECK(detail::finish(detail::Verdict::failure, slot).error() == std::errc::io_error);
  failure.fail_own(Failure{TimeoutError{}});
  CHECK(detail::finish(detail::Verdict::failure, slot).error() == PolicyErrc::timed_out);
  slot.drop_value();
  failure.fail(Failure{make_error_code(std::errc::io_error)});
  CHECK_THROWS_AS(detail::finish(detail::Verdict::failure, slot), std::exception);
  slot.make([] { return Expected{4}; });
  CHECK(detail::finish(detail::Verdict::late, slot).value() == 4);
}
