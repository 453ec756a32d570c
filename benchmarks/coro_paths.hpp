// coro_paths.hpp: what a call costs in a coroutine, beside awaiting op itself and beside the least coroutine
// that could stand around it. Each path starts its coroutine and takes the value: op never suspends.
#pragma once

#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <tuple>

#include "paths.hpp"
#include "support/task.hpp"

namespace bench {

using fusebox::test::AsyncFakeClock;
using support::Task;
using namespace std::chrono_literals;

[[gnu::noinline]] inline Task<int> task_of_op() { co_return op(); }
inline constexpr auto async_op = [] { return task_of_op(); };

template <class T>
BENCH_INLINE T finished(Task<T> task) {
  task.start();
  return task.result();
}

struct CoroBare {
  static constexpr auto name = "coro/bare";
  BENCH_INLINE void operator()() { keep(finished(async_op())); }
};

struct CoroWrapper {
  static constexpr auto name = "coro/least_wrapper";
  template <class Op>
  [[gnu::noinline]] static Task<int> wrap(Op op) {
    co_return co_await op();
  }
  BENCH_INLINE void operator()() { keep(finished(wrap(async_op))); }
};

struct CoroExecute : Guarded {
  static constexpr auto name = "coro/execute";
  BENCH_INLINE void operator()() { keep(finished(breaker.execute(async_op))); }
};

struct CoroOpen : Opened {
  static constexpr auto name = "coro/open_with_fallback";
  BENCH_INLINE void operator()() {
    keep(finished(breaker.execute(async_op, [] { return op(); })));
  }
};

struct CoroRetry {
  static constexpr auto name = "coro/retry";
  AsyncFakeClock clock;
  BENCH_INLINE void operator()() {
    keep(*finished(fusebox::retry_with_backoff(async_op, fusebox::RetryConfig{}, clock)));
  }
};

inline auto five_parts(const AsyncFakeClock& clock, fusebox::CircuitBreaker<AsyncFakeClock>& breaker) {
  return fusebox::compose(fusebox::fallback([] { return op(); }), fusebox::total_timeout(10s, clock),
                          fusebox::retry(fusebox::RetryConfig{}, clock), breaker,
                          fusebox::attempt_timeout(1s, clock));
}

struct CoroFive {
  static constexpr auto name = "coro/five_parts";
  AsyncFakeClock clock;
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{"payments", {}, clock};
  decltype(five_parts(clock, breaker)) pipeline = five_parts(clock, breaker);
  BENCH_INLINE void operator()() { keep(finished(pipeline.execute(async_op))); }
};

using CoroPaths = std::tuple<CoroBare, CoroWrapper, CoroExecute, CoroOpen, CoroRetry, CoroFive>;

}  // namespace bench
