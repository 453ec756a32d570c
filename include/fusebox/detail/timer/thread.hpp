// fusebox/detail/timer/thread.hpp: the one thread of a process that stops what runs too long (D7, D8).
//
// The first limit starts it; it then waits for the next limit that is due, until the process ends. Nothing
// joins it, so that running limits hold up no exit and static destructors may use limits. The module in which
// its code lies stays loaded, and the child of a fork starts a thread of its own. Without threads (see
// detail/native_thread.hpp) no op is stopped: a limit counts once op has ended.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <system_error>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/native_thread.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/timer/node.hpp>
#include <fusebox/detail/timer/timers.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct FUSEBOX_API TimerSync : StdSync {
  class Condition {
   public:
    void wait_until(std::unique_lock<std::mutex>& lock, Tick until) {
      // At most a day at once, so that no arithmetic inside the standard library overflows.
      const Tick now = ticks(std::chrono::steady_clock::now());
      const Tick longest = saturating_add(now, ticks(std::chrono::hours{24}));
      condition_.wait_until(lock, SteadyTime{std::chrono::nanoseconds{until < longest ? until : longest}});
    }
    void notify() noexcept { condition_.notify_one(); }
    /// Not destroyed first: that would wait for a sleeper that is not there any more.
    void start_anew() noexcept { std::construct_at(&condition_); }

   private:
    std::condition_variable condition_;
  };
};

/// There is one: timer_thread().
class FUSEBOX_API TimerThread {
 public:
  TimerThread() noexcept {
#if FUSEBOX_DETAIL_PTHREADS
    // Before anything is armed, so that no fork leaves a lock behind that nobody holds.
    keep_loaded(reinterpret_cast<const void*>(&run_thread));
    keep_loaded(this);
    forked = this;
    error_ = ::pthread_atfork(&before_fork, &after_fork, &in_child);
#endif
  }
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  /// Throws std::system_error if the thread cannot be started, std::bad_alloc if memory runs out, and then
  /// nothing is armed.
  void arm(TimerNode& node, Tick due) {
#if FUSEBOX_DETAIL_THREADS
    if (timers_.arm(node, due)) [[unlikely]]
      wake(node);
#else
    static_cast<void>(node);
    static_cast<void>(due);
#endif
  }

  /// Afterwards the node is not touched any more. A stop that is under way may still arrive.
  void disarm(TimerNode& node) noexcept {
#if FUSEBOX_DETAIL_THREADS
    timers_.disarm(node);
#else
    static_cast<void>(node);
#endif
  }

  [[nodiscard]] std::size_t size() { return timers_.size(); }
  /// Relaxed: a hint for tests.
  [[nodiscard]] bool is_running() const noexcept { return is_running_.load(std::memory_order_relaxed); }

 private:
  FUSEBOX_DETAIL_COLD void wake(TimerNode& node) {
    // Acquire: pairs with the release in start(), after which the thread runs.
    if (!is_running_.load(std::memory_order_acquire)) {
      if (const int error = start(); error != 0) {
        timers_.disarm(node);
        throw_error(std::system_error{error, std::generic_category(), "fusebox: no thread for timeouts"});
      }
    }
    timers_.wake();
  }

  /// Returns an errno, or 0.
  int start() {
    const std::lock_guard lock{starting_};
    if (is_running_.load(std::memory_order_relaxed)) return 0;  // the mutex orders it
    const int error = start_thread();
    if (error == 0) is_running_.store(true, std::memory_order_release);  // pairs with the load in wake()
    return error;
  }

  [[noreturn]] void run() {
    for (;;) timers_.sleep(timers_.fire(ticks(std::chrono::steady_clock::now())));
  }

#if FUSEBOX_DETAIL_PTHREADS
  static void* run_thread(void* self) {
    name_this_thread("fusebox-timer");
    static_cast<TimerThread*>(self)->run();
  }

  int start_thread() { return error_ != 0 ? error_ : detail::start_thread(&run_thread, this); }

  // Around a fork nobody starts the thread, arms or disarms.
  static void before_fork() {
    forked->starting_.lock();
    forked->timers_.lock_all();
  }
  static void after_fork() {
    forked->timers_.unlock_all();
    forked->starting_.unlock();
  }
  /// The thread is not there: the next limit starts one.
  static void in_child() {
    forked->timers_.start_anew();
    forked->is_running_.store(false, std::memory_order_relaxed);  // one thread
    after_fork();
  }
  static inline TimerThread* forked = nullptr;  // that of the process

  int error_ = 0;  // an errno: forks are not safe
#elif FUSEBOX_DETAIL_THREADS
  static void run_thread(void* self) { static_cast<TimerThread*>(self)->run(); }

  int start_thread() { return detail::start_thread(&run_thread, this); }
#else
  static int start_thread() { return ENOSYS; }
#endif

  Timers<TimerSync> timers_;
  std::atomic<bool> is_running_{false};
  std::mutex starting_;
};

/// That of the process. It lives until the process ends.
[[nodiscard]] FUSEBOX_API inline TimerThread& timer_thread() {
  static NoDestroy<TimerThread> thread;
  return *thread;
}

/// What SystemClock arms on; found through the type of the node, since the clock knows no threads.
inline void arm_on_thread(TimerNode& node, Tick due) { timer_thread().arm(node, due); }
inline void disarm_on_thread(TimerNode& node) noexcept { timer_thread().disarm(node); }

}  // namespace detail

FUSEBOX_END_NAMESPACE
