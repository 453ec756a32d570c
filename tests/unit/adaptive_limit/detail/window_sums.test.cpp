#include <fusebox/adaptive_limit.hpp>

#include <cstdint>

#include "catch.hpp"

using namespace fusebox;
using Sums = detail::WindowSums<>;
using detail::WindowWord;

TEST_CASE("W2 a window has the calls that were added to it", "[W2]") {
  Sums sums;
  sums.add(0, 100, 3, false);
  sums.add(0, 300, 7, true);
  sums.add(0, -5, 2, false);
  sums.add_failed(0, 4);
  CHECK(sums.totals().calls() == 4);
  const detail::WindowTotals totals = sums.take(1);
  CHECK(totals.samples == 3);
  CHECK(totals.time == 400);
  CHECK(totals.dropped == 2);
  CHECK(totals.failed == 1);
  CHECK(totals.calls() == 4);
  CHECK(totals.in_flight == 7);
  CHECK(sums.totals().calls() == 0);
  CHECK(sums.totals().in_flight == 0);
}

TEST_CASE("W2 a call that comes after the end of its window is not counted", "[W2]") {
  Sums sums;
  (void)sums.take(1);
  sums.add(0, 100, 3, true);
  sums.add_failed(0, 9);
  CHECK(sums.totals().calls() == 0);
  CHECK(sums.totals().in_flight == 0);
  sums.add(1, 100, 3, false);
  CHECK(sums.totals().calls() == 1);
  (void)sums.take(16);  // the mark is modulo 16
  sums.add(16, 100, 3, false);
  CHECK(sums.totals().calls() == 1);
}

TEST_CASE("W2 what does not fit is left out", "[W2]") {
  Sums sums;
  for (std::uint64_t i = 0; i < WindowWord::most_samples + 10; ++i) {
    detail::move_thread_to_shard(0);
    sums.add(0, 1, 1, false);
  }
  detail::move_thread_to_shard(0);
  CHECK(sums.totals().samples == WindowWord::most_samples);
  CHECK(sums.take(1).time == WindowWord::most_samples);
  for (int i = 0; i < 15; ++i) sums.add(1, detail::tick_max, 1, false);
  CHECK_FALSE(sums.totals().is_full);
  for (int i = 0; i < 5; ++i) sums.add(1, detail::tick_max, 1, false);
  CHECK(sums.totals().samples == 16);
  CHECK(sums.totals().time == std::uint64_t{16} * WindowWord::longest);
  CHECK(sums.totals().is_full);
  CHECK_FALSE(sums.take(2).samples == 0);
  CHECK_FALSE(sums.totals().is_full);
}

TEST_CASE("W2 a full window leaves out failures as it does successes: their shares stay right", "[W2]") {
  Sums sums;
  for (std::uint64_t i = 0; i < 3 * WindowWord::most_samples; ++i) {
    detail::move_thread_to_shard(0);
    if (i % 3 == 2) sums.add_failed(0, 1);
    sums.add(0, 1, 1, false);
  }
  const detail::WindowTotals totals = sums.take(1);
  CHECK(totals.samples == WindowWord::most_samples);
  CHECK(totals.failed == WindowWord::most_samples / 3);
  CHECK(totals.dropped == totals.failed);
}

TEST_CASE("W2 a thread that calls often moves to the shard of its processor", "[W2]") {
  Sums sums{32};
  detail::move_thread_to_shard(31);
  for (int i = 0; i < 127; ++i) sums.add(0, 1, 1, false);
  CHECK(detail::thread_shard() == 31);
  sums.add(0, 1, 1, false);
  CHECK(detail::thread_shard() < detail::shard_count());
  detail::move_thread_to_shard(0);
  CHECK(sums.totals().samples == 128);
}

TEST_CASE("W2 a window has the calls of every shard", "[W2]") {
  Sums sums{8};
  const std::size_t before = detail::thread_shard();
  for (const std::size_t shard : {0U, 3U, 7U}) {
    detail::move_thread_to_shard(shard);
    sums.add(0, 10, static_cast<std::uint32_t>(shard), false);
  }
  detail::move_thread_to_shard(before);
  CHECK(sums.totals().samples == 3);
  CHECK(sums.totals().in_flight == 7);
  CHECK(sums.take(1).time == 30);
  CHECK(sums.totals().samples == 0);
}
