// Breakers on the fibers of Boost.Fiber, which suspend inside op and inside callbacks, on one thread and on
// two (B7, B14).
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <unistd.h>

#include <boost/fiber/all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "fibers/probe_calls.hpp"
#include "fibers/stacks.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
namespace this_fiber = boost::this_fiber;
using fibers::admitted;
using fibers::call;
using fibers::one_probe;
using fibers::recover;
using fibers::rejected;
using fibers::Stacks;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::trip_and_wait;

namespace {

constexpr int twenty = 20;

/// A stack allocator in the sense of Boost.Fiber.
struct FromStacks {
  using traits_type = boost::context::stack_traits;
  Stacks* stacks;
  [[nodiscard]] boost::context::stack_context allocate() const {
    boost::context::stack_context stack;
    stack.size = Stacks::size;
    stack.sp = stacks->take() + Stacks::size;
    return stack;
  }
  static void deallocate(const boost::context::stack_context& stack) noexcept {
    Stacks::give_back(static_cast<std::byte*>(stack.sp) - stack.size);
  }
};

/// A fiber that begins at the next chance; its stack is given back some time after it has ended.
template <class F>
boost::fibers::fiber fiber_on(Stacks& stacks, F f) {
  return boost::fibers::fiber{boost::fibers::launch::post, std::allocator_arg, FromStacks{&stacks},
                              std::move(f)};
}

/// Runs f on a thread that shares its fibers with another one. f must not throw, and must leave Catch2's
/// assertions to the caller.
template <class F>
void on_two_threads(F f) {
  boost::fibers::mutex mutex;
  boost::fibers::condition_variable changed;
  bool is_over = false;
  boost::fibers::barrier begin{2};
  const auto share = [] { boost::fibers::use_scheduling_algorithm<boost::fibers::algo::shared_work>(); };
  std::thread second{[&] {
    share();
    begin.wait();
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return is_over; });
  }};
  std::thread{[&] {
    share();
    begin.wait();
    f();
    const std::lock_guard lock{mutex};
    is_over = true;
    changed.notify_all();
  }}.join();
  second.join();
}

/// The thread that runs the calling fiber now. Compilers take pthread_self() for a constant.
[[nodiscard]] ::pid_t thread_id() { return ::gettid(); }

/// Returns on another thread.
void change_threads() {
  const ::pid_t before = thread_id();
  while (thread_id() == before) this_fiber::yield();
}

}  // namespace

TEST_CASE("B7 of twenty fibers of a thread, as many are probes as the breaker allows", "[B7]") {
  const int limit = GENERATE(1, 3);
  const bool sleeps = GENERATE(false, true);
  CAPTURE(limit, sleeps);
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = limit,
                   .reset_timeout = 10s,
                   .half_open_max_calls = limit}};
  trip_and_wait(breaker);
  boost::fibers::promise<void> all_have_called;
  const boost::fibers::shared_future<void> go_on = all_have_called.get_future().share();
  int inside = 0;
  int most_inside = 0;
  int refused = 0;
  std::vector<boost::fibers::fiber> all;
  for (int i = 0; i < twenty; ++i) {
    all.emplace_back(boost::fibers::launch::dispatch, [&] {
      breaker.execute(
          [&] {
            most_inside = std::max(most_inside, ++inside);
            if (sleeps) this_fiber::sleep_for(2ms);
            go_on.wait();
            --inside;
          },
          [&] { ++refused; });
    });
  }
  all_have_called.set_value();
  for (boost::fibers::fiber& fiber : all) fiber.join();
  CHECK(most_inside == limit);
  CHECK(refused == twenty - limit);
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{static_cast<std::uint64_t>(limit), 1, 0});
  CHECK(breaker.stats().rejected_count == static_cast<std::uint64_t>(twenty - limit));
}

TEST_CASE("B7 of twenty fibers on two threads, as many are probes as the breaker allows", "[B7]") {
  constexpr int limit = 3;
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = limit,
                   .reset_timeout = 10s,
                   .half_open_max_calls = limit}};
  trip_and_wait(breaker);
  std::atomic<int> arrived{0};
  std::atomic<int> inside{0};
  std::atomic<int> too_many{0};
  std::atomic<int> refused{0};
  std::atomic<int> nested{0};
  on_two_threads([&] {
    std::vector<boost::fibers::fiber> all;
    for (int i = 0; i < twenty; ++i) {
      all.emplace_back([&] {
        arrived.fetch_add(1);
        breaker.execute(
            [&] {
              if (inside.fetch_add(1) >= limit) too_many.fetch_add(1);
              while (arrived.load() < twenty) this_fiber::yield();
              change_threads();
              if (call(breaker) == "admitted") nested.fetch_add(1);
              inside.fetch_sub(1);
            },
            [&] { refused.fetch_add(1); });
      });
    }
    for (boost::fibers::fiber& fiber : all) fiber.join();
  });
  CHECK(too_many == 0);
  CHECK(refused == twenty - limit);
  CHECK(nested == limit);
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{limit, 1, 0});
}

TEST_CASE("B7 four breakers recover side by side on fibers that end in any order", "[B7]") {
  constexpr std::size_t count = 4;
  std::array<std::size_t, count> order{0, 1, 2, 3};
  do {
    CAPTURE(order);
    Stacks stacks;
    std::array<Breaker, count> breakers{Breaker{"a", one_probe}, Breaker{"b", one_probe},
                                        Breaker{"c", one_probe}, Breaker{"d", one_probe}};
    std::array<std::string, count> nested;
    std::array<boost::fibers::promise<void>, count> may_end;
    std::vector<boost::fibers::fiber> all;
    for (std::size_t i = 0; i < count; ++i) {
      trip_and_wait(breakers[i]);
      all.push_back(fiber_on(stacks, [&, i] {
        breakers[i].execute([&] {
          may_end[i].get_future().wait();
          nested[i] = call(breakers[i]);
          this_fiber::yield();
        });
      }));
    }
    while (std::any_of(breakers.begin(), breakers.end(),
                       [](Breaker& breaker) { return breaker.state() != State::half_open; })) {
      this_fiber::yield();
    }
    for (const std::size_t i : order) {
      may_end[i].set_value();
      all[i].join();
      CHECK(nested[i] == "admitted");
      CHECK(counts_of(breakers[i]) == Counts{1, 1, 0});
    }
    this_fiber::sleep_for(1ms);  // the scheduler gives the stacks back
    for (Breaker& breaker : breakers) CHECK(recover(breaker) == "admitted");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("B7 a nested call on the fiber of a probe is part of it, one of another fiber is not", "[B7]") {
  Stacks stacks;
  Breaker breaker{"b", one_probe};
  trip_and_wait(breaker);
  std::string started;
  std::string nested;
  std::string outer;
  std::string neighbour;
  boost::fibers::fiber probe = fiber_on(stacks, [&] {
    outer = breaker.execute(
        [&] {
          boost::fibers::fiber{[&] { started = call(breaker); }}.join();
          this_fiber::yield();
          nested = call(breaker);
          return call(breaker);
        },
        rejected);
  });
  boost::fibers::fiber other = fiber_on(stacks, [&] { neighbour = call(breaker); });
  other.join();
  probe.join();
  CHECK(started == "rejected");
  CHECK(neighbour == "rejected");
  CHECK(nested == "admitted");
  CHECK(outer == "admitted");
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
}

TEST_CASE("B7 probes that change threads leave neither thread anything", "[B7]") {
  constexpr std::size_t count = 8;
  Stacks stacks;
  std::array<Breaker, count> breakers{
      Breaker{"a", one_probe}, Breaker{"b", one_probe}, Breaker{"c", one_probe}, Breaker{"d", one_probe},
      Breaker{"e", one_probe}, Breaker{"f", one_probe}, Breaker{"g", one_probe}, Breaker{"h", one_probe}};
  std::array<std::string, count> nested;
  std::array<std::string, 2> after;
  for (Breaker& breaker : breakers) trip_and_wait(breaker);
  on_two_threads([&] {
    std::vector<boost::fibers::fiber> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(fiber_on(stacks, [&, i] {
        breakers[i].execute([&] {
          for (std::size_t k = 0; k <= i; ++k) change_threads();
          nested[i] = call(breakers[i]);
        });
      }));
    }
    for (boost::fibers::fiber& fiber : all) fiber.join();
    this_fiber::sleep_for(1ms);  // the scheduler gives the stacks back
    fiber_on(stacks, [&] {
      after[0] = recover(breakers[0]);
      change_threads();
      after[1] = recover(breakers[1]);
    }).join();
  });
  CHECK(std::count(nested.begin(), nested.end(), "admitted") == static_cast<std::ptrdiff_t>(count));
  CHECK(after == std::array<std::string, 2>{"admitted", "admitted"});
  CHECK(counts_of(breakers[7]) == Counts{1, 1, 0});
}

TEST_CASE("B14 a callback that changes threads holds up no event of its first thread", "[B14]") {
  Breaker breaker{"b"};
  Breaker other{"other"};
  std::atomic<bool> has_moved{false};
  std::atomic<bool> may_return{false};
  std::atomic<int> of_breaker{0};
  std::atomic<int> of_other{0};
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    if (change.to == State::forced_open) {
      change_threads();
      has_moved.store(true);
      while (!may_return.load()) this_fiber::yield();
    }
    of_breaker.fetch_add(1);
  });
  const Subscription subscription_to_other =
      other.on_state_change([&](const StateChange&) { of_other.fetch_add(1); });
  std::array<int, 4> seen{};
  on_two_threads([&] {
    // This fiber stays on its thread, where the other one begins.
    const ::pid_t here = thread_id();
    boost::fibers::fiber causing{boost::fibers::launch::dispatch, [&] {
                                   while (thread_id() != here) this_fiber::yield();
                                   breaker.force_open();
                                 }};
    while (!has_moved.load()) this_fiber::yield();
    other.force_open();
    seen[0] = of_other.load();
    may_return.store(true);
    causing.join();
    seen[1] = of_breaker.load();
    other.reset();
    seen[2] = of_other.load();
    breaker.reset();
    seen[3] = of_breaker.load();
  });
  CHECK(seen == std::array<int, 4>{1, 1, 2, 2});
}

TEST_CASE("B14 a callback that changes threads may end its own subscription", "[B14]") {
  Breaker breaker{"b"};
  const auto held = std::make_shared<int>(7);
  Subscription subscription;
  int calls = 0;
  int seen = 0;
  subscription = breaker.on_state_change([&, held](const StateChange&) {
    ++calls;
    change_threads();
    subscription.unsubscribe();
    change_threads();
    seen = *held;
  });
  on_two_threads([&] {
    boost::fibers::fiber{[&] { breaker.force_open(); }}.join();
    breaker.reset();
  });
  CHECK(calls == 1);
  CHECK(seen == 7);
  CHECK(held.use_count() == 1);
}
