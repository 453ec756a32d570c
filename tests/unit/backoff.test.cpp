#include <fusebox/backoff.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::Script;
using Waits = support::Delays;

namespace {

constexpr std::uint32_t last_n = std::numeric_limits<std::uint32_t>::max();
constexpr std::array<std::uint32_t, 17> all_kinds_of_n{
    0, 1, 2, 3, 10, 31, 32, 33, 61, 62, 63, 64, 1000, 65535, 0x7fffffffU, 0x80000000U, last_n};
constexpr std::array all_jitters{Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated};

constexpr nanoseconds delay(nanoseconds base, nanoseconds max, double multiplier, std::uint32_t n) {
  return exponential_delay(RetryConfig{.base_delay = base, .max_delay = max, .multiplier = multiplier}, n);
}

constexpr std::uint64_t smallest = Script::smallest;
constexpr std::uint64_t middle = Script::middle;
constexpr std::uint64_t largest = Script::largest;

/// The waits of a call that always fails.
template <class G>
Waits waits(const RetryConfig& config, G&& generator) {
  const test::FakeClock clock;
  const auto failing = [] { throw ApiError{ErrorCode::service_unavailable}; };
  (void)try_retry_with_backoff(failing, config, clock, with_random(generator));
  return clock.sleeps();
}

Waits waits(const RetryConfig& config, std::uint64_t always) { return waits(config, Script{{always}}); }

/// Can F be called in a constant expression?
template <class F, std::int64_t = F{}()>
constexpr bool is_constant(F) {
  return true;
}
[[maybe_unused]] constexpr bool is_constant(...) { return false; }

static_assert(delay(1s, 30s, 2.0, 0) == 1s);
static_assert(delay(1s, 30s, 2.0, 4) == 16s);
static_assert(delay(1s, 30s, 2.0, 5) == 30s);
static_assert(delay(1s, 30s, 1.5, 2) == 2250ms);
static_assert(noexcept(exponential_delay(std::declval<const RetryConfig&>(), 0)));
static_assert(to_string(Jitter::full) == "full");

}  // namespace

TEST_CASE("Jitter is written in words") {
  CHECK(to_string(Jitter::none) == "none");
  CHECK(to_string(Jitter::full) == "full");
  CHECK(to_string(Jitter::equal) == "equal");
  CHECK(to_string(Jitter::decorrelated) == "decorrelated");
}

TEST_CASE("R1 the delay grows by the multiplier from base_delay, n from 0, up to max_delay") {
  struct Row {
    RetryConfig config;
    std::vector<nanoseconds> delays;
  };
  const std::vector<Row> rows{
      {{}, {1s, 2s, 4s, 8s, 16s, 30s, 30s}},
      {retry_presets::quick, {500ms, 1s, 2s, 4s, 5s, 5s}},
      {retry_presets::standard, {1s, 2s, 4s, 8s, 16s, 30s, 30s}},
      {retry_presets::slow, {2s, 4s, 8s, 16s, 32s, 60s, 60s}},
      {retry_presets::aggressive, {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s}},
      {{.base_delay = 100ms, .max_delay = 1s, .multiplier = 1.0}, {100ms, 100ms, 100ms, 100ms}},
      {{.base_delay = 100ms, .max_delay = 600ms, .multiplier = 1.5},
       {100ms, 150ms, 225ms, 337500us, 506250us, 600ms}},
      {{.base_delay = 100ms, .max_delay = 10s, .multiplier = 3.0},
       {100ms, 300ms, 900ms, 2700ms, 8100ms, 10s}},
      {{.base_delay = 1ms, .max_delay = 1h, .multiplier = 10.0},
       {1ms, 10ms, 100ms, 1s, 10s, 100s, 1000s, 1h}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.config.base_delay.count(), row.config.multiplier);
    for (std::size_t n = 0; n < row.delays.size(); ++n) {
      CAPTURE(n);
      CHECK(exponential_delay(row.config, static_cast<std::uint32_t>(n)) == row.delays[n]);
    }
  }
}

TEST_CASE("R1 the delay is total: for every n it is in [base_delay, max_delay]") {
  for (const double multiplier : {1.0, std::nextafter(1.0, 2.0), 1.5, 2.0, std::nextafter(2.0, 3.0), 3.0,
                                  10.0, 1e18, 1e308, std::numeric_limits<double>::max()}) {
    for (const auto& [base, max] :
         std::vector<std::pair<nanoseconds, nanoseconds>>{{0ns, 0ns},
                                                          {0ns, 30s},
                                                          {1ns, 1ns},
                                                          {1ns, 2ns},
                                                          {1ns, nanoseconds::max()},
                                                          {1s, 30s},
                                                          {30s, 30s},
                                                          {1s, nanoseconds::max()},
                                                          {nanoseconds::max(), nanoseconds::max()}}) {
      nanoseconds previous = base;
      for (const std::uint32_t n : all_kinds_of_n) {
        CAPTURE(multiplier, base.count(), max.count(), n);
        const nanoseconds now = delay(base, max, multiplier, n);
        CHECK(now >= previous);
        CHECK(now <= max);
        previous = now;
      }
    }
  }
}

TEST_CASE("R1 the delay is exact for multiplier 2") {
  for (const nanoseconds base : {1ns, 3ns, 999'999'999ns, 1'000'000'007ns, nanoseconds{(1LL << 53U) + 1}}) {
    for (const nanoseconds max : {nanoseconds{30s}, nanoseconds{(1LL << 62U) + 1}, nanoseconds::max()}) {
      nanoseconds exact = base < max ? base : max;
      for (std::uint32_t n = 0; n < 70; ++n) {
        CAPTURE(base.count(), max.count(), n);
        CHECK(delay(base, max, 2.0, n) == exact);
        exact = exact.count() > max.count() / 2 ? max : 2 * exact;
      }
    }
  }
  CHECK(delay(1ns, nanoseconds::max(), 2.0, 62) == nanoseconds{1LL << 62U});
  CHECK(delay(1ns, nanoseconds::max(), 2.0, 63) == nanoseconds::max());
}

TEST_CASE("R1 the delay is exact wherever doubles are") {
  std::int64_t power_of_3 = 1;
  for (std::uint32_t n = 0; n <= 33; ++n, power_of_3 *= 3) {  // 3^33 < 2^53
    CAPTURE(n);
    CHECK(delay(1ns, nanoseconds::max(), 3.0, n) == nanoseconds{power_of_3});
  }
  std::int64_t power_of_4 = 1'000'000;
  for (std::uint32_t n = 0; n <= 16; ++n, power_of_4 *= 4) {
    CAPTURE(n);
    CHECK(delay(1ms, nanoseconds::max(), 4.0, n) == nanoseconds{power_of_4});
  }
}

TEST_CASE("R1 the delay saturates at max_delay, just at it and just below") {
  CHECK(delay(1s, 16s, 2.0, 4) == 16s);
  CHECK(delay(1s, 16s - 1ns, 2.0, 4) == 16s - 1ns);
  CHECK(delay(1s, 16s + 1ns, 2.0, 4) == 16s);
  CHECK(delay(1s, 27s, 3.0, 3) == 27s);
  CHECK(delay(1s, 27s - 1ns, 3.0, 3) == 27s - 1ns);
  CHECK(delay(1s, 27s + 1ns, 3.0, 3) == 27s);
  CHECK(delay(1s, nanoseconds::max(), 3.0, last_n) == nanoseconds::max());
  CHECK(delay(1s, nanoseconds::max(), 1e308, 1) == nanoseconds::max());
  CHECK(delay(1s, nanoseconds::max(), 1e308, last_n) == nanoseconds::max());
  CHECK(delay(1ns, nanoseconds::max(), 1e18, 1) == nanoseconds{1'000'000'000'000'000'000});
  CHECK(delay(1ns, nanoseconds::max(), 1e19, 1) == nanoseconds::max());
  CHECK(delay(2ns, nanoseconds::max(), 4.0, 31) == nanoseconds::max());  // 2^63, which no integer holds
}

TEST_CASE("R1 the delay is a constant for every n, also where the power is beyond what a double holds") {
  CHECK(is_constant([] { return delay(1s, 30s, 3.0, 0).count(); }));
  CHECK(is_constant([] { return delay(1s, 30s, 3.0, 64).count(); }));
  CHECK(is_constant([] { return delay(1s, 30s, 2.0, last_n).count(); }));
  CHECK(is_constant([] { return delay(1s, 30s, 1.5, last_n).count(); }));
  CHECK(is_constant([] { return delay(1s, 30s, 3.0, 0x80000000U).count(); }));
  CHECK(is_constant([] { return delay(1ns, nanoseconds::max(), 1e308, 2).count(); }));
}

TEST_CASE("R1 a base_delay of 0 stays 0, and one that is max_delay stays that") {
  for (const std::uint32_t n : all_kinds_of_n) {
    for (const double multiplier : {1.0, 1.5, 2.0, 1e308}) {
      CAPTURE(n, multiplier);
      CHECK(delay(0ns, 30s, multiplier, n) == 0ns);
      CHECK(delay(0ns, 0ns, multiplier, n) == 0ns);
      CHECK(delay(7s, 7s, multiplier, n) == 7s);
      CHECK(delay(nanoseconds::max(), nanoseconds::max(), multiplier, n) == nanoseconds::max());
    }
  }
}

TEST_CASE("R1 a multiplier of 1 stays at base_delay for every n") {
  for (const std::uint32_t n : all_kinds_of_n) {
    CHECK(delay(250ms, 30s, 1.0, n) == 250ms);
    CHECK(delay(nanoseconds{(1LL << 60U) + 1}, nanoseconds::max(), 1.0, n) == nanoseconds{(1LL << 60U) + 1});
  }
}

TEST_CASE("R1 each jitter spreads a delay over exactly its range") {
  struct Row {
    Jitter jitter;
    nanoseconds delay;
    nanoseconds low;
    nanoseconds mid;
    nanoseconds high;
  };
  for (const Row& row :
       {Row{Jitter::none, 100ms, 100ms, 100ms, 100ms}, Row{Jitter::full, 100ms, 0ms, 50ms, 100ms},
        Row{Jitter::equal, 100ms, 50ms, 75ms, 100ms}, Row{Jitter::none, 7ns, 7ns, 7ns, 7ns},
        Row{Jitter::full, 7ns, 0ns, 4ns, 7ns}, Row{Jitter::equal, 7ns, 3ns, 5ns, 7ns},
        Row{Jitter::full, 1ns, 0ns, 1ns, 1ns}, Row{Jitter::equal, 1ns, 0ns, 1ns, 1ns},
        Row{Jitter::full, 0ns, 0ns, 0ns, 0ns}, Row{Jitter::equal, 0ns, 0ns, 0ns, 0ns},
        Row{Jitter::full, nanoseconds::max(), 0ns, nanoseconds{1LL << 62U}, nanoseconds::max()},
        Row{Jitter::equal, nanoseconds::max(), nanoseconds::max() / 2, nanoseconds::max() / 4 * 3 + 2ns,
            nanoseconds::max()}}) {
    CAPTURE(to_string(row.jitter), row.delay.count());
    const auto spread = [&](std::uint64_t bits) {
      Script generator{{bits}};
      return detail::spread(row.delay, row.jitter, 1ns, nanoseconds::max(), 1ns, generator);
    };
    CHECK(spread(smallest) == row.low);
    CHECK(spread(middle) == row.mid);
    CHECK(spread(largest) == row.high);
  }
}

TEST_CASE(
    "R1 decorrelated jitter is between base_delay and three times the previous delay, up to max_delay") {
  struct Row {
    nanoseconds base;
    nanoseconds max;
    nanoseconds previous;
    nanoseconds high;
  };
  for (const Row& row : {Row{1s, 30s, 1s, 3s}, Row{1s, 30s, 3s, 9s}, Row{1s, 30s, 10s - 1ns, 30s - 3ns},
                         Row{1s, 30s, 10s, 30s}, Row{1s, 30s, 10s + 1ns, 30s}, Row{1s, 30s, 30s, 30s},
                         Row{1s, 1s, 1s, 1s}, Row{0s, 30s, 0s, 0s}, Row{0s, 0s, 0s, 0s}, Row{0s, 30s, 2s, 6s},
                         Row{1ns, nanoseconds::max(), nanoseconds::max() / 3, nanoseconds::max() / 3 * 3},
                         Row{1ns, nanoseconds::max(), nanoseconds::max() / 3 + 1ns, nanoseconds::max()},
                         Row{1ns, nanoseconds::max(), nanoseconds::max(), nanoseconds::max()}}) {
    CAPTURE(row.base.count(), row.max.count(), row.previous.count());
    const auto spread = [&](std::uint64_t bits) {
      Script generator{{bits}};
      return detail::spread(12345ns, Jitter::decorrelated, row.base, row.max, row.previous, generator);
    };
    CHECK(spread(smallest) == row.base);
    CHECK(spread(largest) == row.high);
    const nanoseconds mid = spread(middle);
    CHECK(mid - row.base <= row.high - mid + 1ns);
    CHECK(row.high - mid <= mid - row.base + 1ns);
  }
}

TEST_CASE("R1 a retry waits by its jitter: none waits the delays themselves, without a draw") {
  const RetryConfig config{.max_retries = 6, .jitter = Jitter::none};
  const Waits delays{1s, 2s, 4s, 8s, 16s, 30s};
  CHECK(waits(config, smallest) == delays);
  CHECK(waits(config, largest) == delays);
  Script script;
  CHECK(waits(config, script) == delays);
  CHECK(script.draws() == 0);
}

TEST_CASE("R1 a retry waits by its jitter: full from 0 to the delay") {
  const RetryConfig config{.max_retries = 6, .jitter = Jitter::full};
  CHECK(waits(config, smallest) == Waits(6, 0s));
  CHECK(waits(config, middle) == Waits{500ms, 1s, 2s, 4s, 8s, 15s});
  CHECK(waits(config, largest) == Waits{1s, 2s, 4s, 8s, 16s, 30s});
}

TEST_CASE("R1 a retry waits by its jitter: equal, the default, from half the delay to the delay") {
  CHECK(RetryConfig{}.jitter == Jitter::equal);
  const RetryConfig config{.max_retries = 6};
  CHECK(waits(config, smallest) == Waits{500ms, 1s, 2s, 4s, 8s, 15s});
  CHECK(waits(config, middle) == Waits{750ms, 1500ms, 3s, 6s, 12s, 22500ms});
  CHECK(waits(config, largest) == Waits{1s, 2s, 4s, 8s, 16s, 30s});
}

TEST_CASE("R1 a retry waits by its jitter: decorrelated from base_delay to three times the wait before") {
  const RetryConfig config{.max_retries = 6, .jitter = Jitter::decorrelated};
  CHECK(waits(config, smallest) == Waits(6, 1s));
  CHECK(waits(config, largest) == Waits{3s, 9s, 27s, 30s, 30s, 30s});
  CHECK(waits(config, middle) == Waits{2s, 3500ms, 5750ms, 9125ms, 14187500us, 15500ms});
  CHECK(waits(config, Script{{largest, largest, smallest, largest, middle, smallest}}) ==
        Waits{3s, 9s, 1s, 3s, 5s, 1s});
}

TEST_CASE("R1 decorrelated jitter does not depend on the multiplier") {
  for (const double multiplier : {1.0, 2.0, 10.0}) {
    const RetryConfig config{.max_retries = 4, .multiplier = multiplier, .jitter = Jitter::decorrelated};
    CHECK(waits(config, largest) == Waits{3s, 9s, 27s, 30s});
  }
}

TEST_CASE("R1 no wait passes the cap, and waits still spread at the cap") {
  for (const Jitter jitter : all_jitters) {
    for (const double multiplier : {1.5, 2.0, 1e308}) {
      CAPTURE(to_string(jitter), multiplier);
      const RetryConfig config{
          .max_retries = 100, .max_delay = 5s, .multiplier = multiplier, .jitter = jitter};
      const Waits longest = waits(config, largest);
      CHECK(longest.size() == 100);
      for (const nanoseconds wait : longest) CHECK(wait <= 5s);
      CHECK(longest.back() == 5s);

      const Waits drawn = waits(config, std::mt19937_64{7});
      const std::set<nanoseconds> at_the_cap(drawn.begin() + 10, drawn.end());
      if (jitter == Jitter::none) {
        CHECK(at_the_cap == std::set<nanoseconds>{5s});
      } else {
        CHECK(at_the_cap.size() == 90);
        CHECK(*at_the_cap.rbegin() <= 5s);
        CHECK(*at_the_cap.rbegin() > 4s);
        CHECK(*at_the_cap.begin() < 3s);
      }
    }
  }
}

TEST_CASE("R1 every jitter is total for every n, at the ends of what time can hold") {
  for (const Jitter jitter : all_jitters) {
    for (const std::uint32_t n : all_kinds_of_n) {
      for (const std::uint64_t bits : {smallest, middle, largest}) {
        for (const nanoseconds max : {nanoseconds{1s}, nanoseconds{30s}, nanoseconds::max()}) {
          CAPTURE(to_string(jitter), n, bits, max.count());
          Script generator{{bits}};
          const nanoseconds grown = delay(1s, max, 2.0, n);
          const nanoseconds spread = detail::spread(grown, jitter, 1s, max, grown, generator);
          CHECK(spread >= 0ns);
          CHECK(spread <= max);
        }
      }
    }
  }
}

TEST_CASE("R1 a generator of any range spreads a delay over all of its range") {
  std::minstd_rand small_range{1};
  std::mt19937 half_range{1};
  const RetryConfig config{.max_retries = 1000, .base_delay = 1s, .max_delay = 1s, .jitter = Jitter::full};
  for (const Waits& drawn : {waits(config, small_range), waits(config, half_range)}) {
    const std::set<nanoseconds> sorted(drawn.begin(), drawn.end());
    CHECK(*sorted.begin() < 10ms);
    CHECK(*sorted.rbegin() > 990ms);
    CHECK(sorted.size() > 990);
  }
}
