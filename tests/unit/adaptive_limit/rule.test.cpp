#include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

struct NoState {
  int initial = 1, min = 1, max = 1;
  std::chrono::nanoseconds window = 1s;
  int min_samples = 1;
  friend bool operator==(const NoState&, const NoState&) = default;
};
struct MayThrow : NoState {
  friend bool operator==(const MayThrow&, const MayThrow&) = default;
  struct State {
    explicit State(const MayThrow&) {}
    AdaptiveStep next(const MayThrow&, const AdaptiveWindow&) { return {}; }
  };
};

}  // namespace

TEST_CASE("W2 a rule has bounds, a window, and a state whose next() does not throw", "[W2]") {
  STATIC_REQUIRE(AdaptiveRule<Measured> && AdaptiveRule<Aimd> && AdaptiveRule<Gradient2> &&
                 AdaptiveRule<Vegas>);
  STATIC_REQUIRE_FALSE(AdaptiveRule<NoState> || AdaptiveRule<MayThrow> || AdaptiveRule<int>);
}

TEMPLATE_TEST_CASE("C2 C3 the bounds of every rule", "[C2][C3]", Measured, Aimd, Gradient2, Vegas) {
  const std::string type = detail::rule_type<TestType>;
  const auto problem = [](auto change) {
    TestType rule{};
    change(rule);
    return validate(rule);
  };
  CHECK(validate(TestType{}).empty());
  CHECK(problem([](auto& r) { r.min = 0; }) == type + ".min must be in [1, 65535], got 0");
  CHECK(problem([](auto& r) { r.max = 65'536; }) == type + ".max must be in [1, 65535], got 65536");
  CHECK(problem([](auto& r) { r.max = 65'535; }).empty());
  CHECK(problem([](auto& r) { r.min = r.initial = 30, r.max = 29; }) ==
        type + ".max must be at least min, got 29");
  CHECK(problem([](auto& r) { r.min = r.initial = r.max = 1; }).empty());
  CHECK(problem([](auto& r) { r.min = 30, r.max = 40; }) == type + ".initial must be in [min, max], got 20");
  CHECK(problem([](auto& r) { r.initial = 2000; }) == type + ".initial must be in [min, max], got 2000");
  CHECK(problem([](auto& r) { r.window = 0ns; }) == type + ".window must be above 0, got 0s");
  CHECK(problem([](auto& r) { r.window = 1ns; }).empty());
  CHECK(problem([](auto& r) { r.min_samples = 0; }) == type + ".min_samples must be in [1, 1000], got 0");
  CHECK(problem([](auto& r) { r.min_samples = 1001; }) ==
        type + ".min_samples must be in [1, 1000], got 1001");
  CHECK(problem([](auto& r) { r.min_samples = 1000; }).empty());
}

namespace {

/// The limits of 200 windows whose latency rises and falls, as one number.
template <class Rule>
constexpr std::uint64_t trace(const Rule& rule) {
  typename Rule::State state{rule};
  std::uint64_t trace = 0;
  for (int i = 0; i < 200; ++i) {
    const std::chrono::nanoseconds latency{1'000'000 + 10'007 * ((i * i) % 97)};
    const AdaptiveWindow window{
        .latency = latency, .calls = 100, .samples = 100, .dropped = i % 50 == 49 ? 1 : 0, .in_flight = 999};
    trace = trace * 31 + static_cast<std::uint64_t>(state.next(rule, window).limit);
  }
  return trace;
}

/// A number of all limits and bases of 20,000 windows of a dependency that serves 30 calls at once in 100 ms,
/// for a while only 10, and queues the rest; now and then it drops some. All in integers: only the rule
/// computes.
template <class Rule>
std::uint64_t long_trace(const Rule& rule) {
  typename Rule::State state{rule};
  std::uint64_t trace = 14'695'981'039'346'656'037U;
  const auto add = [&](std::int64_t value) {
    trace = (trace ^ static_cast<std::uint64_t>(value)) * 1'099'511'628'211U;
  };
  AdaptiveStep step{.limit = rule.initial};
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t servers = i / 5000 == 1 ? 10 : 30;
    const std::int64_t alone = 100'000'000 + 10'007 * ((std::int64_t{i} * i) % 97);
    const std::int64_t latency = alone * std::max<std::int64_t>(step.limit, servers) / servers;
    const int calls = 100 + i % 7;
    const int dropped = i % 911 < 3 ? 20 : 0;
    step = state.next(rule, {.latency = std::chrono::nanoseconds{latency},
                             .error = std::chrono::nanoseconds{latency / 20},
                             .calls = calls,
                             .samples = calls - dropped,
                             .dropped = dropped,
                             .in_flight = step.limit});
    add(step.limit);
    add(step.measures ? 1 : 0);
    if constexpr (requires { state.base(); }) add(state.base().count());
  }
  return trace;
}

}  // namespace

#if !defined(__FP_FAST_FMA)  // else the compiler may contract a multiplication and an addition
TEST_CASE("W11 the same windows give the same limits and bases, whatever compiled the rule", "[W11]") {
  CHECK(long_trace(Measured{}) == 0x8535'4029'D33D'D955);
  CHECK(long_trace(Measured{.tolerance = 2, .measure_every = 7}) == 0x4CEF'21F3'A4B0'6616);
  CHECK(long_trace(Aimd{.min = 1}) == 0xC644'663C'05C1'DC70);
  CHECK(long_trace(Gradient2{.min = 1}) == 0x8351'D1C2'950C'8D2C);
  CHECK(long_trace(Vegas{.seed = 3}) == 0xFC8E'7524'8900'F5B3);
}
#endif

TEST_CASE("W11 what the compiler computes is what the program does", "[W11]") {
  constexpr std::uint64_t aimd = trace(Aimd{});
  constexpr std::uint64_t gradient2 = trace(Gradient2{});
  constexpr std::uint64_t vegas = trace(Vegas{.seed = 5});
  Aimd of_aimd;
  Gradient2 of_gradient2;
  Vegas of_vegas{.seed = 5};
  CHECK(trace(of_aimd) == aimd);
  CHECK(trace(of_gradient2) == gradient2);
  CHECK(trace(of_vegas) == vegas);
}
