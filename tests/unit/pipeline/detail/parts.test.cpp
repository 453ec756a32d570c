#include <fusebox/circuit_breaker.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/pipeline/detail/parts.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using fusebox::test::FakeClock;
using support::Breaker;

namespace {
template <class P>
using HeldAs = typename detail::Holding<P>::type;
using Retry = decltype(retry(FakeClock{}));
}  // namespace

TEST_CASE("P1 how a part is held", "[P1]") {
  STATIC_REQUIRE(std::is_same_v<HeldAs<Breaker&>, Breaker&>);
  STATIC_REQUIRE(std::is_same_v<HeldAs<Retry>, Retry>);
  STATIC_REQUIRE(std::is_same_v<HeldAs<Retry&>, Retry&>);
  STATIC_REQUIRE(std::is_same_v<HeldAs<const Retry&>, Retry>);
  STATIC_REQUIRE(std::is_same_v<HeldAs<std::shared_ptr<Breaker>&>, std::shared_ptr<Breaker>>);
  STATIC_REQUIRE(std::is_same_v<HeldAs<std::shared_ptr<Breaker>>, std::shared_ptr<Breaker>>);
}

TEST_CASE("P1 a pipeline and an order are their parts", "[P1][P16]") {
  const FakeClock clock;
  Breaker breaker{"b", {}, clock};
  auto inner = compose(breaker, retry(clock));
  STATIC_REQUIRE(std::is_same_v<decltype(detail::flatten(inner)), std::tuple<Breaker&, Retry&>>);
  STATIC_REQUIRE(std::is_same_v<decltype(detail::flatten(std::move(inner))), std::tuple<Breaker&, Retry>>);
  STATIC_REQUIRE(
      std::is_same_v<decltype(detail::flatten(std::as_const(inner))), std::tuple<Breaker&, Retry&>>);
  auto order = in_this_order(breaker, retry(clock));
  STATIC_REQUIRE(std::is_same_v<decltype(detail::flatten(order)), std::tuple<Breaker&, Retry&>>);
  STATIC_REQUIRE(std::is_same_v<decltype(detail::flatten(std::move(order))), std::tuple<Breaker&, Retry>>);
  auto shared = std::make_shared<decltype(inner)>(inner);
  auto parts = detail::flatten(shared);
  STATIC_REQUIRE(
      std::is_same_v<decltype(parts), std::tuple<std::shared_ptr<Breaker>, std::shared_ptr<Retry>>>);
  CHECK(std::get<0>(parts).get() == &breaker);
  CHECK(shared.use_count() == 3);
}

TEST_CASE("P1 only what is inside a hedge is shared with its copies", "[P1]") {
  using Copies = decltype(hedge(HedgeConfig{}));
  STATIC_REQUIRE(detail::is_parallel<Copies>);
  STATIC_REQUIRE_FALSE(detail::is_inside_parallel<0, Retry, Copies, Breaker>());
  STATIC_REQUIRE_FALSE(detail::is_inside_parallel<1, Retry, Copies, Breaker>());
  STATIC_REQUIRE(detail::is_inside_parallel<2, Retry, Copies, Breaker>());
}

TEST_CASE("P14 P16 what compose() checks", "[P14][P16]") {
  STATIC_REQUIRE(detail::is_one_clock<void, Breaker&, Retry>);
  STATIC_REQUIRE_FALSE(detail::is_one_clock<void, Breaker&, decltype(retry())>);
  STATIC_REQUIRE(detail::is_policy_at_place<Breaker, 1>);
  STATIC_REQUIRE_FALSE(detail::is_policy_at_place<int, 2>);
}
