#include <fusebox/throttle/detail/shedding.hpp>

#include <cstdint>
#include <limits>
#include <numeric>

#include "catch.hpp"

using namespace fusebox;
using detail::CallCounts;
using detail::Shedding;
using detail::WindowCounts;

namespace {

constexpr ThrottleConfig plain{.k = 2, .max_rejection = 0.95, .minimum_calls = 20};

/// Normal calls alone.
constexpr CallCounts normal(std::uint64_t requests, std::uint64_t accepts) {
  return {{0, requests, 0, 0}, accepts};
}
constexpr double share(const CallCounts& calls, Priority priority, const ThrottleConfig& config = plain) {
  return Shedding::of({calls, {}}, config).of(priority, config.max_rejection);
}

}  // namespace

TEST_CASE("V1 the share is (requests - k accepts) / (requests + 1), from 0 to max_rejection", "[V1]") {
  STATIC_REQUIRE(rejection_ratio(normal(100, 100), plain) == 0);
  STATIC_REQUIRE(rejection_ratio(normal(100, 50), plain) == 0);
  STATIC_REQUIRE(rejection_ratio(normal(100, 49), plain) == 2.0 / 101);
  STATIC_REQUIRE(rejection_ratio(normal(100, 20), plain) == 60.0 / 101);
  STATIC_REQUIRE(rejection_ratio(normal(100, 20), {.k = 1.5}) == 70.0 / 101);
  STATIC_REQUIRE(rejection_ratio(normal(100, 1), plain) == 0.95);
  STATIC_REQUIRE(rejection_ratio(normal(100, 0), {.max_rejection = 1}) == 100.0 / 101);
  STATIC_REQUIRE(rejection_ratio(normal(100, 0), {.max_rejection = 0}) == 0);
  constexpr std::uint64_t many = std::numeric_limits<std::uint64_t>::max() / 2;
  STATIC_REQUIRE(rejection_ratio(normal(many, many / 4), plain) == 0.5);
}

TEST_CASE("V1 nothing is rejected below minimum_calls", "[V1]") {
  STATIC_REQUIRE(rejection_ratio(normal(19, 0), plain) == 0);
  STATIC_REQUIRE(rejection_ratio(normal(20, 1), plain) == 18.0 / 21);
  STATIC_REQUIRE(rejection_ratio(normal(0, 0), {.minimum_calls = 0}) == 0);
  STATIC_REQUIRE(rejection_ratio(normal(1, 0), {.minimum_calls = 0}) == 0.5);
}

TEST_CASE("V4 with calls of one priority the share is that of all calls, to the bit", "[V4]") {
  for (std::uint64_t requests = 20; requests < 400; ++requests) {
    for (std::uint64_t accepts = 0; accepts <= requests; accepts += 7) {
      for (std::size_t index = 0; index < detail::priority_count; ++index) {
        CallCounts calls;
        calls.requests[index] = requests;
        calls.accepts = accepts;
        const double ratio = rejection_ratio(calls, plain);
        if (share(calls, static_cast<Priority>(index)) != ratio) FAIL(requests << " " << accepts);
      }
    }
  }
}

TEST_CASE("V4 the lowest priority is rejected first, as far as max_rejection allows", "[V4]") {
  constexpr ThrottleConfig half{.max_rejection = 0.5};
  // p = (400 - 2 x 150) / 401. Background takes half of its quarter, the rest is for the others.
  constexpr CallCounts calls{{100, 100, 100, 100}, 150};
  constexpr double p = 100.0 / 401;
  STATIC_REQUIRE(share(calls, Priority::background, half) == 0.5);
  STATIC_REQUIRE(share(calls, Priority::sheddable, half) == (p - 0.5 * 0.25) / 0.25);
  STATIC_REQUIRE(share(calls, Priority::normal, half) == 0);
  STATIC_REQUIRE(share(calls, Priority::critical, half) == 0);
  // Background alone is enough.
  STATIC_REQUIRE(share({{100, 100, 100, 100}, 175}, Priority::background, half) == (50.0 / 401) / 0.25);
  STATIC_REQUIRE(share({{100, 100, 100, 100}, 175}, Priority::sheddable, half) == 0);
}

TEST_CASE("V4 critical calls are rejected only if all others are not enough", "[V4]") {
  constexpr CallCounts half_accepted{{100, 100, 100, 100}, 60};  // p = 280 / 401
  STATIC_REQUIRE(share(half_accepted, Priority::background) == 0.95);
  STATIC_REQUIRE(share(half_accepted, Priority::sheddable) == 0.95);
  STATIC_REQUIRE(share(half_accepted, Priority::normal) == (280.0 / 401 - 0.95 * 0.5) / 0.25);
  STATIC_REQUIRE(share(half_accepted, Priority::critical) == 0);
  constexpr CallCounts none_accepted{{100, 100, 100, 100}, 0};
  STATIC_REQUIRE(share(none_accepted, Priority::normal) == 0.95);
  CHECK(share(none_accepted, Priority::critical) == Approx(0.95));
  STATIC_REQUIRE(share(none_accepted, Priority::critical) <= 0.95);
}

TEST_CASE("V4 together the priorities reject the share of all calls", "[V4]") {
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return (state >> 33U) % below;
  };
  for (int round = 0; round < 20'000; ++round) {
    CallCounts calls{{next(50), next(1'000), next(300), next(2'000)}, 0};
    const std::uint64_t all = calls.all_requests();
    if (all < 20) continue;
    calls.accepts = next(all + 1);
    const ThrottleConfig config{.k = 1 + static_cast<double>(next(20)) / 10,
                                .max_rejection = static_cast<double>(next(101)) / 100};
    const Shedding shedding = Shedding::of({calls, {}}, config);
    double rejected = 0;
    double above = 0;  // the share of the next higher priority is never larger
    for (std::size_t index = 0; index < detail::priority_count; ++index) {
      const double own = shedding.of(static_cast<Priority>(index), config.max_rejection);
      if (own < 0 || own > config.max_rejection) FAIL("out of range: " << own);
      if (calls.requests[index] != 0) {
        if (own < above - 1e-12) FAIL("a lower priority is rejected less: " << own << " " << above);
        above = own;
      }
      rejected += own * static_cast<double>(calls.requests[index]);
    }
    if (rejected != Approx(shedding.ratio * static_cast<double>(all)).margin(1e-9))
      FAIL("rejected " << rejected << " of " << all << " at " << shedding.ratio);
  }
}

TEST_CASE("V4 a priority without a request is rejected if the lower ones are not enough", "[V4]") {
  STATIC_REQUIRE(share(normal(100, 20), Priority::background) == 0.95);
  STATIC_REQUIRE(share(normal(100, 20), Priority::critical) == 0);
  STATIC_REQUIRE(share(normal(100, 0), Priority::critical) == 0);
  STATIC_REQUIRE(share(normal(100, 90), Priority::background) == 0);
}

TEST_CASE("V4 a value that is no enumerator is the lowest priority", "[V4]") {
  STATIC_REQUIRE(detail::index_of(Priority::critical) == 0);
  STATIC_REQUIRE(detail::index_of(Priority::background) == 3);
  STATIC_REQUIRE(detail::index_of(static_cast<Priority>(4)) == 3);
  STATIC_REQUIRE(detail::index_of(static_cast<Priority>(255)) == 3);
}

TEST_CASE("V5 the newer half counts if it rejects less, and knows enough calls", "[V5]") {
  constexpr double p = (200.0 - 2 * 40) / 201;
  STATIC_REQUIRE(Shedding::of({normal(200, 40), normal(100, 40)}, plain).ratio == 20.0 / 101);
  STATIC_REQUIRE(Shedding::of({normal(200, 40), normal(100, 60)}, plain).ratio == 0);
  STATIC_REQUIRE(Shedding::of({normal(200, 40), normal(100, 0)}, plain).ratio == p);
  STATIC_REQUIRE(Shedding::of({normal(200, 40), normal(20, 20)}, plain).ratio == 0);
  STATIC_REQUIRE(Shedding::of({normal(200, 40), normal(19, 19)}, plain).ratio == p);
  STATIC_REQUIRE(Shedding::of({normal(200, 40), {}}, {.minimum_calls = 0}).ratio == p);
  // The priorities are those of the half that counts.
  constexpr WindowCounts window{{{100, 100, 0, 0}, 40}, {{50, 50, 0, 0}, 40}};
  STATIC_REQUIRE(Shedding::of(window, plain).calls.requests[1] == 50);
  STATIC_REQUIRE(Shedding::of(window, plain).of(Priority::normal, 0.95) == (20.0 / 101) / 0.5);
}

TEST_CASE("V3 a window is calm if an accepted call cannot end it", "[V3]") {
  STATIC_REQUIRE(Shedding::of({}, plain).is_calm);
  STATIC_REQUIRE(Shedding::of({normal(100, 50), {}}, plain).is_calm);
  STATIC_REQUIRE_FALSE(Shedding::of({normal(100, 49), {}}, plain).is_calm);
  STATIC_REQUIRE_FALSE(Shedding::of({normal(19, 0), {}}, plain).is_calm);  // it has too few calls
  STATIC_REQUIRE(Shedding::of({normal(200, 40), normal(100, 50)}, plain).is_calm);
  STATIC_REQUIRE_FALSE(Shedding::of({normal(200, 40), normal(100, 49)}, plain).is_calm);
  STATIC_REQUIRE_FALSE(Shedding::of({normal(100, 0), {}}, {.max_rejection = 0}).is_calm);
}
