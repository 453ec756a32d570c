#include <fusebox/chaos.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {

/// Fails every call, or delays every call.
constexpr ChaosConfig all_fail{.fault_rate = 1, .seed = 1};
constexpr ChaosConfig all_wait{.latency_rate = 1, .latency = 300ms, .seed = 1};

Chaos<FakeClock> enabled(const ChaosConfig& config, const FakeClock& clock) {
  auto made = chaos(config, clock);
  made.enable(true);
  return made;
}

/// A clock that nobody may read, and that nobody may sleep by.
struct UntouchedClock {
  [[noreturn]] static std::chrono::steady_clock::time_point now() { throw std::logic_error{"now"}; }
  [[noreturn]] static std::chrono::system_clock::time_point wall_now() { throw std::logic_error{"wall_now"}; }
  [[noreturn]] static bool sleep_for(std::chrono::nanoseconds, const StopToken&) {
    throw std::logic_error{"sleep_for"};
  }
};

/// A clock that calls something when the wall time is read.
struct CallingClock {
  std::function<void()>* while_read;

  [[nodiscard]] static std::chrono::steady_clock::time_point now() { return {}; }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const { return (*while_read)(), epoch; }
  static bool sleep_for(std::chrono::nanoseconds, const StopToken&) { return true; }

  static constexpr std::chrono::system_clock::time_point epoch{};
};

constexpr auto one = [] { return 1; };

}  // namespace

TEST_CASE("X1 chaos is off until it is enabled", "[X1]") {
  auto faults = chaos({.fault_rate = 1, .latency_rate = 1}, UntouchedClock{});
  CHECK_FALSE(faults.is_enabled());
  CHECK(faults.execute(one) == 1);
  CHECK(faults.stats() == ChaosStats{});
  faults.enable(true);
  CHECK(faults.is_enabled());
  CHECK_THROWS_AS(faults.execute(one), std::logic_error);
  faults.enable(false);
  CHECK(faults.execute(one) == 1);
  CHECK(faults.stats().calls == 1);
}

TEST_CASE("X1 a config without rates injects nothing, also if it is enabled", "[X1]") {
  auto faults = chaos({}, UntouchedClock{});
  faults.enable(true);
  CHECK(faults.execute(one) == 1);
  CHECK(faults.stats() == ChaosStats{.calls = 1, .enabled = true});
}

TEST_CASE("X1 a copy shares the switch, the counts and the random numbers", "[X1]") {
  auto faults = chaos(all_fail, FakeClock{});
  auto copy = faults;
  copy.enable(true);
  CHECK(faults.is_enabled());
  CHECK_THROWS_AS(faults.execute(one), ApiError);
  CHECK(copy.stats() == faults.stats());
  CHECK(copy.stats().faults == 1);
}

TEST_CASE("X1 chaos has a name if it was given one, a config and a clock", "[X1]") {
  const FakeClock clock;
  const auto faults = chaos("payments", all_fail, clock);
  CHECK(faults.name() == "payments");
  CHECK(faults.config() == all_fail);
  clock.advance(1s);
  CHECK(faults.clock().now() == clock.now());
  CHECK(chaos(all_fail).name().empty());
  STATIC_REQUIRE(std::is_same_v<decltype(chaos(all_fail)), Chaos<>>);
  STATIC_REQUIRE(std::is_same_v<decltype(Chaos{all_fail}), Chaos<>>);
  STATIC_REQUIRE(std::is_same_v<decltype(Chaos{"n"}), Chaos<>>);
  STATIC_REQUIRE(std::is_same_v<decltype(Chaos{"n", all_fail}), Chaos<>>);
  STATIC_REQUIRE(std::is_same_v<decltype(Chaos{"n", all_fail, clock}), Chaos<FakeClock>>);
  STATIC_REQUIRE(std::is_same_v<decltype(Chaos{all_fail, clock}), Chaos<FakeClock>>);
}

TEST_CASE("C2 C3 a refused config and a refused name are ConfigErrors", "[C2][C3]") {
  CHECK_THROWS_WITH(chaos({.fault_rate = 2}), "ChaosConfig.fault_rate must be in [0, 1], got 2");
  CHECK_THROWS_AS(chaos({.latency_jitter = 2s}), ConfigError);
  CHECK_NOTHROW(chaos("", {}));
  CHECK_NOTHROW(chaos(std::string(512, 'n'), {}));
  CHECK_THROWS_WITH(chaos(std::string(513, 'n'), {}), "Chaos.name must be at most 512 bytes, got 513");
}

TEST_CASE("X2 a fault is an ApiError, and op is not called", "[X2]") {
  const FakeClock clock;
  auto faults = chaos("payments", all_fail, clock);
  faults.enable(true);
  bool is_called = false;
  try {
    faults.execute([&] { is_called = true; });
    FAIL("no fault");
  } catch (const RejectedError&) {
    FAIL("a fault is no rejection");
  } catch (const ApiError& error) {
    CHECK(error.code() == ErrorCode::service_unavailable);
    CHECK(std::string{error.what()} == "fault injected by chaos 'payments'");
    CHECK(is_injected(error));
  }
  CHECK_FALSE(is_called);
  CHECK(faults.stats() == ChaosStats{.calls = 1, .faults = 1, .enabled = true});
  CHECK(clock.sleeps().empty());
}

TEST_CASE("X2 B9 P12 a result that can carry the error carries it", "[X2][B9][P12]") {
  auto faults = enabled(all_fail, FakeClock{});
  SECTION("as a code") {
    const auto result = faults.execute([] { return support::Expected<int, std::error_code>{1}; });
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error() == make_error_code(ErrorCode::service_unavailable));
    CHECK(faults.execute([] { return std::error_code{}; }) ==
          make_error_code(ErrorCode::service_unavailable));
  }
  SECTION("as an ApiError") {
    const auto result = faults.execute([] { return support::Expected<int, ApiError>{1}; });
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code() == ErrorCode::service_unavailable);
    CHECK(is_injected(result.error()));
  }
  SECTION("as a Failure") {
    const auto result = faults.execute([] { return support::Expected<int, Failure>{1}; });
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code() == make_error_code(ErrorCode::service_unavailable));
    CHECK_FALSE(result.error().is_rejection());
    CHECK(result.error().is_transient());
  }
  SECTION("else it is thrown") {
    CHECK_THROWS_AS(faults.execute([] { return support::Expected<int, std::string>{1}; }), ApiError);
  }
  CHECK(faults.stats().faults > 0);
}

TEST_CASE("X2 a network fault has the code of its error", "[X2]") {
  auto faults = enabled({.fault_rate = 1, .network_fault = NetworkErrc::connection_reset}, FakeClock{});
  const auto result = faults.execute([] { return support::Expected<int, std::error_code>{1}; });
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error() == make_error_code(NetworkErrc::connection_reset));
}

TEST_CASE("X3 a delay is one sleep of the clock before op", "[X3]") {
  const FakeClock clock;
  auto faults = enabled(all_wait, clock);
  const auto begin = clock.now();
  CHECK(faults.execute([&] { return clock.now() - begin; }) == 300ms);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{300ms});
  CHECK(faults.stats() == ChaosStats{.calls = 1, .delays = 1, .enabled = true});
}

TEST_CASE("X3 X6 a call can be delayed and then fail", "[X3][X6]") {
  const FakeClock clock;
  auto faults = enabled({.fault_rate = 1, .latency_rate = 1, .latency = 2s}, clock);
  CHECK_THROWS_AS(faults.execute(one), ApiError);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s});
  CHECK(faults.stats() == ChaosStats{.calls = 1, .faults = 1, .delays = 1, .enabled = true});
}

TEST_CASE("X3 a delay of 0 is no wait", "[X3]") {
  const FakeClock clock;
  auto faults = enabled({.latency_rate = 1, .latency = 0s}, clock);
  CHECK(faults.execute(one) == 1);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("X3 jittered delays lie around the latency and differ", "[X3]") {
  const FakeClock clock;
  auto faults = enabled({.latency_rate = 1, .latency = 100ms, .latency_jitter = 50ms, .seed = 5}, clock);
  for (int i = 0; i < 20; ++i) faults.execute(one);
  const auto sleeps = clock.sleeps();
  REQUIRE(sleeps.size() == 20);
  for (const auto sleep : sleeps) {
    CHECK(sleep >= 50ms);
    CHECK(sleep <= 150ms);
  }
  CHECK(sleeps[0] != sleeps[1]);
}

TEST_CASE("X3 P8 a token that is stopped before the call: nothing is counted", "[X3][P8]") {
  auto faults = enabled(all_fail, FakeClock{});
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(faults.execute(one, stop.get_token()), CancelledError);
  CHECK(faults.stats().calls == 0);
}

TEST_CASE("X3 X6 a delay that the token ends is a cancellation", "[X3][X6]") {
  auto faults = chaos({.fault_rate = 1, .latency_rate = 1, .latency = no_timeout});  // the system's clock
  faults.enable(true);
  std::stop_source stop;
  std::thread stopper{[&] {
    while (faults.stats().delays == 0) std::this_thread::yield();
    stop.request_stop();
  }};
  bool is_called = false;
  CHECK_THROWS_AS(faults.execute([&] { is_called = true; }, stop.get_token()), CancelledError);
  stopper.join();
  CHECK_FALSE(is_called);
  CHECK(faults.stats() == ChaosStats{.calls = 1, .delays = 1, .enabled = true});
}

TEST_CASE("X3 P7 a delay ends at the deadline of the call, and op is not called", "[X3][P7]") {
  const FakeClock clock;
  auto faults = enabled(all_wait, clock);
  bool is_called = false;
  const auto op = [&] { is_called = true; };
  CHECK_THROWS_AS(faults.execute(op, Deadline::after(100ms, clock)), TimeoutError);
  CHECK_THROWS_AS(faults.execute(op, Deadline::after(300ms, clock)), TimeoutError);
  CHECK_FALSE(is_called);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{100ms, 300ms});
  CHECK_THROWS_AS(faults.execute(op, Deadline::after(0s, clock)), TimeoutError);
  CHECK(clock.sleeps().size() == 2);
  faults.execute(op, Deadline::after(301ms, clock));
  CHECK(is_called);
}

TEST_CASE("X3 X7 the time that a callback takes is not waited twice", "[X3][X7]") {
  const FakeClock clock;
  auto faults = enabled({.latency_rate = 1, .latency = 5s}, clock);
  const auto events = faults.on_event([&](const ChaosEvent&) { clock.advance(1s); });
  CHECK_THROWS_AS(faults.execute(one, Deadline::after(3s, clock)), TimeoutError);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{2s});
}

TEST_CASE("X4 the same seed, the same faults", "[X4]") {
  const auto outcomes = [](std::uint64_t seed) {
    auto faults = enabled({.fault_rate = 0.3, .seed = seed}, FakeClock{});
    std::string text;
    for (int i = 0; i < 100; ++i) text += faults.execute([] { return std::error_code{}; }) ? 'F' : '.';
    return text;
  };
  CHECK(outcomes(7) == outcomes(7));
  CHECK(outcomes(7) != outcomes(8));
  CHECK(outcomes(0) != outcomes(0));
}

TEST_CASE("X4 calls while it is off are not numbered", "[X4]") {
  const auto outcomes = [](bool pauses) {
    auto faults = enabled({.fault_rate = 0.5, .seed = 9}, FakeClock{});
    std::string text;
    for (int i = 0; i < 40; ++i) {
      if (pauses && i % 10 == 5) {
        faults.enable(false);
        faults.execute(one);
        faults.enable(true);
      }
      text += faults.execute([] { return std::error_code{}; }) ? 'F' : '.';
    }
    return text;
  };
  CHECK(outcomes(true) == outcomes(false));
}

TEST_CASE("X7 events tell what was injected, and each change of the switch", "[X7]") {
  const FakeClock clock;
  auto faults = chaos("payments", {.fault_rate = 1, .latency_rate = 1, .latency = 2s}, clock);
  std::vector<std::pair<ChaosEventKind, std::chrono::nanoseconds>> events;
  std::vector<std::chrono::system_clock::time_point> times;
  auto subscription = faults.on_event([&](const ChaosEvent& event) {
    CHECK(event.name == "payments");
    events.emplace_back(event.kind, event.delay);
    times.push_back(event.at);
  });
  const auto begin = clock.wall_now();
  faults.enable(false);
  faults.enable(true);
  faults.enable(true);
  CHECK_THROWS_AS(faults.execute(one), ApiError);
  faults.enable(false);
  using Kind = ChaosEventKind;
  CHECK(events ==
        decltype(events){{Kind::enabled, 0s}, {Kind::delay, 2s}, {Kind::fault, 0s}, {Kind::disabled, 0s}});
  CHECK(times == decltype(times){begin, begin, begin + 2s, begin + 2s});
  subscription.unsubscribe();
  faults.enable(true);
  CHECK(events.size() == 4);
}

TEST_CASE("X7 the clock is read outside every lock", "[X7]") {
  const std::function<void()> nothing = [] {};
  auto while_read = nothing;
  const CallingClock clock{&while_read};
  auto faults = chaos({.fault_rate = 1}, clock);
  std::vector<ChaosEventKind> kinds;
  const auto events = faults.on_event([&](const ChaosEvent& event) { kinds.push_back(event.kind); });
  std::atomic<bool> is_done{false};
  std::thread other;
  while_read = [&] {
    while_read = nothing;
    other = std::thread{[&] {
      static_cast<void>(faults.on_event([](const ChaosEvent&) {}));
      is_done = true;
    }};
    for (int i = 0; i < 2000 && !is_done; ++i) std::this_thread::sleep_for(1ms);
    CHECK(is_done);
  };
  faults.enable(true);
  other.join();
  CHECK(kinds == std::vector{ChaosEventKind::enabled});
}

TEST_CASE("X7 B14 what a callback throws is dropped", "[X7][B14]") {
  auto faults = enabled(all_fail, FakeClock{});
  auto subscription = faults.on_event([](const ChaosEvent&) { throw std::runtime_error{"callback"}; });
  CHECK_THROWS_AS(faults.execute(one), ApiError);
  CHECK_NOTHROW(faults.enable(false));
}

TEST_CASE("X7 of more events than the queue holds the newest is told", "[X7]") {
  auto faults = enabled(all_fail, FakeClock{});
  std::vector<ChaosEventKind> kinds;
  auto subscription = faults.on_event([&](const ChaosEvent& event) {
    if (!kinds.empty()) return kinds.push_back(event.kind);
    kinds.push_back(event.kind);
    for (int i = 0; i < 100; ++i) faults.execute([] { return std::error_code{}; });
    faults.enable(false);
  });
  faults.execute([] { return std::error_code{}; });
  CHECK(kinds.size() == 65);
  CHECK(kinds.back() == ChaosEventKind::disabled);
}

TEST_CASE("X1 threads may call and switch at once", "[X1]") {
  auto faults = chaos({.fault_rate = 0.5, .seed = 4}, FakeClock{});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1'000; ++i) {
        static_cast<void>(faults.execute([] { return std::error_code{}; }));
        if (t == 0) faults.enable(i % 2 == 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto stats = faults.stats();
  std::uint64_t expected = 0;
  for (std::uint64_t call = 0; call < stats.calls; ++call)
    expected += detail::chaos_plan(faults.config(), 4, call).fails ? 1 : 0;
  CHECK(stats.faults == expected);  // whichever thread made which call
}
