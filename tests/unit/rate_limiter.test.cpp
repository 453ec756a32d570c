#include <fusebox/rate_limiter.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {

using Limiter = RateLimiter<FakeClock>;

/// A sleep that throws.
struct BadClock : FakeClock {
  bool sleep_for(std::chrono::nanoseconds, const StopToken&) const { throw std::runtime_error{"sleep"}; }
};

template <class L>
int drain(L& limiter) {
  int taken = 0;
  while (taken < 1'000 && limiter.try_acquire()) ++taken;
  return taken;
}

}  // namespace

TEST_CASE("Q1 a limiter has a name, a config and a clock", "[Q1]") {
  const FakeClock clock;
  const Limiter limiter{"geocoder", {.permits = 3, .per = 2s}, clock};
  CHECK(limiter.name() == "geocoder");
  CHECK(limiter.config() == RateLimiterConfig{.permits = 3, .per = 2s});
  clock.advance(1s);
  CHECK(limiter.clock().now() == clock.now());
  RateLimiter by_default{"n"};
  RateLimiter with_config{"n", {.permits = 1}};
  RateLimiter with_clock{"n", {.permits = 1}, clock};
  STATIC_REQUIRE(std::is_same_v<decltype(by_default), RateLimiter<SystemClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(with_config), RateLimiter<>>);
  STATIC_REQUIRE(std::is_same_v<decltype(with_clock), Limiter>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Limiter>);
}

TEST_CASE("C2 C3 a refused config and a refused name are ConfigErrors", "[C2][C3]") {
  CHECK_THROWS_AS((Limiter{"l", {.permits = 0}}), ConfigError);
  CHECK_THROWS_WITH((Limiter{"l", {.per = 1us}}),
                    "RateLimiterConfig.per must be at least 100ns for each permit, got 1us");
  CHECK_THROWS_WITH(Limiter{""}, "RateLimiter.name must not be empty, got \"\"");
  CHECK_NOTHROW(Limiter{std::string(512, 'n')});
  CHECK_THROWS_WITH(Limiter{std::string(513, 'n')}, "RateLimiter.name must be at most 512 bytes, got 513");
}

TEST_CASE("Q2 a limiter admits its burst, then its rate", "[Q2]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 10, .per = 1s}, clock};
  CHECK(drain(limiter) == 10);
  clock.advance(100ms);
  CHECK(drain(limiter) == 1);
  clock.advance(10s);
  CHECK(drain(limiter) == 10);  // not 11 after idling
  Limiter small{"s", {.permits = 10, .per = 1s, .burst = 2}, clock};
  CHECK(drain(small) == 2);
  Limiter large{"s", {.permits = 1, .per = 1s, .burst = 70'000}, clock};
  CHECK(large.try_acquire(70'000));
  CHECK_FALSE(large.try_acquire());
}

TEST_CASE("Q1 permits may exceed 65,535", "[Q1]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 1'000'000, .per = 1s}, clock};
  CHECK(limiter.try_acquire(1'000'000));
  clock.advance(1us);
  CHECK(limiter.try_acquire());
  CHECK_FALSE(limiter.try_acquire());
}

TEST_CASE("Q1 an n below 1 or above the burst is an invalid argument", "[Q1]") {
  Limiter limiter{"l", {.permits = 5}};
  for (const int n : {0, -1, 6, 1'000'000}) {
    CHECK_THROWS_AS(limiter.try_acquire(n), std::invalid_argument);
    CHECK_THROWS_AS(limiter.acquire(n), std::invalid_argument);
    CHECK_THROWS_AS(limiter.retry_after(n), std::invalid_argument);
  }
  CHECK_THROWS_WITH(limiter.try_acquire(6), "RateLimiter: n must be in [1, 5], the burst, got 6");
  CHECK(limiter.stats() == RateLimiterStats{});
  CHECK(limiter.try_acquire(5));
}

TEST_CASE("Q3 retry_after() is the time until n fit", "[Q3]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 4, .per = 1s}, clock};
  CHECK(limiter.retry_after() == 0s);
  CHECK(limiter.retry_after(4) == 0s);
  CHECK(drain(limiter) == 4);
  CHECK(limiter.retry_after() == 250ms);
  CHECK(limiter.retry_after(4) == 1s);
  CHECK(limiter.stats().rejected == 1);
  clock.advance(249ms);
  CHECK(limiter.retry_after() == 1ms);
  clock.advance(limiter.retry_after());
  CHECK(limiter.retry_after() == 0s);
  CHECK(limiter.try_acquire());
}

TEST_CASE("Q4 acquire() waits for its permits, once", "[Q4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 4, .per = 1s, .max_wait = 1s}, clock};
  CHECK(drain(limiter) == 4);
  CHECK(limiter.acquire());
  CHECK(limiter.acquire(4));
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{250ms, 1s});
  clock.advance(1s);
  CHECK(limiter.acquire(4));
  CHECK(clock.sleeps().size() == 2);
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 7, .rejected = 1, .waited = 2});
}

TEST_CASE("Q4 a wait that max_wait forbids is refused before it begins", "[Q4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 4, .per = 1s, .max_wait = 499ms}, clock};
  CHECK(drain(limiter) == 4);
  CHECK_FALSE(limiter.acquire(2));
  CHECK(clock.sleeps().empty());
  CHECK(limiter.retry_after(2) == 500ms);  // nothing was taken
  clock.advance(1ms);
  CHECK(limiter.acquire(2));
  Limiter impatient{"i", {.permits = 4, .per = 1s}, clock};
  CHECK(drain(impatient) == 4);
  CHECK_FALSE(impatient.acquire());
  CHECK(clock.sleeps().size() == 1);
}

TEST_CASE("Q4 P7 a wait that the deadline would end is refused before it begins", "[Q4][P7]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 4, .per = 1s, .max_wait = 1h}, clock};
  CHECK(drain(limiter) == 4);
  CHECK_FALSE(limiter.acquire(Deadline::after(250ms, clock)));
  CHECK_FALSE(limiter.acquire(1, Deadline::after(0s, clock)));
  CHECK_FALSE(limiter.acquire(1, Deadline::at(clock.now() - 1s)));
  CHECK(clock.sleeps().empty());
  CHECK(limiter.acquire(1, Deadline::after(251ms, clock)));
  CHECK(limiter.acquire(Deadline::never()));
  clock.advance(1s);
  CHECK(limiter.acquire(Deadline::at(clock.now())));  // there is no wait
}

TEST_CASE("Q4 T6 a deadline of another clock is moved to the limiter's", "[Q4][T6]") {
  FakeClock clock;
  const FakeClock other;
  other.advance(1'000h);
  Limiter limiter{"l", {.permits = 4, .per = 1s, .max_wait = 1h}, clock};
  CHECK(drain(limiter) == 4);
  CHECK_FALSE(limiter.acquire(Deadline::after(250ms, other)));
  CHECK(limiter.acquire(Deadline::after(251ms, other)));
}

TEST_CASE("Q4 P9 a stop token ends the wait", "[Q4][Q5][P9]") {
  const FakeClock clock = FakeClock::manual();
  Limiter limiter{"l", {.permits = 4, .per = 1s, .max_wait = 1h}, clock};
  CHECK(drain(limiter) == 4);
  bool admitted = true;
  {
    std::jthread waiting{[&](const std::stop_token& stop) { admitted = limiter.acquire(2, stop); }};
    clock.wait_for_sleepers(1);
    CHECK(limiter.retry_after() == 750ms);
  }
  CHECK_FALSE(admitted);
  CHECK(limiter.retry_after() == 250ms);  // nobody reserved after it
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 4, .rejected = 1, .waited = 1});
}

TEST_CASE("Q4 P8 a token that is stopped before takes nothing and counts nothing", "[Q4][P8]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 4, .per = 1s}, clock};
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(limiter.acquire(4, stop.get_token()));
  CHECK(limiter.stats() == RateLimiterStats{});
  CHECK(limiter.try_acquire(4));
}

TEST_CASE("Q5 a place is lost if somebody reserved after it", "[Q5]") {
  const FakeClock clock = FakeClock::manual();
  Limiter limiter{"l", {.permits = 4, .per = 1s, .max_wait = 1h}, clock};
  CHECK(drain(limiter) == 4);
  bool first = true;
  bool second = false;
  std::jthread waiting_second;
  {
    std::jthread waiting{[&](const std::stop_token& stop) { first = limiter.acquire(stop); }};
    clock.wait_for_sleepers(1);
    waiting_second = std::jthread{[&] { second = limiter.acquire(); }};
    clock.wait_for_sleepers(2);
  }
  CHECK_FALSE(first);
  CHECK(limiter.retry_after() == 750ms);
  CHECK(clock.advance(499ms) == 0);
  CHECK(clock.advance(1ms) == 1);  // when it was told, not earlier
  waiting_second.join();
  CHECK(second);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{250ms, 500ms});
}

TEST_CASE("Q5 a wait that ends by an exception gives its place back", "[Q5]") {
  RateLimiter<BadClock> limiter{"l", {.permits = 4, .per = 1s, .max_wait = 1h}};
  CHECK(drain(limiter) == 4);
  CHECK_THROWS_AS(limiter.acquire(), std::runtime_error);
  CHECK(limiter.retry_after() == 250ms);
}

TEST_CASE("Q6 a clock that stands still admits the burst", "[Q6]") {
  Limiter limiter{"l", {.permits = 1'000, .per = 1s, .burst = 7}};
  CHECK(drain(limiter) == 7);
}

TEST_CASE("Q7 sync() holds until the reset", "[Q7]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 10, .per = 1s}, clock};
  limiter.sync(3, 10s);
  CHECK(drain(limiter) == 3);
  CHECK(limiter.retry_after() == 10s);
  clock.advance(9'999ms);
  CHECK(drain(limiter) == 0);
  clock.advance(1ms);
  CHECK(drain(limiter) == 10);
  limiter.sync(1'000'000, 10s);
  CHECK(drain(limiter) == 0);
  limiter.sync(0, 10s);
  limiter.sync(10, 1s);
  clock.advance(1s);
  CHECK(drain(limiter) == 0);
  limiter.sync(0, std::chrono::nanoseconds::max());
  clock.advance(std::chrono::hours{24 * 365});
  CHECK(drain(limiter) == 0);
}

TEST_CASE("Q8 stats count calls, however many permits each takes", "[Q8]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 4, .per = 1s}, clock};
  CHECK(limiter.try_acquire(2));
  CHECK_FALSE(limiter.try_acquire(3));
  CHECK(limiter.acquire());
  CHECK(limiter.execute([] { return 1; }, Deadline::after(1s, clock)) == 1);
  CHECK_FALSE(limiter.acquire());
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 3, .rejected = 2, .waited = 0});
}

TEST_CASE("Q1 a call reads the clock once", "[Q1]") {
  const support::CountingClock clock;
  RateLimiter<support::CountingClock> limiter{"l", {.permits = 5, .per = 1s, .max_wait = 1ms}, clock};
  CHECK(clock.counts().now == 0);
  CHECK(limiter.try_acquire());
  CHECK(clock.counts().now == 1);
  CHECK(limiter.acquire(3));
  CHECK(clock.counts().now == 2);
  CHECK(limiter.execute([] { return true; }));
  CHECK(clock.counts().now == 3);
  CHECK_FALSE(limiter.acquire(Deadline::at({})));
  CHECK(clock.counts().now == 4);
  (void)limiter.retry_after();
  CHECK(clock.counts().now == 5);
  CHECK(clock.counts().wall_now == 0);
}

TEST_CASE("M3 a limiter reports when it begins to refuse, and when it admits again", "[M3]") {
  FakeClock clock;
  Limiter limiter{"geocoder", {.permits = 2, .per = 1s}, clock};
  std::vector<RateLimiterEvent> events;
  const auto subscription = limiter.on_event([&](const RateLimiterEvent& event) { events.push_back(event); });
  CHECK(drain(limiter) == 2);
  CHECK(drain(limiter) == 0);
  REQUIRE(events.size() == 1);
  CHECK(events[0].name == "geocoder");
  CHECK(events[0].kind == RateLimiterEventKind::exhausted);
  CHECK(events[0].at == clock.wall_now());
  clock.advance(500ms);
  CHECK(limiter.execute([] { return true; }));
  REQUIRE(events.size() == 2);
  CHECK(events[1].kind == RateLimiterEventKind::available);
  CHECK(events[1].at == clock.wall_now());
  CHECK_THROWS_AS(limiter.execute([] { return true; }), RateLimitedError);
  REQUIRE(events.size() == 3);
  CHECK(events[2].kind == RateLimiterEventKind::exhausted);
}
