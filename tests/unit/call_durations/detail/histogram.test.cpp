#include <fusebox/call_durations/detail/histogram.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Counts = std::vector<std::uint64_t>;

TEST_CASE("M2 a time that runs backwards counts as 0", "[M2]") {
  detail::DurationHistogram histogram{{1ms}};
  histogram.add(-5);
  CHECK(histogram.stats().counts == Counts{1, 0});
  CHECK(histogram.stats().sum == 0ns);
}

TEST_CASE("M2 any number of buckets keeps its counts apart, on every shard", "[M2]") {
  for (int bounds = 1; bounds <= 64; ++bounds) {
    std::vector<std::chrono::nanoseconds> all;
    for (int i = 1; i <= bounds; ++i) all.emplace_back(i);
    detail::DurationHistogram histogram{all};
    for (std::size_t shard = 0; shard < detail::shard_count(); ++shard) {
      detail::move_thread_to_shard(shard);
      for (int i = 1; i <= bounds + 1; ++i) {
        for (int call = 0; call < i; ++call) histogram.add(i);
      }
    }
    detail::move_thread_to_shard(0);
    const auto stats = histogram.stats();
    for (int i = 1; i <= bounds + 1; ++i) {
      REQUIRE(stats.counts[static_cast<std::size_t>(i - 1)] ==
              static_cast<std::uint64_t>(i) * detail::shard_count());
    }
  }
}

TEST_CASE("M2 threads lose no call", "[M2]") {
  constexpr int threads = 8;
  constexpr int calls = 5000;  // some move to the shard of their processor
  detail::DurationHistogram histogram{{10ns, 20ns}};
  support::run_together(threads, [&](int thread) {
    for (int i = 0; i < calls; ++i) histogram.add(thread % 2 == 0 ? 10 : 20);
  });
  const auto stats = histogram.stats();
  CHECK(stats.counts == Counts{threads / 2 * calls, threads / 2 * calls, 0});
  CHECK(stats.sum == std::chrono::nanoseconds{threads / 2 * calls * 30});
}
