#include <fusebox/detail/flow/observed.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/fusebox.hpp>

#include <type_traits>

#include "catch.hpp"

using namespace fusebox;

// Which policies have on_call() by a frame around theirs. tests/unit/call/event.test.cpp holds what it tells.

static_assert(detail::Observable<Bulkhead<>> && detail::Observable<RateLimiter<>>);
static_assert(detail::Observable<Timeout<>> && detail::Observable<RetryPolicy<>>);
static_assert(!detail::Observable<CircuitBreaker<>>);  // has its own, which knows probes

namespace {

using Context = detail::FlowContext<detail::Takes::nothing, false>;
template <class P>
using FrameOf = typename detail::FrameFor<P, Context>::type;

}  // namespace

TEST_CASE("M5 a frame that waits still waits when it is observed, and one that abandons still does", "[M5]") {
  STATIC_REQUIRE(detail::Waits<FrameOf<Bulkhead<>>>);
  STATIC_REQUIRE(detail::Waits<FrameOf<RateLimiter<>>>);
  STATIC_REQUIRE(detail::Waits<FrameOf<RetryPolicy<>>>);
  STATIC_REQUIRE_FALSE(detail::Waits<FrameOf<Timeout<>>>);
  STATIC_REQUIRE(detail::Abandons<FrameOf<CircuitBreaker<>>>);
  STATIC_REQUIRE_FALSE(detail::Abandons<FrameOf<Bulkhead<>>>);
}

TEST_CASE("M5 the outcome of a verdict", "[M5]") {
  using detail::Verdict;
  CHECK(detail::outcome_of(Verdict::success) == Outcome::success);
  CHECK(detail::outcome_of(Verdict::late) == Outcome::failure);
  CHECK(detail::outcome_of(Verdict::failure) == Outcome::failure);
  CHECK(detail::outcome_of(Verdict::rejected) == Outcome::ignored);
  CHECK(detail::outcome_of(Verdict::cancelled) == Outcome::ignored);
  CHECK(detail::outcome_of(Verdict::config_error) == Outcome::ignored);
}
