#include <fusebox/detail/task_pool.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if FUSEBOX_DETAIL_PTHREADS
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "catch.hpp"

using fusebox::detail::PoolTask;
using fusebox::detail::task_pool;
using fusebox::detail::TaskPool;

namespace {

class Task final : public PoolTask {
 public:
  explicit Task(std::function<void()> body) : body_{std::move(body)} {}
  void run() override { body_(); }

 private:
  std::function<void()> body_;
};

bool submit(std::function<void()> body) {
  return task_pool().submit(std::make_shared<Task>(std::move(body)));
}

/// Opens once it was opened so often.
class Latch {
 public:
  explicit Latch(int count) : left_{count} {}
  void open() {
    const std::lock_guard lock{mutex_};
    --left_;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int left_;
};

}  // namespace

TEST_CASE("J8 tasks that wait for each other have threads enough", "[J8]") {
  constexpr int tasks = 20;
  Latch all{tasks};
  Latch done{tasks};
  for (int i = 0; i < tasks; ++i) {
    REQUIRE(submit([&] {
      all.open();
      all.wait();
      done.open();
    }));
  }
  done.wait();
  CHECK(task_pool().threads() >= tasks);
}

TEST_CASE("J8 a thread that has nothing to do takes the next task", "[J8]") {
  const auto run_one = [] {
    Latch done{1};
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!submit([&] { done.open(); })) {
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      std::this_thread::yield();  // until the thread is idle again
    }
    done.wait();
  };
  run_one();
  const unsigned threads = task_pool().threads();
  task_pool().limit_threads(threads);
  for (int i = 0; i < 50; ++i) run_one();
  CHECK(task_pool().threads() == threads);
  task_pool().limit_threads(TaskPool::max_threads);
}

TEST_CASE("J8 a full pool takes no task, and does not keep it", "[J8]") {
  const unsigned threads = task_pool().threads();
  task_pool().limit_threads(threads + 2);
  Latch begun{static_cast<int>(threads) + 2};
  Latch end{1};
  std::atomic<int> running{0};
  int taken = 0;
  while (submit([&] {
    ++running;
    begun.open();
    end.wait();
    --running;
  }))
    ++taken;
  CHECK(taken >= 2);
  CHECK(static_cast<unsigned>(taken) <= threads + 2);
  const auto refused = std::make_shared<Task>([] {});
  CHECK_FALSE(task_pool().submit(refused));
  CHECK(refused.use_count() == 1);
  end.open();
  while (running > 0) std::this_thread::yield();
  task_pool().limit_threads(TaskPool::max_threads);
}

TEST_CASE("J8 a task is released once it has run", "[J8]") {
  const auto data = std::make_shared<int>(1);
  Latch done{1};
  REQUIRE(submit([&done, data] { done.open(); }));
  done.wait();
  while (data.use_count() > 1) std::this_thread::yield();
  CHECK(data.use_count() == 1);
}

#if FUSEBOX_DETAIL_PTHREADS

TEST_CASE("J8 a task that ends its thread takes no other with it", "[J8]") {
  Latch begun{1};
  REQUIRE(submit([&] {
    begun.open();
    ::pthread_exit(nullptr);
  }));
  begun.wait();
  Latch done{1};
  REQUIRE(submit([&] { done.open(); }));
  done.wait();
}

#if !defined(__SANITIZE_THREAD__)
TEST_CASE("J8 the child of a fork has a pool of its own", "[J8]") {
  Latch begun{1};
  REQUIRE(submit([&] { begun.open(); }));
  begun.wait();
  const ::pid_t child = ::fork();
  if (child == 0) {
    bool is_right = task_pool().threads() == 0 && fusebox::detail::fork_count() == 1;
    Latch done{1};
    is_right = submit([&] { done.open(); }) && is_right;
    done.wait();
    ::_exit(is_right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(fusebox::detail::fork_count() == 0);
}
#endif

#endif
