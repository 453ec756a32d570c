// Hedged calls in a storm, on real threads: winners, losers, failures and stops at random moments. Afterwards
// the counts add up, nothing is left, and nobody waits for ever.
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry_budget.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

struct Tally {
  std::atomic<int> copies{0};
  std::atomic<int> alive{0};
  std::atomic<std::uint64_t> won{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> cancelled{0};
};

/// A value that says whether it was destroyed once.
class Value {
 public:
  explicit Value(Tally& tally) : tally_{&tally} { ++tally_->alive; }
  Value(const Value& other) : tally_{other.tally_} { ++tally_->alive; }
  Value& operator=(const Value&) = delete;
  ~Value() { --tally_->alive; }

 private:
  Tally* tally_;
};

void pause(std::mt19937& random, const std::stop_token& token) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds{random() % 300};
  while (std::chrono::steady_clock::now() < end) {
    if (random() % 2 == 0 && token.stop_requested()) throw CancelledError{};
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("J1 winners, losers, failures and stops at random moments", "[J1][J4][J7][J8]") {
  constexpr int callers = 4;
  constexpr int each = 200;
  Tally tally;
  CircuitBreaker<> breaker{"inside", {.failure_threshold = 65'535}};
  Bulkhead<> bulkhead{"inside", {.max_concurrent = 1'000}};
  RetryThrottle throttle;
  const auto counts = std::make_shared<HedgeCounts>("all");
  {
    auto call = compose(hedge({.delay = 100us, .max_hedges = 2}, throttle, counts), bulkhead, breaker);
    support::run_together(callers, [&](int caller) {
      for (int i = 0; i < each; ++i) {
        std::stop_source source;
        std::optional<std::jthread> stopper;
        if (i % 4 == 0) stopper.emplace([&] { source.request_stop(); });
        const auto op = [&tally, seed = static_cast<unsigned>(caller * each + i)](std::stop_token token) {
          std::mt19937 random{seed + static_cast<unsigned>(tally.copies++)};
          const Value value{tally};
          pause(random, token);
          if (random() % 5 == 0) throw std::runtime_error{"failed"};
          return value;
        };
        try {
          static_cast<void>(call.execute(op, source.get_token()));
          ++tally.won;
        } catch (const CancelledError&) {
          ++tally.cancelled;
        } catch (const std::runtime_error&) {
          ++tally.failed;
        }
      }
    });
  }  // waits for the losers
  CHECK(tally.alive == 0);
  CHECK(bulkhead.stats().in_use == 0);
  const auto stats = counts->stats();
  const auto inside = breaker.stats();
  CHECK(tally.won + tally.failed + tally.cancelled == callers * each);
  CHECK(stats.won_by_primary + stats.won_by_hedge == tally.won);
  CHECK(inside.success_count + inside.failure_count + inside.ignored_count + inside.rejected_count ==
        static_cast<std::uint64_t>(tally.copies.load()));
}

TEST_CASE("J7 pipelines that are destroyed right after their calls", "[J7]") {
  std::atomic<int> alive{0};
  support::run_together(4, [&](int /*thread*/) {
    for (int i = 0; i < 100; ++i) {
      int on_stack = 0;
      {
        auto policy = hedge({.delay = 0s, .max_hedges = 3});
        policy.execute([&on_stack, &alive] {
          ++alive;
          std::atomic_ref{on_stack} += 1;  // the hedge waits before it goes
          --alive;
        });
      }
      if (on_stack < 1) std::abort();
    }
  });
  CHECK(alive == 0);
}

TEST_CASE("J8 more calls than the pool has threads run on their callers", "[J8]") {
  detail::task_pool().limit_threads(detail::task_pool().threads() + 2);
  std::atomic<int> calls{0};
  support::run_together(8, [&](int /*thread*/) {
    auto policy = hedge({.delay = 50us, .max_hedges = 2});
    for (int i = 0; i < 50; ++i) {
      policy.execute([&calls] {
        ++calls;
        std::this_thread::sleep_for(200us);
      });
    }
  });
  CHECK(calls >= 400);
  detail::task_pool().limit_threads(detail::TaskPool::max_threads);
}
