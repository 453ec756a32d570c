// One adaptive limit, eight threads that call, fail, are late and give up at once, while windows of a few
// calls end all the time and the limit moves up and down, measures and goes on. Every call ends, no slot is
// lost, no sample counts twice, and a measuring window has only calls that began in it.
#include <fusebox/adaptive_limit.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr int callers = 8;

/// Moves the limit to and fro, and measures in between. One thread at a time may be in next().
struct Restless {
  struct Seen {
    std::atomic<int> inside{0};
    std::atomic<bool> together{false};
    std::atomic<std::uint64_t> windows{0};
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<bool> odd{false};  // a window that cannot be
  };

  int initial = 4;
  int min = 1;
  int max = 6;
  Seen* seen = nullptr;
  std::chrono::nanoseconds window = 20us;
  int min_samples = 3;
  bool operator==(const Restless&) const = default;

  class State {
   public:
    explicit State(const Restless& /*rule*/) noexcept {}
    [[nodiscard]] AdaptiveStep next(const Restless& rule, const AdaptiveWindow& now) noexcept {
      Seen& shared = *rule.seen;
      if (shared.inside.fetch_add(1) != 0) shared.together = true;
      ++shared.windows;
      const bool counts = step_ % 4 != 2;  // the first of the two windows of a measurement is in the second
      if (counts) {
        shared.calls += static_cast<std::uint64_t>(now.calls);
        shared.dropped += static_cast<std::uint64_t>(now.dropped);
      }
      if (now.calls < rule.min_samples || now.samples > now.calls || now.dropped > now.calls ||
          now.in_flight < 1 || now.in_flight > rule.max || now.latency > 10s) {
        shared.odd = true;
      }
      ++step_;
      shared.inside.fetch_sub(1);
      // Ordinary, measuring, measuring on, ordinary.
      return {1 + static_cast<int>(step_ * 5 % 6), step_ % 4 == 2 || step_ % 4 == 3};
    }

   private:
    unsigned step_ = 0;
  };
};
using Limit = AdaptiveLimit<Restless>;

struct Ends {
  std::uint64_t admitted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t counted = 0;  // success, or dropped
  std::uint64_t dropped = 0;
};

void call(Limit& limit, std::minstd_rand& random, Ends& ends) {
  const auto kind = random() % 8;
  if (kind < 3) {
    Permit permit = kind == 0 ? limit.acquire(Deadline::after(100us)) : limit.try_acquire();
    ++(permit ? ends.admitted : ends.rejected);
    if (!permit) return;
    std::this_thread::yield();
    if (kind == 0) return;  // given up
    ++ends.counted;
    if (kind == 1) {
      ++ends.dropped;
      permit.failure();
    } else {
      permit.success();
    }
    return;
  }
  try {
    limit.execute(
        [&] {
          std::this_thread::yield();
          if (kind == 3) throw ApiError{ErrorCode::service_unavailable, "busy"};
          if (kind == 4) throw ApiError{ErrorCode::not_found, "no such thing"};
        },
        static_cast<Priority>(random() % 4), Deadline::after(200us));
    ++ends.admitted;
    ++ends.counted;
  } catch (const BulkheadFullError&) {
    ++ends.rejected;
  } catch (const ApiError&) {
    ++ends.admitted;
    if (kind == 3) {
      ++ends.counted;
      ++ends.dropped;
    }
  }
}

}  // namespace

TEST_CASE("W2 W5 however calls and windows end, no slot is lost and no call counts twice", "[W1][W2][W5]") {
  Restless::Seen seen;
  Limit limit{"crowded", Restless{.seen = &seen}, AdaptiveLimitQueue{.max_waiting = callers}};
  std::atomic<std::uint64_t> events{0};
  std::array<Ends, callers> ends;
  {
    const Subscription subscription = limit.on_event([&](const AdaptiveLimitEvent& event) {
      ++events;
      if (event.limit < 1 || event.limit > 6) seen.odd = true;
    });
    support::run_together(callers, [&](int i) {
      std::minstd_rand random{static_cast<unsigned>(i) + 1};
      for (int step = 0; step < stress::steps(); ++step)
        call(limit, random, ends[static_cast<std::size_t>(i)]);
    });
  }
  Ends all;
  for (const Ends& of_one : ends) {
    all.admitted += of_one.admitted;
    all.rejected += of_one.rejected;
    all.counted += of_one.counted;
    all.dropped += of_one.dropped;
  }
  const AdaptiveLimitStats stats = limit.stats();
  CHECK_FALSE(seen.together);
  CHECK_FALSE(seen.odd);
  CHECK(seen.windows > 20);
  CHECK(events > 0);
  CHECK(stats.windows == seen.windows);
  CHECK(seen.calls <= all.counted);
  CHECK(seen.calls > all.counted / 10);
  CHECK(seen.dropped <= all.dropped);
  CHECK(stats.in_use == 0);
  CHECK(stats.waiting == 0);
  CHECK(stats.admitted == all.admitted);
  CHECK(stats.rejected == all.rejected);
  std::vector<Permit> permits;
  for (int i = 0; i < stats.limit; ++i) {
    permits.push_back(limit.try_acquire(Priority::critical));
    CHECK(permits.back());
  }
  CHECK_FALSE(limit.try_acquire());
}

TEST_CASE("W2 every call of one window counts once, while others take the totals", "[W2]") {
  detail::WindowSums<> sums{detail::shard_count()};
  std::atomic<int> left{callers};
  std::uint64_t samples = 0;
  std::uint64_t time = 0;
  const int steps = stress::steps();
  std::atomic<std::uint64_t> window{0};
  std::jthread closer{[&] {
    for (std::uint64_t next = 1; left.load() > 0; ++next) {
      const detail::WindowTotals totals = sums.take(next);
      window.store(next, std::memory_order_release);
      samples += totals.samples;
      time += totals.time;
      std::this_thread::yield();
    }
  }};
  support::run_together(callers, [&](int i) {
    for (int step = 0; step < steps; ++step) {
      sums.add(window.load(std::memory_order_acquire), 3, static_cast<std::uint32_t>(i), false);
      if (step % 100 == 0) detail::rehome_thread();
    }
    left.fetch_sub(1);
  });
  closer.join();
  const detail::WindowTotals rest = sums.totals();
  samples += rest.samples;
  time += rest.time;
  CHECK(samples <= static_cast<std::uint64_t>(callers) * static_cast<std::uint64_t>(steps));
  CHECK(samples > 0);
  CHECK(time == 3 * samples);
}
