#include <fusebox/rate_limiter.hpp>
#include <fusebox/rate_limiter/detail/layer.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {

using Limiter = RateLimiter<FakeClock>;

/// Counts its calls.
struct Op {
  int calls = 0;
  int operator()() { return ++calls; }
};

/// What one call has of the limiter, driven by hand.
struct ByHand {
  using Layer = detail::Layer<Limiter>;
  using Frame = Layer::Frame<detail::FlowContext<detail::Takes::nothing, false>>;

  Layer::Side side;
  detail::SlotBase slot;
  Frame frame;

  explicit ByHand(Limiter& limiter) : frame{limiter, detail::plain_call, side} {}
};

}  // namespace

TEST_CASE("Q3 a refused call is a RateLimitedError that says when to come back", "[Q3]") {
  FakeClock clock;
  Limiter limiter{"geocoder", {.permits = 3, .per = 1s, .burst = 1}, clock};
  Op op;
  CHECK(limiter.execute(op) == 1);
  clock.set_wall(std::chrono::system_clock::time_point{5h});
  try {
    limiter.execute(op);
    FAIL("it was not refused");
  } catch (const RateLimitedError& error) {
    CHECK(error.name() == "geocoder");
    CHECK(std::string{error.what()} == "rate limit 'geocoder' reached");
    CHECK(error.reason() == PolicyErrc::rate_limited);
    CHECK(http_status(error.category()) == 429);
    CHECK(error.retry_after() == 334ms);  // rounded up
    CHECK(error.timestamp() == std::chrono::system_clock::time_point{5h});
  }
  CHECK(op.calls == 1);
  clock.advance(334ms);
  CHECK(limiter.execute(op) == 2);
}

TEST_CASE("Q3 a result that can carry the error carries it", "[Q3]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 1, .per = 1s}, clock};
  const auto ok = [] { return std::error_code{}; };
  CHECK_FALSE(limiter.execute(ok));
  std::error_code refused;
  CHECK(support::allocations_of([&] { refused = limiter.execute(ok); }) == 0);
  CHECK(refused == PolicyErrc::rate_limited);
}

TEST_CASE("Q3 an admitted call hands over what op gives, also an exception", "[Q3]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 3, .per = 1s}, clock};
  CHECK_THROWS_AS(limiter.execute([]() -> int { throw std::logic_error{"op"}; }), std::logic_error);
  std::string text = "text";
  CHECK(&limiter.execute([&]() -> std::string& { return text; }) == &text);
  limiter.execute([] {});
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 3});
}

TEST_CASE("Q4 execute waits for a permit", "[Q4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 2, .per = 1s, .max_wait = 1s}, clock};
  Op op;
  for (int i = 0; i < 4; ++i) limiter.execute(op);
  CHECK(op.calls == 4);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{500ms, 500ms});
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 4, .rejected = 0, .waited = 2});
}

TEST_CASE("Q4 P7 P9 a wait that the deadline would end is the limiter's rejection", "[Q4][P7][P9]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 2, .per = 1s, .burst = 1, .max_wait = 1h}, clock};
  Op op;
  limiter.execute(op);
  CHECK_THROWS_AS(limiter.execute(op, Deadline::after(500ms, clock)), RateLimitedError);
  CHECK(clock.sleeps().empty());
  CHECK(limiter.execute(op, Deadline::after(501ms, clock)) == 2);
}

TEST_CASE("Q4 P9 a wait that the token ends is cancelled, and its place returns", "[Q4][Q5][P9]") {
  const FakeClock clock = FakeClock::manual();
  Limiter limiter{"geocoder", {.permits = 2, .per = 1s, .burst = 1, .max_wait = 1h}, clock};
  Op op;
  limiter.execute(op);
  std::string text;
  {
    std::jthread waiting{[&](const std::stop_token& stop) {
      try {
        limiter.execute(op, stop);
      } catch (const CancelledError& error) {
        text = error.what();
      }
    }};
    clock.wait_for_sleepers(1);
  }
  CHECK(text == "cancelled while waiting for a permit of rate limit 'geocoder'");
  CHECK(op.calls == 1);
  CHECK(limiter.retry_after() == 500ms);
  CHECK(limiter.stats() == RateLimiterStats{.admitted = 1, .rejected = 0, .waited = 1});
}

TEST_CASE("Q4 P8 a call whose token is stopped is not made, and not counted", "[Q4][P8]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 2, .per = 1s}, clock};
  std::stop_source stop;
  stop.request_stop();
  Op op;
  CHECK_THROWS_AS(limiter.execute(op, stop.get_token()), CancelledError);
  CHECK(op.calls == 0);
  CHECK(limiter.stats() == RateLimiterStats{});
  CHECK(limiter.try_acquire(2));
}

TEST_CASE("Q4 a frame says how long to wait, whoever waits", "[Q4]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 2, .per = 1s, .burst = 1, .max_wait = 1h}, clock};
  CHECK(limiter.try_acquire());
  ByHand first{limiter};
  ByHand second{limiter};
  CHECK(first.frame.enter(first.slot) == detail::Verdict::waiting);
  CHECK(second.frame.enter(second.slot) == detail::Verdict::waiting);
  CHECK(first.frame.wait_time() == 500ms);
  CHECK(second.frame.wait_time() == 1s);
  CHECK_FALSE(first.frame.wait_token().stop_possible());
  CHECK(first.frame.waited(true, first.slot) == detail::Verdict::success);
  CHECK(second.frame.waited(false, second.slot) == detail::Verdict::cancelled);
  CHECK(second.slot.failure().is_cancellation());
  CHECK(limiter.retry_after() == 1s);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("Q5 a frame that is destroyed while it waits gives its place back", "[Q5]") {
  FakeClock clock;
  Limiter limiter{"l", {.permits = 2, .per = 1s, .burst = 1, .max_wait = 1h}, clock};
  CHECK(limiter.try_acquire());
  {
    ByHand call{limiter};
    CHECK(call.frame.enter(call.slot) == detail::Verdict::waiting);
    CHECK(limiter.retry_after() == 1s);
  }
  CHECK(limiter.retry_after() == 500ms);
  {
    ByHand call{limiter};
    CHECK(call.frame.enter(call.slot) == detail::Verdict::waiting);
    CHECK(call.frame.sleep());
    CHECK(call.frame.waited(true, call.slot) == detail::Verdict::success);
  }
  CHECK(limiter.retry_after() == 500ms);  // used
}
