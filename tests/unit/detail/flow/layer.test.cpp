#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <memory>
#include <string>
#include <type_traits>

#include "catch.hpp"

using namespace fusebox;
using fusebox::test::FakeClock;
using namespace std::chrono_literals;
using detail::LayerKind;
using Breaker = CircuitBreaker<FakeClock>;

TEST_CASE("P1 a part is itself, a reference or a handle", "[P1]") {
  STATIC_REQUIRE(std::is_same_v<detail::PolicyOf<Breaker&>, Breaker>);
  STATIC_REQUIRE(std::is_same_v<detail::PolicyOf<const std::shared_ptr<Breaker>&>, Breaker>);
  STATIC_REQUIRE(detail::HasLayer<Breaker>);
  STATIC_REQUIRE_FALSE(detail::HasLayer<std::string>);
  const auto handle = std::make_shared<int>(5);
  CHECK(&detail::HeldPart<std::shared_ptr<int>>::get(handle) == handle.get());
}

TEST_CASE("P16 what orders are mistakes between", "[P16]") {
  STATIC_REQUIRE(detail::kind_of<Breaker&> == LayerKind::other);
  STATIC_REQUIRE(detail::kind_of<decltype(retry())> == LayerKind::retry);
  STATIC_REQUIRE(detail::kind_of<decltype(fallback([] { return 1; }))> == LayerKind::fallback);
  STATIC_REQUIRE(detail::kind_of<decltype(fallback_to_last_good(1s))> == LayerKind::fallback);
  STATIC_REQUIRE(detail::kind_of<decltype(total_timeout(1s))> == LayerKind::total_timeout);
  STATIC_REQUIRE(detail::kind_of<decltype(attempt_timeout(1s))> == LayerKind::attempt_timeout);
  STATIC_REQUIRE(detail::kind_of<std::string> == LayerKind::other);
}

TEST_CASE("P6 a breaker tells a late success from another, a retry does not", "[P6]") {
  STATIC_REQUIRE(detail::watches_late<Breaker&>);
  STATIC_REQUIRE(detail::watches_late<std::shared_ptr<Breaker>>);
  STATIC_REQUIRE_FALSE(detail::watches_late<decltype(retry())>);
  STATIC_REQUIRE_FALSE(detail::watches_late<std::string>);
}

TEST_CASE("P2 a retry gives its Calls a number and a key", "[P2]") {
  STATIC_REQUIRE(detail::sets_attempt<decltype(retry())>);
  STATIC_REQUIRE_FALSE(detail::sets_attempt<Breaker&>);
}

TEST_CASE("P13 a fallback changes the type of the result", "[P13]") {
  const auto policy = fallback([] { return 2.5; });
  using L = detail::Layer<std::remove_cvref_t<decltype(policy)>>;
  STATIC_REQUIRE(std::is_same_v<detail::ResultThrough<L, int>::type, double>);
  STATIC_REQUIRE(std::is_same_v<detail::ResultThrough<detail::Layer<Breaker>, int>::type, int>);
}
