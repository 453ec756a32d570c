#include <fusebox/detail/rate_window.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::Rate;
using detail::Tally;
using detail::Tick;

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {
static bool operator==(const Rate& a, const Rate& b) { return a.calls == b.calls && a.hits == b.hits; }
static std::ostream& operator<<(std::ostream& out, const Rate& rate) {
  return out << rate.hits << " of " << rate.calls;
}
}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail

namespace {
using CountWindow = detail::CountWindow<detail::StdSync>;
using TimeWindow = detail::TimeWindow<detail::StdSync>;
using RateWindow = detail::RateWindow<detail::StdSync>;

/// Runs `meanwhile`, once, when a place in a count window was taken: a thread that is faster.
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

/// The last n outcomes, said plainly.
struct CountModel {
  std::size_t size;
  std::uint32_t tag = 0;
  std::deque<bool> held{};

  void record(std::uint32_t period, bool hit) {
    if (period != tag) held.clear();
    tag = period;
    held.push_back(hit);
    if (held.size() > size) held.pop_front();
  }
  [[nodiscard]] Rate rate(std::uint32_t period) const {
    Rate rate;
    if (period != tag) return rate;
    for (const bool hit : held) {
      ++rate.calls;
      if (hit) ++rate.hits;
    }
    return rate;
  }
};

/// Every outcome ever, and floor division: the text of B3.
struct TimeModel {
  struct Entry {
    std::uint32_t tag;
    Tick at;
    bool hit;
  };
  Tick width;
  std::vector<Entry> entries{};

  [[nodiscard]] Tick bucket(Tick at) const {
    Tick number = at / width;
    if (number * width > at) --number;
    return number;
  }
  void record(std::uint32_t tag, Tick at, bool hit) { entries.push_back({tag, at, hit}); }
  [[nodiscard]] Rate rate(std::uint32_t tag, Tick now) const {
    Rate rate;
    for (const Entry& entry : entries) {
      if (entry.tag != tag || bucket(entry.at) <= bucket(now) - 10) continue;
      ++rate.calls;
      if (entry.hit) ++rate.hits;
    }
    return rate;
  }
};
}  // namespace

TEST_CASE("B3 last_calls and within never throw, whatever they are given") {
  STATIC_REQUIRE(noexcept(last_calls(-1)));
  STATIC_REQUIRE(noexcept(within(std::chrono::nanoseconds::min())));
  constexpr Window calls = last_calls(-7);
  STATIC_REQUIRE_FALSE(calls.is_time());
  STATIC_REQUIRE(calls.calls() == -7);
  constexpr Window time = within(-7ns);
  STATIC_REQUIRE(time.is_time());
  STATIC_REQUIRE(time.length() == -7ns);
}

TEST_CASE("windows are equal when they are of one kind and one size") {
  STATIC_REQUIRE(last_calls(10) == last_calls(10));
  STATIC_REQUIRE(last_calls(10) != last_calls(11));
  STATIC_REQUIRE(within(10ns) != last_calls(10));
  STATIC_REQUIRE(within(1s) == within(1000ms));
  STATIC_REQUIRE(within(0ns) != last_calls(0));
}

TEST_CASE("a window tells what it was made of") {
  CHECK_FALSE(last_calls(3).is_time());
  CHECK(last_calls(3).calls() == 3);
  CHECK(last_calls(3).length() == 0s);
  CHECK(within(3s).is_time());
  CHECK(within(3s).calls() == 0);
  CHECK(within(3s).length() == 3s);
}

TEST_CASE("a rate reaches its threshold exactly, and only with enough calls") {
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

TEST_CASE("a tally keeps its three fields apart") {
  constexpr Tally full{Tally::tag_mask, Tally::field_mask, Tally::field_mask};
  STATIC_REQUIRE(full.bits() == ~std::uint64_t{0});
  constexpr Tally tally{3, 2, 1};
  STATIC_REQUIRE(tally.tag() == 3);
  STATIC_REQUIRE(tally.calls() == 2);
  STATIC_REQUIRE(tally.hits() == 1);
  STATIC_REQUIRE(Tally{tally.bits()}.bits() == tally.bits());
}

TEST_CASE("adding to a tally") {
  std::atomic<std::uint64_t> word{0};
  const auto holds = [&](Tally tally) { return word.load() == tally.bits(); };
  const auto add = [&](std::uint32_t tag, std::uint32_t calls, std::uint32_t hits) {
    detail::add_to_tally(word, tag, calls, hits,
                         [tag](std::uint32_t held) { return detail::is_later(held, tag); });
  };
  add(5, 1, 1);
  REQUIRE(holds({5, 1, 1}));

  SECTION("of the same period sums up") {
    add(5, 1, 0);
    add(5, 2, 2);
    CHECK(holds({5, 4, 3}));
  }
  SECTION("of a later period starts anew") {
    add(6, 1, 0);
    CHECK(holds({6, 1, 0}));
  }
  SECTION("of an earlier period does nothing") {
    add(4, 1, 1);
    CHECK(holds({5, 1, 1}));
  }
  SECTION("knows later from earlier where the tag wraps around") {
    word = Tally{Tally::tag_mask, 7, 7}.bits();
    add(0, 1, 0);
    CHECK(holds({0, 1, 0}));
    add(Tally::tag_mask, 1, 1);
    CHECK(holds({0, 1, 0}));
  }
  SECTION("may take a hit out before it was put in") {
    word = Tally{5, 1, 0}.bits();
    add(5, 0, ~std::uint32_t{0});
    CHECK(Tally{word.load()}.calls() == 1);
    add(5, 0, 1);
    CHECK(holds({5, 1, 0}));
  }
  SECTION("that is full drops half and keeps its rate") {
    word = Tally{5, Tally::field_mask, Tally::field_mask / 2}.bits();
    add(5, 1, 1);
    CHECK(holds({5, 0x80000, 0x40000}));
    word = Tally{5, Tally::field_mask - 1, 9}.bits();
    add(5, 1, 0);
    CHECK(holds({5, Tally::field_mask, 9}));
  }
}

TEST_CASE("B3 a count window holds the last n outcomes, the oldest being replaced") {
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

TEST_CASE("B3 a count window of one holds the last outcome") {
  CountWindow window{1};
  for (const bool hit : {true, false, false, true, true, false}) {
    window.record(1, hit);
    CHECK(window.rate(1) == Rate{1, hit ? 1U : 0U});
  }
}

TEST_CASE("B3 a count window of the greatest size is exact") {
  CountWindow window{65'535};
  for (int i = 0; i < 65'535; ++i) window.record(1, true);
  CHECK(window.rate(1) == Rate{65'535, 65'535});
  window.record(1, false);
  CHECK(window.rate(1) == Rate{65'535, 65'534});
}

TEST_CASE("B3 a count window starts each period empty") {
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

TEST_CASE("B3 a late record of an earlier period changes nothing in a count window") {
  CountWindow window{2};
  window.record(2, true);
  window.record(2, true);
  window.record(1, true);
  CHECK(window.rate(2) == Rate{2, 2});
  for (int i = 0; i < 6; ++i) window.record(2, false);
  CHECK(window.rate(2) == Rate{2, 0});
}

TEST_CASE("B3 a record that is overtaken by one of the next period takes no place in it") {
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

TEST_CASE("B3 a count window agrees with a plain model over many random operations") {
  std::mt19937 random{20250107};
  for (const int size : {1, 2, 3, 7, 10, 64}) {
    CAPTURE(size);
    CountWindow window{size};
    CountModel model{static_cast<std::size_t>(size)};
    std::uint32_t tag = 1;
    bool agree = true;
    for (int i = 0; i < 3000 && agree; ++i) {
      if (random() % 97 == 0) tag += 2;
      const bool hit = random() % 3 == 0;
      window.record(tag, hit);
      model.record(tag, hit);
      agree = window.rate(tag) == model.rate(tag) && window.rate(tag + 2) == Rate{};
    }
    CHECK(agree);
  }
}

TEST_CASE("B3 a time window's bucket is a tenth of its length, rounded up, at least 1 ns") {
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

TEST_CASE("B3 a time window is the current bucket and the nine before it") {
  TimeWindow window{100ns};
  for (Tick bucket = 0; bucket < 10; ++bucket) window.record(1, 10 * bucket, bucket % 2 == 0);
  CHECK(window.rate(1, 99) == Rate{10, 5});
  CHECK(window.rate(1, 100) == Rate{9, 4});
  CHECK(window.rate(1, 109) == Rate{9, 4});
  CHECK(window.rate(1, 110) == Rate{8, 4});
  CHECK(window.rate(1, 189) == Rate{1, 0});
  CHECK(window.rate(1, 190) == Rate{0, 0});
}

TEST_CASE("B3 what lies a whole window back leaves its place to the new bucket") {
  TimeWindow window{100ns};
  window.record(1, 5, true);
  window.record(1, 9, true);
  window.record(1, 10, true);
  window.record(1, 105, false);
  CHECK(window.rate(1, 105) == Rate{2, 1});
  window.record(1, 119, false);
  CHECK(window.rate(1, 119) == Rate{2, 0});
}

TEST_CASE("B3 a time window drops what is older, however long it idled") {
  for (const Tick idle : {Tick{100}, Tick{110}, Tick{1000}, Tick{1'000'000'000'000}, detail::tick_max - 7}) {
    CAPTURE(idle);
    TimeWindow window{100ns};
    window.record(1, 7, true);
    CHECK(window.rate(1, 7 + idle) == Rate{0, 0});
    window.record(1, 7 + idle, false);
    CHECK(window.rate(1, 7 + idle) == Rate{1, 0});
  }
}

TEST_CASE("B3 a time window's buckets go on below zero, by floor") {
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

TEST_CASE("B3 a time window of the greatest length holds everything for ever") {
  TimeWindow window{std::chrono::nanoseconds::max()};
  window.record(1, 0, true);
  window.record(1, detail::tick_max / 2, false);
  CHECK(window.rate(1, detail::tick_max) == Rate{2, 1});
}

TEST_CASE("B3 a time window starts each period empty, also within one bucket") {
  TimeWindow window{100ns};
  window.record(1, 50, true);
  CHECK(window.rate(3, 50) == Rate{0, 0});
  CHECK(window.rate(1, 50) == Rate{1, 1});
  window.record(3, 51, false);
  CHECK(window.rate(3, 51) == Rate{1, 0});
}

TEST_CASE("B3 a bucket whose first tag is 0 starts empty as any other") {
  TimeWindow window{10ns};
  const Tick now = Tick{0x9e3779} * 16;  // the turn that makes the tag of generation 1
  window.record(1, now, false);
  CHECK(window.rate(1, now) == Rate{1, 0});
}

TEST_CASE("B3 a late record of an earlier period changes nothing in a time window") {
  TimeWindow window{100ns};
  window.record(3, 50, false);
  window.record(1, 50, true);
  CHECK(window.rate(3, 50) == Rate{1, 0});
  window.record(1, 60, true);
  CHECK(window.rate(3, 60) == Rate{1, 0});
  window.record(3, 60, true);
  CHECK(window.rate(3, 60) == Rate{2, 1});
}

TEST_CASE("B3 a record that comes a whole window late is dropped") {
  TimeWindow window{100ns};
  window.record(1, 205, false);
  window.record(1, 105, true);
  CHECK(window.rate(1, 205) == Rate{1, 0});
}

TEST_CASE("B3 a time window agrees with a plain model over many random operations") {
  std::mt19937 random{42};
  struct Row {
    std::chrono::nanoseconds length;
    Tick width;
  };
  for (const Row& row :
       {Row{1ns, 1}, Row{9ns, 1}, Row{10ns, 1}, Row{11ns, 2}, Row{95ns, 10}, Row{1s, 100'000'000}}) {
    CAPTURE(row.length.count());
    const auto up_to = [&](Tick limit) {
      return static_cast<Tick>(random() % static_cast<std::uint64_t>(limit));
    };
    TimeWindow window{row.length};
    TimeModel model{row.width};
    std::uint32_t tag = 1;
    Tick now = -20 * row.width;
    bool agree = true;
    for (int i = 0; i < 1500 && agree; ++i) {
      switch (random() % 8) {
        case 0: now += 1; break;
        case 1: now += row.width; break;
        case 2: now += up_to(3 * row.width); break;
        case 3:
          if (random() % 16 == 0) now += up_to(40 * row.width);
          break;
        case 4:
          if (random() % 16 == 0) tag += 2;
          break;
        default:
          const bool hit = random() % 2 == 0;
          window.record(tag, now, hit);
          model.record(tag, now, hit);
      }
      agree = window.rate(tag, now) == model.rate(tag, now) &&
              window.rate(tag, now + row.width) == model.rate(tag, now + row.width);
    }
    CHECK(agree);
  }
}

TEST_CASE("B3 a time window of 1 s or more reads the coarse clock, a shorter one the fine clock") {
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

TEST_CASE("B3 a rate window is of the kind that was asked for") {
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

TEST_CASE("threads that fill a count window together lose nothing") {
  constexpr int threads = 4;
  for (int round = 0; round < 50; ++round) {
    CountWindow window{threads * 25};
    support::run_together(threads, [&](int thread) {
      for (int i = 0; i < 25; ++i) window.record(1, thread % 2 == 0);
    });
    REQUIRE(window.rate(1) == Rate{100, 50});
  }
}

TEST_CASE("threads that wrap a count window together leave its sum right") {
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

TEST_CASE("threads that meet at a new bucket of a time window lose nothing") {
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

TEST_CASE("B3 a time window's late report of an earlier period counts nowhere in the present one") {
  TimeWindow window{100ns};
  window.record(2, 5, false);
  window.record(1, 5, true);
  window.record(1, 15, true);
  CHECK(window.rate(2, 15).calls == 1);
  CHECK(window.rate(2, 15).hits == 0);
  CHECK(window.rate(1, 15).calls == 0);
}

TEST_CASE("B3 a bucket that comes round again in the same period starts empty") {
  TimeWindow window{100ns};
  for (const detail::Tick turn : {0, 1, 2, 1000}) {
    window.record(1, turn * 160 + 5, true);  // the ring has 16 buckets
    CHECK(window.rate(1, turn * 160 + 5).calls == 1);
  }
}
