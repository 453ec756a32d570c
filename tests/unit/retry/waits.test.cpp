#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Delays;
using support::Flaky;
using support::Largest;
using support::Middle;
using support::Script;
using support::Smallest;
using support::unavailable;

namespace {

constexpr Jitter all_jitters[] = {Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated};

/// The waits of a call that never succeeds.
template <class G>
Delays waits(const RetryConfig& config, G&& generator) {
  test::FakeClock clock;
  (void)try_retry_with_backoff(Flaky{}, config, clock, with_random(generator));
  return clock.sleeps();
}

struct Asked {
  StopReason reason;
  Delays waits;
  int attempts;
};

/// A call whose every attempt fails with 503 and this Retry-After.
template <class G>
Asked asked_to_wait(std::chrono::seconds retry_after, RetryConfig config, G generator) {
  test::FakeClock clock;
  const auto result =
      try_retry_with_backoff([&]() -> int { throw unavailable().with_retry_after(retry_after); }, config,
                             clock, with_random(generator));
  return {result.stats.stop_reason, clock.sleeps(), result.stats.attempts};
}

/// The one wait of a call with one retry.
template <class G>
std::chrono::nanoseconds one_wait(std::chrono::seconds retry_after, RetryConfig config, G generator) {
  config.max_retries = 1;
  const Asked call = asked_to_wait(retry_after, config, generator);
  return call.waits.size() == 1 ? call.waits.front() : -1ns;
}

}  // namespace

TEST_CASE("R1 each jitter waits what it draws, from one end of its range to the other", "[R1]") {
  struct Row {
    Jitter jitter;
    Delays smallest;
    Delays middle;
    Delays largest;
  };
  const std::vector<Row> rows = {
      {Jitter::none, {1s, 2s, 4s, 8s, 16s, 30s}, {1s, 2s, 4s, 8s, 16s, 30s}, {1s, 2s, 4s, 8s, 16s, 30s}},
      {Jitter::full, {0s, 0s, 0s, 0s, 0s, 0s}, {500ms, 1s, 2s, 4s, 8s, 15s}, {1s, 2s, 4s, 8s, 16s, 30s}},
      {Jitter::equal,
       {500ms, 1s, 2s, 4s, 8s, 15s},
       {750ms, 1500ms, 3s, 6s, 12s, 22500ms},
       {1s, 2s, 4s, 8s, 16s, 30s}},
      {Jitter::decorrelated,
       {1s, 1s, 1s, 1s, 1s, 1s},
       {2s, 3500ms, 5750ms, 9125ms, 14187500us, 15500ms},
       {3s, 9s, 27s, 30s, 30s, 30s}},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.jitter));
    const RetryConfig config{.max_retries = 6, .jitter = row.jitter};
    CHECK(waits(config, Smallest{}) == row.smallest);
    CHECK(waits(config, Middle{}) == row.middle);
    CHECK(waits(config, Largest{}) == row.largest);
  }
}

TEST_CASE("R1 every wait is drawn anew", "[R1]") {
  const std::vector<std::uint64_t> turns{Script::smallest, Script::largest, Script::middle};
  CHECK(waits({.max_retries = 4, .jitter = Jitter::equal}, Script{turns}) == Delays{500ms, 2s, 3s, 4s});
  CHECK(waits({.max_retries = 4, .jitter = Jitter::full}, Script{turns}) == Delays{0s, 2s, 2s, 0s});
  CHECK(waits({.max_retries = 4, .jitter = Jitter::decorrelated}, Script{turns}) == Delays{1s, 3s, 5s, 1s});
}

TEST_CASE("R1 decorrelated jitter does not depend on the multiplier", "[R1]") {
  for (const double multiplier : {1.0, 2.0, 10.0}) {
    const RetryConfig config{.max_retries = 4, .multiplier = multiplier, .jitter = Jitter::decorrelated};
    CHECK(waits(config, Largest{}) == Delays{3s, 9s, 27s, 30s});
  }
}

TEST_CASE("R1 no wait passes the cap, and waits still spread at the cap", "[R1]") {
  for (const Jitter jitter : all_jitters) {
    for (const double multiplier : {1.5, 2.0, 1e308}) {
      CAPTURE(to_string(jitter), multiplier);
      const RetryConfig config{
          .max_retries = 100, .max_delay = 5s, .multiplier = multiplier, .jitter = jitter};
      const Delays longest = waits(config, Largest{});
      CHECK(longest.size() == 100);
      for (const std::chrono::nanoseconds wait : longest) CHECK(wait <= 5s);
      CHECK(longest.back() == 5s);

      const Delays drawn = waits(config, std::mt19937_64{7});
      const std::set<std::chrono::nanoseconds> at_the_cap(drawn.begin() + 10, drawn.end());
      if (jitter == Jitter::none) {
        CHECK(at_the_cap == std::set<std::chrono::nanoseconds>{5s});
      } else {
        CHECK(at_the_cap.size() == 90);
        CHECK(*at_the_cap.rbegin() <= 5s);
        CHECK(*at_the_cap.rbegin() > 4s);
        CHECK(*at_the_cap.begin() < 3s);
      }
    }
  }
}

TEST_CASE("R1 the limits of the config are carried out without overflow", "[R1]") {
  constexpr auto longest = std::chrono::nanoseconds::max();
  for (RetryConfig config : std::vector<RetryConfig>{
           {.max_retries = 80, .base_delay = 1ns, .max_delay = longest},
           {.max_retries = 80, .base_delay = longest, .max_delay = longest},
           {.max_retries = 80, .base_delay = 1ns, .max_delay = longest, .multiplier = 1.7e308},
           {.max_retries = 80, .base_delay = 1ns, .max_delay = longest, .multiplier = 1.0001}}) {
    for (const Jitter jitter : all_jitters) {
      config.jitter = jitter;
      for (const auto total_timeout : {no_timeout, no_timeout - 1ns}) {
        config.total_timeout = total_timeout;
        const Delays made = waits(config, Largest{});
        CHECK(made.size() == 80);
        for (const auto wait : made) {
          if (wait < 0ns || wait > config.max_delay) FAIL("a wait outside [0, max_delay]");
        }
      }
    }
  }
}

TEST_CASE("R1 without jitter nothing is drawn", "[R1]") {
  Script generator;
  (void)waits({.max_retries = 5, .jitter = Jitter::none}, generator);
  CHECK(generator.draws() == 0);
}

TEST_CASE("R1 a base_delay of 0 never waits, one of max_delay never grows", "[R1]") {
  CHECK(waits({.base_delay = 0s}, Largest{}) == Delays{0s, 0s, 0s});
  CHECK(waits({.base_delay = 0s, .max_delay = 0s}, Largest{}) == Delays{0s, 0s, 0s});
  CHECK(waits({.base_delay = 3s, .max_delay = 3s}, Largest{}) == Delays{3s, 3s, 3s});
  CHECK(waits({.base_delay = 3s, .max_delay = 3s}, Smallest{}) == Delays{1500ms, 1500ms, 1500ms});
}

TEST_CASE("R1 without with_random the waits stay within the jitter's bounds", "[R1]") {
  test::FakeClock clock;
  (void)try_retry_with_backoff(Flaky{}, {.max_retries = 40}, clock);
  const Delays drawn = clock.sleeps();
  REQUIRE(drawn.size() == 40);
  for (std::uint32_t n = 0; n < 40; ++n) {
    CAPTURE(n);
    const auto most = exponential_delay({}, n);
    CHECK(drawn[n] >= most / 2);
    CHECK(drawn[n] <= most);
  }
}

TEST_CASE("T4 a call without a clock waits on SystemClock, which a test can replace", "[T4]") {
  const test::FakeClock fake;
  const test::ScopedSystemClock guard{fake};
  (void)try_retry_with_backoff(Flaky{}, {.jitter = Jitter::none});
  CHECK(fake.sleeps() == Delays{1s, 2s, 4s});
}

TEST_CASE("T3 a call with a clock leaves every other clock alone", "[T3]") {
  const test::FakeClock other;
  const test::ScopedSystemClock guard{other};
  const test::FakeClock clock;
  const auto begin = other.now();
  const auto result =
      try_retry_with_backoff(Flaky{}, {.jitter = Jitter::none, .total_timeout = 3500ms}, clock);
  CHECK(result.stats.stop_reason == StopReason::deadline);
  CHECK(clock.sleeps() == Delays{1s, 2s});
  CHECK(other.sleeps().empty());
  CHECK(other.now() == begin);
}

TEST_CASE("R3 a wait that would end before total_timeout is made, one that would reach it is not", "[R3]") {
  const auto attempts = [](std::chrono::nanoseconds total_timeout) {
    test::FakeClock clock;
    const auto result = try_retry_with_backoff(
        Flaky{}, {.max_retries = 3, .jitter = Jitter::none, .total_timeout = total_timeout}, clock);
    CHECK(clock.sleeps().size() + 1 == static_cast<std::size_t>(result.stats.attempts));
    CHECK(result.stats.stop_reason ==
          (result.stats.attempts == 4 ? StopReason::retries_exhausted : StopReason::deadline));
    return result.stats.attempts;
  };
  CHECK(attempts(1ns) == 1);
  CHECK(attempts(1s - 1ns) == 1);
  CHECK(attempts(1s) == 1);
  CHECK(attempts(1s + 1ns) == 2);
  CHECK(attempts(3s - 1ns) == 2);
  CHECK(attempts(3s) == 2);
  CHECK(attempts(3s + 1ns) == 3);
  CHECK(attempts(7s) == 3);
  CHECK(attempts(7s + 1ns) == 4);
}

TEST_CASE("R3 total_timeout counts from the first attempt, the time in attempts included", "[R3]") {
  const auto attempts = [](std::chrono::nanoseconds total_timeout) {
    test::FakeClock clock;
    clock.advance(1h);
    const auto slow = [&] {
      clock.advance(400ms);
      return make_error_code(NetworkErrc::timed_out);
    };
    return try_retry_with_backoff(slow, {.jitter = Jitter::none, .total_timeout = total_timeout}, clock)
        .stats.attempts;
  };
  CHECK(attempts(1400ms) == 1);
  CHECK(attempts(1400ms + 1ns) == 2);
  CHECK(attempts(3800ms) == 2);
  CHECK(attempts(3800ms + 1ns) == 3);
}

TEST_CASE("R3 stopping there costs no wait and gives the last error", "[R3]") {
  test::FakeClock clock;
  const auto op = [](const Attempt& attempt) { throw unavailable(std::to_string(attempt.number)); };
  CHECK_THROWS_WITH(retry_with_backoff(op, {.jitter = Jitter::none, .total_timeout = 2s}, clock), "2");
  CHECK(clock.sleeps() == Delays{1s});
}

TEST_CASE("R3 what counts is the wait as drawn", "[R3]") {
  const auto attempts = [](auto generator) {
    return try_retry_with_backoff(Flaky{},
                                  {.max_retries = 1, .jitter = Jitter::equal, .total_timeout = 500ms + 1ns},
                                  test::FakeClock{}, with_random(generator))
        .stats.attempts;
  };
  CHECK(attempts(Smallest{}) == 2);
  CHECK(attempts(Middle{}) == 1);
}

TEST_CASE("R3 what counts is the wait that Retry-After asks for", "[R3]") {
  const RetryConfig config{.max_retries = 1, .jitter = Jitter::none, .total_timeout = 5s};
  CHECK(asked_to_wait(4s, config, Smallest{}).waits == Delays{4s});
  CHECK(asked_to_wait(5s, config, Smallest{}).waits.empty());
  CHECK(asked_to_wait(5s, config, Smallest{}).reason == StopReason::deadline);
}

TEST_CASE("R3 an attempt that ends late may still succeed", "[R3]") {
  test::FakeClock clock;
  const auto result = retry_with_backoff(
      [&] {
        clock.advance(10s);
        return 7;
      },
      {.total_timeout = 1s}, clock);
  CHECK(result.value() == 7);
  CHECK(result.stats.stop_reason == StopReason::succeeded);
}

TEST_CASE("R3 once the time is over not even a wait of 0 is made", "[R3]") {
  const auto attempts = [](std::chrono::nanoseconds spent) {
    test::FakeClock clock;
    const auto op = [&] {
      clock.advance(spent);
      return make_error_code(NetworkErrc::timed_out);
    };
    return try_retry_with_backoff(op, {.max_retries = 1, .base_delay = 0s, .total_timeout = 1s}, clock)
        .stats.attempts;
  };
  CHECK(attempts(1s - 1ns) == 2);
  CHECK(attempts(1s) == 1);
  CHECK(attempts(2s) == 1);
}

TEST_CASE("R3 without a total_timeout, or with one beyond every timeline, time never stops a retry", "[R3]") {
  for (const auto total_timeout : {no_timeout, no_timeout - 1ns, no_timeout - 2h}) {
    CAPTURE(total_timeout);
    test::FakeClock clock;
    const auto result = try_retry_with_backoff(
        Flaky{}, {.max_retries = 40, .max_delay = 1h, .jitter = Jitter::none, .total_timeout = total_timeout},
        clock);
    CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
  }
}

TEST_CASE("T3 a wall clock that jumps moves no deadline", "[T3]") {
  test::FakeClock clock;
  auto op = [&, calls = 0]() mutable {
    clock.set_wall(clock.wall_now() + (++calls % 2 == 0 ? -48h : 48h));
    return make_error_code(NetworkErrc::timed_out);
  };
  const auto result = try_retry_with_backoff(op, {.jitter = Jitter::none, .total_timeout = 3s + 1ns}, clock);
  CHECK(result.stats.attempts == 3);
}

TEST_CASE("R5 Retry-After is waited, and up to base_delay more if jitter is on", "[R5]") {
  struct Row {
    Jitter jitter;
    std::chrono::nanoseconds smallest;
    std::chrono::nanoseconds middle;
    std::chrono::nanoseconds largest;
  };
  for (const Row& row : std::vector<Row>{{Jitter::none, 10s, 10s, 10s},
                                         {Jitter::full, 10s, 10500ms, 11s},
                                         {Jitter::equal, 10s, 10500ms, 11s},
                                         {Jitter::decorrelated, 10s, 10500ms, 11s}}) {
    CAPTURE(to_string(row.jitter));
    const RetryConfig config{.jitter = row.jitter};
    CHECK(one_wait(10s, config, Smallest{}) == row.smallest);
    CHECK(one_wait(10s, config, Middle{}) == row.middle);
    CHECK(one_wait(10s, config, Largest{}) == row.largest);
  }
}

TEST_CASE("R5 the added part never takes a wait beyond max_delay", "[R5]") {
  const RetryConfig config{.base_delay = 2s, .max_delay = 30s};
  CHECK(one_wait(28s, config, Largest{}) == 30s);
  CHECK(one_wait(29s, config, Smallest{}) == 29s);
  CHECK(one_wait(29s, config, Middle{}) == 29500ms);
  CHECK(one_wait(29s, config, Largest{}) == 30s);
  const RetryConfig fraction{.base_delay = 2s, .max_delay = 2500ms};
  CHECK(one_wait(2s, fraction, Largest{}) == 2500ms);
}

TEST_CASE("R5 a Retry-After of exactly max_delay is waited, whatever is drawn", "[R5]") {
  for (const Jitter jitter : all_jitters) {
    CAPTURE(to_string(jitter));
    const RetryConfig config{.jitter = jitter};
    CHECK(one_wait(30s, config, Smallest{}) == 30s);
    CHECK(one_wait(30s, config, Largest{}) == 30s);
  }
}

TEST_CASE("R5 a Retry-After beyond max_delay stops, with the original error and without a wait", "[R5]") {
  for (const Jitter jitter : all_jitters) {
    CAPTURE(to_string(jitter));
    const Asked call = asked_to_wait(31s, {.jitter = jitter}, Smallest{});
    CHECK(call.reason == StopReason::retry_after_too_long);
    CHECK(call.attempts == 1);
    CHECK(call.waits.empty());
  }
  const RetryConfig just_short{.max_delay = 2s - 1ns};
  CHECK(asked_to_wait(2s, just_short, Smallest{}).reason == StopReason::retry_after_too_long);
  CHECK(asked_to_wait(std::chrono::seconds::max(), {}, Smallest{}).reason ==
        StopReason::retry_after_too_long);
  CHECK_THROWS_WITH(
      retry_with_backoff([] { throw unavailable("in 90 s").with_retry_after(90s); }, test::FakeClock{}),
      "in 90 s");
}

TEST_CASE("R5 a drawn delay that is longer than the Retry-After is waited", "[R5]") {
  const RetryConfig config{.base_delay = 4s, .jitter = Jitter::none};
  CHECK(one_wait(1s, config, Smallest{}) == 4s);
  CHECK(one_wait(4s, config, Smallest{}) == 4s);
  CHECK(one_wait(5s, config, Smallest{}) == 5s);
  const RetryConfig equal{.base_delay = 4s, .jitter = Jitter::equal};
  CHECK(one_wait(1s, equal, Smallest{}) == 2s);
  CHECK(one_wait(3s, equal, Smallest{}) == 3s);
  const RetryConfig decorrelated{.base_delay = 4s, .jitter = Jitter::decorrelated};
  CHECK(one_wait(1s, decorrelated, Smallest{}) == 4s);
  CHECK(one_wait(1s, decorrelated, Largest{}) == 12s);
}

TEST_CASE("R5 a Retry-After of 0 asks for no wait, and neither does a negative one", "[R5]") {
  for (const auto none : {0s, -1s, -3600s, std::chrono::seconds::min()}) {
    CAPTURE(none);
    CHECK(one_wait(none, {.jitter = Jitter::none}, Smallest{}) == 1s);
    CHECK(one_wait(none, {.jitter = Jitter::equal}, Smallest{}) == 500ms);
    CHECK(one_wait(none, {.jitter = Jitter::equal}, Largest{}) == 1s);
    CHECK(one_wait(none, {.jitter = Jitter::full}, Smallest{}) == 0s);
  }
}

TEST_CASE("R5 without a base_delay nothing is added", "[R5]") {
  CHECK(one_wait(10s, {.base_delay = 0s}, Largest{}) == 10s);
}

TEST_CASE("R5 without honor_retry_after a Retry-After is ignored", "[R5]") {
  const RetryConfig config{.max_retries = 2, .honor_retry_after = false};
  CHECK(asked_to_wait(10s, config, Largest{}).waits == Delays{1s, 2s});
  CHECK(asked_to_wait(10s, config, Smallest{}).waits == Delays{500ms, 1s});
  const Asked longer = asked_to_wait(3600s, config, Largest{});
  CHECK(longer.waits == Delays{1s, 2s});
  CHECK(longer.reason == StopReason::retries_exhausted);
}

TEST_CASE("R5 each failure has its own Retry-After, and the backoff goes on beneath it", "[R5]") {
  test::FakeClock clock;
  const std::vector<std::optional<std::chrono::seconds>> asked{10s, std::nullopt, 3s, 20s, std::nullopt};
  const auto result = try_retry_with_backoff(
      [](const Attempt& attempt) { return attempt.number; }, {.max_retries = 5, .jitter = Jitter::none},
      clock, failure_if([&](int number) {
        const auto at = static_cast<std::size_t>(number - 1);
        return at < asked.size() ? std::optional{Failure::from_status(503, asked[at])} : std::nullopt;
      }));
  CHECK(result.has_value());
  CHECK(clock.sleeps() == Delays{10s, 2s, 4s, 20s, 16s});
}

TEST_CASE("R5 Retry-After is honoured on every status that is retried, and on a returned error", "[R5]") {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    CAPTURE(status);
    test::FakeClock clock;
    (void)try_retry_with_backoff(
        [] { return 0; }, {.max_retries = 1, .jitter = Jitter::none}, clock,
        failure_if([&](int) { return std::optional{Failure::from_status(status, 7s)}; }));
    CHECK(clock.sleeps() == Delays{7s});
  }
  using Result = support::Expected<int, ApiError>;
  test::FakeClock clock;
  (void)try_retry_with_backoff(
      [] { return Result{support::Unexpected{ApiError{ErrorCode::bad_gateway}.with_retry_after(6s)}}; },
      {.max_retries = 1, .jitter = Jitter::none}, clock);
  CHECK(clock.sleeps() == Delays{6s});
}

TEST_CASE("R5 on_retry gets the whole wait", "[R5]") {
  Delays given;
  test::FakeClock clock;
  (void)try_retry_with_backoff(
      []() -> int { throw unavailable().with_retry_after(10s); }, {.max_retries = 2}, clock,
      with_random(Largest{}),
      on_retry([&](int, const Failure&, std::chrono::nanoseconds wait) { given.push_back(wait); }));
  CHECK(given == Delays{11s, 11s});
  CHECK(clock.sleeps() == given);
}
