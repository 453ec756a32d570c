// What 1,000 calls under way on one thread take, beyond the frames of their ops (A10).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/failures.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;
using support::Task;

namespace {

constexpr std::size_t calls = 1'000;
constexpr std::size_t limit = 2'048;  // bytes of one call

/// An op that takes a stop token, and waits in the middle.
Task<std::string> fetch(AsyncFakeClock clock, std::stop_token stop) {
  co_return co_await clock.sleep_for(500ms, stop) ? "answer" : "stopped";
}

/// The bytes of each of 1,000 calls that `begin` gives, after a while in which none of them ends.
template <class Begin>
std::size_t bytes_of_each(const AsyncFakeClock& clock, std::chrono::milliseconds time, Begin begin) {
  using Call = decltype(begin());
  std::vector<Call> under_way;
  under_way.reserve(calls);
  const std::size_t before = support::live_bytes();
  for (std::size_t i = 0; i < calls; ++i) {
    under_way.push_back(begin());
    under_way.back().start();
  }
  clock.advance(time);
  const std::size_t bytes = support::live_bytes() - before;
  for (const Call& call : under_way) REQUIRE_FALSE(call.is_done());
  clock.advance(1s);
  for (Call& call : under_way) {
    REQUIRE(call.is_done());
    REQUIRE(call.result() == "answer");
  }
  return bytes / calls;
}

/// Of calls in their first attempt, in the wait after it, and in the second one.
template <class MakePipeline>
void check_bytes(MakePipeline make) {
  const AsyncFakeClock clock;
  fusebox::CircuitBreaker<AsyncFakeClock> breaker{"b", {.failure_threshold = 60'000}, clock};
  const auto pipeline = make(clock, breaker);
  const auto op = [&clock](std::stop_token stop) { return fetch(clock, stop); };
  const auto begin = [&] { return pipeline.execute(op); };
  const auto begin_badly = [&] {
    auto fails_once = [&clock, failed = false](std::stop_token stop) mutable {
      if (!std::exchange(failed, true)) throw support::unavailable();
      return fetch(clock, stop);
    };
    return pipeline.execute(fails_once);
  };
  const std::size_t op_alone = bytes_of_each(clock, 0ms, [&] { return op({}); });
  const std::size_t first_attempt = bytes_of_each(clock, 0ms, begin) - op_alone;
  const std::size_t wait = bytes_of_each(clock, 0ms, begin_badly);
  const std::size_t second_attempt = bytes_of_each(clock, 200ms, begin_badly) - op_alone;
  CAPTURE(op_alone, first_attempt, wait, second_attempt);
  CHECK(first_attempt <= limit);
  CHECK(wait <= limit);
  CHECK(second_attempt <= limit);
}

constexpr fusebox::RetryConfig config{.base_delay = 100ms, .jitter = fusebox::Jitter::none};

}  // namespace

TEST_CASE("A10 a call under way through three policies takes at most 2 KiB beyond op's frame", "[A10]") {
  check_bytes([](const AsyncFakeClock& clock, auto& breaker) {
    return compose(fusebox::retry(config, clock), breaker, fusebox::attempt_timeout(2s, clock));
  });
}

TEST_CASE("A10 a call under way through five policies takes at most 2 KiB beyond op's frame", "[A10]") {
  check_bytes([](const AsyncFakeClock& clock, auto& breaker) {
    return compose(fusebox::fallback([] { return std::string{"none"}; }), fusebox::total_timeout(5s, clock),
                   fusebox::retry(config, clock), breaker, fusebox::attempt_timeout(2s, clock));
  });
}
