#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::fail;
using support::trip_and_wait;

namespace {

constexpr int thread_count = 8;
constexpr int rounds = 100;
using Permits = std::array<Permit, thread_count>;

Permits acquire_all(Breaker& breaker) {
  Permits permits;
  for (Permit& permit : permits) permit = breaker.try_acquire();
  return permits;
}

/// Every thread acquires at the same moment and keeps its permit.
Permits acquire_together(Breaker& breaker) {
  Permits permits;
  support::run_together(thread_count,
                        [&](int i) { permits[static_cast<std::size_t>(i)] = breaker.try_acquire(); });
  return permits;
}

void report_together(Permits& permits, Outcome outcome) {
  support::run_together(thread_count, [&](int i) { permits[static_cast<std::size_t>(i)].report(outcome); });
}

int admitted(const Permits& permits) {
  return static_cast<int>(
      std::count_if(permits.begin(), permits.end(), [](const Permit& p) { return bool{p}; }));
}

}  // namespace

TEST_CASE("B4 n simultaneous failures give one opening", "[B4]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = 5}};
    std::vector<StateChangeReason> reasons;
    const Subscription subscription =
        breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
    Permits permits = acquire_all(breaker);
    report_together(permits, Outcome::failure);
    const CircuitBreakerStats stats = breaker.stats();
    REQUIRE(stats.state == State::open);
    REQUIRE(stats.opened_count == 1);
    REQUIRE(stats.failure_count == thread_count);
    REQUIRE(stats.consecutive_failures == 5);
    REQUIRE(stats.retry_after == 60s);
    REQUIRE(reasons == std::vector{StateChangeReason::failure_threshold});
  }
}

TEST_CASE("B4 simultaneous failures, one fewer than the threshold, open nothing and are all in the run",
          "[B4]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = thread_count + 1}};
    Permits permits = acquire_all(breaker);
    report_together(permits, Outcome::failure);
    REQUIRE(breaker.state() == State::closed);
    REQUIRE(breaker.stats().consecutive_failures == thread_count);
    fail(breaker);
    REQUIRE(breaker.state() == State::open);
  }
}

TEST_CASE("B4 simultaneous failures that together reach a rate give one opening", "[B4]") {
  for (const Window window : {last_calls(thread_count), within(1h)}) {
    for (int round = 0; round < rounds; ++round) {
      Breaker breaker{
          "b",
          {.failure_threshold = 0,
           .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = thread_count, .window = window}}};
      Permits permits = acquire_all(breaker);
      report_together(permits, Outcome::failure);
      REQUIRE(breaker.state() == State::open);
      REQUIRE(breaker.stats().opened_count == 1);
      REQUIRE(breaker.stats().failure_rate == 1.0);
    }
  }
}

TEST_CASE("B4 simultaneous slow successes give one opening", "[B4]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b",
                    {.slow_calls = SlowCalls{.slower_than = 1s,
                                             .threshold = 1.0,
                                             .minimum_calls = thread_count,
                                             .window = last_calls(thread_count)}}};
    Permits permits = acquire_all(breaker);
    breaker.clock().advance(2s);
    report_together(permits, Outcome::success);
    const CircuitBreakerStats stats = breaker.stats();
    REQUIRE(stats.state == State::open);
    REQUIRE(stats.opened_count == 1);
    REQUIRE(stats.success_count == thread_count);
    REQUIRE(stats.slow_count == thread_count);
  }
}

TEST_CASE("B4 at recovery exactly half_open_max_calls of n threads get in, or all", "[B4]") {
  for (const int slots : {1, 3, thread_count - 1, thread_count + 1}) {
    CAPTURE(slots);
    const int expected = std::min(slots, thread_count);
    for (int round = 0; round < rounds; ++round) {
      Breaker breaker{"b", {.failure_threshold = 1, .half_open_max_calls = slots}};
      std::vector<StateChangeReason> reasons;
      const Subscription subscription =
          breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
      trip_and_wait(breaker);
      const Permits permits = acquire_together(breaker);
      REQUIRE(admitted(permits) == expected);
      REQUIRE(breaker.state() == State::half_open);
      REQUIRE(breaker.stats().rejected_count == static_cast<std::uint64_t>(thread_count - expected));
      REQUIRE(reasons ==
              std::vector{StateChangeReason::failure_threshold, StateChangeReason::probe_admitted});
    }
  }
}

TEST_CASE("B4 slots that come and go are never more than half_open_max_calls", "[B4]") {
  constexpr int slots = 2;
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = 1, .half_open_max_calls = slots}};
    trip_and_wait(breaker);
    std::atomic<int> held{0};
    std::atomic<int> most{0};
    std::atomic<int> got_in{0};
    support::run_together(thread_count, [&](int) {
      for (int i = 0; i < 20; ++i) {
        Permit permit = breaker.try_acquire();
        if (!permit) continue;
        const int now = held.fetch_add(1) + 1;
        for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        got_in.fetch_add(1);
        held.fetch_sub(1);
      }
    });
    REQUIRE(most <= slots);
    REQUIRE(breaker.state() == State::half_open);
    REQUIRE(breaker.stats().ignored_count == static_cast<std::uint64_t>(got_in.load()));
    REQUIRE(admitted(acquire_together(breaker)) == slots);
  }
}

TEST_CASE("B4 probes that succeed together close once, and those that fail together open once", "[B4]") {
  for (const Outcome outcome : {Outcome::success, Outcome::failure}) {
    for (int round = 0; round < rounds; ++round) {
      Breaker breaker{"b",
                      {.failure_threshold = 1, .success_threshold = 3, .half_open_max_calls = thread_count}};
      std::vector<StateChangeReason> reasons;
      trip_and_wait(breaker);
      Permits permits = acquire_together(breaker);
      const Subscription subscription =
          breaker.on_state_change([&](const StateChange& change) { reasons.push_back(change.reason); });
      report_together(permits, outcome);
      const CircuitBreakerStats stats = breaker.stats();
      if (outcome == Outcome::success) {
        REQUIRE(stats.state == State::closed);
        REQUIRE(stats.opened_count == 1);
        REQUIRE(stats.success_count == thread_count);
        REQUIRE(stats.consecutive_failures == 0);
        REQUIRE(reasons == std::vector{StateChangeReason::probes_succeeded});
      } else {
        REQUIRE(stats.state == State::open);
        REQUIRE(stats.opened_count == 2);
        REQUIRE(stats.failure_count == 1 + thread_count);
        REQUIRE(stats.consecutive_failures == 1);
        REQUIRE(reasons == std::vector{StateChangeReason::probe_failed});
      }
    }
  }
}

TEST_CASE("B4 a failing probe among successful ones causes one transition, whichever is first", "[B4]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b",
                    {.failure_threshold = 1, .success_threshold = 2, .half_open_max_calls = thread_count}};
    trip_and_wait(breaker);
    Permits permits = acquire_together(breaker);
    support::run_together(thread_count, [&](int i) {
      permits[static_cast<std::size_t>(i)].report(i == 0 ? Outcome::failure : Outcome::success);
    });
    const CircuitBreakerStats stats = breaker.stats();
    REQUIRE(stats.success_count == thread_count - 1);
    REQUIRE(stats.failure_count == 2);
    REQUIRE(stats.opened_count == (stats.state == State::open ? 2U : 1U));
    REQUIRE((stats.state == State::open || stats.state == State::closed));
    // A late failure of a probe starts no run in the new closed generation.
    REQUIRE(stats.consecutive_failures == (stats.state == State::open ? 1 : 0));
  }
}

TEST_CASE("B4 force_open, disable and reset by many threads at once change the state once each", "[B4]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b"};
    std::vector<State> states;
    const Subscription subscription =
        breaker.on_state_change([&](const StateChange& change) { states.push_back(change.to); });
    support::run_together(thread_count, [&](int) { breaker.force_open(); });
    support::run_together(thread_count, [&](int) { breaker.disable(); });
    support::run_together(thread_count, [&](int) { breaker.reset(); });
    REQUIRE(states == std::vector{State::forced_open, State::disabled, State::closed});
  }
}

TEST_CASE("B5 of n threads one takes the slot of a silent probe, whose report still counts", "[B5]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .probe_timeout = 5s}};
    trip_and_wait(breaker);
    Permit silent = breaker.try_acquire();
    REQUIRE(silent);
    breaker.clock().advance(5s - 1ns);
    REQUIRE(admitted(acquire_together(breaker)) == 0);
    breaker.clock().advance(1ns);
    Permits permits = acquire_together(breaker);
    REQUIRE(admitted(permits) == 1);
    REQUIRE(breaker.stats().opened_count == 1);
    support::run_together(thread_count + 1, [&](int i) {
      Permit& permit = i == thread_count ? silent : permits[static_cast<std::size_t>(i)];
      permit.success();
    });
    REQUIRE(breaker.state() == State::closed);
    REQUIRE(breaker.stats().success_count == 2);
  }
}

TEST_CASE("B5 a silent probe that ends late frees nobody else's slot", "[B5]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = 1, .probe_timeout = 5s}};
    trip_and_wait(breaker);
    Permit silent = breaker.try_acquire();
    breaker.clock().advance(5s);
    const Permit holder = breaker.try_acquire();
    REQUIRE(holder);
    Permits permits;
    support::run_together(thread_count, [&](int i) {
      if (i == 0) {
        silent.ignore();
      } else {
        permits[static_cast<std::size_t>(i)] = breaker.try_acquire();
      }
    });
    REQUIRE(admitted(permits) == 0);
  }
}

TEST_CASE("B6 late failures that race a recovery do not hinder it", "[B6]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2}};
    Permits late = acquire_all(breaker);
    trip_and_wait(breaker);
    support::run_together(thread_count, [&](int i) {
      late[static_cast<std::size_t>(i)].failure();
      if (i == 0) {
        breaker.try_acquire().success();
        breaker.try_acquire().success();
      }
    });
    REQUIRE(breaker.state() == State::closed);
    const CircuitBreakerStats stats = breaker.stats();
    REQUIRE(stats.failure_count == 1 + thread_count);
    REQUIRE(stats.success_count == 2);
    REQUIRE(stats.opened_count == 1);
    REQUIRE(stats.consecutive_failures == 0);
  }
}

TEST_CASE("B13 reports that race reset() fall on either side, once", "[B13]") {
  for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) {
    for (int round = 0; round < rounds; ++round) {
      Breaker breaker{"b", {.failure_threshold = 1000}};
      Permits permits = acquire_all(breaker);
      support::run_together(thread_count, [&](int i) {
        if (i == 0) breaker.reset();
        permits[static_cast<std::size_t>(i)].report(outcome);
      });
      CircuitBreakerStats stats = breaker.stats();
      const auto counted = stats.success_count + stats.failure_count + stats.ignored_count;
      REQUIRE(counted < thread_count);
      REQUIRE(stats.state == State::closed);
      REQUIRE(stats.consecutive_failures <= static_cast<int>(stats.failure_count));
      breaker.try_acquire().report(outcome);
      stats = breaker.stats();
      REQUIRE(stats.success_count + stats.failure_count + stats.ignored_count == counted + 1);
    }
  }
}

TEST_CASE("B13 no call that races reset() is in the run of failures but not in the count", "[B13]") {
  for (int round = 0; round < rounds; ++round) {
    Breaker breaker{"b", {.failure_threshold = 1000}};
    support::run_together(4, [&](int i) {
      for (int call = 0; call < 20; ++call) {
        if (i == 0) {
          breaker.reset();
        } else {
          fail(breaker);
        }
      }
    });
    const CircuitBreakerStats stats = breaker.stats();
    REQUIRE(stats.failure_count <= 60);
    REQUIRE(stats.consecutive_failures <= static_cast<int>(stats.failure_count));
  }
}

TEST_CASE("B13 counts are conserved, whatever the threads report", "[B13]") {
  for (int round = 0; round < 20; ++round) {
    Breaker breaker{
        "b",
        {.failure_threshold = 3,
         .success_threshold = 1,
         .reset_timeout = 10ms,
         .half_open_max_calls = 2,
         .failure_rate = FailureRate{.threshold = 0.9, .minimum_calls = 10, .window = within(1s)}}};
    std::atomic<std::uint64_t> successes{0};
    std::atomic<std::uint64_t> failures{0};
    std::atomic<std::uint64_t> ignored{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> opened{0};
    {
      const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
        if (change.to == State::open) opened.fetch_add(1);
      });
      support::run_together(4, [&](int thread) {
        std::mt19937 random{static_cast<unsigned>(1000 * round + thread)};
        for (int i = 0; i < 250; ++i) {
          if (thread == 0) breaker.clock().advance(1ms);
          Permit permit = breaker.try_acquire();
          if (!permit) {
            rejected.fetch_add(1);
            continue;
          }
          switch (random() % 4) {
            case 0:
              permit.success();
              successes.fetch_add(1);
              break;
            case 1:
              permit.ignore();
              ignored.fetch_add(1);
              break;
            default: permit.failure(); failures.fetch_add(1);
          }
        }
      });
    }
    const CircuitBreakerStats stats = breaker.stats();
    REQUIRE(stats.success_count == successes);
    REQUIRE(stats.failure_count == failures);
    REQUIRE(stats.ignored_count == ignored);
    REQUIRE(stats.rejected_count == rejected);
    REQUIRE(stats.opened_count == opened);
    REQUIRE(opened > 0);
  }
}

TEST_CASE("B13 counts that another thread reads only grow", "[B13]") {
  for (int round = 0; round < 20; ++round) {
    Breaker breaker{"b", {.failure_threshold = 2, .success_threshold = 1, .reset_timeout = 1ms}};
    std::atomic<int> running{3};
    bool monotone = true;
    bool bounded = true;
    support::run_together(4, [&](int thread) {
      if (thread < 3) {
        std::mt19937 random{static_cast<unsigned>(round * 4 + thread)};
        for (int i = 0; i < 300; ++i) {
          breaker.clock().advance(100us);
          breaker.try_acquire().report(static_cast<Outcome>(random() % 3));
        }
        running.fetch_sub(1);
        return;
      }
      CircuitBreakerStats last = breaker.stats();
      while (running.load() > 0) {
        const CircuitBreakerStats stats = breaker.stats();
        monotone = monotone && stats.failure_count >= last.failure_count &&
                   stats.success_count >= last.success_count && stats.ignored_count >= last.ignored_count &&
                   stats.rejected_count >= last.rejected_count && stats.opened_count >= last.opened_count &&
                   (!last.last_failure_time || stats.last_failure_time) &&
                   (!last.last_success_time || stats.last_success_time);
        bounded = bounded && stats.failure_rate >= 0.0 && stats.failure_rate <= 1.0 &&
                  stats.retry_after >= 0ns && stats.consecutive_failures <= 2;
        last = stats;
      }
    });
    REQUIRE(monotone);
    REQUIRE(bounded);
  }
}

TEST_CASE("B23 whatever the threads did, two healthy calls close the breaker again", "[B23]") {
  for (const bool by_hand : {false, true}) {
    for (int round = 0; round < 20; ++round) {
      Breaker breaker{
          "b",
          {.failure_threshold = 2,
           .reset_timeout = 10ms,
           .half_open_max_calls = 2,
           .probe_timeout = 3ms,
           .reset_backoff = 2.0,
           .max_reset_timeout = 40ms,
           .failure_rate = FailureRate{.threshold = 0.5, .minimum_calls = 4, .window = within(20ms)},
           .slow_calls =
               SlowCalls{.slower_than = 2ms, .threshold = 0.5, .minimum_calls = 4, .window = last_calls(8)}}};
      support::run_together(4, [&](int thread) {
        std::mt19937 random{static_cast<unsigned>(100 * round + thread)};
        Permit held;
        for (int i = 0; i < 250; ++i) {
          if (thread == 0) breaker.clock().advance(std::chrono::microseconds{random() % 4000});
          if (by_hand && thread == 1 && i % 50 == 49) {
            switch (random() % 3) {
              case 0: breaker.force_open(); break;
              case 1: breaker.disable(); break;
              default: breaker.reset();
            }
          }
          switch (random() % 8) {
            case 0: held = breaker.try_acquire(); break;
            case 1: held.failure(); break;
            case 2: held.success(); break;
            case 3: (void)breaker.execute([] { return 1; }, [] { return 2; }); break;
            default: breaker.try_acquire().report(static_cast<Outcome>(random() % 3));
          }
        }
      });
      if (by_hand) breaker.reset();
      breaker.clock().advance(40ms);
      int calls = 0;
      for (int i = 0; i < 2; ++i) calls += breaker.execute([] { return 1; }, [] { return 0; });
      REQUIRE(calls == 2);
      REQUIRE(breaker.state() == State::closed);
      REQUIRE(breaker.stats().retry_after == 0ns);
    }
  }
}
