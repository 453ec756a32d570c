// A limiter and a budget in a storm: hours of simulated time on real threads. Afterwards nothing was used
// twice, and the counts add up.
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stop_token>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using stress::steps;
using test::FakeClock;

namespace {

constexpr int callers = 12;

/// What callers saw, to compare with the stats.
struct Seen {
  std::atomic<std::uint64_t> admitted{0};
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> permits{0};
};

void call(RateLimiter<FakeClock>& limiter, std::minstd_rand& random, Seen& seen) {
  const int n = 1 + static_cast<int>(random() % 3);
  switch (random() % 4) {
    case 0:
      if (limiter.try_acquire(n)) {
        ++seen.admitted;
        seen.permits += static_cast<unsigned>(n);
      } else {
        ++seen.rejected;
      }
      break;
    case 1:
      if (limiter.acquire(n, Deadline::after(1s, limiter.clock()))) {
        ++seen.admitted;
        seen.permits += static_cast<unsigned>(n);
      } else {
        ++seen.rejected;
      }
      break;
    default: {
      const std::error_code ended = limiter.execute([&] {
        ++seen.permits;
        return std::error_code{};
      });
      ++(ended ? seen.rejected : seen.admitted);
    }
  }
}

}  // namespace

TEST_CASE("Q2 Q8 many threads get no more than the burst and the rate", "[Q2][Q8]") {
  for (const auto& config : {RateLimiterConfig{.permits = 100, .per = 1s, .burst = 3, .max_wait = 50ms},
                             RateLimiterConfig{.permits = 3, .per = 1s, .max_wait = 2s},
                             RateLimiterConfig{.permits = 1'000, .per = 1s, .burst = 5}}) {
    FakeClock clock;
    RateLimiter limiter{"storm", config, clock};
    std::atomic<std::uint64_t> events{0};
    const auto subscription = limiter.on_event([&](const RateLimiterEvent&) { ++events; });
    const auto start = clock.now();
    Seen seen;
    support::run_together(callers, [&](int thread) {
      std::minstd_rand random{static_cast<unsigned>(thread) + 1};
      for (int step = 0; step < steps() / 4; ++step) {
        call(limiter, random, seen);
        if (random() % 4 == 0) clock.advance(std::chrono::milliseconds{random() % 5});
        if (thread == 0 && step % 500 == 0) limiter.sync(static_cast<int>(random() % 10), 100ms);
      }
    });
    const auto interval = detail::permit_interval(config);
    const auto most = detail::burst_of(config) + (clock.now() - start).count() / interval;
    CHECK(seen.permits <= static_cast<std::uint64_t>(most));
    const RateLimiterStats stats = limiter.stats();
    CHECK(stats.admitted == seen.admitted);
    CHECK(stats.rejected == seen.rejected);
    CHECK(seen.rejected > 0);
    CHECK(events > 0);
    clock.advance(1h);
    CHECK(limiter.try_acquire(detail::burst_of(config)));  // no wedge
  }
}

TEST_CASE("Q5 many threads that give up waits get no more than the burst and the rate", "[Q5]") {
  const FakeClock clock = FakeClock::manual();
  RateLimiter limiter{"storm", {.permits = 100, .per = 1s, .burst = 3, .max_wait = 1s}, clock};
  const auto start = clock.now();
  std::atomic<std::uint64_t> admitted{0};
  std::atomic<std::uint64_t> cancelled{0};
  std::atomic<int> running{callers};
  std::vector<std::stop_source> stops(callers * 200);
  std::vector<std::atomic<int>> calls_of(callers);
  support::run_together(callers + 1, [&](int thread) {
    std::minstd_rand random{static_cast<unsigned>(thread) + 1};
    if (thread == callers) {  // time, and those who give up
      while (running.load() > 0) {
        // The call that some thread makes now, before time moves: it waits, or is about to.
        const auto one = random() % callers;
        stops[one * 200 + static_cast<std::size_t>(calls_of[one].load())].request_stop();
        clock.advance(std::chrono::milliseconds{random() % 10});
      }
      return;
    }
    for (int i = 0; i < 200; ++i) {
      calls_of[static_cast<std::size_t>(thread)].store(i);
      const auto token = stops[static_cast<std::size_t>(thread * 200 + i)].get_token();
      const bool is_stopped = token.stop_requested();
      if (limiter.acquire(token)) {
        ++admitted;
      } else if (!is_stopped && token.stop_requested()) {
        ++cancelled;
      }
    }
    --running;
  });
  CHECK(admitted <= static_cast<std::uint64_t>(3 + (clock.now() - start) / 10ms));
  CHECK(admitted == limiter.stats().admitted);
  CHECK(admitted > 0);
  CHECK(cancelled > 0);
}

TEST_CASE("U2 U3 many threads withdraw what was deposited, and no more", "[U2][U3]") {
  const FakeClock clock;
  RetryBudget budget{{.ratio = 0.3, .min_per_second = 0, .capacity = 65'535, .reserve = 11}, clock};
  RetryThrottle throttle{{.max_tokens = 50}};
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> retries{0};
  support::run_together(callers, [&](int thread) {
    std::minstd_rand random{static_cast<unsigned>(thread) + 1};
    const RetryConfig at_once{.max_retries = 2, .base_delay = 0s, .max_delay = 0s};
    for (int step = 0; step < steps() / 10; ++step) {
      const auto op = [&] {
        return random() % 2 == 0 ? std::make_error_code(std::errc::connection_reset) : std::error_code{};
      };
      const auto result = try_retry_with_backoff(op, at_once, clock, budget);
      ++calls;
      retries += static_cast<unsigned>(result.stats.attempts - 1);
      (void)try_retry_with_backoff(op, at_once, clock, throttle);
      const double tokens = throttle.stats().balance;
      if (tokens < 0 || tokens > 50) std::terminate();
    }
  });
  CHECK(retries <= 11 + calls * 3 / 10);
  while (budget.try_withdraw()) ++retries;
  CHECK(retries == 11 + calls * 3 / 10);
}
