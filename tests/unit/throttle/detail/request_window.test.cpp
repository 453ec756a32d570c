#include <fusebox/throttle/detail/request_window.hpp>

#include <array>
#include <chrono>
#include <cstdint>

#include "catch.hpp"
#include "support/counting_sync.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::CallCounts;
using detail::Tick;
using detail::ticks;
using Requests = detail::RequestWindow<>;

namespace {

CallCounts whole(const Requests& window, Tick newest) { return window.counts(newest).whole; }

}  // namespace

TEST_CASE("V3 a call counts by its priority, in the step of its admission", "[V3]") {
  Requests window{12s, ticks(-1h)};
  CHECK(window.number_at(ticks(-1s - 1ns)) == -2);
  CHECK(window.number_at(ticks(-1s)) == -1);
  CHECK(window.number_at(ticks(-1ns)) == -1);
  CHECK(window.number_at(ticks(0s)) == 0);
  CHECK(window.number_at(ticks(999'999'999ns)) == 0);
  CHECK(window.number_at(ticks(1s)) == 1);
  window.record(5, Priority::critical, true);
  window.record(5, Priority::critical, false);
  window.record(7, Priority::background, true);
  const CallCounts counts = whole(window, 7);
  CHECK(counts.requests == std::array<std::uint64_t, 4>{2, 0, 0, 1});
  CHECK(counts.accepts == 2);
  CHECK(counts.all_requests() == 3);
}

TEST_CASE("V3 the window is the current step and the eleven before it, its newer half six", "[V3][V5]") {
  Requests window{12s, ticks(-1h)};
  for (Tick number = 0; number < 30; ++number) {
    for (Tick call = 0; call <= number; ++call) window.record(number, Priority::normal, false);
    std::uint64_t expected = 0;
    std::uint64_t newer = 0;
    for (Tick back = 0; back < 12 && back <= number; ++back) {
      expected += static_cast<std::uint64_t>(number - back + 1);
      if (back < 6) newer = expected;
    }
    CAPTURE(number);
    CHECK(whole(window, number).all_requests() == expected);
    CHECK(window.counts(number).newer.all_requests() == newer);
  }
  CHECK(whole(window, 29 + 11).all_requests() == 30);
  CHECK(window.counts(29 + 6).newer.all_requests() == 0);
  CHECK(whole(window, 29 + 12).all_requests() == 0);
  CHECK(whole(window, 1'000'000).all_requests() == 0);
}

TEST_CASE("V3 the width of a step is a twelfth, rounded up", "[V3]") {
  CHECK(Requests{1ns, 0}.number_at(5) == 5);
  CHECK(Requests{13ns, 0}.number_at(5) == 2);
  CHECK(Requests{24ns, 0}.number_at(5) == 2);
  CHECK(Requests{25ns, 0}.number_at(5) == 1);
  CHECK(Requests{std::chrono::nanoseconds::max(), 0}.number_at(detail::tick_max) == 11);
}

TEST_CASE("V3 a call that ends after its step counts there, or in the totals alone", "[V3][V8]") {
  Requests window{12s, ticks(-1h)};
  window.record(20, Priority::normal, true);
  window.record(15, Priority::sheddable, true);  // it took five steps
  CHECK(whole(window, 20).requests == std::array<std::uint64_t, 4>{0, 1, 1, 0});
  window.record(8, Priority::critical, true);  // a step before the window
  CHECK(whole(window, 20).all_requests() == 2);
  window.record(4, Priority::background, true);  // its place is that of step 20
  window.record(4, Priority::background, false);
  CHECK(whole(window, 20).all_requests() == 2);
  CHECK(window.totals().requests == std::array<std::uint64_t, 4>{1, 1, 1, 2});
  CHECK(window.totals().accepts == 4);
}

TEST_CASE("V8 totals survive the steps that they were counted in", "[V8]") {
  Requests window{12s, ticks(-1h)};
  for (Tick number = -40; number < 100; ++number) window.record(number, Priority::normal, number % 2 == 0);
  CHECK(window.totals().requests[1] == 140);
  CHECK(window.totals().accepts == 70);
}

TEST_CASE("V3 if the clock goes back, the step stays", "[V3]") {
  const Requests window{12s, ticks(20s)};
  CHECK(window.number_at(ticks(20s)) == 20);
  CHECK(window.number_at(ticks(19s)) == 20);
  CHECK(window.number_at(ticks(-1h)) == 20);
  CHECK(window.number_at(ticks(21s)) == 21);
  CHECK(window.number_at(ticks(20s)) == 21);
}

TEST_CASE("V3 steps at both ends of the clock's range", "[V3]") {
  for (const Tick now : {detail::tick_min, detail::tick_min + 11, detail::tick_max}) {
    CAPTURE(now);
    Requests window{1ns, now};
    const Tick number = window.number_at(now);
    window.record(number, Priority::normal, true);
    window.record(number, Priority::normal, false);
    CHECK(whole(window, number).all_requests() == 2);
    CHECK(window.counts(number).newer.accepts == 1);
    CHECK(window.totals().all_requests() == 2);
  }
}

TEST_CASE("V3 the mark of calm holds for one step, until a call is not accepted", "[V3]") {
  Requests window{12s, ticks(-1h)};
  CHECK_FALSE(window.is_calm(7));
  const std::uint32_t version = window.version();
  window.set_calm(7, version);
  CHECK(window.is_calm(7));
  CHECK_FALSE(window.is_calm(8));
  CHECK_FALSE(window.is_calm(6));
  window.record(7, Priority::normal, true);
  CHECK(window.is_calm(7));
  window.record(7, Priority::background, false);
  CHECK_FALSE(window.is_calm(7));
  window.set_calm(7, version);  // by a thread that has not seen that call
  CHECK_FALSE(window.is_calm(7));
  window.set_calm(7, window.version());
  CHECK(window.is_calm(7));
  window.set_calm(-3, window.version());
  CHECK(window.is_calm(-3));
}

TEST_CASE("V3 a step with too many calls keeps half of what a thread counted, with their ratio", "[V3]") {
  Requests window{12s, 0, 1'000};
  for (int call = 0; call < 1'023; ++call) window.record(3, Priority::normal, call % 4 == 0);
  CHECK(whole(window, 3).requests[1] == 1'023);
  window.record(3, Priority::normal, true);  // the 1,024th looks
  CHECK(whole(window, 3).requests[1] == 512);
  CHECK(whole(window, 3).accepts == 128);
  CHECK(window.totals().requests[1] == 1'024);
  CHECK(window.totals().accepts == 257);
  for (int call = 0; call < 200'000; ++call) window.record(3, Priority::normal, call % 4 == 0);
  const CallCounts counts = whole(window, 3);
  CHECK(counts.requests[1] < 2'100);
  CHECK(static_cast<double>(counts.accepts) / static_cast<double>(counts.requests[1]) ==
        Approx(0.25).margin(0.01));
  CHECK(window.totals().requests[1] == 201'024);
  CHECK(window.totals().accepts == 50'257);
}

TEST_CASE("V3 threads that count while steps begin lose no call", "[V3]") {
  Requests window{12s, ticks(-1h)};
  constexpr int calls = 20'000;
  support::run_together(4, [&](int thread) {
    for (int call = 0; call < calls; ++call)
      window.record(call / 50, static_cast<Priority>(thread), call % 2 == 0);
  });
  const CallCounts totals = window.totals();
  CHECK(totals.requests == std::array<std::uint64_t, 4>{calls, calls, calls, calls});
  CHECK(totals.accepts == 4 * calls / 2);
  const CallCounts counts = whole(window, calls / 50 - 1);
  CHECK(counts.all_requests() <= 4 * 12 * 50);
  CHECK(counts.accepts <= counts.all_requests());
}

TEST_CASE("V3 an accepted call adds to one word, and the first of a step takes the lock", "[V3]") {
  auto& counters = support::CountingSync::counters;
  detail::RequestWindow<support::CountingSync> window{12s, 0};
  window.record(1, Priority::normal, true);
  counters = {};
  for (int call = 0; call < 100; ++call) window.record(1, Priority::normal, true);
  CHECK(counters.locks == 0);
  CHECK(counters.adds == 100);
  CHECK(counters.exchanges == 0);
  window.record(2, Priority::normal, true);
  CHECK(counters.locks == 1);
  window.record(2, Priority::normal, false);
  CHECK(counters.adds == 103);  // one more for a call that is not accepted
  CHECK(counters.locks == 1);
}
