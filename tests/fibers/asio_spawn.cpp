// Breakers in the coroutines of Boost.Asio's spawn, which suspend inside op and inside callbacks, on one
// thread and on two (B7, B14), and are destroyed there (F4).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <unistd.h>

// Boost.Asio before 1.80 is made of Boost.Coroutine, which is deprecated.
#define BOOST_COROUTINES_NO_DEPRECATION_WARNING
#define BOOST_ALLOW_DEPRECATED_HEADERS
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/version.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "fibers/probe_calls.hpp"
#include "fibers/stacks.hpp"
#include "support/breaker_states.hpp"
#include "support/threads.hpp"

namespace asio = boost::asio;

using namespace fusebox;
using namespace std::chrono_literals;
using fibers::admitted;
using fibers::call;
using fibers::one_probe;
using fibers::recover;
using fibers::rejected;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::trip_and_wait;

namespace {

constexpr int twenty = 20;

/// Starts a coroutine. f(asio::yield_context) must not throw, and must leave Catch2's assertions to the
/// caller.
template <class F>
void start(asio::io_context& context, F f) {
#if BOOST_VERSION >= 108000
  asio::spawn(context, std::move(f), asio::detached);
#else
  asio::spawn(context, std::move(f), boost::coroutines::attributes{std::size_t{256} * 1024});
#endif
}

/// Runs all coroutines of the context to their ends.
void run(asio::io_context& context, int threads) {
  support::run_together(threads, [&](int) { context.run(); });
}

/// The thread that runs the calling coroutine now. Compilers take pthread_self() for a constant.
[[nodiscard]] ::pid_t thread_id() { return ::gettid(); }

/// Suspends the coroutine; it may go on on any thread of its context. Not inlined: a compiler takes the
/// address of a thread_local object of Boost.Asio to be the same before and after.
[[gnu::noinline]] void suspend(asio::io_context& context, asio::yield_context yield) {
  asio::post(context, yield);
}

/// Returns on another thread.
void change_threads(asio::io_context& context, asio::yield_context yield) {
  const ::pid_t before = thread_id();
  while (thread_id() == before) suspend(context, yield);
}

/// Returns on that thread.
void change_to(::pid_t thread, asio::io_context& context, asio::yield_context yield) {
  while (thread_id() != thread) suspend(context, yield);
}

/// As suspend().
[[gnu::noinline]] void sleep_for(std::chrono::milliseconds duration, asio::io_context& context,
                                 asio::yield_context yield) {
  asio::steady_timer timer{context, duration};
  timer.async_wait(yield);
}

}  // namespace

TEST_CASE("B7 of twenty coroutines, as many are probes as the breaker allows", "[B7]") {
  const int threads = GENERATE(1, 2);
  const int limit = GENERATE(1, 3);
  const bool sleeps = GENERATE(false, true);
  CAPTURE(threads, limit, sleeps);
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = limit,
                   .reset_timeout = 10s,
                   .half_open_max_calls = limit}};
  trip_and_wait(breaker);
  asio::io_context context;
  std::atomic<int> called{0};
  std::atomic<int> inside{0};
  std::atomic<int> too_many{0};
  std::atomic<int> refused{0};
  std::atomic<int> nested{0};
  for (int i = 0; i < twenty; ++i) {
    start(context, [&](asio::yield_context yield) {
      called.fetch_add(1);
      breaker.execute(
          [&] {
            if (inside.fetch_add(1) >= limit) too_many.fetch_add(1);
            if (sleeps) sleep_for(2ms, context, yield);
            while (called.load() < twenty) suspend(context, yield);
            if (threads > 1) change_threads(context, yield);
            if (call(breaker) == "admitted") nested.fetch_add(1);
            inside.fetch_sub(1);
          },
          [&] { refused.fetch_add(1); });
    });
  }
  run(context, threads);
  CHECK(too_many == 0);
  CHECK(refused == twenty - limit);
  CHECK(nested == limit);
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{static_cast<std::uint64_t>(limit), 1, 0});
}

TEST_CASE("B7 four breakers recover side by side in coroutines that end in any order", "[B7]") {
  constexpr std::size_t count = 4;
  std::array<std::size_t, count> order{0, 1, 2, 3};
  do {
    CAPTURE(order);
    asio::io_context context;
    std::array<Breaker, count> breakers{Breaker{"a", one_probe}, Breaker{"b", one_probe},
                                        Breaker{"c", one_probe}, Breaker{"d", one_probe}};
    std::array<std::string, count> nested;
    std::array<bool, count> may_end{};
    for (std::size_t i = 0; i < count; ++i) {
      trip_and_wait(breakers[i]);
      start(context, [&, i](asio::yield_context yield) {
        breakers[i].execute([&] {
          while (!may_end[i]) suspend(context, yield);
          nested[i] = call(breakers[i]);
          suspend(context, yield);
        });
      });
    }
    start(context, [&](asio::yield_context yield) {
      for (const std::size_t i : order) {
        may_end[i] = true;
        while (breakers[i].state() != State::closed) suspend(context, yield);
      }
    });
    run(context, 1);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(nested[i] == "admitted");
      CHECK(counts_of(breakers[i]) == Counts{1, 1, 0});
    }
    std::string after;
    start(context, [&](asio::yield_context) { after = recover(breakers[0]); });
    context.restart();
    context.run();
    CHECK(after == "admitted");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("B7 a nested call in the coroutine of a probe is part of it, one of another coroutine is not",
          "[B7]") {
  asio::io_context context;
  Breaker breaker{"b", one_probe};
  trip_and_wait(breaker);
  std::array<std::string, 3> nested;
  std::vector<std::string> of_others;
  bool is_inside = false;
  bool have_called = false;
  start(context, [&](asio::yield_context yield) {
    breaker.execute([&] {
      nested[0] = call(breaker);
      is_inside = true;
      while (!have_called) suspend(context, yield);
      nested[1] = call(breaker);
      nested[2] = breaker.execute(
          [&] {
            suspend(context, yield);
            return call(breaker);
          },
          rejected);
    });
  });
  start(context, [&](asio::yield_context yield) {
    while (!is_inside) suspend(context, yield);
    of_others.push_back(call(breaker));
    asio::post(context, [&] {
      of_others.push_back(call(breaker));
      have_called = true;
    });
  });
  run(context, 1);
  CHECK(nested == std::array<std::string, 3>{"admitted", "admitted", "admitted"});
  CHECK(of_others == std::vector<std::string>{"rejected", "rejected"});
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
}

TEST_CASE("B7 probes that change threads leave neither thread anything", "[B7]") {
  constexpr std::size_t count = 4;
  asio::io_context context;
  std::array<Breaker, count> breakers{Breaker{"a", one_probe}, Breaker{"b", one_probe},
                                      Breaker{"c", one_probe}, Breaker{"d", one_probe}};
  std::array<std::string, count> nested;
  std::atomic<std::size_t> ended{0};
  std::array<std::string, 2> after;
  for (Breaker& breaker : breakers) trip_and_wait(breaker);
  for (std::size_t i = 0; i < count; ++i) {
    start(context, [&, i](asio::yield_context yield) {
      breakers[i].execute([&] {
        for (std::size_t k = 0; k <= i; ++k) change_threads(context, yield);
        nested[i] = call(breakers[i]);
      });
      ended.fetch_add(1);
    });
  }
  start(context, [&](asio::yield_context yield) {
    while (ended.load() < count) suspend(context, yield);
    after[0] = recover(breakers[0]);
    change_threads(context, yield);
    after[1] = recover(breakers[1]);
  });
  run(context, 2);
  CHECK(nested == std::array<std::string, count>{"admitted", "admitted", "admitted", "admitted"});
  CHECK(after == std::array<std::string, 2>{"admitted", "admitted"});
  CHECK(counts_of(breakers[3]) == Counts{1, 1, 0});
}

TEST_CASE("B14 a callback that changes threads holds up no event of its first thread", "[B14]") {
  asio::io_context context;
  Breaker breaker{"b"};
  Breaker other{"other"};
  std::atomic<::pid_t> first{0};
  std::atomic<bool> has_moved{false};
  std::atomic<bool> may_return{false};
  std::atomic<bool> has_returned{false};
  std::atomic<int> of_breaker{0};
  std::atomic<int> of_other{0};
  asio::yield_context* current = nullptr;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    if (change.to == State::forced_open) {
      change_threads(context, *current);
      has_moved.store(true);
      while (!may_return.load()) suspend(context, *current);
    }
    of_breaker.fetch_add(1);
  });
  const Subscription subscription_to_other =
      other.on_state_change([&](const StateChange&) { of_other.fetch_add(1); });
  std::array<int, 4> seen{};
  start(context, [&](asio::yield_context yield) {
    first.store(thread_id());
    current = &yield;
    breaker.force_open();
    has_returned.store(true);
  });
  start(context, [&](asio::yield_context yield) {
    while (!has_moved.load()) suspend(context, yield);
    change_to(first.load(), context, yield);
    other.force_open();
    seen[0] = of_other.load();
    may_return.store(true);
    while (!has_returned.load()) suspend(context, yield);
    change_to(first.load(), context, yield);
    seen[1] = of_breaker.load();
    other.reset();
    seen[2] = of_other.load();
    breaker.reset();
    seen[3] = of_breaker.load();
  });
  run(context, 2);
  CHECK(seen == std::array<int, 4>{1, 1, 2, 2});
}

TEST_CASE("B14 a callback that changes threads may end its own subscription", "[B14]") {
  asio::io_context context;
  Breaker breaker{"b"};
  const auto held = std::make_shared<int>(7);
  Subscription subscription;
  asio::yield_context* current = nullptr;
  int calls = 0;
  int seen = 0;
  subscription = breaker.on_state_change([&, held](const StateChange&) {
    ++calls;
    change_threads(context, *current);
    subscription.unsubscribe();
    change_threads(context, *current);
    seen = *held;
  });
  start(context, [&](asio::yield_context yield) {
    current = &yield;
    breaker.force_open();
    breaker.reset();
  });
  run(context, 2);
  CHECK(calls == 1);
  CHECK(seen == 7);
  CHECK(held.use_count() == 1);
}

#if !FIBERS_ASAN  // it does not see that the stack is unwound
TEST_CASE("F4 a coroutine that is destroyed inside op is ignored, and has no fallback", "[F4]") {
  Breaker breaker{"b", one_probe};
  bool has_fallen_back = false;
  {
    asio::io_context context;
    start(context, [&](const asio::yield_context& yield) {
      breaker.execute(
          [&] {
            asio::steady_timer timer{context, 1h};
            timer.async_wait(yield);
          },
          [&] { has_fallen_back = true; });
    });
    context.poll();
    CHECK(counts_of(breaker) == Counts{});
  }
  CHECK_FALSE(has_fallen_back);
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{0, 0, 1});
}
#endif
