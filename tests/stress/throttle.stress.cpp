// A throttle in a storm: hours of simulated time on real threads. Afterwards no call is lost, and it is free.
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <system_error>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using stress::steps;
using test::FakeClock;

namespace {

constexpr int callers = 12;

/// What callers saw, to compare with the stats.
struct Seen {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> impossible{0};
};

void call(Throttle<FakeClock>& throttle, std::minstd_rand& random, bool works, Seen& seen) {
  const auto priority = static_cast<Priority>(random() % 4);
  const bool is_accepted = works || random() % 8 == 0;
  switch (random() % 4) {
    case 0:  // by hand, some without a report
      if (Permit permit = throttle.try_acquire(priority)) {
        if (random() % 3 == 0) return;
        is_accepted ? permit.success() : permit.failure();
        ++(is_accepted ? seen.accepted : seen.failed);
      } else {
        ++seen.rejected;
      }
      break;
    case 1: {
      const ThrottleStats stats = throttle.stats();
      const double ratio = throttle.rejection_ratio(priority);
      const double most = throttle.config().max_rejection;
      if (stats.accepts > stats.requests || stats.rejection_ratio > most || ratio < 0 || ratio > most)
        ++seen.impossible;
      break;
    }
    default: {
      const std::error_code ended = throttle.execute(
          [&] { return is_accepted ? std::error_code{} : std::make_error_code(std::errc::connection_reset); },
          priority);
      ++(ended == PolicyErrc::throttled ? seen.rejected : is_accepted ? seen.accepted : seen.failed);
    }
  }
}

}  // namespace

TEST_CASE("V3 V8 many threads that call a throttle lose no call", "[V3][V8]") {
  for (const auto& config :
       {ThrottleConfig{.window = 1s, .minimum_calls = 1}, ThrottleConfig{.window = 100ms},
        ThrottleConfig{.k = 1, .window = 500ms, .max_rejection = 1}}) {
    const FakeClock clock;
    Throttle throttle{"storm", config, clock};
    std::atomic<std::uint64_t> events{0};
    const auto subscription = throttle.on_event([&](const ThrottleEvent&) { ++events; });
    Seen seen;
    support::run_together(callers, [&](int thread) {
      std::minstd_rand random{static_cast<unsigned>(thread) + 1};
      for (int step = 0; step < steps(); ++step) {
        // The dependency works and fails by turns.
        const auto turn = clock.now().time_since_epoch() / (2 * config.window);
        call(throttle, random, turn % 2 == 0, seen);
        if (random() % 8 == 0) clock.advance(std::chrono::milliseconds{random() % 20});
      }
    });
    const ThrottleStats stats = throttle.stats();
    CHECK(seen.impossible == 0);
    CHECK(stats.rejected == seen.rejected);
    CHECK(stats.total_accepts == seen.accepted);
    CHECK(stats.total_requests == seen.accepted + seen.failed + seen.rejected);
    CHECK(seen.rejected > 0);
    CHECK(events > 0);
    clock.advance(config.window * 2);
    CHECK(throttle.stats().requests == 0);
    CHECK(throttle.rejection_ratio() == 0);
    for (int calls = 0; calls < 100; ++calls) CHECK(throttle.try_acquire());  // no wedge
  }
}
