// fibers/stacks.hpp: stacks that turn inaccessible when they are given back, and threads that run on them.
//
// An address that somebody kept from such a stack, or from the thread_local objects of such a thread, is
// found out: whoever follows it crashes.
#pragma once

#include <pthread.h>
#include <sys/mman.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#if defined(__has_feature)
#define FIBERS_HAS_FEATURE(feature) __has_feature(feature)
#else
#define FIBERS_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || FIBERS_HAS_FEATURE(address_sanitizer)
#define FIBERS_ASAN 1
#else
#define FIBERS_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || FIBERS_HAS_FEATURE(thread_sanitizer)
#define FIBERS_TSAN 1
#else
#define FIBERS_TSAN 0
#endif

#if FIBERS_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace fibers {

/// `count` stacks, one beside the other, without gaps. take() gives each out once, from the lowest address
/// up. Must outlive whatever runs on them.
class Stacks {
 public:
  static constexpr std::size_t size = std::size_t{FIBERS_TSAN ? 4096 : 512} * 1024;

  explicit Stacks(std::size_t count = 32) : count_{count} {
    void* const memory =
        ::mmap(nullptr, count * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    lowest_ = static_cast<std::byte*>(memory);
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks() {
    forget(lowest_, count_ * size);
    ::munmap(lowest_, count_ * size);
  }

  /// The lowest address of a stack.
  [[nodiscard]] std::byte* take() {
    if (taken_ == count_) throw std::bad_alloc{};
    return lowest_ + taken_++ * size;
  }

  static void give_back(std::byte* stack) noexcept {
    forget(stack, size);
    ::mprotect(stack, size, PROT_NONE);
  }

 private:
  /// What AddressSanitizer knows about the memory: the functions that ran there never returned.
  static void forget([[maybe_unused]] std::byte* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if FIBERS_ASAN
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
#endif
  }

  std::size_t count_;
  std::size_t taken_ = 0;
  std::byte* lowest_ = nullptr;
};

/// A thread that runs one piece of work after another, as it is told.
class Worker {
 public:
  explicit Worker(Stacks& stacks) : stack_{stacks.take()} {
    ::pthread_attr_t attributes{};
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstack(&attributes, stack_, Stacks::size);
    const auto serve = [](void* self) -> void* {
      static_cast<Worker*>(self)->serve();
      return nullptr;
    };
    const int error = ::pthread_create(&thread_, &attributes, serve, this);
    ::pthread_attr_destroy(&attributes);
    if (error != 0) throw std::runtime_error{"no thread"};
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { end(); }

  /// Runs f on the thread and returns afterwards. f must not throw, and must leave Catch2's assertions to
  /// the caller.
  template <class F>
  void run(F f) {
    start(std::move(f));
    wait();
  }

  /// Begins to run f on the thread; wait() before anything else.
  template <class F>
  void start(F f) {
    const std::lock_guard lock{mutex_};
    work_ = std::move(f);
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !work_; });
  }

  /// Ends the thread; its stack and its thread_local objects are gone.
  void end() {
    if (stack_ == nullptr) return;
    {
      const std::lock_guard lock{mutex_};
      ended_ = true;
      changed_.notify_all();
    }
    ::pthread_join(thread_, nullptr);
    Stacks::give_back(std::exchange(stack_, nullptr));
  }

 private:
  void serve() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return work_ || ended_; });
      if (!work_) return;
      lock.unlock();
      work_();
      lock.lock();
      work_ = nullptr;
      changed_.notify_all();
    }
  }

  std::byte* stack_;
  ::pthread_t thread_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;
  bool ended_ = false;
};

}  // namespace fibers
