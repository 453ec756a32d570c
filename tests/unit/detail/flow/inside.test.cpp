#include <fusebox/circuit_breaker.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/timeout.hpp>

#include <memory>
#include <tuple>
#include <type_traits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("J7 a copy has the policies inside as the pipeline holds them", "[J7]") {
  CircuitBreaker<> breaker{"x"};
  const auto shared = std::make_shared<CircuitBreaker<>>("y");
  using Parts = std::tuple<CircuitBreaker<>&, CircuitBreaker<>&, std::shared_ptr<CircuitBreaker<>>>;
  Parts parts{breaker, breaker, shared};
  using Inside = detail::Inside<true, 1, Parts>;
  const auto inside = Inside::of(parts);
  STATIC_REQUIRE(std::is_same_v<decltype(inside), const std::tuple<detail::Outside<true>, CircuitBreaker<>&,
                                                                   std::shared_ptr<CircuitBreaker<>>>>);
  CHECK(&std::get<1>(inside) == &breaker);
  CHECK(shared.use_count() == 3);
  STATIC_REQUIRE(std::tuple_size_v<detail::Inside<false, 3, Parts>::type> == 1);
}

TEST_CASE("P6 the policies outside tell those inside whether a late value matters", "[P6]") {
  STATIC_REQUIRE(detail::watches_late<detail::Outside<true>>);
  STATIC_REQUIRE_FALSE(detail::watches_late<detail::Outside<false>>);
  using Parts = std::tuple<CircuitBreaker<>&>;
  using WithBreaker = detail::FlowOfTuple<detail::Takes::nothing, detail::Inside<true, 0, Parts>::type>::type;
  using Without = detail::FlowOfTuple<detail::Takes::nothing, detail::Inside<false, 0, Parts>::type>::type;
  STATIC_REQUIRE(WithBreaker::is_watched<1>());
  STATIC_REQUIRE_FALSE(Without::is_watched<1>());
}

TEST_CASE("J7 a pipeline shares what it owns inside a hedge, and nothing else", "[J7][P1]") {
  const auto parts_of = [](const auto& pipeline) { return detail::PipelineParts::of(pipeline); };
  auto pipeline = compose(total_timeout(1s), hedge(), retry(), attempt_timeout(1s));
  using Parts = decltype(parts_of(pipeline));
  STATIC_REQUIRE(std::is_same_v<std::tuple_element_t<0, Parts>, Timeout<>>);
  STATIC_REQUIRE(std::is_same_v<std::tuple_element_t<2, Parts>, std::shared_ptr<RetryPolicy<>>>);
  STATIC_REQUIRE(std::is_same_v<std::tuple_element_t<3, Parts>,
                                std::shared_ptr<Timeout<SystemClock, TimeoutKind::attempt>>>);
  CHECK(pipeline.execute([] { return 1; }) == 1);
}
