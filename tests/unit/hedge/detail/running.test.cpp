#include <fusebox/hedge.hpp>

#include <atomic>
#include <chrono>
#include <thread>

#if FUSEBOX_DETAIL_PTHREADS
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "catch.hpp"

using namespace std::chrono_literals;
using fusebox::detail::HedgeRunning;

TEST_CASE("J7 nothing runs, nobody waits", "[J7]") {
  HedgeRunning running;
  running.wait();
  running.enter();
  running.leave();
  running.wait();
  CHECK(running.count() == 0);
}

TEST_CASE("J7 a copy that waits for the others does not wait for itself", "[J7]") {
  HedgeRunning running;
  std::atomic<bool> other_has_ended{false};
  running.enter();
  running.enter();
  std::jthread other{[&] {
    const HedgeRunning::Here here{running};
    std::this_thread::sleep_for(10ms);
    other_has_ended = true;
  }};
  {
    const HedgeRunning::Here here{running};
    running.wait();
    CHECK(other_has_ended);
    CHECK(running.count() == 1);
  }
  CHECK(running.count() == 0);
}

TEST_CASE("J7 copies on many threads leave in any order", "[J7]") {
  HedgeRunning running;
  {
    std::jthread threads[4];
    for (auto& thread : threads) {
      running.enter();
      thread = std::jthread{[&] { const HedgeRunning::Here here{running}; }};
    }
    running.wait();
  }
  CHECK(running.count() == 0);
}

#if FUSEBOX_DETAIL_PTHREADS && !defined(__SANITIZE_THREAD__)
TEST_CASE("J8 the copies of the parent are none of the child's", "[J8]") {
  static_cast<void>(fusebox::detail::task_pool());  // knows of forks from now on
  HedgeRunning running;
  running.enter();
  const ::pid_t child = ::fork();
  if (child == 0) {
    running.wait();
    ::_exit(running.count() == 0 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(running.count() == 1);
  running.leave();
}
#endif
