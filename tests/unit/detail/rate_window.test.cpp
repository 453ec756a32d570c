#include <fusebox/detail/rate_window.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::PackedCounts;
using detail::Rate;
using detail::Tick;

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
static bool operator==(const Rate& a, const Rate& b) { return a.calls == b.calls && a.hits == b.hits; }
static std::ostream& operator<<(std::ostream& out, const Rate& rate) {
  return out << rate.hits << " of " << rate.calls;
}
}  // namespace detail

FUSEBOX_END_NAMESPACE

namespace {
using CountWindow = detail::CountWindow<detail::StdSync>;
using TimeWindow = detail::TimeWindow<detail::StdSync>;
using RateWindow = detail::RateWindow<detail::StdSync>;

constexpr std::uint32_t last_tag = PackedCounts::tag_mask;
constexpr std::uint32_t full = PackedCounts::field_mask;

/// Runs `meanwhile`, once, after a slot of a count window was taken: a faster thread.
struct OvertakenSync {
  static inline std::function<void()> meanwhile;

  template <class T>
  class Atomic : public std::atomic<T> {
   public:
    using std::atomic<T>::atomic;
    T fetch_add(T value, std::memory_order order) {
      const T before = std::atomic<T>::fetch_add(value, order);
      if (const auto others = std::exchange(meanwhile, nullptr)) others();
      return before;
    }
  };
  using Mutex = std::mutex;
};

}  // namespace

TEST_CASE("B3 a rate reaches its threshold exactly, and only with enough calls", "[B3]") {
  for (std::uint32_t hits = 1; hits <= 10; ++hits) {
    const double threshold = std::vector{0., .1, .2, .3, .4, .5, .6, .7, .8, .9, 1.}[hits];
    CAPTURE(hits, threshold);
    CHECK(Rate{10, hits}.reaches(threshold, 10));
    CHECK(Rate{1000, 100 * hits}.reaches(threshold, 10));
    CHECK_FALSE(Rate{10, hits - 1}.reaches(threshold, 10));
    CHECK_FALSE(Rate{1000, 100 * hits - 1}.reaches(threshold, 10));
    CHECK_FALSE(Rate{10, hits}.reaches(threshold, 11));
  }
  CHECK(Rate{}.value() == 0.0);
  CHECK(Rate{4, 1}.value() == 0.25);
  CHECK(Rate{3, 3}.value() == 1.0);
}

TEST_CASE("B3 packed counts keep their tag, calls and hits apart", "[B3]") {
  constexpr PackedCounts counts{3, 2, 1};
  STATIC_REQUIRE(counts.bits() == 0x000003'00002'00001);
  STATIC_REQUIRE(counts.tag() == 3);
  STATIC_REQUIRE(counts.calls() == 2);
  STATIC_REQUIRE(counts.hits() == 1);
  STATIC_REQUIRE(PackedCounts{counts.bits()}.bits() == counts.bits());
  STATIC_REQUIRE(PackedCounts{last_tag, full, full}.bits() == ~std::uint64_t{0});
  STATIC_REQUIRE(PackedCounts{last_tag + 4, full + 3, full + 2}.bits() == counts.bits());
}

TEST_CASE("B3 packed counts have room for a call under their own tag, up to 20 bits of calls", "[B3]") {
  STATIC_REQUIRE(PackedCounts{5, 0, 0}.has_room_for(5));
  STATIC_REQUIRE(PackedCounts{5, full - 1, 0}.has_room_for(5));
  STATIC_REQUIRE_FALSE(PackedCounts{5, full, 0}.has_room_for(5));
  STATIC_REQUIRE_FALSE(PackedCounts{5, 0, 0}.has_room_for(6));
  STATIC_REQUIRE(PackedCounts{5, 1, 1}.plus_call(false).bits() == PackedCounts{5, 2, 1}.bits());
  STATIC_REQUIRE(PackedCounts{5, 1, 1}.plus_call(true).bits() == PackedCounts{5, 2, 2}.bits());
}

TEST_CASE("B3 packed counts that are full drop half and keep their rate", "[B3]") {
  STATIC_REQUIRE(PackedCounts{5, 1, 1}.plus(2, 1).bits() == PackedCounts{5, 3, 2}.bits());
  STATIC_REQUIRE(PackedCounts{5, full, full / 2}.plus(1, 1).bits() ==
                 PackedCounts{5, 0x80000, 0x40000}.bits());
  STATIC_REQUIRE(PackedCounts{5, full, 8}.plus(0, 1).bits() == PackedCounts{5, full, 9}.bits());
  STATIC_REQUIRE(PackedCounts{5, full - 1, 9}.plus(1, 0).bits() == PackedCounts{5, full, 9}.bits());
}

TEST_CASE("B3 a later generation is told from an earlier one, also where tags wrap around", "[B3]") {
  STATIC_REQUIRE(detail::is_later(6, 5));
  STATIC_REQUIRE_FALSE(detail::is_later(5, 5));
  STATIC_REQUIRE_FALSE(detail::is_later(5, 6));
  STATIC_REQUIRE(detail::is_later(0, last_tag));
  STATIC_REQUIRE_FALSE(detail::is_later(last_tag, 0));
  STATIC_REQUIRE(detail::is_later(last_tag / 2, 0));
  STATIC_REQUIRE_FALSE(detail::is_later(last_tag / 2 + 1, 0));
}

TEST_CASE("B3 counts of a later tag replace the old ones, and an outdated tag changes nothing", "[B3]") {
  std::atomic<std::uint64_t> word{PackedCounts{5, 1, 0}.bits()};
  const auto holds = [&](PackedCounts counts) { return word.load() == counts.bits(); };
  const auto add = [&](std::uint32_t tag, std::uint32_t calls, std::uint32_t hits) {
    detail::add_counts(word, tag, calls, hits,
                       [tag](std::uint32_t held) { return detail::is_later(held, tag); });
  };
  // A hit may be subtracted before it is added.
  add(5, 0, ~std::uint32_t{0});
  CHECK(PackedCounts{word.load()}.calls() == 1);
  add(5, 0, 1);
  CHECK(holds({5, 1, 0}));
  add(5, 2, 2);
  CHECK(holds({5, 3, 2}));
  add(4, 1, 1);
  CHECK(holds({5, 3, 2}));
  add(6, 1, 0);
  CHECK(holds({6, 1, 0}));
}

TEST_CASE("B3 a count window holds the last n outcomes and replaces the oldest", "[B3]") {
  CountWindow window{3};
  CHECK(window.rate(1) == Rate{0, 0});
  window.record(1, true);
  CHECK(window.rate(1) == Rate{1, 1});
  window.record(1, false);
  window.record(1, false);
  CHECK(window.rate(1) == Rate{3, 1});
  window.record(1, false);
  CHECK(window.rate(1) == Rate{3, 0});
  for (int i = 0; i < 4; ++i) window.record(1, true);
  CHECK(window.rate(1) == Rate{3, 3});
}

TEST_CASE("B3 a count window of one holds the last outcome", "[B3]") {
  CountWindow window{1};
  for (const bool hit : {true, false, false, true, true, false}) {
    window.record(1, hit);
    CHECK(window.rate(1) == Rate{1, hit ? 1U : 0U});
  }
}

TEST_CASE("B3 a count window of the greatest size is exact", "[B3]") {
  CountWindow window{65'535};
  for (int i = 0; i < 65'535; ++i) window.record(1, true);
  CHECK(window.rate(1) == Rate{65'535, 65'535});
  window.record(1, false);
  CHECK(window.rate(1) == Rate{65'535, 65'534});
}

TEST_CASE("B3 a count window starts each generation empty", "[B3]") {
  CountWindow window{4};
  for (int i = 0; i < 3; ++i) window.record(1, true);
  CHECK(window.rate(2) == Rate{0, 0});
  CHECK(window.rate(1) == Rate{3, 3});
  window.record(2, false);
  CHECK(window.rate(2) == Rate{1, 0});
  CHECK(window.rate(1) == Rate{0, 0});
  for (int i = 0; i < 3; ++i) window.record(2, false);
  CHECK(window.rate(2) == Rate{4, 0});
}

TEST_CASE("B3 a late record of an earlier generation changes nothing in a count window", "[B3]") {
  CountWindow window{2};
  window.record(2, true);
  window.record(2, true);
  window.record(1, true);
  CHECK(window.rate(2) == Rate{2, 2});
  for (int i = 0; i < 6; ++i) window.record(2, false);
  CHECK(window.rate(2) == Rate{2, 0});

  CountWindow not_full{3};
  not_full.record(2, true);
  not_full.record(1, true);  // takes no slot
  not_full.record(2, false);
  not_full.record(2, false);
  CHECK(not_full.rate(2) == Rate{3, 1});
}

TEST_CASE("B3 a record that is overtaken by one of the next generation takes no slot", "[B3]") {
  detail::CountWindow<OvertakenSync> window{1};
  OvertakenSync::meanwhile = [&] {
    window.record(2, true);
    window.record(2, true);
  };
  window.record(1, true);
  REQUIRE_FALSE(OvertakenSync::meanwhile);
  window.record(2, true);
  CHECK(window.rate(2) == Rate{1, 1});
}

TEST_CASE("B3 a time window's bucket is a tenth of its length, rounded up, at least 1 ns", "[B3]") {
  struct Row {
    std::chrono::nanoseconds length;
    Tick width;
  };
  for (const Row& row : {Row{1ns, 1}, Row{9ns, 1}, Row{10ns, 1}, Row{11ns, 2}, Row{20ns, 2}, Row{21ns, 3},
                         Row{999ns, 100}, Row{1000ns, 100}, Row{1001ns, 101}, Row{10s, 1'000'000'000}}) {
    CAPTURE(row.length.count());
    const Tick width = row.width;
    const Tick first = 1000 * width;
    TimeWindow window{row.length};
    window.record(1, first + width - 1, true);
    CHECK(window.rate(1, first + width - 1) == Rate{1, 1});
    CHECK(window.rate(1, first + 10 * width - 1) == Rate{1, 1});
    CHECK(window.rate(1, first + 10 * width) == Rate{0, 0});
  }
}

TEST_CASE("B3 a time window is the current bucket and the nine before it", "[B3]") {
  TimeWindow window{100ns};
  for (Tick bucket = 0; bucket < 10; ++bucket) window.record(1, 10 * bucket, bucket % 2 == 0);
  CHECK(window.rate(1, 99) == Rate{10, 5});
  CHECK(window.rate(1, 100) == Rate{9, 4});
  CHECK(window.rate(1, 109) == Rate{9, 4});
  CHECK(window.rate(1, 110) == Rate{8, 4});
  CHECK(window.rate(1, 189) == Rate{1, 0});
  CHECK(window.rate(1, 190) == Rate{0, 0});
}

TEST_CASE("B3 a time window drops what is older, however long it idled", "[B3]") {
  for (const Tick idle : {Tick{100}, Tick{110}, Tick{1000}, Tick{1'000'000'000'000}, detail::tick_max - 7}) {
    CAPTURE(idle);
    TimeWindow window{100ns};
    window.record(1, 7, true);
    CHECK(window.rate(1, 7 + idle) == Rate{0, 0});
    window.record(1, 7 + idle, false);
    CHECK(window.rate(1, 7 + idle) == Rate{1, 0});
  }
}

TEST_CASE("B3 a time window's buckets go on below zero, by floor", "[B3]") {
  TimeWindow window{100ns};
  window.record(1, -1, true);
  CHECK(window.rate(1, 0) == Rate{1, 1});
  CHECK(window.rate(1, 89) == Rate{1, 1});
  CHECK(window.rate(1, 90) == Rate{0, 0});

  TimeWindow before_zero{100ns};
  before_zero.record(1, -10, true);
  before_zero.record(1, -11, false);
  CHECK(before_zero.rate(1, -1) == Rate{2, 1});
  CHECK(before_zero.rate(1, 79) == Rate{2, 1});
  CHECK(before_zero.rate(1, 80) == Rate{1, 1});
  CHECK(before_zero.rate(1, 90) == Rate{0, 0});

  TimeWindow across_zero{100ns};
  for (Tick bucket = -5; bucket < 5; ++bucket) across_zero.record(1, 10 * bucket, bucket < 0);
  CHECK(across_zero.rate(1, 49) == Rate{10, 5});
}

TEST_CASE("B3 a time window of the greatest length holds everything", "[B3]") {
  TimeWindow window{std::chrono::nanoseconds::max()};
  window.record(1, 0, true);
  window.record(1, detail::tick_max / 2, false);
  CHECK(window.rate(1, detail::tick_max) == Rate{2, 1});
}

TEST_CASE("B3 a time window starts each generation empty, also within one bucket", "[B3]") {
  TimeWindow window{100ns};
  window.record(1, 50, true);
  CHECK(window.rate(3, 50) == Rate{0, 0});
  CHECK(window.rate(1, 50) == Rate{1, 1});
  window.record(3, 51, false);
  CHECK(window.rate(3, 51) == Rate{1, 0});
}

TEST_CASE("B3 a bucket whose first tag is 0 starts empty like any other", "[B3]") {
  TimeWindow window{10ns};
  const Tick now = Tick{0x9e3779} * 16;  // the turn that makes the tag of generation 1
  window.record(1, now, false);
  CHECK(window.rate(1, now) == Rate{1, 0});
}

TEST_CASE("B3 a late record of an earlier generation changes nothing in a time window", "[B3]") {
  TimeWindow window{100ns};
  window.record(3, 50, false);
  window.record(1, 50, true);
  CHECK(window.rate(3, 50) == Rate{1, 0});
  window.record(1, 60, true);
  CHECK(window.rate(3, 60) == Rate{1, 0});
  CHECK(window.rate(1, 60) == Rate{0, 0});
  window.record(3, 60, true);
  CHECK(window.rate(3, 60) == Rate{2, 1});
}

TEST_CASE("B3 a record that comes a whole window late is dropped", "[B3]") {
  TimeWindow window{100ns};
  window.record(1, 205, false);
  window.record(1, 105, true);
  window.record(1, 45, true);  // its bucket's place in the ring has been used again
  CHECK(window.rate(1, 205) == Rate{1, 0});
}

TEST_CASE("B3 T1 a time window of 1 s or more reads the coarse clock, a shorter one the fine clock",
          "[B3][T1]") {
  const test::FakeClock clock;
  clock.set_coarse_tick(1s);
  RateWindow coarse{within(1s)};
  RateWindow fine{within(1s - 1ns)};
  clock.advance(950ms);
  coarse.record(1, clock, detail::coarse_tick(clock), true);
  fine.record(1, clock, detail::coarse_tick(clock), true);
  CHECK(coarse.rate(1, clock) == Rate{1, 1});
  CHECK(fine.rate(1, clock) == Rate{1, 1});
  clock.advance(50ms);
  CHECK(coarse.rate(1, clock) == Rate{0, 0});
  CHECK(fine.rate(1, clock) == Rate{1, 1});
}

TEST_CASE("B3 a rate window is of the kind that the config asks for", "[B3]") {
  const test::FakeClock clock;
  RateWindow calls{last_calls(2)};
  RateWindow time{within(100ns)};
  for (int i = 0; i < 3; ++i) {
    calls.record(1, clock, detail::coarse_tick(clock), true);
    time.record(1, clock, detail::coarse_tick(clock), true);
  }
  CHECK(calls.rate(1, clock) == Rate{2, 2});
  CHECK(time.rate(1, clock) == Rate{3, 3});
  clock.advance(24h);
  CHECK(calls.rate(1, clock) == Rate{2, 2});
  CHECK(time.rate(1, clock) == Rate{0, 0});
}

TEST_CASE("B3 threads that fill a count window together lose nothing", "[B3]") {
  constexpr int threads = 4;
  for (int round = 0; round < 50; ++round) {
    CountWindow window{threads * 25};
    support::run_together(threads, [&](int thread) {
      for (int i = 0; i < 25; ++i) window.record(1, thread % 2 == 0);
    });
    REQUIRE(window.rate(1) == Rate{100, 50});
  }
}

TEST_CASE("B3 threads that wrap around a count window together leave its sum right", "[B3]") {
  CountWindow window{3};
  for (int round = 0; round < 100; ++round) {
    support::run_together(4, [&](int thread) {
      for (int i = 0; i < 50; ++i) window.record(1, (i + thread) % 2 == 0);
    });
    const Rate rate = window.rate(1);
    REQUIRE(rate.calls == 3);
    REQUIRE(rate.hits <= 3);
    for (int i = 0; i < 3; ++i) window.record(1, false);
    REQUIRE(window.rate(1) == Rate{3, 0});
  }
}

TEST_CASE("B3 threads that meet at a new bucket of a time window lose nothing", "[B3]") {
  constexpr int threads = 4;
  TimeWindow window{100ns};
  for (Tick round = 0; round < 200; ++round) {
    const Tick now = 10 * round;
    support::run_together(threads, [&](int thread) {
      for (int i = 0; i < 5; ++i) window.record(1, now, thread == 0);
    });
    const auto buckets = static_cast<std::uint32_t>(round < 9 ? round + 1 : 10);
    REQUIRE(window.rate(1, now) == Rate{20 * buckets, 5 * buckets});
  }
}

TEST_CASE("B3 a bucket that is used again in the same generation starts empty", "[B3]") {
  TimeWindow window{100ns};
  for (const detail::Tick turn : {0, 1, 2, 1000}) {
    window.record(1, turn * 160 + 5, true);  // the ring has 16 buckets
    CHECK(window.rate(1, turn * 160 + 5).calls == 1);
  }
}
