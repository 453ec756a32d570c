#include <fusebox/clock.hpp>
#include <fusebox/clock/detail/time_source.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <stop_token>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::system_sleep;
using std::chrono::nanoseconds;

TEST_CASE("T4 a time source is in force while a guard lives", "[T4]") {
  CHECK(detail::current_clock_override() == nullptr);
  {
    const test::ScopedSystemClock guard{test::FakeClock{}};
    CHECK(detail::current_clock_override() != nullptr);
  }
  CHECK(detail::current_clock_override() == nullptr);
}

TEST_CASE("T1 the system's sleep lasts at least as long as it should, and says so", "[T1]") {
  std::stop_source nobody_stops;
  const auto before = std::chrono::steady_clock::now();
  CHECK(system_sleep(2ms, {}));
  CHECK(system_sleep(2ms, nobody_stops.get_token()));
  CHECK(std::chrono::steady_clock::now() - before >= 4ms);
}

TEST_CASE("T1 the system's sleep of zero or less ends at once", "[T1]") {
  CHECK(system_sleep(0ns, {}));
  CHECK(system_sleep(-1h, {}));
  CHECK(system_sleep(nanoseconds::min(), {}));
}

TEST_CASE("T1 the system's sleep ends at once if a stop was requested before", "[T1]") {
  std::stop_source source;
  source.request_stop();
  CHECK_FALSE(system_sleep(1h, source.get_token()));
  CHECK_FALSE(system_sleep(nanoseconds::max(), source.get_token()));
  CHECK_FALSE(system_sleep(0ns, source.get_token()));
}

TEST_CASE("T1 the system's sleep ends at once on request_stop(), whenever that comes", "[T1]") {
  for (const nanoseconds duration : {nanoseconds{1h}, nanoseconds{240h}, nanoseconds::max()}) {
    int ended_early = 0;
    for (int round = 0; round < 50; ++round) {
      std::stop_source source;
      std::atomic<bool> slept_on{true};
      support::run_together(2, [&](int i) {
        if (i == 0) {
          slept_on = system_sleep(duration, source.get_token());
        } else {
          source.request_stop();
        }
      });
      if (!slept_on) ++ended_early;
    }
    CHECK(ended_early == 50);
  }
}

TEST_CASE("T1 one request_stop() wakes every sleeper, also during the sleep", "[T1]") {
  constexpr int sleepers = 4;
  std::stop_source source;
  std::atomic<int> ended_early{0};
  support::run_together(sleepers + 1, [&](int i) {
    if (i == sleepers) {
      system_sleep(20ms, {});  // by now the others sleep
      source.request_stop();
    } else if (!system_sleep(1h, source.get_token())) {
      ++ended_early;
    }
  });
  CHECK(ended_early == sleepers);
}

TEST_CASE("T1 a sleep is not ended by the stop of another token", "[T1]") {
  std::stop_source mine;
  std::stop_source other;
  other.request_stop();
  CHECK(system_sleep(1ms, mine.get_token()));
}
