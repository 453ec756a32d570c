#include <fusebox/detail/rate_window.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <ostream>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::Rate;
using detail::Tick;
using detail::ticks;

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
static bool operator==(const Rate& a, const Rate& b) { return a.calls == b.calls && a.hits == b.hits; }
static std::ostream& operator<<(std::ostream& out, const Rate& rate) {
  return out << rate.hits << " of " << rate.calls;
}
}  // namespace detail

FUSEBOX_END_NAMESPACE

namespace {
using RateWindow = detail::RateWindow<detail::StdSync>;

constexpr std::uint32_t last_generation = std::numeric_limits<std::uint32_t>::max();

/// A count window and the counter of recorded outcomes that its breaker keeps.
template <class Sync = detail::StdSync>
struct CountWindow {
  explicit CountWindow(int calls) : window{calls} { begin(1); }

  void begin(std::uint32_t generation) { window.begin(generation, recorded); }
  void record(std::uint32_t generation, bool hit) {
    ++recorded;
    if (hit) record_counted_hit(generation);
  }
  void record_counted_hit(std::uint32_t generation) {
    window.record_hit(generation, [this] { return recorded.load(); });
  }
  /// Of an earlier generation: the breaker counts it.
  void record_late() {
    window.leave_out_one();
    ++recorded;
  }
  [[nodiscard]] Rate rate(std::uint32_t generation) const {
    return window.rate(generation, [this] { return recorded.load(); });
  }

  detail::CountWindow<Sync> window;
  std::atomic<std::uint64_t> recorded{0};
};

template <class Sync = detail::StdSync>
struct TimeWindow : detail::TimeWindow<Sync> {
  explicit TimeWindow(std::chrono::nanoseconds length) : detail::TimeWindow<Sync>{length} { this->begin(1); }
};

/// Runs `meanwhile`, once, before an exchange of a word: a faster thread.
struct OvertakenSync {
  static inline std::function<void()> meanwhile;

  template <class T>
  struct Atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    bool compare_exchange_strong(T& seen, T next, std::memory_order order, std::memory_order failed) {
      if (const auto others = std::exchange(meanwhile, nullptr)) others();
      return std::atomic<T>::compare_exchange_strong(seen, next, order, failed);
    }
    bool compare_exchange_weak(T& seen, T next, std::memory_order order, std::memory_order failed) {
      if (const auto others = std::exchange(meanwhile, nullptr)) others();
      return std::atomic<T>::compare_exchange_strong(seen, next, order, failed);
    }
  };
  using Mutex = std::mutex;
};

/// Starts counting at a number instead of zero.
template <std::uint64_t first_count>
struct StartedSync {
  template <class T>
  struct Atomic : std::atomic<T> {
    explicit Atomic(T value) : std::atomic<T>{std::is_same_v<T, std::uint64_t> ? T(first_count) : value} {}
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

TEST_CASE("B3 hits leave a count window in the order in which they were recorded", "[B3]") {
  CountWindow window{4};
  window.record(1, true);
  window.record(1, false);
  window.record(1, true);
  window.record(1, false);
  CHECK(window.rate(1) == Rate{4, 2});
  window.record(1, false);
  CHECK(window.rate(1) == Rate{4, 1});
  window.record(1, false);
  CHECK(window.rate(1) == Rate{4, 1});
  window.record(1, false);
  CHECK(window.rate(1) == Rate{4, 0});
  CHECK(window.rate(1) == Rate{4, 0});
}

TEST_CASE("B3 a count window is exact whatever its size, over many turns of its ring", "[B3]") {
  const int size = GENERATE(1, 2, 3, 4, 5, 7, 8, 100);
  CAPTURE(size);
  CountWindow window{size};
  std::vector<bool> all;
  std::uint32_t random = 1;
  for (int i = 0; i < 70'000; ++i) {
    random = random * 1'664'525 + 1'013'904'223;
    all.push_back((random >> 20U) % 4 != 0);
    window.record(1, all.back());
    if (i % 7 != 0 && i < 69'000) continue;
    Rate expected;
    for (auto hit = all.rbegin(); hit != all.rend() && expected.calls < static_cast<std::uint64_t>(size);
         ++hit) {
      ++expected.calls;
      if (*hit) ++expected.hits;
    }
    if (window.rate(1) != expected) {
      REQUIRE(window.rate(1) == expected);
    }
  }
}

TEST_CASE("B3 a count window starts each generation empty", "[B3]") {
  CountWindow window{4};
  for (int i = 0; i < 3; ++i) window.record(1, true);
  CHECK(window.rate(2) == Rate{0, 0});
  CHECK(window.rate(1) == Rate{3, 3});
  window.begin(2);
  CHECK(window.rate(2) == Rate{0, 0});
  window.record(2, false);
  CHECK(window.rate(2) == Rate{1, 0});
  CHECK(window.rate(1) == Rate{0, 0});
  for (int i = 0; i < 3; ++i) window.record(2, false);
  CHECK(window.rate(2) == Rate{4, 0});
}

TEST_CASE("B3 a count window takes no generation for another, wherever their numbers are", "[B3]") {
  CountWindow window{100};
  for (int i = 0; i < 10; ++i) window.record(1, true);
  // Each failed probe is two transitions: this is the number after 2^22 of them.
  for (const std::uint32_t generation : {8'388'609U, 0x8000'0001U, last_generation, 0U, 1U}) {
    CAPTURE(generation);
    window.begin(generation);
    CHECK(window.rate(generation) == Rate{0, 0});
    for (int i = 0; i < 50; ++i) window.record(generation, true);
    CHECK(window.rate(generation) == Rate{50, 50});
  }
}

TEST_CASE("B3 a late record of an earlier generation changes nothing in a count window", "[B3]") {
  CountWindow window{2};
  window.begin(2);
  window.record(2, true);
  window.record(2, true);
  window.record_late();
  window.record_counted_hit(1);
  CHECK(window.rate(2) == Rate{2, 2});
  for (int i = 0; i < 6; ++i) window.record(2, false);
  CHECK(window.rate(2) == Rate{2, 0});

  CountWindow not_full{3};
  not_full.begin(2);
  not_full.record(2, true);
  not_full.record_late();  // takes no place
  not_full.record(2, false);
  not_full.record(2, false);
  CHECK(not_full.rate(2) == Rate{3, 1});
}

TEST_CASE("B3 an outcome that is left out before it is counted is in no rate", "[B3]") {
  CountWindow window{3};
  window.window.leave_out_one();
  CHECK(window.rate(1) == Rate{0, 0});
  window.record_counted_hit(1);
  CHECK(window.rate(1) == Rate{0, 0});
  ++window.recorded;
  window.record(1, false);
  CHECK(window.rate(1).calls == 1);
}

TEST_CASE("B3 a hit that is overtaken by the next generation is not recorded", "[B3]") {
  CountWindow<OvertakenSync> window{1};
  OvertakenSync::meanwhile = [&] {
    window.begin(2);
    window.record(2, false);
  };
  window.record(1, true);
  REQUIRE_FALSE(OvertakenSync::meanwhile);
  CHECK(window.rate(2) == Rate{1, 0});
  window.record(2, true);
  CHECK(window.rate(2) == Rate{1, 1});
}

TEST_CASE("B3 a hit that is overtaken by others is recorded after them", "[B3]") {
  CountWindow<OvertakenSync> window{8};
  OvertakenSync::meanwhile = [&] {
    for (int i = 0; i < 3; ++i) window.record(1, true);
  };
  window.record(1, true);
  CHECK(window.rate(1) == Rate{4, 4});
  for (int i = 0; i < 8; ++i) window.record(1, false);
  CHECK(window.rate(1) == Rate{8, 0});
}

TEST_CASE("B3 hits that were counted before any of them was recorded leave a count window one by one",
          "[B3]") {
  CountWindow window{5};
  window.record(1, true);
  window.record(1, false);
  window.recorded += 3;
  for (int i = 0; i < 3; ++i) window.record_counted_hit(1);
  CHECK(window.rate(1) == Rate{5, 4});
  const auto hits_after_a_miss = [&] {
    window.record(1, false);
    return window.rate(1).hits;
  };
  CHECK(hits_after_a_miss() == 3);
  CHECK(hits_after_a_miss() == 3);
  CHECK(hits_after_a_miss() == 2);
  CHECK(hits_after_a_miss() == 1);
  CHECK(hits_after_a_miss() == 0);
}

TEST_CASE("B3 hits that were recorded at the same time leave a count window one by one", "[B3]") {
  constexpr int threads = 4;
  for (int round = 0; round < 200; ++round) {
    CountWindow window{100};
    support::run_together(threads, [&](int) {
      for (int i = 0; i < 25; ++i) window.record(1, true);
    });
    for (std::uint64_t left = 100; left-- > 0;) {
      window.record(1, false);
      if (window.rate(1) != Rate{100, left}) {
        REQUIRE(window.rate(1) == Rate{100, left});
      }
    }
  }
}

TEST_CASE("B3 places of a count window have no end that a process reaches", "[B3]") {
  constexpr std::uint64_t recorded = std::uint64_t{1} << 62U;
  CountWindow window{3};
  window.recorded = recorded;
  window.begin(2);
  for (const bool hit : {true, true, false}) window.record(2, hit);
  CHECK(window.rate(2) == Rate{3, 2});
  window.recorded = 2 * recorded;  // as many misses
  CHECK(window.rate(2) == Rate{3, 0});
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
  window.begin(3);
  window.record(3, 51, false);
  CHECK(window.rate(3, 51) == Rate{1, 0});
}

TEST_CASE("B3 a late record of an earlier generation changes nothing in a time window", "[B3]") {
  TimeWindow window{100ns};
  window.begin(3);
  window.record(3, 50, false);
  window.record(1, 50, true);
  CHECK(window.rate(3, 50) == Rate{1, 0});
  window.record(1, 60, true);  // no bucket has begun there yet
  CHECK(window.rate(3, 60) == Rate{1, 0});
  CHECK(window.rate(1, 60) == Rate{0, 0});
  window.record(3, 60, true);
  CHECK(window.rate(3, 60) == Rate{2, 1});
}

TEST_CASE("B3 a time window counts in every generation, also beyond half of their numbers", "[B3]") {
  TimeWindow window{100ns};
  for (const std::uint32_t generation :
       {17'711U, 0x7fff'ffffU, 0x8000'0000U, 0x8000'0002U, last_generation}) {
    CAPTURE(generation);
    window.begin(generation);
    window.record(generation, 5, true);
    window.record(generation, 65, false);  // a bucket that may not have begun before
    CHECK(window.rate(generation, 65) == Rate{2, 1});
  }
}

TEST_CASE("B3 no bucket of a time window counts when its generation's number comes round again", "[B3]") {
  TimeWindow window{1h};
  for (int i = 0; i < 9; ++i) window.record(1, 0, true);
  for (std::uint64_t generation = 2; generation <= std::uint64_t{1} << 32U; generation += 1U << 20U) {
    window.begin(static_cast<std::uint32_t>(generation));
  }
  window.begin(1);
  CHECK(window.rate(1, 0) == Rate{0, 0});
  window.record(1, 0, true);
  CHECK(window.rate(1, 0) == Rate{1, 1});
}

TEST_CASE("B3 a failure is alone in a time window after 17,711 resets and 1.6 h", "[B3]") {
  TimeWindow window{10s};
  for (int i = 0; i < 9; ++i) window.record(1, 0, true);
  for (std::uint32_t generation = 2; generation <= 17'712; ++generation) window.begin(generation);
  for (Tick now = 0; now < ticks(2h); now += ticks(1s)) CHECK(window.rate(17'712, now) == Rate{0, 0});
  window.record(17'712, ticks(96min), true);
  CHECK(window.rate(17'712, ticks(96min)) == Rate{1, 1});
}

TEST_CASE("B3 a bucket of a time window is exact beyond 2^20 calls", "[B3]") {
  constexpr int many = 1'048'576;
  TimeWindow window{10min};
  for (int i = 0; i < many; ++i) window.record(1, 0, false);
  CHECK(window.rate(1, 0) == Rate{many, 0});
  for (int i = 0; i < many / 2; ++i) window.record(1, ticks(1min), true);
  CHECK(window.rate(1, ticks(1min)) == Rate{3 * many / 2, many / 2});
  for (int i = 0; i < 2 * many + 5; ++i) window.record(1, ticks(1min), i % 2 == 0);
  CHECK(window.rate(1, ticks(1min)) == Rate{7 * many / 2 + 5, 3 * many / 2 + 3});
  CHECK(window.rate(1, ticks(10min)) == Rate{5 * many / 2 + 5, 3 * many / 2 + 3});
  CHECK(window.rate(1, ticks(11min)) == Rate{0, 0});
  window.record(1, ticks(17min), true);  // the ring has 16 buckets
  CHECK(window.rate(1, ticks(17min)) == Rate{1, 1});
}

TEST_CASE("B3 the turns of a bucket wrap around", "[B3]") {
  TimeWindow<StartedSync<~std::uint64_t{0} << 40U>> window{100ns};
  window.record(1, 5, true);
  window.record(1, 6, false);
  CHECK(window.rate(1, 6) == Rate{2, 1});
  window.record(1, 165, false);
  CHECK(window.rate(1, 165) == Rate{1, 0});
}

TEST_CASE("B3 a record that a new bucket overtakes is not counted in it", "[B3]") {
  TimeWindow<OvertakenSync> window{100ns};
  window.record(1, 5, true);
  SECTION("of the same generation") {
    OvertakenSync::meanwhile = [&] { window.record(1, 165, false); };  // the ring has 16 buckets
    window.record(1, 5, true);
    CHECK(window.rate(1, 165) == Rate{1, 0});
  }
  SECTION("of the next") {
    OvertakenSync::meanwhile = [&] {
      window.begin(2);
      window.record(2, 5, false);
    };
    window.record(1, 5, true);
    CHECK(window.rate(2, 5) == Rate{1, 0});
  }
  SECTION("however often it began") {
    OvertakenSync::meanwhile = [&] {
      for (std::uint32_t generation = 2; generation <= 4097; ++generation) {
        window.begin(generation);
        window.record(generation, 5, true);
      }
    };
    window.record(1, 5, true);
    CHECK(window.rate(4097, 5) == Rate{1, 1});
  }
  REQUIRE_FALSE(OvertakenSync::meanwhile);
}

TEST_CASE("B3 a time window holds at both ends of the timeline", "[B3]") {
  for (const Tick now : {detail::tick_min, detail::tick_min + 1, Tick{0}, detail::tick_max}) {
    for (const auto length :
         {1ns, 10ns, 11ns, std::chrono::nanoseconds{10s}, std::chrono::nanoseconds::max()}) {
      CAPTURE(now, length.count());
      TimeWindow window{length};
      for (int i = 0; i < 3; ++i) window.record(1, now, i == 0);
      CHECK(window.rate(1, now) == Rate{3, 1});
    }
  }
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
  for (RateWindow* window : {&coarse, &fine}) window->begin(1, 0);
  const auto none = [] { return std::uint64_t{0}; };
  clock.advance(950ms);
  coarse.record(1, clock, detail::coarse_tick(clock), true, none);
  fine.record(1, clock, detail::coarse_tick(clock), true, none);
  coarse.record_miss(1, clock, detail::coarse_tick(clock));
  fine.record_miss(1, clock, detail::coarse_tick(clock));
  CHECK(coarse.rate(1, clock, none) == Rate{2, 1});
  CHECK(fine.rate(1, clock, none) == Rate{2, 1});
  clock.advance(50ms);
  CHECK(coarse.rate(1, clock, none) == Rate{0, 0});
  CHECK(fine.rate(1, clock, none) == Rate{2, 1});
}

TEST_CASE("B3 a rate window is of the kind that the config asks for", "[B3]") {
  const test::FakeClock clock;
  std::uint64_t count = 0;
  const auto recorded = [&] { return count; };
  RateWindow calls{last_calls(2)};
  RateWindow time{within(100ns)};
  CHECK_FALSE(calls.is_time());
  CHECK(time.is_time());
  for (RateWindow* window : {&calls, &time}) window->begin(1, 0);
  for (int i = 0; i < 3; ++i) {
    ++count;
    calls.record(1, clock, detail::coarse_tick(clock), true, recorded);
    time.record(1, clock, detail::coarse_tick(clock), true, recorded);
  }
  CHECK(calls.rate(1, clock, recorded) == Rate{2, 2});
  CHECK(time.rate(1, clock, recorded) == Rate{3, 3});
  ++count;
  calls.record_miss(1, clock, detail::coarse_tick(clock));
  time.record_miss(1, clock, detail::coarse_tick(clock));
  CHECK(calls.rate(1, clock, recorded) == Rate{2, 1});
  CHECK(time.rate(1, clock, recorded) == Rate{4, 3});
  calls.leave_out_one();
  time.leave_out_one();
  ++count;
  CHECK(calls.rate(1, clock, recorded) == Rate{2, 1});
  clock.advance(24h);
  CHECK(calls.rate(1, clock, recorded) == Rate{2, 1});
  CHECK(time.rate(1, clock, recorded) == Rate{0, 0});
  calls.begin(2, count);
  CHECK(calls.rate(2, clock, recorded) == Rate{0, 0});
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
      for (int i = 0; i < 50; ++i) {
        window.record(1, (i + thread) % 2 == 0);
        (void)window.rate(1);
      }
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
    const auto buckets = static_cast<std::uint64_t>(round < 9 ? round + 1 : 10);
    REQUIRE(window.rate(1, now) == Rate{20 * buckets, 5 * buckets});
  }
}

TEST_CASE("B3 a bucket that is used again in the same generation starts empty", "[B3]") {
  TimeWindow window{100ns};
  for (const Tick turn : {0, 1, 2, 1000}) {
    window.record(1, turn * 160 + 5, true);  // the ring has 16 buckets
    CHECK(window.rate(1, turn * 160 + 5).calls == 1);
  }
}

TEST_CASE("B3 threads of different shards are in one rate, while buckets begin and end", "[B3]") {
  constexpr int threads = 4;
  TimeWindow window{1000ns};
  std::atomic<int> finished{0};
  std::atomic<int> complete{0};
  std::atomic<int> torn{0};
  support::run_together(threads + 1, [&](int thread) {
    if (thread == threads) {
      while (finished < threads) {
        const Rate rate = window.rate(1, 0);
        if (2 * rate.hits > rate.calls) ++torn;
      }
      return;
    }
    detail::move_thread_to_shard(static_cast<std::size_t>(thread));
    for (int i = 0; i < 10'000; ++i) {
      window.record(1, 0, false);
      window.record(1, 0, true);
    }
    if (window.rate(1, 0) == Rate{20'000 * threads, 10'000 * threads}) ++complete;
    ++finished;
  });
  CHECK(torn == 0);
  CHECK(complete >= 1);  // the last one sees them all
}
