// What calls through pipelines cost, beside the same policies nested by hand (P15), and each further policy.
#pragma once

#include <fusebox/adaptive_limit.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <stop_token>
#include <thread>

#include "paths.hpp"

namespace bench {

using namespace std::chrono_literals;

inline auto zero = [] { return 0; };

struct PipelineBreaker : Guarded {
  static constexpr auto name = "pipeline/breaker";
  decltype(fusebox::compose(breaker)) pipeline = fusebox::compose(breaker);
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};

struct PipelineRetryBreaker : Guarded {
  static constexpr auto name = "pipeline/retry_breaker";
  decltype(fusebox::compose(fusebox::retry(), breaker)) pipeline =
      fusebox::compose(fusebox::retry(), breaker);
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};

struct NestedRetryBreaker : Guarded {
  static constexpr auto name = "nested/retry_breaker";
  decltype(fusebox::retry()) retry = fusebox::retry();
  BENCH_INLINE void operator()() {
    keep(retry.execute([this] { return breaker.execute([] { return op(); }); }));
  }
};

struct AnyRetryBreaker : Guarded {
  static constexpr auto name = "pipeline/any_of_retry_breaker";
  fusebox::AnyPipeline<int> pipeline = fusebox::compose(fusebox::retry(), breaker);
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};

/// The five parts of a usual client.
struct Five : Guarded {
  decltype(fusebox::total_timeout(30s)) total = fusebox::total_timeout(30s);
  decltype(fusebox::retry()) retry = fusebox::retry();
  decltype(fusebox::attempt_timeout(10s)) attempt = fusebox::attempt_timeout(10s);
};
struct PipelineFive : Five {
  static constexpr auto name = "pipeline/five_parts";
  decltype(fusebox::compose(fusebox::fallback(zero), total, retry, breaker, attempt)) pipeline =
      fusebox::compose(fusebox::fallback(zero), total, retry, breaker, attempt);
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};
struct NestedFive : Five {
  static constexpr auto name = "nested/five_parts";
  decltype(fusebox::compose(fusebox::fallback(zero))) fallback = fusebox::compose(fusebox::fallback(zero));
  BENCH_INLINE void operator()() {
    keep(fallback.execute([this] {
      return total.execute([this] {
        return retry.execute([this] {
          return breaker.execute([this] { return attempt.execute([] { return op(); }); }, {.timeout = 10s});
        });
      });
    }));
  }
};

struct PipelineOpen : Opened {
  static constexpr auto name = "pipeline/open_behind_retry_with_fallback";
  decltype(fusebox::compose(fusebox::fallback(zero), fusebox::retry(), breaker)) pipeline =
      fusebox::compose(fusebox::fallback(zero), fusebox::retry(), breaker);
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};

struct BulkheadRoom {
  static constexpr auto name = "bulkhead/with_room";
  fusebox::Bulkhead<> bulkhead{"bench"};
  BENCH_INLINE void operator()() {
    keep(bulkhead.execute([] { return op(); }));
  }
};
struct AdaptiveRoom {
  static constexpr auto name = "adaptive_limit/with_room";
  fusebox::AdaptiveLimit<> limit{"bench"};
  BENCH_INLINE void operator()() {
    keep(limit.execute([] { return op(); }));
  }
};
struct BulkheadFull {
  static constexpr auto name = "bulkhead/full_with_fallback";
  fusebox::Bulkhead<> bulkhead{"bench", {.max_concurrent = 1}};
  fusebox::Permit permit = bulkhead.try_acquire();
  decltype(fusebox::compose(fusebox::fallback(zero), bulkhead)) pipeline =
      fusebox::compose(fusebox::fallback(zero), bulkhead);
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};

struct LimiterRoom {
  static constexpr auto name = "rate_limiter/with_room";
  fusebox::RateLimiter<> limiter{"bench", {.permits = 10'000'000, .per = 1s, .burst = 2'000'000'000}};
  BENCH_INLINE void operator()() {
    keep(limiter.execute([] { return op(); }));
  }
};
struct LimiterTry {
  static constexpr auto name = "rate_limiter/try_acquire";
  fusebox::RateLimiter<> limiter{"bench", {.permits = 10'000'000, .per = 1s, .burst = 2'000'000'000}};
  BENCH_INLINE void operator()() { keep(limiter.try_acquire()); }
};

/// A window in which no step begins while a benchmark runs.
struct ThrottleFree {
  static constexpr auto name = "throttle/accepting";
  fusebox::Throttle<> throttle{"bench", {.window = 100h}};
  BENCH_INLINE void operator()() {
    keep(throttle.execute([] { return op(); }));
  }
};
/// All calls but one in so many are rejected.
struct ThrottleRejects {
  static constexpr auto name = "throttle/rejecting_with_fallback";
  fusebox::Throttle<> throttle{"bench", {.k = 1, .window = 100h, .max_rejection = 1, .seed = 1}};
  decltype(fusebox::compose(fusebox::fallback(zero), throttle)) pipeline =
      fusebox::compose(fusebox::fallback(zero), throttle);
  ThrottleRejects() {
    for (int call = 0; call < 1'000'000; ++call) throttle.try_acquire().failure();
  }
  BENCH_INLINE void operator()() {
    keep(pipeline.execute([] { return op(); }));
  }
};

/// Without the switch to another thread and back.
struct HedgeHere {
  static constexpr auto name = "hedge/executor_runs_at_once";
  struct Run {
    void operator()(const fusebox::HedgeTask& task) const { task(); }
  };
  decltype(fusebox::hedge(Run{})) hedge = fusebox::hedge({.delay = fusebox::no_timeout}, Run{});
  BENCH_INLINE void operator()() {
    keep(hedge.execute([] { return op(); }));
  }
};

struct TimeoutPlain {
  static constexpr auto name = "timeout/op_takes_nothing";
  decltype(fusebox::attempt_timeout(10s)) attempt = fusebox::attempt_timeout(10s);
  BENCH_INLINE void operator()() {
    keep(attempt.execute([] { return op(); }));
  }
};
struct TimeoutToken {
  static constexpr auto name = "timeout/op_takes_a_token";
  decltype(fusebox::attempt_timeout(10s)) attempt = fusebox::attempt_timeout(10s);
  BENCH_INLINE void operator()() {
    keep(attempt.execute([](const std::stop_token&) { return op(); }));
  }
};

/// Lets the coarse clock tick: a budget counts a call of its first tick in fewer instructions than the
/// others, and how many calls fall into that tick depends on the machine's speed.
struct OneTickLater {
  OneTickLater() { std::this_thread::sleep_for(50ms); }
};

struct BudgetCall {
  static constexpr auto name = "retry_budget/first_attempt";
  fusebox::RetryBudget<> budget;
  OneTickLater older;
  BENCH_INLINE void operator()() { budget.on_call(); }
};
struct BudgetRefuses {
  static constexpr auto name = "retry_budget/withdrawal_refused";
  fusebox::RetryBudget<> budget{{.ratio = 0, .min_per_second = 0, .capacity = 1, .reserve = 0}};
  BENCH_INLINE void operator()() { keep(budget.try_withdraw()); }
};
struct RetryWithBudget {
  static constexpr auto name = "retry/with_a_budget";
  fusebox::RetryBudget<> budget;
  OneTickLater older;
  decltype(fusebox::retry(budget)) retry = fusebox::retry(budget);
  BENCH_INLINE void operator()() {
    keep(retry.execute([] { return op(); }));
  }
};

using PipelinePaths =
    std::tuple<PipelineBreaker, PipelineRetryBreaker, NestedRetryBreaker, AnyRetryBreaker, PipelineFive,
               NestedFive, PipelineOpen, BulkheadRoom, AdaptiveRoom, BulkheadFull, LimiterRoom, LimiterTry,
               ThrottleFree, ThrottleRejects, HedgeHere, TimeoutPlain, TimeoutToken, BudgetCall,
               BudgetRefuses, RetryWithBudget>;

}  // namespace bench
