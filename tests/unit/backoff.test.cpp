#include <fusebox/backoff.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "catch.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::Script;

namespace {

constexpr double largest_double = std::numeric_limits<double>::max();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr nanoseconds longest = nanoseconds::max();
constexpr std::uint32_t last_n = std::numeric_limits<std::uint32_t>::max();
constexpr std::array<std::uint32_t, 17> all_kinds_of_n{
    0, 1, 2, 3, 10, 31, 32, 33, 61, 62, 63, 64, 1000, 65535, 0x7fffffffU, 0x80000000U, last_n};

constexpr nanoseconds delay(nanoseconds base, nanoseconds max, double multiplier, std::uint32_t n) {
  return detail::exponential_delay(base, max, multiplier, n);
}

/// Are these the delays, n from 0?
constexpr bool grows(nanoseconds base, nanoseconds max, double multiplier,
                     std::initializer_list<nanoseconds> delays) {
  std::uint32_t n = 0;
  for (const nanoseconds expected : delays) {
    if (delay(base, max, multiplier, n++) != expected) return false;
  }
  return true;
}

/// Is every delay at least the one before, from base to max?
constexpr bool never_shrinks(double multiplier) {
  struct Range {
    nanoseconds base;
    nanoseconds max;
  };
  for (const auto& [base, max] :
       {Range{0ns, 0ns}, Range{0ns, 30s}, Range{1ns, 1ns}, Range{1ns, 2ns}, Range{1ns, longest},
        Range{1s, 30s}, Range{30s, 30s}, Range{1s, longest}, Range{longest, longest}}) {
    nanoseconds previous = base;
    for (const std::uint32_t n : all_kinds_of_n) {
      const nanoseconds now = delay(base, max, multiplier, n);
      if (now < previous || now > max) return false;
      previous = now;
    }
  }
  return true;
}

constexpr bool is_exact_for_2(nanoseconds base) {
  for (const nanoseconds max : {nanoseconds{30s}, nanoseconds{(1LL << 62U) + 1}, longest}) {
    nanoseconds exact = base < max ? base : max;
    for (std::uint32_t n = 0; n < 70; ++n) {
      if (delay(base, max, 2.0, n) != exact) return false;
      exact = exact.count() > max.count() / 2 ? max : 2 * exact;
    }
  }
  return true;
}

/// Are the first delays the powers of a multiplier other than 2?
constexpr bool is_exact_for(std::int64_t multiplier, nanoseconds base, std::uint32_t powers) {
  nanoseconds exact = base;
  for (std::uint32_t n = 0; n <= powers; ++n, exact *= multiplier) {
    if (delay(base, longest, static_cast<double>(multiplier), n) != exact) return false;
  }
  return true;
}

constexpr bool stays_at(nanoseconds base, nanoseconds max, double multiplier) {
  for (const std::uint32_t n : all_kinds_of_n) {
    if (delay(base, max, multiplier, n) != base) return false;
  }
  return true;
}

constexpr std::uint64_t smallest = Script::smallest;
constexpr std::uint64_t middle = Script::middle;
constexpr std::uint64_t largest = Script::largest;

static_assert(to_string(Jitter::none) == "none");
static_assert(to_string(Jitter::full) == "full");
static_assert(to_string(Jitter::equal) == "equal");
static_assert(to_string(Jitter::decorrelated) == "decorrelated");
static_assert(to_string(Jitter::proportional) == "proportional");

}  // namespace

TEST_CASE("R1 the delay grows by the multiplier, n from 0, up to the cap", "[R1]") {
  static_assert(grows(1s, 30s, 2.0, {1s, 2s, 4s, 8s, 16s, 30s, 30s}));
  static_assert(grows(500ms, 5s, 2.0, {500ms, 1s, 2s, 4s, 5s, 5s}));
  static_assert(grows(100ms, 1s, 1.0, {100ms, 100ms, 100ms, 100ms}));
  static_assert(grows(100ms, 600ms, 1.5, {100ms, 150ms, 225ms, 337500us, 506250us, 600ms}));
  static_assert(grows(100ms, 10s, 3.0, {100ms, 300ms, 900ms, 2700ms, 8100ms, 10s}));
  static_assert(grows(1ms, 1h, 10.0, {1ms, 10ms, 100ms, 1s, 10s, 100s, 1000s, 1h}));
  SUCCEED();
}

TEST_CASE("R1 the delay is total: for every n it is between its base and the cap", "[R1]") {
  static_assert(never_shrinks(1.0) && never_shrinks(1 + epsilon) && never_shrinks(1.5));
  static_assert(never_shrinks(2.0) && never_shrinks(2 + 2 * epsilon) && never_shrinks(3.0));
  static_assert(never_shrinks(10.0) && never_shrinks(1e18) && never_shrinks(1e308));
  static_assert(never_shrinks(largest_double));
  SUCCEED();
}

TEST_CASE("R1 the delay is exact for multiplier 2, and wherever doubles are", "[R1]") {
  static_assert(is_exact_for_2(1ns) && is_exact_for_2(3ns) && is_exact_for_2(999'999'999ns));
  static_assert(is_exact_for_2(1'000'000'007ns) && is_exact_for_2(nanoseconds{(1LL << 53U) + 1}));
  static_assert(delay(1ns, longest, 2.0, 62) == nanoseconds{1LL << 62U});
  static_assert(delay(1ns, longest, 2.0, 63) == longest);
  static_assert(is_exact_for(3, 1ns, 33));  // 3^33 < 2^53
  static_assert(is_exact_for(4, 1ms, 16));
  SUCCEED();
}

TEST_CASE("R1 the delay saturates at the cap, just at it and just below", "[R1]") {
  static_assert(delay(1s, 16s, 2.0, 4) == 16s);
  static_assert(delay(1s, 16s - 1ns, 2.0, 4) == 16s - 1ns);
  static_assert(delay(1s, 16s + 1ns, 2.0, 4) == 16s);
  static_assert(delay(1s, 27s, 3.0, 3) == 27s);
  static_assert(delay(1s, 27s - 1ns, 3.0, 3) == 27s - 1ns);
  static_assert(delay(1s, 27s + 1ns, 3.0, 3) == 27s);
  static_assert(delay(1s, longest, 3.0, last_n) == longest);
  static_assert(delay(1s, longest, 1e308, 1) == longest);
  static_assert(delay(1s, longest, 1e308, last_n) == longest);
  static_assert(delay(1ns, longest, 1e18, 1) == nanoseconds{1'000'000'000'000'000'000});
  static_assert(delay(1ns, longest, 1e19, 1) == longest);
  static_assert(delay(2ns, longest, 4.0, 31) == longest);  // 2^63, which no integer holds
  SUCCEED();
}

TEST_CASE("R1 a base of 0 stays 0, one at the cap and one with multiplier 1 stay what they are", "[R1]") {
  for (const double multiplier : {1.0, 1.5, 2.0, 1e308}) {
    CAPTURE(multiplier);
    CHECK(stays_at(0ns, 30s, multiplier));
    CHECK(stays_at(0ns, 0ns, multiplier));
    CHECK(stays_at(7s, 7s, multiplier));
    CHECK(stays_at(longest, longest, multiplier));
  }
  static_assert(stays_at(250ms, 30s, 1.0));
  static_assert(stays_at(nanoseconds{(1LL << 60U) + 1}, longest, 1.0));
}

TEST_CASE("R1 each jitter spreads a delay over exactly its range", "[R1]") {
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
        Row{Jitter::full, longest, 0ns, nanoseconds{1LL << 62U}, longest},
        Row{Jitter::equal, longest, longest / 2, longest / 4 * 3 + 2ns, longest}}) {
    CAPTURE(to_string(row.jitter), row.delay.count());
    const auto spread = [&](std::uint64_t bits) {
      Script generator{{bits}};
      return detail::spread(row.delay, row.jitter, 1ns, longest, 1ns, generator);
    };
    CHECK(spread(smallest) == row.low);
    CHECK(spread(middle) == row.mid);
    CHECK(spread(largest) == row.high);
  }
}

TEST_CASE("R1 decorrelated jitter is between the base and three times the previous delay, up to the cap",
          "[R1]") {
  struct Row {
    nanoseconds base;
    nanoseconds max;
    nanoseconds previous;
    nanoseconds high;
  };
  for (const Row& row :
       {Row{1s, 30s, 1s, 3s}, Row{1s, 30s, 3s, 9s}, Row{1s, 30s, 10s - 1ns, 30s - 3ns},
        Row{1s, 30s, 10s, 30s}, Row{1s, 30s, 10s + 1ns, 30s}, Row{1s, 30s, 30s, 30s}, Row{1s, 1s, 1s, 1s},
        Row{0s, 30s, 0s, 0s}, Row{0s, 0s, 0s, 0s}, Row{0s, 30s, 2s, 6s},
        Row{1ns, longest, longest / 3, longest / 3 * 3}, Row{1ns, longest, longest / 3 + 1ns, longest},
        Row{1ns, longest, longest, longest}}) {
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

TEST_CASE("R1 proportional jitter spreads a delay by a factor to both sides, up to the cap", "[R1]") {
  struct Row {
    nanoseconds delay;
    nanoseconds max;
    double factor;
    nanoseconds low;
    nanoseconds high;
  };
  for (const Row& row :
       {Row{100ms, 30s, 0.25, 75ms, 125ms}, Row{100ms, 30s, 0.1, 90ms, 110ms},
        Row{100ms, 30s, 0, 100ms, 100ms}, Row{100ms, 30s, 1, 0ms, 200ms},
        Row{100ms, 110ms, 0.25, 75ms, 110ms}, Row{100ms, 100ms, 0.25, 75ms, 100ms},
        Row{3ns, 30s, 0.25, 3ns, 3ns}, Row{4ns, 30s, 0.25, 3ns, 5ns}, Row{0ns, 30s, 0.5, 0ns, 0ns},
        Row{longest, longest, 1, 0ns, longest}, Row{longest - 1ns, longest, 1, 0ns, longest},
        Row{longest / 2, longest, 1, 0ns, longest - 1ns}}) {
    CAPTURE(row.delay.count(), row.max.count(), row.factor);
    const auto spread = [&](std::uint64_t bits) {
      Script generator{{bits}};
      return detail::spread(row.delay, Jitter::proportional, 1ns, row.max, 1ns, generator, row.factor);
    };
    CHECK(spread(smallest) == row.low);
    CHECK(spread(largest) == row.high);
    const nanoseconds mid = spread(middle);
    CHECK(mid - row.low <= row.high - mid + 1ns);
    CHECK(row.high - mid <= mid - row.low + 1ns);
  }
}

TEST_CASE("R1 a share of a delay is in [0, delay] for every factor below 1", "[R1]") {
  for (const double factor : {0.0, 5e-324, 0.1, 0.5, 1 - 0x1p-53}) {
    for (const nanoseconds delay : {0ns, 1ns, nanoseconds{(1LL << 53U) + 1}, longest - 1ns, longest}) {
      CAPTURE(factor, delay.count());
      const auto share = detail::share_of(delay.count(), factor);
      CHECK(share >= 0);
      CHECK(share <= delay.count());
    }
  }
  STATIC_REQUIRE(detail::share_of(1000, 0.25) == 250);
}

TEST_CASE("R1 every jitter is total for every n, at the ends of what time can hold", "[R1]") {
  for (const Jitter jitter :
       {Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated, Jitter::proportional}) {
    for (const std::uint32_t n : all_kinds_of_n) {
      for (const std::uint64_t bits : {smallest, middle, largest}) {
        for (const nanoseconds max : {nanoseconds{1s}, nanoseconds{30s}, longest}) {
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
