// A hedge outside and inside each other policy, on threads and as coroutines: what each pair promises.
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <utility>

#include "catch.hpp"
#include "support/task.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;
using fusebox::test::FakeClock;
using support::exception_of;

namespace {

using Op = std::function<int(const Call&)>;

template <class C>
struct Policies {
  C clock;
  CircuitBreaker<C> breaker{"b", {.failure_threshold = 1000}, clock};
  Bulkhead<C> bulkhead{"k", {.max_concurrent = 4}, clock};
  RateLimiter<C> limiter{"q", {.permits = 1000, .per = 1s}, clock};
};

struct Passing {
  template <class F>
  auto execute(F&& op) const {
    return op();
  }
};

/// Calls use(call) for a pipeline, where call(op, token) runs it.
template <class C, class Use>
void with_each_pair(C clock, Use use) {
  Policies<C> on{clock};
  const auto pair = [&](const char* name, auto make) {
    INFO(name);
    {
      INFO("inside a hedge");
      use(compose(hedge({.delay = no_timeout, .max_hedges = 0}, clock), make()));
    }
    {
      INFO("around a hedge");
      use(compose(make(), hedge({.delay = no_timeout, .max_hedges = 0}, clock)));
    }
    CHECK(on.bulkhead.stats().in_use == 0);
  };
  pair("breaker", [&]() -> auto& { return on.breaker; });
  pair("bulkhead", [&]() -> auto& { return on.bulkhead; });
  pair("rate limiter", [&]() -> auto& { return on.limiter; });
  pair("retry", [&] { return retry(RetryConfig{.max_retries = 2}, clock); });
  pair("total timeout", [&] { return total_timeout(1h, clock); });
  pair("attempt timeout", [&] { return attempt_timeout(1h, clock); });
  pair("fallback", [] { return fallback_when_rejected([] { return -1; }); });
  pair("last good value", [&] { return fallback_to_last_good(1h, clock); });
  pair("hedge", [&] { return hedge({.delay = no_timeout, .max_hedges = 0}, clock); });
}

/// On threads, then as coroutines that are suspended once.
template <class Use>
void each_way(Use use) {
  {
    INFO("threads");
    with_each_pair(FakeClock{}, [&](const auto& pipeline) {
      use([&](const Op& op, const std::stop_token& token) { return pipeline.execute(op, token); });
    });
    Policies<FakeClock> on{FakeClock{}};
    INFO("policy of the program");
    const auto own = compose(Passing{}, hedge({.delay = no_timeout, .max_hedges = 0}, on.clock), Passing{});
    use([&](const Op& op, const std::stop_token& token) { return own.execute(op, token); });
  }
  INFO("coroutine");
  with_each_pair(AsyncFakeClock{}, [&](const auto& pipeline) {
    use([&](const Op& op, const std::stop_token& token) {
      auto& gate = *new support::Gate;  // a loser may use it after the call
      const std::unique_ptr<support::Gate> owned{&gate};
      const auto awaited = [&gate, op](const Call& call) -> support::Task<int> {
        co_await gate;
        co_return op(call);
      };
      auto task = pipeline.execute(awaited, token);
      task.start();
      if (gate.is_waiting()) gate.resume();
      REQUIRE(task.is_done());
      return task.result();
    });
  });
}

}  // namespace

TEST_CASE("J9 a success passes a hedge and every other policy", "[J9][P1][P2]") {
  each_way([](const auto& call) { CHECK(call([](const Call& c) { return c.attempt() + 6; }, {}) == 7); });
}

TEST_CASE("J9 op's exception passes a hedge and every other policy as the same object", "[J9][P4]") {
  each_way([](const auto& call) {
    const auto down = std::make_exception_ptr(std::runtime_error{"down"});
    const auto seen =
        exception_of([&] { call([&](const Call&) -> int { std::rethrow_exception(down); }, {}); });
    CHECK(seen == down);
  });
}

TEST_CASE("J9 a cancellation of op passes a hedge and every other policy", "[J9][P5]") {
  each_way([](const auto& call) {
    CHECK_THROWS_AS(call([](const Call&) -> int { throw CancelledError{}; }, {}), CancelledError);
  });
}

TEST_CASE("J9 with a token that is stopped already no copy runs", "[J9][P8]") {
  each_way([](const auto& call) {
    std::stop_source source;
    source.request_stop();
    int calls = 0;
    CHECK_THROWS_AS(call([&](const Call&) { return ++calls; }, source.get_token()), CancelledError);
    CHECK(calls == 0);
  });
}
