// paths.hpp: every path that has a target, beside its floor and its rival.
//
// A path is constructed once and then called; one call is measured. The benchmarks time these paths and
// `instructions` counts them, so that both measure the same code.
#pragma once

#include <chrono>
#include <system_error>
#include <tuple>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

#include "measure.hpp"
#include "rivals.hpp"

namespace bench {

/// An expected-like result: an int or an error code.
class Result {
 public:
  struct unexpected_type {
    std::error_code code;
  };
  Result(int value) : value_{value} {}                            // NOLINT(*-explicit-*)
  Result(unexpected_type unexpected) : code_{unexpected.code} {}  // NOLINT(*-explicit-*)
  [[nodiscard]] bool has_value() const noexcept { return !code_; }
  [[nodiscard]] const std::error_code& error() const noexcept { return code_; }
  [[nodiscard]] int operator*() const noexcept { return value_; }

 private:
  int value_ = 0;
  std::error_code code_;
};

inline Result good_op() { return {op()}; }
inline Result bad_op() {
  int status = 503;
  asm volatile("" : "+r"(status));
  return Result::unexpected_type{{status, fusebox::http_category()}};
}

struct Guarded {
  explicit Guarded(fusebox::CircuitBreakerConfig config = {}) : breaker{"payments", config} {}
  fusebox::CircuitBreaker<> breaker;
};

struct Opened : Guarded {
  Opened() {
    while (breaker.state() == fusebox::State::closed) breaker.try_acquire().failure();
  }
};

// The call alone, and the floor's parts.

struct Bare {
  static constexpr auto name = "call/bare";
  BENCH_INLINE void operator()() { keep(op()); }
};

struct BareResult {
  static constexpr auto name = "call/bare_expected";
  BENCH_INLINE void operator()() { keep(good_op()); }
};

struct SteadyRead {
  static constexpr auto name = "call/steady_read";
  BENCH_INLINE void operator()() {
    keep(op());
    keep(steady_tick());
  }
};

struct CoarseRead {
  static constexpr auto name = "call/coarse_read";
  BENCH_INLINE void operator()() {
    keep(op());
    keep(coarse_tick());
  }
};

/// The minimum for a breaker that counts its calls and knows when the last one was.
struct Floor {
  static constexpr auto name = "call/floor";
  alignas(64) std::atomic<std::uint64_t> count{0};
  BENCH_INLINE void operator()() {
    keep(op());
    count.fetch_add(1, std::memory_order_relaxed);
    keep(coarse_tick());
  }
};

// Closed.

struct ClosedDefault : Guarded {
  static constexpr auto name = "closed/default";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }));
  }
};

struct ClosedFallback : Guarded {
  static constexpr auto name = "closed/with_a_fallback";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }, [] { return 0; }));
  }
};

struct ClosedResult : Guarded {
  static constexpr auto name = "closed/expected";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return good_op(); }));
  }
};

struct ClosedPermit : Guarded {
  static constexpr auto name = "closed/permit";
  BENCH_INLINE void operator()() {
    fusebox::Permit permit = breaker.try_acquire();
    if (!permit) return;
    keep(op());
    permit.success();
  }
};

struct ClosedRateOfCalls : Guarded {
  static constexpr auto name = "closed/failure_rate_of_100_calls";
  ClosedRateOfCalls() : Guarded{{.failure_rate = fusebox::FailureRate{.window = fusebox::last_calls(100)}}} {}
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }));
  }
};

struct ClosedRateOfTime : Guarded {
  static constexpr auto name = "closed/failure_rate_within_10s";
  ClosedRateOfTime()
      : Guarded{{.failure_rate = fusebox::FailureRate{.window = fusebox::within(std::chrono::seconds{10})}}} {
  }
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }));
  }
};

struct ClosedSlowFine : Guarded {
  static constexpr auto name = "closed/slow_calls_over_100ms";
  ClosedSlowFine()
      : Guarded{{.slow_calls = fusebox::SlowCalls{.slower_than = std::chrono::milliseconds{100}}}} {}
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }));
  }
};

struct ClosedSlowCoarse : Guarded {
  static constexpr auto name = "closed/slow_calls_over_1s";
  ClosedSlowCoarse() : Guarded{{.slow_calls = fusebox::SlowCalls{.slower_than = std::chrono::seconds{1}}}} {}
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }));
  }
};

struct ClosedTimeout : Guarded {
  static constexpr auto name = "closed/with_a_timeout";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }, {.timeout = std::chrono::seconds{10}}));
  }
};

struct ClosedTextbook {
  static constexpr auto name = "closed/textbook";
  TextbookBreaker breaker{5};
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }));
  }
};

// Failures, while the breaker stays closed.

struct FailedResult : Guarded {
  static constexpr auto name = "failure/expected";
  FailedResult() : Guarded{{.failure_threshold = 65535}} {}
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return bad_op(); }));
    if (++calls % 32768 == 0) breaker.reset();  // so that the failure streak keeps growing
  }
  unsigned calls = 0;
};

/// The same with a code of std::errc.
struct FailedErrc : Guarded {
  static constexpr auto name = "failure/expected_errc";
  FailedErrc() : Guarded{{.failure_threshold = 65535}} {}
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] {
      int value = static_cast<int>(std::errc::connection_refused);
      asm volatile("" : "+r"(value));
      return Result{Result::unexpected_type{{value, std::generic_category()}}};
    }));
    if (++calls % 32768 == 0) breaker.reset();
  }
  unsigned calls = 0;
};

struct FailedThrow : Guarded {
  static constexpr auto name = "failure/throw";
  FailedThrow() : Guarded{{.failure_threshold = 65535}} {}
  BENCH_INLINE void operator()() {
    try {
      keep(breaker.execute([]() -> int { throw std::runtime_error{"refused"}; }));
    } catch (const std::runtime_error& error) {
      keep(error);
    }
    if (++calls % 32768 == 0) breaker.reset();
  }
  unsigned calls = 0;
};

struct FailedThrowTextbook {
  static constexpr auto name = "failure/throw_textbook";
  TextbookBreaker breaker{1 << 30};
  BENCH_INLINE void operator()() {
    try {
      keep(breaker.execute([]() -> int { throw std::runtime_error{"refused"}; }));
    } catch (const std::runtime_error& error) {
      keep(error);
    }
  }
};

// Open.

struct OpenFallback : Opened {
  static constexpr auto name = "open/fallback";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); }, [] { return 0; }));
  }
};

/// The fallback receives the Failure, which reads the wall clock.
struct OpenFallbackTold : Opened {
  static constexpr auto name = "open/fallback_with_failure";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return op(); },
                         [](const fusebox::Failure& failure) { return failure.is_rejection() ? 0 : 1; }));
  }
};

struct OpenResult : Opened {
  static constexpr auto name = "open/expected";
  BENCH_INLINE void operator()() {
    keep(breaker.execute([] { return good_op(); }));
  }
};

struct OpenPermit : Opened {
  static constexpr auto name = "open/permit";
  BENCH_INLINE void operator()() { keep(static_cast<bool>(breaker.try_acquire())); }
};

struct OpenThrow : Opened {
  static constexpr auto name = "open/throw";
  BENCH_INLINE void operator()() {
    try {
      keep(breaker.execute([] { return op(); }));
    } catch (const fusebox::ApiError& error) {
      keep(error);
    }
  }
};

/// The floor of a rejection by exception.
struct ThrowApiError {
  static constexpr auto name = "open/throw_an_api_error";
  BENCH_INLINE void operator()() {
    try {
      keep(reject());
    } catch (const fusebox::ApiError& error) {
      keep(error);
    }
  }
  static int reject() {
    int always = 1;
    asm volatile("" : "+r"(always));
    if (always != 0) {
      throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "circuit breaker 'payments' is open"};
    }
    return op();
  }
};

struct OpenTextbook {
  static constexpr auto name = "open/throw_textbook";
  TextbookBreaker breaker{1};
  OpenTextbook() {
    try {
      breaker.execute([]() -> int { throw 42; });
    } catch (int) {
    }
  }
  BENCH_INLINE void operator()() {
    try {
      keep(breaker.execute([] { return op(); }));
    } catch (const std::runtime_error& error) {
      keep(error);
    }
  }
};

// Retry.

struct RetryFirst {
  static constexpr auto name = "retry/first_attempt_succeeds";
  fusebox::RetryConfig config = fusebox::retry_presets::standard;
  BENCH_INLINE void operator()() {
    keep(*fusebox::retry_with_backoff([] { return op(); }, config));
  }
};

struct RetryAttempt {
  static constexpr auto name = "retry/op_takes_the_attempt";
  fusebox::RetryConfig config = fusebox::retry_presets::standard;
  BENCH_INLINE void operator()() {
    keep(*fusebox::retry_with_backoff([](const fusebox::Attempt& attempt) { return op() + attempt.number; },
                                      config));
  }
};

struct RetryTextbook {
  static constexpr auto name = "retry/textbook";
  BENCH_INLINE void operator()() { keep(textbook_retry(op, 3, std::chrono::milliseconds{100})); }
};

struct RetryInBreaker : Guarded {
  static constexpr auto name = "retry/around_a_breaker";
  fusebox::RetryConfig config = fusebox::retry_presets::standard;
  BENCH_INLINE void operator()() {
    keep(*fusebox::retry_with_backoff([this] { return breaker.execute([] { return op(); }); }, config));
  }
};

using Paths =
    std::tuple<Bare, BareResult, CoarseRead, SteadyRead, Floor, ClosedDefault, ClosedFallback, ClosedResult,
               ClosedPermit, ClosedRateOfCalls, ClosedRateOfTime, ClosedSlowFine, ClosedSlowCoarse,
               ClosedTimeout, ClosedTextbook, FailedResult, FailedErrc, FailedThrow, FailedThrowTextbook,
               OpenFallback, OpenFallbackTold, OpenResult, OpenPermit, OpenThrow, ThrowApiError, OpenTextbook,
               RetryFirst, RetryAttempt, RetryTextbook, RetryInBreaker>;

}  // namespace bench
