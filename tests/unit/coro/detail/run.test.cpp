#include <fusebox/coro/detail/run.hpp>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <stop_token>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;
using support::allocations_of;
using support::run;
using support::Task;

namespace {

Task<int> give() { co_return 1; }

/// Not inlined, so that no compiler sees through the coroutine and saves its frame.
template <class Make>
[[gnu::noinline]] std::size_t allocations_to_run(Make make) {
  return allocations_of([&] { static_cast<void>(run(make())); });
}

}  // namespace

TEST_CASE("A10 a call allocates one frame beside op's own, whatever the number of policies", "[A10]") {
  const AsyncFakeClock clock;
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{"b", {}, clock};
  const auto pipeline = compose(fusebox::retry({}, clock), breaker);
  const auto longer = compose(fusebox::total_timeout(9s, clock), fusebox::retry({}, clock), breaker,
                              fusebox::attempt_timeout(1s, clock));
  const auto op = [] { return give(); };
  CHECK(allocations_to_run(op) == 1);
  CHECK(allocations_to_run([&] { return breaker.execute(op); }) == 2);
  CHECK(allocations_to_run([&] { return fusebox::retry_with_backoff(op, clock); }) == 2);
  CHECK(allocations_to_run([&] { return pipeline.execute(op); }) == 2);
  CHECK(allocations_to_run([&] { return longer.execute(op); }) == 2);
  CHECK(allocations_to_run([&] { return breaker.execute(op, [] { return 2; }); }) == 2);
  breaker.force_open();
  CHECK(allocations_to_run([&] { return breaker.execute(op, [] { return 2; }); }) == 1);
}

TEST_CASE("A10 a call under way takes at most 2 KiB beside op's own frame", "[A10]") {
  const AsyncFakeClock clock;
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{"b", {}, clock};
  using Pipeline = decltype(compose(fusebox::total_timeout(9s, clock), fusebox::retry({}, clock), breaker,
                                    fusebox::attempt_timeout(1s, clock)));
  const Pipeline pipeline = compose(fusebox::total_timeout(9s, clock), fusebox::retry({}, clock), breaker,
                                    fusebox::attempt_timeout(1s, clock));
  const auto op = [] { return give(); };
  const std::size_t before = support::allocated_bytes;
  const auto task = pipeline.execute(op);
  CHECK(support::allocated_bytes - before <= 2'048);
}

TEST_CASE("A3 what op gets is made once, and lies beside what it returns", "[A3]") {
  namespace detail = fusebox::detail;
  const fusebox::Call& call = detail::plain_call;
  detail::OpArgument<detail::Takes::call> by_call{call};
  detail::OpArgument<detail::Takes::deadline> by_deadline{call};
  detail::OpArgument<detail::Takes::token> by_token{call};
  const auto address_of_call = [](const fusebox::Call& given) { return &given; };
  const auto address_of_deadline = [](const fusebox::Deadline& given) { return &given; };
  const auto address_of_token = [](const std::stop_token& given) { return &given; };
  CHECK(by_call.give_to(address_of_call) == &call);
  CHECK(by_deadline.give_to(address_of_deadline) == &by_deadline.value);
  CHECK(by_token.give_to(address_of_token) == &by_token.value);
}
