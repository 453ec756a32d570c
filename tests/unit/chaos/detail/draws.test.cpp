#include <fusebox/chaos.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::chaos_plan;

namespace {

constexpr auto all_bits = std::numeric_limits<std::uint64_t>::max();

/// Of 10,000 calls.
template <class Is>
int count(const ChaosConfig& config, std::uint64_t seed, Is is) {
  int hits = 0;
  for (std::uint64_t call = 0; call < 10'000; ++call) hits += is(chaos_plan(config, seed, call)) ? 1 : 0;
  return hits;
}
constexpr auto fails = [](const detail::ChaosPlan& plan) { return plan.fails; };
constexpr auto is_delayed = [](const detail::ChaosPlan& plan) { return plan.is_delayed; };
constexpr auto both = [](const detail::ChaosPlan& plan) { return plan.fails && plan.is_delayed; };

}  // namespace

TEST_CASE("X4 a rate of 0 hits no call, a rate of 1 every call", "[X4]") {
  STATIC_REQUIRE_FALSE(detail::is_hit(0, 0));
  STATIC_REQUIRE(detail::is_hit(all_bits, 1));
  STATIC_REQUIRE_FALSE(detail::is_hit(all_bits, 0.999999));
  STATIC_REQUIRE(detail::is_hit(0, 1e-9));
}

TEST_CASE("X4 rates are kept, and faults and delays are independent", "[X4]") {
  const ChaosConfig config{.fault_rate = 0.2, .latency_rate = 0.5};
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{7}, all_bits}) {
    // Four standard deviations: 160, 200 and 120.
    CHECK(count(config, seed, fails) == Approx(2'000).margin(160));
    CHECK(count(config, seed, is_delayed) == Approx(5'000).margin(200));
    CHECK(count(config, seed, both) == Approx(1'000).margin(120));
  }
}

TEST_CASE("X4 a call that is hit at one rate is hit at every higher rate", "[X4]") {
  for (std::uint64_t call = 0; call < 1'000; ++call) {
    const bool at_low = chaos_plan({.fault_rate = 0.1}, 3, call).fails;
    const bool at_high = chaos_plan({.fault_rate = 0.3}, 3, call).fails;
    CHECK((!at_low || at_high));
  }
}

TEST_CASE("X4 the plan is the same on every machine", "[X4]") {
  constexpr ChaosConfig config{
      .fault_rate = 0.5, .latency_rate = 0.5, .latency = 100ms, .latency_jitter = 50ms};
  const auto pattern = [&](std::uint64_t seed) {
    std::uint64_t bits = 0;
    for (std::uint64_t call = 0; call < 64; ++call)
      bits |= std::uint64_t{chaos_plan(config, seed, call).fails} << call;
    return bits;
  };
  CHECK(pattern(7) == 0x1ee6d5a9a711fe3d);
  CHECK(pattern(8) != pattern(7));
  CHECK(chaos_plan(config, 7, 0).delay == 58'669'822ns);
}

TEST_CASE("X3 a jitter is uniform around the latency", "[X3]") {
  constexpr ChaosConfig config{.latency_rate = 1, .latency = 100ms, .latency_jitter = 40ms};
  STATIC_REQUIRE(detail::drawn_latency(0, config) == 60ms);
  STATIC_REQUIRE(detail::drawn_latency(all_bits, config) == 140ms);
  STATIC_REQUIRE(detail::drawn_latency(all_bits / 2, config) == 100ms);
  STATIC_REQUIRE(detail::drawn_latency(all_bits / 4, config) == 80ms);
  std::chrono::nanoseconds sum{0};
  for (std::uint64_t call = 0; call < 1'000; ++call) sum += chaos_plan(config, 5, call).delay;
  CHECK(sum / 1'000 > 97ms);
  CHECK(sum / 1'000 < 103ms);
}

TEST_CASE("X3 a latency without a jitter is exact, also one without an end", "[X3]") {
  STATIC_REQUIRE(detail::drawn_latency(all_bits, {.latency = 3s}) == 3s);
  STATIC_REQUIRE(detail::drawn_latency(0, {.latency = no_timeout}) == no_timeout);
  STATIC_REQUIRE(detail::drawn_latency(all_bits, {.latency = no_timeout, .latency_jitter = 1s}) ==
                 no_timeout);
  STATIC_REQUIRE(detail::drawn_latency(0, {.latency = no_timeout, .latency_jitter = no_timeout}) == 0ns);
  STATIC_REQUIRE(chaos_plan({.latency_rate = 0, .latency = 3s}, 1, 1).delay == 0ns);
}
