#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <type_traits>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::allocations_of;

namespace {
using Breaker = CircuitBreaker<test::FakeClock>;
using Result = support::Expected<int, std::error_code>;

const std::error_code refused = make_error_code(NetworkErrc::connection_refused);

/// Calls f a few times, so that what happens only once (a bucket, a thread's shard) is in.
template <class F>
std::size_t allocations_of_calls(const test::FakeClock& clock, F f) {
  return allocations_of([&] {
    for (int i = 0; i < 50; ++i) {
      f();
      clock.advance(100ms);
    }
  });
}

struct Counters {
  int locks = 0;
  int exchanges = 0;
  int adds = 0;
};
Counters counters;

struct CountingSync {
  template <class T>
  class Atomic : public std::atomic<T> {
   public:
    using std::atomic<T>::atomic;
    T fetch_add(T value, std::memory_order order) {
      ++counters.adds;
      return std::atomic<T>::fetch_add(value, order);
    }
    bool compare_exchange_strong(T& seen, T next, std::memory_order success, std::memory_order failure) {
      ++counters.exchanges;
      return std::atomic<T>::compare_exchange_strong(seen, next, success, failure);
    }
    bool compare_exchange_weak(T& seen, T next, std::memory_order success, std::memory_order failure) {
      ++counters.exchanges;
      return std::atomic<T>::compare_exchange_weak(seen, next, success, failure);
    }
  };
  class Mutex {
   public:
    void lock() {
      ++counters.locks;
      mutex_.lock();
    }
    void unlock() { mutex_.unlock(); }

   private:
    std::mutex mutex_;
  };
};

using Core = detail::BreakerCore<test::FakeClock, CountingSync>;

template <class F>
Counters counters_of(F f) {
  counters = {};
  f();
  return counters;
}
template <class F>
int locks_of(F f) {
  return counters_of(f).locks;
}

detail::Ticket call(Core& core, Outcome outcome) {
  const detail::Ticket ticket = core.admit(true);
  if (!ticket.is_rejected()) core.settle(ticket, outcome);
  return ticket;
}

CircuitBreakerConfig with_windows(Window window, int minimum_calls = 100) {
  return {.failure_threshold = 1000,
          .failure_rate = FailureRate{.threshold = 1.0, .minimum_calls = minimum_calls, .window = window},
          .slow_calls = SlowCalls{
              .slower_than = 1s, .threshold = 1.0, .minimum_calls = minimum_calls, .window = window}};
}

struct Budget {
  int deposits = 0;
  bool try_withdraw() { return true; }
  void deposit() { ++deposits; }
};
}  // namespace

TEST_CASE("section 8: what a healthy call, a rejection and a failure write, in atomic operations") {
  const test::FakeClock clock;
  struct Row {
    const char* what;
    CircuitBreakerConfig config;
    int adds;
    int exchanges;
  };
  for (const Row& row : {
           Row{"default", {}, 1, 0},
           Row{"rate of calls", {.failure_rate = FailureRate{}}, 2, 0},
           Row{"rate of time", {.failure_rate = FailureRate{.window = within(10s)}}, 1, 1},
           Row{"slow calls", {.slow_calls = SlowCalls{}}, 2, 0},
       }) {
    CAPTURE(row.what);
    Core core{"b", row.config, clock};
    for (int i = 0; i < 200; ++i) call(core, Outcome::success);  // so that the window is full
    const Counters counted = counters_of([&] { call(core, Outcome::success); });
    CHECK(counted.adds == row.adds);
    CHECK(counted.exchanges == row.exchanges);
    CHECK(counted.locks == 0);
  }
  // The first of its kind in a tick of the clock also writes the stamp.
  Core core{"b", {.failure_threshold = 3}, clock};
  call(core, Outcome::failure);
  const Counters failed = counters_of([&] { call(core, Outcome::failure); });
  CHECK(failed.adds == 1);
  CHECK(failed.exchanges == 1);
  call(core, Outcome::failure);
  REQUIRE(core.state() == State::open);
  call(core, Outcome::success);
  const Counters rejected = counters_of([&] { call(core, Outcome::success); });
  CHECK(rejected.adds == 1);
  CHECK(rejected.exchanges == 0);
}

TEST_CASE("the counters of this file count") {
  std::string text;
  CHECK(allocations_of([&] { text.assign(1000, 'x'); }) == 1);
  CHECK(allocations_of([] {}) == 0);
  Core core{"b", {.failure_threshold = 1}, {}};
  const Counters counted = counters_of([&] { call(core, Outcome::failure); });
  CHECK(core.state() == State::open);
  CHECK(counted.locks == 1);
  CHECK(locks_of([&] { (void)core.stats(); }) == 1);
}

TEST_CASE("promise 6: the closed path allocates nothing when op succeeds") {
  const test::FakeClock clock;
  for (const CircuitBreakerConfig& config :
       {CircuitBreakerConfig{}, with_windows(last_calls(100)), with_windows(within(10s))}) {
    Breaker breaker{"b", config, clock};
    int calls = 0;
    CHECK(allocations_of_calls(clock, [&] {
            calls += breaker.execute([] { return 1; });
            breaker.execute([] {});
            calls += breaker.execute([] { return 1; }, [] { return 2; });
            calls += breaker.execute([](Deadline) { return 1; }, {.timeout = 10s});
            calls += *breaker.execute([] { return Result{1}; });
            calls += breaker.execute([] { return std::error_code{}; }) ? 0 : 1;
          }) == 0);
    CHECK(calls == 250);
    CHECK(breaker.stats().success_count == 300);
  }
}

TEST_CASE("promise 6: the closed path allocates nothing when op returns a failure") {
  const test::FakeClock clock;
  for (const CircuitBreakerConfig& config :
       {CircuitBreakerConfig{.failure_threshold = 1000}, with_windows(last_calls(1000), 1000),
        with_windows(within(10ns))}) {
    Breaker breaker{"b", config, clock};
    const std::size_t allocated = allocations_of_calls(clock, [&] {
      (void)breaker.execute([] { return refused; });
      (void)breaker.execute([] { return Result{support::Unexpected{refused}}; });
      (void)breaker.execute([] { return Result{support::Unexpected{refused}}; }, [] { return Result{2}; });
      (void)breaker.execute([] { return refused; }, [](const Failure& failure) { return failure.code(); });
      (void)breaker.execute([] { return 1; }, failure_if([](int value) { return value == 1; }));
    });
    CHECK(allocated == 0);
    CHECK(breaker.stats().failure_count == 250);
    CHECK(breaker.state() == State::closed);
  }
}

TEST_CASE("promise 6: a value that is judged slow or late allocates nothing") {
  const test::FakeClock clock;
  Breaker breaker{"b", with_windows(last_calls(100)), clock};
  CHECK(allocations_of([&] {
          for (int i = 0; i < 20; ++i) {
            breaker.execute([&] { clock.advance(2s); });
            breaker.execute([&] { clock.advance(2s); }, {.timeout = 1s});
          }
        }) == 0);
  CHECK(breaker.stats().slow_count == 40);
  CHECK(breaker.stats().failure_count == 20);
}

TEST_CASE("promise 6: the rejected path with a fallback allocates nothing") {
  const test::FakeClock clock;
  Breaker breaker{"a breaker whose name is too long to be kept inside a std::string", {}, clock};
  const bool by_hand = GENERATE(false, true);
  if (by_hand) {
    breaker.force_open();
  } else {
    for (int i = 0; i < 5; ++i) breaker.try_acquire().failure();
  }
  const auto op = []() -> int { throw 1; };
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls += breaker.execute(op, [] { return 1; });
          calls += breaker.execute(op, [](const Failure& failure) { return failure.is_rejection() ? 1 : 0; });
          calls += breaker.execute(op, [](const Failure& failure) { return failure.retry_after() ? 1 : 0; });
          calls += breaker.execute(op, [] { return 1; }, {.timeout = 1s});
          breaker.execute([] {}, [&] { ++calls; });
        }) == 0);
  CHECK(calls == 250);
  CHECK(breaker.stats().rejected_count == 250);
}

TEST_CASE("promise 6: a rejection carried as a std::error_code allocates nothing") {
  const test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  breaker.force_open();
  int carried = 0;
  CHECK(allocations_of_calls(clock, [&] {
          if (breaker.execute([] { return Result{1}; }).error() == PolicyErrc::circuit_open) ++carried;
          if (breaker.execute([] { return std::error_code{}; }) == PolicyErrc::circuit_open) ++carried;
        }) == 0);
  CHECK(carried == 100);
}

TEST_CASE("promise 6: try_acquire and the reports of its permit allocate nothing") {
  const test::FakeClock clock;
  const auto breaker = std::make_shared<Breaker>("b", with_windows(within(10s)), clock);
  CHECK(allocations_of_calls(clock, [&] {
          breaker->try_acquire().success();
          breaker->try_acquire().failure();
          breaker->try_acquire().ignore();
          try_acquire(breaker).success();
        }) == 0);
  breaker->force_open();
  CHECK(allocations_of_calls(clock, [&] {
          (void)breaker->try_acquire();
          (void)try_acquire(breaker);
        }) == 0);
  CHECK(breaker->stats().rejected_count == 100);
}

TEST_CASE("promise 6: a retry whose first attempt succeeds allocates nothing") {
  const test::FakeClock clock;
  Budget budget;
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls += *retry_with_backoff([] { return 1; });
          retry_with_backoff([&] { ++calls; });
          calls += *try_retry_with_backoff([] { return 1; });
          calls += **retry_with_backoff([] { return Result{1}; });
          calls += *retry_with_backoff([](const Attempt& attempt) { return attempt.number; }, clock);
          calls += *retry_with_backoff([] { return 1; }, retry_presets::quick, clock, detail::StopToken{},
                                       on_retry([](int, const Failure&, std::chrono::nanoseconds) {}),
                                       on_give_up([](const RetryStats&) {}),
                                       retry_if([](const Failure&) { return true; }),
                                       failure_if([](int value) { return value != 1; }), budget);
          calls += *retry_with_backoff([] { return 1; }, {.total_timeout = 10s, .idempotent = false}, clock);
        }) == 0);
  CHECK(calls == 350);
  CHECK(budget.deposits == 50);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("promise 6: a breaker around a retry, and a retry around a breaker, allocate nothing on success") {
  const test::FakeClock clock;
  Breaker breaker{"b", {}, clock};
  int calls = 0;
  CHECK(allocations_of_calls(clock, [&] {
          calls +=
              breaker.execute([&] { return retry_with_backoff([] { return 1; }, clock); }, [] { return 0; });
          calls += *retry_with_backoff([&] { return breaker.execute([] { return 1; }); }, clock);
        }) == 0);
  CHECK(calls == 100);
}

TEST_CASE("section 8: windows and probe slots are allocated once, in the constructor") {
  const test::FakeClock clock;
  auto config = with_windows(last_calls(50), 50);
  config.failure_threshold = 3;
  config.half_open_max_calls = 20;
  Breaker breaker{"b", config, clock};
  CHECK(allocations_of([&] {
          for (int i = 0; i < 20; ++i) {
            while (breaker.state() == State::closed) breaker.try_acquire().failure();
            clock.advance(60s);
            for (int k = 0; k < 2; ++k) breaker.try_acquire().success();
            breaker.force_open();
            breaker.disable();
            breaker.reset();
          }
        }) == 0);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("section 8: a ticket is at most 16 bytes and travels in registers") {
  STATIC_REQUIRE(sizeof(detail::Ticket) <= 16);
  STATIC_REQUIRE(std::is_trivially_copyable_v<detail::Ticket>);
  STATIC_REQUIRE(sizeof(detail::Word) == sizeof(std::uint64_t));
}

TEST_CASE("promise 6: closed calls take no lock, however they end") {
  const test::FakeClock clock;
  for (const CircuitBreakerConfig& config :
       {CircuitBreakerConfig{.failure_threshold = 1000}, with_windows(last_calls(10), 10)}) {
    Core core{"b", config, clock};
    CHECK(locks_of([&] {
            for (int i = 0; i < 60; ++i) {
              for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored}) {
                call(core, outcome);
                clock.advance(50ms);
              }
            }
          }) == 0);
    CHECK(core.state() == State::closed);
    CHECK(core.stats().failure_count == 60);
  }
}

TEST_CASE("promise 6: closed calls take no lock within one bucket of a time window") {
  const test::FakeClock clock;
  Core core{"b", with_windows(within(10s)), clock};
  call(core, Outcome::success);
  CHECK(locks_of([&] {
          for (int i = 0; i < 60; ++i) {
            for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::ignored})
              call(core, outcome);
          }
        }) == 0);
}

TEST_CASE("promise 6: closed calls take no lock where a time window comes to a new bucket") {
  const test::FakeClock clock;
  Core core{"b", with_windows(within(10s)), clock};
  CHECK(locks_of([&] {
          for (int i = 0; i < 30; ++i) {
            call(core, i % 2 == 0 ? Outcome::success : Outcome::failure);
            clock.advance(1s);
          }
        }) == 0);
}

TEST_CASE("promise 6: rejected calls take no lock") {
  const test::FakeClock clock;
  Core core{"b", {.failure_threshold = 1}, clock};
  const auto locks_of_rejections = [&] {
    return locks_of([&] {
      for (int i = 0; i < 20; ++i) {
        REQUIRE(core.admit(true).is_rejected());
        REQUIRE(core.admit(false).is_rejected());
      }
    });
  };
  SECTION("while open") {
    call(core, Outcome::failure);
    clock.advance(60s - 1ns);
    CHECK(locks_of_rejections() == 0);
  }
  SECTION("while half-open, with every slot held") {
    call(core, Outcome::failure);
    clock.advance(60s);
    const detail::Ticket probe = core.admit(true);
    REQUIRE(probe.is_probe());
    CHECK(locks_of_rejections() == 0);
    core.settle(probe, Outcome::success);
  }
  SECTION("while forced open") {
    core.force_open();
    CHECK(locks_of_rejections() == 0);
  }
}

TEST_CASE("section 8: calls of a disabled breaker take no lock, and looking at the state takes none") {
  Core core{"b", {.failure_threshold = 1}, {}};
  call(core, Outcome::failure);
  CHECK(locks_of([&] {
          CHECK(core.state() == State::open);
          CHECK(core.retry_after() == 60s);
        }) == 0);
  core.disable();
  CHECK(locks_of([&] {
          for (int i = 0; i < 20; ++i) call(core, Outcome::failure);
        }) == 0);
}

TEST_CASE("section 8: a failure that does not trip is one compare-exchange, a success after successes none") {
  Core core{"b", {.failure_threshold = 100}, {}};
  // The first of each kind in a tick of the clock also writes the stamp.
  call(core, Outcome::failure);
  call(core, Outcome::success);
  for (int i = 0; i < 10; ++i) CHECK(counters_of([&] { call(core, Outcome::success); }).exchanges == 0);
  for (int i = 0; i < 10; ++i) CHECK(counters_of([&] { call(core, Outcome::failure); }).exchanges == 1);
  CHECK(counters_of([&] { call(core, Outcome::ignored); }).exchanges == 0);
  CHECK(counters_of([&] { call(core, Outcome::success); }).exchanges == 1);
  CHECK(counters_of([&] { call(core, Outcome::success); }).exchanges == 0);
}
