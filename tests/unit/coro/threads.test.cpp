// Coroutines that go on on other threads: run it under TSan too (A9).
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <latch>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using support::Task;

namespace {

/// A thread that resumes coroutines.
class Loop {
 public:
  void post(std::coroutine_handle<> coroutine) {
    const std::lock_guard lock{mutex_};
    ready_.push_back(coroutine);
    posted_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock{mutex_};
      posted_.wait(lock, stop, [&] { return !ready_.empty(); });
      if (ready_.empty()) return;
      const auto next = ready_.front();
      ready_.pop_front();
      lock.unlock();
      next.resume();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any posted_;
  std::deque<std::coroutine_handle<>> ready_;
  std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

/// Goes on on that thread.
struct Hop {
  Loop* to;
  static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const { to->post(coroutine); }
  static void await_resume() noexcept {}
};

/// Its sleeps end at once, on the other thread.
struct HoppingClock {
  Loop* to;
  static std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }
  static std::chrono::system_clock::time_point wall_now() { return std::chrono::system_clock::now(); }
  [[nodiscard]] Hop sleep_for(std::chrono::nanoseconds, const fusebox::StopToken&) const { return Hop{to}; }
};

/// Runs to its end on whatever thread, and then counts down.
struct Detached {
  struct promise_type {
    static Detached get_return_object() { return {}; }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() {}
    static void unhandled_exception() { std::terminate(); }
  };
};
Detached run_detached(Task<> task, std::latch& end) {
  co_await std::move(task);
  end.count_down();
}

}  // namespace

TEST_CASE("A9 two threads hand coroutines over at every suspension", "[A9]") {
  constexpr int coroutines = 8;
  constexpr int rounds = 200;
  std::array<Loop, 2> loops;
  const HoppingClock clock{&loops[1]};
  fusebox::CircuitBreaker<HoppingClock> breaker{"b", {.failure_threshold = 0}, clock};
  auto pipeline = compose(fusebox::retry({.max_retries = 3}, clock), breaker);
  std::array<int, coroutines> sums{};

  const auto worker = [&](int index) -> Task<> {
    for (int round = 0; round < rounds; ++round) {
      const auto op = [&](const fusebox::Call& call) -> Task<int> {
        const int attempt = call.attempt();
        const Hop back{&loops[0]};
        co_await back;
        if (call.attempt() != attempt) co_return -1'000'000;
        if (attempt < 3) throw support::unavailable();
        co_return attempt;
      };
      sums[static_cast<std::size_t>(index)] += co_await pipeline.execute(op);
    }
  };
  std::latch end{coroutines};
  for (int i = 0; i < coroutines; ++i) run_detached(worker(i), end);
  end.wait();
  for (const int sum : sums) CHECK(sum == 3 * rounds);
  const auto stats = breaker.stats();
  CHECK(stats.success_count == coroutines * rounds);
  CHECK(stats.failure_count == 2 * coroutines * rounds);
}

TEST_CASE("A7 a stop races with the end of a sleep", "[A7]") {
  for (int i = 0; i < 500; ++i) {
    const fusebox::test::AsyncFakeClock clock;
    std::stop_source stop;
    bool result = false;
    bool is_done = false;
    const auto sleeper = [&]() -> Task<> {
      result = co_await clock.sleep_for(1s, stop.get_token());
      is_done = true;
    };
    auto task = sleeper();
    task.start();
    std::latch begin{2};
    std::jthread stopper{[&] {
      begin.arrive_and_wait();
      stop.request_stop();
    }};
    begin.arrive_and_wait();
    clock.advance(1s);
    stopper.join();
    CHECK(is_done);
  }
}

TEST_CASE("A14 a slot is given back on another thread", "[A14]") {
  for (int i = 0; i < 300; ++i) {
    const fusebox::test::AsyncFakeClock clock;
    fusebox::Bulkhead<fusebox::test::AsyncFakeClock> bulkhead{
        "b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s}, clock};
    auto held = bulkhead.try_acquire();
    const auto op = []() -> Task<int> { co_return 1; };
    auto task = bulkhead.execute(op);
    task.start();
    std::latch begin{2};
    std::jthread releaser{[&] {
      begin.arrive_and_wait();
      held = {};
    }};
    begin.arrive_and_wait();
    clock.advance(1s);
    releaser.join();
    clock.advance(0s);
    REQUIRE(task.is_done());
    CHECK(task.result() == 1);
    CHECK(bulkhead.stats().in_use == 0);
  }
}
