#include <fusebox/pipeline.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/policy_registry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBreaker;
using support::FakeBulkhead;
using support::FakeClock;
using support::FakeLimiter;
using support::Policies;

TEST_CASE("M1 threads that ask for one name at once get one policy", "[M1]") {
  constexpr int threads = 8;
  for (int round = 0; round < 50; ++round) {
    Policies registry{{}, FakeClock{}};
    std::vector<std::shared_ptr<FakeBulkhead>> bulkheads(threads);
    std::vector<std::shared_ptr<FakeBreaker>> breakers(threads);
    support::run_together(threads, [&](int thread) {
      bulkheads[static_cast<std::size_t>(thread)] = registry.get<FakeBulkhead>("a");
      breakers[static_cast<std::size_t>(thread)] = registry.get<FakeBreaker>("a");
    });
    for (const auto& one : bulkheads) REQUIRE(one == bulkheads.front());
    for (const auto& one : breakers) REQUIRE(one == breakers.front());
  }
}

TEST_CASE("M1 M3 a bulkhead with calls in it is never evicted, whatever threads do", "[M1][M3]") {
  constexpr int threads = 6;
  constexpr int rounds = 300;
  // Nine names at most are in use at a time: the three shared ones, and one that each thread asks for. So
  // one of ten can always go, and none is unregistered, which its handle alone would keep alive (G3).
  constexpr std::size_t bound = 10;
  Policies registry{{.max_per_kind = bound}, FakeClock{}};
  std::atomic<int> events{0};
  std::atomic<int> overfull{0};
  std::atomic<int> inside[3] = {};
  Subscription subscription = registry.on_event([&](const auto&) { ++events; });
  support::run_together(threads, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const int which = (thread + round) % 3;
      const std::string name = "shared-" + std::to_string(which);
      // The handle is dropped; the permit alone holds the slot.
      Permit permit = registry.get<FakeBulkhead>(name, {.max_concurrent = 1})->try_acquire();
      if (permit) {
        if (inside[which].fetch_add(1) != 0) ++overfull;
        (void)registry.get<FakeBulkhead>("other-" + std::to_string(thread * rounds + round));
        (void)registry.get<FakeLimiter>("other-" + std::to_string(round), {.permits = 1})->try_acquire();
        inside[which].fetch_sub(1);
      }
      permit.ignore();
      if (round % 50 == 0) {
        (void)registry.stats<FakeBulkhead>();
        registry.remove<FakeLimiter>("other-" + std::to_string(round));
        const Subscription other = registry.on_event<FakeLimiter>([&](const RateLimiterEvent&) { ++events; });
      }
    }
  });
  subscription.unsubscribe();
  const int seen = events;
  CHECK(overfull == 0);
  CHECK(registry.size<FakeBulkhead>() == bound);
  CHECK(registry.unregistered<FakeBulkhead>() == 0);
  (void)registry.get<FakeBulkhead>("after", {.max_concurrent = 1});
  CHECK(events == seen);
}

TEST_CASE("M4 M2 threads with pipelines of one name share their bulkhead, and lose no count", "[M4][M2]") {
  constexpr int threads = 6;
  constexpr int calls = 200;
  FakeClock clock;
  Policies registry{{}, clock};
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  support::run_together(threads, [&](int) {
    const auto durations = registry.get<CallDurations>("orders");
    const auto call = compose(measured(durations, clock),
                              standard_pipeline("orders", {.bulkhead = {.max_concurrent = 2}}, registry));
    for (int i = 0; i < calls; ++i) {
      const auto result = call.try_execute([&] {
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
      });
      if (!result.has_value()) ++rejected;
    }
  });
  constexpr std::uint64_t all = threads * calls;
  CHECK(most <= 2);
  CHECK(registry.stats<FakeBulkhead>()["orders"].rejected == rejected);
  CHECK(registry.stats<FakeBulkhead>()["orders"].admitted == all - rejected);
  CHECK(registry.stats<RetryCounts>()["orders"].succeeded == all - rejected);
  CHECK(registry.stats<TimeoutCounts>()["orders"].calls == all - rejected);
  CHECK(registry.stats<CallDurations>()["orders"].count == all);
}
