#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::Breaker;
using support::fail;
using support::succeed;
using support::trip;

namespace {

/// The waits of the first opening and of those that follow it, each by a probe that fails at once.
std::vector<nanoseconds> waits_of(Breaker& breaker, std::size_t openings) {
  std::vector<nanoseconds> waits;
  trip(breaker);
  waits.push_back(breaker.retry_after());
  while (waits.size() < openings) {
    breaker.clock().advance(breaker.retry_after());
    fail(breaker);
    waits.push_back(breaker.retry_after());
  }
  return waits;
}

void reopen(Breaker& breaker) {
  breaker.clock().advance(breaker.retry_after());
  fail(breaker);
}

}  // namespace

TEST_CASE("B8 each re-opening multiplies the wait by reset_backoff, up to max_reset_timeout", "[B8]") {
  struct Row {
    nanoseconds reset_timeout;
    double reset_backoff;
    nanoseconds max_reset_timeout;
    std::vector<nanoseconds> waits;
  };
  const Row rows[] = {
      {60s, 1.0, 10min, {60s, 60s, 60s, 60s}},
      {10s, 1.5, 10min, {10s, 15s, 22'500ms, 33'750ms, 50'625ms}},
      {10s, 2.0, 10min, {10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s}},
      {10s, 3.0, 10min, {10s, 30s, 90s, 270s, 600s, 600s}},
      {10s, 10.0, 10min, {10s, 100s, 600s, 600s}},
      {1ns, 2.0, 10min, {1ns, 2ns, 4ns, 8ns, 16ns, 32ns}},
      {1s + 1ns, 2.0, 10min, {1s + 1ns, 2s + 2ns, 4s + 4ns, 8s + 8ns}},
      {10s, 2.0, 40s, {10s, 20s, 40s, 40s}},
      {10s, 2.0, 40s - 1ns, {10s, 20s, 40s - 1ns, 40s - 1ns}},
      {10s, 2.0, 40s + 1ns, {10s, 20s, 40s, 40s + 1ns}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reset_timeout.count(), row.reset_backoff, row.max_reset_timeout.count());
    Breaker breaker{"b",
                    {.failure_threshold = 2,
                     .reset_timeout = row.reset_timeout,
                     .reset_backoff = row.reset_backoff,
                     .max_reset_timeout = row.max_reset_timeout}};
    CHECK(waits_of(breaker, row.waits.size()) == row.waits);
  }
}

TEST_CASE("B8 a max_reset_timeout at or below reset_timeout turns the escalation off", "[B8]") {
  for (const nanoseconds max : {10s + 0ns, 10s - 1ns, 1ns, 0ns}) {
    CAPTURE(max.count());
    Breaker breaker{
        "b", {.failure_threshold = 1, .reset_timeout = 10s, .reset_backoff = 2.0, .max_reset_timeout = max}};
    CHECK(waits_of(breaker, 4) == std::vector<nanoseconds>{10s, 10s, 10s, 10s});
  }
}

TEST_CASE("B8 the escalation saturates, however often the breaker re-opens", "[B8]") {
  Breaker breaker{
      "b", {.failure_threshold = 1, .reset_timeout = 1s, .reset_backoff = 2.0, .max_reset_timeout = 1h}};
  const auto waits = waits_of(breaker, 300);
  CHECK(std::all_of(waits.begin() + 12, waits.end(), [](nanoseconds wait) { return wait == 1h; }));
}

TEST_CASE("B8 a wait beyond the end of the timeline ends there", "[B8]") {
  const auto left = [](const test::FakeClock& clock) {
    return nanoseconds::max() - nanoseconds{clock.now().time_since_epoch()};
  };
  test::FakeClock clock;
  SECTION("by reset_timeout") {
    Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = nanoseconds::max()}, clock};
    trip(breaker);
    CHECK(breaker.retry_after() == left(clock));
    clock.advance(24h * 365 * 100);
    CHECK_FALSE(breaker.try_acquire());
  }
  SECTION("by escalation") {
    struct Row {
      nanoseconds reset_timeout;
      double reset_backoff;
    };
    for (const Row row :
         {Row{24h * 365 * 200, 2.0}, Row{24h * 365 * 200, 1.5}, Row{1h, 1e9}, Row{1h, 1e300}}) {
      CAPTURE(row.reset_backoff);
      Breaker breaker{"b",
                      {.failure_threshold = 1,
                       .reset_timeout = row.reset_timeout,
                       .reset_backoff = row.reset_backoff,
                       .max_reset_timeout = nanoseconds::max()}};
      trip(breaker);
      reopen(breaker);
      CHECK(breaker.retry_after() == left(breaker.clock()));
      CHECK_FALSE(breaker.try_acquire());
    }
  }
}

TEST_CASE("B8 jitter takes up to reset_jitter of the wait off it, at random", "[B8]") {
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .reset_timeout = 60s,
                   .reset_backoff = 2.0,
                   .max_reset_timeout = 100s,
                   .reset_jitter = 0.25}};
  const auto waits = waits_of(breaker, 300);
  CHECK(waits[0] > 45s);
  CHECK(waits[0] <= 60s);
  const auto [shortest, longest] = std::minmax_element(waits.begin() + 1, waits.end());
  CHECK(*shortest > 75s);
  CHECK(*shortest < 80s);
  CHECK(*longest > 95s);
  CHECK(*longest <= 100s);
}

TEST_CASE("B8 a jitter of nearly the whole wait leaves a wait", "[B8]") {
  for (const nanoseconds reset_timeout : {nanoseconds{1}, nanoseconds{10}, nanoseconds{60s}}) {
    Breaker breaker{"b",
                    {.failure_threshold = 1, .reset_timeout = reset_timeout, .reset_jitter = 0.999'999'999}};
    for (const nanoseconds wait : waits_of(breaker, 200)) {
      CHECK(wait > 0ns);
      CHECK(wait <= reset_timeout);
    }
  }
}

TEST_CASE("B8 jitter is drawn once per opening", "[B8]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1h, .reset_jitter = 0.9}, clock};
  trip(breaker);
  const nanoseconds wait = breaker.retry_after();
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(breaker.try_acquire());
    CHECK(breaker.retry_after() == wait);
    CHECK(breaker.stats().retry_after == wait);
  }
  clock.advance(wait - 1ns);
  CHECK_FALSE(breaker.try_acquire());
  clock.advance(1ns);
  CHECK(breaker.try_acquire());
}

TEST_CASE("B8 two breakers with the same config draw different jitter", "[B8]") {
  const CircuitBreakerConfig config{.failure_threshold = 1, .reset_timeout = 1h, .reset_jitter = 0.9};
  Breaker one{"one", config};
  Breaker two{"two", config};
  CHECK(waits_of(one, 3) != waits_of(two, 3));
}

TEST_CASE("B8 the escalation starts anew after closing, reset() and force_open()", "[B8]") {
  test::FakeClock clock;
  Breaker breaker{
      "b",
      {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s, .reset_backoff = 2.0},
      clock};
  trip(breaker);
  reopen(breaker);
  reopen(breaker);
  REQUIRE(breaker.retry_after() == 40s);

  SECTION("after closing") {
    clock.advance(40s);
    succeed(breaker);
  }
  SECTION("after reset() of an open breaker") { breaker.reset(); }
  SECTION("after reset() of a half-open breaker") {
    clock.advance(40s);
    breaker.try_acquire().ignore();
    breaker.reset();
  }
  SECTION("after force_open()") {
    breaker.force_open();
    breaker.reset();
  }
  REQUIRE(breaker.state() == State::closed);
  trip(breaker);
  CHECK(breaker.retry_after() == 10s);
  reopen(breaker);
  CHECK(breaker.retry_after() == 20s);
}

TEST_CASE("B8 probes that neither open nor close leave the escalation as it is", "[B8]") {
  test::FakeClock clock;
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = 2,
                   .reset_timeout = 10s,
                   .probe_timeout = 1h,
                   .reset_backoff = 2.0},
                  clock};
  trip(breaker);
  reopen(breaker);
  clock.advance(20s);
  succeed(breaker);
  breaker.try_acquire().ignore();
  fail(breaker);
  CHECK(breaker.retry_after() == 40s);
}

TEST_CASE("T1 waits of 1 s and more are measured on the coarse clock, shorter ones on the fine clock",
          "[T1]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(3ms);

  SECTION("1 s: from one coarse reading to another") {
    Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s}, clock};
    trip(breaker);
    CHECK(breaker.retry_after() == 1s);
    clock.advance(997ms - 1ns);
    CHECK(breaker.retry_after() == 4ms);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.retry_after() == 0ns);
    CHECK(breaker.try_acquire());
  }
  SECTION("1 ns less: to the nanosecond") {
    Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s - 1ns}, clock};
    trip(breaker);
    clock.advance(1s - 2ns);
    CHECK(breaker.retry_after() == 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.try_acquire());
  }
  SECTION("1 s, of which jitter may take a part: to the nanosecond") {
    Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s, .reset_jitter = 0.5}, clock};
    trip(breaker);
    clock.advance(breaker.retry_after() - 1ns);
    CHECK(breaker.retry_after() == 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.try_acquire());
  }
  SECTION("a silent probe's time of 1 s and more, too") {
    Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 2s, .probe_timeout = 1s}, clock};
    trip(breaker);
    clock.advance(2s - 1ms);
    const Permit silent = breaker.try_acquire();
    REQUIRE(silent);
    clock.advance(1s - 2ms - 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.try_acquire());
  }
  SECTION("a silent probe's time below 1 s is kept to the nanosecond") {
    Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s, .probe_timeout = 10ms}, clock};
    trip(breaker);
    clock.advance(1s);
    const Permit silent = breaker.try_acquire();
    REQUIRE(silent);
    clock.advance(10ms - 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    CHECK(breaker.try_acquire());
  }
}
