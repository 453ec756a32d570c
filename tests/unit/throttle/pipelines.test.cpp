#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/throttle.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::FakeThrottle;
using test::FakeClock;

namespace {

/// Rejects practically every call once so many have failed.
constexpr ThrottleConfig strict{.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1};
void refuse(FakeThrottle& throttle) { support::count(throttle, 0, 100'000); }

const RetryConfig two{.max_retries = 2, .base_delay = 1s, .jitter = Jitter::none};

}  // namespace

TEST_CASE("V2 inside a retry a throttle counts attempts, around one it counts calls", "[V2]") {
  const FakeClock clock;
  FakeThrottle inside{"t", {}, clock};
  FakeThrottle around{"t", {}, clock};
  int calls = 0;
  CHECK(compose(around, retry(two, clock), inside).execute([&] {
    if (++calls < 3) throw ApiError{ErrorCode::service_unavailable};
    return calls;
  }) == 3);
  CHECK(inside.stats() ==
        ThrottleStats{
            .requests = 3, .accepts = 1, .rejection_ratio = 0, .total_requests = 3, .total_accepts = 1});
  CHECK(around.stats() ==
        ThrottleStats{.requests = 1, .accepts = 1, .total_requests = 1, .total_accepts = 1});
}

TEST_CASE("V6 P5 a retry around does not retry a throttled call, unless it is told to", "[V6][P5]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", strict, clock};
  refuse(throttle);
  int calls = 0;
  const auto op = [&] { return ++calls; };
  CHECK_THROWS_AS(compose(retry(two, clock), throttle).execute(op), ThrottledError);
  CHECK(throttle.stats().rejected == 1);
  CHECK(clock.sleeps().empty());
  CHECK_THROWS_AS(compose(retry(two, clock, retry_if([](const Failure& failure) {
                                  return failure.code() == PolicyErrc::throttled;
                                })),
                          throttle)
                      .execute(op),
                  ThrottledError);
  CHECK(throttle.stats().rejected == 4);
  CHECK(calls == 0);
}

TEST_CASE("V6 P5 a breaker around ignores a throttled call", "[V6][P5]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", strict, clock};
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  refuse(throttle);
  for (int call = 0; call < 3; ++call)
    CHECK_THROWS_AS(compose(breaker, throttle).execute([] { return 1; }), ThrottledError);
  CHECK(counts_of(breaker) == Counts{0, 0, 3});
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("V2 P5 a throttle around does not count what a breaker inside rejects", "[V2][P5]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", strict, clock};
  Breaker breaker{"b", {}, clock};
  breaker.force_open();
  for (int call = 0; call < 3; ++call)
    CHECK_THROWS_AS(compose(throttle, breaker).execute([] { return 1; }), CircuitOpenError);
  CHECK(throttle.stats() == ThrottleStats{});
}

TEST_CASE("V2 P5 a throttle around a throttle counts only what the inner one admits", "[V2][P5]") {
  const FakeClock clock;
  FakeThrottle outer{"o", strict, clock};
  FakeThrottle inner{"i", strict, clock};
  CHECK(compose(outer, inner).execute([] { return 1; }) == 1);
  refuse(inner);
  CHECK_THROWS_AS(compose(outer, inner).execute([] { return 1; }), ThrottledError);
  CHECK(outer.stats() == ThrottleStats{.requests = 1, .accepts = 1, .total_requests = 1, .total_accepts = 1});
  CHECK(inner.stats().rejected == 1);
}

TEST_CASE("V2 P6 a limit inside makes a slow dependency one that accepts no call", "[V2][P6]") {
  const FakeClock clock;
  FakeThrottle outside{"o", {}, clock};
  FakeThrottle inside{"i", {}, clock};
  const auto call = compose(outside, attempt_timeout(1s, clock), inside);
  CHECK(call.execute([&] {
    clock.advance(2s);
    return 7;
  }) == 7);
  CHECK(outside.stats().accepts == 0);
  CHECK(inside.stats().accepts == 1);
}

TEST_CASE("V6 a fallback answers in place of a throttled call", "[V6]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", strict, clock};
  refuse(throttle);
  const auto call = compose(fallback_when_rejected([] { return -1; }), throttle);
  CHECK(call.execute([] { return 1; }) == -1);
}

TEST_CASE("P16 explain() says what a throttle rejects", "[P16]") {
  const FakeClock clock;
  FakeThrottle throttle{"search", {.k = 1.5, .window = 30s, .max_rejection = 0.9}, clock};
  CHECK(explain(compose(throttle)) ==
        "1. throttle 'search': rejects a share of the logical calls, of the lowest priority first, once more "
        "than 1.5 were made for each that was accepted within 30s; the share is at most 0.9\n"
        "One logical call calls op at most once, and nothing limits its time.\n");
  CHECK(explain(compose(retry(two, clock), throttle)).find("rejects a share of the attempts") !=
        std::string::npos);
}
