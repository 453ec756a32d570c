// fusebox/detail/task_pool.hpp: TaskPool, the threads of a process that run calls beside their callers (J8).
//
// A task goes to a thread that has nothing to do, else to a new one, until there are `max_threads`. No task
// waits for another to end, so tasks may wait for each other. Nothing joins the threads: running tasks hold
// up no exit, and the module in which their code lies stays loaded. The child of a fork has threads of its
// own.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/native_thread.hpp>
#include <fusebox/detail/no_destroy.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// How often the process has been forked on the way here. Relaxed: a fork has one thread.
FUSEBOX_API inline constinit std::atomic<std::uint64_t> forks_so_far{0};
[[nodiscard]] inline std::uint64_t fork_count() noexcept {
  return forks_so_far.load(std::memory_order_relaxed);
}

/// What a pool runs, once.
class FUSEBOX_API PoolTask {
 public:
  PoolTask() = default;
  PoolTask(const PoolTask&) = delete;
  PoolTask& operator=(const PoolTask&) = delete;
  virtual ~PoolTask() = default;
  /// Throws only what ends the thread.
  virtual void run() = 0;

 private:
  friend class TaskPool;
  PoolTask* next_ = nullptr;        // in the queue of the pool, under its mutex
  std::shared_ptr<PoolTask> self_;  // while it is there
};

/// There is one: task_pool(). All members are thread-safe.
class FUSEBOX_API TaskPool {
 public:
  /// More calls at once run on their callers' threads.
  static constexpr unsigned max_threads = 256;

  TaskPool() noexcept {
#if FUSEBOX_DETAIL_PTHREADS
    keep_loaded(reinterpret_cast<const void*>(&run_thread));
    keep_loaded(this);
    forked = this;
    can_start_ = ::pthread_atfork(&before_fork, &after_fork, &in_child) == 0;
#endif
  }
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  /// False: no thread can run it, and it was not run.
  [[nodiscard]] bool submit(const std::shared_ptr<PoolTask>& task) {
    std::unique_lock lock{mutex_};
    if (idle_ > queued_) {
      push(task);
      lock.unlock();
      wake_.notify_one();
      return true;
    }
    if (threads_ == limit_ || !can_start_) return false;
    ++threads_;
    push(task);
    lock.unlock();
    if (start_thread(&run_thread, this) == 0) return true;
    lock.lock();
    --threads_;
    return !take_back(*task);
  }

  [[nodiscard]] unsigned threads() {
    const std::lock_guard lock{mutex_};
    return threads_;
  }
  /// For tests: how many there may be from now on.
  void limit_threads(unsigned limit) {
    const std::lock_guard lock{mutex_};
    limit_ = limit;
  }

 private:
  void push(const std::shared_ptr<PoolTask>& task) noexcept {
    task->self_ = task;
    task->next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = task.get();
    last_ = task.get();
    ++queued_;
  }
  [[nodiscard]] std::shared_ptr<PoolTask> pop() noexcept {
    PoolTask& task = *first_;
    first_ = task.next_;
    if (first_ == nullptr) last_ = nullptr;
    --queued_;
    return std::move(task.self_);
  }
  /// Its thread could not be started. False: another thread has taken it meanwhile.
  [[nodiscard]] bool take_back(PoolTask& task) noexcept {
    PoolTask* before = nullptr;
    for (PoolTask* one = first_; one != nullptr; before = std::exchange(one, one->next_)) {
      if (one != &task) continue;
      (before != nullptr ? before->next_ : first_) = task.next_;
      if (last_ == &task) last_ = before;
      --queued_;
      task.self_.reset();  // not the last: the caller has it
      return true;
    }
    return false;
  }

  void work() {
    // A task may end the thread: then there is one less.
    struct Leaving {
      TaskPool& pool;
      ~Leaving() {
        const std::lock_guard lock{pool.mutex_};
        --pool.threads_;
      }
    };
    const Leaving leaving{*this};
    for (;;) {
      std::shared_ptr<PoolTask> task;
      {
        std::unique_lock lock{mutex_};
        ++idle_;
        wake_.wait(lock, [this] { return first_ != nullptr; });
        --idle_;
        task = pop();
      }
      task->run();
    }
  }

#if FUSEBOX_DETAIL_PTHREADS
  static void* run_thread(void* self) {
    name_this_thread("fusebox-pool");
    static_cast<TaskPool*>(self)->work();
    return nullptr;
  }

  static void before_fork() { forked->mutex_.lock(); }
  static void after_fork() { forked->mutex_.unlock(); }
  /// The threads are not there, and what they had to do is the parent's.
  static void in_child() {
    TaskPool& pool = *forked;
    std::construct_at(&pool.wake_);  // not destroyed first: that would wait for sleepers that are not there
    pool.first_ = pool.last_ = nullptr;
    pool.queued_ = pool.idle_ = pool.threads_ = 0;
    forks_so_far.fetch_add(1, std::memory_order_relaxed);
    after_fork();
  }
  static inline TaskPool* forked = nullptr;  // that of the process
#else
  static void run_thread(void* self) { static_cast<TaskPool*>(self)->work(); }
#endif

  std::mutex mutex_;
  std::condition_variable wake_;
  PoolTask* first_ = nullptr;  // tasks that a thread is about to take
  PoolTask* last_ = nullptr;
  unsigned queued_ = 0;
  unsigned idle_ = 0;  // threads that wait, or were woken and have not taken a task yet
  unsigned threads_ = 0;
  unsigned limit_ = max_threads;
  bool can_start_ = true;
};

/// That of the process. It lives until the process ends.
[[nodiscard]] FUSEBOX_API inline TaskPool& task_pool() {
  static NoDestroy<TaskPool> pool;
  return *pool;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
