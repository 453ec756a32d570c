#include <fusebox/clock.hpp>
#include <fusebox/detail/timer/thread.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"
#include "support/timers.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::TimerNode;
using support::node_with_source;
using SteadyTime = std::chrono::steady_clock::time_point;

namespace {

/// A limit on the thread of this process, and when it ended.
struct Limit {
  explicit Limit(std::chrono::nanoseconds after) : due{std::chrono::steady_clock::now() + after} {
    detail::arm_on_thread(node, detail::ticks(due));
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit() { detail::disarm_on_thread(node); }

  SteadyTime due;
  TimerNode node = node_with_source();
  std::atomic<bool> has_ended{false};
  SteadyTime ended_at;
  std::unique_ptr<support::OnStop> callback = support::on_stop(node, [this] {
    ended_at = std::chrono::steady_clock::now();
    has_ended = true;
    has_ended.notify_all();
  });
};

}  // namespace

TEST_CASE("D7 the thread ends limits, none of them early, in whichever order they were armed", "[D7]") {
  std::vector<std::unique_ptr<Limit>> limits;
  for (const auto after : {30ms, 10ms, 20ms, 0ms, 15ms}) limits.push_back(std::make_unique<Limit>(after));
  for (const auto& limit : limits) {
    limit->has_ended.wait(false);
    CHECK(limit->ended_at >= limit->due);
  }
  CHECK(detail::timer_thread().is_running());
}

TEST_CASE("D7 a limit in the past ends at once", "[D7]") {
  const Limit limit{-1h};
  limit.has_ended.wait(false);
}

TEST_CASE("D7 a disarmed limit does not end, and leaves nothing behind", "[D7]") {
  const std::size_t before = detail::timer_thread().size();
  std::optional<Limit> limit{5ms};
  CHECK(detail::timer_thread().size() == before + 1);
  detail::disarm_on_thread(limit->node);
  CHECK(detail::timer_thread().size() == before);
  const Limit later{6ms};
  later.has_ended.wait(false);  // by then the thread has passed the one before
  CHECK_FALSE(limit->has_ended);
}

TEST_CASE("D7 a limit beyond the reach of the system's timers is no trouble", "[D7]") {
  const Limit far{std::chrono::hours{24 * 365 * 200}};
  const Limit near{2ms};
  near.has_ended.wait(false);
  CHECK_FALSE(far.has_ended);
}

TEST_CASE("D7 limits of many threads all end, none early", "[D7]") {
  constexpr int threads = 4;
  std::atomic<int> early{0};
  support::run_together(threads, [&](int thread) {
    for (int round = 0; round < 20; ++round) {
      Limit limit{std::chrono::microseconds{(thread * 37 + round * 113) % 2000}};
      limit.has_ended.wait(false);
      if (limit.ended_at < limit.due) ++early;
    }
  });
  CHECK(early == 0);
}

#if FUSEBOX_DETAIL_PTHREADS
TEST_CASE("D7 signals do not run on the thread, but those that it causes itself", "[D7]") {
  ::sigset_t blocked;
  std::atomic<bool> is_done{false};
  auto node = node_with_source();
  const auto look = support::on_stop(node, [&] {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    is_done = true;
    is_done.notify_all();
  });
  detail::arm_on_thread(node, 0);
  is_done.wait(false);
  for (const int blocked_signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGPIPE})
    CHECK(sigismember(&blocked, blocked_signal) == 1);
  for (const int of_the_thread : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    CHECK(sigismember(&blocked, of_the_thread) == 0);

  ::sigset_t own;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
  CHECK(sigismember(&own, SIGINT) == 0);  // this thread's mask is as it was
}
#endif
