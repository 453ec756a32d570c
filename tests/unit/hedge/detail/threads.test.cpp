#include <fusebox/hedge.hpp>
#include <fusebox/retry_budget.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#if FUSEBOX_DETAIL_PTHREADS
#include <pthread.h>
#endif

#include "catch.hpp"
#include "support/hedge.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("J8 an executor that throws after it has taken a task", "[J8]") {
  std::vector<HedgeTask> taken;
  auto policy = hedge({.delay = no_timeout}, [&](const HedgeTask& task) {
    taken.push_back(task);
    throw std::runtime_error{"full"};
  });
  const auto stage = std::make_shared<support::Stage>();
  CHECK_THROWS_WITH(policy.execute([stage]() -> int {
    stage->enter();
    throw std::logic_error{"x"};
  }),
                    "x");
  CHECK(stage->copies() == 1);  // the primary, on this thread; no hedge
  CHECK(policy.stats().refused == 1);
  for (const HedgeTask& task : taken) task();
  CHECK(stage->copies() == 1);
}

TEST_CASE("J8 an executor that throws after it has run a hedge", "[J8][J11]") {
  RetryBudget<> budget{{.ratio = 0.1, .min_per_second = 0, .reserve = 10}};
  std::vector<HedgeTask> kept;
  auto policy = hedge({.delay = 0s}, budget, [&](const HedgeTask& task) {
    if (kept.empty()) return kept.push_back(task);
    task();
    throw std::runtime_error{"too late"};
  });
  CHECK(policy.execute([] { return 7; }) == 7);
  CHECK(policy.stats() == HedgeStats{.started = 1, .won_by_hedge = 1, .calls = 1});
  CHECK(budget.stats().withdrawn == 1);
  kept.clear();
}

TEST_CASE("J8 a task that begins when the call has been decided does not call op", "[J8][P8]") {
  const auto stage = std::make_shared<support::Stage>();
  std::vector<HedgeTask> later;
  auto policy = hedge({.delay = 0s}, [&](const HedgeTask& task) {
    if (later.empty()) return later.push_back(task);
    task();
  });
  CHECK(policy.execute([stage] { return stage->enter(); }) == 0);
  for (const HedgeTask& task : later) task();
  CHECK(stage->copies() == 1);
}

TEST_CASE("J8 a task that is dropped while the primary runs", "[J8]") {
  const auto stage = std::make_shared<support::Stage>();
  std::vector<HedgeTask> kept;
  auto policy = hedge({.delay = 0s, .max_hedges = 3}, [&](const HedgeTask& task) {
    if (kept.empty()) kept.push_back(task);
    if (kept.size() == 1) {
      std::thread{[task = kept.front()] { task(); }}.detach();
      kept.emplace_back(task);
      return;
    }
    stage->note("dropped");
  });
  CHECK(policy.execute([stage] {
    stage->wait_for("dropped");
    return 7;
  }) == 7);
  CHECK(policy.stats().started == 1);
}

#if FUSEBOX_DETAIL_PTHREADS && FUSEBOX_DETAIL_EXCEPTIONS
TEST_CASE("J8 op may end the thread of its copy", "[J8]") {
  auto policy = hedge({.delay = no_timeout, .max_hedges = 2});
  CHECK_THROWS_AS(policy.execute([]() -> int { ::pthread_exit(nullptr); }), CancelledError);
  CHECK(policy.stats() == HedgeStats{.calls = 1});
  CHECK(policy.execute([] { return 1; }) == 1);
}
#endif

TEST_CASE("J4 a copy that wins while the caller is stopped leaves nothing behind", "[J4][J7]") {
  std::atomic<int> values{0};
  struct Counted {
    explicit Counted(std::atomic<int>& all) : count{&all} { ++*count; }
    Counted(const Counted& other) : count{other.count} { ++*count; }
    ~Counted() { --*count; }
    std::atomic<int>* count;
  };
  {
    auto policy = hedge({.delay = 0s});
    for (int i = 0; i < 50; ++i) {
      std::stop_source source;
      std::jthread stopper{[&] { source.request_stop(); }};
      try {
        policy.execute([&values](std::stop_token) { return Counted{values}; }, source.get_token());
      } catch (const CancelledError&) {  // whichever comes first
      }
    }
  }
  CHECK(values == 0);
}
