#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle/detail/core.hpp>

#include <chrono>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;
using Core = detail::ThrottleCore<FakeClock>;

namespace {

/// Tells its coarse reading from the fine one.
struct CoarseClock : FakeClock {
  [[nodiscard]] detail::SteadyTime coarse_now() const { return now() + 1h; }
};

void settle(Core& core, int accepted, int failed, Priority priority = Priority::normal) {
  for (int call = 0; call < accepted; ++call) core.settle(core.number(), priority, true);
  for (int call = 0; call < failed; ++call) core.settle(core.number(), priority, false);
}

std::vector<bool> verdicts(Core& core, int calls, Priority priority = Priority::normal) {
  std::vector<bool> admitted;
  for (int call = 0; call < calls; ++call) admitted.push_back(core.admit(core.number(), priority));
  return admitted;
}

int admitted(Core& core, int calls, Priority priority = Priority::normal) {
  int count = 0;
  for (const bool is_admitted : verdicts(core, calls, priority)) count += is_admitted ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("V1 a call is rejected with the probability p, and a rejection is a request", "[V1]") {
  const FakeClock clock;
  Core core{"t", {.seed = 1}, clock};
  settle(core, 5, 15);
  CHECK(core.stats().rejection_ratio == 10.0 / 21);
  std::uint64_t requests = 20;
  double expected = 0;
  int rejected = 0;
  for (int call = 0; call < 2'000; ++call) {
    const double p = (static_cast<double>(requests) - 10) / (static_cast<double>(requests) + 1);
    expected += p < 0.95 ? p : 0.95;
    if (core.admit(core.number(), Priority::normal)) continue;
    ++rejected;
    ++requests;
    CHECK(core.stats().requests == requests);
  }
  CHECK(rejected == Approx(expected).epsilon(0.02));
  CHECK(core.stats().rejected == static_cast<std::uint64_t>(rejected));
  CHECK(core.stats().rejection_ratio == 0.95);
}

TEST_CASE("V1 every call passes while p is 0, and none is drawn", "[V1][V7]") {
  const FakeClock clock;
  Core core{"t", {.seed = 1}, clock};
  settle(core, 50, 50);
  CHECK(admitted(core, 1'000) == 1'000);
  settle(core, 0, 1);
  CHECK(core.stats().rejection_ratio == 1.0 / 102);
  Core other{"t", {.seed = 1}, clock};
  settle(other, 50, 51);
  CHECK(verdicts(core, 1'000) == verdicts(other, 1'000));
}

TEST_CASE("V1 a throttle that only counts rejects nothing", "[V1]") {
  const FakeClock clock;
  Core core{"t", {.max_rejection = 0}, clock};
  settle(core, 0, 1'000);
  CHECK(admitted(core, 1'000) == 1'000);
  CHECK(core.stats() == ThrottleStats{.requests = 1'000, .total_requests = 1'000});
}

TEST_CASE("V3 the share follows the window", "[V3]") {
  const FakeClock clock;
  Core core{"t", {.window = 12s, .max_rejection = 1}, clock};
  settle(core, 0, 100);
  clock.advance(1s);
  settle(core, 20, 0);
  CHECK(core.stats().rejection_ratio == 80.0 / 121);
  clock.advance(10'999ms);
  CHECK(core.stats().rejection_ratio == 80.0 / 121);
  clock.advance(1ms);  // the step of the failures leaves
  CHECK(core.stats().rejection_ratio == 0);
  CHECK(core.stats().requests == 20);
  CHECK(admitted(core, 100) == 100);
  clock.advance(1s);
  CHECK(core.stats() == ThrottleStats{.total_requests = 120, .total_accepts = 20});
}

TEST_CASE("V3 a call that was known to pass is looked at anew in each step", "[V3]") {
  const FakeClock clock;
  Core core{"t", {.window = 12s, .max_rejection = 1, .minimum_calls = 10, .seed = 1}, clock};
  settle(core, 50, 0);
  clock.advance(11s);
  settle(core, 0, 50);
  CHECK(admitted(core, 100) == 100);  // 100 requests, 50 accepts
  clock.advance(1s);                  // the accepts leave
  CHECK(admitted(core, 100) < 10);
}

TEST_CASE("V3 T1 the coarse clock moves windows of one second and more", "[V3][T1]") {
  const FakeClock fake;
  const CoarseClock clock{fake};
  const detail::ThrottleCore<CoarseClock> coarse{"t", {.window = 1s}, clock};
  const detail::ThrottleCore<CoarseClock> fine{"t", {.window = 999ms}, clock};
  const auto step = [](std::chrono::nanoseconds window) { return (window.count() + 11) / 12; };
  CHECK(coarse.number() == detail::ticks(clock.coarse_now()) / step(1s));
  CHECK(fine.number() == detail::ticks(clock.now()) / step(999ms));
}

TEST_CASE("V4 the lowest priority is rejected first", "[V4]") {
  const FakeClock clock;
  Core core{"t", {.max_rejection = 0.5, .seed = 1}, clock};
  settle(core, 50, 50, Priority::normal);
  settle(core, 0, 100, Priority::background);
  const double p = (200.0 - 100) / 201;
  CHECK(core.stats().rejection_ratio == p);
  CHECK(core.rejection_ratio_of(Priority::background) == 0.5);
  CHECK(core.rejection_ratio_of(Priority::normal) == (p - 0.5 * 0.5) / 0.5);
  CHECK(core.rejection_ratio_of(Priority::critical) == 0);
  CHECK(admitted(core, 100, Priority::critical) == 100);
  CHECK(admitted(core, 100, Priority::background) < 70);
  CHECK(core.stats().rejected > 30);
}

TEST_CASE("V7 a seed gives the same rejections, another one others", "[V7]") {
  const FakeClock clock;
  const auto rejections = [&](std::uint64_t seed) {
    Core core{"t", {.max_rejection = 0.5, .seed = seed}, clock};
    settle(core, 0, 100);
    return verdicts(core, 200);
  };
  const std::vector<bool> first = rejections(7);
  CHECK(rejections(7) == first);
  CHECK(rejections(8) != first);
  CHECK(rejections(0) != rejections(0));
  // SplitMix64 with this seed: the first draws, below 0.5 or not.
  std::vector<bool> expected;
  for (std::uint64_t count = 0; count < 200; ++count)
    expected.push_back(detail::mix(7 + count * 0x9e3779b97f4a7c15U) >= std::uint64_t{1} << 63U);
  CHECK(first == expected);
}

TEST_CASE("V9 the edges are those of p", "[V9]") {
  const FakeClock clock;
  Core core{"t", {.window = 12s, .seed = 1}, clock};
  std::vector<ThrottleEventKind> kinds;
  const Subscription subscription =
      core.events().subscribe("t", [&](const ThrottleEvent& event) { kinds.push_back(event.kind); });
  using Kind = ThrottleEventKind;
  settle(core, 10, 10);
  admitted(core, 10);
  CHECK(kinds.empty());
  settle(core, 0, 1);
  CHECK(kinds.empty());  // a call must find it
  CHECK(core.admit(core.number(), Priority::critical));
  CHECK(kinds == std::vector<Kind>{Kind::throttling});
  admitted(core, 100);
  CHECK(kinds.size() == 1);
  clock.advance(13s);
  CHECK(kinds.size() == 1);
  admitted(core, 2);
  CHECK(kinds == std::vector<Kind>{Kind::throttling, Kind::free});
}
