// Chaos that is switched on and off in a storm of calls on real threads. Afterwards no count is lost, and
// what was injected is what one thread gets by the same seed.
#include <fusebox/chaos.hpp>
#include <fusebox/test/fake_clock.hpp>

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
  std::atomic<std::uint64_t> made{0};  // calls of op
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> switches{0};
  std::atomic<std::uint64_t> impossible{0};
};

void step(Chaos<FakeClock>& chaos, std::minstd_rand& random, Seen& seen) {
  switch (random() % 32) {
    case 0:
      chaos.enable(random() % 4 != 0);
      ++seen.switches;
      break;
    case 1: {
      const ChaosStats before = chaos.stats();
      const ChaosStats after = chaos.stats();
      if (after.calls < before.calls || after.faults < before.faults || after.delays < before.delays)
        ++seen.impossible;
      break;
    }
    default: {
      const std::error_code ended = chaos.execute([&] {
        ++seen.made;
        return std::error_code{};
      });
      if (ended == ErrorCode::service_unavailable) {
        ++seen.failed;
      } else if (ended) {
        ++seen.impossible;
      }
    }
  }
}

std::uint64_t calls_of(const Seen& seen) { return seen.made + seen.failed; }

}  // namespace

TEST_CASE("X4 X6 many threads that call chaos and switch it lose no count", "[X1][X4][X6][X7]") {
  const ChaosConfig config{
      .fault_rate = 0.25, .latency_rate = 0.5, .latency = 2ms, .latency_jitter = 1ms, .seed = 7};
  const FakeClock clock;
  Chaos storm{"storm", config, clock};
  std::atomic<std::uint64_t> events{0};
  const auto subscription = storm.on_event([&](const ChaosEvent&) { ++events; });
  storm.enable(true);
  Seen seen;
  support::run_together(callers, [&](int thread) {
    std::minstd_rand random{static_cast<unsigned>(thread) + 1};
    Chaos own = storm;  // a copy shares everything
    for (int done = 0; done < steps(); ++done) step(own, random, seen);
  });
  const ChaosStats stats = storm.stats();
  CHECK(seen.impossible == 0);
  CHECK(stats.faults == seen.failed);
  CHECK(stats.delays == clock.sleeps().size());
  CHECK(stats.calls > stats.delays);
  CHECK(stats.calls < calls_of(seen));  // some came while it was off
  CHECK(events > 0);
  CHECK(events <= stats.faults + stats.delays + seen.switches + 1);

  Chaos again{"again", config, clock};
  again.enable(true);
  for (std::uint64_t call = 0; call < stats.calls; ++call)
    static_cast<void>(again.execute([] { return std::error_code{}; }));
  CHECK(again.stats().faults == stats.faults);
  CHECK(again.stats().delays == stats.delays);

  storm.enable(false);
  const std::uint64_t made = seen.made;
  static_cast<void>(storm.execute([&] {
    ++seen.made;
    return std::error_code{};
  }));
  CHECK(seen.made == made + 1);
  CHECK(storm.stats().calls == stats.calls);
}
