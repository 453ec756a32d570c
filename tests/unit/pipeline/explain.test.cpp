#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Breaker;

namespace {

struct Bench {
  FakeClock clock;
  Breaker breaker{"orders", {}, clock};
};

/// The last line: the bounds of one logical call.
template <class P>
std::string bounds_of(const P& pipeline) {
  const std::string text = explain(pipeline);
  const std::string line = text.substr(text.rfind("One logical call"));
  return line.substr(0, line.find(", if op ends"));
}

}  // namespace

TEST_CASE("P16 explain() says the order in words, what each layer sees, and the bounds of a call", "[P16]") {
  Bench bench;
  Bulkhead<FakeClock> bulkhead{"pool", {.max_concurrent = 8}, bench.clock};
  const auto call =
      compose(fallback([] { return 1; }), bulkhead, total_timeout(30s, bench.clock),
              retry(retry_presets::standard, bench.clock), bench.breaker, attempt_timeout(10s, bench.clock));
  CHECK(
      explain(call) ==
      "1. fallback: gives another value for each logical call that failed or was rejected, not for a "
      "cancelled one\n"
      "2. bulkhead 'pool': admits 8 at once, and holds a slot for each logical call until it has ended; a "
      "full one "
      "rejects at once\n"
      "3. total timeout: limits each logical call to 30s, and stops an op that takes a stop token or a Call\n"
      "4. retry: makes at most 4 attempts of each logical call, after transient failures; a rejection is not "
      "retried; waits at most 30s before each\n"
      "5. circuit breaker 'orders': counts one outcome of each attempt; a rejection or a cancellation inside "
      "it "
      "counts as ignored. While it is open it rejects at once\n"
      "6. attempt timeout: limits each attempt to 10s, and stops an op that takes a stop token or a Call\n"
      "One logical call calls op at most 4 times and takes at most 30s, if op ends when its stop token or "
      "its "
      "Deadline says so.\n");
}

TEST_CASE("P16 the bounds of a call add up attempts and waits", "[P16]") {
  Bench bench;
  const auto attempt = [&] { return attempt_timeout(10s, bench.clock); };
  const auto retries = [&](RetryConfig config) { return retry(config, bench.clock); };
  const RetryConfig deaf{.max_retries = 3, .honor_retry_after = false};
  CHECK(bounds_of(compose()) == "One logical call calls op at most once, and nothing limits its time.\n");
  CHECK(bounds_of(compose(attempt())) == "One logical call calls op at most once and takes at most 10s");
  CHECK(bounds_of(compose(retries(deaf))) ==
        "One logical call calls op at most 4 times, and nothing limits its time.\n");
  // 4 × 10 s + 1 s + 2 s + 4 s.
  CHECK(bounds_of(compose(retries(deaf), attempt())) ==
        "One logical call calls op at most 4 times and takes at most 47s");
  // A Retry-After may ask for max_delay each time.
  CHECK(bounds_of(compose(retries({.max_retries = 3}), attempt())) ==
        "One logical call calls op at most 4 times and takes at most 130s");
  CHECK(bounds_of(
            compose(retries({.max_retries = 3, .jitter = Jitter::decorrelated, .honor_retry_after = false}),
                    attempt())) == "One logical call calls op at most 4 times and takes at most 130s");
  // 4 × 10 s + 1.25 × (1 s + 2 s + 4 s).
  CHECK(bounds_of(
            compose(retries({.max_retries = 3, .jitter = Jitter::proportional, .honor_retry_after = false}),
                    attempt())) == "One logical call calls op at most 4 times and takes at most 48750ms");
  // The last attempt may begin just before the end of total_timeout.
  CHECK(bounds_of(compose(retries({.max_retries = 3, .total_timeout = 20s}), attempt())) ==
        "One logical call calls op at most 4 times and takes at most 30s");
  CHECK(bounds_of(compose(total_timeout(25s, bench.clock), retries({.max_retries = 3, .total_timeout = 20s}),
                          attempt())) == "One logical call calls op at most 4 times and takes at most 25s");
  CHECK(bounds_of(compose(retries({.max_retries = 1, .max_delay = 1s}),
                          retries({.max_retries = 2, .max_delay = 1s}), attempt())) ==
        "One logical call calls op at most 6 times and takes at most 65s");
  // What overflows is unlimited.
  const RetryConfig huge{.max_retries = 65535, .max_delay = 1000h};
  const auto many = [&] { return retry(huge, bench.clock); };
  CHECK(bounds_of(compose(many(), many(), many(), many(), attempt())) ==
        "One logical call calls op any number of times, and nothing limits its time.\n");
}

TEST_CASE("P16 waits in a bulkhead or a limiter are part of the bounds", "[P16]") {
  Bench bench;
  Bulkhead<FakeClock> waiting{"w", {.max_concurrent = 2, .max_waiting = 5, .max_wait = 3s}, bench.clock};
  Bulkhead<FakeClock> patient{"p", {.max_waiting = 5}, bench.clock};
  RateLimiter<FakeClock> limiter{"r", {.permits = 5, .per = 1s, .max_wait = 2s}, bench.clock};
  RateLimiter<FakeClock> strict{"s", {.permits = 5, .per = 1s}, bench.clock};
  const auto attempt = attempt_timeout(10s, bench.clock);
  CHECK(bounds_of(compose(waiting, attempt)) ==
        "One logical call calls op at most once and takes at most 13s");
  CHECK(bounds_of(compose(limiter, strict, attempt)) ==
        "One logical call calls op at most once and takes at most 12s");
  CHECK(bounds_of(compose(patient, attempt)) ==
        "One logical call calls op at most once, and nothing limits its time.\n");
  CHECK(bounds_of(compose(total_timeout(20s, bench.clock), patient, attempt)) ==
        "One logical call calls op at most once and takes at most 20s");
  CHECK(explain(compose(waiting)).find("5 more wait, at most 3s each") != std::string::npos);
  CHECK(explain(compose(limiter))
            .find("1. rate limiter 'r': admits 5 in 1s, takes one permit for each logical call and waits for "
                  "it at most 2s\n") == 0);
  CHECK(explain(compose(retry(bench.clock), strict))
            .find("2. rate limiter 's': admits 5 in 1s, takes one permit for each attempt and rejects at "
                  "once if none is there\n") != std::string::npos);
}

TEST_CASE("P16 explain() says that there is no limit, and names the burst and the limit of now", "[P16]") {
  Bench bench;
  RateLimiter<FakeClock> patient{
      "r", {.permits = 5, .per = 1s, .burst = 50, .max_wait = no_timeout}, bench.clock};
  CHECK(explain(compose(patient))
            .find("1. rate limiter 'r': admits 5 in 1s, up to 50 at once, takes one permit for each logical "
                  "call and waits for it without a limit\n") == 0);
  CHECK(explain(compose(total_timeout(no_timeout, bench.clock))) ==
        "1. total timeout: sets no limit to each logical call\n"
        "One logical call calls op at most once, and nothing limits its time.\n");
  CHECK(explain(compose(retry(RetryConfig{.max_retries = 1, .max_delay = no_timeout}, bench.clock)))
            .find("1. retry: makes at most 2 attempts of each logical call, after transient failures; a "
                  "rejection is not retried\n") == 0);
  CHECK(explain(compose(fallback_to_last_good(no_timeout, bench.clock)))
            .find("failed or was rejected, however old the value is\n") != std::string::npos);

  Bulkhead<FakeClock> bulkhead{"pool", {.max_concurrent = 8}, bench.clock};
  const auto call = compose(bulkhead);
  bulkhead.set_limit(3);
  CHECK(explain(call).find("1. bulkhead 'pool': admits 3 at once") == 0);
}

namespace {
struct OfTheProgram {
  template <class Op>
  auto execute(Op&& op) {
    return op();
  }
};
}  // namespace

TEST_CASE("P16 explain() names a policy of the user's, and what it knows of a retry's options",
          "[P16][P10]") {
  Bench bench;
  const std::string text = explain(compose(std::make_shared<OfTheProgram>(), bench.breaker));
  CHECK(text.find("OfTheProgram': a policy of the program") != std::string::npos);
  CHECK(text.find("counts one outcome of each call that the policy outside makes") != std::string::npos);
  CHECK(text.find("calls op any number of times") != std::string::npos);

  RetryBudget budget;
  const std::string retried =
      explain(compose(fallback_when_rejected([] { return 1; }), fallback_to_last_good(5s, bench.clock),
                      retry(RetryConfig{.total_timeout = 9s}, bench.clock, budget,
                            retry_if([](const Failure&) { return true; }))));
  CHECK(retried.find(
            "1. fallback: gives another value for each logical call that a policy inside it rejected\n") ==
        0);
  CHECK(retried.find("while the value is at most 5s old") != std::string::npos);
  CHECK(retried.find("as its retry_if says") != std::string::npos);
  CHECK(retried.find("no attempt begins later than 9s") != std::string::npos);
  CHECK(retried.find("its budget") != std::string::npos);
}
