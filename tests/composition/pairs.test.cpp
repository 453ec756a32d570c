// Every policy in every policy, in both orders, through every way to run a pipeline, coroutines included:
// what each pair promises.
#include <fusebox/adaptive_limit.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/forced_unwinding.hpp"
#include "support/task.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;
using fusebox::test::FakeClock;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::exception_of;

namespace {

using Op = std::function<int(const Call&)>;

/// One of each policy, on one clock. A `make` of those below gives the part.
template <class C>
struct PoliciesOn {
  C clock;
  int& fallbacks;
  CircuitBreaker<C> breaker{"b", {.failure_threshold = 1000}, clock};
  Bulkhead<C> bulkhead{"k", {.max_concurrent = 1}, clock};
  AdaptiveLimit<Aimd, C> adaptive{"w", Aimd{.window = 1us, .min_samples = 1}, clock};
  RateLimiter<C> limiter{"q", {.permits = 1000, .per = 1s}, clock};
  Throttle<C> throttle{"v", {.minimum_calls = 65'535}, clock};  // rejects nothing here
  RetryBudget<C> budget{{}, clock};
  Chaos<C> chaos{{}, clock};

  PoliciesOn(C on, int& count) : clock{std::move(on)}, fallbacks{count} {}
};

/// For calls that block, and for coroutines.
struct Bench : PoliciesOn<FakeClock> {
  PoliciesOn<AsyncFakeClock> awaited{AsyncFakeClock{clock}, fallbacks};

  Bench() : PoliciesOn{FakeClock{}, count_} {}

  /// Of both breakers.
  [[nodiscard]] Counts settled() const {
    const Counts blocking = counts_of(breaker);
    const Counts own = counts_of(awaited.breaker);
    return {blocking.success + own.success, blocking.failure + own.failure, blocking.ignored + own.ignored};
  }
  /// Of both throttles.
  [[nodiscard]] std::uint64_t requests() const {
    return throttle.stats().total_requests + awaited.throttle.stats().total_requests;
  }
  /// Of both adaptive limits. A call that counts, and takes a microsecond, ends a window.
  [[nodiscard]] std::uint64_t windows() const {
    return adaptive.stats().windows + awaited.adaptive.stats().windows;
  }
  [[nodiscard]] std::uint64_t calls_in_adaptive() const {
    return adaptive.stats().admitted + awaited.adaptive.stats().admitted;
  }
  [[nodiscard]] bool is_idle() const {
    return is_idle(bulkhead) && is_idle(awaited.bulkhead) && is_idle(adaptive) && is_idle(awaited.adaptive);
  }

 private:
  template <class P>
  [[nodiscard]] static bool is_idle(const P& policy) {
    const auto stats = policy.stats();
    return stats.in_use == 0 && stats.waiting == 0;
  }

  int count_ = 0;
};

struct Passing {
  template <class F>
  auto execute(F&& op) {
    return op();
  }
};

struct AsBreaker {
  static constexpr const char* name = "breaker";
  static auto& make(auto& on) { return on.breaker; }
};
struct AsBulkhead {
  static constexpr const char* name = "bulkhead";
  static auto& make(auto& on) { return on.bulkhead; }
};
struct AsAdaptive {
  static constexpr const char* name = "adaptive limit";
  static auto& make(auto& on) { return on.adaptive; }
};
struct AsLimiter {
  static constexpr const char* name = "rate limiter";
  static auto& make(auto& on) { return on.limiter; }
};
struct AsThrottle {
  static constexpr const char* name = "throttle";
  static auto& make(auto& on) { return on.throttle; }
};

struct AsChaos {
  static constexpr const char* name = "chaos without rates";
  static auto& make(auto& on) {
    on.chaos.enable(true);
    return on.chaos;
  }
};
struct AsRetry {
  static constexpr const char* name = "retry";
  static auto make(auto& on) { return retry(RetryConfig{.max_retries = 2}, on.clock, on.budget); }
};
struct AsTotal {
  static constexpr const char* name = "total timeout";
  static auto make(auto& on) { return total_timeout(1h, on.clock); }
};
struct AsAttempt {
  static constexpr const char* name = "attempt timeout";
  static auto make(auto& on) { return attempt_timeout(1h, on.clock); }
};
struct AsFallback {
  static constexpr const char* name = "fallback when rejected";
  static auto make(auto& on) {
    return fallback_when_rejected([&count = on.fallbacks] { return ++count, -1; });
  }
};
struct AsLastGood {
  static constexpr const char* name = "last good value";
  static auto make(auto& on) { return fallback_to_last_good(1h, on.clock); }
};
struct AsOwn {
  static constexpr const char* name = "policy of the program";
  static auto make(auto& /*on*/) { return Passing{}; }
};

using All = std::tuple<AsBreaker, AsBulkhead, AsAdaptive, AsLimiter, AsThrottle, AsChaos, AsRetry, AsTotal,
                       AsAttempt, AsFallback, AsLastGood, AsOwn>;

/// What a test gives to a call beside op.
struct Given {
  std::stop_token token;
  Deadline deadline = Deadline::never();
};
using Way = std::function<int(const Op&, const Given&)>;
using Use = std::function<void(Bench&, const Way&)>;

/// Drives a call as the blocking driver would.
template <class P>
int by_hand(const P& pipeline, Bench& bench, const Op& op, const Given& given) {
  auto run = pipeline.template start<int>(given.token, given.deadline);
  for (;;) {
    const Step step = run.next();
    if (step.kind == Step::Kind::done) return run.result();
    if (step.kind == Step::Kind::wait) {
      run.waited(bench.clock.sleep_for(step.wait, run.wait_token()));
      continue;
    }
    try {
      run.report(op(run.call()));
    } catch (...) {
      const auto exception = std::current_exception();
      if (!exception) throw;
      run.report(exception);
    }
  }
}

/// Of an op that is suspended once.
template <class P>
int await(const P& pipeline, const Op& op, const Given& given) {
  support::Gate gate;
  const auto awaited = [&](const Call& call) -> support::Task<int> {
    co_await gate;
    co_return op(call);
  };
  auto task = pipeline.execute(awaited, given.token, given.deadline);
  task.start();
  if (gate.is_waiting()) gate.resume();
  REQUIRE(task.is_done());
  return task.result();
}

/// Calls use(bench, call) for every way to run the pipeline.
template <bool steps, class P>
void each_way(const P& pipeline, Bench& bench, const Use& use) {
  const auto use_way = [&](const char* name, const Way& way) {
    INFO(name);
    use(bench, way);
  };
  const AnyPipeline<int> any = pipeline;
  use_way("any",
          [&](const Op& op, const Given& given) { return any.execute(op, given.token, given.deadline); });
  use_way("try_execute", [&](const Op& op, const Given& given) {
    return any.try_execute(op, given.token, given.deadline).value();
  });
  if constexpr (steps)
    use_way("by hand", [&](const Op& op, const Given& given) { return by_hand(pipeline, bench, op, given); });
}

template <class Outer, class Inner, bool coroutines>
void with_pair(const Use& use) {
  Bench bench;
  const auto pipeline = compose(in_this_order(Outer::make(bench), Inner::make(bench)));
  constexpr bool steps = !std::is_same_v<Outer, AsOwn> && !std::is_same_v<Inner, AsOwn>;
  INFO(Outer::name << " > " << Inner::name);
  each_way<steps>(pipeline, bench, [&](Bench&, const Way& way) {
    use(bench, way);
    CHECK(bench.is_idle());
  });
  if constexpr (steps && coroutines) {
    INFO("coroutine");
    const auto awaited = compose(in_this_order(Outer::make(bench.awaited), Inner::make(bench.awaited)));
    use(bench, [&](const Op& op, const Given& given) { return await(awaited, op, given); });
    CHECK(bench.is_idle());
  }
}

/// Every pair of two different policies, each compiled once.
template <bool coroutines = true>
void with_each_pair(const Use& use) {
  const auto for_outer = [&]<class Outer, class... Inner>(const std::tuple<Inner...>*, const Outer*) {
    const auto for_inner = [&]<class One>(const One*) {
      if constexpr (!std::is_same_v<Outer, One>) with_pair<Outer, One, coroutines>(use);
    };
    (for_inner(static_cast<const Inner*>(nullptr)), ...);
  };
  [&]<class... Outer>(const std::tuple<Outer...>* all) {
    (for_outer(all, static_cast<const Outer*>(nullptr)), ...);
  }(static_cast<const All*>(nullptr));
}

}  // namespace

TEST_CASE("P16 explain() has a line of every policy", "[P16]") {
  Bench bench;
  const auto look = [&]<class One>(const One*) {
    CAPTURE(One::name);
    CHECK(explain(compose(One::make(bench))).starts_with("1. "));
  };
  [&]<class... One>(const std::tuple<One...>*) {
    (look(static_cast<const One*>(nullptr)), ...);
  }(static_cast<const All*>(nullptr));
}

TEST_CASE("P1 P2 a success passes every pair, and op sees its Call", "[P1][P2]") {
  with_each_pair([](Bench& bench, const Way& call) {
    const Counts before = bench.settled();
    const std::uint64_t windows = bench.windows() - bench.calls_in_adaptive();
    CHECK(call(
              [&](const Call& c) {
                bench.clock.advance(1us);
                return c.attempt() + 6;
              },
              {}) == 7);
    CHECK(bench.windows() - bench.calls_in_adaptive() == windows);
    const Counts after = bench.settled();
    CHECK(after.failure == before.failure);
    CHECK(after.ignored == before.ignored);
    CHECK(bench.fallbacks == 0);
  });
}

TEST_CASE("P4 op's exception passes every pair as the same object", "[P4]") {
  with_each_pair([](Bench& bench, const Way& call) {
    const auto down = std::make_exception_ptr(std::runtime_error{"down"});
    int calls = 0;
    const auto seen = exception_of([&] {
      call(
          [&](const Call&) -> int {
            ++calls;
            std::rethrow_exception(down);
          },
          {});
    });
    CHECK(seen == down);
    CHECK(calls == 1);
    CHECK(bench.fallbacks == 0);
    CHECK(bench.clock.sleeps().empty());
  });
}

TEST_CASE("P5 a rejection and a cancellation of op pass every pair, and no policy outside counts them",
          "[P5][W4]") {
  with_each_pair([](Bench& bench, const Way& call) {
    const Counts before = bench.settled();
    const std::uint64_t requests = bench.requests();
    const std::uint64_t windows = bench.windows();
    const auto cancelled = [&](const Call&) -> int {
      bench.clock.advance(1us);
      throw CancelledError{};
    };
    CHECK_THROWS_AS(call(cancelled, {}), CancelledError);
    CHECK(bench.windows() == windows);
    const Counts after = bench.settled();
    CHECK(after.success == before.success);
    CHECK(after.failure == before.failure);
    CHECK(bench.requests() == requests);
    CHECK(bench.fallbacks == 0);
    CHECK(bench.clock.sleeps().empty());
  });
  with_each_pair([](Bench& bench, const Way& call) {
    const int fallbacks = bench.fallbacks;
    const std::uint64_t requests = bench.requests();
    const std::uint64_t windows = bench.windows();
    const auto rejected = std::make_exception_ptr(BulkheadFullError{});
    int calls = 0;
    const auto seen = exception_of([&] {
      call(
          [&](const Call&) -> int {
            ++calls;
            bench.clock.advance(1us);
            std::rethrow_exception(rejected);
          },
          {});
    });
    CHECK((seen == rejected || bench.fallbacks == fallbacks + 1));
    CHECK(calls == 1);
    CHECK(bench.settled().failure == 0);
    if (bench.fallbacks != fallbacks) return;  // a value came out
    CHECK(bench.requests() == requests);
    CHECK(bench.windows() == windows);
  });
}

TEST_CASE("P8 with a token that is stopped already no policy of a pair counts a call", "[P8]") {
  with_each_pair([](Bench& bench, const Way& call) {
    std::stop_source source;
    source.request_stop();
    int calls = 0;
    CHECK_THROWS_AS(call([&](const Call&) { return ++calls; }, {source.get_token()}), CancelledError);
    CHECK(calls == 0);
    CHECK(bench.settled() == Counts{});
    CHECK(bench.breaker.stats().rejected_count + bench.awaited.breaker.stats().rejected_count == 0);
    CHECK(bench.bulkhead.stats().admitted + bench.awaited.bulkhead.stats().admitted == 0);
    CHECK(bench.calls_in_adaptive() == 0);
    CHECK(bench.limiter.stats().admitted + bench.awaited.limiter.stats().admitted == 0);
    CHECK(bench.requests() == 0);
    CHECK(bench.chaos.stats().calls + bench.awaited.chaos.stats().calls == 0);
    CHECK(bench.fallbacks == 0);
  });
}

TEST_CASE("P7 the Deadline and the token of the caller reach op through every pair", "[P7]") {
  with_each_pair([](Bench& bench, const Way& call) {
    std::stop_source source;
    CHECK(call(
              [&](const Call& c) {
                CHECK(c.deadline().remaining() == 10s);
                CHECK_FALSE(c.stop_requested());
                source.request_stop();
                CHECK(c.stop_requested());  // through a token of a timeout's own, too
                return 3;
              },
              {source.get_token(), Deadline::after(10s, bench.clock)}) == 3);
  });
}

TEST_CASE("P11 what failure_if throws passes every policy", "[P11]") {
  struct Broken {};
  const auto check = [](Bench& bench, const auto& pipeline) {
    CHECK_THROWS_AS(
        pipeline.execute([](const Call&) { return 1; }, failure_if([](int) -> bool { throw Broken{}; })),
        Broken);
    CHECK_THROWS_AS(static_cast<void>(pipeline.try_execute([](const Call&) { return 1; },
                                                           failure_if([](int) -> bool { throw Broken{}; }))),
                    Broken);
    CHECK(bench.is_idle());
  };
  Bench bench;
  check(bench, compose(AsLastGood::make(bench), bench.bulkhead, bench.limiter, AsTotal::make(bench),
                       AsRetry::make(bench), bench.breaker, AsAttempt::make(bench), Passing{}));
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 2});
}

TEST_CASE("P4 P5 a refusal of the inner policy is what the outer one sees", "[P4][P5]") {
  Bench bench;
  const auto held = bench.bulkhead.try_acquire();
  bench.breaker.force_open();
  RateLimiter<FakeClock> spent{"s", {.permits = 1, .per = 1h}, bench.clock};
  REQUIRE(spent.try_acquire());
  const auto check = [&](const auto& pipeline, const auto& code) {
    each_way<true>(pipeline, bench, [&](Bench&, const Way& call) {
      int calls = 0;
      const auto seen = exception_of([&] { call([&](const Call&) { return ++calls; }, {}); });
      REQUIRE(seen);
      CHECK(Failure::from_exception(seen).code() == code);
      CHECK(Failure::from_exception(seen).is_rejection());
      CHECK(calls == 0);
    });
  };
  Breaker outer{"o", {}, bench.clock};
  check(compose(outer, AsRetry::make(bench), bench.bulkhead), PolicyErrc::bulkhead_full);
  check(compose(outer, AsRetry::make(bench), spent), PolicyErrc::rate_limited);
  check(compose(outer, AsRetry::make(bench), AsAttempt::make(bench), bench.breaker),
        PolicyErrc::circuit_open);
  CHECK(counts_of(outer) == Counts{0, 0, 9});
  CHECK(bench.clock.sleeps().empty());
}

TEST_CASE("P6 a late value fails for a breaker outside, and succeeds for everything else", "[P6]") {
  Bench bench;
  Breaker outer{"o", {}, bench.clock};
  Breaker inner{"i", {}, bench.clock};
  int calls = 0;
  const auto call =
      compose(outer, AsLastGood::make(bench), AsRetry::make(bench), attempt_timeout(10s, bench.clock), inner);
  const auto late = [&] {
    ++calls;
    bench.clock.advance(11s);
    return 7;
  };
  CHECK(call.execute(late) == 7);
  CHECK(calls == 1);
  CHECK(counts_of(outer) == Counts{0, 1, 0});
  CHECK(counts_of(inner) == Counts{1, 0, 0});
  CHECK(call.execute([]() -> int { throw std::runtime_error{"down"}; }) == 7);  // it was a good value
}

TEST_CASE("P7 no wait begins that the deadline ends, in a retry, a limiter or a bulkhead", "[P7]") {
  Bench bench;
  RateLimiter<FakeClock> slow{"s", {.permits = 1, .per = 10s, .max_wait = 1h}, bench.clock};
  REQUIRE(slow.try_acquire());
  const auto within = [&](std::chrono::nanoseconds limit, auto& inner) {
    return compose(total_timeout(limit, bench.clock), inner);
  };
  CHECK_THROWS_AS(within(5s, slow).execute([] { return 1; }), RateLimitedError);
  CHECK(bench.clock.sleeps().empty());
  CHECK(within(15s, slow).execute([] { return 1; }) == 1);
  CHECK(bench.clock.sleeps() == std::vector<std::chrono::nanoseconds>{10s});

  Bulkhead<FakeClock> waiting{"w", {.max_concurrent = 1, .max_waiting = 1}, bench.clock};
  const auto held = waiting.try_acquire();
  const auto begin = bench.clock.now();
  CHECK_THROWS_AS(within(5s, waiting).execute([] { return 1; }), BulkheadFullError);
  CHECK(bench.clock.now() - begin <= 5s);
  CHECK_THROWS_AS(
      compose(total_timeout(3s, bench.clock), retry(RetryConfig{.jitter = Jitter::none}, bench.clock))
          .execute([]() -> int { throw std::system_error{NetworkErrc::connection_reset}; }),
      std::system_error);
  CHECK(bench.clock.now() - begin <= 8s);
}

TEST_CASE("P9 a wait that the token ends is a cancellation, for every policy outside", "[P9]") {
  Bench bench;
  Bulkhead<FakeClock> waiting{"w", {.max_concurrent = 1, .max_waiting = 1}, bench.clock};
  const auto held = waiting.try_acquire();
  RateLimiter<FakeClock> slow{"s", {.permits = 1, .per = 10s, .max_wait = 1h}, bench.clock};
  REQUIRE(slow.try_acquire());
  const auto check = [&](auto& inner) {
    Breaker outer{"o", {}, bench.clock};
    const auto call =
        compose(fallback([&] { return ++bench.fallbacks; }), outer, AsRetry::make(bench), inner);
    std::stop_source source;
    auto run = call.template start<int>(source.get_token());
    REQUIRE(run.next().kind == Step::Kind::wait);
    source.request_stop();
    CHECK(run.wait_token().stop_requested());
    run.waited(false);
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK_THROWS_AS(run.result(), CancelledError);
    CHECK(counts_of(outer) == Counts{0, 0, 1});
    CHECK(bench.fallbacks == 0);
    CHECK(waiting.stats().waiting == 0);
  };
  check(waiting);
  check(slow);
}

TEST_CASE("P11 a run that waits for a bulkhead or a limiter gives its place back when it is destroyed",
          "[P11]") {
  Bench bench;
  Bulkhead<FakeClock> waiting{"w", {.max_concurrent = 1, .max_waiting = 1}, bench.clock};
  auto held = waiting.try_acquire();
  Breaker outer{"o", {}, bench.clock};
  {
    const auto call = compose(outer, waiting);
    auto run = call.start<int>();
    REQUIRE(run.next().kind == Step::Kind::wait);
    CHECK(waiting.stats().waiting == 1);
  }
  CHECK(waiting.stats().waiting == 0);
  CHECK(counts_of(outer) == Counts{0, 0, 1});
  held.success();
  CHECK(waiting.stats().in_use == 0);
  // One that was granted its slot meanwhile gives that back.
  held = waiting.try_acquire();
  {
    const auto call = compose(outer, waiting);
    auto run = call.start<int>();
    REQUIRE(run.next().kind == Step::Kind::wait);
    held.success();
    CHECK(run.wait_token().stop_requested());
    CHECK(waiting.stats().in_use == 1);
  }
  CHECK(waiting.stats().in_use == 0);
}

#if HAS_FORCED_UNWINDING
TEST_CASE("P11 F4 a thread that ends in op leaves nothing behind in any pair", "[P11][F4]") {
  with_each_pair<false>([](Bench& bench, const Way& call) {
    static_cast<void>(bench);
    CHECK_FALSE(support::returns([&] {
      call(
          [](const Call&) -> int {
            support::end_by_exit();
            return 0;
          },
          {});
    }));
  });
}
#endif
