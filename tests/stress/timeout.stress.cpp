// Timeouts in a storm, on real threads and the clock of the system: many limits at once, stops at random
// moments, and a FakeClock that many threads move.
#include <fusebox/detail/timer/thread.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"
#include "support/timers.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// A limit on the timer thread, and whether it ended too early.
struct Limit {
  detail::TimerNode node = support::node_with_source();
  std::chrono::steady_clock::time_point due;
  std::atomic<int> ends{0};
  std::atomic<bool> is_early{false};
  std::unique_ptr<support::OnStop> callback = support::on_stop(node, [this] {
    if (std::chrono::steady_clock::now() < due) is_early = true;
    ++ends;
  });
};

}  // namespace

TEST_CASE("D7 2,400 limits at once: each ends once, none early, none is forgotten", "[D7]") {
  constexpr int armers = 12;
  constexpr std::size_t each = 200;
  const std::size_t before = detail::timer_thread().size();
  std::vector<std::unique_ptr<Limit>> limits(armers * each);
  for (auto& limit : limits) limit = std::make_unique<Limit>();
  support::run_together(armers, [&](int armer) {
    std::mt19937 random{static_cast<unsigned>(armer)};
    for (std::size_t i = 0; i < each; ++i) {
      Limit& limit = *limits[static_cast<std::size_t>(armer) * each + i];
      limit.due = std::chrono::steady_clock::now() + std::chrono::microseconds{random() % 50'000};
      SystemClock{}.arm(limit.node, limit.due);
    }
  });
  const auto all_ended = [&] {
    return std::all_of(limits.begin(), limits.end(), [](const auto& limit) { return limit->ends == 1; });
  };
  const auto give_up = std::chrono::steady_clock::now() + 60s;
  while (!all_ended() && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(1ms);
  CHECK(all_ended());
  CHECK(std::none_of(limits.begin(), limits.end(), [](const auto& limit) { return limit->is_early.load(); }));
  CHECK(detail::timer_thread().size() == before);
}

TEST_CASE("D4 D7 12 threads whose calls end by themselves, by the limit and by random stops", "[D4][D7]") {
  constexpr int callers = 12;
  auto timeout = total_timeout(200us);
  auto inner = attempt_timeout(150us);
  std::vector<std::atomic<std::stop_source*>> stops(callers);
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> timed_out{0};
  std::atomic<std::uint64_t> cancelled{0};
  std::atomic<int> running{callers};
  std::atomic<const char*> impossible{nullptr};
  support::run_together(callers + 1, [&](int number) {
    std::mt19937 random{static_cast<unsigned>(number)};
    if (number == callers) {
      while (running > 0) {
        // The slot is emptied while it is used, so that the caller waits for it.
        auto& slot = stops[random() % callers];
        if (std::stop_source* source = slot.exchange(nullptr)) {
          source->request_stop();
          slot = source;
        }
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 100});
      }
      return;
    }
    auto& slot = stops[static_cast<std::size_t>(number)];
    for (int step = 0; step < stress::steps() / 10; ++step) {
      std::stop_source caller;
      slot = &caller;
      const auto work = std::chrono::microseconds{random() % 400};
      const auto op = [&](std::stop_token token) {
        if (!SystemClock{}.sleep_for(work, token)) throw CancelledError{};
      };
      const auto begin = std::chrono::steady_clock::now();
      try {
        if (step % 2 == 0) {
          timeout.execute(op, caller.get_token());
        } else {
          timeout.execute([&](std::stop_token token) { inner.execute(op, token); }, caller.get_token());
        }
      } catch (const TimeoutError&) {
        ++timed_out;
        if (std::chrono::steady_clock::now() - begin < 150us) impossible = "a limit ended early";
      } catch (const CancelledError&) {
        ++cancelled;
        if (!caller.stop_requested()) impossible = "a cancellation that nobody asked for";
      }
      ++calls;
      while (slot.exchange(nullptr) == nullptr) std::this_thread::yield();
    }
    --running;
  });
  CHECK(impossible.load() == nullptr);
  CHECK(timed_out > 0);
  CHECK(timeout.stats().calls + cancelled >= calls);
  CHECK(timeout.stats().calls <= calls);
}

TEST_CASE("T8 limits on one FakeClock that threads move, arm on and give back", "[T8]") {
  const test::FakeClock clock;
  auto timeout = total_timeout(5ms, clock);
  std::atomic<const char*> impossible{nullptr};
  support::run_together(stress::threads, [&](int number) {
    std::mt19937 random{static_cast<unsigned>(number)};
    for (int step = 0; step < stress::steps(); ++step) {
      const auto begin = clock.now();
      const auto work = std::chrono::microseconds{random() % 10'000};
      try {
        timeout.execute([&](std::stop_token token) {
          if (random() % 2 == 0) {
            if (!clock.sleep_for(work, token)) throw CancelledError{};
          } else {
            clock.advance(work);
            if (token.stop_requested()) throw CancelledError{};
          }
        });
      } catch (const TimeoutError&) {
        if (clock.now() - begin < 5ms) impossible = "a limit ended early";
      } catch (const CancelledError&) {
        impossible = "a cancellation that nobody asked for";
      }
    }
  });
  CHECK(impossible.load() == nullptr);
  CHECK(timeout.stats().timed_out > 0);
}
