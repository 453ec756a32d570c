#include <fusebox/retry/detail/plan.hpp>

#include <fusebox/coro.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <chrono>
#include <stop_token>
#include <utility>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
namespace detail = fusebox::detail;
using fusebox::test::AsyncFakeClock;
using support::Task;

namespace {

Task<int> give() { co_return 1; }
constexpr fusebox::RetryConfig once{.max_retries = 1, .base_delay = 1s, .jitter = fusebox::Jitter::none};

template <bool throws, class... Options>
using Plan = detail::RetryPlan<Task<int>, detail::Takes::nothing, throws, Task<int> (*)(), Options...>;

}  // namespace

TEST_CASE("A5 a plan of a retry waits between its attempts, by the clock in its frame", "[A5]") {
  const AsyncFakeClock clock;
  Plan<true, AsyncFakeClock> plan{once, &give, clock};
  typename decltype(plan)::State state{plan};
  REQUIRE(state.flow.next() == detail::Todo::call);
  state.slot.base().fail(fusebox::Failure{support::unavailable()});
  state.flow.report(detail::Verdict::failure);
  REQUIRE(state.flow.next() == detail::Todo::wait);
  CHECK(state.flow.wait_time() == 1s);
  CHECK_FALSE(state.flow.waits_in_queue());
  CHECK(state.flow.wait_clock<AsyncFakeClock>().now() == clock.now());
  state.flow.waited(true);
  REQUIRE(state.flow.next() == detail::Todo::call);
  state.slot.make([] { return 5; });
  state.flow.report(detail::Verdict::success);
  REQUIRE(state.flow.next() == detail::Todo::done);
  const auto result = state.finish();
  CHECK(*result == 5);
  CHECK(result.stats.attempts == 2);
}

TEST_CASE("A7 a plan whose token is stopped makes no attempt", "[A7]") {
  std::stop_source stop;
  stop.request_stop();
  const AsyncFakeClock clock;
  Plan<false, AsyncFakeClock, std::stop_token> plan{once, &give, clock, stop.get_token()};
  typename decltype(plan)::State state{plan};
  REQUIRE(state.flow.next() == detail::Todo::done);
  const auto result = state.finish();
  CHECK(result.stats.attempts == 0);
  CHECK(result.error().is_cancellation());
}

TEST_CASE("A5 a RetryResult that no retry made has neither value nor attempts", "[A5]") {
  const fusebox::RetryResult<int> none;
  CHECK_FALSE(none.has_value());
  CHECK(none.stats.attempts == 0);
}
